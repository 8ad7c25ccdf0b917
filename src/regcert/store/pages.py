"""Reading objects, page by page: one indexed read a page, whatever its size and however far into the collection.

Where versions are wanted "latest first of all", the index of pages holds exactly the versions in force. Several types are
read as one bounded range each and merged, because a sort of everything behind the cursor would be a scan.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, false, literal, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal
from regcert.store.many import among
from regcert.store.tables import ObjectRow, table
from regcert.store.visibility import visible
from regcert.taxii.filters import Filters, Versions

_OBJECTS = table(ObjectRow)


class Content(NamedTuple):
    """One object of a page: its place and its bytes."""

    position: int
    body: bytes


class Entry(NamedTuple):
    """One line of a manifest: its place, id and version."""

    position: int
    stix_id: str
    version: str


async def list_content(
    connection: AsyncConnection, principal: Principal, collection_id: int, filters: Filters, after: int, limit: int
) -> list[Content]:
    """List objects behind a place, in the order of their places.

    Args:
        connection: a reader's.
        principal: on whose behalf.
        collection_id: of which collection.
        filters: which of them.
        after: only those behind this position.
        limit: at most this many.
    """
    columns = [_OBJECTS.c.position, _OBJECTS.c.body]
    query = _page(connection, columns, principal, collection_id, filters, after, limit)
    return [Content(*row) for row in (await connection.execute(query)).all()]


async def list_entries(
    connection: AsyncConnection, principal: Principal, collection_id: int, filters: Filters, after: int, limit: int
) -> list[Entry]:
    """List the manifest lines of objects behind a place; arguments as for `list_content`."""
    columns = [_OBJECTS.c.position, _OBJECTS.c.stix_id, _OBJECTS.c.version]
    query = _page(connection, columns, principal, collection_id, filters, after, limit)
    return [Entry(*row) for row in (await connection.execute(query)).all()]


async def has_object(connection: AsyncConnection, principal: Principal, collection_id: int, stix_id: str) -> bool:
    """Tell whether any version of an object is in a collection that the principal may see."""
    query = select(_OBJECTS.c.position).where(
        _OBJECTS.c.collection_id == collection_id,
        _is_visible(principal, collection_id),
        _OBJECTS.c.stix_id == stix_id,
    )
    return (await connection.execute(query.limit(1))).first() is not None


def _page(
    connection: AsyncConnection,
    columns: Sequence[ColumnElement[Any]],
    principal: Principal,
    collection_id: int,
    filters: Filters,
    after: int,
    limit: int,
) -> Select[Any]:
    position: ColumnElement[Any] = _OBJECTS.c.position
    if filters.ids is not None:
        position = position + 0  # SQLite would read on from the place and compare every id; so it looks the ids up, and sorts
    query = (
        select(*columns)
        .where(
            _OBJECTS.c.collection_id == collection_id,
            # Not only in the flow that found the collection: every query asks for itself what may be seen (law 5).
            _is_visible(principal, collection_id),
            position > max(after, filters.added_after_us or 0),
            version_condition(filters.versions or Versions(), filters.added_after_us or 0),
        )
        .order_by(position)
        .limit(limit)
    )
    if filters.spec_versions is not None and "2.1" not in filters.spec_versions:
        return query.where(false())  # nothing else is ever stored
    if filters.ids is not None:
        query = query.where(among(connection, _OBJECTS.c.stix_id, filters.ids))
    if filters.types is None:
        return query
    if len(filters.types) == 1:
        return query.where(_OBJECTS.c.type == filters.types[0])
    parts = [select(query.where(_OBJECTS.c.type == one).subquery()) for one in filters.types]
    merged = union_all(*parts).subquery()
    return select(merged).order_by(merged.c.position).limit(limit)


def _is_visible(principal: Principal, collection_id: int) -> ColumnElement[bool]:
    """Ask it once for the whole page: the condition does not depend on the row."""
    return literal(collection_id).in_(visible(principal))


def version_condition(versions: Versions, added_after_us: int) -> ColumnElement[bool]:
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
