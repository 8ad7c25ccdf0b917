"""`/healthz`: the process answers. `/readyz`: so does its database."""

from aiohttp import web

from regcert.store.teams import read_facts
from regcert.web.asking import services_of


async def get_health(_request: web.Request) -> web.Response:
    """Answer as long as the event loop turns."""
    return web.Response(text="ok\n")


async def get_readiness(request: web.Request) -> web.Response:
    """Answer once the database does."""
    async with services_of(request).database.read() as connection:
        await read_facts(connection)
    return web.Response(text="ready\n")
