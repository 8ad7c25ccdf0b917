"""A host that serves what a `Shown` holds: an honest one, or one that lies where a test has changed something."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from regcert.signing.note import read_note, sign_note
from regcert.signing.private_key import PrivateKey
from regcert.translog.checkpoint import Checkpoint, read_checkpoint
from regcert.translog.frontier import Frontier
from regcert.translog.tiles import Place, grow, read_tile_name, tile_width, write_entries
from regcert.translog.tree import leaf_hash
from tests.hosting import TAXII
from tests.verification.world import SLUG, Shown

TOKEN = "regcert_token"
_ROOT = "/region/"


@dataclass
class Server:
    """A host; `shown` may be replaced at any moment."""

    shown: Shown
    url: str = ""
    tiles: dict[int, dict[Place, bytes]] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.Response:
        basic = base64.b64encode(f"x:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") not in {f"Bearer {TOKEN}", f"Basic {basic}"}:
            return web.Response(status=401)
        path, shown = request.path, self.shown
        if path == "/log/checkpoint":
            return web.Response(body=shown.checkpoint)
        if path == "/log/checkpoint/witnessed" and shown.witnessed_of:
            return web.Response(body=shown.witnessed_of[int(request.query["quorum"])])
        if path == "/log/checkpoint/witnessed":
            return web.Response(body=shown.witnessed) if shown.witnessed else web.Response(status=404)
        if path.startswith("/log/tile/"):
            return self._tile(path.removeprefix("/log/"))
        if path.startswith("/api/v1/"):
            return self._api(path.removeprefix("/api/v1/").split("/"), request)
        return self._taxii(path, request)

    def _taxii(self, path: str, request: web.Request) -> web.Response:
        if path == "/taxii2/":
            return _taxii({"title": "a host", "default": _ROOT, "api_roots": [_ROOT]})
        if path == f"{_ROOT}collections/":
            return _taxii({"collections": [self.shown.collection]})
        if path == f"{_ROOT}collections/{self.shown.collection['id']}/":
            return _taxii(self.shown.collection)
        if path.endswith("/objects/"):
            after = request.query.get("added_after", "")
            found = [(added, body) for added, body in self.shown.objects if added > after]
            dates = {"X-TAXII-Date-Added-Last": found[-1][0]} if found else {}
            body = b'{"more": false, "objects": [' + b",".join(body for _, body in found) + b"]}"
            return web.Response(body=body, headers={"Content-Type": TAXII} | dates)
        return web.Response(status=404)

    def _api(self, parts: list[str], request: web.Request) -> web.Response:
        match parts:
            case ["collections", str(name), "publications"] if name in {SLUG, self.shown.collection["id"]}:
                after = int(request.query["after"])
                rows = [row for row in self.shown.rows if row["number"] > after]
                return web.json_response({"blind": self.shown.blind, "publications": rows, "more": False})
            case ["objects", str(stix_id), _, "proof"] if stix_id in self.shown.proofs:
                return web.json_response(self.shown.proofs[stix_id])
        return web.Response(status=404)

    def _tile(self, path: str) -> web.Response:
        name = read_tile_name(path)
        size = len(self.shown.entries)
        if name.width > tile_width(name.level or 0, name.number, size):
            return web.Response(status=404)
        if name.level is None:
            start = name.number * 256
            return web.Response(body=write_entries(self.shown.entries[start : start + name.width]))
        kept = tiles_of(self.shown.entries)
        return web.Response(body=kept[name.level, name.number][: 32 * name.width])


def tiles_of(entries: list[bytes]) -> dict[Place, bytes]:
    return grow(0, [leaf_hash(entry) for entry in entries], lambda *_: b"")


def _taxii(value: Any) -> web.Response:
    return web.Response(body=json.dumps(value), headers={"Content-Type": TAXII})


@asynccontextmanager
async def serving(shown: Shown) -> AsyncIterator[Server]:
    server = Server(shown)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@contextmanager
def serving_aside(shown: Shown) -> Iterator[Server]:
    """The same in a thread of its own, for commands, which have a loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    host = serving(shown)
    try:
        yield asyncio.run_coroutine_threadsafe(host.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(host.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def root_of_entries(entries: list[bytes]) -> bytes:
    frontier = Frontier()
    for entry in entries:
        frontier.push(leaf_hash(entry))
    return frontier.root()


def signed(entries: list[bytes], origin: str, key: PrivateKey) -> bytes:
    """A checkpoint of these entries, signed by the log alone."""
    return sign_note(Checkpoint(origin, len(entries), root_of_entries(entries)).text(), key, origin).write()


def size_of(note: bytes) -> int:
    return read_checkpoint(read_note(note).text).size
