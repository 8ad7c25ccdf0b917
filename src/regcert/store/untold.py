"""Whom something would have to be told: who reads a scope, who published what others saw, and what was told before."""

from collections import defaultdict
from collections.abc import Collection as Values
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    exists,
    literal_column,
    or_,
    select,
)

from regcert.domain.alert import AlertKind
from regcert.domain.team import Team
from regcert.store.border_tables import ToldRow
from regcert.store.incident_tables import HeldBackRow
from regcert.store.ledger import ScopedKey, Span, in_span, join_keys
from regcert.store.many import among_keys
from regcert.store.programs import Program, Statement
from regcert.store.tables import AccessRow, CollectionRow, HoldingRow, HostFact, MentionRow, ObservableRow, TeamRow, table
from regcert.store.teams import read_team

_TOLD = table(ToldRow)
_FACTS = table(HostFact)
_TEAMS = table(TeamRow)
_COLLECTIONS = table(CollectionRow)
_ACCESS = table(AccessRow)
_MENTIONS = table(MentionRow)
_HOLDINGS = table(HoldingRow)
_OBSERVABLES = table(ObservableRow)
_HELD = table(HeldBackRow)

_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)

# A team that was told, the value or the incident, and who saw it, or 0.
Pair = tuple[int, bytes, int]


def list_readers(scope: str) -> Program[list[Team]]:
    """List the teams that read a scope: collections of one scope have the same readers."""
    rows = yield _READERS, {"scope": scope}
    return [read_team(dict(zip(_TEAM_COLUMNS, row, strict=True))) for row in rows]


_TEAM_COLUMNS = tuple(column.name for column in _TEAMS.c)
_GRANTED = (
    exists()
    .where(_ACCESS.c.collection_id == _COLLECTIONS.c.collection_id, _ACCESS.c.team_id == _TEAMS.c.team_id, _ACCESS.c.can_read)
    .correlate(_COLLECTIONS, _TEAMS)  # from within another EXISTS, SQLAlchemy would see the nearer one only
)
_READERS = Statement(
    lambda _: (
        select(*_TEAMS.c)
        .where(exists().where(_COLLECTIONS.c.scope == _SCOPE, or_(_COLLECTIONS.c.read_all, _GRANTED)))
        .limit(literal_column("10000"))
    )
)


def load_tiles() -> Program[dict[str, tuple[int, int]]]:
    """Load the row and column of each country of the region."""
    rows = yield _COUNTRIES, {}
    return {one["code"]: (one["row"], one["column"]) for (value,) in rows for one in orjson.loads(value)}


_COUNTRIES = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == literal_column("'countries'")))


def find_seen(span: Span) -> Program[set[ScopedKey]]:
    """Find the values of which a stretch says that one team saw what another has published, whichever came first.

    Not those of which that was told before: whoever published them since then, or saw them since then, was told or told of then.
    """
    seen = {(scope, bytes(key)) for scope, key in (yield _PUBLISHED, span.bounds)}
    if span.has_sightings:
        seen |= {(scope, bytes(key)) for scope, key in (yield _SEEN, span.bounds)}
    return seen


def _elsewhere(said: ColumnElement[bool]) -> ColumnElement[bool]:
    """Ask whether another team holds a mentioned value in that way.

    From both sides of the team's own rows, of which there may be many: a team may relay the word of anybody.
    """
    here = and_(_HOLDINGS.c.key == _MENTIONS.c.key, _HOLDINGS.c.scope == _COLLECTIONS.c.scope, said)
    others = (_HOLDINGS.c.team_id < _MENTIONS.c.team_id, _HOLDINGS.c.team_id > _MENTIONS.c.team_id)
    return or_(*(exists().where(here, other) for other in others))


def _met(said: str, held: ColumnElement[bool], told: ColumnElement[bool]) -> Statement:
    known = exists().where(
        _TOLD.c.subject == _MENTIONS.c.key,
        _TOLD.c.scope == _COLLECTIONS.c.scope,
        _TOLD.c.kind == literal_column("'sighted'"),
        told,
    )
    return Statement(
        lambda _: (
            select(_COLLECTIONS.c.scope, _MENTIONS.c.key)
            .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
            .where(in_span(_MENTIONS.c.position), _MENTIONS.c.said == literal_column(f"'{said}'"), _elsewhere(held), ~known)
            .distinct()
        )
    )


_SAW = _HOLDINGS.c.positives > literal_column("0")
_SEEN = _met("positive", _HOLDINGS.c.published, _TOLD.c.other_id == _MENTIONS.c.team_id)
_PUBLISHED = _met("published", _SAW, _TOLD.c.team_id == _MENTIONS.c.team_id)


def find_untold_sightings(scope: str, keys: Values[bytes]) -> Program[dict[tuple[int, bytes], set[int]]]:
    """Find who published some values, and who else saw them, as far as that was not told yet.

    Returns:
        By publisher and value, the teams that saw it.
    """
    asked = {"scope": scope} | join_keys(keys)
    publishers: defaultdict[bytes, set[int]] = defaultdict(set)
    sighters: defaultdict[bytes, set[int]] = defaultdict(set)
    for key, team_id, published, saw in (yield _WHO, asked):
        if published:
            publishers[bytes(key)].add(team_id)
        if saw:
            sighters[bytes(key)].add(team_id)
    held = {bytes(key) for (key,) in (yield _HELD_BACK, asked)}
    told = yield from find_told(scope, AlertKind.SIGHTED, keys)
    untold: dict[tuple[int, bytes], set[int]] = {}
    for key in publishers.keys() - held:
        for publisher in publishers[key]:
            left = {other for other in sighters[key] if other != publisher and (publisher, key, other) not in told}
            if left:
                untold[publisher, key] = left
    return untold


def _who_holds(dialect: str) -> Select[Any]:
    """Who published and who saw: one look for each team, however many origins it relays."""
    here = (_HOLDINGS.c.key == _OBSERVABLES.c.key, _HOLDINGS.c.scope == _SCOPE, _HOLDINGS.c.team_id == _TEAMS.c.team_id)
    published, saw = exists().where(*here, _HOLDINGS.c.published), exists().where(*here, _SAW)
    return select(_OBSERVABLES.c.key, _TEAMS.c.team_id, published, saw).where(
        among_keys(dialect, _OBSERVABLES.c.key, _KEYS), exists().where(*here)
    )


_WHO = Statement(_who_holds)
_HELD_BACK = Statement(
    lambda dialect: select(_HELD.c.key).where(_HELD.c.scope == _SCOPE, among_keys(dialect, _HELD.c.key, _KEYS))
)


def find_told(scope: str, kind: AlertKind, subjects: Values[bytes]) -> Program[set[Pair]]:
    """Find what was told of some values or incidents."""
    if not subjects:
        return set()
    rows = yield _TOLD_OF, {"scope": scope, "kind": kind.value} | join_keys(subjects)
    return {(team_id, bytes(subject), other_id) for team_id, subject, other_id in rows}


_TOLD_OF = Statement(
    lambda dialect: select(_TOLD.c.team_id, _TOLD.c.subject, _TOLD.c.other_id).where(
        among_keys(dialect, _TOLD.c.subject, _KEYS), _TOLD.c.scope == _SCOPE, _TOLD.c.kind == bindparam("kind")
    )
)
