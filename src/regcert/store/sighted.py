"""What the ledger says about one thing: a value, an indicator, anything else that has a STIX id, or a technique.

Everything is read team by team, the newest first, and no farther back than a bound: a team that reports one value a million
times costs what the bound costs, and hides nobody else's word. Nothing is summed up beforehand: a row for every value, hour and
team would be a fifth of what a sighting takes on disk, and would have to be taken back with every version that is superseded.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    true,
)

from regcert.clock import HOUR_US
from regcert.domain.principal import Principal
from regcert.domain.sighting import Hour, Seen, Sighting, SightingKind
from regcert.stix.observable import Observable
from regcert.stix.tlp import Tlp
from regcert.store.ledger import in_scope, observable_key
from regcert.store.programs import Program, Statement
from regcert.store.tables import EXPIRED, CollectionRow, MentionRow, ObjectRow, SightingRow, TeamRow, table
from regcert.store.visibility import visible

# Of each team in each collection. Who reports one thing more often counts on, and only the newest are told by the hour.
MOST_REPORTS_A_TEAM = 2000
MOST_LOOKED_AT = 5000
MOST_SUBJECTS = 50
_BEHIND_ALL = 2**62

_SIGHTINGS = table(SightingRow)
_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_COLLECTIONS = table(CollectionRow)
_TEAMS = table(TeamRow)

_MOST: BindParameter[int] = bindparam("most", type_=BigInteger)
_BEFORE: BindParameter[int] = bindparam("before", type_=BigInteger)

# A value, or the STIX id or technique of anything else.
Named: TypeAlias = Observable | str


@dataclass(frozen=True, slots=True)
class Hours:
    """How often something was seen, by hour, country and kind, in their order.

    Args:
        hours: each that has any report.
        is_whole: whether every report is in it; else the newest 2,000 of each team are.
        marking: the strictest of the reports'.
    """

    hours: tuple[Hour, ...]
    is_whole: bool
    marking: Tlp


def list_sightings(principal: Principal, named: Named, before: int | None, most: int) -> Program[list[Sighting]]:
    """List what the ledger says about one thing, as far as a principal may see it, the newest entry first.

    Args:
        principal: on whose behalf.
        named: about what.
        before: only entries before this place, or None to begin.
        most: at most this many.
    """
    seen = visible(principal)
    found: list[Sighting] = []
    asked = _asked(named) | {"before": _BEHIND_ALL if before is None else before, "most": most}
    for source in _sources(named):
        for position, team, country, kind, subject, count, first_us, last_us, sector, marking in (
            yield _listing(seen, source), asked
        ):
            found.append(
                Sighting(
                    position, team, country, SightingKind(kind), subject, count, first_us, last_us, sector, Tlp(marking)
                )
            )  # fmt: skip
    return sorted(found, key=attrgetter("position"), reverse=True)[:most]


def sum_up_hours(principal: Principal, named: Named) -> Program[Hours]:
    """Sum up by hour what the ledger says about one thing, as far as a principal may see it.

    A report counts in the hour in which it says that the thing was first seen.
    """
    asked = _asked(named) | {"before": _BEHIND_ALL, "most": MOST_REPORTS_A_TEAM}
    sums: defaultdict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    read: defaultdict[tuple[int, int, str], int] = defaultdict(int)
    marking = Tlp.CLEAR
    for source in _sources(named):
        rows = yield _hourly(visible(principal), source), asked
        for collection_id, team_id, country, hour, kind, reports, count, strictest in rows:
            read[collection_id, team_id, source.name] += reports
            of_hour = sums[hour, country, kind]
            of_hour[0] += reports
            of_hour[1] += int(count)
            marking = max(marking, Tlp(strictest))
    hours = (Hour(hour * HOUR_US, country, SightingKind(kind), *told) for (hour, country, kind), told in sorted(sums.items()))
    return Hours(tuple(hours), all(number < MOST_REPORTS_A_TEAM for number in read.values()), marking)


def load_reported(scope: str, subjects: Sequence[str], ceiling: Tlp = Tlp.RED) -> Program[dict[str, tuple[Seen, ...]]]:
    """Load what is reported within a scope about things that are no values: campaigns, malware, techniques.

    Args:
        scope: within which audience.
        subjects: STIX ids and techniques; at most 50 are looked up.
        ceiling: only reports that are marked no stricter than this.

    Returns:
        Of each that somebody reported, what each team says of each kind; sums of the newest 2,000 reports of each team.
    """
    found: dict[str, tuple[Seen, ...]] = {}
    for subject in subjects[:MOST_SUBJECTS]:
        asked = {"named": subject, "scope": scope, "ceiling": int(ceiling), "before": _BEHIND_ALL, "most": MOST_REPORTS_A_TEAM}
        rows = yield _REPORTED, asked
        if rows:
            found[subject] = tuple(
                Seen(team, country, SightingKind(kind), reports, int(count), first_us, last_us)
                for team, country, kind, reports, count, first_us, last_us in rows
            )
    return found


def _sources(named: Named) -> "tuple[_Source, ...]":
    return _OF_VALUE if isinstance(named, Observable) else _OF_SUBJECT


def _asked(named: Named) -> dict[str, Any]:
    return {"named": observable_key(named) if isinstance(named, Observable) else named}


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows that stand for entries of the ledger.

    Args:
        name: of the source.
        rows: with their position, collection and team.
        about: finds those about one thing by an index.
        is_told: tells them from others that the same index finds.
    """

    name: str
    rows: FromClause
    about: ColumnElement[bool]
    is_told: ColumnElement[bool] | None = None


_NAMING = _SIGHTINGS.alias("naming")
_KEY: BindParameter[bytes] = bindparam("named", type_=LargeBinary)
_OF_VALUE = (
    _Source("mentions", _MENTIONS, _MENTIONS.c.key == _KEY, _MENTIONS.c.said != "published"),
    # That it has expired is no mention.
    _Source("expired", _NAMING, and_(_NAMING.c.key == _KEY, text(EXPIRED))),
)
_OF_SUBJECT = (_Source("named", _NAMING, _NAMING.c.indicator_id == bindparam("named", type_=String)),)


def _entries(dialect: str, source: _Source, places: ColumnElement[bool], *columns: Any) -> Select[Any]:
    """Select from the entries of the ledger that each team's newest rows in some collections stand for, and that are in force."""
    rows = source.rows.c
    of_team = [rows.collection_id == _COLLECTIONS.c.collection_id, rows.team_id == _TEAMS.c.team_id]
    newest = (
        select(rows.position)
        .where(source.about, *of_team, rows.position < _BEFORE)
        .order_by(rows.position.desc())
        .correlate(_COLLECTIONS, _TEAMS)
    )
    if source.is_told is None:
        newest = newest.limit(_MOST)
    else:
        # Who publishes a value again and again must not make us read all of that.
        near = newest.add_columns(source.is_told.label("is_told")).limit(MOST_LOOKED_AT).subquery("near")
        newest = select(near.c.position).where(near.c.is_told).order_by(near.c.position.desc()).limit(_MOST)
        newest = newest.correlate(_COLLECTIONS, _TEAMS)
    joined: Any = _COLLECTIONS.join(_TEAMS, true())
    if dialect == "sqlite":  # which knows no LATERAL; PostgreSQL would not begin with a list that depends on the row
        joined = joined.join(_SIGHTINGS, _SIGHTINGS.c.position.in_(newest))
    else:
        lateral = newest.lateral("newest")
        joined = joined.join(lateral, true()).join(_SIGHTINGS, _SIGHTINGS.c.position == lateral.c.position)
    joined = joined.outerjoin(_OBJECTS, _OBJECTS.c.position == _SIGHTINGS.c.position)
    in_force = or_(_OBJECTS.c.position.is_(None), _OBJECTS.c.superseded_by == 0)
    return select(*columns).select_from(joined).where(places, in_force)


_LISTED = (
    _SIGHTINGS.c.position, _TEAMS.c.slug, _TEAMS.c.country, _SIGHTINGS.c.kind, _SIGHTINGS.c.indicator_id, _SIGHTINGS.c.count,
    _SIGHTINGS.c.first_us, _SIGHTINGS.c.last_us, _SIGHTINGS.c.sector, _SIGHTINGS.c.marking,
)  # fmt: skip
_HOUR = (_SIGHTINGS.c.first_us // HOUR_US).label("hour")
_OF_TEAM = (_SIGHTINGS.c.collection_id, _SIGHTINGS.c.team_id, _TEAMS.c.country, _HOUR, _SIGHTINGS.c.kind)
_SUMS = (func.count().label("reports"), func.sum(_SIGHTINGS.c.count).label("count"))


@lru_cache(maxsize=512)
def _listing(seen: Select[int], source: _Source) -> Statement:
    places = _COLLECTIONS.c.collection_id.in_(seen)
    newest_first = _SIGHTINGS.c.position.desc()
    return Statement(lambda dialect: _entries(dialect, source, places, *_LISTED).order_by(newest_first).limit(_MOST))


@lru_cache(maxsize=512)
def _hourly(seen: Select[int], source: _Source) -> Statement:
    places = _COLLECTIONS.c.collection_id.in_(seen)
    strictest = func.max(_SIGHTINGS.c.marking)
    return Statement(lambda dialect: _entries(dialect, source, places, *_OF_TEAM, *_SUMS, strictest).group_by(*_OF_TEAM))


def _reported(dialect: str) -> Select[Any]:
    of_team = (_TEAMS.c.slug, _TEAMS.c.country, _SIGHTINGS.c.kind)
    span = (func.min(_SIGHTINGS.c.first_us), func.max(_SIGHTINGS.c.last_us))
    [source] = _OF_SUBJECT
    told = _entries(dialect, source, in_scope(_COLLECTIONS.c.collection_id), *of_team, *_SUMS, *span)
    told = told.where(_SIGHTINGS.c.marking <= bindparam("ceiling", type_=Integer))
    return told.group_by(*of_team).order_by(*of_team)


_REPORTED = Statement(_reported)
