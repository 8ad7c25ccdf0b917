"""What is asked of a long log costs the same as of a short one: every query is answered from an index, on both databases."""

from typing import Any

import pytest
from sqlalchemy import text

from regcert.domain.principal import Principal, Role
from regcert.store.checkpoints import (
    find_lines,
    find_newest,
    find_witnessed,
    forget_checkpoints,
    list_checkpoints,
    list_first_witnessed,
    list_lines,
)
from regcert.store.database import Database, Tx
from regcert.store.log import append_leaf, count_hashed, count_leaves, find_tile, grow_tiles, list_leaves
from regcert.store.proofs import find_kept, get_existing, get_readable, list_publications
from regcert.store.teams import list_teams
from tests.store.test_plans import ROWS, SERIES, WORDS, Watched

MANY = "log_leaves|log_tiles|log_checkpoints|cosignatures|publications|signed_objects|objects"
SCAN = rf"\bSCAN (?:{MANY})\b(?! USING (?:COVERING )?INDEX)|Seq Scan on (?:{MANY})\b|AUTOMATIC|USE TEMP B-TREE|Sort Key"
FILL = """
INSERT INTO log_leaves SELECT n - 1, {key} FROM series;
INSERT INTO log_tiles SELECT 0, n, {body} FROM series;
INSERT INTO log_checkpoints SELECT n, {key}, n FROM series;
INSERT INTO cosignatures SELECT n, 'w', {key}, n FROM series;
INSERT INTO publications SELECT 1, n, 1, n, {key}, 'k', n * 2, n, n FROM series;
INSERT INTO signed_objects SELECT n * 2, 1, n FROM series;
INSERT INTO objects SELECT n * 2, 1, {id}, 'indicator', 'v', n, 0, 1, 'identity--a', 'signed', 2, {no}, n, {key}, {key}
    FROM series
"""


@pytest.fixture
async def watched(database: Database) -> Watched:
    async def fill(tx: Tx) -> None:
        words, series = WORDS[database.dialect], SERIES[database.dialect]
        for table in ("log_leaves", "log_tiles", "log_checkpoints"):
            await tx.connection.execute(text(f"DELETE FROM {table}"))
        for statement in FILL.strip().split(";\n"):
            head, select = statement.split(" SELECT ", 1)
            await tx.connection.execute(text(f"{head} {series} SELECT {select.format(**words)}"))

    await database.write(fill)
    if database.dialect == "postgresql":
        await database.write(lambda tx: tx.connection.execute(text("ANALYZE")))
    async with database.read() as connection:
        team = (await list_teams(connection))[0]
    return Watched(database, Principal(team, Role.ANALYST, 1, None))


async def faults(watched: Watched) -> list[str]:
    """What reads more than it needs; the end of a table in the order of its own key is not that, nor are a few lines in order."""
    found = await watched.faults(SCAN)
    ends = [one for one in found if one.startswith("SCAN log_") and "WHERE" not in one and "LIMIT" in one]
    return [one for one in found if one not in ends and "ORDER BY cosignatures.at_us" not in one]


async def test_log_is_read_from_indexes_when_it_is_long(watched: Watched) -> None:
    """Its end, its middle, what witnesses said, what was published."""
    middle = ROWS // 2
    asked: dict[str, Any] = {
        "count": count_leaves,
        "hashed": count_hashed,
        "leaves": lambda: list_leaves(middle, 256),
        "tile": lambda: find_tile(0, middle),
        "newest": find_newest,
        "checkpoints": lambda: list_checkpoints(middle, 100),
        "witnessed": lambda: find_witnessed(middle),
        "first witnessed": lambda: list_first_witnessed(middle),
        "lines": lambda: list_lines(middle),
        "line": lambda: find_lines(middle, "w"),
        "readable": lambda: get_readable(watched.principal, "public"),
        "existing": lambda: get_existing(watched.principal, "public"),
        "publications": lambda: list_publications(1, middle, 1000),
        "object": lambda: find_kept(1, f"indicator--{middle}", "v", middle),
    }
    for what, program in asked.items():
        with watched.watching():
            await watched.database.run(program())
        assert watched.ran
        assert (what, await faults(watched)) == (what, [])


async def test_log_is_written_through_indexes_when_it_is_long(watched: Watched) -> None:
    """An entry, a tile, and what is forgotten."""
    for program in (append_leaf(b"x"), forget_checkpoints(ROWS // 2, ROWS, 100), grow_tiles(1)):
        with watched.watching():
            await watched.database.write(lambda tx: tx.run(program))  # noqa: B023
        assert watched.ran
        assert await faults(watched) == []
