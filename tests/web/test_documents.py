"""docs/api.md and docs/refusals.md say what the host does: their examples are run, their tables compared."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from regcert.domain.report import _PROPERTIES
from regcert.errors import Code
from regcert.share import share_dir
from regcert.web.problems import STATUS
from tests.hosting import RunningHost
from tests.web.test_incidents import listed, seen
from tests.wire.asking import ask

DOCS = Path(__file__).resolve().parents[2] / "docs"


def rows(name: str) -> list[list[str]]:
    lines = (DOCS / name).read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def examples() -> list[list[str]]:
    """Every curl command of docs/api.md, as a shell would part it."""
    blocks = re.findall(r"```sh\n(curl .*?)```", (DOCS / "api.md").read_text("utf-8"), re.DOTALL)
    return [shlex.split(block) for block in blocks]


def test_refusals_are_listed_when_they_exist() -> None:
    """One row a code, in the order of the source, with its status and something to do."""
    table = rows("refusals.md")
    assert [row[0].strip("`") for row in table] == [code.value for code in Code]
    assert {row[0].strip("`"): row[1] for row in table} == {code.value: str(STATUS.get(code, "-")) for code in Code}
    assert all(len(row) == 3 and row[2].endswith(".") for row in table)


def test_properties_of_a_report_are_listed_when_they_are_read() -> None:
    """The document, the schema and the reader know the same properties."""
    named = {name for row in rows("api.md") for name in re.findall(r"`([a-z_]+)`", row[0])}
    schema: dict[str, Any] = orjson.loads(Path(share_dir() / "schemas" / "sighting-report.schema.json").read_bytes())
    assert named == set(_PROPERTIES) == set(schema["properties"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_example_works_when_it_is_sent_as_it_stands(host: RunningHost) -> None:
    """Each curl command of docs/api.md is answered 200 and, for reports, takes everything."""
    await seen(host, "evil.example", ("alcirt", "srb-cert"))
    (incident,) = await listed(host, "alcirt")
    commands = examples()
    assert len(commands) == 4
    for command in commands:
        headers = {
            name: value.replace("$REGCERT_TOKEN", await host.token("alcirt"))
            for name, value in (header.split(": ", 1) for flag, header in pairwise(command) if flag == "-H")
        }
        body = command[command.index("-d") + 1] if "-d" in command else None
        path = command[-1].replace("$REGCERT_SERVER", "").replace("$INCIDENT", incident["id"])
        sent = {"Accept": "", "Content-Type": ""} | headers
        reply = await ask(host, "POST" if body else "GET", path, headers=sent, body=body.encode() if body else None)
        assert reply.status == 200, command
        if body:
            assert reply.json == {"accepted": len(json.loads(body).get("sightings", [1])), "refused": []}
    for path, word in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
        assert (await ask(host, "GET", path, headers={"Authorization": ""})).body == word
