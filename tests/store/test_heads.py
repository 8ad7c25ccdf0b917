"""A look is never older than the question, whoever wrote, and costs nothing where nobody did."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest

from regcert.store import heads as heads_module
from regcert.store.database import Database, open_database
from regcert.store.order import take_positions
from regcert.store.teams import touch_rights
from tests.hosting import StillClock


@pytest.fixture
async def other(settings, database: Database) -> AsyncIterator[Database]:
    """A second process on the same database, as far as that can be had in one."""
    async with open_database(settings.database_url, StillClock()) as opened:
        yield opened


def counting(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Write down every program that is read."""
    ran: list[object] = []
    run = database._readers.run

    async def watched(program):
        ran.append(program)
        return await run(program)

    monkeypatch.setattr(database._readers, "run", watched)
    return ran


async def move(database: Database) -> int:
    return (await database.write(lambda tx: tx.run(take_positions(1, tx.now_us()))))[-1]


async def test_look_sees_every_commit_that_came_before_it(database, other):
    """Ours, another process's, and what changes rights alone."""
    for writer in (database, other, database, other):
        position = await move(writer)
        assert (await database.look()).position == position
        assert (await other.look()).position == position
        before = (await database.look()).rights
        await writer.write(touch_rights)
        assert {(await one.look()).rights for one in (database, other)} == {before + 1}


async def test_each_look_is_no_older_than_its_call_when_many_look_while_others_write(database, other):
    """Shared looks never hand out what was true before the question."""
    done = 0

    async def write(writer: Database) -> None:
        nonlocal done
        for _ in range(40):
            done = max(done, await move(writer))

    async def look(reader: Database) -> None:
        for _ in range(200):
            asked_at = done
            assert (await reader.look()).position >= asked_at
            await asyncio.sleep(0)

    await asyncio.gather(write(database), write(other), *(look(one) for one in (database, other) for _ in range(8)))


async def test_looks_at_the_same_time_are_one_or_two(database, monkeypatch):
    """A hundred who ask at once are answered by the look under way for nobody, and by one for all."""
    await move(database)
    ran = counting(database, monkeypatch)
    await asyncio.gather(*(database.look() for _ in range(100)))
    assert len(ran) == 1


async def test_nothing_is_read_when_nobody_has_written(database, monkeypatch):
    """On SQLite the number in shared memory says so; a server on another machine has to be asked."""
    await database.look()
    ran = counting(database, monkeypatch)
    await database.look()
    assert len(ran) == (0 if database.dialect == "sqlite" else 1)


async def test_commit_is_seen_when_its_writer_ended_before_its_number(database, settings, monkeypatch):
    """A process that is killed between the two leaves the number behind: it is trusted for a second at most."""
    if database.dialect != "sqlite":
        pytest.skip("only SQLite has such a number")
    await database.look()
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE host_order SET rights = rights + 100")
    monkeypatch.setattr(heads_module, "LOOK_AGAIN_S", 0.0)
    assert (await database.look()).rights >= 100


async def test_writer_gets_its_turn_when_another_never_pauses(database, other):
    """Two processes write to one file: the one with little to do is not starved by the one with much."""
    finished = asyncio.Event()

    async def flood() -> int:
        count = 0
        while not finished.is_set():
            await asyncio.gather(*(move(database) for _ in range(20)))
            count += 1
        return count

    flooding = asyncio.create_task(flood())
    for _ in range(10):
        await move(other)
    finished.set()
    assert await flooding > 0
