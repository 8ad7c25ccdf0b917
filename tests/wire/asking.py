"""Asking a running host exactly as a test says, to the byte of the request line, and what it answered."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from regcert.domain.principal import Role
from tests.hosting import ROOT, RunningHost

INDICATORS = f"{ROOT}/collections/regional-indicators"
OBJECTS = f"{INDICATORS}/objects/"
REPORTS = "/api/v1/sightings"
INCIDENTS = "/api/v1/incidents"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host answered."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The refusal's code, in whichever of its two forms."""
        return str(self.json.get("error_code") or self.json["code"])


async def ask(
    host: RunningHost,
    method: str,
    path: str,
    *,
    team: str = "alcirt",
    role: Role = Role.ANALYST,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> Reply:
    """Send one request; the path goes out as it stands, and a header given as "" is not sent."""
    sent = CIMultiDict(await host.headers(team, role))
    sent.update(headers or {})
    for name in [name for name, value in sent.items() if value == ""]:
        sent.popall(name, None)
    skipped = ["Accept", "Content-Type", "User-Agent"]
    url = URL(host.url + path, encoded=True)
    async with host.http.request(
        method, url, headers=sent, data=body, allow_redirects=False, skip_auto_headers=skipped
    ) as response:
        return Reply(response.status, response.headers, await response.read())


async def ask_raw(host: RunningHost, request: bytes) -> bytes:
    """Send bytes on a connection of their own and read until the host closes it."""
    address = urlsplit(host.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
