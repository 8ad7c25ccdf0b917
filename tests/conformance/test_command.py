"""`regcert conformance` as a person types it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.cli.conftest import Outcome, Regcert, regcert
from tests.conformance.faulty import READER, WRITER, FaultyServer, serving

__all__ = ["regcert"]  # the fixture of the other commands

Typed = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def server() -> AsyncIterator[tuple[FaultyServer, str]]:
    faulty = FaultyServer()
    async with serving(faulty) as url:
        yield faulty, url


@pytest.fixture
def typed(regcert: Regcert, server: tuple[FaultyServer, str]) -> Typed:
    """Type the command for the server, which answers from its own loop meanwhile."""

    async def command(*arguments: object, url: str = server[1]) -> Outcome:
        return await asyncio.to_thread(regcert, "conformance", url, *arguments)

    return command


async def test_table_by_section_is_printed_when_the_server_conforms(typed: Typed) -> None:
    """Counts by section and keyword, and exit code 0 where no MUST failed."""
    outcome = await typed("--token", WRITER, "--section", "4")
    assert outcome.code == 0, outcome
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["4.1", "Discovery", "16", "0", "0", "0"] in lines
    assert any(line[:1] == ["MUST"] and line[2] == "0" for line in lines)
    assert "max-content-length-is-useful  CLIENT (MISP)" in outcome.out
    assert "collection Inbox" in outcome.err


async def test_failure_is_listed_with_its_rule_when_a_must_is_broken(typed: Typed, server) -> None:
    """Each failure has its id, its rule and what was seen, and the exit code is 1."""
    server[0].faults.add("total-wrong")
    outcome = await typed("--token", WRITER, "--section", "4.3")
    assert outcome.code == 1
    assert "4.3-total-is-the-sum  MUST\n    rule  The total is" in outcome.out
    assert "    seen  2 against [1, 0, 0]" in outcome.out


async def test_document_is_printed_when_json_is_asked_for(typed: Typed, server) -> None:
    """Exactly one JSON document, with every check."""
    server[0].faults.add("next-once-only")
    outcome = await typed("--token", WRITER, "--second-token", READER, "--section", "3.5", "--json")
    assert outcome.code == 1
    found = outcome.json
    assert (found["api_root"], found["conforms"], found["left_behind"]) == ("/root/", False, 0)
    broken = [one["id"] for one in found["checks"] if one["verdict"] == "failed" and one["keyword"] == "MUST"]
    assert "3.5-next-can-be-used-twice" in broken
    assert found["counts"]["MUST"]["failed"] == len(broken)
    assert set(found["checks"][0]) == {"id", "section", "keyword", "client", "rule", "verdict", "seen"}


@pytest.mark.parametrize(
    "credentials",
    [("--user", "me", "--password", WRITER), ("--token", WRITER), ("--second-token", f"a:{READER}", "--token", WRITER)],
)
async def test_credentials_are_taken_when_given_in_any_form(typed: Typed, credentials: tuple[str, ...]) -> None:
    """A token is sent as Bearer, a user and a password as Basic."""
    assert (await typed(*credentials, "--section", "4.2", "--read-only")).code == 0


async def test_credentials_come_from_the_environment_when_none_are_typed(typed: Typed, monkeypatch) -> None:
    """What stands on a command line is seen by others."""
    monkeypatch.setenv("REGCERT_TOKEN", WRITER)
    assert (await typed("--section", "4.2", "--read-only")).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ((), 4, "unauthenticated"),
        (("--token", "wrong"), 4, "unauthenticated"),
        (("--token", "a\r\nb"), 4, "unauthenticated"),
        (("--token", WRITER, "--user", "me"), 1, "invalid-setting"),
        (("--token", WRITER, "--section", "99"), 1, "invalid-setting"),
        (("--token", WRITER, "--collection", "nothing"), 1, "not-found"),
        (("--token", WRITER, "--timeout", "0"), 2, "usage"),
    ],
)
async def test_one_line_is_said_when_the_suite_cannot_begin(
    typed: Typed, arguments: tuple[str, ...], code: int, word: str
) -> None:
    """Whatever is wrong is one line and an exit code; no token is repeated."""
    outcome = await typed(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.endswith(f"[{word}]\n")
    assert outcome.err.count("\n") == 1
    assert WRITER not in outcome.err
    assert base64.b64encode(WRITER.encode()).decode() not in outcome.err


@pytest.mark.parametrize(
    ("url", "code", "word"),
    [
        ("http://127.0.0.1:1", 3, "unreachable"),
        ("127.0.0.1:1", 1, "invalid-setting"),
        ("http://me:secret@127.0.0.1:1", 1, "invalid-setting"),
        ("http://127.0.0.1:1/?a=b", 1, "invalid-setting"),
    ],
)
async def test_one_line_is_said_when_there_is_no_server(typed: Typed, url: str, code: int, word: str) -> None:
    """An address that cannot be asked is said so, and nothing of it is repeated."""
    outcome = await typed("--token", WRITER, url=url)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.endswith(f"[{word}]\n")
    assert "secret" not in outcome.err
