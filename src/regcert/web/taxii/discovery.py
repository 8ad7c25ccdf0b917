"""Discovery and the API roots.

A root carries no secret: whoever has a token sees every one, and in each of them only what exists for their team.

Spec: TAXII 2.1 §4.1, §4.2
"""

from collections.abc import Mapping

from aiohttp import web

from regcert.domain.collection import ApiRoot
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import Caller
from regcert.store.collections import list_api_roots
from regcert.taxii import resources
from regcert.web.asking import caller_of, services_of
from regcert.web.taxii.media import require_acceptable
from regcert.web.taxii.reply import reply


async def get_discovery(request: web.Request) -> web.Response:
    """Say where the API roots are; as paths, because what name a client reached us under is its business."""
    require_acceptable(request)
    roots = [f"/{slug}/" for slug in await _list_roots(request, await caller_of(request))]
    title = f"RegCERT {services_of(request).region_name}"
    return await reply(request, resources.discovery(title, "Incident sharing of a region's CERTs", roots))


async def get_api_root(request: web.Request) -> web.Response:
    """Describe an API root."""
    require_acceptable(request)
    root = await get_root(request, await caller_of(request))
    most_bytes = services_of(request).max_content_bytes
    return await reply(request, resources.api_root(root.title, root.description, most_bytes))


async def get_root(request: web.Request, caller: Caller) -> ApiRoot:
    """Get the API root that a request names.

    Raises:
        Refusal: NOT_FOUND where this host has no such root.
    """
    root = (await _list_roots(request, caller)).get(root_of(request))
    if root is None:
        raise Refusal(Code.NOT_FOUND, "there is no such API root")
    return root


async def _list_roots(request: web.Request, caller: Caller) -> Mapping[str, ApiRoot]:
    """List the API roots by their slugs, the default first, to somebody who is known."""
    database, rights = services_of(request).database, caller.heads.rights
    roots: Mapping[str, ApiRoot] | None = database.memory.find("roots", rights)
    if roots is None:
        async with database.read() as connection:
            roots = {root.slug: root for root in await list_api_roots(connection)}
        database.memory.keep("roots", rights, roots)
    return roots


def root_of(request: web.Request) -> str:
    """Return the slug of the API root that a request names.

    Whether it is there is not asked here: a collection or a status is looked for in its root, and in one that is not there
    is none.
    """
    return request.match_info["root"]
