"""`GET /api/v1/incidents`: what crosses borders, for whoever asks."""

import orjson
from aiohttp import web

from regcert.exports.incident_json import incident_json
from regcert.flows.list_incidents import MAX_LIMIT, get_incident, page_incidents
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, services_of

USUAL_LIMIT = 50


async def get_incidents(request: web.Request) -> web.Response:
    """Answer a page of incidents, the highest score first."""
    principal = await principal_of(request)
    services = services_of(request)
    page = await page_incidents(
        services.database,
        services.clock,
        principal,
        limit=read_limit(request.query.get("limit"), USUAL_LIMIT, MAX_LIMIT),
        cursor=request.query.get("next"),
    )
    listed = [incident_json(ranked.incident, ranked.score) for ranked in page.incidents]
    return _json({"incidents": listed, "next": page.next})


async def get_one(request: web.Request) -> web.Response:
    """Answer one incident."""
    principal = await principal_of(request)
    services = services_of(request)
    ranked, evidence = await get_incident(services.database, services.clock, principal, request.match_info["incident"])
    return _json(incident_json(ranked.incident, ranked.score, evidence))


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
