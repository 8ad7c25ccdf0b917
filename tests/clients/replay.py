"""Saying to a host what a client says: its addresses letter for letter, its headers and no others."""

import base64
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from multidict import CIMultiDict
from yarl import URL

from regcert.domain.collection import SignatureRule
from regcert.domain.region import CollectionEntry
from regcert.flows.add_collection import add_collection
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp
from tests.hosting import ROOT, RunningHost
from tests.made import indicator
from tests.wire.asking import Reply

FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"
ADDRESS = {"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}
DOMAIN = {"type": "domain-name", "id": "domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5", "value": "example.com"}

Header = tuple[str, str]


async def say(host: RunningHost, method: str, target: str, headers: Iterable[Header], body: bytes | None = None) -> Reply:
    """Send one request with exactly these headers beside Host and the length, and follow nobody who redirects."""
    skipped = ["Accept", "Accept-Encoding", "Content-Type", "User-Agent"]
    url = URL(host.url + target, encoded=True)
    sent = CIMultiDict(headers)
    async with host.http.request(
        method, url, headers=sent, data=body, allow_redirects=False, skip_auto_headers=skipped
    ) as response:
        return Reply(response.status, response.headers, await response.read())


def basic(user: str, token: str, scheme: str = "Basic") -> Header:
    """Write a token as the password of Basic."""
    return "Authorization", f"{scheme} {base64.b64encode(f'{user}:{token}'.encode()).decode()}"


def bearer(token: str, scheme: str = "Bearer") -> Header:
    """Write a token as such."""
    return "Authorization", f"{scheme} {token}"


async def open_collection(host: RunningHost, title: str = "", root: str | None = None) -> str:
    """Open a collection that every team reads and writes; return its id."""
    slug, identifier = f"c-{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
    ends = (Tlp.RED, SignatureRule.ACCEPTED, "all", "all")
    entry = CollectionEntry(slug, identifier, title or slug, "For a test.", *ends, api_root=root)  # type: ignore[arg-type]
    return (await add_collection(host.inside.database, host.clock, entry)).uuid


async def fill(host: RunningHost, collection: str, count: int, **properties: Any) -> list[dict[str, Any]]:
    """Post so many indicators; return them in the order in which they became visible."""
    sent = [indicator(f"[domain-name:value = 'n{number}.example']", **properties) for number in range(count)]
    for start in range(0, count, 1000):
        status, told = await host.post(sent[start : start + 1000], collection=collection)
        assert (status, told["failure_count"]) == (202, 0), told
    return sent


async def add(host: RunningHost, collection: str, *objects: dict[str, Any], team: str = "alcirt") -> None:
    """Post objects that must all be taken."""
    status, told = await host.post(objects, team, collection)
    assert (status, told["failure_count"]) == (202, 0), told


async def dates(host: RunningHost, collection: str, query: str = "") -> list[str]:
    """Return the date_added of each object of a collection, by its manifest."""
    found: list[str] = []
    following = ""
    while True:
        _, page, _ = await host.get(f"/collections/{collection}/manifest/?limit=5000{query}{following}")
        found += [entry["date_added"] for entry in page.get("objects", [])]
        if not page.get("more"):
            return found
        following = f"&next={page['next']}"


def ids(objects: Iterable[dict[str, Any]]) -> list[str]:
    """Name objects by their ids."""
    return [one["id"] for one in objects]


def objects_at(collection: str) -> str:
    """Return the address of a collection's objects."""
    return f"{ROOT}/collections/{collection}/objects/"


def in_javascript(text: str) -> str:
    """Carry a time through JavaScript's Date, which keeps milliseconds and throws the rest away."""
    at_ms = read_timestamp(text) // 1000
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def in_seconds(at_us: int) -> str:
    """Write a time as Go and Elastic's agent do: RFC 3339 without a fraction."""
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def bundle(*objects: dict[str, Any]) -> dict[str, Any]:
    """Wrap objects as STIX does in files."""
    return {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": list(objects)}
