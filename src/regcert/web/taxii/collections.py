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
from regcert.web.asking import caller_of, services_of
from regcert.web.taxii.discovery import get_root, root_of
from regcert.web.taxii.media import require_acceptable
from regcert.web.taxii.reply import reply


async def get_collections(request: web.Request) -> web.Response:
    """List the collections that exist for whoever asks."""
    require_acceptable(request)
    caller = await caller_of(request)
    principal, services = caller.principal, services_of(request)
    root = await get_root(request, caller)
    described = [_describe(principal, *one) for one in await services.database.run(find_collections(principal, root.slug))]
    if not described and services.profile_of(principal).empty_list:
        return await reply(request, b'{"collections":[]}')
    return await reply(request, resources.collections(described))


async def get_one(request: web.Request) -> web.Response:
    """Describe one collection."""
    require_acceptable(request)
    caller = await caller_of(request)
    name = request.match_info["collection"]
    found = await get_collection(services_of(request).database, caller, root_of(request), name)
    return await reply(request, orjson.dumps(_describe(caller.principal, *found)))


def _describe(principal: Principal, found: Collection, can_read: bool, can_write: bool) -> dict[str, object]:  # noqa: FBT001
    return resources.collection(
        found,
        can_read=can_read and may(principal, Permission.READ),
        can_write=can_write and may(principal, Permission.PUBLISH),
    )
