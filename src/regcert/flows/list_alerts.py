"""Show a team what it was told, as far as whoever asks may still see it, and note what was seen."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from regcert.clock import DAY_US, Clock
from regcert.domain.alert import Alert
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.record_reading import STRICT, note_reading
from regcert.policy.permissions import Permission, require
from regcert.stix.reader import MAX_SAFE_INTEGER
from regcert.store.alerts import Place, count_unseen, expire_alerts, list_alerts, see_alerts
from regcert.store.database import Database, Tx
from regcert.store.heads import Heads
from regcert.store.incidents import list_scopes

MAX_LIMIT = 200
KEPT_DAYS = 90
_A_TIME = 500


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some alerts.

    Args:
        alerts: in the order that was asked for.
        more: whether there are further ones in that direction.
        unseen: how many of all nobody of the team has seen, up to 100.
    """

    alerts: tuple[Alert, ...]
    more: bool
    unseen: int


async def page_alerts(database: Database, principal: Principal, place: Place, limit: int) -> AlertPage:
    """List what a principal's team was told: what it may not see any more is left out, and never was there.

    Args:
        database: where from.
        principal: on whose behalf.
        place: which part.
        limit: at most this many, 1 to 200.

    Raises:
        Refusal: FORBIDDEN; BUSY where the reading of something strictly marked cannot be written down.
    """
    require(principal, Permission.SEE_ALERTS)
    async with database.read() as connection:
        scopes = await list_scopes(connection, principal)
        found = await list_alerts(connection, principal.team.team_id, scopes, place, limit + 1)
        unseen = await count_unseen(connection, principal.team.team_id, scopes)
    shown = tuple(found[:limit])
    await _note(database, principal, shown)
    return AlertPage(shown, len(found) > limit, unseen)


async def wait_for_alerts(database: Database, seen: Heads, most_s: float) -> bool:
    """Wait until any team was told anything since a state was seen, for at most so many seconds; say whether waiting is worth it.

    False where nothing came at once: the host is stopping, or too many wait already.
    """
    began_at = time.monotonic()
    return await database.wait_for_alerts(seen, most_s) or time.monotonic() - began_at >= most_s / 2


async def see_alert(database: Database, principal: Principal, number: int) -> None:
    """Note that a team has seen one alert.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND where its team was told nothing under that number that it may see.
    """
    if not await _see(database, principal, number, number):
        raise Refusal(Code.NOT_FOUND, "there is no such alert")


async def see_alerts_until(database: Database, principal: Principal, number: int) -> None:
    """Note that a team has seen all its alerts up to and with one.

    Raises:
        Refusal: FORBIDDEN.
    """
    await _see(database, principal, 0, number)


async def count_new(database: Database, principal: Principal) -> int:
    """Count what nobody of a principal's team has seen yet, up to 100."""
    async with database.read() as connection:
        return await count_unseen(connection, principal.team.team_id, await list_scopes(connection, principal))


async def expire(database: Database, clock: Clock) -> int:
    """Forget what teams were told more than 90 days ago, and return how many rows went; others may write in between."""
    before_us, gone = clock.now_us() - KEPT_DAYS * DAY_US, 0
    while some := await database.apply(lambda _: expire_alerts(before_us, _A_TIME)):
        gone += some
    return gone


async def _see(database: Database, principal: Principal, first: int, last: int) -> int:
    require(principal, Permission.MARK_ALERTS)

    async def work(tx: Tx) -> int:
        scopes = await list_scopes(tx.connection, principal)
        return await see_alerts(tx, principal.team.team_id, scopes, first=first, last=min(last, MAX_SAFE_INTEGER))

    return await database.write(work)


async def _note(database: Database, principal: Principal, alerts: Iterable[Alert]) -> None:
    strict = [alert.number for alert in alerts if alert.marking >= STRICT]
    if strict:
        await note_reading(database, principal, f"alerts {min(strict)}..{max(strict)}")
