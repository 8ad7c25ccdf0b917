"""What schemas/openapi.json promises is what the host does: right and wrong requests made of it, answers held against it."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from regcert.clock import SystemClock
from regcert.flows.initialise import initialise, read_region_file
from regcert.settings import Settings
from regcert.share import share_dir
from tests.clients.served import serve
from tests.fuzz.test_course import make_tokens
from tests.hosting import ROOT, TAXII
from tests.made import envelope, indicator

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("REGCERT_TEST_EXAMPLES", "4"))
DESCRIPTION = schemathesis.openapi.from_path(share_dir() / "schemas" / "openapi.json")


def _read(found: Any) -> Any:
    return found.ok()


OPERATIONS = {operation.label: operation for operation in map(_read, DESCRIPTION.get_all_operations())}
STORED = indicator()
# Names that are there: without them nothing but 404 would be looked at.
THERE = {"root": ROOT[1:], "collection": "regional-indicators", "object": STORED["id"]}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, requests.Session]]:
    """A host as it is run, with an object in it, and a session of somebody who may read and write."""
    folder = tmp_path_factory.mktemp("described")
    founded = Settings(data_dir=folder / "host", database_url=f"sqlite:///{folder}/regcert.db")
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    asyncio.run(initialise(founded.data_dir, founded.database_url, SystemClock(), region))
    (token, *_), _ = asyncio.run(make_tokens(founded))
    with serve(founded, folder, folder / "serve.log") as host, requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        path = f"{host.url}{ROOT}/collections/regional-indicators/objects/"
        posted = session.post(path, data=envelope(STORED), headers={"Content-Type": TAXII}, timeout=60)
        assert posted.json()["success_count"] == 1
        yield host.url, session


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("label", OPERATIONS)
def test_answer_is_as_described_when_a_request_is_made_of_the_description(
    asked: tuple[str, requests.Session], label: str, mode: schemathesis.GenerationMode
) -> None:
    """A status that stands there, in the media type and shape that stand beside it, and never a fault."""
    url, session = asked
    operation = OPERATIONS[label]
    # With its slash an address is asked of what is there, without it of anything: behind both is the same.
    known = {name: value for name, value in THERE.items() if label.endswith("/") and f"{{{name}}}" in label}

    @seed(1)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=known or None))
    def hold(case: Any) -> None:
        case.headers.pop("Authorization", None)  # the session's own; tests/fuzz/test_corpus.py spoils it
        answer = case.call(base_url=url, session=session, timeout=60)
        if "x-request-id" not in answer.headers:
            assert answer.status_code == 400  # no HTTP at all: its parser says so, in words of its own
            return
        case.validate_response(answer, checks=CHECKS)

    hold()
