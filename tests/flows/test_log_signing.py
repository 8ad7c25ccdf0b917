"""The log is one history: whatever crashes, whatever is restored, no two roots are ever signed for one size."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from regcert.assembly.host import open_host, serve
from regcert.assembly.intake import take_in
from regcert.errors import Code, Refusal
from regcert.flows.forget_checkpoints import forget_checkpoints
from regcert.flows.initialise import initialise, read_region_file
from regcert.flows.sign_log import HostLog, sign_log
from regcert.share import share_dir
from regcert.signing.host_key import new_host_key
from regcert.signing.note import read_note, verify_note
from regcert.store.checkpoints import Published, add_line, find_checkpoint, find_newest, list_checkpoints
from regcert.store.database import Database
from regcert.store.log import append_leaf, count_leaves, grow_tiles, list_leaves
from regcert.store.log_lock import LogLock
from regcert.translog.checkpoint import read_checkpoint
from regcert.translog.tree import EMPTY_ROOT, leaf_hash, tree_hash
from tests.logs import catch_up, enter, opened


class BrokenError(Exception):
    """What the test broke."""


@pytest.fixture
async def log(settings, database, clock) -> HostLog:
    return await opened(settings, database, clock)


async def root_of_entries(database: Database, size: int) -> bytes:
    entries = await database.run(list_leaves(0, size))
    assert len(entries) == size
    return tree_hash([leaf_hash(entry) for entry in entries])


async def require_one_history(database: Database, log: HostLog) -> Published:
    """Every checkpoint is signed, of its own size, and of the tree that the entries make; the newest is what the lock holds."""
    published = await database.run(list_checkpoints(0, 1000))
    for one in published:
        note = read_note(one.note)
        verify_note(note, log.verifier)
        checkpoint = read_checkpoint(note.text)
        assert (checkpoint.origin, checkpoint.size) == (log.origin, one.size)
        assert checkpoint.root == await root_of_entries(database, one.size)
    assert published[-1].note == log.lock.read()
    return published[-1]


async def forget_from(database: Database, size: int) -> None:
    """Bring the database back to where its log had so many entries, as an old backup does."""

    async def work(tx: Any) -> None:
        for statement in ("DELETE FROM log_leaves WHERE leaf_index >= :n", "DELETE FROM log_checkpoints WHERE size > :n"):
            await tx.connection.execute(text(statement), {"n": size})
        await tx.connection.execute(text("DELETE FROM log_tiles"))
        await tx.run(grow_tiles(size))

    await database.write(work)


async def refused(work: Awaitable[Any]) -> Code:
    with pytest.raises(Refusal) as refusal:
        await work
    return refusal.value.code


async def test_host_begins_with_an_empty_log_when_it_is_founded(settings, database, log):
    """Its checkpoint is signed and published before anything is entered, and the origin names region and key."""
    first = await require_one_history(database, log)
    assert first.size == 0
    assert read_checkpoint(read_note(first.note).text).root == EMPTY_ROOT
    assert log.origin.startswith("regcert/western-balkans/")
    assert len(log.origin.rpartition("/")[2]) == 16


async def test_checkpoint_is_of_the_entries_when_they_come_in_any_portions(database, clock, log):
    """Also across full tiles, and tiles above them."""
    for count in (1, 1, 1, 5, 247, 1, 1, 255, 256, 600, 70):
        await enter(database, count)
        assert await catch_up(database, clock, log) == await database.run(count_leaves())
    await require_one_history(database, log)


async def test_round_is_bounded_when_much_was_entered(monkeypatch, database, clock, log):
    """What waits is signed in portions, each a checkpoint of its own."""
    monkeypatch.setattr("regcert.flows.sign_log.MOST_LEAVES", 100)
    await enter(database, 250)
    assert [await sign_log(database, clock, log) for _ in range(4)] == [100, 200, 250, 250]
    await require_one_history(database, log)


async def test_entry_is_gone_when_its_transaction_is(database, log):
    """Index and deed stand or fall together, and the next one gets the number again."""

    async def work(tx: Any) -> None:
        assert await tx.run(append_leaf(b"doomed")) == 3
        raise BrokenError

    await enter(database, 3)
    with pytest.raises(BrokenError):
        await database.write(work)
    await enter(database, 1)
    assert await database.run(list_leaves(0, 10)) == [f"entry {number}".encode() for number in range(4)]


@pytest.mark.parametrize("size", [0, 65_536])
async def test_entry_is_refused_when_no_bundle_can_hold_it(database, log, size):
    """Two bytes say how long an entry is."""
    with pytest.raises(ValueError, match="65,535"):
        await database.write(lambda tx: tx.run(append_leaf(b"x" * size)))
    assert await database.write(lambda tx: tx.run(append_leaf(b"x" * 65_535))) == 0


class Faulty:
    """A database whose n-th write fails, before it is done or behind it."""

    def __init__(self, database: Database, number: int, *, done: bool) -> None:
        self._database = database
        self._number = number
        self._done = done
        self.run = database.run

    async def apply(self, make: Callable[[Any], Any]) -> Any:
        self._number -= 1
        if self._number == 0 and not self._done:
            raise BrokenError
        result = await self._database.apply(make)
        if self._number == 0:
            raise BrokenError
        return result


class FaultyLock(LogLock):
    """A lock that fails, before it is swapped or behind it."""

    done = False

    def swap(self, before: bytes | None, after: bytes) -> None:
        if self.done:
            super().swap(before, after)
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
async def test_log_goes_on_when_it_crashed_at_any_step(settings, database, clock, log, done):
    """What the lock holds is published, to the byte, also where more was entered meanwhile; nothing else of that size is."""
    await enter(database, 250)
    await catch_up(database, clock, log)
    for step, is_signed in (("grow", False), ("swap", done), ("publish", True)):
        before = log.lock.read()
        await enter(database, 7)
        count = await database.run(count_leaves())
        faulty: Any = database if step == "swap" else Faulty(database, {"grow": 1, "publish": 2}[step], done=done)
        FaultyLock.done = done
        lock = FaultyLock(log.lock.path) if step == "swap" else log.lock
        with pytest.raises((BrokenError, OSError)):
            await sign_log(faulty, clock, HostLog(log.origin, log.key, lock))
        signed = log.lock.read()
        assert signed is not None
        assert (step, signed != before) == (step, is_signed)
        await enter(database, 5)
        again = await opened(settings, database, clock)  # the process was begun anew
        found = await database.run(find_checkpoint(count))
        assert (found and found.note) == (signed if is_signed else None)
        assert await catch_up(database, clock, again) == count + 5
        await require_one_history(database, again)


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
async def test_lock_holds_the_old_or_the_new_when_the_disk_fails(monkeypatch, database, clock, log, done):
    """Never half of one, and whichever it holds, signing goes on from there."""
    replace, fsync = Path.replace, os.fsync

    def fail_fsync(descriptor: int) -> None:
        syncs[0] += 1
        if syncs[0] == {"file": 1, "folder": 2}.get(what):
            if done:
                fsync(descriptor)
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    def fail_replace(path: Path, target: Path) -> Path:
        if done:
            replace(path, target)
        raise OSError(5, "Input/output error")

    for what in ("file", "replace", "folder"):
        syncs = [0]
        await enter(database, 2)
        before = log.lock.read()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail_fsync)
            if what == "replace":
                patch.setattr(Path, "replace", fail_replace)
            with pytest.raises(OSError, match=r"device|error"):
                await sign_log(database, clock, log)
        assert (what, log.lock.read() == before) == (what, what == "file" or (what == "replace" and not done))
        assert await catch_up(database, clock, log) == await database.run(count_leaves())
        await require_one_history(database, log)
        assert sorted(path.name for path in log.lock.path.parent.glob("log.lock*")) == ["log.lock", "log.lock-turn"]


async def test_start_is_refused_when_the_database_is_an_old_backup(settings, database, clock, log):
    """By everything that opens a host: what was signed since is forgotten there, and would be signed differently."""
    await enter(database, 10)
    await catch_up(database, clock, log)
    await enter(database, 10)
    await catch_up(database, clock, log)
    await forget_from(database, 10)
    assert await refused(opened(settings, database, clock)) is Code.LOG_FORK
    assert await refused(sign_log(database, clock, log)) is Code.LOG_FORK
    assert await refused(open_host(settings, clock).__aenter__()) is Code.LOG_FORK
    assert await refused(serve(settings, "127.0.0.1", 0)) is Code.LOG_FORK
    assert await refused(take_in(settings, -1)) is Code.LOG_FORK


async def test_start_is_refused_when_an_old_backup_has_gone_on(settings, database, clock, log):
    """As many entries as were signed, or more, and not the same: the root tells."""
    await enter(database, 20)
    await catch_up(database, clock, log)
    await forget_from(database, 10)
    for count in (10, 300):
        await enter(database, count, "another")
        await database.write(lambda tx: tx.run(grow_tiles(1000)))
        assert await refused(opened(settings, database, clock)) is Code.LOG_FORK
        assert await refused(sign_log(database, clock, log)) is Code.LOG_FORK


async def test_start_is_refused_when_the_lock_is_gone(settings, database, clock, log):
    """A log with entries does not begin a new one by itself; a log without may."""
    log.lock.path.unlink()
    assert (await opened(settings, database, clock)).lock.read() is not None  # nothing but the empty tree was signed
    await enter(database, 1)
    log.lock.path.unlink()
    assert await refused(opened(settings, database, clock)) is Code.LOG_FORK
    assert await refused(sign_log(database, clock, log)) is Code.LOG_FORK
    assert log.lock.read() is None


async def test_start_is_refused_when_the_lock_is_an_old_copy(settings, database, clock, log):
    """The database has published what it does not know."""
    await enter(database, 1)
    await catch_up(database, clock, log)
    old = log.lock.read()
    assert old is not None
    await enter(database, 1)
    await catch_up(database, clock, log)
    log.lock.path.write_bytes(old)
    assert await refused(opened(settings, database, clock)) is Code.LOG_FORK


async def test_start_is_refused_when_the_host_key_is_another(settings, database, clock, log):
    """Another key would begin another log under the name of this one."""
    (settings.data_dir / "host.key").write_bytes(new_host_key().write())
    assert await refused(opened(settings, database, clock)) is Code.INVALID_SETTING


async def test_lock_is_refused_when_one_bit_of_it_is_not_what_was_signed(database, clock, log):
    """Wherever it is."""
    await enter(database, 3)
    await catch_up(database, clock, log)
    note = log.lock.read()
    assert note is not None
    for at in range(len(note)):
        flipped = bytearray(note)
        flipped[at] ^= 1 << at % 8
        with pytest.raises(Refusal) as refusal:
            log.read(bytes(flipped))
        assert refusal.value.code is Code.LOG_FORK


DAMAGE = {
    "tile": "UPDATE log_tiles SET hashes = :hashes WHERE level = 0 AND number = 1",
    "missing tile": "DELETE FROM log_tiles WHERE level = 0 AND number = 1",
    "checkpoint": "UPDATE log_checkpoints SET note = :hashes WHERE size = 300",
    "entries taken back": "DELETE FROM log_leaves WHERE leaf_index >= 290",
    "missing entry": "DELETE FROM log_leaves WHERE leaf_index = 305",
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_nothing_is_signed_when_what_is_read_back_is_not_what_was_written(settings, database, clock, log, what):
    """At the growing end of the tree it is found before the next signature; elsewhere by `regcert log verify`."""
    await enter(database, 300)
    await catch_up(database, clock, log)
    await enter(database, 10)
    before = log.lock.read()
    hashes = b"\1" * (32 * 44)
    given = {"hashes": hashes} if ":hashes" in DAMAGE[what] else {}
    await database.write(lambda tx: tx.connection.execute(text(DAMAGE[what]), given))
    assert await refused(sign_log(database, clock, log)) is Code.LOG_FORK
    assert log.lock.read() == before
    if what == "entries taken back":  # of what was signed already: no start either
        assert await refused(opened(settings, database, clock)) is Code.LOG_FORK


async def test_nothing_is_signed_when_a_new_tile_does_not_hold_the_entries(database, clock, log):
    """What was written is read back and hashed before it is signed."""
    await enter(database, 3)
    await database.write(lambda tx: tx.run(grow_tiles(3)))
    flip = text("UPDATE log_tiles SET hashes = :hashes WHERE level = 0")
    await database.write(lambda tx: tx.connection.execute(flip, {"hashes": b"\1" * 96}))
    assert await refused(sign_log(database, clock, log)) is Code.LOG_FORK


async def test_lock_is_swapped_once_when_two_processes_sign(database, clock, log):
    """The second finds another checkpoint than it read, signs nothing, and goes on from there the next time."""
    await enter(database, 2)
    before = log.lock.read()
    await catch_up(database, clock, log)
    assert await refused(log.swap(before, log.sign(2, b"\0" * 32))) is Code.LOG_FORK
    assert await refused(log.swap(None, log.sign(0, EMPTY_ROOT))) is Code.LOG_FORK
    await enter(database, 1)
    assert await catch_up(database, clock, HostLog(log.origin, log.key, LogLock(log.lock.path))) == 3
    assert await sign_log(database, clock, log) == 3
    await require_one_history(database, log)


async def test_other_process_is_not_taken_for_a_fork_when_it_signs_in_between(monkeypatch, database, clock, log):
    """Between our look at the lock and our look at the database it may have moved both."""
    await enter(database, 1)
    read, looks = LogLock.read, [0]

    def stale(lock: LogLock) -> bytes | None:
        looks[0] += 1
        return before if looks[0] == 1 else read(lock)

    before = log.lock.read()
    await catch_up(database, clock, log)
    monkeypatch.setattr(LogLock, "read", stale)
    assert await sign_log(database, clock, log) == 1


async def test_checkpoints_are_forgotten_when_nobody_cosigned_them_within_an_hour(database, clock, log):
    """Never the newest, and never one that tells since when its entries were there."""
    for _ in range(5):
        await enter(database, 1)
        await catch_up(database, clock, log)
    await database.write(lambda tx: tx.run(add_line(3, "w", b"line", clock.now_us())))
    assert await forget_checkpoints(database, clock, 0) == 0  # too young
    clock.at_us += 3601 * 1_000_000
    done = await forget_checkpoints(database, clock, 0)
    assert [one.size for one in await database.run(list_checkpoints(0, 10))] == [0, 3, 5]
    assert done == 4
    newest = await database.run(find_newest())
    assert newest is not None
    assert newest.size == 5


async def test_host_of_an_older_release_gets_its_log_when_it_is_brought_up_to_date(tmp_path, settings, database, clock):
    """By `regcert init`, which founds nothing a second time, or by the first start; its lock is where the settings say."""

    async def forget(tx: Any) -> None:
        await tx.connection.execute(text("DELETE FROM host_facts WHERE name = 'log_origin'"))
        await tx.connection.execute(text("DELETE FROM log_checkpoints"))

    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    for number, bring_up in enumerate(
        (initialise(settings.data_dir, settings.database_url, clock, region, tmp_path / "0"), None)
    ):
        await database.write(forget)
        if bring_up is not None:
            assert await refused(bring_up) is Code.ALREADY_EXISTS
        else:
            async with open_host(settings.model_copy(update={"log_lock": tmp_path / str(number)}), clock):
                pass
        log = await opened(settings.model_copy(update={"log_lock": tmp_path / str(number)}), database, clock)
        assert log.lock.path == tmp_path / str(number)
        assert (await require_one_history(database, log)).size == 0
