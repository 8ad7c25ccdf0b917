"""Decisions of coordinators: written with a place in the host's order, read by correlation and by whoever may see their scope.

A decision that is taken back stays in the history. What must be judged anew because of one stands in `judged_anew` under the same
place, and is found by correlation like everything else in the ledger.
"""

import uuid
from collections.abc import Collection as Values
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Integer,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from regcert.domain.decision import Decided, Decision, Deed
from regcert.domain.principal import Principal
from regcert.store.border_tables import DecisionRow, DecisionValueRow, JudgedAnewRow
from regcert.store.incident_tables import CorrelatedRow, MemberRow
from regcert.store.ledger import ScopedKey, Span, in_span, join_keys
from regcert.store.many import among_keys, among_listed
from regcert.store.order import take_positions
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import TeamRow, TokenRow, table
from regcert.store.visibility import visible_scopes

MOST_VALUES = 5_000
MOST_IN_FORCE = 2_000
MOST_HISTORY = 200

_DECISIONS = table(DecisionRow)
_VALUES = table(DecisionValueRow)
_ANEW = table(JudgedAnewRow)
_MARK = table(CorrelatedRow)
_MEMBERS = table(MemberRow)
_TEAMS = table(TeamRow)
_TOKENS = table(TokenRow)

_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
_MOST: BindParameter[int] = bindparam("most", type_=Integer)
_IN_FORCE = and_(_DECISIONS.c.scope == _SCOPE, _DECISIONS.c.undone_by == 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision as it is written down.

    Args:
        scope: within which audience.
        deed: what was decided.
        incident_id: about which incident; empty for a decision about one value.
        reason: why, at most 400 characters.
        named: the keys that it is about.
        others: of a split, those that stay.
        with_id: of a merge the other incident, of an undoing the decision.
        countries: of a dismissal, those that the incident has reached.
    """

    scope: str
    deed: Deed
    incident_id: str
    reason: str
    named: frozenset[bytes]
    others: frozenset[bytes] = frozenset()
    with_id: str = ""
    countries: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether it holds from now on; the others only take one back."""
        return self.deed not in {Deed.UNDO, Deed.UNPIN, Deed.RESTORE}


def add_decision(principal: Principal, entry: Entry, now_us: int) -> Program[tuple[int, str]]:
    """Write down a decision and have its values judged anew; return its place and its id."""
    [position] = yield from take_positions(1, now_us)
    decision_id = str(uuid.uuid4())
    yield (
        _ADD,
        [
            (
                position, decision_id, entry.scope, entry.deed.value, entry.incident_id, entry.with_id,
                ",".join(entry.countries), entry.reason, principal.team.team_id, principal.token_id, now_us,
                0 if entry.is_kept else position,
            )
        ],
    )  # fmt: skip
    if entry.is_kept:
        yield _ADD_VALUES, [(key, position, key in entry.others) for key in sorted(entry.named | entry.others)]
    yield from judge_anew(position, entry.scope, entry.named | entry.others)
    return position, decision_id


_ADD = Insert(_DECISIONS)
_ADD_VALUES = Insert(_VALUES)


def judge_anew(position: int, scope: str, keys: Values[bytes]) -> Program[None]:
    """Have some values judged anew when correlation comes to a place."""
    if keys:
        yield _ADD_ANEW, [(position, scope, key) for key in sorted(keys)]


_ADD_ANEW = Insert(_ANEW, keep=True)


def take_anew(span: Span) -> Program[set[ScopedKey]]:
    """Take the values that a stretch of the ledger has judged anew, though nobody said anything of them."""
    found = {(scope, bytes(key)) for scope, key in (yield _ANEW_IN, span.bounds)}
    if found:
        yield _DONE, span.bounds
    return found


_ANEW_IN = Statement(lambda _: select(_ANEW.c.scope, _ANEW.c.key).where(in_span(_ANEW.c.position)))
_DONE = Statement(lambda _: delete(_ANEW).where(in_span(_ANEW.c.position)))


def load_decisions(scope: str, keys: Values[bytes]) -> Program[tuple[Decision, ...]]:
    """Load the decisions in force that are about some values, in their order, each with all its values."""
    if not keys or not (yield _ANY, {"scope": scope}):
        return ()
    rows = yield _ABOUT, {"scope": scope} | join_keys(keys)
    if not rows:
        return ()
    named: dict[int, tuple[set[bytes], set[bytes]]] = {int(row[0]): (set(), set()) for row in rows}
    for position, key, is_other in (yield _ALL_VALUES, {"positions": tuple(sorted(named))}):
        named[int(position)][bool(is_other)].add(bytes(key))
    return tuple(
        Decision(
            int(position), Deed(deed), incident_id, frozenset(named[int(position)][0]), frozenset(named[int(position)][1]),
            frozenset(countries.split(",")) - {""},
        )
        for position, deed, incident_id, countries in rows
    )  # fmt: skip


_ANY = Statement(lambda _: select(_DECISIONS.c.position).where(_IN_FORCE).limit(1))
_ABOUT = Statement(
    lambda dialect: (
        select(_DECISIONS.c.position, _DECISIONS.c.deed, _DECISIONS.c.incident_id, _DECISIONS.c.countries)
        .where(
            _IN_FORCE,
            _DECISIONS.c.position.in_(select(_VALUES.c.position).where(among_keys(dialect, _VALUES.c.key, _KEYS))),
        )
        .order_by(_DECISIONS.c.position)
    )
)
_ALL_VALUES = Statement(
    lambda dialect: select(_VALUES.c.position, _VALUES.c.key, _VALUES.c.is_other).where(
        among_listed(dialect, _VALUES.c.position, bindparam("positions"))
    )
)


def count_in_force(scope: str) -> Program[int]:
    """Count the decisions that hold within a scope."""
    rows = yield _COUNT, {"scope": scope}
    return int(rows[0][0])


_COUNT = Statement(lambda _: select(func.count()).select_from(_DECISIONS).where(_IN_FORCE))


def find_kept(scope: str, decision_id: str) -> Program[tuple[int, Deed] | None]:
    """Find a decision that holds within a scope, by its id: its place, and what was decided."""
    rows = yield _NAMED, {"scope": scope, "decision": decision_id}
    return (int(rows[0][0]), Deed(rows[0][1])) if rows else None


_NAMED = Statement(
    lambda _: select(_DECISIONS.c.position, _DECISIONS.c.deed).where(
        _DECISIONS.c.decision_id == bindparam("decision", type_=String), _IN_FORCE
    )
)


def load_values(positions: Values[int]) -> Program[frozenset[bytes]]:
    """Load the values that some decisions are about."""
    rows = yield _ALL_VALUES, {"positions": tuple(sorted(positions))}
    return frozenset(bytes(key) for _, key, _ in rows)


def take_back(positions: Values[int], by: int) -> Program[None]:
    """Let some decisions hold no more.

    Args:
        positions: of the decisions.
        by: the place of the decision that says so.
    """
    yield _TAKE_BACK, {"positions": tuple(sorted(positions)), "by": by}


_TAKE_BACK = Statement(
    lambda dialect: (
        update(_DECISIONS)
        .where(among_listed(dialect, _DECISIONS.c.position, bindparam("positions")))
        .values(undone_by=bindparam("by", type_=BigInteger))
    )
)


@lru_cache(maxsize=256)
def _scopes_of(query: Select[str]) -> Statement:
    return Statement(lambda _: query.limit(10_000))


def load_scopes(principal: Principal) -> Program[frozenset[str]]:
    """Load the scopes whose incidents a principal may see."""
    return frozenset(scope for (scope,) in (yield _scopes_of(visible_scopes(principal)), {}))


def load_members(scope: str, incidents: Values[str]) -> Program[dict[bytes, str]]:
    """Load the values of some incidents of a scope, each with its incident."""
    if not incidents:
        return {}
    rows = yield _MEMBERS_OF, {"scope": scope, "named": tuple(sorted(incidents))}
    return {bytes(key): str(one) for key, one in rows}


_MEMBERS_OF = Statement(
    lambda dialect: select(_MEMBERS.c.key, _MEMBERS.c.incident_id).where(
        among_listed(dialect, _MEMBERS.c.incident_id, bindparam("named")), _MEMBERS.c.scope == _SCOPE
    )
)


def list_history(scope: str, incident_id: str, keys: Values[bytes], most: int = MOST_HISTORY) -> Program[list[Decided]]:
    """List what was decided about an incident or any of its values, the newest first.

    Args:
        scope: which the caller may see.
        incident_id: of the incident; empty to ask for values only.
        keys: its values.
        most: how many at most.
    """
    asked = {"scope": scope, "incident": incident_id, "most": most} | join_keys(keys)
    return [
        Decided(
            decision_id, Deed(deed), about, with_id, reason, team, token, int(at_us), int(values),
            is_undone=bool(undone) and int(undone) != int(position), is_applied=int(position) <= int(mark),
        )
        for position, decision_id, deed, about, with_id, reason, undone, at_us, team, token, values, mark in (
            yield _HISTORY, asked
        )
    ]  # fmt: skip


def _history(dialect: str) -> Any:
    values = select(func.count()).select_from(_VALUES).where(_VALUES.c.position == _DECISIONS.c.position).scalar_subquery()
    mark = select(_MARK.c.position).limit(1).scalar_subquery()
    of_values = select(_VALUES.c.position).where(among_keys(dialect, _VALUES.c.key, _KEYS))
    about = and_(_DECISIONS.c.incident_id == bindparam("incident", type_=String), _DECISIONS.c.incident_id != "")
    return (
        select(
            _DECISIONS.c.position, _DECISIONS.c.decision_id, _DECISIONS.c.deed, _DECISIONS.c.incident_id, _DECISIONS.c.with_id,
            _DECISIONS.c.reason, _DECISIONS.c.undone_by, _DECISIONS.c.at_us, _TEAMS.c.slug, _TOKENS.c.name,
            values.label("named"), mark.label("mark"),
        )
        .join(_TEAMS, _TEAMS.c.team_id == _DECISIONS.c.team_id)
        .join(_TOKENS, _TOKENS.c.token_id == _DECISIONS.c.token_id)
        .where(_DECISIONS.c.scope == _SCOPE, or_(about, _DECISIONS.c.position.in_(of_values)))
        .order_by(_DECISIONS.c.position.desc())
        .limit(_MOST)
    )  # fmt: skip


_HISTORY = Statement(_history)
