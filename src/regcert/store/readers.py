"""Connections for programs: the hot path's own, beside those that SQLAlchemy keeps for everything else."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import asyncpg

from regcert.store.outages import answering
from regcert.store.programs import Program, run_in_sqlite, run_on_postgres

T = TypeVar("T")
W = TypeVar("W")
Made: TypeAlias = Callable[[], Program[Any]]
Outcome: TypeAlias = tuple[Any, Exception | None]
_Waiting: TypeAlias = tuple[W, asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Readers(Protocol):
    """A few connections that see committed states and cannot change them."""

    async def run(self, program: Program[T]) -> T:
        """Run a program on one of the connections; waits where all of them are busy.

        Raises:
            Refusal: what the program refused; BUSY where the database does not answer.
        """

    async def close(self) -> None:
        """Close them all."""


class SqliteThreads(Generic[W]):
    """Connections to a file, each in a thread of its own.

    A pool of the standard library would do, at several steps of the event loop for each answer; this takes one.

    Args:
        path: of the database's file.
        prepare: sets a new connection up.
        play: does a piece of work on one.
        most: how many.
    """

    def __init__(
        self, path: str, prepare: Callable[[sqlite3.Connection], None], play: Callable[[sqlite3.Connection, W], Any], most: int
    ) -> None:
        self._path = path
        self._prepare = prepare
        self._play = play
        self._waiting: SimpleQueue[_Waiting[W] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, name="sqlite", daemon=True) for _ in range(most)]
        self._started = False

    async def do(self, work: W) -> Any:
        """Do a piece of work in one of the threads: one step into it, whatever the number of statements."""
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._waiting.put((work, loop, done))
        return await done

    async def close(self) -> None:
        """End the threads, and with them their connections."""
        for _ in self._threads:
            self._waiting.put(None)
        if self._started:
            await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in self._threads))

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        while (waiting := self._waiting.get()) is not None:
            work, loop, done = waiting
            result, failure = None, None
            try:
                connection = connection or self._connect()
                result = self._play(connection, work)
            except Exception as error:  # noqa: BLE001 - it is handed to whoever asked, whatever it is
                failure = error
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(_tell, done, result, failure)
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=512)
        self._prepare(connection)
        return connection


class SqliteReaders:
    """Connections to a file that refuse to write.

    Args:
        path: of the database's file.
        prepare: sets a new connection up.
        most: how many.
    """

    def __init__(self, path: str, prepare: Callable[[sqlite3.Connection], None], most: int) -> None:
        self._threads = SqliteThreads[Program[Any]](path, prepare, _read, most)

    async def run(self, program: Program[T]) -> T:
        """Run a program in one of the threads."""
        with answering():
            result: T = await self._threads.do(program)
            return result

    async def close(self) -> None:
        """End the threads."""
        await self._threads.close()


def _read(connection: sqlite3.Connection, program: Program[T]) -> T:
    # One committed state for the whole program.
    connection.execute("BEGIN").close()
    try:
        return run_in_sqlite(connection, program)
    finally:
        connection.execute("ROLLBACK").close()


def write_all(connection: sqlite3.Connection, made: Sequence[Made]) -> list[Outcome]:
    """Run programs in one transaction, each in a savepoint of its own; what they did is on disk when this returns."""
    connection.execute("BEGIN IMMEDIATE").close()
    try:
        outcomes = [_attempt(connection, make) for make in made]
        connection.execute("COMMIT").close()
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK").close()
        raise
    return outcomes


def _attempt(connection: sqlite3.Connection, make: Made) -> Outcome:
    connection.execute("SAVEPOINT one").close()
    try:
        result = run_in_sqlite(connection, make())
    except Exception as error:  # noqa: BLE001 - it is handed to whoever asked, whatever it is
        connection.execute("ROLLBACK TO one").close()
        return None, error
    connection.execute("RELEASE one").close()
    return result, None


def _tell(done: "asyncio.Future[Any]", result: Any, failure: Exception | None) -> None:
    if done.done():
        return
    if failure is None:
        done.set_result(result)
    else:
        done.set_exception(failure)


class PostgresReaders:
    """Connections to a server, opened as they are needed; each statement of a program sees what is committed by then.

    asyncpg's own pool would ask the server to forget a connection's state each time it comes back: a round trip that these
    connections, which nobody can change anything with, do not need.

    Args:
        url: `postgresql://…`.
        settings: of each session.
        most: how many.
    """

    def __init__(self, url: str, settings: dict[str, str], most: int) -> None:
        self._url = url
        self._settings = settings | {"default_transaction_read_only": "on"}
        self._idle: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        for _ in range(most):
            self._idle.put_nowait(None)

    async def run(self, program: Program[T]) -> T:
        """Run a program on one of the connections."""
        connection = await self._idle.get()
        try:
            with answering():
                try:
                    if connection is None or connection.is_closed():
                        connection = await asyncpg.connect(self._url, server_settings=self._settings)
                    return await run_on_postgres(connection, program)
                except (asyncio.CancelledError, asyncpg.InternalClientError):
                    # The server may still be at it, or the driver lost count: such a connection is not one to hand on.
                    if connection is not None:
                        connection.terminate()
                    connection = None
                    raise
        finally:
            self._idle.put_nowait(connection)

    async def close(self) -> None:
        """Close the connections that nobody uses; nobody is left who would."""
        while not self._idle.empty():
            connection = self._idle.get_nowait()
            if connection is not None:
                await connection.close(timeout=5)
