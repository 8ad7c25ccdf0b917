"""`GET /api/v1/incidents`: what crosses borders, for whoever asks."""

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.exports.incident_json import incident_json
from regcert.flows.list_incidents import MAX_LIMIT, page_incidents
from regcert.flows.view_incident import view_incident
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, services_of

USUAL_LIMIT = 50


async def get_incidents(request: web.Request) -> web.Response:
    """Answer a page of incidents: those that are pinned first, then the highest score; on demand those that were dismissed."""
    principal = await principal_of(request)
    services = services_of(request)
    page = await page_incidents(
        services.database,
        services.clock,
        principal,
        limit=read_limit(request.query.get("limit"), USUAL_LIMIT, MAX_LIMIT),
        cursor=request.query.get("next"),
        dismissed=_read_dismissed(request.query.get("dismissed", "false")),
    )
    listed = [incident_json(ranked.incident, ranked.score) for ranked in page.incidents]
    return _json({"incidents": listed, "next": page.next})


async def get_one(request: web.Request) -> web.Response:
    """Answer one incident."""
    principal = await principal_of(request)
    services = services_of(request)
    one = await view_incident(services.database, services.clock, principal, request.match_info["incident"])
    return _json(incident_json(one.ranked.incident, one.ranked.score, one.evidence, one.facts, one.signers))


def _read_dismissed(text: str) -> bool:
    if text not in {"true", "false"}:
        raise Refusal(Code.MALFORMED_REQUEST, "'dismissed' is true or false")
    return text == "true"


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
