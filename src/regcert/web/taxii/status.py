"""The status of a POST, for the token that made it.

Spec: TAXII 2.1 §4.3
"""

from aiohttp import web

from regcert.store.submissions import get_status
from regcert.web.asking import principal_of, services_of
from regcert.web.taxii.discovery import root_of
from regcert.web.taxii.media import require_acceptable, taxii_response


async def get_one(request: web.Request) -> web.Response:
    """Answer what became of a submission."""
    require_acceptable(request)
    principal = await principal_of(request)
    root = root_of(request)
    status = await services_of(request).database.run(get_status(principal, root, request.match_info["status"]))
    return taxii_response(status)
