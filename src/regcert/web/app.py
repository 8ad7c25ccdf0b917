"""The web application: which addresses there are, and what surrounds every request."""

from aiohttp import web

from regcert.policy.routes import require_declared
from regcert.web import health
from regcert.web import log as tiles
from regcert.web.api import routes as api
from regcert.web.api import sightings
from regcert.web.console import handlers as console
from regcert.web.middleware import answer
from regcert.web.room import Room
from regcert.web.services import SERVICES, Services
from regcert.web.taxii import routes as taxii
from regcert.web.taxii.objects import ROOM, ROOM_BYTES
from regcert.web.teams_turns import TeamsTurns


def create_app(services: Services) -> web.Application:
    """Build the application around the parts of a host.

    Args:
        services: open and running; the application closes none of them.
    """
    # Bodies are counted by their handlers, to the byte; none leaves that to aiohttp.
    app = web.Application(middlewares=[answer])
    app[SERVICES] = services
    app[ROOM] = Room(ROOM_BYTES)
    app[sightings.TURNS] = TeamsTurns()
    app.on_shutdown.append(_stop_waiting)
    app.router.add_get("/healthz", health.get_health)
    app.router.add_get("/readyz", health.get_readiness)
    api.add_routes(app.router)
    tiles.add_routes(app.router)
    console.add_routes(app.router)
    taxii.add_routes(app.router)
    require_declared((route.method, resource.canonical) for resource in app.router.resources() for route in resource)
    return app


async def _stop_waiting(app: web.Application) -> None:
    """Answer who waits for news: the socket closes when the last request is answered."""
    app[SERVICES].database.stop_waiting()
