"""While somebody does their worst, everybody else is answered, and rightly: no promise of how fast, only that they are."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest

from regcert.settings import Settings
from tests.clients.served import Served, serve
from tests.fuzz.test_course import make_tokens
from tests.hosting import ROOT, TAXII
from tests.made import envelope, indicator

OBJECTS = f"{ROOT}/collections/regional-indicators/objects/"
IDLE = 200
SLOW_BYTES, PIECE_BYTES = 20_000_000, 500_000


def make_bomb() -> bytes:
    """A gzip body of a megabyte that unpacks to a gigabyte: one block, a hundred times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + block * 100


BOMB = make_bomb()
NEST = b'{"objects":[' + b'{"a":[' * 3_000_000


class Client:
    """Somebody with a token."""

    def __init__(self, url: str, token: str, http: aiohttp.ClientSession) -> None:
        self._url, self._http = url, http
        self._headers = {"Authorization": f"Bearer {token}", "Accept": TAXII}
        self.taken_s: list[float] = []

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Ask; return status and JSON."""
        sent = self._headers | ({"Content-Type": TAXII} if body is not None else {}) | headers
        async with self._http.request(method, self._url + path, data=body, headers=sent) as reply:
            return reply.status, await reply.json(content_type=None)

    async def live(self) -> None:
        """Do what an ordinary client does: publish, find it, read a page, look at the collections; all of it must be right."""
        one = indicator()
        started = time.monotonic()
        status, told = await self.ask("POST", OBJECTS, envelope(one))
        assert (status, told["success_count"], told["failure_count"]) == (202, 1, 0)
        assert await self.ask("GET", f"{OBJECTS}{one['id']}/") == (200, {"objects": [one], "more": False})
        status, page = await self.ask("GET", f"{OBJECTS}?limit=10")
        assert (status, len(page["objects"]), page["more"]) == (200, 10, True)
        assert (await self.ask("GET", f"{ROOT}/collections/"))[0] == 200
        self.taken_s.append((time.monotonic() - started) / 4)

    def tell(self, when: str) -> None:
        """Print how long a request took, for people; it is no rule."""
        taken = sorted(self.taken_s)
        print(f"{when}: {len(taken)} rounds, a request p50 {taken[len(taken) // 2] * 1e3:.1f} ms, most {taken[-1] * 1e3:.1f} ms")
        self.taken_s = []


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


async def send_bombs(client: Client, times: int) -> None:
    """A bomb whole, and one in chunks."""
    for _ in range(times):
        for body in (BOMB, _stream(in_pieces(BOMB, 10_000))):
            with suppress(aiohttp.ClientError):  # the host may hang up before it has read all of it
                status, told = await client.ask("POST", OBJECTS, body, **{"Content-Encoding": "gzip"})
                assert (status, told["error_code"]) == (413, "too-large")


async def send_nests(client: Client, times: int) -> None:
    """Eighteen megabytes of brackets: large enough to be looked at later, and to be refused then or now."""
    for _ in range(times):
        for body in (NEST[:7_000_000], NEST):
            status, told = await client.ask("POST", OBJECTS, _stream(in_pieces(body, 500_000)))
            assert status in {400, 202}, told


async def _stream(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def send_slowly(client: Client, others: Client) -> None:
    """A large body of which a piece comes only after others have been served."""

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"objects":['
        for number in range(SLOW_BYTES // PIECE_BYTES):
            await others.live()
            yield b"," * (number > 0) + orjson.dumps(indicator(name="x" * PIECE_BYTES))
        yield b"]}"

    status, told = await client.ask("POST", f"{ROOT}/collections/public/objects/", slowly())
    assert status == 202, told


@asynccontextmanager
async def _idling(host: str, port: int) -> AsyncIterator[None]:
    """Hold connections that say nothing, or half of something."""
    async with AsyncExitStack() as stack:
        for number in range(IDLE):
            _, writer = await asyncio.open_connection(host, port)
            stack.callback(writer.close)
            writer.write((b"", b"GET /taxii2/ HT", b"POST /taxii2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")[number % 3])
        yield


@pytest.fixture
async def served(settings: Settings, tmp_path: Path) -> AsyncIterator[Served]:
    """A host as it is run."""
    with serve(settings, tmp_path, tmp_path / "serve.log") as running:
        yield running


async def test_others_are_answered_rightly_when_somebody_does_their_worst(settings: Settings, served: Served) -> None:
    """Bombs, nests, a body that takes its time and two hundred connections that say nothing, all at once."""
    (bad, worse, *_), good = await make_tokens(settings)
    address = urlsplit(served.url)
    async with aiohttp.ClientSession() as http:
        attacker, slow, others = (Client(served.url, token, http) for token in (bad, worse, good))
        await others.ask("POST", OBJECTS, envelope(*(indicator() for _ in range(10))))
        for _ in range(20):
            await others.live()
        others.tell("quiet")
        async with _idling(address.hostname or "", address.port or 0), asyncio.TaskGroup() as group:
            group.create_task(send_bombs(attacker, 5))
            group.create_task(send_nests(attacker, 2))
            group.create_task(send_slowly(slow, others))
        others.tell("attacked")
        await others.live()
        stored = [one["id"] async for one in _read(others)]
    assert len(stored) == len(set(stored)) == 10 + 20 + SLOW_BYTES // PIECE_BYTES + 1


async def _read(client: Client) -> AsyncIterator[dict[str, Any]]:
    following: str | None = ""
    while following is not None:
        _, page = await client.ask("GET", f"{OBJECTS}?limit=1000{following}")
        for one in page["objects"]:
            yield one
        following = f"&next={page['next']}" if page["more"] else None
