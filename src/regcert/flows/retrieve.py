"""Read a collection: what a poller asks for, in the order in which it became visible."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import msgspec

from regcert.domain.collection import Collection
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import Caller
from regcert.flows.record_reading import note_page
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database
from regcert.store.pages import Content, Entry, Stretch, has_object, list_entries, read_content
from regcert.store.visibility import Found, find_collections
from regcert.taxii import resources
from regcert.taxii.cursor import Cursor, find_cursor, write_cursor
from regcert.taxii.filters import Filters, Page, Versions

_TAGGED = msgspec.msgpack.Encoder()
_FOUND_BYTES = 1024  # what is remembered of a collection, about


class Shape(Enum):
    """What of an object is shown."""

    OBJECTS = "objects"
    MANIFEST = "manifest"
    VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks of one collection.

    Args:
        caller: who, and the state of the host that they see.
        api_root: of which root.
        collection: its id or alias.
        shape: what to show.
        filters: which objects.
        page: which part of them.
        stix_id: of one object only, or None.
        tags: of the answers that they have already, as the headers of those named them.
        empty_list: whether a list is wanted even where it is empty.
    """

    caller: Caller
    api_root: str
    collection: str
    shape: Shape
    filters: Filters
    page: Page
    stix_id: str | None = None
    tags: frozenset[str] = frozenset()
    empty_list: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of an answer.

    Args:
        body: the TAXII resource, rendered; empty where the caller has it already.
        tag: names this answer: another one has another tag.
        first_us: when its first item was added, or None where it is empty.
        last_us: when its last item was.
        after_us: behind which time the page begins: what was asked, or where the cursor stood; 0 for the beginning.
        collection_id: of which collection.
    """

    body: bytes
    tag: str
    first_us: int | None
    last_us: int | None
    after_us: int
    collection_id: int


async def get_collection(database: Database, caller: Caller, api_root: str, name: str) -> Found:
    """Get a collection that exists for a principal, with whether it may be read and written.

    Raises:
        Refusal: NOT_FOUND.
    """
    principal, heads = caller.principal, caller.heads
    # Who is asking is in the key as far as it decides what they see: by team, and by what the token is narrowed to. The name is
    # not: what exists for others only is looked for exactly as long as what exists for nobody.
    key = (principal.team.team_id, principal.collection_ids, api_root)
    existing: dict[str, Found] | None = database.memory.find(key, heads.rights)
    if existing is None:
        listed = await database.run(find_collections(principal, api_root))
        existing = {called: one for one in listed for called in (one[0].uuid, one[0].slug)}
        database.memory.keep(key, heads.rights, existing, len(listed) * _FOUND_BYTES)
    found = existing.get(name)
    if found is None:
        raise _no_collection()
    return found


async def retrieve(database: Database, cursor_key: bytes, question: Question) -> Answer:
    """Answer one page of objects, manifest or versions.

    1. The collection must exist for the principal, and be readable.
    2. A cursor says where the last page ended, and what was asked then; one that this host did not seal for this team and
       collection says nothing.
    3. Whoever brings the tag of the answer has it: as long as nothing changes in the collection, no answer does.
    4. One indexed read, unless it was read before and nothing has changed since.
    5. An empty answer for one object that is not there at all is NOT_FOUND; for one whose versions do not match it is empty.
    6. Who is shown something marked AMBER+STRICT or RED is written down before, or is not shown it.

    Args:
        database: where from.
        cursor_key: seals cursors.
        question: what is asked.

    Raises:
        Refusal: NOT_FOUND, FORBIDDEN; BUSY.

    Spec: TAXII 2.1 §5.3 to §5.8, RFC 9110 §8.8.3 and §13.1.2 (entity tags)
    """
    principal = question.caller.principal
    require(principal, Permission.READ)
    collection, can_read, _ = await get_collection(database, question.caller, question.api_root, question.collection)  # 1
    if not can_read:
        # A collection that may only be written is no less hidden here: 404 is allowed wherever 403 is (TAXII 2.1 §5.4).
        raise _no_collection()
    binding = f"{collection.uuid} {principal.team.slug} {question.shape.value} {question.stix_id or ''}"
    cursor = find_cursor(question.page.next, cursor_key, binding) if question.page.next else None  # 2
    stretch = _start(question, collection, cursor)
    changed = question.caller.heads.changed.get(collection.collection_id, 0)
    tag = _tag(cursor_key, binding, question, stretch, changed)
    after_us = max(stretch.after, stretch.filters.added_after_us or 0)
    if tag in question.tags:  # 3
        return Answer(b"", tag, None, None, after_us, collection.collection_id)
    found = await _read(database, question, stretch, changed)  # 4
    if found.last is None and question.stix_id is not None:  # 5
        await _require_object(database, question, collection)
    if found.first is not None and found.last is not None:  # 6
        span = found.first, found.last
        await note_page(database, principal, collection, question.shape.value, span, question.stix_id, changed)
    following = write_cursor(Cursor(found.last, stretch.filters), cursor_key, binding) if found.more and found.last else None
    name = "versions" if question.shape is Shape.VERSIONS else "objects"
    body = resources.page(name, found.bodies, following, empty_list=question.empty_list)
    return Answer(body, tag, found.first, found.last, after_us, collection.collection_id)


def _tag(key: bytes, binding: str, question: Question, stretch: Stretch, changed: int) -> str:
    """Name an answer by what it depends on: who asks, what is asked, and the last change in the collection."""
    asked = (binding, changed, stretch.after, stretch.limit, stretch.filters, question.empty_list)
    return hashlib.blake2b(_TAGGED.encode(asked), digest_size=12, key=key[:32]).hexdigest()


async def _read(database: Database, question: Question, stretch: Stretch, changed: int) -> Content:
    if max(stretch.after, stretch.filters.added_after_us or 0) >= changed:
        return Content(None, None, b"", more=False)  # nothing was added behind that
    # Who may see the collection has been decided; what stands in it is the same for all who may.
    key = (question.shape, stretch)
    content: Content | None = database.memory.find(key, changed)
    if content is None:
        principal = question.caller.principal
        if question.shape is Shape.OBJECTS:
            content = await database.run(read_content(principal, stretch, joined=database.dialect == "sqlite"))
        else:
            content = _shown(question.shape, stretch, await database.run(list_entries(principal, stretch)))
        # What was added since the heads were looked at may be in it: nobody gets to see less than they should.
        database.memory.keep(key, changed, content, len(content.bodies))
    return content


def _shown(shape: Shape, stretch: Stretch, entries: Sequence[Entry]) -> Content:
    """Render the lines of a manifest, or the versions of an object."""
    shown = entries[: stretch.limit]
    if not shown:
        return Content(None, None, b"", more=False)
    (first, *_), (last, *_) = shown[0], shown[-1]
    if shape is Shape.MANIFEST:
        items = resources.manifest_records(shown)
    else:
        items = resources.versions([version for _, _, version in shown])
    return Content(first, last, items, more=len(entries) > len(shown))


def _start(question: Question, collection: Collection, cursor: Cursor | None) -> Stretch:
    filters = question.filters if cursor is None else question.filters.over(cursor.filters)
    if question.stix_id is not None:
        filters = replace(filters, ids=(question.stix_id,), types=None)
    if question.shape is Shape.VERSIONS:
        filters = replace(filters, versions=Versions(latest=False, every=True))
    return Stretch(collection.collection_id, filters, 0 if cursor is None else cursor.position, question.page.limit)


async def _require_object(database: Database, question: Question, collection: Collection) -> None:
    is_here = has_object(question.caller.principal, collection.collection_id, question.stix_id or "")
    if not await database.run(is_here):
        raise Refusal(Code.NOT_FOUND, "there is no such object in this collection")


def _no_collection() -> Refusal:
    return Refusal(Code.NOT_FOUND, "there is no such collection")
