"""Reading objects, page by page: one indexed read a page, whatever its size and however far into the collection.

Where versions are wanted "latest first of all", the index of pages holds exactly the versions in force. Several types are
read as one bounded range each and merged, because a sort of everything behind the cursor would be a scan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Exists,
    Integer,
    LargeBinary,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy import cast as sql_cast

from regcert.domain.principal import Principal
from regcert.stix.reader import MAX_OBJECT_BYTES
from regcert.store.many import among_listed, among_numbers
from regcert.store.programs import Program, Statement
from regcert.store.tables import LARGE, ObjectRow, table
from regcert.store.visibility import visible
from regcert.taxii.filters import Filters, Versions

_OBJECTS = table(ObjectRow)

# A page beyond this is one of few objects instead: so many always fit.
LARGE_OBJECTS = 8
MAX_PAGE_BYTES = LARGE_OBJECTS * (MAX_OBJECT_BYTES + 1)


class Content(NamedTuple):
    """The objects of a page, side by side.

    Args:
        first: the place of the first, or None where there is none.
        last: the place of the last.
        bodies: their bytes, joined by commas.
        more: whether others follow.
    """

    first: int | None
    last: int | None
    bodies: bytes
    more: bool


# One line of a manifest: its place, id and version. Rows are as good as anything made of them: to make a thousand values costs as
# much as to read them.
Entry: TypeAlias = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a collection a page is.

    Args:
        collection_id: of which collection.
        filters: which objects.
        after: only those behind this position.
        limit: at most this many.
    """

    collection_id: int
    filters: Filters
    after: int
    limit: int


def read_content(principal: Principal, stretch: Stretch, *, joined: bool) -> Program[Content]:
    """Read the bytes of objects, in the order of their places, on behalf of a principal.

    Nothing is measured as long as no large object lies ahead. Where one does, and the objects of a page are too large together,
    it is a page of as many as always fit, and there is more.

    Args:
        principal: on whose behalf.
        stretch: which objects.
        joined: whether the database joins them, so that a page is one row whatever its size. SQLite does that without holding the
            interpreter's lock; PostgreSQL takes twice as long for it as for a thousand rows.
    """
    if matches_nothing(stretch.filters):
        return Content(None, None, b"", more=False)
    kind, parameters = _kind_of(principal, stretch.filters), _parameters(stretch)
    read = _read_joined if joined else _read_rows
    content = yield from read(kind, parameters, guarded=True)
    if content.last is None and (yield _AHEAD, parameters):
        sizes = yield _page(kind, ("position", "size")), parameters
        if sum(size for _, size in sizes) > MAX_PAGE_BYTES:
            parameters["most"] = min(stretch.limit, LARGE_OBJECTS)
        content = yield from read(kind, parameters, guarded=False)
    return content


def _read_joined(kind: "_Kind", parameters: dict[str, Any], *, guarded: bool) -> Program[Content]:
    found, first, last, bodies = (yield _joined(kind, guarded=guarded), parameters)[0]
    more = found == parameters["most"] and bool((yield _page(kind, ("position",)), parameters | {"after": last, "most": 1}))
    return Content(first, last, bodies or b"", more=more)


def _read_rows(kind: "_Kind", parameters: dict[str, Any], *, guarded: bool) -> Program[Content]:
    most = parameters["most"]
    rows = yield _page(kind, ("position", "body"), guarded=guarded), parameters | {"most": most + 1}
    shown = rows[:most]
    if not shown:
        return Content(None, None, b"", more=False)
    return Content(shown[0][0], shown[-1][0], b",".join([row[1] for row in shown]), more=len(rows) > most)


def list_entries(principal: Principal, stretch: Stretch) -> Program[Sequence[Entry]]:
    """List the manifest lines of objects, one more than the page, in the order of their places, on behalf of a principal."""
    if matches_nothing(stretch.filters):
        return []
    kind = _kind_of(principal, stretch.filters)
    parameters = _parameters(replace(stretch, limit=stretch.limit + 1))
    return cast("Sequence[Entry]", (yield _page(kind, ("position", "stix_id", "version")), parameters))


def has_object(principal: Principal, collection_id: int, stix_id: str) -> Program[bool]:
    """Tell whether any version of an object is in a collection that the principal may see."""
    rows = yield _has_object(visible(principal)), {"collection": collection_id, "stix_id": stix_id}
    return bool(rows)


@lru_cache(maxsize=256)
def _has_object(seen: Select[int]) -> Statement:
    collection: BindParameter[int] = bindparam("collection", type_=Integer)
    query = select(_OBJECTS.c.position).where(
        _OBJECTS.c.collection_id == collection, collection.in_(seen), _OBJECTS.c.stix_id == bindparam("stix_id")
    )
    return Statement(lambda _: query.limit(1))


def matches_nothing(filters: Filters) -> bool:
    """Tell whether a query asks for other versions of STIX only: 2.1 is all that is ever stored."""
    return filters.spec_versions is not None and "2.1" not in filters.spec_versions


class _Kind(NamedTuple):
    """What decides how a query is built, and not what it is asked with."""

    seen: Select[int]
    versions: Versions
    types: tuple[str, ...] | None
    by_id: bool


def _kind_of(principal: Principal, filters: Filters) -> _Kind:
    return _Kind(visible(principal), filters.versions or Versions(), filters.types, filters.ids is not None)


def _parameters(stretch: Stretch) -> dict[str, Any]:
    added_after = stretch.filters.added_after_us or 0
    return {
        "collection": stretch.collection_id,
        "after": max(stretch.after, added_after),
        "added_after": added_after,
        "most": stretch.limit,
        "ids": stretch.filters.ids,
    }


def _ahead() -> Exists:
    """Ask whether a large object lies ahead in the collection, whatever else is asked."""
    here = _OBJECTS.c.collection_id == bindparam("collection", type_=Integer)
    return exists().where(here, _OBJECTS.c.position > bindparam("after", type_=BigInteger), text(LARGE))


_AHEAD = Statement(lambda _: select(literal_column("1")).where(_ahead()))


# Built once for each kind of question and each principal's view: building a page's query costs more than reading the page.
@lru_cache(maxsize=512)
def _joined(kind: _Kind, *, guarded: bool) -> Statement:
    """Word the page as one row: how many objects, the first and last place, the bytes."""

    def build(dialect: str) -> Select[Any]:
        shown = _select_page(kind, ("position", "body"), dialect, guarded=guarded).subquery("shown")
        # In the order of the subquery, which has a limit and so is not dissolved; tests/wire read every page for it.
        bodies = sql_cast(func.group_concat(shown.c.body, ","), LargeBinary)
        row = select(func.count(), func.min(shown.c.position), func.max(shown.c.position), bodies).select_from(shown)
        return cast("Select[Any]", row)

    return Statement(build)


@lru_cache(maxsize=512)
def _page(kind: _Kind, columns: tuple[str, ...], *, guarded: bool = False) -> Statement:
    return Statement(lambda dialect: _select_page(kind, columns, dialect, guarded=guarded))


def _select_page(kind: _Kind, columns: tuple[str, ...], dialect: str, *, guarded: bool = False) -> Select[Any]:
    """Select a page; where it is guarded, nothing of it while a large object lies ahead."""
    position: ColumnElement[Any] = _OBJECTS.c.position
    if kind.by_id:
        position = position + 0  # SQLite would read on from the place and compare every id; so it looks the ids up, and sorts
    collection, most = bindparam("collection", type_=Integer), bindparam("most", type_=Integer)
    derived: dict[str, ColumnElement[Any]] = {"size": func.length(_OBJECTS.c.body).label("size")}
    query = (
        select(*(derived[name] if name in derived else _OBJECTS.c[name] for name in columns))
        .where(
            _OBJECTS.c.collection_id == collection,
            # Not only in the flow that found the collection: every query asks for itself what may be seen (law 5). It is
            # asked once for the whole page, since it does not depend on the row.
            collection.in_(kind.seen),
            position > bindparam("after", type_=BigInteger),
            version_condition(kind.versions, bindparam("added_after", type_=BigInteger)),
        )
        .order_by(position)
        .limit(most)
    )
    if guarded:
        query = query.where(~_ahead())
    if kind.by_id:
        query = query.where(among_listed(dialect, _OBJECTS.c.stix_id, bindparam("ids")))
    if kind.types is None:
        return query
    if len(kind.types) == 1:
        return query.where(_OBJECTS.c.type == kind.types[0])
    merged = union_all(*(select(query.where(_OBJECTS.c.type == one).subquery()) for one in kind.types)).subquery()
    return select(merged).order_by(merged.c.position).limit(most)


def version_condition(versions: Versions, added_after_us: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Choose versions among what was added after a time: "the latest" is the latest of those (TAXII 2.1 §3.4)."""
    if versions.every:
        return true()
    conditions: list[ColumnElement[bool]] = []
    superseded_by = _OBJECTS.c.superseded_by
    if versions.latest:
        conditions.append(and_(superseded_by < _OBJECTS.c.position, superseded_by <= added_after_us))
    if versions.earliest:
        older = _OBJECTS.alias("older")
        conditions.append(
            ~exists().where(
                older.c.collection_id == _OBJECTS.c.collection_id,
                older.c.stix_id == _OBJECTS.c.stix_id,
                older.c.version_us < _OBJECTS.c.version_us,
                older.c.position + 0 > added_after_us,  # by its id: SQLite would rather read all that came later, for each row
            )
        )
    if versions.exact_us:
        # What has no version of its own goes by the time it was added.
        unversioned = and_(_OBJECTS.c.version_us == 0, among_numbers(_OBJECTS.c.position, versions.exact_us))
        conditions.append(or_(among_numbers(_OBJECTS.c.version_us, versions.exact_us), unversioned))
    return or_(*conditions)
