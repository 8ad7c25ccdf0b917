"""Comparing blindly: which circles take part, who brought and who holds which values there, and what was compared already.

Every question begins with a stretch of the ledger or with the keys of values, and is asked under the order lock.
"""

from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Integer,
    LargeBinary,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from regcert.clock import DAY_US
from regcert.domain.blind_match import OPEN_FOR_US, STRICTEST, Holder
from regcert.domain.team import TeamKind
from regcert.stix.tlp import Tlp
from regcert.store.border_tables import BlindTryRow
from regcert.store.ledger import Span, in_span, join_keys
from regcert.store.many import among_keys, among_listed
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import AccessRow, CollectionRow, HoldingRow, MentionRow, TeamRow, table

Circles = dict[str, frozenset[int]]
Brought = tuple[int, str, bytes]

_COLLECTIONS = table(CollectionRow)
_ACCESS = table(AccessRow)
_TEAMS = table(TeamRow)
_MENTIONS = table(MentionRow)
_HOLDINGS = table(HoldingRow)
_TRIES = table(BlindTryRow)

_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
_ON_ITS_OWN_WORD = and_(_TEAMS.c.identity_id == _HOLDINGS.c.origin, _TEAMS.c.kind != TeamKind.COORDINATION.value)


def load_circles() -> Program[Circles]:
    """Load the circles that take part: all their collections say so, and not everybody reads them. Each with its readers."""
    readers: defaultdict[str, set[int]] = defaultdict(set)
    for scope, team_id in (yield _CIRCLES, {}):
        readers[scope].add(team_id)
    return {scope: frozenset(teams) for scope, teams in readers.items()}


_CIRCLES = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _ACCESS.c.team_id)
        .join(_ACCESS, and_(_ACCESS.c.collection_id == _COLLECTIONS.c.collection_id + 0, _ACCESS.c.can_read))
        .where(
            _COLLECTIONS.c.blind_matching,
            ~_COLLECTIONS.c.read_all,
            _COLLECTIONS.c.scope.not_in(select(_COLLECTIONS.c.scope).where(~_COLLECTIONS.c.blind_matching)),
        )
        .distinct()
    )
)


def find_brought(span: Span, circles: Circles) -> Program[tuple[list[Brought], set[bytes]]]:
    """Find what a stretch of the ledger says about values in the circles.

    Returns:
        Which teams brought which values on their own word, in a fixed order; and the values of which something was said that may
        keep a team out: called harmless, marked too strictly.
    """
    rows = yield _BROUGHT, span.bounds | {"scopes": tuple(sorted(circles))}
    brought = sorted((team_id, scope, bytes(key)) for team_id, scope, key, brings in rows if brings)
    return brought, {bytes(key) for _, _, key, brings in rows if not brings}


_BRINGS = and_(
    or_(_MENTIONS.c.said == "published", _MENTIONS.c.said == "positive"),
    _MENTIONS.c.marking <= int(STRICTEST),
    _TEAMS.c.identity_id == _MENTIONS.c.origin,
)
_BROUGHT = Statement(
    lambda dialect: (
        select(_MENTIONS.c.team_id, _COLLECTIONS.c.scope, _MENTIONS.c.key, _BRINGS.label("brings"))
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .join(_TEAMS, _TEAMS.c.team_id == _MENTIONS.c.team_id)
        .where(in_span(_MENTIONS.c.position), among_listed(dialect, _COLLECTIONS.c.scope, bindparam("scopes")))
        .distinct()
    )
)


def load_holders(keys: Values[bytes], circles: Circles) -> Program[dict[bytes, list[Holder]]]:
    """Load who holds some values in the circles, on their own word and on terms that let it be compared."""
    holders: defaultdict[bytes, list[Holder]] = defaultdict(list)
    if keys:
        rows = yield _HOLDERS, join_keys(keys) | {"scopes": tuple(sorted(circles))}
        for key, scope, team_id, marking in rows:
            holders[bytes(key)].append(Holder(scope, team_id, Tlp(marking)))
    return {key: sorted(of_key) for key, of_key in holders.items()}


def _holders(dialect: str) -> Any:
    """Sum up over the origins: one word that is too strict, or that calls it harmless, keeps the team out."""
    own = and_(_ON_ITS_OWN_WORD, or_(_HOLDINGS.c.published, _HOLDINGS.c.positives > 0))
    strictest = func.max(_HOLDINGS.c.marking)
    return (
        select(_HOLDINGS.c.key, _HOLDINGS.c.scope, _HOLDINGS.c.team_id, strictest)
        .join(_TEAMS, _TEAMS.c.team_id == _HOLDINGS.c.team_id)
        .where(among_keys(dialect, _HOLDINGS.c.key, _KEYS), among_listed(dialect, _HOLDINGS.c.scope, bindparam("scopes")))
        .group_by(_HOLDINGS.c.key, _HOLDINGS.c.scope, _HOLDINGS.c.team_id)
        .having(
            strictest <= int(STRICTEST),
            func.max(case((own, 1), else_=0)) == 1,
            func.max(case((_HOLDINGS.c.false_positive, 1), else_=0)) == 0,
        )
    )


_HOLDERS = Statement(_holders)


def load_tries(keys: Values[bytes], now_us: int) -> Program[set[tuple[int, bytes]]]:
    """Load which teams had which of some values compared in the last 30 days, and forget older ones."""
    if not keys:
        return set()
    yield _FORGET, {"oldest": (now_us - OPEN_FOR_US) // DAY_US}
    return {(team_id, bytes(key)) for team_id, key in (yield _TRIED, join_keys(keys))}


def count_tries(teams: Values[int], now_us: int) -> Program[dict[int, tuple[int, int]]]:
    """Count for some teams how many values were compared today, and how many of these are held elsewhere."""
    if not teams:
        return {}
    rows = yield _COUNT, {"today": now_us // DAY_US, "teams": tuple(sorted(teams))}
    return {team_id: (compared, told) for team_id, compared, told in rows}


def add_tries(tried: Iterable[tuple[int, bytes, bool]], now_us: int) -> Program[None]:
    """Enter that values were compared, each by the team that brought it, and whether anybody holds it elsewhere."""
    if rows := [(key, team_id, now_us // DAY_US, told) for team_id, key, told in tried]:
        yield _TRY, rows


_FORGET = Statement(lambda _: delete(_TRIES).where(_TRIES.c.day < bindparam("oldest", type_=Integer)))
_TRIED = Statement(lambda dialect: select(_TRIES.c.team_id, _TRIES.c.key).where(among_keys(dialect, _TRIES.c.key, _KEYS)))
_TODAY: BindParameter[int] = bindparam("today", type_=Integer)
_TOLD = func.sum(case((_TRIES.c.told, 1), else_=0))
_COUNT = Statement(
    lambda dialect: (
        select(_TRIES.c.team_id, func.count(), _TOLD)
        .where(_TRIES.c.day == _TODAY, among_listed(dialect, _TRIES.c.team_id, bindparam("teams")))
        .group_by(_TRIES.c.team_id)
    )
)
_TRY = Insert(_TRIES, keep=True)


@dataclass(frozen=True, slots=True)
class Tried:
    """How much a team had compared: what a coordinator looks at to see somebody guessing."""

    team: str
    compared: int
    told: int
    compared_30d: int
    told_30d: int


def list_tries(now_us: int) -> Program[list[Tried]]:
    """List for each team how many values were compared and matched, yesterday and in 30 days, the most matched first.

    Of today nothing is told: who looks twice would know the hour in which a team published.
    """
    today = now_us // DAY_US
    rows = yield _COUNT_30_DAYS, {"today": today, "yesterday": today - 1, "since": today - OPEN_FOR_US // DAY_US}
    return [Tried(*row) for row in rows]


_IS_YESTERDAY = _TRIES.c.day == bindparam("yesterday", type_=Integer)
_COUNT_30_DAYS = Statement(
    lambda _: (
        select(
            _TEAMS.c.slug,
            func.sum(case((_IS_YESTERDAY, 1), else_=0)),
            func.sum(case((and_(_IS_YESTERDAY, _TRIES.c.told), 1), else_=0)),
            func.count(),
            _TOLD,
        )
        .join(_TEAMS, _TEAMS.c.team_id == _TRIES.c.team_id)
        .where(_TRIES.c.day >= bindparam("since", type_=Integer), _TRIES.c.day < _TODAY)
        .group_by(_TEAMS.c.slug)
        .order_by(_TOLD.desc(), func.count().desc(), _TEAMS.c.slug)
        .limit(1000)
    )
)


def set_blind_matching(slug: str, *, on: bool) -> Program[tuple[str, bool] | None]:
    """Let a collection take part or not; return its scope and whether everybody reads it, or None where there is none."""
    rows = yield _SET, {"slug_": slug, "on": on}
    return (rows[0][0], bool(rows[0][1])) if rows else None


_SET = Statement(
    lambda _: (
        update(_COLLECTIONS)
        .where(_COLLECTIONS.c.slug == bindparam("slug_", type_=String))
        .values(blind_matching=bindparam("on", type_=Boolean))
        .returning(_COLLECTIONS.c.scope, _COLLECTIONS.c.read_all)
    )
)
