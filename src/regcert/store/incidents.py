"""Incidents as last assessed: written by correlation, read page by page on somebody's behalf."""

from collections.abc import Collection as Values
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, LargeBinary, Select, and_, bindparam, delete, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.incident import Incident, Standing
from regcert.domain.principal import Principal
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.incident_tables import AbsorbedRow, ActivityRow, HeldBackRow, IncidentRow, MemberRow
from regcert.store.ledger import join_keys
from regcert.store.many import among_keys, among_listed
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import ObservableRow, TeamRow, table
from regcert.store.visibility import visible_scopes

_INCIDENTS = table(IncidentRow)
_MEMBERS = table(MemberRow)
_ABSORBED = table(AbsorbedRow)
_HELD = table(HeldBackRow)
_ACTIVITY = table(ActivityRow)
_OBSERVABLES = table(ObservableRow)
_TEAMS = table(TeamRow)

_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)

# What stands first, what is usual, what is listed apart.
PINNED, USUAL, DISMISSED = 1, 0, -1
_PLACES = {Standing.PINNED: PINNED, Standing.USUAL: USUAL, Standing.DISMISSED: DISMISSED}

# Standing, rank and id of the last incident of a page.
Place = tuple[int, float, str]
Assessed = tuple[float, Incident, frozenset[bytes]]


def replace_incidents(
    scope: str,
    previous: Mapping[bytes, str],
    before: Mapping[str, Incident],
    assessed: Mapping[str, Assessed],
    absorbed: Mapping[str, str],
) -> Program[None]:
    """Put newly assessed incidents in the place of those that some values belonged to.

    Args:
        scope: in which scope.
        previous: the former incident of each value that had one, with all the values of each.
        before: by id, those incidents as they were: what is the same is not written again.
        assessed: by id, the rank, the incident and its values; a former incident that is not here is gone.
        absorbed: where merged incidents have gone.
    """
    former = set(previous.values())
    present = {key: one for one, (_, _, values) in assessed.items() for key in values}
    if left := [key for key, one in previous.items() if present.get(key) != one]:
        yield _LEAVE, {"scope": scope} | join_keys(left)
    if gone := former - set(assessed):
        yield _END, {"gone": tuple(sorted(gone))}
    if absorbed:
        yield _ABSORB, [(old, scope, new) for old, new in absorbed.items()]
    new: list[tuple[str, str, float, bytes, int]] = []
    for one, (rank, incident, _) in assessed.items():
        if before.get(one) == incident:
            continue
        summary, standing = msgspec.json.encode(incident), _PLACES[incident.standing]
        if one in former:
            yield _REASSESS, {"one": one, "rank": rank, "summary": summary, "standing": standing}
        else:
            new.append((one, scope, rank, summary, standing))
    if new:
        yield _BEGIN, new
    if joined := [(scope, key, one) for key, one in sorted(present.items()) if previous.get(key) != one]:
        yield _JOIN, joined


_LEAVE = Statement(
    lambda dialect: delete(_MEMBERS).where(_MEMBERS.c.scope == bindparam("scope"), among_keys(dialect, _MEMBERS.c.key, _KEYS))
)
_END = Statement(lambda dialect: delete(_INCIDENTS).where(among_listed(dialect, _INCIDENTS.c.incident_id, bindparam("gone"))))
_ABSORB = Insert(_ABSORBED, keep=True)
_REASSESS = Statement(
    lambda _: (
        update(_INCIDENTS)
        .where(_INCIDENTS.c.incident_id == bindparam("one"))
        .values(rank=bindparam("rank"), summary=bindparam("summary"), standing=bindparam("standing"))
    )
)
_BEGIN = Insert(_INCIDENTS)
_JOIN = Insert(_MEMBERS)


def load_incident(scopes: Values[str], incident_id: str) -> Program[Incident | None]:
    """Load one incident of some scopes, also under an id that was merged into it."""
    for _ in range(16):  # an incident may have been merged more than once
        asked = {"one": incident_id, "scopes": tuple(sorted(scopes))}
        if rows := (yield _ONE, asked):
            return _read_incident(rows[0][0])
        if not (rows := (yield _INTO, asked)):
            return None
        incident_id = rows[0][0]
    return None


_ONE = Statement(
    lambda dialect: select(_INCIDENTS.c.summary).where(
        _INCIDENTS.c.incident_id == bindparam("one"), among_listed(dialect, _INCIDENTS.c.scope, bindparam("scopes"))
    )
)
_INTO = Statement(
    lambda dialect: select(_ABSORBED.c.into_id).where(
        _ABSORBED.c.incident_id == bindparam("one"), among_listed(dialect, _ABSORBED.c.scope, bindparam("scopes"))
    )
)


def load_incidents(ids: Values[str]) -> Program[dict[str, Incident]]:
    """Load some incidents as they were last assessed, for correlation; nobody is shown these."""
    if not ids:
        return {}
    rows = yield _LOAD, {"named": tuple(sorted(ids))}
    return {one: _read_incident(summary) for one, summary in rows}


_LOAD = Statement(
    lambda dialect: select(_INCIDENTS.c.incident_id, _INCIDENTS.c.summary).where(
        among_listed(dialect, _INCIDENTS.c.incident_id, bindparam("named"))
    )
)


async def list_scopes(connection: AsyncConnection, principal: Principal) -> list[str]:
    """List the scopes whose incidents a principal may see."""
    return [scope for (scope,) in await connection.execute(visible_scopes(principal).limit(10_000))]


async def list_incidents(
    connection: AsyncConnection, scopes: Sequence[str], before: Place | None, limit: int, *, dismissed: bool = False
) -> list[tuple[float, Incident]]:
    """List incidents of some scopes with their ranks: the pinned ones first, then the highest first.

    Args:
        connection: a reader's.
        scopes: what `list_scopes` gave.
        before: only those behind this place, or None to begin.
        limit: at most this many.
        dismissed: list those that were dismissed, and no others.
    """
    parts = [
        select(_in_order(scope, standing, before).limit(limit).subquery())
        for scope in scopes
        for standing in ((DISMISSED,) if dismissed else (PINNED, USUAL))
        if before is None or standing <= before[0]
    ]
    if not parts:
        return []
    found = union_all(*parts).subquery()
    order = (found.c.standing.desc(), found.c.rank.desc(), found.c.incident_id.desc())
    rows = await connection.execute(select(found).order_by(*order).limit(limit))
    return [(row.rank, _read_incident(row.summary)) for row in rows]


def _in_order(scope: str, standing: int, before: Place | None) -> Select[Any]:
    query = (
        select(_INCIDENTS.c.standing, _INCIDENTS.c.rank, _INCIDENTS.c.incident_id, _INCIDENTS.c.summary)
        .where(_INCIDENTS.c.scope == scope, _INCIDENTS.c.standing == standing)
        .order_by(_INCIDENTS.c.rank.desc(), _INCIDENTS.c.incident_id.desc())
    )
    if before is None or before[0] != standing:
        return query
    _, rank, incident_id = before
    return query.where(or_(_INCIDENTS.c.rank < rank, and_(_INCIDENTS.c.rank == rank, _INCIDENTS.c.incident_id < incident_id)))


def place_of(rank: float, incident: Incident) -> Place:
    """Tell where an incident stands in the list."""
    return _PLACES[incident.standing], rank, incident.incident_id


async def find_incident(connection: AsyncConnection, scopes: Sequence[str], incident_id: str) -> Incident | None:
    """Find one incident, also under an id that was merged into it."""
    for _ in range(16):  # an incident may have been merged more than once
        query = select(_INCIDENTS.c.summary).where(_INCIDENTS.c.incident_id == incident_id, _INCIDENTS.c.scope.in_(scopes))
        summary = (await connection.execute(query)).scalar()
        if summary is not None:
            return _read_incident(summary)
        into = select(_ABSORBED.c.into_id).where(_ABSORBED.c.incident_id == incident_id, _ABSORBED.c.scope.in_(scopes))
        following = (await connection.execute(into)).scalar()
        if following is None:
            return None
        incident_id = following
    return None


async def list_members(connection: AsyncConnection, scope: str, incident_id: str) -> list[bytes]:
    """List the keys of an incident's values."""
    query = select(_MEMBERS.c.key).where(_MEMBERS.c.scope == scope, _MEMBERS.c.incident_id == incident_id)
    return list((await connection.execute(query.limit(20_000))).scalars())


async def count_incidents(connection: AsyncConnection, scopes: Sequence[str]) -> int:
    """Count the incidents of some scopes that were not dismissed."""
    usual = (_INCIDENTS.c.scope.in_(scopes), _INCIDENTS.c.standing.in_((PINNED, USUAL)))
    counted = select(func.count()).select_from(_INCIDENTS).where(*usual)
    number: int = (await connection.execute(counted)).scalar_one()
    return number


async def list_held(
    connection: AsyncConnection, scopes: Sequence[str], limit: int
) -> list[tuple[Observable, tuple[str, ...], str]]:
    """List values that are held back, with the countries that hold them and the reason."""
    query = (
        select(_OBSERVABLES.c.kind, _OBSERVABLES.c.value, _HELD.c.countries, _HELD.c.reason)
        .join(_OBSERVABLES, _OBSERVABLES.c.key == _HELD.c.key)
        .where(_HELD.c.scope.in_(scopes))
        .order_by(_HELD.c.scope, _HELD.c.key)
        .limit(limit)
    )
    return [
        (Observable(ObservableKind(kind), value), tuple(countries.split(",")), reason)
        for kind, value, countries, reason in await connection.execute(query)
    ]


async def list_activity(connection: AsyncConnection, scopes: Sequence[str], since_day: int) -> list[tuple[int, str, int, int]]:
    """List (day, country, published, sighted) since a day, by day of event; teams of no one country go by their own code."""
    query = (
        select(_ACTIVITY.c.day, _TEAMS.c.country, func.sum(_ACTIVITY.c.published), func.sum(_ACTIVITY.c.sighted))
        .join(_TEAMS, _TEAMS.c.team_id == _ACTIVITY.c.team_id)
        .where(_ACTIVITY.c.scope.in_(scopes), _ACTIVITY.c.day >= since_day)
        .group_by(_ACTIVITY.c.day, _TEAMS.c.country)
    )
    return [(day, country, int(published), int(sighted)) for day, country, published, sighted in await connection.execute(query)]


def _read_incident(summary: bytes) -> Incident:
    return msgspec.json.decode(summary, type=Incident)
