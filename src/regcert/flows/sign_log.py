"""Sign the transparency log: tiles, root, lock, checkpoint, in an order in which a crash at any point does no harm.

The lock is the point of no return. Before it, nothing was signed that anybody could hold against us; behind it, what it says is
published sooner or later, and never anything else of the same size.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from regcert.clock import Clock
from regcert.domain.verifier_key import VerifierKey
from regcert.errors import Code, Refusal
from regcert.signing.note import log_key, read_note, sign_note, verify_note
from regcert.signing.private_key import PrivateKey
from regcert.store.checkpoints import Published, add_checkpoint, find_newest
from regcert.store.database import Database
from regcert.store.log import count_leaves, grow_tiles, list_leaves, read_tiles
from regcert.store.log_lock import LogLock
from regcert.store.programs import Program
from regcert.translog.checkpoint import Checkpoint, read_checkpoint
from regcert.translog.frontier import Frontier, peaks_of
from regcert.translog.proofs import root_of, tiles_for_root
from regcert.translog.tiles import TILE_WIDTH, node_reader
from regcert.translog.tree import leaf_hash

# A round of so many takes some 40 ms, and nobody's commit waits longer for it than that.
MOST_LEAVES = 4096
_WHAT_TO_DO = "stop the host, and go on as docs/operating-trust.md says"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HostLog:
    """What signs the log of this host.

    Args:
        origin: the name of the log.
        key: its own, for this purpose only.
        lock: the last checkpoint that was signed.
    """

    origin: str
    key: PrivateKey
    lock: LogLock

    @property
    def verifier(self) -> VerifierKey:
        """The public key, in the form of signed notes."""
        return log_key(self.origin, self.key)

    def sign(self, size: int, root: bytes) -> bytes:
        """Sign a checkpoint; the same one always with the same bytes."""
        return sign_note(Checkpoint(self.origin, size, root).text(), self.key, self.origin).write()

    async def read_lock(self) -> tuple[bytes, Checkpoint] | None:
        """Read what was signed last, as it stands in the lock and as it reads; None where there is no lock.

        Raises:
            OSError: where the lock cannot be read.
            Refusal: LOG_FORK where it is not what this host wrote.
        """
        note = await self._wait(self.lock.read)
        return None if note is None else (note, self.read(note))

    async def swap(self, before: bytes | None, after: bytes) -> None:
        """Replace what the lock holds; `LogLock.swap` says how."""
        await self._wait(partial(self.lock.swap, before, after))

    def read(self, note: bytes) -> Checkpoint:
        """Read a checkpoint that this host signed.

        Raises:
            Refusal: LOG_FORK where it did not.
        """
        try:
            opened = read_note(note)
            verify_note(opened, self.verifier)
            checkpoint = read_checkpoint(opened.text)
        except Refusal as refusal:
            raise _fork("the log's lock file holds no checkpoint that this host signed") from refusal
        return checkpoint

    async def _wait(self, work: Callable[[], T]) -> T:
        # The lock waits for a disk, and the threads that parse what is posted are not to be waited for: so one of its own.
        thread = ThreadPoolExecutor(1, "log-lock")
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        finally:
            thread.shutdown(wait=False)


async def sign_log(database: Database, clock: Clock, log: HostLog) -> int:
    """Sign what was entered since the last time, and publish it.

    1. What was signed last must be what the database would sign for that size; if it was not published, it is now.
    2. Grow the tiles from new entries, in one transaction.
    3. Read them back, and hash them to the new root; the entries themselves, hashed onto the old tree, must give the same.
    4. Swap the lock. From here on this checkpoint is the only one of its size.
    5. Publish it.

    If we crash before 4, the next round does the same again. If we crash behind it, the next round finds in 1 what the lock
    says, and publishes that.

    Args:
        database: where the log is.
        clock: what time it is.
        log: what signs.

    Returns:
        How many entries the published checkpoint is of.

    Raises:
        OSError: the lock failed; nothing is signed until it works again.
        Refusal: LOG_FORK: nothing is signed at all. BUSY where the database does not answer.
    """
    note, last, leaves = await take_up(database, clock, log)  # 1
    if leaves == last.size:
        return last.size
    until = min(leaves, last.size + MOST_LEAVES)
    hashed = await database.apply(lambda _: grow_tiles(until))  # 2
    if hashed < until:
        raise _fork(f"entry {hashed} of the log is missing")
    following = log.sign(until, await database.run(_hash_next(last, until)))  # 3
    await log.swap(note, following)  # 4
    await _publish(database, clock, until, following)  # 5
    return until


async def take_up(database: Database, clock: Clock, log: HostLog) -> tuple[bytes, Checkpoint, int]:
    """Read what was signed last, compare the database with it, and publish it where it was not.

    Returns:
        What the lock holds, the same as a checkpoint, and how many entries there are.

    Raises:
        OSError: the lock cannot be read.
        Refusal: LOG_FORK where there is no lock, or the database is behind it, or has another root, or has published what the
            lock does not know.
    """
    held = await log.read_lock()
    while held is not None:
        try:
            newest, leaves = await database.run(_compare(*held))
        except Refusal:
            before, held = held, await log.read_lock()
            if held == before:
                raise
            continue  # another process has signed meanwhile, and what we compared was no longer the last
        if newest < held[1].size:
            await _publish(database, clock, held[1].size, held[0])
        return *held, leaves
    raise _fork("the log's lock file is gone")


async def _publish(database: Database, clock: Clock, size: int, note: bytes) -> None:
    published = Published(size, note, clock.now_us())
    await database.apply(lambda _: add_checkpoint(published))


def _compare(note: bytes, last: Checkpoint) -> Program[tuple[int, int]]:
    leaves = yield from count_leaves()
    if leaves < last.size:
        raise _fork("the database knows fewer entries than were signed, so it is an old copy")
    yield from _peaks(last)
    newest = yield from find_newest()
    if newest is None:
        return -1, leaves
    if newest.size > last.size:
        raise _fork("the log's lock file is older than the database, so it is an old copy")
    if newest.size == last.size and newest.note != note:
        raise _fork("the newest checkpoint in the database is not the one that was signed")
    return newest.size, leaves


def _peaks(last: Checkpoint) -> Program[Frontier]:
    """Take up the tree of a checkpoint from the tiles; they must give its root."""
    tiles = yield from read_tiles(tiles_for_root(last.size))
    read_node = node_reader(tiles)
    try:
        frontier = Frontier(last.size, [read_node(*peak) for peak in peaks_of(last.size)])
    except (KeyError, ValueError) as error:
        raise _fork("the database lacks tiles of what was signed, so it is an old copy") from error
    if frontier.root() != last.root:
        raise _fork("the database has another root than was signed for its size")
    return frontier


def _hash_next(last: Checkpoint, size: int) -> Program[bytes]:
    frontier = yield from _peaks(last)
    while frontier.size < size:
        entries = yield from list_leaves(frontier.size, min(TILE_WIDTH, size - frontier.size))
        if not entries:
            raise _fork(f"entry {frontier.size} of the log is missing")
        for entry in entries:
            frontier.push(leaf_hash(entry))
    tiles = yield from read_tiles(tiles_for_root(size))
    try:
        root = root_of(size, node_reader(tiles))
    except (KeyError, ValueError) as error:
        raise _fork("a tile of the log is missing or damaged") from error
    if root != frontier.root():
        raise _fork("the tiles of the log do not hold what its entries say")
    return root


def _fork(what: str) -> Refusal:
    return Refusal(Code.LOG_FORK, f"{what}; {_WHAT_TO_DO}")
