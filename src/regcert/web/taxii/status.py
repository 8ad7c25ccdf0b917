"""The status of a POST, for the token that made it.

Spec: TAXII 2.1 §4.3
"""

from aiohttp import web

from regcert.store.submissions import get_status
from regcert.web.asking import principal_of, services_of
from regcert.web.taxii.discovery import require_root
from regcert.web.taxii.media import require_acceptable, taxii_response


async def get_one(request: web.Request) -> web.Response:
    """Answer what became of a submission."""
    require_acceptable(request)
    principal = await principal_of(request)
    root = require_root(request)
    async with services_of(request).database.read() as connection:
        return taxii_response(await get_status(connection, principal, root, request.match_info["status"]))
