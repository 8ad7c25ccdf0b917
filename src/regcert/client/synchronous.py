"""`Client`: the same verbs for programs without asyncio.

It runs an event loop in a thread of its own, so it works wherever it is called from: a script, a thread, a notebook, or inside a
running loop (which it then blocks, as every synchronous call does).
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast, overload

from regcert.client.asynchronous import AsyncClient
from regcert.client.options import Options
from regcert.client.publishing import Publishable, Published
from regcert.client.reader import Verify, new_ones
from regcert.client.resources import (
    EVERYTHING,
    ApiRoot,
    Collection,
    Discovery,
    Filters,
    ManifestEntry,
    NotModified,
    Object,
    Page,
    Status,
)
from regcert.client.wire import Credentials
from regcert.outbound.batches import MOST_OBJECTS
from regcert.signing.private_key import PrivateKey

Answer = TypeVar("Answer")


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a client that nobody closed does not keep the program from ending.
        self._thread = threading.Thread(target=self._loop.run_forever, name="regcert-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine there and wait for it; whatever stops the waiting stops the coroutine."""
        if self._loop.is_closed() or threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a closed client answers nothing, and a verify hook cannot ask the client that called it")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def leave(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine there where that is still possible; for tidying up, at any time, in any thread."""
        if self._loop.is_closed():
            work.close()
        elif threading.current_thread() is self._thread:
            asyncio.run_coroutine_threadsafe(work, self._loop)
        else:
            self.run(work)

    def close(self) -> None:
        """End what still runs, then the loop and its thread."""
        self.run(_end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Client:
    """A TAXII 2.1 server, and the credentials it is shown. Use it as a context manager; one thread at a time.

    Arguments, results and refusals are those of `AsyncClient`, whose docstrings say more. Iterators fetch a page
    when it is wanted.

    Args:
        server: its address, or that of its discovery.
        credentials: a token, a user with a password, or None for a server that is open.
        verify: looks at each page of objects before it is handed out, in the client's own thread.
        options: bounds, patience, TLS.

    Raises:
        Refusal: INVALID_SETTING, UNAUTHENTICATED: one of them cannot be what it should be. Nothing was asked yet.
    """

    def __init__(
        self, server: str, credentials: Credentials = None, *, verify: Verify | None = None, options: Options | None = None
    ) -> None:
        self._client = AsyncClient(server, credentials, verify=verify, options=options)
        self._loop: _Loop | None = None

    def __enter__(self) -> Self:
        self._loop = _Loop()
        with ExitStack() as undoing:
            undoing.callback(self.close)
            self._loop.run(self._client.__aenter__())
            undoing.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections and the thread back; iterators that were not read to their end are ended."""
        if self._loop is not None:
            loop, self._loop = self._loop, None
            loop.run(self._client.__aexit__(None, None, None))
            loop.close()

    def discovery(self) -> Discovery:
        """Ask what the server offers."""
        return self._run(self._client.discovery())

    def api_roots(self) -> tuple[ApiRoot, ...]:
        """Ask about each API root on the server's own origin, the default first."""
        return self._run(self._client.api_roots())

    def api_root(self, root: str | None = None) -> ApiRoot:
        """Ask about one API root, or about the default one."""
        return self._run(self._client.api_root(root))

    def collections(self, root: str | None = None) -> tuple[Collection, ...]:
        """List the collections of an API root, or of the default one."""
        return self._run(self._client.collections(root))

    def collection(self, name: str) -> Collection:
        """Find a collection by id, alias or title, in any API root of the origin."""
        return self._run(self._client.collection(name))

    @overload
    def page(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        cursor: str | None = None,
        wait_s: float = 0.0,
        if_none_match: None = None,
    ) -> Page[Object]: ...

    @overload
    def page(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        cursor: str | None = None,
        wait_s: float = 0.0,
        if_none_match: str,
    ) -> Page[Object] | NotModified: ...

    def page(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        cursor: str | None = None,
        wait_s: float = 0.0,
        if_none_match: str | None = None,
    ) -> Page[Object] | NotModified:
        """Fetch one page of objects."""
        query: dict[str, Any] = {"added_after": added_after, "limit": limit, "cursor": cursor, "wait_s": wait_s}
        return self._run(self._client.page(collection, filters, if_none_match=if_none_match, **query))

    def pages(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        resume: Path | None = None,
    ) -> Generator[Page[Object], None, None]:
        """Read a collection to its end, page by page."""
        return self._each(self._client.pages(collection, filters, added_after=added_after, limit=limit, resume=resume))

    def objects(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        resume: Path | None = None,
        unique: bool = False,
    ) -> Generator[Object, None, None]:
        """Read a collection to its end, object by object."""
        seen: set[tuple[str, str | None]] | None = set() if unique else None
        # Page by page over to here: a step to the other thread for each object would cost more than reading it.
        with closing(self.pages(collection, filters, added_after=added_after, limit=limit, resume=resume)) as pages:
            for page in pages:
                yield from new_ones(page.objects, seen)

    def follow(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        resume: Path | None = None,
        wait_s: float = 30.0,
    ) -> Generator[Page[Object], None, None]:
        """Read a collection, and for ever what is added to it."""
        following = self._client.follow(collection, filters, added_after=added_after, limit=limit, resume=resume, wait_s=wait_s)
        return self._each(following)

    def get_object(self, collection: Collection | str, stix_id: str, versions: Sequence[str] = ()) -> tuple[Object, ...]:
        """Fetch one object: its latest version, or those that are named."""
        return self._run(self._client.get_object(collection, stix_id, versions))

    def manifest(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
    ) -> Generator[ManifestEntry, None, None]:
        """Read a collection's manifest to its end."""
        return self._each(self._client.manifest(collection, filters, added_after=added_after, limit=limit))

    def versions(self, collection: Collection | str, stix_id: str) -> tuple[str, ...]:
        """List every version of an object."""
        return self._run(self._client.versions(collection, stix_id))

    def publish(self, collection: Collection | str, objects: Iterable[Publishable], *, patience_s: float = 600.0) -> Published:
        """Publish objects, and wait until the server has looked at each."""
        return self._run(self._client.publish(collection, objects, patience_s=patience_s))

    def publish_signed(
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
        """Publish objects, signed with a key of the team; each request is taken whole or not at all."""
        how: dict[str, Any] = {"markings": markings, "declassifies": declassifies, "patience_s": patience_s}
        return self._run(self._client.publish_signed(collection, objects, key, drop_refused=drop_refused, **how))

    def status(self, status_id: str, root: str | None = None) -> Status:
        """Ask what became of a POST."""
        return self._run(self._client.status(status_id, root))

    def delete(self, collection: Collection | str, stix_id: str, versions: Sequence[str] = ()) -> None:
        """Delete an object, or those of its versions that are named."""
        self._run(self._client.delete(collection, stix_id, versions))

    def _opened(self) -> _Loop:
        if self._loop is None:
            raise RuntimeError("open the client first: with Client(...) as client")
        return self._loop

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        if self._loop is None:
            work.close()
        return self._opened().run(work)

    def _each(self, items: AsyncGenerator[Answer, None]) -> Generator[Answer, None, None]:
        """Hand over what an async iterator yields, one step at a time."""
        loop = self._opened()
        end = object()

        async def following() -> Answer | object:
            return await anext(items, end)

        async def leave() -> None:
            await items.aclose()

        try:
            while (item := loop.run(following())) is not end:
                yield cast("Answer", item)
        finally:
            loop.leave(leave())


async def _end_all() -> None:
    """Cancel what still runs here, and end what was not read to its end."""
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
