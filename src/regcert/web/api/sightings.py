"""`/api/v1/sightings`: what was seen, told and read."""

import asyncio
from collections.abc import Sequence

import orjson
from aiohttp import web

from regcert.domain.sighting import Sighting, property_of
from regcert.errors import Code, Refusal
from regcert.flows.list_sightings import MAX_LIMIT, page_sightings, read_hours, read_named
from regcert.flows.report_sighting import MOST_REPORTS, Verdicts, report_sightings
from regcert.policy.permissions import Permission, require
from regcert.stix.reader import read_value
from regcert.stix.timestamps import write_timestamp
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, read_body, services_of
from regcert.web.teams_turns import TeamsTurns

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_LINE_BYTES = 64 * 1024
USUAL_LIMIT = 50
_LINES = frozenset({"application/x-ndjson", "application/jsonl"})
# A body beyond this, or more lines, take longer to read than others should wait for the event loop.
_QUICK_BYTES = 32 * 1024
_LINES_AT_ONCE = 100

TURNS: web.AppKey[TeamsTurns] = web.AppKey("sightings_turns", TeamsTurns)


async def post_sightings(request: web.Request) -> web.Response:
    """Take one report, `{"sightings": [...]}`, or JSON Lines; every report gets its own verdict.

    A team has its turn before its body is read: so a flood from one team, with however many tokens, waits in its own sockets.
    """
    principal = await principal_of(request)
    require(principal, Permission.REPORT)
    is_lines = request.content_type in _LINES
    if not is_lines and request.content_type != "application/json":
        raise Refusal(
            Code.UNSUPPORTED_MEDIA_TYPE, "send the report as Content-Type: application/json, or many as application/x-ndjson"
        )
    is_quick = (request.content_length or MAX_BODY_BYTES) <= _QUICK_BYTES
    services = services_of(request)
    async with request.app[TURNS].take(principal.team.team_id, is_quick=is_quick):
        body = await read_body(request, MAX_BODY_BYTES)
        reports = await _read_lines(body) if is_lines else await _read_reports(body)
        verdicts = await report_sightings(services.database, services.clock, principal, reports)
    if verdicts.stored:
        services.wake()
    return _answer(verdicts, is_lines=is_lines)


async def get_sightings(request: web.Request) -> web.Response:
    """Answer a page of what the ledger says about one thing, the newest entry first."""
    principal = await principal_of(request)
    page = await page_sightings(
        services_of(request).database,
        principal,
        read_named(request.query),
        limit=read_limit(request.query.get("limit"), USUAL_LIMIT, MAX_LIMIT),
        cursor=request.query.get("next"),
    )
    return _json({"sightings": [_sighting_json(one) for one in page.sightings], "next": page.next})


async def get_hours(request: web.Request) -> web.Response:
    """Answer how often one thing was seen, by hour, country and kind."""
    principal = await principal_of(request)
    found = await read_hours(services_of(request).database, principal, read_named(request.query))
    hours = [
        {
            "hour": write_timestamp(one.begins_us),
            "country": one.country,
            "kind": one.kind.value,
            "reports": one.reports,
            "count": one.count,
        }
        for one in found.hours
    ]
    return _json({"hours": hours, "complete": found.is_whole})


async def _read_reports(body: bytes) -> Sequence[object]:
    data = read_value(body) if len(body) <= _QUICK_BYTES else await asyncio.to_thread(read_value, body)
    reports = data.get("sightings") if isinstance(data, dict) and "sightings" in data else [data]
    if not isinstance(reports, list):
        raise Refusal(Code.MALFORMED_REQUEST, "'sightings' must be a list of reports")
    return reports


async def _read_lines(body: bytes) -> Sequence[object]:
    """Read a JSON value a line; in the place of a line that is none stands the reason. The last line may end or not."""
    lines = body.removesuffix(b"\n").split(b"\n", MOST_REPORTS) if body else []
    if len(lines) > MOST_REPORTS:
        raise Refusal(Code.TOO_LARGE, f"a call takes at most {MOST_REPORTS} lines; split it")
    reports = []
    for number, line in enumerate(lines):
        if number % _LINES_AT_ONCE == _LINES_AT_ONCE - 1:
            await asyncio.sleep(0)
        reports.append(_read_line(line))
    return reports


def _read_line(line: bytes) -> object:
    if len(line) > MAX_LINE_BYTES:
        return Refusal(Code.TOO_LARGE, f"the line is longer than {MAX_LINE_BYTES} bytes")
    try:
        return read_value(line)
    except Refusal as refusal:
        return refusal


def _answer(verdicts: Verdicts, *, is_lines: bool) -> web.Response:
    """Say what became of each report: of a list its index from 0, of a file its line from 1, as editors count."""
    name, first = ("line", 1) if is_lines else ("index", 0)
    refused = [{name: index + first, "code": one.code, "message": one.message} for index, one in verdicts.refused]
    # A call of which nothing could be taken is a failed call: scripts look at the number first.
    status = 422 if refused and not verdicts.accepted else 200
    return _json({"accepted": verdicts.accepted, "refused": refused}, status)


def _sighting_json(one: Sighting) -> dict[str, object]:
    named = {} if one.subject is None else {property_of(one.subject): one.subject}
    return named | {
        "team": one.team,
        "country": one.country,
        "kind": one.kind.value,
        "count": one.count,
        "first_seen": write_timestamp(one.first_us),
        "last_seen": write_timestamp(one.last_us),
        "sector": one.sector,
        "marking": one.marking.label,
    }


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), headers={"Content-Type": "application/json"})
