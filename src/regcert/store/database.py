"""The database: how a transaction begins, who may write, what a reader sees.

One writer task a process gathers the waiting requests into one commit, each in its own savepoint: a failure undoes that
request alone, and an answer leaves only after the commit that holds it is on disk (law 3). On SQLite a transaction begins with
`BEGIN IMMEDIATE` on a WAL with `synchronous=FULL`, which is the host's order lock by itself; on PostgreSQL, where other
processes may write too, with an advisory lock that does the same, and positions are taken under the row of `host_order`, held
to the commit. Either way positions become visible in the order of their numbers (law 2).

Readers have connections of their own, which refuse to write.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.store import sqlite_driver
from regcert.store.heads import Heads, Lookout
from regcert.store.memory import Memory
from regcert.store.order import lock_order, take_positions
from regcert.store.outages import answer_of, answering
from regcert.store.programs import Program, run_in_sqlite, run_on_postgres
from regcert.store.readers import Made, Outcome, PostgresReaders, Readers, SqliteReaders, SqliteThreads, write_all
from regcert.store.turns import Turns

GATHER = 64
WAITING = 1024
# Answers that were read and may be asked again: a few dozen large pages, or all that is small.
MEMORY_BYTES = 24 * 1024 * 1024

# Every query here is meant to be answered from indexes. Where statistics are missing or old, on a young host or behind a large
# import, PostgreSQL would guess that reading a whole table is cheaper, and keep to that in its prepared statements.
# Parallel workers and compiled expressions take longer to begin than any of these queries takes.
_INDEXED = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}

# What BEGIN IMMEDIATE is on SQLite: commits of several processes follow each other, so none can wait for another in a circle.
_ONE_WRITER = "SELECT pg_advisory_xact_lock(762373)"
T = TypeVar("T")
Reader = AsyncConnection


class Tx:
    """One request's part of a commit.

    Args:
        connection: inside a transaction, to be used by this request only.
        clock: what time it is.
    """

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self.connection = connection
        self._clock = clock

    async def run(self, program: Program[T]) -> T:
        """Run a program within this request's part of the commit.

        Raises:
            Refusal: what the program refused.
        """
        driver: Any = (await self.connection.get_raw_connection()).driver_connection
        if self.connection.dialect.name == "sqlite":
            return cast("T", await driver.run(lambda connection: run_in_sqlite(connection, program)))
        return await run_on_postgres(driver, program)

    async def lock_order(self) -> int:
        """Take the host's order lock; `store/order.py` says what that means."""
        return await self.run(lock_order())

    async def take_positions(self, count: int) -> range:
        """Take the next places in the host's order; `store/order.py` says how."""
        return await self.run(take_positions(count, self.now_us()))

    def now_us(self) -> int:
        """Return what time it is, in microseconds since the epoch."""
        return self._clock.now_us()


@dataclass(slots=True)
class _Request:
    work: Callable[[Tx], Awaitable[Any]]
    done: asyncio.Future[Any]
    made: Made | None = None


class Database:
    """A host's database; open it with `async with open_database(...)`.

    Args:
        writer: the engine of the one writer.
        reader: the engine whose connections refuse to write.
        readers: the hot path's own connections, which refuse to write, too.
        turns: when this process may write.
        clock: what time it is.
        direct: a connection for what is nothing but programs, whose whole transaction is then one step; on SQLite only.
    """

    def __init__(
        self,
        writer: AsyncEngine,
        reader: AsyncEngine,
        readers: Readers,
        turns: Turns,
        clock: Clock,
        direct: "SqliteThreads[Sequence[Made]] | None" = None,
    ) -> None:
        self.memory = Memory(MEMORY_BYTES)
        self._writer = writer
        self._reader = reader
        self._readers = readers
        self._turns = turns
        self._lookout = Lookout(readers, turns.number)
        self._clock = clock
        self._direct = direct
        self._requests: asyncio.Queue[_Request] = asyncio.Queue(WAITING)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run one piece of work in a transaction, and return once it is on disk.

        Args:
            work: what to do; it must not wait for anything but the database, since others share its commit.

        Returns:
            What the work returned.

        Raises:
            Refusal: what the work refused; nothing of it is kept. BUSY when too many wait already, or the database fails.
        """
        result: T = await self._ask(_Request(work, asyncio.get_running_loop().create_future()))
        return result

    async def apply(self, make: Callable[[int], Program[T]]) -> T:
        """Run one program in a transaction, and return once it is on disk; as `write`, but in a single step on SQLite.

        Args:
            make: makes the program, given what time it is.

        Raises:
            Refusal: as `write`.
        """
        done = asyncio.get_running_loop().create_future()
        request = _Request(lambda tx: tx.run(make(tx.now_us())), done, lambda: make(self._clock.now_us()))
        result: T = await self._ask(request)
        return result

    async def _ask(self, request: _Request) -> Any:
        try:
            self._requests.put_nowait(request)
        except asyncio.QueueFull as error:
            raise Refusal(Code.BUSY, "the host is busy; nothing was stored, try again in a few seconds") from error
        return await request.done

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection that sees one committed state and cannot change it.

        Raises:
            Refusal: BUSY where the database does not answer.
        """
        with answering():
            async with self._reader.connect() as connection:
                yield connection

    async def look(self) -> Heads:
        """Return how far the host has come, no earlier than now: what `memory` holds is worth something only under that.

        Raises:
            Refusal: BUSY where the database does not answer.
        """
        return await self._lookout.look()

    async def wait_for_change(self, seen: Heads, collection_id: int, most_s: float) -> bool:
        """Wait until a collection has changed since it was seen; `Lookout` says how."""
        return await self._lookout.wait_for_change(seen, collection_id, most_s)

    async def wait_for_alerts(self, seen: Heads, most_s: float) -> bool:
        """Wait until any team was told anything since a state was seen; `Lookout` says how."""
        return await self._lookout.wait_for_alerts(seen, most_s)

    def stop_waiting(self) -> None:
        """Let all go who wait for a change; the host is stopping."""
        self._lookout.close()

    async def run(self, program: Program[T]) -> T:
        """Run a program that only reads.

        Raises:
            Refusal: what the program refused; BUSY where the database does not answer.
        """
        return await self._readers.run(program)

    async def serve_writes(self) -> None:
        """Gather waiting requests into commits until cancelled."""
        while True:
            batch = [await self._requests.get()]
            with suppress(asyncio.QueueEmpty):
                while len(batch) < GATHER:
                    batch.append(self._requests.get_nowait())
            await self._commit(batch)
            if not self._requests.empty():
                await self._turns.step_aside()

    def turn_away(self) -> None:
        """Answer those who still wait when nobody serves writes any more."""
        while not self._requests.empty():
            self._requests.get_nowait().done.cancel()

    async def _commit(self, batch: list[_Request]) -> None:
        """Run a batch in one transaction.

        If we crash before the commit, nobody was answered and nothing is kept. If we crash behind it, all of it is kept, and
        those not yet answered ask again and are told so.
        """
        answers: list[tuple[_Request, Any, Exception | None]] = []
        try:
            async with self._turns.take():
                answers = await self._run_all(batch)
        except asyncio.CancelledError:
            for request in batch:
                request.done.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever asked learns it; the writer must outlive it
            failed = answer_of(error)
            answers = [(request, None, failed) for request in batch]
        for request, result, failure in answers:
            if request.done.done():
                continue
            if failure is None:
                request.done.set_result(result)
            else:
                request.done.set_exception(failure)

    async def _run_all(self, batch: list[_Request]) -> list[tuple[_Request, Any, Exception | None]]:
        made = [request.made for request in batch if request.made is not None]
        if self._direct is not None and len(made) == len(batch):
            outcomes: list[Outcome] = await self._direct.do(made)
            return [
                (request, result, failure and answer_of(failure))
                for request, (result, failure) in zip(batch, outcomes, strict=True)
            ]
        async with self._writer.begin() as connection:
            return [await self._run(connection, request) for request in batch]

    async def _run(self, connection: AsyncConnection, request: _Request) -> tuple[_Request, Any, Exception | None]:
        savepoint = await connection.begin_nested()
        try:
            result = await request.work(Tx(connection, self._clock))
        except Exception as error:  # noqa: BLE001 - it is handed to whoever asked, whatever it is
            await savepoint.rollback()
            return request, None, answer_of(error)
        await savepoint.commit()
        return request, result, None


@asynccontextmanager
async def open_database(url: str, clock: Clock, *, readers: int = 4) -> AsyncIterator[Database]:
    """Open a database and serve its writes until the block ends.

    Args:
        url: `sqlite:///path` or `postgresql://…`.
        clock: what time it is.
        readers: how many may read at once.

    Raises:
        Refusal: INVALID_SETTING for another kind of address; UNSAFE_DATABASE where what we promise cannot be kept.
    """
    writer, reader = _engines(url, readers)
    programs = _readers(url)
    direct = _direct(url)
    turns = Turns(Path(f"{url.removeprefix('sqlite:///')}-turn") if url.startswith("sqlite:") else None)
    try:
        async with writer.connect() as connection:
            await _require_safe(connection)
        database = Database(writer, reader, programs, turns, clock, direct)
        serving = asyncio.create_task(database.serve_writes(), name="writer")
        try:
            yield database
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            database.turn_away()
    finally:
        await programs.close()
        if direct is not None:
            await direct.close()
        turns.close()
        await reader.dispose()
        await writer.dispose()


def async_url(url: str) -> str:
    """Name the driver that a plain database address is served by.

    Raises:
        Refusal: INVALID_SETTING.
    """
    for plain, driver in (("sqlite:///", "sqlite+aiosqlite:///"), ("postgresql://", "postgresql+asyncpg://")):
        if url.startswith(plain):
            return driver + url.removeprefix(plain)
    raise Refusal(Code.INVALID_SETTING, "database_url must begin with sqlite:/// or postgresql://")


def _engines(url: str, readers: int) -> tuple[AsyncEngine, AsyncEngine]:
    address = async_url(url)
    # A failed statement would print its parameters: content above TLP:CLEAR in a log.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.startswith("sqlite:"):
        options["async_creator"] = partial(sqlite_driver.connect, url.removeprefix("sqlite:///"))
    else:
        options["connect_args"] = {"server_settings": _INDEXED}
    writer = create_async_engine(address, pool_size=1, max_overflow=1, **options)
    reader = create_async_engine(address, pool_size=readers, max_overflow=0, **options)
    if writer.dialect.name == "sqlite":
        event.listen(writer.sync_engine, "connect", _prepare_sqlite)
        event.listen(writer.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        event.listen(reader.sync_engine, "connect", _prepare_sqlite_reader)
        event.listen(reader.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    else:
        event.listen(writer.sync_engine, "begin", lambda connection: connection.exec_driver_sql(_ONE_WRITER))
        reader = reader.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    return writer, reader


def _readers(url: str) -> Readers:
    if url.startswith("sqlite:"):
        # Two: on a small machine more threads would only wait for each other.
        return SqliteReaders(url.removeprefix("sqlite:///"), lambda connection: _prepare_sqlite_reader(connection, None), 2)
    return PostgresReaders(url, _INDEXED, 4)


def _direct(url: str) -> SqliteThreads[Sequence[Made]] | None:
    if not url.startswith("sqlite:"):
        return None
    return SqliteThreads(url.removeprefix("sqlite:///"), lambda connection: _prepare_sqlite(connection, None), write_all, 1)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin late and lose updates; ours begin where we say.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=15000",
        "cache_size=-16384",
        "wal_autocheckpoint=8192",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_sqlite_reader(connection: Any, record: Any) -> None:
    _prepare_sqlite(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    # Pages are read once, and the operating system keeps them; what is read again and again, inner nodes, fits in less.
    cursor.execute("PRAGMA cache_size=-4096")
    cursor.close()


async def _require_safe(connection: AsyncConnection) -> None:
    """Refuse a database that would acknowledge what it can lose (law 8)."""
    if connection.dialect.name == "sqlite":
        mode = (await connection.execute(text("PRAGMA journal_mode"))).scalar_one()
        level = (await connection.execute(text("PRAGMA synchronous"))).scalar_one()
        safe = (mode, level) == ("wal", 2)
    else:
        settings = [
            (await connection.execute(text(f"SHOW {name}"))).scalar_one()
            for name in ("synchronous_commit", "fsync", "full_page_writes")
        ]
        safe = "off" not in settings
    if not safe:
        raise Refusal(
            Code.UNSAFE_DATABASE, "the database would acknowledge what it can lose; use a WAL with full synchronisation"
        )
