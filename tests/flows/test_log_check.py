"""One bit that is not as it was is found, and named, wherever in the log it is."""

from typing import Any

import pytest
from sqlalchemy import text

from regcert.errors import Code, Refusal
from regcert.flows.add_witness import add_witness
from regcert.flows.check_log import Checked, check_log
from regcert.flows.sign_log import HostLog
from regcert.signing.note import cosign, read_note, witness_key
from regcert.signing.private_key import private_key_of
from regcert.store.checkpoints import Cosigned, add_line, find_checkpoint, renew_line
from regcert.store.database import Database
from regcert.store.log import grow_tiles
from tests.hosting import StillClock
from tests.logs import catch_up, enter, opened

WITNESS = private_key_of(b"w" * 32)
SIZES = (3, 256, 300, 700)


@pytest.fixture
async def log(settings, database, clock) -> HostLog:
    """A log of 700 entries, with checkpoints at some sizes, one of them cosigned twice."""
    log = await opened(settings, database, clock)
    count = 0
    for size in SIZES:
        await enter(database, size - count)
        await catch_up(database, clock, log)
        count = size
    await add_witness(database, clock, "w.example", witness_key("w.example", WITNESS).text, None)
    found = await database.run(find_checkpoint(300))
    assert found is not None
    first, last = (
        cosign(read_note(found.note).text, WITNESS, "w.example", time_s).line.encode().rstrip() for time_s in (1_000, 2_000)
    )
    await database.write(lambda tx: tx.run(add_line(300, "w.example", first, clock.at_us)))
    await database.write(lambda tx: tx.run(renew_line(300, Cosigned("w.example", first, first), last)))
    return log


async def test_everything_is_counted_when_nothing_was_changed(database, clock, log):
    """All entries, the tiles of all levels, all checkpoints, both lines of the witness."""
    assert await check_log(database, log) == Checked(700, 4, 5, 2)
    await enter(database, 5)  # not hashed yet
    assert (await check_log(database, log)).entries == 700
    await database.write(lambda tx: tx.run(grow_tiles(702)))  # hashed, and not signed yet
    assert (await check_log(database, log)).entries == 702


async def test_empty_log_is_checked_too(settings, database, clock):
    """Its lock and its first checkpoint are all that there is."""
    assert await check_log(database, await opened(settings, database, clock)) == Checked(0, 0, 1, 0)


# What is changed, by which statement, at which byte of it, and what is said of it.
FLIPS = {
    "first entry": ("log_leaves", "entry", "leaf_index = 0", 0, "entry 0 is not what it was"),
    "entry": ("log_leaves", "entry", "leaf_index = 255", 4, "entry 255 is not what it was"),
    "last entry": ("log_leaves", "entry", "leaf_index = 699", 8, "entry 699 is not what it was"),
    "tile": ("log_tiles", "hashes", "level = 0 AND number = 0", 32 * 200 + 31, "tile 0/0 is not what it was, at entry 200"),
    "last tile": ("log_tiles", "hashes", "level = 0 AND number = 2", 32 * 187, "tile 0/2 is not what it was, at entry 699"),
    "tile above": ("log_tiles", "hashes", "level = 1 AND number = 0", 33, "tile 1/0 is not what it was"),
    "checkpoint": ("log_checkpoints", "note", "size = 256", 60, "the checkpoint of size 256 is not as it was signed"),
    "first checkpoint": ("log_checkpoints", "note", "size = 0", 150, "the checkpoint of size 0 is not as it was signed"),
    "cosignature": ("cosignatures", "line", "size = 300", 60, "a cosignature under the checkpoint of size 300"),
}


async def test_one_bit_is_named_when_it_is_not_as_it_was(database, log):
    """And the log is as it was when the bit is put back."""
    for what, (rows, column, where, at, said) in FLIPS.items():
        before = await flip(database, rows, column, where, at)
        assert (what, said) == (what, await complaint(database, log, said))
        await put(database, rows, column, where, before)
    assert (await check_log(database, log)).entries == 700


async def flip(database: Database, rows: str, column: str, where: str, at: int) -> bytes:
    async with database.read() as connection:
        before = bytes((await connection.execute(text(f"SELECT {column} FROM {rows} WHERE {where}"))).scalar_one())
    flipped = bytearray(before)
    flipped[at] ^= 1
    await put(database, rows, column, where, bytes(flipped))
    return before


async def put(database: Database, rows: str, column: str, where: str, value: bytes) -> None:
    statement = text(f"UPDATE {rows} SET {column} = :value WHERE {where}")
    await database.write(lambda tx: tx.connection.execute(statement, {"value": value}))


async def complaint(database: Database, log: HostLog, said: str) -> str:
    """What the check says, as much of it as was foreseen."""
    with pytest.raises(Refusal) as refused:
        await check_log(database, log)
    assert refused.value.code is Code.LOG_FORK
    return refused.value.message[: len(said)]


async def test_lock_is_named_when_a_bit_of_it_is_flipped_or_it_is_old(database, clock, log):
    """It is compared with what it was signed for as well."""
    note = log.lock.read()
    assert note is not None
    log.lock.path.write_bytes(note[:100] + bytes([note[100] ^ 1]) + note[101:])
    assert await complaint(database, log, "the log's lock file") == "the log's lock file"
    old = await database.run(find_checkpoint(300))
    assert old is not None
    log.lock.path.write_bytes(old.note)
    assert await complaint(database, log, "the lock file is of 300 entries") == "the lock file is of 300 entries"
    log.lock.path.unlink()
    assert await complaint(database, log, "the lock file is missing") == "the lock file is missing"


GONE = {
    "entry": ("DELETE FROM log_leaves WHERE leaf_index = 4", "entry 4 is missing"),
    "last entries": ("DELETE FROM log_leaves WHERE leaf_index > 650", "the lock file is of 700 entries"),
    "tile": ("DELETE FROM log_tiles WHERE level = 0 AND number = 1", "tile 0/1 is not what it was, at entry 256"),
    "tile above": ("DELETE FROM log_tiles WHERE level = 1", "tile 1/0 is not what it was"),
}


@pytest.mark.parametrize("what", GONE)
async def test_what_is_gone_is_named(database, log, what):
    """Rows that are not there any more are no better than others."""
    statement, said = GONE[what]

    async def work(tx: Any) -> None:
        await tx.connection.execute(text(statement))

    await database.write(work)
    assert await complaint(database, log, said) == said


async def test_second_history_is_named_when_it_was_signed_by_the_host_itself(database, clock: StillClock, log):
    """A checkpoint with a good signature over other entries is the worst of all."""
    forged = log.sign(256, b"\0" * 32)
    await put(database, "log_checkpoints", "note", "size = 256", forged)
    said = "the checkpoint of size 256 is not of these entries"
    assert await complaint(database, log, said) == said
