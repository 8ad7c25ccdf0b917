"""The collections of an API root.

Spec: TAXII 2.1 §5.1, §5.2
"""

import orjson
from aiohttp import web

from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.flows.retrieve import get_collection
from regcert.policy.permissions import Permission, may
from regcert.store.visibility import find_collections
from regcert.taxii import resources
from regcert.web.asking import principal_of, services_of
from regcert.web.taxii.discovery import require_root
from regcert.web.taxii.media import require_acceptable, taxii_response


async def get_collections(request: web.Request) -> web.Response:
    """List the collections that exist for whoever asks."""
    require_acceptable(request)
    principal = await principal_of(request)
    root = require_root(request)
    async with services_of(request).database.read() as connection:
        found = await find_collections(connection, principal, root)
    return taxii_response(resources.collections([_describe(principal, *one) for one in found]))


async def get_one(request: web.Request) -> web.Response:
    """Describe one collection."""
    require_acceptable(request)
    principal = await principal_of(request)
    root = require_root(request)
    name = request.match_info["collection"]
    found = await get_collection(services_of(request).database, principal, root, name)
    return taxii_response(orjson.dumps(_describe(principal, *found)))


def _describe(principal: Principal, found: Collection, can_read: bool, can_write: bool) -> dict[str, object]:  # noqa: FBT001
    return resources.collection(
        found,
        can_read=can_read and may(principal, Permission.READ),
        can_write=can_write and may(principal, Permission.PUBLISH),
    )
