"""A running host for tests: real sockets, real database, a clock that the test holds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web_app

from regcert.assembly.host import Host, listening, open_host
from regcert.domain.principal import Role
from regcert.flows.correlate import correlate
from regcert.flows.create_token import TokenOrder, create_token
from regcert.settings import Settings
from regcert.stix.timestamps import write_timestamp
from tests.made import envelope

TAXII = "application/taxii+json;version=2.1"
ROOT = "/western-balkans"


class StillClock:
    """A clock that stands where the test puts it; it may be put back."""

    def __init__(self, at_us: int = 1_795_000_000_000_000) -> None:
        self.at_us = at_us

    def now_us(self) -> int:
        return self.at_us


@dataclass
class RunningHost:
    """A host on a socket, and tokens for it."""

    inside: Host
    clock: StillClock
    url: str
    http: aiohttp.ClientSession
    tokens: dict[tuple[str, Role], str] = field(default_factory=dict)

    async def token(self, team: str, role: Role = Role.ANALYST, **narrowed: Any) -> str:
        """Return a token of a team; made once for each team and role unless it is narrowed."""
        if narrowed:
            return await create_token(self.inside.database, self.clock, team, TokenOrder(role, "test", **narrowed))
        if (team, role) not in self.tokens:
            self.tokens[team, role] = await create_token(self.inside.database, self.clock, team, TokenOrder(role, "test"))
        return self.tokens[team, role]

    async def headers(self, team: str, role: Role = Role.ANALYST) -> dict[str, str]:
        return {"Authorization": f"Bearer {await self.token(team, role)}", "Accept": TAXII, "Content-Type": TAXII}

    async def get(self, path: str, team: str = "alcirt", role: Role = Role.ANALYST) -> tuple[int, Any, Any]:
        """GET a path below the API root, or an absolute one that begins with `//`; return status, JSON, headers."""
        path = path[1:] if path.startswith("//") else ROOT + path
        async with self.http.get(self.url + path, headers=await self.headers(team, role)) as response:
            return response.status, await response.json(content_type=None), response.headers

    async def post(
        self, objects: Sequence[dict[str, Any]] | bytes, team: str = "alcirt", collection: str = "regional-indicators"
    ) -> tuple[int, Any]:
        """POST objects, or a raw body; return status and JSON."""
        body = objects if isinstance(objects, bytes) else envelope(*objects)
        path = f"{ROOT}/collections/{collection}/objects/"
        async with self.http.post(self.url + path, data=body, headers=await self.headers(team)) as response:
            return response.status, await response.json(content_type=None)

    async def objects(self, team: str = "alcirt", collection: str = "regional-indicators", query: str = "") -> list[Any]:
        """Poll a whole collection, page by page, by `next`."""
        found: list[Any] = []
        following = ""
        while True:
            path = f"/collections/{collection}/objects/?{query}{following}"
            status, page, _ = await self.get(path, team)
            assert status == 200, page
            found += page.get("objects", [])
            if not page.get("more"):
                return found
            following = f"&next={page['next']}"

    async def caught_up(self) -> None:
        """Let correlation read the ledger to its end."""
        while await correlate(self.inside.database, self.inside.correlator._guards):
            pass

    def at(self, days: float = 0) -> str:
        """A timestamp so many days from the clock's present."""
        return write_timestamp(self.clock.at_us + int(days * 86_400_000_000))


@asynccontextmanager
async def run_host(settings: Settings, clock: StillClock) -> AsyncIterator[RunningHost]:
    """Open a host, listen on a free port of the loopback, and close everything behind the test."""
    try:
        async with open_host(settings, clock) as inside, listening(inside.app, "127.0.0.1", 0) as port:
            async with aiohttp.ClientSession() as http:
                yield RunningHost(inside, clock, f"http://127.0.0.1:{port}", http)
    finally:
        # aiohttp keeps handlers by their application, a thousand of them: here, that is a thousand hosts with all they remember.
        web_app._cached_build_middleware.cache_clear()
