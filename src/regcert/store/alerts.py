"""Alerts: what each team was told, and of what it need not be told again.

An alert is entered in the transaction in which correlation found what it tells, so it is raised once whatever crashes. Its number
is its place and its time: it only grows, so whoever reads on behind the last number misses nothing. Numbers are counted for each
team apart, and so tell nobody how much others are told.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.alert import Alert, AlertKind, Evidence, Raised
from regcert.stix.tlp import Tlp
from regcert.store.border_tables import AlertRow, ToldRow
from regcert.store.database import Tx
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import HostOrder, table

MOST_UNSEEN = 100
_EVERYBODY = "all"

_ALERTS = table(AlertRow)
_TOLD = table(ToldRow)
_ORDER = table(HostOrder)


def enter_alerts(raised: Iterable[Raised], now_us: int) -> Program[None]:
    """Enter alerts and what they tell; the host's order lock is held.

    What a narrowed token does not see stands behind what all teams see, so that it moves none of those numbers.
    """
    [(last,)] = yield _LAST, {}
    first, ranks = max(now_us, int(last) + 1), Counter[int]()
    alerts, told = [], []
    for one in sorted(raised, key=lambda one: (one.scope != _EVERYBODY, one.scope, one.kind, -one.strength, one.subjects)):
        number = first + ranks[one.team_id]
        ranks[one.team_id] += 1
        evidence = msgspec.json.encode(one.evidence)
        alerts.append((one.team_id, one.scope, number, one.kind.value, int(one.marking), None, evidence))
        told += [(subject, one.scope, one.kind.value, other_id, one.team_id, number) for subject, other_id in one.subjects]
    if alerts:
        yield _ENTER, alerts
        yield _TELL, told
        yield _MOVE, {"last": first + max(ranks.values()) - 1}


_LAST = Statement(lambda _: select(_ORDER.c.alerts).where(_ORDER.c.order_id == 1))
_MOVE = Statement(lambda _: update(_ORDER).where(_ORDER.c.order_id == 1).values(alerts=bindparam("last")))
_ENTER = Insert(_ALERTS)
_TELL = Insert(_TOLD, keep=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of a team's alerts is asked for.

    Args:
        after: only those with a larger number, the smallest first; None for the newest first.
        before: with the newest first, only those with a smaller number, or None.
        only_unseen: leave out what was seen.
    """

    after: int | None = None
    before: int | None = None
    only_unseen: bool = False


async def list_alerts(connection: AsyncConnection, team_id: int, scopes: Sequence[str], place: Place, limit: int) -> list[Alert]:
    """List a team's alerts, as far as it may still see what they are about.

    Args:
        connection: a reader's.
        team_id: whose.
        scopes: what `store.incidents.list_scopes` gave.
        place: which part.
        limit: at most this many.
    """
    if not scopes:
        return []
    columns = (_ALERTS.c.number, _ALERTS.c.kind, _ALERTS.c.scope, _ALERTS.c.marking, _ALERTS.c.evidence, _ALERTS.c.seen_us)
    query = select(*columns).where(_ALERTS.c.team_id == team_id).limit(limit)
    if place.only_unseen:
        query = query.where(_ALERTS.c.seen_us.is_(None))
    if place.before is not None:
        query = query.where(_ALERTS.c.number < place.before)
    if place.after is not None:
        query = query.where(_ALERTS.c.number > place.after)
    is_rising = place.after is not None
    query = query.order_by(_ALERTS.c.number if is_rising else _ALERTS.c.number.desc())
    parts = union_all(*(select(query.where(_ALERTS.c.scope == scope).subquery()) for scope in scopes)).subquery()
    ordered = select(parts).order_by(parts.c.number if is_rising else parts.c.number.desc()).limit(limit)
    return [
        Alert(number, AlertKind(kind), scope, Tlp(marking), msgspec.json.decode(evidence, type=Evidence), seen_us)
        for number, kind, scope, marking, evidence, seen_us in await connection.execute(ordered)
    ]


async def count_unseen(connection: AsyncConnection, team_id: int, scopes: Sequence[str]) -> int:
    """Count what nobody of a team has seen yet, up to 100."""
    if not scopes:
        return 0
    unseen: Select[Any] = select(literal_column("1")).where(
        _ALERTS.c.team_id == team_id, _ALERTS.c.scope.in_(scopes), _ALERTS.c.seen_us.is_(None)
    )
    number: int = (await connection.execute(select(func.count()).select_from(unseen.limit(MOST_UNSEEN).subquery()))).scalar_one()
    return number


async def see_alerts(tx: Tx, team_id: int, scopes: Sequence[str], *, first: int, last: int) -> int:
    """Note that a team has seen its alerts from one number to another; return how many there are.

    Who has seen one again sees it no later: the first time stands.
    """
    theirs = and_(_ALERTS.c.team_id == team_id, _ALERTS.c.scope.in_(scopes), _ALERTS.c.number.between(first, last))
    unseen = update(_ALERTS).where(theirs, _ALERTS.c.seen_us.is_(None)).values(seen_us=tx.now_us())
    await tx.connection.execute(unseen)
    number: int = (await tx.connection.execute(select(func.count()).select_from(_ALERTS).where(theirs))).scalar_one()
    return number


def expire_alerts(before_us: int, most: int) -> Program[int]:
    """Forget alerts that were raised before a time, and that anything was told then.

    Args:
        before_us: those older than this go.
        most: how many in one transaction.

    Returns:
        How many rows went.
    """
    gone = 0
    for aged, forget in _EXPIRE:
        rows = yield aged, {"before": before_us, "most": most}
        if rows:
            yield forget, {"until": int(rows[-1][0])}
        gone += len(rows)
    return gone


def _aged(rows: Table) -> Statement:
    old = rows.c.number < bindparam("before", type_=BigInteger)
    return Statement(lambda _: select(rows.c.number).where(old).order_by(rows.c.number).limit(bindparam("most", type_=Integer)))


def _forget(rows: Table) -> Statement:
    return Statement(lambda _: delete(rows).where(rows.c.number <= bindparam("until", type_=BigInteger)))


_EXPIRE: Sequence[tuple[Statement, Statement]] = tuple((_aged(rows), _forget(rows)) for rows in (_ALERTS, _TOLD))
