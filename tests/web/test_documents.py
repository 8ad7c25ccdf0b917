"""docs/api.md and docs/refusals.md say what the host does: their examples are run, their tables compared."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from regcert.domain.principal import Role
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
    text = (DOCS / "api.md").read_text("utf-8")
    table = re.search(r"\| property \| meaning \|\n(.*?)\n\n", text, re.DOTALL)
    assert table is not None
    named = {name for row in table[1].splitlines() for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    schema: dict[str, Any] = orjson.loads(Path(share_dir() / "schemas" / "sighting-report.schema.json").read_bytes())
    assert named == set(_PROPERTIES) == set(schema["properties"])


def _fill(word: str, filled: dict[str, str]) -> str:
    """Put what a reader would have at hand in the place of the names of variables."""
    for name, value in filled.items():
        word = word.replace(name, value)
    return word


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_example_works_when_it_is_sent_as_it_stands(host: RunningHost) -> None:
    """Each curl command of docs/api.md is answered 200 and, for reports, takes everything."""
    for days, value in enumerate(("evil.example", "worse.example")):
        await seen(host, value, ("alcirt", "srb-cert"), earlier=days)
    incident, other = await listed(host, "alcirt")
    alerts = (await ask(host, "GET", "/api/v1/alerts", team="alcirt")).json["alerts"]
    filled = {
        "$REGCERT_SERVER": "",
        "$INCIDENT": incident["id"],
        "$OTHER": other["id"],
        "$NEXT": "0",
        "$ID": str(alerts[0]["id"]),
    }
    lines = b'{"value": "a.example"}\n{"value": "b.example"}\n'
    commands = examples()
    assert len(commands) == 9
    for command in commands:
        *options, path = [_fill(word, filled) for word in command]
        headers = dict(value.split(": ", 1) for flag, value in pairwise(options) if flag == "-H")
        headers["Authorization"] = f"Bearer {await host.token('alcirt', Role.COORDINATOR)}"
        body = lines if "--data-binary" in options else options[options.index("-d") + 1].encode() if "-d" in options else None
        method = "POST" if body or "-X" in options else "GET"
        reply = await ask(host, method, path, headers={"Accept": "", "Content-Type": ""} | headers, body=body)
        assert reply.status == (202 if path.endswith("/decisions") else 200), command
        if path.endswith("/sightings"):
            told = lines.splitlines() if body == lines else json.loads(body or b"").get("sightings", [1])
            assert reply.json == {"accepted": len(told), "refused": []}
    for path, word in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
        assert (await ask(host, "GET", path, headers={"Authorization": ""})).body == word
