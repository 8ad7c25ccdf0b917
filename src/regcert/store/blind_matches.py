"""Blind matches: what circles hold alike that do not see each other, who was told, and the dialogue about it.

Every question begins with the keys of values, or with a team: no statement here reads a table as a whole. What is decided is
written under the order lock, which correlation holds as well.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Integer,
    LargeBinary,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from regcert.domain.blind_match import (
    MOST_OBJECTS,
    MOST_SIDES,
    OPEN_FOR_US,
    STRICTEST,
    BlindMatch,
    Deed,
    End,
    Holder,
    Side,
    Stance,
    Step,
)
from regcert.domain.principal import Principal
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp
from regcert.store.border_tables import BlindMatchRow, BlindSideRow, BlindStepRow
from regcert.store.ledger import join_keys
from regcert.store.many import among_keys, among_listed
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import (
    CollectionRow,
    HoldingRow,
    MentionRow,
    ObjectRow,
    ObservableRow,
    TeamRow,
    table,
)
from regcert.store.visibility import visible_scopes

_COLLECTIONS = table(CollectionRow)
_TEAMS = table(TeamRow)
_MENTIONS = table(MentionRow)
_HOLDINGS = table(HoldingRow)
_OBJECTS = table(ObjectRow)
_OBSERVABLES = table(ObservableRow)
_MATCHES = table(BlindMatchRow)
_SIDES = table(BlindSideRow)
_STEPS = table(BlindStepRow)

# Of the mentions of one value, so many of the newest are looked through for the objects of one team.
_MOST_MENTIONS = 10_000
_NO_OBJECTS = b"[]"

_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
_NOW: BindParameter[int] = bindparam("now", type_=BigInteger)
_MATCH: BindParameter[str] = bindparam("match", type_=String)
_TEAM: BindParameter[int] = bindparam("team", type_=Integer)
_ONE = _MATCHES.c.match_id == _MATCH


def load_values(keys: Values[bytes]) -> Program[dict[bytes, Observable]]:
    """Load some values."""
    if not keys:
        return {}
    return {bytes(key): Observable(ObservableKind(kind), value) for key, kind, value in (yield _VALUES, join_keys(keys))}


_VALUES = Statement(
    lambda dialect: select(_OBSERVABLES.c.key, _OBSERVABLES.c.kind, _OBSERVABLES.c.value).where(
        among_keys(dialect, _OBSERVABLES.c.key, _KEYS)
    )
)


def find_objects(key: bytes, side: Side) -> Program[list[str]]:
    """Find the objects by which a side's own team published a value in its circle: in force, and not too strict to be named."""
    rows = yield _NAMING, {"key": key, "scope": side.scope, "team": side.team_id}
    return [stix_id for (stix_id,) in rows]


def _naming(_dialect: str) -> Any:
    newest = (
        select(_MENTIONS)
        .where(_MENTIONS.c.key == bindparam("key", type_=LargeBinary))
        .order_by(_MENTIONS.c.position.desc())
        .limit(_MOST_MENTIONS)
        .subquery("newest")
    )
    return (
        select(_OBJECTS.c.stix_id)
        .join_from(newest, _OBJECTS, _OBJECTS.c.position == newest.c.position)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == newest.c.collection_id)
        .join(_TEAMS, and_(_TEAMS.c.team_id == newest.c.team_id, _TEAMS.c.identity_id == newest.c.origin))
        .where(
            newest.c.team_id == _TEAM,
            newest.c.said == "published",
            newest.c.marking <= int(STRICTEST),
            _COLLECTIONS.c.scope == bindparam("scope", type_=String),
            _OBJECTS.c.superseded_by == 0,
            ~_OBJECTS.c.revoked,
        )
        .distinct()
        .order_by(_OBJECTS.c.stix_id)
        .limit(MOST_OBJECTS)
    )


_NAMING = Statement(_naming)


def find_waiting(keys: Values[bytes], now_us: int) -> Program[dict[bytes, str]]:
    """Find the matches of some values that nobody has forwarded yet: who holds the value, too, joins these."""
    rows = yield _WAITING, join_keys(keys) | {"now": now_us}
    return {bytes(key): match_id for key, match_id in rows}


_WAITING = Statement(
    lambda dialect: (
        select(_MATCHES.c.key, _MATCHES.c.match_id)
        .where(among_keys(dialect, _MATCHES.c.key, _KEYS), _MATCHES.c.forwarded_us == 0, _MATCHES.c.closes_us > _NOW)
        .order_by(_MATCHES.c.match_id)
    )
)


def begin_match(key: bytes, told_us: int) -> Program[str]:
    """Enter a match, and return its id."""
    match_id = str(uuid.uuid4())
    yield _BEGIN, [(match_id, key, 0, 0, told_us + OPEN_FOR_US, End.EXPIRED.value)]
    return match_id


def add_sides(match_id: str, holders: Iterable[Holder], told_us: int) -> Program[None]:
    """Enter the sides of a match that are not there yet."""
    silent = Stance.SILENT.value
    rows = [(match_id, one.team_id, one.scope, told_us, int(one.marking), silent, _NO_OBJECTS) for one in holders]
    yield _ADD_SIDES, rows[:MOST_SIDES]


_BEGIN = Insert(_MATCHES)
_ADD_SIDES = Insert(_SIDES, keep=True)


def list_scopes_of(principal: Principal) -> Program[frozenset[str]]:
    """List the circles that a principal sees as a whole."""
    rows = yield Statement(lambda _: visible_scopes(principal).limit(10_000)), {}
    return frozenset(scope for (scope,) in rows)


def load_matches(ids: Values[str]) -> Program[dict[str, BlindMatch]]:
    """Load some matches with all their sides, whoever may see what of them."""
    if not ids:
        return {}
    asked = {"named": tuple(sorted(ids))}
    sides: defaultdict[str, list[Side]] = defaultdict(list)
    for match_id, team_id, team, name, website, scope, told_us, marking, stance, objects in (yield _LOAD_SIDES, asked):
        put = tuple(orjson.loads(objects))
        sides[match_id].append(Side(team_id, team, name, website, scope, told_us, Tlp(marking), Stance(stance), put))
    return {
        match_id: BlindMatch(
            match_id, bytes(key), Observable(ObservableKind(kind), value), asked_us, forwarded_us, closes_us, End(end),
            tuple(sides[match_id]),
        )
        for match_id, key, kind, value, asked_us, forwarded_us, closes_us, end in (yield _LOAD, asked)
    }  # fmt: skip


_LOAD_SIDES = Statement(
    lambda dialect: (
        select(
            _SIDES.c.match_id, _SIDES.c.team_id, _TEAMS.c.slug, _TEAMS.c.name, _TEAMS.c.website, _SIDES.c.scope,
            _SIDES.c.told_us, _SIDES.c.marking, _SIDES.c.stance, _SIDES.c.objects,
        )
        .join(_TEAMS, _TEAMS.c.team_id == _SIDES.c.team_id)
        .where(among_listed(dialect, _SIDES.c.match_id, bindparam("named")))
        .order_by(_TEAMS.c.slug, _SIDES.c.scope)
    )
)  # fmt: skip
_LOAD = Statement(
    lambda dialect: (
        select(
            _MATCHES.c.match_id, _MATCHES.c.key, _OBSERVABLES.c.kind, _OBSERVABLES.c.value, _MATCHES.c.asked_us,
            _MATCHES.c.forwarded_us, _MATCHES.c.closes_us, _MATCHES.c.end_reason,
        )
        .join(_OBSERVABLES, _OBSERVABLES.c.key == _MATCHES.c.key)
        .where(among_listed(dialect, _MATCHES.c.match_id, bindparam("named")))
    )
)  # fmt: skip


def list_told(
    team_id: int, scopes: Values[str], *, now_us: int, before: tuple[int, str], most: int
) -> Program[list[tuple[int, str]]]:
    """List when a team was told of which matches, the newest first.

    Args:
        team_id: which team.
        scopes: the circles that whoever asks sees.
        now_us: what time it is; what is told later is not there yet.
        before: the (time, id) of the last one of the page before.
        most: at most this many.
    """
    at_us, match_id = before
    asked = {"team": team_id, "scopes": tuple(sorted(scopes)), "now": now_us, "before": at_us, "behind": match_id, "most": most}
    return [(at, one) for at, one in (yield _TOLD, asked)]


_BEFORE: BindParameter[int] = bindparam("before", type_=BigInteger)
_BEHIND: BindParameter[str] = bindparam("behind", type_=String)
_TOLD = Statement(
    lambda dialect: (
        select(_SIDES.c.told_us, _SIDES.c.match_id)
        .where(
            _SIDES.c.team_id == _TEAM,
            _SIDES.c.told_us <= _NOW,
            among_listed(dialect, _SIDES.c.scope, bindparam("scopes")),
            or_(_SIDES.c.told_us < _BEFORE, and_(_SIDES.c.told_us == _BEFORE, _SIDES.c.match_id < _BEHIND)),
        )
        .distinct()
        .order_by(_SIDES.c.told_us.desc(), _SIDES.c.match_id.desc())
        .limit(bindparam("most", type_=Integer))
    )
)


def list_asked(before: tuple[int, str], most: int) -> Program[list[tuple[int, str]]]:
    """List when a side first asked about which matches, the newest first; for those who forward."""
    at_us, match_id = before
    return [(at, one) for at, one in (yield _ASKED, {"before": at_us, "behind": match_id, "most": most})]


_ASKED = Statement(
    lambda _: (
        select(_MATCHES.c.asked_us, _MATCHES.c.match_id)
        .where(
            _MATCHES.c.asked_us > 0,
            or_(_MATCHES.c.asked_us < _BEFORE, and_(_MATCHES.c.asked_us == _BEFORE, _MATCHES.c.match_id < _BEHIND)),
        )
        .order_by(_MATCHES.c.asked_us.desc(), _MATCHES.c.match_id.desc())
        .limit(bindparam("most", type_=Integer))
    )
)


def list_steps(match_id: str) -> Program[list[Step]]:
    """List the whole dialogue about a match, in its order."""
    rows = yield _STEPS_OF, {"match": match_id}
    return [Step(at_us, team_id, team, Deed(deed), note) for at_us, team_id, team, deed, note in rows]


def add_step(match_id: str, deed: Deed, principal: Principal | None, now_us: int, note: str = "") -> Program[None]:
    """Enter one step of the dialogue; the order lock is held, so that the numbers have no gaps."""
    [(last,)] = yield _LAST_STEP, {"match": match_id}
    who = (principal.team.team_id, principal.token_id) if principal else (None, None)
    yield _ADD_STEP, [(match_id, (last or 0) + 1, now_us, *who, deed.value, note)]


_STEPS_OF = Statement(
    lambda _: (
        select(_STEPS.c.at_us, _STEPS.c.team_id, _TEAMS.c.slug, _STEPS.c.deed, _STEPS.c.note)
        .outerjoin(_TEAMS, _TEAMS.c.team_id == _STEPS.c.team_id)
        .where(_STEPS.c.match_id == _MATCH)
        .order_by(_STEPS.c.number)
        .limit(1000)
    )
)
_LAST_STEP = Statement(lambda _: select(func.max(_STEPS.c.number)).where(_STEPS.c.match_id == _MATCH))
_ADD_STEP = Insert(_STEPS)


def take_stance(match_id: str, side: Side, stance: Stance, objects: Sequence[str], now_us: int) -> Program[None]:
    """Note where a side stands from now on; that it asked is noted at the match as well."""
    named = {"match": match_id, "team": side.team_id, "scope": side.scope}
    yield _TAKE, named | {"became": stance.value, "put": orjson.dumps(list(objects))}
    if stance is Stance.ASKED:
        yield _NOTE_ASKED, {"match": match_id, "now": now_us}


_TAKE = Statement(
    lambda _: (
        update(_SIDES)
        .where(_SIDES.c.match_id == _MATCH, _SIDES.c.team_id == _TEAM, _SIDES.c.scope == bindparam("scope", type_=String))
        .values(stance=bindparam("became", type_=String), objects=bindparam("put", type_=LargeBinary))
    )
)
_NOTE_ASKED = Statement(lambda _: update(_MATCHES).where(_ONE, _MATCHES.c.asked_us == 0).values(asked_us=_NOW))


def note_forwarded(match_id: str, now_us: int) -> Program[None]:
    """Note that a coordinator has forwarded a match."""
    yield _FORWARD, {"match": match_id, "now": now_us}


_FORWARD = Statement(lambda _: update(_MATCHES).where(_ONE).values(forwarded_us=_NOW))


def end_match(match_id: str, end: End, at_us: int) -> Program[bool]:
    """Let a match close for a reason, unless it closes earlier; return whether it does so for this one."""
    changed = yield _END, {"match": match_id, "end": end.value, "at": at_us}
    return bool(changed)


_END = Statement(
    lambda _: (
        update(_MATCHES)
        .where(_ONE, _MATCHES.c.closes_us > bindparam("at", type_=BigInteger))
        .values(closes_us=bindparam("at", type_=BigInteger), end_reason=bindparam("end", type_=String))
        .returning(_MATCHES.c.match_id)
    )
)


def find_open(keys: Values[bytes], now_us: int) -> Program[list[tuple[bytes, str, list[tuple[str, int]]]]]:
    """Find the matches of some values that are not over, each with the circles and teams of its sides."""
    found: defaultdict[tuple[bytes, str], list[tuple[str, int]]] = defaultdict(list)
    if keys:
        for key, match_id, scope, team_id in (yield _OPEN, join_keys(keys) | {"now": now_us}):
            found[bytes(key), match_id].append((scope, team_id))
    return [(key, match_id, sides) for (key, match_id), sides in sorted(found.items())]


_OPEN = Statement(
    lambda dialect: (
        select(_MATCHES.c.key, _MATCHES.c.match_id, _SIDES.c.scope, _SIDES.c.team_id)
        .join(_SIDES, _SIDES.c.match_id == _MATCHES.c.match_id)
        .where(among_keys(dialect, _MATCHES.c.key, _KEYS), _MATCHES.c.closes_us > _NOW)
    )
)


def find_keys_in_circle(scope: str, now_us: int) -> Program[set[bytes]]:
    """Find the values of the open matches that have a side in a circle."""
    return {bytes(key) for (key,) in (yield _IN_CIRCLE, {"scope": scope, "now": now_us})}


_IN_CIRCLE = Statement(
    lambda _: (
        select(_MATCHES.c.key)
        .join(_SIDES, _SIDES.c.match_id == _MATCHES.c.match_id)
        .where(_SIDES.c.scope == bindparam("scope", type_=String), _MATCHES.c.closes_us > _NOW)
        .distinct()
    )
)
