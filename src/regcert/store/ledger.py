"""The ledger that correlation reads: mentions and sightings in the order of their places, and what they sum up to.

The order of positions is the outbox. Correlation remembers the place up to which it has read, and what lies behind that place
is, in commit order, exactly what it has not seen. Holdings are sums over mentions: new mentions are added to them, and those
whose mentions were superseded, withdrawn or deleted are summed up again from nothing. Both are set operations that run
inside the database.
"""

import hashlib
from collections.abc import Collection as Values
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Executable,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.clock import DAY_US
from regcert.stix.observable import Observable
from regcert.store.database import Tx
from regcert.store.many import among_keys, chunks, insert_selected, larger, smaller
from regcert.store.tables import (
    ActivityRow,
    CollectionRow,
    CorrelatedRow,
    HoldingRow,
    HostOrder,
    MentionRow,
    ObjectRow,
    SightingRow,
    TeamRow,
    TombstoneRow,
    table,
)

_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_SIGHTINGS = table(SightingRow)
_COLLECTIONS = table(CollectionRow)
_HOLDINGS = table(HoldingRow)
_ACTIVITY = table(ActivityRow)
_MARK = table(CorrelatedRow)
_TEAMS = table(TeamRow)
_TOMBSTONES = table(TombstoneRow)

ScopedKey = tuple[str, bytes]

_FROM: BindParameter[int] = bindparam("span_from", type_=BigInteger)
_TO: BindParameter[int] = bindparam("span_to", type_=BigInteger)


def in_span(position: ColumnElement[Any]) -> ColumnElement[bool]:
    """Ask for a position within a stretch of the ledger, whose `bounds` are given when the statement is run."""
    return and_(position > _FROM, position <= _TO)


def bounds(span: tuple[int, int]) -> dict[str, int]:
    """Name the bounds of a stretch: positions behind the first, up to and with the second."""
    return {"span_from": span[0], "span_to": span[1]}


def observable_key(observable: Observable) -> bytes:
    """Return the 16 bytes that stand for a value in every table."""
    return hashlib.sha256(f"{observable.kind.value}\0{observable.value}".encode()).digest()[:16]


async def find_span(connection: AsyncConnection, most: int) -> tuple[int, int] | None:
    """Find the next stretch of the ledger that correlation has not read.

    Args:
        connection: any.
        most: about how many mentions it may hold.

    Returns:
        Positions (from, to], or None where there is nothing new.
    """
    mark: int = (await connection.execute(select(_MARK.c.position))).scalar_one()
    end: int = (await connection.execute(select(table(HostOrder).c.position))).scalar_one()
    if end <= mark:
        return None
    cut = select(_MENTIONS.c.position).where(_MENTIONS.c.position > mark).order_by(_MENTIONS.c.position)
    nth = (await connection.execute(cut.offset(most).limit(1))).scalar()
    return mark, end if nth is None else nth


async def move_mark(tx: Tx, position: int) -> None:
    """Remember the place up to which correlation has read."""
    await tx.connection.execute(update(_MARK).values(position=position))


async def match_sightings(tx: Tx, span: tuple[int, int]) -> set[ScopedKey]:
    """Let sightings that name an indicator say what they saw: each value of the indicator, within one scope.

    New sightings find old indicators, and new indicators find the sightings that waited for them.

    Returns:
        The values of sightings that lie before the span, whose holdings must be summed up again.
    """
    for statement in _match_statements(tx.connection.dialect.name):
        await tx.connection.execute(statement, bounds(span))
    return {(scope, key) for scope, key in await tx.connection.execute(_WAITED, bounds(span))}


# Statements are built once: to build one costs as much as to read a short stretch by it.
@cache
def _match_statements(dialect: str) -> tuple[Executable, Executable]:
    known = _MENTIONS.c.position + 0 <= _TO  # found by its id: PostgreSQL would read all that came before
    new_sighting = and_(in_span(_SIGHTINGS.c.position), known)
    new_indicator = and_(in_span(_MENTIONS.c.position), _SIGHTINGS.c.position <= _FROM)
    first, second = (
        insert_selected(dialect, _MENTIONS, _matches(condition)).on_conflict_do_nothing()
        for condition in (new_sighting, new_indicator)
    )
    return first, second


_WAITED = (
    select(_COLLECTIONS.c.scope, _MENTIONS.c.key)
    .join(_SIGHTINGS, _SIGHTINGS.c.indicator_id == _MENTIONS.c.stix_id)
    .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _SIGHTINGS.c.collection_id)
    .where(in_span(_MENTIONS.c.position), _SIGHTINGS.c.position <= _FROM)
    .distinct()
)


def _matches(condition: ColumnElement[bool]) -> Select[Any]:
    """Build the mentions that sightings make through the indicators they name."""
    seen, said, named = _COLLECTIONS.alias("seen"), _COLLECTIONS.alias("said"), _OBJECTS.alias("named")
    return (
        select(
            _SIGHTINGS.c.position,
            _MENTIONS.c.key,
            _SIGHTINGS.c.collection_id,
            func.coalesce(_OBJECTS.c.stix_id, "").label("stix_id"),
            _SIGHTINGS.c.team_id,
            _TEAMS.c.identity_id.label("origin"),
            _SIGHTINGS.c.kind.label("said"),
            _SIGHTINGS.c.count,
            _SIGHTINGS.c.first_us,
            _SIGHTINGS.c.last_us,
            larger(_SIGHTINGS.c.marking, _MENTIONS.c.marking).label("marking"),
        )
        .join(_MENTIONS, and_(_MENTIONS.c.stix_id == _SIGHTINGS.c.indicator_id, _MENTIONS.c.said == "published"))
        # Only what the indicator says now: what an older version of it named was not what was seen.
        .join(named, and_(named.c.position == _MENTIONS.c.position, named.c.superseded_by == 0))
        .join(_TEAMS, _TEAMS.c.team_id == _SIGHTINGS.c.team_id)
        .outerjoin(_OBJECTS, _OBJECTS.c.position == _SIGHTINGS.c.position)
        .join(seen, seen.c.collection_id == _SIGHTINGS.c.collection_id)
        .join(said, said.c.collection_id == _MENTIONS.c.collection_id)
        .where(condition, seen.c.scope == said.c.scope, _SIGHTINGS.c.kind != "expired")
    )


async def fold_mentions(tx: Tx, span: tuple[int, int]) -> None:
    """Add the mentions of a span to the holdings."""
    await tx.connection.execute(_fold_statement(tx.connection.dialect.name), bounds(span))


@cache
def _fold_statement(dialect: str) -> Executable:
    return _add_up(dialect, in_span(_MENTIONS.c.position))


async def find_withdrawn(tx: Tx, span: tuple[int, int]) -> set[ScopedKey]:
    """Find the values whose older mentions a span superseded, withdrew or deleted."""
    return {(scope, key) for scope, key in await tx.connection.execute(_withdrawn(), bounds(span))}


@cache
def _withdrawn() -> Select[Any]:
    older = _MENTIONS.alias("older")
    newer = union_all(
        *(
            select(changed.c.collection_id, changed.c.stix_id, changed.c.position).where(in_span(changed.c.position))
            for changed in (_OBJECTS, _TOMBSTONES)
        )
    ).subquery()
    return (
        select(_COLLECTIONS.c.scope, older.c.key)
        .join(newer, and_(newer.c.stix_id == older.c.stix_id, newer.c.collection_id == older.c.collection_id))
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == older.c.collection_id)
        .where(older.c.position != newer.c.position)
        .distinct()
    )


async def rebuild_holdings(tx: Tx, values: Values[ScopedKey], end: int) -> None:
    """Sum up from nothing what is held of some values, as far as the ledger was read.

    What lies behind `end` is added when it is read; to count it here, too, would count it twice.
    """
    for some in chunks({key for _, key in values}):
        mentioned = among_keys(tx.connection, _MENTIONS.c.key, some)
        # What a deleted object mentioned was kept until here, so that its values could be found; now it goes.
        orphaned = and_(
            ~exists().where(_OBJECTS.c.position == _MENTIONS.c.position),
            ~exists().where(_SIGHTINGS.c.position == _MENTIONS.c.position),
        )
        await tx.connection.execute(delete(_MENTIONS).where(mentioned, orphaned))
        await tx.connection.execute(delete(_HOLDINGS).where(among_keys(tx.connection, _HOLDINGS.c.key, some)))
        await tx.connection.execute(_add_up(tx.connection.dialect.name, and_(mentioned, _MENTIONS.c.position <= end)))


def _in_force() -> ColumnElement[bool]:
    """A mention counts while its object is the newest version; a report that is no object counts for ever."""
    return or_(
        and_(_OBJECTS.c.position.is_not(None), _OBJECTS.c.superseded_by == 0),
        exists().where(_SIGHTINGS.c.position == _MENTIONS.c.position, _OBJECTS.c.position.is_(None)),
    )


def _sums(condition: ColumnElement[bool]) -> Select[Any]:
    said, count = _MENTIONS.c.said, _MENTIONS.c.count
    return (
        select(
            _MENTIONS.c.key,
            _COLLECTIONS.c.scope,
            _MENTIONS.c.team_id,
            _MENTIONS.c.origin,
            func.min(_MENTIONS.c.first_us).label("first_us"),
            func.max(_MENTIONS.c.last_us).label("last_us"),
            (func.max(case((said == "published", 1), else_=0)) == 1).label("published"),
            func.sum(case((said == "positive", count), else_=0)).label("positives"),
            func.sum(case((said == "negative", count), else_=0)).label("negatives"),
            (func.max(case((said == "false-positive", 1), else_=0)) == 1).label("false_positive"),
            func.max(_MENTIONS.c.marking).label("marking"),
        )
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .outerjoin(_OBJECTS, _OBJECTS.c.position == _MENTIONS.c.position)
        .where(condition, _MENTIONS.c.first_us.is_not(None), _in_force())
        .group_by(_MENTIONS.c.key, _COLLECTIONS.c.scope, _MENTIONS.c.team_id, _MENTIONS.c.origin)
    )


def _add_up(dialect: str, condition: ColumnElement[bool]) -> Executable:
    new = insert_selected(dialect, _HOLDINGS, _sums(condition))
    held, more = _HOLDINGS.c, new.excluded
    summed: Executable = new.on_conflict_do_update(
        index_elements=[held.key, held.scope, held.team_id, held.origin],
        set_={
            "first_us": smaller(held.first_us, more.first_us),
            "last_us": larger(held.last_us, more.last_us),
            "published": or_(held.published, more.published),
            "positives": held.positives + more.positives,
            "negatives": held.negatives + more.negatives,
            "false_positive": or_(held.false_positive, more.false_positive),
            "marking": larger(held.marking, more.marking),
        },
    )
    return summed


async def count_activity(tx: Tx, span: tuple[int, int]) -> None:
    """Count, by day of event, what the teams told within a span: objects that hold something, and sightings."""
    await tx.connection.execute(_activity_statement(tx.connection.dialect.name), bounds(span))


@cache
def _activity_statement(dialect: str) -> Executable:
    day = _MENTIONS.c.first_us // DAY_US
    published = case((_MENTIONS.c.said == "published", 1), else_=0)
    sums = (
        select(
            _COLLECTIONS.c.scope,
            day.label("day"),
            _MENTIONS.c.team_id,
            func.sum(published).label("published"),
            func.sum(1 - published).label("sighted"),
        )
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .where(in_span(_MENTIONS.c.position), _MENTIONS.c.first_us.is_not(None))
        .group_by(_COLLECTIONS.c.scope, day, _MENTIONS.c.team_id)
    )
    new = insert_selected(dialect, _ACTIVITY, sums)
    held, more = _ACTIVITY.c, new.excluded
    counted: Executable = new.on_conflict_do_update(
        index_elements=[held.scope, held.day, held.team_id],
        set_={"published": held.published + more.published, "sighted": held.sighted + more.sighted},
    )
    return counted
