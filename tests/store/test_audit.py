"""The audit trail only grows, and tells when somebody who owns the database changed it nevertheless."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import asyncpg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from regcert.errors import Code, Refusal
from regcert.flows.commit_audit import commit_audit
from regcert.flows.verify_audit import verify_audit
from regcert.store import migrate as migrate_module
from regcert.store.audit import add_audit, find_head
from regcert.store.database import Database, Tx, open_database
from regcert.store.migrate import migrate
from tests.store.test_migrations import run

_FREE = {
    "sqlite": ["DROP TRIGGER IF EXISTS audit_update", "DROP TRIGGER IF EXISTS audit_delete"],
    "postgresql": ["DROP TRIGGER IF EXISTS audit_only_grows ON audit"],
}


async def tamper(url: str, *statements: str) -> None:
    """Do as whoever owns the database can: take the triggers away, and write past the host."""
    if url.startswith("sqlite:"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for statement in (*_FREE["sqlite"], *statements):
            connection.execute(statement)
        connection.close()
        return
    remote = await asyncpg.connect(url)
    for statement in (*_FREE["postgresql"], *statements):
        await remote.execute(statement)
    await remote.close()


async def note(database: Database, *actions: str) -> None:
    """Write rows, each in a transaction of its own."""
    for action in actions:
        await database.write(partial(_note, action))


async def _note(action: str, tx: Tx) -> None:
    await add_audit(tx, None, 1_795_000_000_000_000, action, "a subject")


async def last_id(database: Database) -> int:
    head = await database.run(find_head())
    assert head is not None
    return head.audit_id


async def broken(database: Database) -> str:
    """The sentence that verifying ends with."""
    with pytest.raises(Refusal) as refused:
        await verify_audit(database)
    assert refused.value.code is Code.AUDIT_BROKEN
    return refused.value.message


async def test_trail_of_a_founded_host_is_whole_from_its_first_row(database):
    """Founding writes dozens of rows; all of them are linked."""
    checked = await verify_audit(database)
    assert checked.rows == checked.linked == checked.last > 10


async def test_rows_written_at_the_same_time_are_one_chain(database):
    """Whoever shares a commit, or fails beside it, leaves no gap in the chain."""

    async def fail(tx):
        await add_audit(tx, None, 1, "failed", "nothing of it is kept")
        raise Refusal(Code.NOT_FOUND, "on purpose")

    before = (await verify_audit(database)).rows
    await asyncio.gather(*(note(database, f"deed-{n}") for n in range(40)), *(_ignore(database, fail) for _ in range(10)))
    assert (await verify_audit(database)).rows == before + 40


async def _ignore(database: Database, work: Callable[[Tx], Awaitable[None]]) -> None:
    with suppress(Refusal):
        await database.write(work)


async def test_two_processes_write_one_chain(settings, clock, database):
    """Two writers of one database take turns, and each goes on where the other ended."""
    async with open_database(settings.database_url, clock) as other:
        await asyncio.gather(note(database, *"abcdefgh"), note(other, *"ijklmnop"))
    await verify_audit(database)


async def test_changed_row_is_named(database, settings):
    """Any column of any row, changed behind the host's back, is found, and the row is the one that is named."""
    await note(database, "one", "two", "three")
    row = await last_id(database) - 1
    for column, value, before in (
        ("action", "'something else'", "'two'"),
        ("subject", "'another'", "'a subject'"),
        ("at_us", "at_us + 1", "at_us - 1"),
        ("team_id", "1", "NULL"),
        ("token_id", "1", "NULL"),
    ):
        await tamper(settings.database_url, f"UPDATE audit SET {column} = {value} WHERE audit_id = {row}")
        assert f"row {row} " in await broken(database)
        await tamper(settings.database_url, f"UPDATE audit SET {column} = {before} WHERE audit_id = {row}")
        await verify_audit(database)


async def test_removed_row_is_found_at_the_next(database, settings):
    """A row that is gone is missed by the one behind it."""
    await note(database, "one", "two", "three")
    row = await last_id(database) - 1
    await tamper(settings.database_url, f"DELETE FROM audit WHERE audit_id = {row}")
    assert f"row {row + 1} " in await broken(database)


async def test_moved_row_is_found(database, settings):
    """Two rows cannot change places, links and all."""
    await note(database, "one", "two", "three")
    row = await last_id(database)
    swap = (f"UPDATE audit SET audit_id = {-1} WHERE audit_id = {row}",
            f"UPDATE audit SET audit_id = {row} WHERE audit_id = {row - 1}",
            f"UPDATE audit SET audit_id = {row - 1} WHERE audit_id = {-1}")  # fmt: skip
    await tamper(settings.database_url, *swap)
    assert f"row {row - 1} " in await broken(database)


async def test_row_put_in_is_found(database, settings):
    """A row put between two others, or behind the last, has no link that fits."""
    await note(database, "one")
    row = await last_id(database) + 1
    columns = "audit_id, at_us, action, subject"
    await tamper(settings.database_url, f"INSERT INTO audit ({columns}) VALUES ({row}, 1, 'read', 'never happened')")
    assert f"row {row} " in await broken(database)


async def test_first_rows_cannot_be_taken_off(database, settings):
    """The chain begins with nothing before it: where its beginning is gone, the new beginning does not fit."""
    await tamper(settings.database_url, "DELETE FROM audit WHERE audit_id <= 3")
    assert "row 4 " in await broken(database)


async def test_first_links_cannot_be_taken_off(database, settings):
    """Nor can the first rows pretend to be older than the chain."""
    await tamper(settings.database_url, "UPDATE audit SET chain = NULL WHERE audit_id <= 3")
    assert "row 4 " in await broken(database)


async def test_end_cut_off_is_found_by_the_log(database, settings):
    """Without its last rows the trail is a trail; only the log knows how far it went."""
    await note(database, "one", "two", "three")
    assert await commit_audit(database)
    row = await last_id(database)
    await tamper(settings.database_url, f"DELETE FROM audit WHERE audit_id > {row - 2}")
    assert f"row {row} " in await broken(database)


async def test_trail_written_anew_is_found_by_the_log(database, settings):
    """Whoever computes all links again gets other ones than the log was told."""
    await note(database, "one")
    assert await commit_audit(database)
    row = await last_id(database)
    await tamper(settings.database_url, f"DELETE FROM audit WHERE audit_id = {row}")
    await note(database, "another")
    assert await last_id(database) == row
    assert f"row {row} " in await broken(database)


async def test_log_is_told_only_when_the_trail_has_grown(database, acting):
    """A host on which nothing happens does not fill its log."""
    await note(database, "one")
    assert await commit_audit(database)
    assert not await commit_audit(database)
    await note(database, "two")
    assert await commit_audit(database)
    assert len(await acting.rows("log_leaves")) == 2
    assert (await verify_audit(database)).heads == 2


async def test_chain_begins_behind_rows_that_are_older_than_it(database, settings):
    """Rows of an older release have no link; the first row of this one begins the chain, and an older one stays unproven."""
    await tamper(settings.database_url, "UPDATE audit SET chain = NULL")
    older = (await verify_audit(database)).rows
    await note(database, "one", "two")
    checked = await verify_audit(database)
    assert (checked.rows, checked.linked) == (older + 2, 2)


async def test_host_itself_cannot_change_the_trail(database):
    """Whatever a fault of ours would try: the database refuses to change or remove a row."""
    before = await verify_audit(database)
    statements = ["UPDATE audit SET action = 'x'", "DELETE FROM audit WHERE audit_id = 1"]
    for statement in [*statements, *(["TRUNCATE audit"] if database.dialect == "postgresql" else [])]:
        with pytest.raises(DBAPIError, match="only grows"):
            await database.write(lambda tx, statement=statement: tx.connection.execute(text(statement)))
    assert await verify_audit(database) == before


async def test_older_release_can_go_on_after_a_downgrade(database_url, tmp_path, clock):
    """Rows get their numbers by hand behind the chain's beginning; a database taken back gives free ones again."""
    await migrate(database_url)
    async with open_database(database_url, clock) as database:
        await note(database, "one", "two")

    def back(connection):
        config = migrate_module._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")

    await run(database_url, back)
    insert = "INSERT INTO audit (at_us, action, subject) VALUES (1, 'older', 'release')"
    await run(database_url, lambda connection: connection.execute(text(insert)))
    await run(database_url, lambda connection: connection.execute(text("DELETE FROM audit")))
