"""`AsyncClient`: the verbs of a TAXII 2.1 server, each an `await` or an `async for`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Self

from regcert.client.address import require_discovery
from regcert.client.directory import Directory
from regcert.client.options import Options
from regcert.client.publishing import Publishable, Published, await_complete, written
from regcert.client.reader import Reader, Verify
from regcert.client.reading import read_status, segment
from regcert.client.resources import ApiRoot, Collection, Discovery, Failure, Filters, Status
from regcert.client.signed import Place, Seal, Signer, read_place, signable, signed_batches
from regcert.client.wire import MEDIA_TYPE, Ask, Credentials, Wire
from regcert.errors import Code, Refusal
from regcert.outbound.batches import batches, envelope_of
from regcert.signing.private_key import PrivateKey

_PUBLISH_PATIENCE_S = 600.0
_BEHIND = "not sent: the publication before it waits for a second person; publish this again when that is decided"


class AsyncClient(Reader):
    """A TAXII 2.1 server, and the credentials it is shown. Use it as an async context manager.

    Every verb raises `Refusal`: UNREACHABLE where nothing answers, UNAUTHENTICATED, NOT_FOUND, BUSY when patience with a busy
    server is over, FORBIDDEN where the server says beforehand that it would refuse, and REFUSED_BY_SERVER for every other no and
    for what is not TAXII 2.1. A collection is named by its id, alias or title, or given as it was listed.

    Args:
        server: its address, or that of its discovery.
        credentials: a token, a user with a password, or None for a server that is open.
        verify: looks at each page of objects before it is handed out. It may return another page, or None to let it pass, and
            may be a coroutine function; where it raises, the page is not handed out and no resume position moves behind it.
        options: bounds, patience, TLS.

    Raises:
        Refusal: INVALID_SETTING, UNAUTHENTICATED: one of them cannot be what it should be. Nothing was asked yet.
    """

    def __init__(
        self, server: str, credentials: Credentials = None, *, verify: Verify | None = None, options: Options | None = None
    ) -> None:
        address = require_discovery(server)
        chosen = options or Options()
        wire = Wire(address.origin(), credentials, chosen)
        super().__init__(wire, Directory(wire, address), verify, chosen)
        self._origin = str(address.origin())

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self._wire.__aexit__(*ended)

    async def discovery(self) -> Discovery:
        """Ask what the server offers (§4.1)."""
        return await self._directory.discovery()

    async def api_roots(self) -> tuple[ApiRoot, ...]:
        """Ask about each API root on the server's own origin, the default first (§4.2)."""
        return tuple([await self._directory.api_root(root) for root in await self._directory.roots()])

    async def api_root(self, root: str | None = None) -> ApiRoot:
        """Ask about one API root, or about the default one (§4.2)."""
        return await self._directory.api_root(root)

    async def collections(self, root: str | None = None) -> tuple[Collection, ...]:
        """List the collections of an API root, or of the default one (§5.1)."""
        return await self._directory.collections(root)

    async def collection(self, name: str) -> Collection:
        """Find a collection by id, alias or title, in any API root of the origin.

        Raises:
            Refusal: NOT_FOUND.
        """
        return await self._directory.collection(name)

    async def publish(
        self, collection: Collection | str, objects: Iterable[Publishable], *, patience_s: float = _PUBLISH_PATIENCE_S
    ) -> Published:
        """Publish objects, and wait until the server has looked at each (§5.5, §4.3).

        Markings, extensions and identities go first. Bytes are sent as they are. A server that is busy is sent the same request
        again, which makes no double on one that keeps the standard: an identical object is no new one.

        Args:
            collection: where.
            objects: each as bytes, as it was read here, or as a mapping.
            patience_s: how long a request may stay pending, seconds.

        Raises:
            Refusal: MALFORMED_JSON before anything is sent; later, what the requests before it brought stays published, and
                publishing all of it again does no harm.
        """
        ordered = written(objects)
        found = await self._writable(collection)
        most_bytes = await self._directory.most_bytes(found.root, self._options.bounds.most_answer_bytes)
        published = Published()
        for batch in batches(ordered, most_bytes):
            posted = await self._post(found, patience_s, envelope_of(batch))
            published = published.plus(posted, len(batch))
        return published

    async def publish_signed(
        self,
        collection: Collection | str,
        objects: Iterable[Publishable],
        key: PrivateKey,
        *,
        markings: Iterable[str] = (),
        declassifies: Iterable[str] = (),
        drop_refused: bool = False,
        patience_s: float = 0.0,
    ) -> Published:
        """Publish objects, signed with a key of the team, to a RegCERT host: each request is taken whole or not at all.

        Bytes are sent as they are. A request that somebody else of the team was faster than is signed again for the next place;
        one that broke off is sent again, and stored once. A publication that waits for a second person ends it: what stands
        behind it would have to be signed again.

        Args:
            collection: where.
            objects: each as bytes, as it was read here, or as a mapping. Manifests among them are left out.
            key: an active key of the team; `regcert.client.read_private_key` reads its file.
            markings: of the manifests; without any, the strictest TLP marking of what each lists.
            declassifies: ids of objects whose markings are lowered on purpose.
            drop_refused: whether what the host refuses is left out, reported, and the rest signed again.
            patience_s: how long to wait for a second person, seconds.

        Raises:
            Refusal: REFUSED_BY_SERVER, in whose `details` stand the host's own `code` and `failures`, the objects that it
                refuses. Requests that went before were taken.
        """
        ready, refused = signable(written(objects))
        found = await self._writable(collection)
        most_bytes = await self._directory.most_bytes(found.root, self._options.bounds.most_answer_bytes)
        seal = Seal(key, self._options.timing.clock.now_us, tuple(markings), frozenset(declassifies))
        find_place, post = partial(self._find_place, found), partial(self._post, found, patience_s)
        signer = Signer(find_place, post, seal, drop_refused=drop_refused)
        published = Published(failures=tuple(refused))
        for batch in signed_batches(ready, most_bytes):
            if published.pending:
                unsent = [Failure(one.listed.stix_id, one.listed.version or "", _BEHIND) for one in batch]
                published = replace(published, failures=(*published.failures, *unsent))
                continue
            signed = await signer.publish(batch)
            if signed.status is not None:
                published = published.plus(signed.status, signed.sent)
            published = replace(published, failures=(*published.failures, *signed.failures))
        return published

    async def _writable(self, collection: Collection | str) -> Collection:
        found = await self._found(collection)
        if not found.can_write:
            raise Refusal(Code.FORBIDDEN, f"these credentials may not write to the collection {found.alias or found.id}")
        return found

    async def _post(self, found: Collection, patience_s: float, body: bytes) -> Status:
        ask = Ask("POST", f"{found.address}objects/", headers={"Content-Type": MEDIA_TYPE}, body=body)
        posted = read_status((await self._wire.ask(ask)).body)
        again = partial(self.status, posted.id, found.root)
        return await await_complete(posted, again, self._options.timing, patience_s)

    async def _find_place(self, found: Collection) -> Place:
        """Ask a host what our next publication in a collection follows."""
        api = f"{self._origin}/api/v1/"
        log, head = [
            (await self._wire.ask(Ask("GET", api + path, headers={"Accept": "application/json"}))).body
            for path in ("log", f"collections/{segment(found.alias or found.id)}/head")
        ]
        return read_place(log, head, found.id)

    async def status(self, status_id: str, root: str | None = None) -> Status:
        """Ask what became of a POST (§4.3).

        Args:
            status_id: the id of its status.
            root: the API root it went to, or None for the default one.
        """
        address = (await self._directory.roots())[0] if root is None else root
        return read_status((await self._wire.ask(Ask("GET", f"{address}status/{segment(status_id)}/"))).body)

    async def delete(self, collection: Collection | str, stix_id: str, versions: Sequence[str] = ()) -> None:
        """Delete an object, or those of its versions that are named (§5.7). It is asked once, whatever happens.

        Raises:
            Refusal: NOT_FOUND.
        """
        found = await self._found(collection)
        query = Filters(versions=tuple(versions)).query()
        await self._wire.ask(Ask("DELETE", f"{found.address}objects/{segment(stix_id)}/", query))
