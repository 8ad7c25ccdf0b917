"""Finding the way into a server: from any of its addresses to discovery, an API root and a collection."""

from typing import Any
from urllib.parse import urlsplit

from regcert.conformance.asking import TAXII, Asking, Terms
from regcert.conformance.place import Place, path_of
from regcert.conformance.reply import Reply
from regcert.conformance.verdict import Broken, inert
from regcert.conformance.wire import Wire
from regcert.errors import Code, Refusal


async def find_place(wire: Wire, address: str, terms: Terms, collection: str | None) -> Place:
    """Find discovery, an API root and a collection.

    Args:
        wire: to the server.
        address: of discovery, of an API root, or the server's own.
        terms: as whom we ask.
        collection: id, alias or title of the collection to use; None for the first that can be read and written.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, REFUSED_BY_SERVER, NOT_FOUND: the suite cannot even begin.
    """
    asking = Asking(wire, Place(None, "/"), terms)
    path = urlsplit(address).path.rstrip("/") + "/"
    described: dict[str, Any] = {}
    statuses: list[int] = []
    found: dict[str, dict[str, Any]] = {}
    for candidate in dict.fromkeys((path, f"{path}taxii2/", "/taxii2/")):
        reply = await _ask(asking, wire, candidate)
        statuses.append(reply.status)
        described = _document(reply)
        if described:
            found[candidate] = described
        if _is_discovery(described):
            break
    discovery = next((one for one in found if _is_discovery(found[one])), None)
    given_root = path if path in found and not _is_discovery(found[path]) and "versions" in found[path] else None
    if discovery is None and given_root is None:
        raise _refusal(statuses)
    roots = tuple(dict.fromkeys(_roots(found[discovery], discovery))) if discovery else ()
    root = given_root or _default(found[discovery or ""], discovery or "", roots)
    if root is None:
        raise Refusal(Code.REFUSED_BY_SERVER, "the server's discovery names no API root; give the address of one")
    listed = await _collections(asking, wire, root)
    place = Place(discovery, root, collections=tuple(listed), roots=roots or (root,))
    return Place(discovery, root, _choose(listed, collection), place.collections, place.roots)


async def _ask(asking: Asking, wire: Wire, path: str) -> Reply:
    headers = [("Accept", TAXII), ("User-Agent", "regcert-conformance")]
    if asking.terms.authorization is not None:
        headers.append(("Authorization", asking.terms.authorization))
    answered = await wire.ask("GET", path, headers)
    if answered.trouble:
        raise Refusal(Code.UNREACHABLE, f"the server does not answer: {answered.trouble}; check the address and the network")
    return Reply(f"GET {path}", answered.status, [(name.lower(), value) for name, value in answered.headers], answered.body)


def _document(reply: Reply) -> dict[str, Any]:
    try:
        return reply.document if reply.status == 200 else {}
    except Broken:
        return {}


def _is_discovery(described: dict[str, Any]) -> bool:
    return ("api_roots" in described or "default" in described) and "versions" not in described


def _refusal(statuses: list[int]) -> Refusal:
    if 401 in statuses:
        return Refusal(Code.UNAUTHENTICATED, "the server does not know these credentials; give --token, or --user and --password")
    shown = ", ".join(str(status) for status in statuses)
    return Refusal(
        Code.REFUSED_BY_SERVER, f"no TAXII 2.1 was found at this address (answers: {shown}); name discovery or an API root"
    )


def _roots(described: dict[str, Any], discovery: str) -> list[str]:
    listed = described.get("api_roots")
    return [path_of(one, discovery) for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def _default(described: dict[str, Any], discovery: str, roots: tuple[str, ...]) -> str | None:
    default = described.get("default")
    path = path_of(default, discovery) if isinstance(default, str) else None
    if path in roots or not roots:
        return path
    return roots[0]


async def _collections(asking: Asking, wire: Wire, root: str) -> list[dict[str, Any]]:
    listed = _document(await _ask(asking, wire, f"{root}collections/")).get("collections")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _choose(listed: list[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    if wanted is not None:
        for one in listed:
            if wanted in {one.get("id"), one.get("alias"), one.get("title")}:
                return one
        raise Refusal(Code.NOT_FOUND, f"the API root lists no collection called {inert(wanted, 60)} for these credentials")
    usable = sorted(listed, key=lambda one: (one.get("can_read") is not True, one.get("can_write") is not True))
    return usable[0] if usable else {}
