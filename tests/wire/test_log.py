"""What a host says of itself: routes, codes and ids; never content, a query or a token, whoever logs and whatever breaks."""

import asyncio
import io
import logging
import os
from collections.abc import Iterator

import orjson
import pytest

from regcert.telemetry import set_up_logging
from regcert.workers.correlator import Correlator
from tests.hosting import RunningHost
from tests.made import envelope, indicator
from tests.wire.asking import FORM, INCIDENTS, JSON, OBJECTS, REPORTS, ask, ask_raw

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "tlp-red-secret"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The operator's log at its most talkative: what anybody on this host writes, as it is written."""
    root, written = logging.getLogger(), io.StringIO()
    kept, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", written)
    set_up_logging("DEBUG")
    yield written
    root.handlers[:] = kept
    root.setLevel(level)
    logging.getLogger("regcert").setLevel(logging.NOTSET)


async def test_log_holds_no_content_when_requests_are_served_or_refused(standing: RunningHost, log: io.StringIO) -> None:
    """One line a request with method, route, status, time and id: not the query, the token, the body or what it names."""
    sent = indicator(f"[domain-name:value = '{SECRET}.example']", name=SECRET)
    session = await ask(
        standing, "POST", "/console/sign-in", headers=FORM, body=b"token=" + (await standing.token("alcirt")).encode()
    )
    replies = [
        await ask(standing, "POST", OBJECTS, body=envelope(sent, {"id": SECRET}, sent | {"name": "x"})),
        await ask(standing, "POST", OBJECTS, body=SECRET.encode()),
        await ask(standing, "GET", f"{OBJECTS}?match[type]={SECRET}&limit={SECRET}"),
        await ask(standing, "GET", f"{OBJECTS}?match[type]={SECRET}"),
        await ask(standing, "GET", f"{OBJECTS}{SECRET}/"),
        await ask(standing, "GET", f"/{SECRET}/{SECRET}", headers={"Authorization": f"Bearer {SECRET}"}),
        await ask(standing, "POST", REPORTS, headers=JSON, body=orjson.dumps({"value": f"{SECRET}.example", "sector": SECRET})),
        await ask(standing, "GET", f"{INCIDENTS}/{SECRET}"),
        await ask(standing, "GET", "/console/", headers={"Cookie": session.headers["Set-Cookie"].partition(";")[0]}),
    ]
    await standing.caught_up()
    text = log.getvalue()
    assert text.count("INFO regcert.request ") == len(replies) + 1
    assert all(reply.headers["X-Request-Id"] in text for reply in replies)
    for word in (SECRET, sent["id"], "regcert_", session.headers["Set-Cookie"].partition(";")[0].partition("=")[2]):
        assert word not in text


@pytest.mark.parametrize("path", [OBJECTS, INCIDENTS, "/console/"])
async def test_fault_tells_an_id_and_no_more_when_a_handler_breaks(
    standing: RunningHost, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, path: str
) -> None:
    """500 in the client's own form; client and log share the request id, and neither repeats the exception's words."""

    async def broken(*_: object, **__: object) -> None:
        try:
            os.environ[f"beneath it {SECRET}"]
        except KeyError as error:
            raise ValueError(f"TLP:RED {SECRET}") from error

    for name in ("taxii.objects.retrieve", "api.incidents.page_incidents", "console.door.resume"):
        monkeypatch.setattr(f"regcert.web.{name}", broken)
    reply = await ask(standing, "GET", path, headers={"Cookie": "regcert=x"})
    assert reply.status == 500
    assert reply.headers["X-Request-Id"] in reply.body.decode()
    text = log.getvalue()
    assert reply.headers["X-Request-Id"] in text
    assert "builtins.ValueError at middleware.py:" in text
    assert "because of builtins.KeyError at test_log.py:" in text
    for word in (SECRET, "TLP:RED", "beneath it"):
        assert word not in reply.body.decode() + text


async def test_log_repeats_nothing_when_a_worker_breaks(
    standing: RunningHost, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """The loop goes on, and its log line names the kind of fault and the place."""

    async def broken(*_: object) -> bool:
        raise ValueError(f"TLP:RED {SECRET}")

    async def at_once(_seconds: float) -> None:
        return

    monkeypatch.setattr("regcert.workers.correlator.correlate", broken)
    monkeypatch.setattr(asyncio, "sleep", at_once)
    await Correlator(standing.inside.database, standing.inside.correlator._guards)._catch_up()
    text = log.getvalue()
    assert "correlation failed" in text
    assert "builtins.ValueError at correlator.py:" in text
    assert SECRET not in text


async def test_log_repeats_nothing_when_a_request_cannot_be_parsed(standing: RunningHost, log: io.StringIO) -> None:
    """The library below us logs what it could not parse, with the exception that quotes it: our formatter leaves that out."""
    broken = f"GET /{SECRET} HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer {SECRET}\r\n\r\n"
    assert b" 400 " in await ask_raw(standing, broken.encode())
    text = log.getvalue()
    assert "Error handling request" in text
    assert SECRET not in text


async def test_record_is_one_line_when_its_text_would_be_two(log: io.StringIO) -> None:
    """Nobody forges a line of the log, whatever a message holds (hostile input 13)."""
    logging.getLogger("regcert").warning("a\r\nERROR regcert forged %s", "b\nc")
    assert log.getvalue().endswith(" WARNING regcert a\\r\\nERROR regcert forged b\\nc\n")
    assert log.getvalue().count("\n") == 1


async def test_library_is_quiet_when_the_operator_asks_for_every_line(log: io.StringIO) -> None:
    """DEBUG is ours alone: database drivers write their statements' parameters at that level, which are content."""
    logging.getLogger("aiosqlite").debug("operation %s", SECRET)
    logging.getLogger("regcert.request").debug("ours")
    assert log.getvalue().endswith(" DEBUG regcert.request ours\n")
    assert SECRET not in log.getvalue()
