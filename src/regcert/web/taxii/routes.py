"""The addresses of TAXII; each answers with and without its trailing slash, because real clients leave it out."""

from aiohttp import web

from regcert.web.taxii import collections, discovery, objects, status

_ROOT = "/{root:[a-z0-9][a-z0-9-]*}"
_COLLECTION = _ROOT + "/collections/{collection:[^/]+}"
_OBJECT = _COLLECTION + "/objects/{object:[^/]+}"


def add_routes(router: web.UrlDispatcher) -> None:
    """Enter every address of the standard.

    Spec: TAXII 2.1 §4 and §5, the endpoint tables
    """
    # In the order in which they are asked for: each address is compared with one after the other.
    readable = {
        f"{_COLLECTION}/objects": objects.get_objects,
        f"{_COLLECTION}/manifest": objects.get_manifest,
        _OBJECT: objects.get_objects,
        f"{_ROOT}/status/{{status:[^/]+}}": status.get_one,
        f"{_OBJECT}/versions": objects.get_versions,
        _COLLECTION: collections.get_one,
        f"{_ROOT}/collections": collections.get_collections,
        "/taxii2": discovery.get_discovery,
        _ROOT: discovery.get_api_root,
    }
    for path, handler in readable.items():
        for end in ("/", ""):
            resource = router.add_resource(path + end)
            resource.add_route("GET", handler)
            resource.add_route("HEAD", handler)
            if handler is objects.get_objects:
                change = ("DELETE", objects.delete_object) if path == _OBJECT else ("POST", objects.post_objects)
                resource.add_route(*change)
