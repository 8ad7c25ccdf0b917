"""Gather what the board shows one principal."""

from collections.abc import Sequence
from dataclasses import dataclass

from regcert.clock import DAY_US, Clock
from regcert.domain.principal import Principal
from regcert.domain.team import Team
from regcert.flows.list_incidents import IncidentPage, page_incidents
from regcert.policy.permissions import Permission, require
from regcert.stix.observable import Observable
from regcert.store.database import Database
from regcert.store.incidents import count_incidents, list_activity, list_held, list_scopes
from regcert.store.teams import list_teams

MOST_HELD = 100


@dataclass(frozen=True, slots=True)
class Board:
    """What crosses borders now, and how busy the region is.

    Args:
        now_us: the time it speaks of.
        teams: of the region.
        crossing: how many incidents there are.
        page: some of them.
        activity: (day, country, published, sighted) since the first of the days asked for.
        held: values that are held back, where, and why.
    """

    now_us: int
    teams: tuple[Team, ...]
    crossing: int
    page: IncidentPage
    activity: tuple[tuple[int, str, int, int], ...]
    held: tuple[tuple[Observable, Sequence[str], str], ...]


async def view_board(
    database: Database, clock: Clock, principal: Principal, *, days: int, limit: int, cursor: str | None, dismissed: bool = False
) -> Board:
    """Gather the board, all of it from what the principal may see.

    Args:
        database: where from.
        clock: for today.
        principal: who looks.
        days: how many days of activity, today included.
        limit: how many incidents.
        cursor: where the list goes on, or None.
        dismissed: list the incidents that coordinators dismissed instead.

    Raises:
        Refusal: FORBIDDEN.
    """
    require(principal, Permission.USE_CONSOLE)
    now_us = clock.now_us()
    page = await page_incidents(database, clock, principal, limit=limit, cursor=cursor, dismissed=dismissed)
    async with database.read() as connection:
        scopes = await list_scopes(connection, principal)
        return Board(
            now_us=now_us,
            teams=tuple(await list_teams(connection)),
            crossing=await count_incidents(connection, scopes),
            page=page,
            activity=tuple(await list_activity(connection, scopes, now_us // DAY_US - days + 1)),
            held=tuple(await list_held(connection, scopes, MOST_HELD)),
        )
