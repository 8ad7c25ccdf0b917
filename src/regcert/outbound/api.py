"""Another host's API, asked as a client: sightings to it, incidents from it."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from regcert.outbound.answers import inert, refusal_of, require_server, require_token, unreachable, unreadable

MOST_REPORTS = 1000
MOST_LINES = 10_000
_MOST_CALL_BYTES = 7 * 1024 * 1024
MOST_PAGES = 1000
_MOST_ANSWER_BYTES = 64 * 1024 * 1024
MOST_LIST_PAGES = 100
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)


@dataclass(frozen=True, slots=True)
class RefusedReport:
    """One report that the host did not take.

    Args:
        index: its place among those that were sent, from 0.
        code: the host's word for the reason.
        message: its sentence.
    """

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SightingsAnswer:
    """What became of reports: how many were taken, and why the others were not."""

    accepted: int
    refused: tuple[RefusedReport, ...]


async def report_sightings(server: str, token: str, reports: Sequence[Mapping[str, object]]) -> SightingsAnswer:
    """Report sightings, a thousand in a request.

    A request that got no answer may be repeated: the host knows a report by its `report_id`.

    Args:
        server: the host's address.
        token: of somebody who may report.
        reports: as the API takes them; each with its own `report_id`.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER.
    """
    accepted = 0
    refused: list[RefusedReport] = []
    async with _session(server, token) as session:
        for start in range(0, len(reports), MOST_REPORTS):
            some = reports[start : start + MOST_REPORTS]
            answer = await _ask(session, "POST", "/api/v1/sightings", json={"sightings": some})
            accepted += _count(answer.get("accepted"), len(some))
            refused += (_read_refused(one, start) for one in _list(answer.get("refused"))[: len(some)])
    return SightingsAnswer(accepted, tuple(refused))


async def report_lines(server: str, token: str, lines: Iterable[bytes]) -> SightingsAnswer:
    """Report sightings that stand as JSON Lines, ten thousand in a request; where one fails, what was sent before is there.

    Args:
        server: the host's address.
        token: of somebody who may report.
        lines: each a report, without its end; each with its own `report_id`, or sending it again counts again.

    Returns:
        What became of them; the index of a refused one is its line, from 0.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER.
    """
    accepted, start = 0, 0
    refused: list[RefusedReport] = []
    async with _session(server, token) as session:
        for some in _calls(lines):
            headers = {"Content-Type": "application/x-ndjson"}
            answer = await _ask(session, "POST", "/api/v1/sightings", data=b"\n".join(some), headers=headers)
            accepted += _count(answer.get("accepted"), len(some))
            refused += (_read_refused(one, start, "line") for one in _list(answer.get("refused"))[: len(some)])
            start += len(some)
    return SightingsAnswer(accepted, tuple(refused))


def _calls(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for line in lines:
        if some and (len(some) == MOST_LINES or size + len(line) >= _MOST_CALL_BYTES):
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line) + 1
    if some:
        yield some


async def fetch_incidents(server: str, token: str) -> list[dict[str, Any]]:
    """Fetch all incidents that the token may see, the highest score first.

    Returns:
        Each as the API gives it; nothing in it has been checked.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER.
    """
    async with _session(server, token) as session:
        incidents, is_whole = await _read_list(session, "/api/v1/incidents", "incidents", limit=200, most_pages=MOST_PAGES)
    if not is_whole:
        raise unreadable()
    return incidents


async def fetch_alerts(server: str, token: str, after: int, *, only_unseen: bool, wait_s: int) -> dict[str, Any]:
    """Fetch what the token's team was told behind a number, the first first.

    Args:
        server: the host's address.
        token: of somebody of the team.
        after: what the last page gave as `next`, or 0 to begin.
        only_unseen: leave out what was seen.
        wait_s: for how long the host may wait for something to tell, 0 to 30.

    Returns:
        A page as the API gives it; nothing in it has been checked.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER.
    """
    query = {"after": str(after), "limit": "200"} | ({"unseen": "1"} if only_unseen else {})
    headers = {"Prefer": f"wait={wait_s}"} if wait_s else {}
    async with _session(server, token) as session:
        return await _ask(session, "GET", "/api/v1/alerts", params=query, headers=headers)


async def ask_api(
    server: str, token: str, method: str, path: str, *, body: Mapping[str, object] | None = None, **query: str
) -> dict[str, Any]:
    """Send one request to another host's API.

    Args:
        server: the host's address.
        token: of somebody who may ask that.
        method: of HTTP.
        path: below the address, beginning with `/`.
        body: sent as JSON, or None.
        query: parameters of the address.

    Returns:
        The JSON object that it was answered with; nothing in it has been checked.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, NOT_FOUND, BUSY, REFUSED_BY_SERVER.
    """
    async with _session(server, token) as session:
        return await _ask(session, method, path, json=body, params=query)


async def ask_pages(server: str, token: str, path: str, name: str) -> list[dict[str, Any]]:
    """Read a list of another host's API to its end, or to its hundredth page: a host must not keep us for ever.

    Args:
        server: the host's address.
        token: of somebody who may ask that.
        path: of the list, below the address.
        name: of the property that holds the entries of a page.

    Returns:
        The entries that are JSON objects; nothing in them has been checked.

    Raises:
        Refusal: as `ask_api`.
    """
    async with _session(server, token) as session:
        found, _ = await _read_list(session, path, name, limit=100, most_pages=MOST_LIST_PAGES)
    return found


@asynccontextmanager
async def _session(server: str, token: str) -> AsyncIterator[aiohttp.ClientSession]:
    address = require_server(server)
    headers = {"Authorization": f"Bearer {require_token(token)}", "Accept": "application/json"}
    async with aiohttp.ClientSession(address + "/", headers=headers, timeout=_TIMEOUT) as session:
        try:
            yield session
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(address) from error


async def _read_list(
    session: aiohttp.ClientSession, path: str, name: str, *, limit: int, most_pages: int
) -> tuple[list[dict[str, Any]], bool]:
    """Read a list page by page; return its entries that are objects, and whether it came to an end."""
    found: list[dict[str, Any]] = []
    query = {"limit": str(limit)}
    for _ in range(most_pages):  # a host that never comes to an end must not keep us for ever
        answer = await _ask(session, "GET", path, params=query)
        found += (one for one in _list(answer.get(name)) if isinstance(one, dict))
        if not answer.get("next"):
            return found, True
        query["next"] = str(answer["next"])
    return found, False


async def _ask(session: aiohttp.ClientSession, method: str, path: str, **request: Any) -> dict[str, Any]:
    """Send one request and return the JSON object that it is answered with."""
    async with session.request(method, path.removeprefix("/"), allow_redirects=False, **request) as response:
        body = b""
        async for part in response.content.iter_chunked(1 << 16):
            body += part
            if len(body) > _MOST_ANSWER_BYTES:
                raise unreadable()
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise (unreadable() if response.ok else refusal_of(response.status, body)) from error
    # A call of which nothing could be taken is answered 422 with every reason, which is worth more than the number.
    if isinstance(answer, dict) and (response.status in {200, 201, 202} or (response.status == 422 and "refused" in answer)):
        return answer
    raise unreadable() if response.status < 300 else refusal_of(response.status, body)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: object, most: int) -> int:
    return min(max(value, 0), most) if isinstance(value, int) else 0


def _read_refused(one: object, start: int, name: str = "index") -> RefusedReport:
    """Read a verdict on a report of a list, which is counted from 0, or on a line, which is counted from 1."""
    said = one if isinstance(one, Mapping) else {}
    place = _count(said.get(name), MOST_LINES) - (name == "line")
    return RefusedReport(start + max(place, 0), inert(said.get("code")), inert(said.get("message")))
