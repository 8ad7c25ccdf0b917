"""Reading: pages and objects of a collection, its manifest, versions of an object, and what is added from now on.

Spec: TAXII 2.1 §3.5, §5.3 to §5.8
"""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import overload

from regcert.client.course import Course
from regcert.client.directory import Directory
from regcert.client.options import Options
from regcert.client.reading import read_manifest, read_page, read_versions, segment
from regcert.client.resources import EVERYTHING, Collection, Filters, Item, ManifestEntry, NotModified, Object, Page
from regcert.client.resume import Bookmark, listing_of
from regcert.client.wire import Ask, Wire
from regcert.errors import Code, Refusal
from regcert.outbound.batches import MOST_OBJECTS

Verify = Callable[[Page[Object]], Page[Object] | Awaitable[Page[Object] | None] | None]
ReadPage = Callable[[bytes, Mapping[str, str]], Page[Item]]

_LEAST_WAIT_S = 1.0
_MOST_WAIT_S = 300.0
_OUTLIVED = frozenset({Code.BUSY, Code.UNREACHABLE})


class Reader:
    """All that `AsyncClient` reads.

    Args:
        wire: to the server.
        directory: of its collections.
        verify: looks at each page of objects, or None.
        options: timing and patience.
    """

    def __init__(self, wire: Wire, directory: Directory, verify: Verify | None, options: Options) -> None:
        self._wire = wire
        self._directory = directory
        self._verify = verify
        self._options = options

    @overload
    async def page(
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
    async def page(
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

    async def page(
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
        """Fetch one page of objects (§5.4), for whoever goes through a collection in a way of his own.

        Args:
            collection: which.
            filters: which of its objects.
            added_after: only what was added later than this RFC 3339 time.
            limit: objects a page, or None for as many as the server gives.
            cursor: `next` of the page before.
            wait_s: how long the server may wait until there is something, where it can; seconds, at most 300.
            if_none_match: the ETag of an earlier answer to the same question.

        Returns:
            The page, or NotModified where the earlier answer is still right.
        """
        found = await self._readable(collection)
        headers = {} if if_none_match is None else {"If-None-Match": if_none_match}
        fields = {"limit": limit, "added_after": added_after, "next": cursor}
        query = filters.query() | {name: str(value) for name, value in fields.items() if value is not None}
        reply = await self._wire.ask(_asking(f"{found.address}objects/", query, headers, wait_s))
        if reply.status == 304:
            return NotModified(reply.headers.get("ETag", if_none_match))
        return await self._verified(read_page(reply.body, reply.headers))

    async def pages(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        resume: Path | None = None,
    ) -> AsyncGenerator[Page[Object], None]:
        """Read a collection to its end, page by page (§5.4).

        Args:
            collection: which.
            filters: which of its objects.
            added_after: only what was added later than this RFC 3339 time; a position in `resume` goes before it.
            limit: objects a page, or None for as many as the server gives.
            resume: a file in which to remember how far was read. It moves when the next page is asked for, or the end is met.

        Yields:
            Each page with objects. What a page repeats of the one before is taken out.

        Raises:
            Refusal: REFUSED_BY_SERVER also where the pages lead back to themselves; never an endless loop.
        """
        found = await self._readable(collection)
        bookmark = Bookmark(resume, listing_of(found, filters))
        course = Course[Object](limit, await bookmark.find() or added_after)
        while not course.ended:
            page = await self._objects(found, filters, course)
            if page.objects:
                yield await self._verified(page)
            await bookmark.move(page)

    async def objects(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        resume: Path | None = None,
        unique: bool = False,
    ) -> AsyncGenerator[Object, None]:
        """Read a collection to its end, object by object; `pages` says how.

        Args:
            collection: which.
            filters: which of its objects.
            added_after: as `pages`.
            limit: as `pages`.
            resume: as `pages`; it moves page by page.
            unique: whether what has an id and version that came before is left out. They are remembered, so this grows.
        """
        seen: set[tuple[str, str | None]] | None = set() if unique else None
        reading = self.pages(collection, filters, added_after=added_after, limit=limit, resume=resume)
        async with aclosing(reading) as pages:
            async for page in pages:
                for one in new_ones(page.objects, seen):
                    yield one

    async def follow(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
        resume: Path | None = None,
        wait_s: float = 30.0,
    ) -> AsyncGenerator[Page[Object], None]:
        """Read a collection, and for ever what is added to it.

        A server that knows `Prefer: wait` answers as soon as there is something; any other is asked again after `wait_s`. Once it
        has answered, a server that goes away or is busy is waited for without end.

        Args:
            collection: which.
            filters: which of its objects.
            added_after: as `pages`.
            limit: as `pages`.
            resume: as `pages`.
            wait_s: how long one question may wait, seconds, 1 to 300.

        Yields:
            Each page with objects.

        Spec: RFC 7240 §4.3 (wait)
        """
        patient_s = min(max(wait_s, _LEAST_WAIT_S), _MOST_WAIT_S)
        found = await self._readable(collection)
        bookmark = Bookmark(resume, listing_of(found, filters))
        course = Course[Object](limit, await bookmark.find() or added_after)
        answered = False
        while True:
            started = self._options.timing.monotonic()
            try:
                page = await self._objects(found, filters, course, patient_s)
            except Refusal as refusal:
                if not answered or refusal.code not in _OUTLIVED:
                    raise
                await self._options.timing.sleep(self._options.patience.most_delay_s * self._options.timing.chance())
                continue
            answered = True
            if page.objects:
                yield await self._verified(page)
            await bookmark.move(page)
            if course.ended:
                course.go_on()
                if not page.objects:
                    await self._rest(started, patient_s, waited=page.waited)

    async def get_object(self, collection: Collection | str, stix_id: str, versions: Sequence[str] = ()) -> tuple[Object, ...]:
        """Fetch one object: its latest version, or those that are named (§5.6).

        Args:
            collection: where.
            stix_id: its id.
            versions: `first`, `last`, `all`, or exact versions.

        Raises:
            Refusal: NOT_FOUND.
        """
        found = await self._readable(collection)
        address = f"{found.address}objects/{segment(stix_id)}/"
        query = Filters(versions=tuple(versions)).query()
        got: list[Object] = []
        async for page in self._listing(address, query, read_page, Course(MOST_OBJECTS, None)):
            got += (await self._verified(page)).objects
        return tuple(got)

    async def manifest(
        self,
        collection: Collection | str,
        filters: Filters = EVERYTHING,
        *,
        added_after: str | None = None,
        limit: int | None = MOST_OBJECTS,
    ) -> AsyncGenerator[ManifestEntry, None]:
        """Read a collection's manifest to its end (§5.3); arguments as those of `pages`."""
        found = await self._readable(collection)
        address = f"{found.address}manifest/"
        async with aclosing(self._listing(address, filters.query(), read_manifest, Course(limit, added_after))) as pages:
            async for page in pages:
                for entry in page.objects:
                    yield entry

    async def versions(self, collection: Collection | str, stix_id: str) -> tuple[str, ...]:
        """List every version of an object (§5.8).

        Raises:
            Refusal: NOT_FOUND.
        """
        found = await self._readable(collection)
        address = f"{found.address}objects/{segment(stix_id)}/versions/"
        pages = self._listing(address, {}, read_versions, Course(MOST_OBJECTS, None))
        return tuple([one async for page in pages for one in page.objects])

    async def _found(self, collection: Collection | str) -> Collection:
        return await self._directory.collection(collection) if isinstance(collection, str) else collection

    async def _readable(self, collection: Collection | str) -> Collection:
        found = await self._found(collection)
        if not found.can_read:
            raise Refusal(Code.FORBIDDEN, f"these credentials may not read the collection {found.alias or found.id}")
        return found

    async def _verified(self, page: Page[Object]) -> Page[Object]:
        """Show a page to whoever verifies; only he may change it."""
        if self._verify is None:
            return page
        judged = self._verify(page)
        return (await judged if inspect.isawaitable(judged) else judged) or page

    async def _objects(self, found: Collection, filters: Filters, course: Course[Object], wait_s: float = 0.0) -> Page[Object]:
        ask = _asking(f"{found.address}objects/", filters.query() | course.query(), {}, wait_s)
        reply = await self._wire.ask(ask)
        return course.take(read_page(reply.body, reply.headers))

    async def _listing(
        self, address: str, query: Mapping[str, str], read: ReadPage[Item], course: Course[Item]
    ) -> AsyncGenerator[Page[Item], None]:
        while not course.ended:
            reply = await self._wire.ask(_asking(address, {**query, **course.query()}))
            yield course.take(read(reply.body, reply.headers))

    async def _rest(self, started: float, wait_s: float, *, waited: bool) -> None:
        """Wait before an empty page is asked for again, as long as the server did not wait itself."""
        timing = self._options.timing
        left_s = wait_s - (timing.monotonic() - started)
        # One that says that it waits may end a wait early, because it stops: then it is soon back.
        await timing.sleep(max(0.0, min(left_s, _LEAST_WAIT_S) if waited else left_s))


def new_ones(objects: Sequence[Object], seen: set[tuple[str, str | None]] | None) -> Iterator[Object]:
    """Leave out what has an id and version that were seen, and note the others; without a set, leave out nothing."""
    for one in objects:
        if seen is None:
            yield one
        elif (one.stix_id, one.version) not in seen:
            seen.add((one.stix_id, one.version))
            yield one


def _asking(address: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None, wait_s: float = 0.0) -> Ask:
    wait = round(min(max(wait_s, 0.0), _MOST_WAIT_S))
    prefer = {"Prefer": f"wait={wait}"} if wait else {}
    return Ask("GET", address, query, {**(headers or {}), **prefer}, wait_s=wait)
