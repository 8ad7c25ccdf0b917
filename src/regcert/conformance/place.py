"""Where things are on the server under test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Place:
    """What was found before the first check.

    Args:
        discovery: the path of discovery, or None where the server has none that we found.
        root: the path of the API root, ending in a slash.
        collection: the collection that is read and written, as the server describes it; empty where there is none.
        collections: all that were listed.
        roots: the paths of all API roots.
    """

    discovery: str | None
    root: str
    collection: Mapping[str, Any] = field(default_factory=dict)
    collections: tuple[Mapping[str, Any], ...] = ()
    roots: tuple[str, ...] = ()

    def of(self, collection: Mapping[str, Any] | str) -> str:
        """Return the path of a collection, with a slash behind it."""
        name = collection if isinstance(collection, str) else str(collection.get("id"))
        return f"{self.root}collections/{quote(name, safe='')}/"


def path_of(address: object, discovery: str) -> str:
    """Return the path of an address that discovery gave, absolute or relative, with one slash behind it.

    Only the path: whatever host an answer names, the suite stays on the one that a person named.
    """
    text = address if isinstance(address, str) else ""
    try:
        path = urlsplit(text).path
    except ValueError:
        path = ""
    if not path.startswith("/"):
        path = discovery.rsplit("/", 2)[0] + "/" + path
    return "/" + path.strip("/") + "/" if path.strip("/") else "/"
