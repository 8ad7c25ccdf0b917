"""The ledger that correlation reads: mentions and sightings in the order of their places.

The order of positions is the outbox. Correlation remembers the place up to which it has read, and what lies behind that place
is, in commit order, exactly what it has not seen.

An object's mentions are found by its place, and its place by its id within its collection: mentions have no index by id, which
would be one more random write for every value that is posted.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
    update,
)

from regcert.correlation.cluster import MOST_KEYS_A_CONTEXT
from regcert.stix.observable import Observable
from regcert.store.border_tables import JudgedAnewRow
from regcert.store.incident_tables import CorrelatedRow
from regcert.store.many import among_listed, each_listed, insert_selected, larger
from regcert.store.order import lock_order
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, MentionRow, ObjectRow, SightingRow, TeamRow, TieRow, TombstoneRow, table

_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_SIGHTINGS = table(SightingRow)
_COLLECTIONS = table(CollectionRow)
_MARK = table(CorrelatedRow)
_TEAMS = table(TeamRow)
_TIES = table(TieRow)
_ANEW = table(JudgedAnewRow)
_TOMBSTONES = table(TombstoneRow)

ScopedKey = tuple[str, bytes]

_FROM: BindParameter[int] = bindparam("span_from", type_=BigInteger)
_TO: BindParameter[int] = bindparam("span_to", type_=BigInteger)
_SCOPE: BindParameter[str] = bindparam("scope", type_=String)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the ledger that correlation reads at once.

    Args:
        start: positions behind this one,
        end: up to and with this one.
        is_last: whether the ledger ends there.
        has_sightings, has_ties, has_tombstones: whether there may be any; what is not there need not be asked for.
    """

    start: int
    end: int
    is_last: bool
    has_sightings: bool
    has_ties: bool
    has_tombstones: bool

    @property
    def bounds(self) -> dict[str, int]:
        """The parameters of `in_span`."""
        return {"span_from": self.start, "span_to": self.end}


def in_span(position: ColumnElement[Any]) -> ColumnElement[bool]:
    """Ask for a position within a stretch, whose `bounds` are given when the statement is run."""
    return and_(position > _FROM, position <= _TO)


def mentions_of(objects: FromClause) -> ColumnElement[bool]:
    """Join the mentions of objects, which are found first: a planner that knows no numbers would begin with all mentions."""
    return _MENTIONS.c.position == objects.c.position + 0


def in_scope(collection_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Ask for a collection of the scope that is given when the statement is run."""
    return collection_id.in_(select(_COLLECTIONS.c.collection_id).where(_COLLECTIONS.c.scope == _SCOPE))


def named_in_scope(dialect: str) -> ColumnElement[bool]:
    """Ask for the objects in force within a `scope` whose ids are `named`.

    The ids are read first, and given here: with both in one statement SQLite would make an index of its own over all objects.
    """
    named: BindParameter[Any] = bindparam("named")
    return and_(
        in_scope(_OBJECTS.c.collection_id), among_listed(dialect, _OBJECTS.c.stix_id, named), _OBJECTS.c.superseded_by == 0
    )


def is_beyond(most: int, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Ask whether more ties than so many meet a condition: one look past the last of them."""
    counted: Select[Any] = select(literal_column("1")).select_from(_TIES).where(condition)
    return counted.limit(literal_column("1")).offset(literal_column(str(most))).scalar_subquery().is_not(None)


def by_scope(rows: Iterable[Sequence[Any]]) -> dict[str, set[Any]]:
    """Gather rows of a scope and something of it."""
    found: defaultdict[str, set[Any]] = defaultdict(set)
    for scope, one in rows:
        found[scope].add(one)
    return found


def observable_key(observable: Observable) -> bytes:
    """Return the 16 bytes that stand for a value in every table."""
    return hashlib.sha256(f"{observable.kind.value}\0{observable.value}".encode()).digest()[:16]


def join_keys(keys: Values[bytes]) -> dict[str, bytes]:
    """Write keys as the one parameter that `among_keys` reads."""
    return {"keys": b"".join(sorted(keys))}


def _nth(rows: Table) -> ScalarSelect[int]:
    """Find the place behind so many rows that correlation has not read."""
    behind = select(rows.c.position).where(rows.c.position > _MARK.c.position).order_by(rows.c.position)
    return behind.offset(bindparam("most", type_=BigInteger)).limit(literal_column("1")).scalar_subquery()


def _is_behind_mark(rows: Table) -> ColumnElement[bool]:
    return exists().where(rows.c.position > _MARK.c.position)


_OPEN = Statement(
    lambda _: select(
        _MARK.c.position,
        *(_nth(rows) for rows in (_MENTIONS, _OBJECTS, _SIGHTINGS, _TIES, _ANEW)),
        *(_is_behind_mark(rows) for rows in (_SIGHTINGS, _TIES, _TOMBSTONES)),
    )
)
_CLOSE = Statement(lambda _: update(_MARK).values(position=_TO))


def open_span(most: int) -> Program[Span | None]:
    """Find the next stretch of the ledger that correlation has not read.

    Another process on the same database reads the same ledger: whoever is first moves the mark before the next one looks.

    Args:
        most: about how many mentions, objects, reports or ties it may hold.

    Returns:
        The stretch, or None where there is nothing new.
    """
    end = yield from lock_order()
    [row] = yield _OPEN, {"most": most}
    mark, *places, sightings, ties, tombstones = row
    if end <= mark:
        return None
    cut = min((place for place in places if place is not None), default=end)
    return Span(mark, cut, cut == end, bool(sightings), bool(ties), bool(tombstones))


def close_span(span: Span) -> Program[None]:
    """Remember the place up to which correlation has read."""
    yield _CLOSE, {"span_to": span.end}


def match_sightings(span: Span) -> Program[set[ScopedKey]]:
    """Let sightings that name an indicator say what they saw: each value of the indicator, within one scope.

    New sightings find old indicators, and new indicators find the sightings that waited for them.

    Returns:
        The values of sightings that lie before the stretch, whose holdings must be summed up again.
    """
    if span.has_sightings:
        seen = by_scope((yield _SEEN, span.bounds))
        for scope, indicators in seen.items():
            named = yield _INDICATORS, {"scope": scope, "named": tuple(sorted(indicators)), "span_to": span.end}
            yield _MATCH, _matching(named, span.start, span.end)
    awaited = yield _AWAITED, span.bounds
    matched = (yield _MATCH, _matching(awaited, 0, span.start)) if awaited else ()
    scopes = dict((yield _SCOPES, {})) if matched else {}
    return {(scopes[collection_id], key) for collection_id, key in matched}


def _matching(named: Iterable[Sequence[int]], start: int, end: int) -> dict[str, Any]:
    return {"span_from": start, "span_to": end, "named": tuple(sorted(position for (position,) in named))}


_SEEN = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _SIGHTINGS.c.indicator_id)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _SIGHTINGS.c.collection_id)
        .where(in_span(_SIGHTINGS.c.position), _SIGHTINGS.c.indicator_id.is_not(None))
    )
)
_INDICATORS = Statement(
    lambda dialect: select(_OBJECTS.c.position).where(named_in_scope(dialect), _OBJECTS.c.position + 0 <= _TO)
)
# What came before is found by its id: PostgreSQL would read all of it.
_AWAITED = Statement(
    lambda _: (
        select(_MENTIONS.c.position)
        .join(_SIGHTINGS, _SIGHTINGS.c.indicator_id == _MENTIONS.c.stix_id)
        .where(in_span(_MENTIONS.c.position), _MENTIONS.c.said == "published", _SIGHTINGS.c.position + 0 <= _FROM)
        .distinct()
    )
)


_WHOSE = func.coalesce(_SIGHTINGS.c.origin, _TEAMS.c.identity_id)
# To call it harmless is a vote, and nobody votes for a third party.
SAYS_SOMETHING = and_(_SIGHTINGS.c.kind != "expired", or_(_SIGHTINGS.c.kind != "false-positive", _TEAMS.c.identity_id == _WHOSE))


def said_by_sighting(seen: FromClause) -> tuple[ColumnElement[Any], ...]:
    """List what a mention has that a sighting makes of something with a key and a marking; reporter and object are joined."""
    return (
        _SIGHTINGS.c.position,
        seen.c.key,
        _SIGHTINGS.c.collection_id,
        func.coalesce(_OBJECTS.c.stix_id, "").label("stix_id"),
        _SIGHTINGS.c.team_id,
        _WHOSE.label("origin"),
        _SIGHTINGS.c.kind.label("said"),
        _SIGHTINGS.c.count,
        _SIGHTINGS.c.first_us,
        _SIGHTINGS.c.last_us,
        larger(_SIGHTINGS.c.marking, seen.c.marking).label("marking"),
    )


def _match(dialect: str) -> Any:
    """Build the mentions that the sightings of a span make through the indicators they name, whose places are given."""
    named, seen, said = _OBJECTS.alias("indicators"), _COLLECTIONS.alias("seen"), _COLLECTIONS.alias("said")
    matches = (
        select(*said_by_sighting(_MENTIONS))
        .join_from(named, _SIGHTINGS, _SIGHTINGS.c.indicator_id == named.c.stix_id)
        .join(_MENTIONS, and_(mentions_of(named), _MENTIONS.c.said == "published"))
        .join(_TEAMS, _TEAMS.c.team_id == _SIGHTINGS.c.team_id)
        .outerjoin(_OBJECTS, _OBJECTS.c.position == _SIGHTINGS.c.position)
        .join(seen, seen.c.collection_id == _SIGHTINGS.c.collection_id)
        .join(said, said.c.collection_id == named.c.collection_id)
        .where(
            among_listed(dialect, named.c.position, bindparam("named")),
            # Only what the indicator says now: what an older version of it named was not what was seen.
            named.c.superseded_by == 0,
            _SIGHTINGS.c.position + 0 > _FROM,
            _SIGHTINGS.c.position + 0 <= _TO,
            SAYS_SOMETHING,
            seen.c.scope == said.c.scope,
        )
    )
    new = insert_selected(dialect, _MENTIONS, matches).on_conflict_do_nothing()
    return new.returning(_MENTIONS.c.collection_id, _MENTIONS.c.key)


_MATCH = Statement(_match)
_SCOPES = Statement(lambda _: select(_COLLECTIONS.c.collection_id, _COLLECTIONS.c.scope))


def find_withdrawn(span: Span) -> Program[dict[ScopedKey, set[str]]]:
    """Find the values whose older mentions or ties a stretch superseded, withdrew or deleted, and forget what was deleted.

    Returns:
        Each value with the objects that named it: what they name besides has lost a neighbour.
    """
    withdrawn: defaultdict[ScopedKey, set[str]] = defaultdict(set)
    places = by_scope((yield _SUPERSEDED, span.bounds))
    for scope, gone in by_scope((yield _DELETED, span.bounds) if span.has_tombstones else ()).items():
        places[scope] = places.get(scope, set()) | gone
    for scope, older in places.items():
        asked = {"scope": scope, "named": tuple(sorted(older))}
        for key, named_by in (yield _NAMED_AT, asked):
            withdrawn[scope, key].add(named_by)
        tied = {"scope": scope, "named": tuple(sorted(member for (member,) in (yield _TIED_AT, asked)))}
        for key, _ in (yield _NAMED_BY, tied) if tied["named"] else ():
            withdrawn[scope, key].update()
    if span.has_tombstones:
        yield _FORGET, span.bounds
        yield _UNTIE, span.bounds
    return withdrawn


_OLDER = _OBJECTS.alias("older")
_SUPERSEDED = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _OLDER.c.position)
        .join_from(
            _OBJECTS,
            _OLDER,
            and_(
                _OLDER.c.collection_id == _OBJECTS.c.collection_id,
                _OLDER.c.stix_id == _OBJECTS.c.stix_id,
                _OLDER.c.version_us < _OBJECTS.c.version_us,
            ),
        )
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _OBJECTS.c.collection_id)
        .where(in_span(_OBJECTS.c.position))
    )
)


def _deleted(_dialect: str) -> Any:
    """Where a deleted version was, and where the versions are that its deletion put in force again."""
    gone = (
        select(_COLLECTIONS.c.scope, _TOMBSTONES.c.was.label("position"))
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _TOMBSTONES.c.collection_id)
        .where(in_span(_TOMBSTONES.c.position))
    )
    same = and_(_OBJECTS.c.collection_id == _TOMBSTONES.c.collection_id, _OBJECTS.c.stix_id == _TOMBSTONES.c.stix_id)
    left = (
        select(_COLLECTIONS.c.scope, _OBJECTS.c.position)
        .join_from(_TOMBSTONES, _OBJECTS, same)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _OBJECTS.c.collection_id)
        .where(in_span(_TOMBSTONES.c.position))
    )
    return union(gone, left)


_DELETED = Statement(_deleted)
_NAMED_AT = Statement(
    lambda dialect: select(_MENTIONS.c.key, _MENTIONS.c.stix_id).where(
        among_listed(dialect, _MENTIONS.c.position, bindparam("named"))
    )
)


def _tied_at(dialect: str) -> Any:
    """What some versions tied, but for lists: those join nothing, and to tell all they name anew would help nobody."""
    place = each_listed(dialect, bindparam("named"), BigInteger())
    few = select(place).where(~is_beyond(MOST_KEYS_A_CONTEXT, _TIES.c.position == place))
    return select(_TIES.c.member_id).where(_TIES.c.position.in_(few)).distinct()


_TIED_AT = Statement(_tied_at)
_NAMED_BY = Statement(
    lambda dialect: (
        select(_MENTIONS.c.key, _MENTIONS.c.stix_id)
        .join_from(_OBJECTS, _MENTIONS, mentions_of(_OBJECTS))
        .where(named_in_scope(dialect))
    )
)
# What a deleted object named and tied was kept until here, so that its values could be found.
_FORGET = Statement(
    lambda _: delete(_MENTIONS).where(_MENTIONS.c.position.in_(select(_TOMBSTONES.c.was).where(in_span(_TOMBSTONES.c.position))))
)
_UNTIE = Statement(
    lambda _: delete(_TIES).where(_TIES.c.position.in_(select(_TOMBSTONES.c.was).where(in_span(_TOMBSTONES.c.position))))
)
