"""The web application: which addresses there are, and what surrounds every request."""

from aiohttp import web

from regcert.web import health
from regcert.web.api import incidents, sightings
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
    console.add_routes(app.router)
    taxii.add_routes(app.router)
    return app


async def _stop_waiting(app: web.Application) -> None:
    """Answer who waits for news: the socket closes when the last request is answered."""
    app[SERVICES].database.stop_waiting()
