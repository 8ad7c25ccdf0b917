# RegCERT: every task a person or CI runs. `make` alone prints this list.
PY   ?= python3
PORT ?= 8080
VENV := .venv
BIN  := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo setup test conformance-doc bench bench-taxii sure fmt lint types house lock clean

help:  ## print the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# A Debian without python3-venv has no ensurepip: then the system's pip fills the environment from outside.
$(BIN)/python:
	$(PY) -m venv $(VENV) 2>/dev/null || $(PY) -m venv --clear --without-pip $(VENV)

INSTALL = $(PY) -m pip --python $(BIN)/python install -q --disable-pip-version-check --no-input

$(VENV)/.service: requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes --only-binary :all: -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.tools: requirements-dev.lock $(VENV)/.service
	$(INSTALL) --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.service  ## start the sample region and play a week into it (ONCE=1: print the incidents and end)
	$(BIN)/python -m regcert demo --port $(PORT) $(if $(ONCE),--once)

setup: $(VENV)/.tools  ## prepare .venv with everything for the service and its tests

test: $(VENV)/.tools  ## the whole suite, on SQLite and on PostgreSQL
	$(BIN)/python -m pytest -q -n 2 $(T)

conformance-doc: $(VENV)/.tools  ## write docs/taxii-conformance.md from the tests
	$(BIN)/python -m tests.clauses.page

bench: $(VENV)/.tools  ## measure ingest and polling against a server started for it
	$(BIN)/python -m benchmarks --no-peer

bench-taxii: $(VENV)/.tools  ## the same side by side with OpenTAXII, in an environment of its own
	$(BIN)/python -m benchmarks

fmt: $(VENV)/.tools  ## format the code
	$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

lint: $(VENV)/.tools  ## formatting and lint, changing nothing
	$(BIN)/ruff format -q --check . && $(BIN)/ruff check -q .

types: $(VENV)/.tools  ## mypy, strict
	$(BIN)/mypy src tests benchmarks

house: $(VENV)/.tools  ## imports point down; one room per library
	$(BIN)/lint-imports

sure: lint types house test  ## all that CI runs
	$(MAKE) demo ONCE=1 PORT=0

lock:  ## renew the locks (maintainers; needs uv): hashes, no addresses
	uv lock -q --upgrade
	uv export -q --no-emit-project --no-header --no-annotate --no-default-groups --group build -o requirements.lock
	uv export -q --no-emit-project --no-header --no-annotate --all-groups -o requirements-dev.lock

clean:  ## remove the environment and everything a run left behind
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis
