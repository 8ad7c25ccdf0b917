"""Reading objects, page by page: one indexed read a page, whatever its size and however far into the collection.

Where versions are wanted "latest first of all", the index of pages holds exactly the versions in force. Several types are
read as one bounded range each and merged, because a sort of everything behind the cursor would be a scan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal
from regcert.stix.reader import MAX_OBJECT_BYTES
from regcert.store.many import among_listed, as_list
from regcert.store.tables import ObjectRow, table
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


class Entry(NamedTuple):
    """One line of a manifest: its place, id and version."""

    position: int
    stix_id: str
    version: str


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


async def read_content(connection: AsyncConnection, principal: Principal, stretch: Stretch) -> Content:
    """Read the bytes of objects, in the order of their places, on behalf of a principal.

    The database joins them, so that a page is one row whatever its size: a thousand rows would be made into Python objects one
    by one. Where the objects of a page are too large together, it is a page of as many as always fit, and there is more.
    """
    if _matches_nothing(stretch.filters):
        return Content(None, None, b"", more=False)
    query = _joined(_kind_of(connection, principal, stretch.filters))
    found, first, last, bodies = (await connection.execute(query, _parameters(connection, stretch))).one()
    if found and bodies is None:
        return await read_content(connection, principal, replace(stretch, limit=min(stretch.limit, LARGE_OBJECTS)))
    return Content(first, last, bodies or b"", more=found > stretch.limit)


async def list_entries(connection: AsyncConnection, principal: Principal, stretch: Stretch) -> Sequence[Entry]:
    """List the manifest lines of objects, one more than the page, in the order of their places, on behalf of a principal."""
    if _matches_nothing(stretch.filters):
        return []
    kind = _kind_of(connection, principal, stretch.filters)
    query = _page(kind, ("position", "stix_id", "version"), "beyond")
    # Rows are as good as tuples: to make a thousand tuples of them costs as much as to read them.
    return cast("Sequence[Entry]", (await connection.execute(query, _parameters(connection, stretch))).all())


async def has_object(connection: AsyncConnection, principal: Principal, collection_id: int, stix_id: str) -> bool:
    """Tell whether any version of an object is in a collection that the principal may see."""
    query = select(_OBJECTS.c.position).where(
        _OBJECTS.c.collection_id == collection_id,
        literal(collection_id).in_(visible(principal)),
        _OBJECTS.c.stix_id == stix_id,
    )
    return (await connection.execute(query.limit(1))).first() is not None


def _matches_nothing(filters: Filters) -> bool:
    """Only STIX 2.1 is ever stored."""
    return filters.spec_versions is not None and "2.1" not in filters.spec_versions


class _Kind(NamedTuple):
    """What decides how a query is built, and not what it is asked with."""

    dialect: str
    seen: Select[int]
    versions: Versions
    types: tuple[str, ...] | None
    by_id: bool


def _kind_of(connection: AsyncConnection, principal: Principal, filters: Filters) -> _Kind:
    versions = filters.versions or Versions()
    return _Kind(connection.dialect.name, visible(principal), versions, filters.types, filters.ids is not None)


def _parameters(connection: AsyncConnection, stretch: Stretch) -> dict[str, Any]:
    added_after = stretch.filters.added_after_us or 0
    parameters: dict[str, Any] = {
        "collection": stretch.collection_id,
        "after": max(stretch.after, added_after),
        "added_after": added_after,
        "most": stretch.limit,
        "beyond": stretch.limit + 1,
    }
    if stretch.filters.ids is not None:
        parameters["ids"] = as_list(connection.dialect.name, stretch.filters.ids)
    return parameters


# Built once for each kind of question and each principal's view: building a page's query costs more than reading the page.
@lru_cache(maxsize=256)
def _joined(kind: _Kind) -> Select[Any]:
    """Build the page as one row: how many objects there are with the one behind it, the first and last place, the bytes."""
    sizes = _page(kind, ("position", "size"), "beyond").subquery()
    measured = select(func.count().label("found"), func.sum(sizes.c.size).label("bytes")).select_from(sizes).cte("measured")
    fits = select(measured.c.bytes).scalar_subquery() <= MAX_PAGE_BYTES
    shown = _page(kind, ("position", "body"), "most").where(fits).subquery("shown")
    place, body = shown.c.position, shown.c.body
    if kind.dialect == "sqlite":
        # In the order of the subquery, which has a limit and so is not dissolved; tests/wire read every page for it.
        bodies: ColumnElement[Any] = sql_cast(func.group_concat(body, ","), LargeBinary)
    else:
        bodies = func.string_agg(body, aggregate_order_by(literal(b",", LargeBinary), place))
    return select(select(measured.c.found).scalar_subquery(), func.min(place), func.max(place), bodies).select_from(shown)


@lru_cache(maxsize=512)
def _page(kind: _Kind, columns: tuple[str, ...], limit: str) -> Select[Any]:
    position: ColumnElement[Any] = _OBJECTS.c.position
    if kind.by_id:
        position = position + 0  # SQLite would read on from the place and compare every id; so it looks the ids up, and sorts
    collection, most = bindparam("collection", type_=Integer), bindparam(limit, type_=Integer)
    query = (
        select(*(func.length(_OBJECTS.c.body).label("size") if name == "size" else _OBJECTS.c[name] for name in columns))
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
    if kind.by_id:
        query = query.where(among_listed(kind.dialect, _OBJECTS.c.stix_id, bindparam("ids")))
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
        unversioned = and_(_OBJECTS.c.version_us == 0, _OBJECTS.c.position.in_(versions.exact_us))
        conditions.append(or_(_OBJECTS.c.version_us.in_(versions.exact_us), unversioned))
    return or_(*conditions)
