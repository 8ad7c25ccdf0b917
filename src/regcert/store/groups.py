"""Values and who holds them: what correlation looks up before it judges, and the page of a single incident shows."""

from collections.abc import Collection as Values
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, distinct, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.holding import Holding
from regcert.stix.object import read_name
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp
from regcert.store.ledger import ScopedKey, bounds, in_span
from regcert.store.many import among, among_keys, chunks
from regcert.store.tables import (
    CollectionRow,
    HoldingRow,
    MemberRow,
    MentionRow,
    ObjectRow,
    ObservableRow,
    TeamRow,
    TieRow,
    table,
)
from regcert.store.teams import read_team

_HOLDINGS = table(HoldingRow)
_MENTIONS = table(MentionRow)
_OBSERVABLES = table(ObservableRow)
_COLLECTIONS = table(CollectionRow)
_TEAMS = table(TeamRow)
_TIES = table(TieRow)
_OBJECTS = table(ObjectRow)
_MEMBERS = table(MemberRow)

Groups = dict[bytes, tuple[Observable, list[Holding]]]


async def find_shared(connection: AsyncConnection, span: tuple[int, int]) -> set[ScopedKey]:
    """Find the values that a span of the ledger touched and that more than one country holds.

    A tie that came later than what it ties touches its members' values too.
    """
    return {(scope, key) for scope, key in await connection.execute(_shared(), bounds(span))}


@cache
def _shared() -> Select[Any]:
    mentioned = (
        select(_COLLECTIONS.c.scope, _MENTIONS.c.key)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .where(in_span(_MENTIONS.c.position))
    )
    tied = (
        select(_COLLECTIONS.c.scope, _MENTIONS.c.key)
        .join(_TIES, _TIES.c.member_id == _MENTIONS.c.stix_id)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _TIES.c.collection_id)
        .where(in_span(_TIES.c.position))
    )
    touched = union(mentioned, tied).subquery()
    return (
        select(_HOLDINGS.c.scope, _HOLDINGS.c.key)
        .join(_TEAMS, _TEAMS.c.team_id == _HOLDINGS.c.team_id)
        .join(touched, and_(touched.c.key == _HOLDINGS.c.key, touched.c.scope == _HOLDINGS.c.scope))
        .group_by(_HOLDINGS.c.scope, _HOLDINGS.c.key)
        .having(func.count(distinct(_TEAMS.c.country)) > 1)
    )


async def load_groups(connection: AsyncConnection, scope: str, keys: Values[bytes]) -> Groups:
    """Load what a scope knows of some values: one row for each team and origin that holds one."""
    groups: Groups = {}
    for some in chunks(keys):
        query = (
            select(_HOLDINGS, _OBSERVABLES.c.kind.label("observable_kind"), _OBSERVABLES.c.value, *_TEAMS.c)
            .join(_OBSERVABLES, _OBSERVABLES.c.key == _HOLDINGS.c.key)
            .join(_TEAMS, _TEAMS.c.team_id == _HOLDINGS.c.team_id)
            .where(_HOLDINGS.c.scope == scope, among_keys(connection, _HOLDINGS.c.key, some))
        )
        for row in (await connection.execute(query)).mappings():
            observable = Observable(ObservableKind(row["observable_kind"]), row["value"])
            groups.setdefault(row["key"], (observable, []))[1].append(
                Holding(
                    team=read_team(row),
                    origin=row["origin"],
                    first_us=row["first_us"],
                    last_us=row["last_us"],
                    published=bool(row["published"]),
                    positives=int(row["positives"]),
                    negatives=int(row["negatives"]),
                    false_positive=bool(row["false_positive"]),
                    marking=Tlp(row["marking"]),
                )
            )
    return groups


async def load_contexts(connection: AsyncConnection, scope: str, keys: Values[bytes]) -> dict[bytes, set[str]]:
    """Load what names some values together: the objects that hold them, and the reports and campaigns of those objects."""
    contexts: dict[bytes, set[str]] = {key: set() for key in keys}
    for some in chunks(keys):
        in_force = and_(_OBJECTS.c.position == _MENTIONS.c.position, _OBJECTS.c.superseded_by == 0)
        published = and_(
            _COLLECTIONS.c.scope == scope, _MENTIONS.c.said == "published", among_keys(connection, _MENTIONS.c.key, some)
        )
        holders = (
            select(_MENTIONS.c.key, _MENTIONS.c.stix_id)
            .join(_OBJECTS, in_force)
            .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
            .where(published)
        )
        beyond = (
            select(_MENTIONS.c.key, _TIES.c.context_id)
            .join(_OBJECTS, in_force)
            .join(_TIES, _TIES.c.member_id == _MENTIONS.c.stix_id)
            .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _TIES.c.collection_id)
            .where(published)
        )
        for key, context in await connection.execute(union(holders, beyond)):
            contexts[key].add(context)
    return contexts


async def find_companions(connection: AsyncConnection, scope: str, contexts: Values[str]) -> set[bytes]:
    """Find the values of present incidents that share one of some contexts."""
    found: set[bytes] = set()
    for some in chunks(contexts):
        within = _MEMBERS.c.scope == scope
        directly = (
            select(_MEMBERS.c.key)
            .join(_MENTIONS, _MENTIONS.c.key == _MEMBERS.c.key)
            .where(within, among(connection, _MENTIONS.c.stix_id, some))
        )
        through = (
            select(_MEMBERS.c.key)
            .join(_MENTIONS, _MENTIONS.c.key == _MEMBERS.c.key)
            .join(_TIES, _TIES.c.member_id == _MENTIONS.c.stix_id)
            .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _TIES.c.collection_id)
            .where(within, _COLLECTIONS.c.scope == scope, among(connection, _TIES.c.context_id, some))
        )
        found.update((await connection.execute(union(directly, through))).scalars())
    return found


async def load_memberships(connection: AsyncConnection, scope: str, keys: Values[bytes]) -> dict[bytes, str]:
    """Load the incidents that some values belong to, with all the values of those incidents."""
    memberships: dict[bytes, str] = {}
    for some in chunks(keys):
        ids = select(_MEMBERS.c.incident_id).where(_MEMBERS.c.scope == scope, among_keys(connection, _MEMBERS.c.key, some))
        query = select(_MEMBERS.c.key, _MEMBERS.c.incident_id).where(_MEMBERS.c.scope == scope, _MEMBERS.c.incident_id.in_(ids))
        memberships.update((await connection.execute(query)).all())
    return memberships


async def load_names(connection: AsyncConnection, scope: str, contexts: Values[str]) -> dict[str, str]:
    """Load what some reports, campaigns and malware are called, where the scope holds them."""
    names: dict[str, str] = {}
    for some in chunks(contexts):
        query = (
            select(_OBJECTS.c.stix_id, _OBJECTS.c.body)
            .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _OBJECTS.c.collection_id)
            .where(_COLLECTIONS.c.scope == scope, _OBJECTS.c.superseded_by == 0, among(connection, _OBJECTS.c.stix_id, some))
        )
        for stix_id, body in await connection.execute(query):
            name = read_name(body)
            if name is not None:
                names[stix_id] = name
    return names
