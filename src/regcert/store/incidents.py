"""Incidents as last assessed: written by correlation, read page by page on somebody's behalf."""

from collections.abc import Collection as Values
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import BindParameter, LargeBinary, and_, bindparam, delete, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.incident import Incident
from regcert.domain.principal import Principal
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.ledger import join_keys
from regcert.store.many import among_keys, among_listed
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import AbsorbedRow, ActivityRow, HeldBackRow, IncidentRow, MemberRow, ObservableRow, TeamRow, table
from regcert.store.visibility import visible_scopes

_INCIDENTS = table(IncidentRow)
_MEMBERS = table(MemberRow)
_ABSORBED = table(AbsorbedRow)
_HELD = table(HeldBackRow)
_ACTIVITY = table(ActivityRow)
_OBSERVABLES = table(ObservableRow)
_TEAMS = table(TeamRow)

_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)

Place = tuple[float, str]
Assessed = tuple[float, Incident, frozenset[bytes]]


def replace_incidents(
    scope: str, previous: Mapping[bytes, str], assessed: Mapping[str, Assessed], absorbed: Mapping[str, str]
) -> Program[None]:
    """Put newly assessed incidents in the place of those that some values belonged to.

    Args:
        scope: in which scope.
        previous: the former incident of each value that had one, with all the values of each.
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
    new: list[tuple[str, str, float, bytes]] = []
    for one, (rank, incident, _) in assessed.items():
        summary = msgspec.json.encode(incident)
        if one in former:
            yield _REASSESS, {"one": one, "rank": rank, "summary": summary}
        else:
            new.append((one, scope, rank, summary))
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
        .values(rank=bindparam("rank"), summary=bindparam("summary"))
    )
)
_BEGIN = Insert(_INCIDENTS)
_JOIN = Insert(_MEMBERS)


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


def replace_held(scope: str, keys: Values[bytes], held: Mapping[bytes, tuple[str, str]]) -> Program[None]:
    """Write down which of some values are held back, in which countries and why, and forget the others."""
    yield _LET_GO, {"scope": scope} | join_keys(keys)
    if held:
        yield _HOLD_BACK, [(scope, key, countries, reason) for key, (countries, reason) in sorted(held.items())]


_LET_GO = Statement(
    lambda dialect: delete(_HELD).where(_HELD.c.scope == bindparam("scope"), among_keys(dialect, _HELD.c.key, _KEYS))
)
_HOLD_BACK = Insert(_HELD)


async def list_scopes(connection: AsyncConnection, principal: Principal) -> list[str]:
    """List the scopes whose incidents a principal may see."""
    return [scope for (scope,) in await connection.execute(visible_scopes(principal).limit(10_000))]


async def list_incidents(
    connection: AsyncConnection, scopes: Sequence[str], before: Place | None, limit: int
) -> list[tuple[float, Incident]]:
    """List incidents of some scopes with their ranks, the highest first.

    Args:
        connection: a reader's.
        scopes: what `list_scopes` gave.
        before: only those behind this (rank, id), or None to begin.
        limit: at most this many.
    """
    order = (_INCIDENTS.c.rank.desc(), _INCIDENTS.c.incident_id.desc())
    query = select(_INCIDENTS.c.rank, _INCIDENTS.c.incident_id, _INCIDENTS.c.summary).order_by(*order).limit(limit)
    if before is not None:
        rank, incident_id = before
        query = query.where(
            or_(_INCIDENTS.c.rank < rank, and_(_INCIDENTS.c.rank == rank, _INCIDENTS.c.incident_id < incident_id))
        )
    if not scopes:
        return []
    parts = union_all(*(select(query.where(_INCIDENTS.c.scope == scope).subquery()) for scope in scopes)).subquery()
    rows = await connection.execute(select(parts).order_by(parts.c.rank.desc(), parts.c.incident_id.desc()).limit(limit))
    return [(row.rank, _read_incident(row.summary)) for row in rows]


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
    """Count the incidents of some scopes."""
    counted = select(func.count()).select_from(_INCIDENTS).where(_INCIDENTS.c.scope.in_(scopes))
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
