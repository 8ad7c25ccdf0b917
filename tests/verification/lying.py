"""A log on a socket that shows whatever a test wants it to show."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from regcert.outbound.wire import open_wire
from regcert.signing.note import log_key, read_note, sign_note
from regcert.signing.private_key import private_key_of
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.tiles import read_tile_name, tile_width
from regcert.verification.log_reader import LogReader
from tests.translog.trees import Tree

ORIGIN = "regcert/western-balkans/0123456789abcdef"
KEY = private_key_of(bytes(range(32)))
LOG = log_key(ORIGIN, KEY)
TOKEN = "regcert_token"


def checkpoint(size: int, of: str = "") -> Checkpoint:
    return Checkpoint(ORIGIN, size, Tree(size, of).root())


def signed(size: int, of: str = "") -> bytes:
    """A checkpoint of one of the log's stories, signed by its key."""
    return sign_note(checkpoint(size, of).text(), KEY, ORIGIN).write()


@dataclass
class Host:
    """A host of one log; `tree` is what its tiles say, `note` what it signed."""

    tree: Tree = field(default_factory=Tree)
    note: bytes = b""
    status: int = 200
    url: str = ""
    handed_in: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    full_only: bool = False

    def show(self, size: int, of: str = "") -> None:
        """Show a story's tree of this size, and sign it."""
        self.tree = Tree(size, of)
        self.note = signed(size, of)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.status != 200:
            return web.Response(status=self.status)
        if request.method == "POST" and request.path == "/below/api/v1/log/cosignatures":
            self.handed_in.append(await request.read())
            self.note = read_note(self.note).with_signature(read_note(self.handed_in[-1]).signatures[-1]).write()
            return web.Response(status=204)
        if request.path == "/below/log/checkpoint":
            return web.Response(body=self.note)
        return self._tile(request.path.removeprefix("/below/log/"))

    def _tile(self, path: str) -> web.Response:
        name = read_tile_name(path)
        assert name.level is not None
        kept = tile_width(name.level, name.number, self.tree.size)
        if name.width > kept or (self.full_only and name.width < kept):
            return web.Response(status=404)
        return web.Response(body=self.tree.tiles[name.level, name.number][: 32 * name.width])


@asynccontextmanager
async def run_lying_host() -> AsyncIterator[Host]:
    host = Host()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}/below"
    try:
        yield host
    finally:
        await runner.cleanup()


@asynccontextmanager
async def reading(host: Host) -> AsyncIterator[LogReader]:
    async with open_wire(host.url, 10) as wire:
        yield LogReader(wire, host.url, TOKEN)
