"""`GET /api/v1/incidents`: what crosses borders, for whoever asks."""

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.exports.incident_json import incident_json
from regcert.flows.list_incidents import MAX_LIMIT, get_incident, page_incidents
from regcert.web.asking import principal_of, services_of


async def get_incidents(request: web.Request) -> web.Response:
    """Answer a page of incidents, the highest score first."""
    principal = await principal_of(request)
    services = services_of(request)
    page = await page_incidents(
        services.database, services.clock, principal, limit=read_limit(request), cursor=request.query.get("next")
    )
    listed = [incident_json(ranked.incident, ranked.score) for ranked in page.incidents]
    return _json({"incidents": listed, "next": page.next})


async def get_one(request: web.Request) -> web.Response:
    """Answer one incident."""
    principal = await principal_of(request)
    services = services_of(request)
    ranked, _ = await get_incident(services.database, services.clock, principal, request.match_info["incident"])
    return _json(incident_json(ranked.incident, ranked.score))


def read_limit(request: web.Request) -> int:
    """Read the page size, 1 to 200; 50 where none is asked for.

    Raises:
        Refusal: MALFORMED_REQUEST.
    """
    text = request.query.get("limit", "50")
    if not (text.isascii() and text.isdigit() and text.lstrip("0")):
        raise Refusal(Code.MALFORMED_REQUEST, "'limit' must be a whole number from 1")
    return MAX_LIMIT if len(text.lstrip("0")) > 9 else min(int(text), MAX_LIMIT)


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
