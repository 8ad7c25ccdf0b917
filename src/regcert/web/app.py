"""The web application: which addresses there are, and what surrounds every request."""

from aiohttp import web

from regcert.policy.routes import require_declared
from regcert.web import health
from regcert.web import log as tiles
from regcert.web.api import incidents, keys, log, proposals, sightings, tokens
from regcert.web.console import handlers as console
from regcert.web.middleware import answer
from regcert.web.room import Room
from regcert.web.services import SERVICES, Services
from regcert.web.taxii import routes as taxii
from regcert.web.taxii.objects import ROOM, ROOM_BYTES


def create_app(services: Services) -> web.Application:
    """Build the application around the parts of a host.

    Args:
        services: open and running; the application closes none of them.
    """
    # Bodies are counted by their handlers, to the byte; none leaves that to aiohttp.
    app = web.Application(middlewares=[answer])
    app[SERVICES] = services
    app[ROOM] = Room(ROOM_BYTES)
    app.on_shutdown.append(_stop_waiting)
    app.router.add_get("/healthz", health.get_health)
    app.router.add_get("/readyz", health.get_readiness)
    app.router.add_post("/api/v1/sightings", sightings.post_sightings)
    app.router.add_get("/api/v1/incidents", incidents.get_incidents)
    app.router.add_get("/api/v1/incidents/{incident}", incidents.get_one)
    app.router.add_get("/api/v1/tokens", tokens.get_tokens)
    app.router.add_post("/api/v1/tokens", tokens.post_token)
    app.router.add_delete("/api/v1/tokens/{token}", tokens.delete_token)
    app.router.add_post("/api/v1/teams/{team}/keys/challenge", keys.post_challenge)
    app.router.add_post("/api/v1/teams/{team}/keys", keys.post_keys)
    app.router.add_get("/api/v1/teams/{team}/keys", keys.get_keys)
    app.router.add_get("/api/v1/proposals", proposals.get_proposals)
    app.router.add_get("/api/v1/proposals/{proposal}", proposals.get_one)
    app.router.add_post("/api/v1/proposals/{proposal}/approve", proposals.post_approve)
    app.router.add_post("/api/v1/proposals/{proposal}/refuse", proposals.post_refuse)
    app.router.add_post("/api/v1/proposals/{proposal}/withdraw", proposals.post_withdraw)
    app.router.add_get("/api/v1/log", log.get_log)
    app.router.add_post("/api/v1/log/cosignatures", log.post_cosignature)
    app.router.add_get("/api/v1/objects/{object}/{version}/proof", log.get_proof)
    app.router.add_get("/api/v1/collections/{collection}/publications", log.get_publications)
    app.router.add_get("/api/v1/collections/{collection}/head", log.get_publication_head)
    tiles.add_routes(app.router)
    console.add_routes(app.router)
    taxii.add_routes(app.router)
    require_declared((route.method, resource.canonical) for resource in app.router.resources() for route in resource)
    return app


async def _stop_waiting(app: web.Application) -> None:
    """Answer who waits for news: the socket closes when the last request is answered."""
    app[SERVICES].database.stop_waiting()
