"""A TAXII 2.1 server as others write them: without cursors, with one time for many objects, with small pages, busy, or lying."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from regcert.stix.timestamps import read_timestamp, write_timestamp
from tests.made import indicator

TAXII = "application/taxii+json;version=2.1"
START_US = 1_795_000_000_000_000
ID = "a6df37a9-3b96-434f-9b5b-cdea3c50ad8a"
COLLECTION = f"/r/collections/{ID}/"
OBJECTS = f"{COLLECTION}objects/"
MANIFEST = f"{COLLECTION}manifest/"
DESCRIBED = {"id": ID, "alias": "c", "title": "The collection", "can_read": True, "can_write": True}

Scripted = tuple[int, bytes, Mapping[str, str]] | Callable[[web.Request], Awaitable[web.StreamResponse]] | Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class OtherServer:
    """What it holds, how it pages, and what it was asked."""

    items: list[tuple[int, bytes]] = field(default_factory=list)
    most: int = 1000
    gives_next: bool = True
    header_step_us: int = 1
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    scripts: dict[str, list[Scripted]] = field(default_factory=lambda: defaultdict(list))
    fixed: dict[str, Any] = field(default_factory=dict)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, count: int, *, step_us: int = 1) -> list[bytes]:
        """Add so many objects, each so much later than the one before; return their bytes."""
        start = self.items[-1][0] + 1 if self.items else START_US
        bodies = [json.dumps(indicator(name=f"Čačak {number}"), ensure_ascii=False).encode() for number in range(count)]
        self.items += [(start + number * step_us, body) for number, body in enumerate(bodies)]
        return bodies

    def script(self, path: str, *answers: Scripted) -> None:
        """Answer a path with these, one after the other, before anything else."""
        self.scripts[path] += answers

    def paths(self, method: str = "GET") -> list[str]:
        return [one.path for one in self.asked if one.method == method]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.path, dict(request.query), dict(request.headers), body))
        self.came.set()
        scripted = self.scripts.get(request.path) or []
        told = scripted.pop(0) if scripted else self.fixed.get(request.path, self._ordinary)
        if callable(told):
            return await told(request)
        status, content, headers = told if isinstance(told, tuple) else (200, json.dumps(told).encode(), {})
        return web.Response(status=status, body=content, headers={"Content-Type": TAXII, **headers})

    async def _ordinary(self, request: web.Request) -> web.Response:
        if request.path in {OBJECTS, MANIFEST}:
            return self._page(request, manifest=request.path == MANIFEST)
        known: dict[str, Any] = {
            "/taxii2/": {"title": "t", "default": "/r/", "api_roots": ["/r/"]},
            "/r/": {"title": "r", "versions": [TAXII], "max_content_length": 1_000_000},
            "/r/collections/": {"collections": [DESCRIBED]},
        }
        if request.path not in known:
            return web.Response(status=404, body=b'{"title": "no such thing"}', content_type="application/json")
        return web.Response(body=json.dumps(known[request.path]).encode(), headers={"Content-Type": TAXII})

    def _page(self, request: web.Request, *, manifest: bool) -> web.Response:
        after = read_timestamp(request.query["added_after"]) if "added_after" in request.query else -1
        found = [one for one in self.items if one[0] > after]
        start = int(request.query["next"][1:]) if "next" in request.query else 0
        limit = min(int(request.query.get("limit", self.most)), self.most)
        shown = found[start : start + limit]
        if not shown:
            return web.Response(body=b"{}", headers={"Content-Type": TAXII})
        more = start + limit < len(found)
        frame = b'{"objects": [%b], "more": %b' % (
            b" , ".join(self._line(one, manifest) for one in shown),
            b"true" if more else b"false",
        )
        frame += b', "next": "n%d"}' % (start + limit) if more and self.gives_next else b"}"
        headers = {"Content-Type": TAXII}
        for name, one in (("First", shown[0]), ("Last", shown[-1])):
            headers[f"X-TAXII-Date-Added-{name}"] = write_timestamp(one[0] // self.header_step_us * self.header_step_us)
        return web.Response(body=frame, headers=headers)

    @staticmethod
    def _line(one: tuple[int, bytes], manifest: bool) -> bytes:  # noqa: FBT001
        if not manifest:
            return one[1]
        value = json.loads(one[1])
        return json.dumps({"id": value["id"], "date_added": write_timestamp(one[0]), "version": value["modified"]}).encode()


@asynccontextmanager
async def listening_elsewhere(server: OtherServer) -> AsyncIterator[OtherServer]:
    """Let it listen on a free port of the loopback."""
    app = web.Application(client_max_size=1 << 30)
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
