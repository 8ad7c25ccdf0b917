"""Read a collection: what a poller asks for, in the order in which it became visible."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database, Reader
from regcert.store.pages import Stretch, has_object, list_entries, read_content
from regcert.store.visibility import find_collection
from regcert.taxii import resources
from regcert.taxii.cursor import Cursor, find_cursor, write_cursor
from regcert.taxii.filters import Filters, Page, Versions


class Shape(Enum):
    """What of an object is shown."""

    OBJECTS = "objects"
    MANIFEST = "manifest"
    VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks of one collection.

    Args:
        principal: who.
        api_root: of which root.
        collection: its id or alias.
        shape: what to show.
        filters: which objects.
        page: which part of them.
        stix_id: of one object only, or None.
    """

    principal: Principal
    api_root: str
    collection: str
    shape: Shape
    filters: Filters
    page: Page
    stix_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of an answer.

    Args:
        body: the TAXII resource, rendered.
        first_us: when its first item was added, or None where it is empty.
        last_us: when its last item was.
    """

    body: bytes
    first_us: int | None
    last_us: int | None


async def get_collection(database: Database, principal: Principal, api_root: str, name: str) -> tuple[Collection, bool, bool]:
    """Get a collection that exists for a principal, with whether it may be read and written.

    Raises:
        Refusal: NOT_FOUND.
    """
    async with database.read() as connection:
        found = await find_collection(connection, principal, api_root, name)
    if found is None:
        raise _no_collection()
    return found


async def retrieve(database: Database, cursor_key: bytes, question: Question) -> Answer:
    """Answer one page of objects, manifest or versions.

    1. The collection must exist for the principal, and be readable.
    2. A cursor says where the last page ended, and what was asked then; one that this host did not seal for this team and
       collection says nothing.
    3. One indexed read, that also tells whether there is more.
    4. An empty answer for one object that is not there at all is NOT_FOUND; for one whose versions do not match it is empty.

    Args:
        database: where from.
        cursor_key: seals cursors.
        question: what is asked.

    Raises:
        Refusal: NOT_FOUND, FORBIDDEN.

    Spec: TAXII 2.1 §5.3 to §5.8
    """
    require(question.principal, Permission.READ)
    async with database.read() as connection:
        collection = await _get_readable(connection, question)  # 1
        binding = f"{collection.uuid} {question.principal.team.slug} {question.shape.value} {question.stix_id or ''}"
        cursor = find_cursor(question.page.next, cursor_key, binding) if question.page.next else None  # 2
        stretch = _start(question, collection, cursor)
        found = await _read(connection, question, stretch)  # 3
        if found.last is None and question.stix_id is not None:  # 4
            await _require_object(connection, question, collection)
    following = None
    if found.more and found.last is not None:
        following = write_cursor(Cursor(found.last, stretch.filters), cursor_key, binding)
    return Answer(found.render(following), found.first, found.last)


@dataclass(frozen=True, slots=True)
class _Found:
    """What one read brought: the places of its ends, whether there is more, and how it is shown."""

    first: int | None
    last: int | None
    more: bool
    render: Callable[[str | None], bytes]


async def _read(connection: Reader, question: Question, stretch: Stretch) -> _Found:
    if question.shape is Shape.OBJECTS:
        content = await read_content(connection, question.principal, stretch)
        return _Found(content.first, content.last, content.more, partial(resources.envelope, content.bodies))
    entries = await list_entries(connection, question.principal, stretch)
    shown = entries[: stretch.limit]
    if question.shape is Shape.MANIFEST:
        render = partial(resources.manifest, shown)
    else:
        render = partial(resources.versions, [version for _, _, version in shown])
    first, last = (shown[0].position, shown[-1].position) if shown else (None, None)
    return _Found(first, last, len(entries) > len(shown), render)


def _start(question: Question, collection: Collection, cursor: Cursor | None) -> Stretch:
    filters = question.filters if cursor is None else question.filters.over(cursor.filters)
    if question.stix_id is not None:
        filters = replace(filters, ids=(question.stix_id,), types=None)
    if question.shape is Shape.VERSIONS:
        filters = replace(filters, versions=Versions(latest=False, every=True))
    return Stretch(collection.collection_id, filters, 0 if cursor is None else cursor.position, question.page.limit)


async def _get_readable(connection: Reader, question: Question) -> Collection:
    found = await find_collection(connection, question.principal, question.api_root, question.collection)
    if found is None or not found[1]:
        # A collection that may only be written is no less hidden here: 404 is allowed wherever 403 is (TAXII 2.1 §5.4).
        raise _no_collection()
    return found[0]


async def _require_object(connection: Reader, question: Question, collection: Collection) -> None:
    if question.stix_id and not await has_object(connection, question.principal, collection.collection_id, question.stix_id):
        raise Refusal(Code.NOT_FOUND, "there is no such object in this collection")


def _no_collection() -> Refusal:
    return Refusal(Code.NOT_FOUND, "there is no such collection")
