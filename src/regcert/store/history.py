"""The ledger as it was, read part by part for whoever exports it.

A part is a stretch of positions that correlation has read. It is read in batches, so neither a table nor a large part is ever in
memory. Parts are written once: what a later stretch takes out of force is told by that stretch, and so are the sightings that
waited for an indicator of it, which stand at places before it.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    LargeBinary,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from regcert.domain.submission import Vouched
from regcert.stix.derived import find_parents
from regcert.stix.object import read_name
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.incident_tables import CorrelatedRow, HeldBackRow, IncidentRow
from regcert.store.ledger import in_span, observable_key
from regcert.store.many import among_listed
from regcert.store.programs import Program, Statement
from regcert.store.tables import (
    CollectionRow,
    MentionRow,
    ObjectRow,
    ObservableRow,
    SightingRow,
    TeamRow,
    TieRow,
    TombstoneRow,
    table,
)

_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_SIGHTINGS = table(SightingRow)
_TIES = table(TieRow)
_TOMBSTONES = table(TombstoneRow)
_OBSERVABLES = table(ObservableRow)
_COLLECTIONS = table(CollectionRow)
_TEAMS = table(TeamRow)
_MARK = table(CorrelatedRow)
_INCIDENTS = table(IncidentRow)
_HELD = table(HeldBackRow)

Rows = list[tuple[Any, ...]]
# What has a name that an incident may go by; the bodies of all else need not be read.
_NAMED = ("campaign", "grouping", "incident", "intrusion-set", "malware", "report")

_FROM: BindParameter[int] = bindparam("span_from", type_=BigInteger)


def find_read() -> Program[int]:
    """Find the position up to which correlation has read the ledger."""
    [(position,)] = yield _READ, {}
    return int(position)


_READ = Statement(lambda _: select(_MARK.c.position))


def find_cut(start: int, end: int, most: int) -> Program[int]:
    """Find how far a stretch behind `start` may go so that it holds about so many rows of each kind, and not beyond `end`.

    Args:
        start: the position that it begins behind.
        end: the position that it ends with at the latest.
        most: rows of a kind; one object may name more values than that, and is not parted.
    """
    [places] = yield _CUT, {"start": start, "most": most - 1}
    return min((place for place in places if place is not None and place < end), default=end)


def _nth(rows: FromClause) -> ScalarSelect[int]:
    behind = select(rows.c.position).where(rows.c.position > bindparam("start", type_=BigInteger)).order_by(rows.c.position)
    return behind.offset(bindparam("most", type_=BigInteger)).limit(literal_column("1")).scalar_subquery()


_CUT = Statement(lambda _: select(*(_nth(rows) for rows in (_MENTIONS, _OBJECTS, _TIES, _TOMBSTONES))))


def read_mentions(start: int, cut: int) -> Program[Rows]:
    """Read what the objects and reports of a stretch name, as far as they are in force."""
    return _read_mentions((yield _MENTIONED, {"span_from": start, "span_to": cut}))


def _read_mentions(rows: Iterable[Sequence[Any]]) -> Rows:
    # SQLite knows no booleans.
    return [(*row, bool(signed), *_find_parents(row[2], row[3])) for *row, signed in rows]


@lru_cache(maxsize=1 << 14)
def _find_parents(kind: str, value: str) -> tuple[bytes | None, bytes | None]:
    parents = [observable_key(one) for one in find_parents(Observable(ObservableKind(kind), value))]
    nearest, farther, *_ = (*parents, None, None)
    return nearest, farther


def _mentions(where: Iterable[ColumnElement[bool]]) -> Select[Any]:
    # A report that is no object is in force for ever.
    reported = exists().where(_SIGHTINGS.c.position == _MENTIONS.c.position, _OBJECTS.c.position.is_(None))
    signed = and_(_MENTIONS.c.said == "published", func.coalesce(_OBJECTS.c.vouched, "") == Vouched.SIGNED.value)
    return (
        select(
            _MENTIONS.c.position,
            _MENTIONS.c.key,
            _OBSERVABLES.c.kind,
            _OBSERVABLES.c.value,
            _COLLECTIONS.c.scope,
            _COLLECTIONS.c.slug.label("collection"),
            _MENTIONS.c.stix_id,
            _TEAMS.c.slug.label("team"),
            _TEAMS.c.country,
            _TEAMS.c.kind.label("team_kind"),
            _MENTIONS.c.origin,
            _MENTIONS.c.said,
            _MENTIONS.c.count,
            _MENTIONS.c.first_us,
            _MENTIONS.c.last_us,
            _MENTIONS.c.marking,
            case((signed, literal_column("1")), else_=literal_column("0")).label("signed"),
        )
        .join_from(_MENTIONS, _OBSERVABLES, _OBSERVABLES.c.key == _MENTIONS.c.key)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .join(_TEAMS, _TEAMS.c.team_id == _MENTIONS.c.team_id)
        .outerjoin(_OBJECTS, _OBJECTS.c.position == _MENTIONS.c.position)
        .where(*where, or_(_OBJECTS.c.superseded_by == 0, reported))
    )


_MENTIONED = Statement(lambda _: _mentions([in_span(_MENTIONS.c.position)]))


def find_awaited(start: int, cut: int, waiting: int) -> Program[list[str]]:
    """Find the indicators of a stretch that earlier sightings waited for.

    Args:
        start: positions behind this one,
        cut: up to and with this one.
        waiting: the sightings up to this position.
    """
    return [stix_id for (stix_id,) in (yield _AWAITED, {"span_from": start, "span_to": cut, "waiting": waiting})]


_AWAITED = Statement(
    lambda _: (
        select(_OBJECTS.c.stix_id)
        .where(
            in_span(_OBJECTS.c.position),
            exists().where(
                _SIGHTINGS.c.indicator_id == _OBJECTS.c.stix_id,
                _SIGHTINGS.c.position + 0 <= bindparam("waiting", type_=BigInteger),
            ),
        )
        .distinct()
    )
)


def read_late(indicators: Iterable[str], after: int, waiting: int, most: int) -> Program[tuple[Rows, int | None]]:
    """Read what earlier sightings name by now, some indicators having come.

    What such a sighting named before, through an older version of one, is read again: the row is the same.

    Args:
        indicators: which.
        after: sightings behind this position; -1 to begin.
        waiting: and up to this one.
        most: how many sightings.

    Returns:
        The rows, and the position to go on behind; None where there is no more.
    """
    asked = {"named": tuple(indicators), "span_from": after, "span_to": waiting, "most": most}
    positions = tuple(position for (position,) in (yield _WAITING, asked))
    if not positions:
        return [], None
    rows = yield _LATE, {"span_from": after, "span_to": positions[-1], "named": asked["named"]}
    return _read_mentions(rows), positions[-1] if len(positions) == most else None


_WAITING = Statement(
    lambda dialect: (
        select(_SIGHTINGS.c.position)
        .where(
            among_listed(dialect, _SIGHTINGS.c.indicator_id, bindparam("named")),
            _SIGHTINGS.c.position + 0 > _FROM,
            _SIGHTINGS.c.position + 0 <= bindparam("span_to", type_=BigInteger),
        )
        .order_by(_SIGHTINGS.c.position)
        .limit(bindparam("most", type_=BigInteger))
    )
)


def _late(dialect: str) -> Select[Any]:
    waiting = (
        select(_SIGHTINGS.c.position)
        .where(
            among_listed(dialect, _SIGHTINGS.c.indicator_id, bindparam("named")),
            _SIGHTINGS.c.position + 0 > _FROM,
            _SIGHTINGS.c.position + 0 <= bindparam("span_to", type_=BigInteger),
        )
        .subquery("waiting")
    )
    return _mentions([_MENTIONS.c.position.in_(select(waiting.c.position))])


_LATE = Statement(_late)


def read_objects(start: int, cut: int) -> Program[Rows]:
    """Read the objects of a stretch that are in force, and what those are called that name incidents."""
    rows = yield _IN_FORCE, {"span_from": start, "span_to": cut}
    return [(*head, None if body is None else read_name(bytes(body))) for *head, body in rows]


_IN_FORCE = Statement(
    lambda _: (
        select(
            _OBJECTS.c.position,
            _COLLECTIONS.c.scope,
            _COLLECTIONS.c.slug.label("collection"),
            _OBJECTS.c.stix_id,
            _OBJECTS.c.type,
            _OBJECTS.c.version_us,
            _OBJECTS.c.author,
            _OBJECTS.c.vouched,
            _OBJECTS.c.marking,
            _TEAMS.c.slug.label("team"),
            case((_OBJECTS.c.type.in_([literal_column(f"'{name}'") for name in _NAMED]), _OBJECTS.c.body)).label("body"),
        )
        .join_from(_OBJECTS, _COLLECTIONS, _COLLECTIONS.c.collection_id == _OBJECTS.c.collection_id)
        .join(_TEAMS, _TEAMS.c.team_id == _OBJECTS.c.team_id)
        .where(in_span(_OBJECTS.c.position), _OBJECTS.c.superseded_by == 0)
    )
)


def read_ties(start: int, cut: int) -> Program[Rows]:
    """Read which objects a stretch says belong to which reports and campaigns."""
    return [tuple(row) for row in (yield _TIED, {"span_from": start, "span_to": cut})]


_TIED = Statement(
    lambda _: (
        select(
            _TIES.c.position,
            _COLLECTIONS.c.scope,
            _COLLECTIONS.c.slug.label("collection"),
            _TIES.c.member_id,
            _TIES.c.context_id,
        )
        .join_from(_TIES, _COLLECTIONS, _COLLECTIONS.c.collection_id == _TIES.c.collection_id)
        .where(in_span(_TIES.c.position))
    )
)


def read_gone(start: int, cut: int) -> Program[Rows]:
    """Read the places that a stretch took out of force: superseded by what it holds, or deleted."""
    return [tuple(row) for row in (yield _GONE, {"span_from": start, "span_to": cut})]


def _gone(_dialect: str) -> Any:
    older = _OBJECTS.alias("older")
    superseded = (
        select(_OBJECTS.c.position, older.c.position.label("was"))
        .join_from(
            _OBJECTS,
            older,
            and_(
                older.c.collection_id == _OBJECTS.c.collection_id,
                older.c.stix_id == _OBJECTS.c.stix_id,
                older.c.version_us < _OBJECTS.c.version_us,
            ),
        )
        .where(in_span(_OBJECTS.c.position))
    )
    deleted = select(_TOMBSTONES.c.position, _TOMBSTONES.c.was).where(in_span(_TOMBSTONES.c.position))
    return union_all(superseded, deleted)


_GONE = Statement(_gone)


def read_incidents(after: str, most: int) -> Program[Rows]:
    """Read (id, summary) of incidents of every scope, in the order of their ids; nobody but the operator is shown these."""
    return [tuple(row) for row in (yield _INCIDENTS_BEHIND, {"after": after, "most": most})]


_INCIDENTS_BEHIND = Statement(
    lambda _: (
        select(_INCIDENTS.c.incident_id, _INCIDENTS.c.summary)
        .where(_INCIDENTS.c.incident_id > bindparam("after", type_=String))
        .order_by(_INCIDENTS.c.incident_id)
        .limit(bindparam("most", type_=BigInteger))
    )
)


def read_held(scope: str, after: bytes, most: int) -> Program[Rows]:
    """Read (key, kind, value, countries, reason) of the values that a scope holds back, in the order of their keys."""
    return [tuple(row) for row in (yield _HELD_BEHIND, {"scope": scope, "after": after, "most": most})]


_HELD_BEHIND = Statement(
    lambda _: (
        select(_HELD.c.key, _OBSERVABLES.c.kind, _OBSERVABLES.c.value, _HELD.c.countries, _HELD.c.reason)
        .join_from(_HELD, _OBSERVABLES, _OBSERVABLES.c.key == _HELD.c.key)
        .where(_HELD.c.scope == bindparam("scope", type_=String), _HELD.c.key > bindparam("after", type_=LargeBinary))
        .order_by(_HELD.c.key)
        .limit(bindparam("most", type_=BigInteger))
    )
)


def list_scopes() -> Program[list[str]]:
    """List every scope of the host."""
    return [scope for (scope,) in (yield _SCOPES, {})]


_SCOPES = Statement(lambda _: select(_COLLECTIONS.c.scope).distinct().order_by(_COLLECTIONS.c.scope))
