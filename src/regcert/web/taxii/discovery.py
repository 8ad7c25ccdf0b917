"""Discovery and the API root.

Spec: TAXII 2.1 §4.1, §4.2
"""

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.taxii import resources
from regcert.web.asking import principal_of, services_of
from regcert.web.taxii.media import require_acceptable, taxii_response


async def get_discovery(request: web.Request) -> web.Response:
    """Say where the API roots are; as paths, because what name a client reached us under is its business."""
    require_acceptable(request)
    await principal_of(request)
    services = services_of(request)
    root = f"/{services.api_root}/"
    return taxii_response(resources.discovery(f"RegCERT {services.region_name}", "Incident sharing of a region's CERTs", [root]))


async def get_api_root(request: web.Request) -> web.Response:
    """Describe the region's API root."""
    require_acceptable(request)
    await principal_of(request)
    require_root(request)
    services = services_of(request)
    title = f"{services.region_name}: indicators and sightings"
    return taxii_response(resources.api_root(title, "What the region's teams share", services.max_content_bytes))


def require_root(request: web.Request) -> str:
    """Return the API root of a request.

    Raises:
        Refusal: NOT_FOUND where this host has no such root.
    """
    root = request.match_info["root"]
    if root != services_of(request).api_root:
        raise Refusal(Code.NOT_FOUND, "there is no such API root")
    return root
