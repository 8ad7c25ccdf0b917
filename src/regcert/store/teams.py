"""Teams, and what the host knows of its region."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal
from regcert.store.database import Tx
from regcert.store.incident_tables import CorrelatedRow
from regcert.store.tables import HostFact, HostOrder, TeamRow, table

_TEAMS = table(TeamRow)
_ORDER = table(HostOrder)
_FACTS = table(HostFact)


async def add_team(tx: Tx, team: Team) -> Team:
    """Enter a team, and return it with the key it was given.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    try:
        team_id = (
            await tx.connection.execute(
                insert(_TEAMS)
                .values(
                    slug=team.slug,
                    name=team.name,
                    country=team.country,
                    kind=team.kind.value,
                    identity_id=team.identity_id,
                    website=team.website,
                )
                .returning(_TEAMS.c.team_id)
            )
        ).scalar_one()
    except IntegrityError as error:
        raise Refusal(Code.ALREADY_EXISTS, f"a team called {team.slug}, or with its identity, exists already") from error
    return replace(team, team_id=team_id)


async def list_teams(connection: AsyncConnection) -> list[Team]:
    """List all teams in the order in which they joined; a region has dozens, not thousands."""
    rows = (await connection.execute(select(_TEAMS).order_by(_TEAMS.c.team_id).limit(10_000))).mappings()
    return [read_team(row) for row in rows]


async def find_team(connection: AsyncConnection, slug: str) -> Team | None:
    """Find a team by its short name."""
    row = (await connection.execute(select(_TEAMS).where(_TEAMS.c.slug == slug))).mappings().first()
    return None if row is None else read_team(row)


def read_team(row: Mapping[str, Any] | RowMapping) -> Team:
    """Turn a row of the teams table into our noun."""
    return Team(
        row["team_id"],
        row["slug"],
        row["name"],
        row["country"],
        TeamKind(row["kind"]),
        row["identity_id"],
        row["website"],
    )


async def begin_order(tx: Tx) -> None:
    """Write the rows that the order and correlation count in, once in a host's life."""
    await tx.connection.execute(insert(_ORDER).values(order_id=1, position=0))
    await tx.connection.execute(insert(table(CorrelatedRow)).values(mark_id=1, position=0))


async def touch_rights(tx: Tx) -> None:
    """Say that teams, collections, API roots or tokens change with this transaction.

    Every process that remembers any of them looks at the number before it trusts its memory, so whoever changes a row of
    `teams`, `api_roots`, `collections`, `collection_access`, `tokens` or `token_collections` calls this first: it also holds
    the order lock, so that what is looked up behind it stands until the commit.
    """
    await tx.connection.execute(update(_ORDER).where(_ORDER.c.order_id == 1).values(rights=_ORDER.c.rights + 1))


async def add_facts(tx: Tx, facts: dict[str, object]) -> None:
    """Note what the host knows about itself, each fact as JSON."""
    rows = [{"name": name, "value": json.dumps(value)} for name, value in facts.items()]
    await tx.connection.execute(insert(_FACTS), rows)


async def read_facts(connection: AsyncConnection) -> dict[str, object]:
    """Read all that the host knows about itself; empty on a host that was never initialised."""
    rows = await connection.execute(select(_FACTS.c.name, _FACTS.c.value).limit(100))
    return {name: json.loads(value) for name, value in rows}
