"""`POST /api/v1/sightings`: what was seen."""

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows.report_sighting import report_sightings
from regcert.stix.reader import read_value
from regcert.web.asking import principal_of, read_body, services_of

MAX_BODY_BYTES = 8 * 1024 * 1024


async def post_sightings(request: web.Request) -> web.Response:
    """Take one report, or `{"sightings": [...]}`; every report gets its own verdict."""
    principal = await principal_of(request)
    if request.content_type != "application/json":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the report as Content-Type: application/json")
    data = read_value(await read_body(request, MAX_BODY_BYTES))
    reports = data.get("sightings") if isinstance(data, dict) and "sightings" in data else [data]
    if not isinstance(reports, list):
        raise Refusal(Code.MALFORMED_REQUEST, "'sightings' must be a list of reports")
    services = services_of(request)
    verdicts = await report_sightings(services.database, services.clock, principal, services.api_root, reports)
    if verdicts.stored:
        services.wake()
    refused = [{"index": index, "code": one.code, "message": one.message} for index, one in verdicts.refused]
    body = orjson.dumps({"accepted": verdicts.accepted, "refused": refused})
    # A call of which nothing could be taken is a failed call: scripts look at the number first.
    status = 422 if refused and not verdicts.accepted else 200
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json"})
