"""Connections that only read, for programs: the hot path's own, beside those that SQLAlchemy keeps for everything else."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Protocol, TypeAlias, TypeVar

import asyncpg

from regcert.store.outages import answering
from regcert.store.programs import Program, run_in_sqlite, run_on_postgres

T = TypeVar("T")
_Waiting: TypeAlias = tuple[Program[Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Readers(Protocol):
    """A few connections that see committed states and cannot change them."""

    async def run(self, program: Program[T]) -> T:
        """Run a program on one of the connections; waits where all of them are busy.

        Raises:
            Refusal: what the program refused; BUSY where the database does not answer.
        """

    async def close(self) -> None:
        """Close them all."""


class SqliteReaders:
    """Connections to a file, each in a thread of its own.

    A pool of the standard library would do, at several steps of the event loop for each answer; this takes one.

    Args:
        path: of the database's file.
        prepare: sets a new connection up.
        most: how many.
    """

    def __init__(self, path: str, prepare: Callable[[sqlite3.Connection], None], most: int) -> None:
        self._path = path
        self._prepare = prepare
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._serve, name="reader", daemon=True) for _ in range(most)]
        self._started = False

    async def run(self, program: Program[T]) -> T:
        """Run a program in one of the threads: one step into it, whatever the number of statements."""
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.put((program, loop, done))
        with answering():
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
            program, loop, done = waiting
            result, failure = None, None
            try:
                connection = connection or self._connect()
                result = _read(connection, program)
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


def _read(connection: sqlite3.Connection, program: Program[T]) -> T:
    # One committed state for the whole program.
    connection.execute("BEGIN").close()
    try:
        return run_in_sqlite(connection, program)
    finally:
        connection.execute("ROLLBACK").close()


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
                if connection is None or connection.is_closed():
                    connection = await asyncpg.connect(self._url, server_settings=self._settings)
                return await run_on_postgres(connection, program)
        except asyncio.CancelledError:
            # The server may still be at it: such a connection is not one to hand on.
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
