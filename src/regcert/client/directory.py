"""What a server has: its discovery, its API roots, its collections, and which of them a name means."""

from urllib.parse import urljoin

from yarl import URL

from regcert.client.reading import read_api_root, read_collections, read_discovery
from regcert.client.resources import ApiRoot, Collection, Discovery
from regcert.client.wire import Ask, Wire, on_origin
from regcert.errors import Code, Refusal
from regcert.outbound.answers import inert, unreadable


class Directory:
    """The way from a name to an address on one server; what it learnt it keeps, except when asked outright.

    Args:
        wire: to the server.
        address: of its discovery.
    """

    def __init__(self, wire: Wire, address: URL) -> None:
        self._wire = wire
        self._address = address
        self._roots: tuple[str, ...] = ()
        self._described: dict[str, ApiRoot] = {}
        self._found: dict[str, Collection] = {}

    async def discovery(self) -> Discovery:
        """Ask what the server offers."""
        reply = await self._wire.ask(Ask("GET", str(self._address)))
        return read_discovery(reply.body, str(self._address))

    async def roots(self) -> tuple[str, ...]:
        """Return the addresses of the API roots on this origin, the default first.

        Raises:
            Refusal: REFUSED_BY_SERVER where there is none: our credentials do not go elsewhere.
        """
        if not self._roots:
            found = await self.discovery()
            proposed = (*((found.default,) if found.default in found.api_roots else ()), *found.api_roots)
            own = (root for root in proposed if root is not None and on_origin(root, self._address))
            self._roots = tuple(dict.fromkeys(own))
        if not self._roots:
            raise unreadable()
        return self._roots

    async def api_root(self, address: str | None) -> ApiRoot:
        """Ask about one API root, or about the default one."""
        root = (await self.roots())[0] if address is None else _absolute(str(self._address), address)
        reply = await self._wire.ask(Ask("GET", root))
        self._described[root] = read_api_root(reply.body, root)
        return self._described[root]

    async def most_bytes(self, root: str, otherwise: int) -> int:
        """Return how many bytes an API root takes in one request, or another number where it does not say."""
        described = self._described.get(root) or await self.api_root(root)
        return described.max_content_length or otherwise

    async def collections(self, root: str | None) -> tuple[Collection, ...]:
        """Ask for the collections of one API root, or of the default one."""
        address = (await self.roots())[0] if root is None else _absolute(str(self._address), root)
        reply = await self._wire.ask(Ask("GET", f"{address}collections/"))
        return read_collections(reply.body, address)

    async def collection(self, name: str) -> Collection:
        """Find what a name means: an id or alias in any API root of this origin, else a title.

        Raises:
            Refusal: NOT_FOUND.
        """
        if name not in self._found:
            self._found[name] = await self._search(name)
        return self._found[name]

    async def _search(self, name: str) -> Collection:
        titled: Collection | None = None
        dead: Refusal | None = None
        for root in await self.roots():
            try:
                offered = await self.collections(root)
            except Refusal as refusal:
                if refusal.code not in {Code.NOT_FOUND, Code.REFUSED_BY_SERVER}:
                    raise
                dead = refusal  # one dead root among several must not hide the others
                continue
            for one in offered:
                if name in {one.alias, one.id}:
                    return one
                titled = titled or (one if one.title == name else None)
        if titled is None:
            raise dead or Refusal(Code.NOT_FOUND, f"the server has no collection called {inert(name)} for these credentials")
        return titled


def _absolute(base: str, address: str) -> str:
    return urljoin(base, address).rstrip("/") + "/"
