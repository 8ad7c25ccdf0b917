"""What is admitted is signed a moment later; where it cannot be signed, it is admitted all the same, and signed later."""

import asyncio
import logging
import statistics
import time
from contextlib import suppress
from typing import Any

import pytest

from regcert.flows.sign_log import HostLog
from regcert.store.checkpoints import Published, add_line, find_newest, list_checkpoints
from regcert.store.database import Database
from regcert.store.log import append_leaf, count_leaves
from regcert.workers import log as worker
from regcert.workers.log import LogSigner
from tests.hosting import StillClock
from tests.logs import enter, opened


@pytest.fixture
async def log(settings, database, clock) -> HostLog:
    return await opened(settings, database, clock)


@pytest.fixture
async def signer(database, clock, log):
    """A signer at work."""
    signer = LogSigner(database, clock, log)
    working = asyncio.create_task(signer.run())
    yield signer
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def published(database: Database, size: int, within_s: float = 10) -> Published:
    """Wait until a checkpoint covers so many entries."""
    async with asyncio.timeout(within_s):
        while (newest := await database.run(find_newest())) is None or newest.size < size:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return newest


async def test_checkpoint_follows_within_a_second_when_something_is_entered(database, signer):
    """Entry by entry, as posts come."""
    took_s: list[float] = []
    for number in range(12):
        entry = f"entry {number}".encode()
        began = time.monotonic()
        index = await database.write(lambda tx: tx.run(append_leaf(entry)))  # noqa: B023
        signer.wake()
        await published(database, index + 1)
        took_s.append(time.monotonic() - began)
    assert statistics.median(took_s) < 1


async def test_checkpoint_follows_when_nobody_told_the_signer(database, signer):
    """Another process may have entered something, and a wake-up may be lost."""
    await enter(database, 1)
    await published(database, 1, 5)
    await asyncio.sleep(0.3)  # it rests
    await enter(database, 1)
    await published(database, 2, 5)


async def test_few_checkpoints_are_signed_when_much_is_entered(database, signer):
    """What comes together is signed together, so a busy host does not wait for its disk all day."""
    for _ in range(40):
        await enter(database, 1)
        signer.wake()
    await published(database, 40)
    assert len(await database.run(list_checkpoints(1, 100))) <= 20


async def test_entries_are_taken_and_signed_later_when_the_lock_fails(monkeypatch, caplog, database, clock, log):
    """The log tells that it is not signed, and not a word of what was entered; behind the fault it goes on by itself."""
    monkeypatch.setattr(worker, "AFTER_FAULT_S", 0.02)
    folder = log.lock.path.parent
    away = folder.with_name("away")
    folder.rename(away)
    signer = LogSigner(database, clock, log)
    with caplog.at_level(logging.INFO, "regcert.log"):
        working = asyncio.create_task(signer.run())
        await enter(database, 3, "secret")
        signer.wake()
        async with asyncio.timeout(10):
            while len(caplog.records) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await enter(database, 2, "secret")
        assert await database.run(count_leaves()) == 5
        newest = await database.run(find_newest())
        assert newest is not None
        assert newest.size == 0
        away.rename(folder)
        assert (await published(database, 5)).note == log.lock.read()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
    assert {record.levelname for record in caplog.records} == {"ERROR"}
    assert "not signed" in caplog.text
    assert "secret" not in caplog.text


async def test_signer_rests_longer_each_time_when_it_keeps_failing(monkeypatch, database, clock, log):
    """Up to half a minute; a fault that does not end does not fill the disk with lines about it."""
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 9:
            raise asyncio.CancelledError

    async def fail(*_: Any) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(asyncio, "sleep", rest)
    monkeypatch.setattr(worker, "sign_log", fail)
    with suppress(asyncio.CancelledError):
        await LogSigner(database, clock, log).run()
    assert rests == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_old_checkpoints_go_when_nobody_cosigned_them(monkeypatch, database, clock: StillClock, log):
    """The signer sees to that, too."""
    monkeypatch.setattr(worker, "FORGET_EVERY_S", 0)
    working = asyncio.create_task(LogSigner(database, clock, log).run())
    for count in range(1, 4):
        await enter(database, 1)
        await published(database, count)
    await database.write(lambda tx: tx.run(add_line(2, "w", b"line", clock.at_us)))
    clock.at_us += 7_200_000_000
    async with asyncio.timeout(10):
        while len(await database.run(list_checkpoints(0, 10))) > 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert [one.size for one in await database.run(list_checkpoints(0, 10))] == [0, 2, 3]
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
