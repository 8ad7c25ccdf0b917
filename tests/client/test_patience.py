"""Busy servers and broken connections: what is asked again, when, how often, and what never is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.client import AsyncClient, Code, Patience
from regcert.outbound.patience import find_retry_after_s
from tests.client.conftest import refused
from tests.client.other_server import COLLECTION, OBJECTS
from tests.hosting import StillClock
from tests.made import indicator

NOW = datetime.fromtimestamp(StillClock().at_us / 1_000_000, UTC)


def busy(status: int, retry_after: str | None = None) -> tuple[int, bytes, dict[str, str]]:
    return status, b'{"title": "later"}', {} if retry_after is None else {"Retry-After": retry_after}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("retry_after", "waited_s"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("301", 300.0),
        ("9" * 5000, 300.0),
        (format_datetime(NOW + timedelta(seconds=42), usegmt=True), 42.0),
        (format_datetime(NOW + timedelta(days=42), usegmt=True), 300.0),
        (format_datetime(NOW - timedelta(seconds=42), usegmt=True), 0.0),
        ("soon", 0.25),
        ("-7", 0.25),
        ("٧", 0.25),
        (None, 0.25),
    ],
)
async def test_server_is_asked_again_when_it_says_that_it_is_busy(other, options, slept, status, retry_after, waited_s):
    """After as long as it says, in seconds or by a date, at most five minutes; else after a while of our own."""
    other.hold(1)
    other.script(OBJECTS, busy(status, None if retry_after is None else retry_after.encode().decode("latin-1")))
    async with AsyncClient(other.url, "token", options=options) as client:
        assert len((await client.page("c")).objects) == 1
    assert slept.naps == [pytest.approx(waited_s, abs=1.0 if waited_s == 42 else 1e-6)]


async def test_delay_doubles_when_a_server_stays_busy(other, options, slept):
    """The most that may be waited doubles to its bound, and patience ends after its attempts."""
    other.fixed[OBJECTS] = busy(503)
    async with AsyncClient(other.url, "token", options=options) as client:
        refusal = await refused(client.page("c"))
    assert refusal.code is Code.BUSY
    assert slept.naps == [0.25, 0.5, 1.0, 2.0]
    assert other.paths().count(OBJECTS) == 5


async def test_delay_is_drawn_when_clients_were_sent_away_together(other, options, slept):
    """Full jitter: any length up to the most, so that they do not come back together."""
    lots = iter([0.5, 0.1, 0.0, 0.9])
    drawn = replace(options, timing=replace(options.timing, chance=lambda: next(lots)))
    other.fixed[OBJECTS] = busy(429)
    async with AsyncClient(other.url, "token", options=drawn) as client:
        await refused(client.page("c"))
    assert slept.naps == pytest.approx([0.125, 0.05, 0.0, 1.8])


async def test_client_gives_up_at_once_when_the_wait_is_longer_than_its_patience(other, options, slept):
    """Time that is not there is not waited for."""
    other.script(OBJECTS, busy(503, "100"), busy(503, "100"), busy(503, "100"))
    short = replace(options, patience=Patience(attempts=50, total_s=250.0))
    async with AsyncClient(other.url, "token", options=short) as client:
        assert (await refused(client.page("c"))).code is Code.BUSY
    assert slept.naps == [100.0, 100.0]


async def test_post_is_sent_again_unchanged_when_the_server_is_busy(other, options):
    """The same bytes: on a server that keeps the standard, an identical object is no new one."""
    status = {"id": "s", "status": "complete", "total_count": 1, "success_count": 1, "failure_count": 0, "pending_count": 0}
    other.script(OBJECTS, busy(503, "1"), busy(429), status)
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await client.publish("c", [indicator()])).accepted == 1
    bodies = [one.body for one in other.asked if one.method == "POST"]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1


async def test_delete_is_never_repeated_when_it_fails(other, options, slept):
    """What was deleted in between may have been added anew by somebody else."""
    other.fixed[f"{OBJECTS}x--1/"] = busy(503, "1")
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.delete("c", "x--1", ("1", "2")))).code is Code.BUSY
    assert other.paths("DELETE") == [f"{OBJECTS}x--1/"]
    assert other.asked[-1].query == {"match[version]": "1,2"}
    assert slept.naps == []


@asynccontextmanager
async def breaking(answers: list[bytes]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers each connection's first request with given bytes, or none, and hangs up."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.partition(b"\r\n")[0])
        writer.write(answers.pop(0) if answers else b"")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


HALF = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
WHOLE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{"title":"t","a":[1,2,3]}'


@pytest.mark.parametrize("broken", [b"", HALF, b"nonsense\r\n\r\n"], ids=["no word", "half an answer", "no HTTP"])
async def test_get_is_sent_again_when_the_connection_breaks(options, slept, broken):
    """Also where the answer had begun: half of it is none."""
    async with breaking([broken, broken, WHOLE]) as (url, asked):
        async with AsyncClient(url, "token", options=options) as client:
            assert (await client.discovery()).title == "t"
    assert len(asked) == 3
    assert slept.naps == [0.25, 0.5]


@pytest.mark.parametrize("verb", ["POST", "DELETE"])
async def test_change_is_not_sent_again_when_the_connection_breaks(other, options, slept, verb):
    """Whether it was taken is not known; the caller is told, and decides."""
    async with AsyncClient(other.url, "token", options=options) as client:
        found = await client.collection("c")
        root = await client.api_root()
    async with breaking([]) as (url, asked):
        there = replace(found, address=f"{url}{COLLECTION}", root=f"{url}/r/")
        async with AsyncClient(url, "token", options=options) as client:
            client._directory._described[there.root] = root
            work = client.publish(there, [indicator()]) if verb == "POST" else client.delete(there, "x--1")
            assert (await refused(work)).code is Code.UNREACHABLE
    assert [line.split()[0].decode() for line in asked] == [verb]
    assert slept.naps == []


async def test_nobody_is_found_when_nobody_listens(options, slept):
    """A refused connection is tried again as often as a broken one, and then said."""
    async with AsyncClient("http://127.0.0.1:1", "token", options=options) as client:
        assert (await refused(client.discovery())).code is Code.UNREACHABLE
    assert len(slept.naps) == 4


@given(st.text(max_size=40))
def test_retry_after_is_read_or_not_when_it_is_anything(text):
    """No word of a server ends in a traceback or a negative wait."""
    found = find_retry_after_s(text, StillClock().at_us)
    assert found is None or found >= 0
