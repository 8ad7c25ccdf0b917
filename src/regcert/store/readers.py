"""Connections that only read, for programs: the hot path's own, beside those that SQLAlchemy keeps for everything else."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import asyncpg

from regcert.store.outages import answering
from regcert.store.programs import Program, run_in_sqlite, run_on_postgres

T = TypeVar("T")


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

    Args:
        path: of the database's file.
        prepare: sets a new connection up.
        most: how many.
    """

    def __init__(self, path: str, prepare: Callable[[sqlite3.Connection], None], most: int) -> None:
        self._path = path
        self._prepare = prepare
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="reader")

    async def run(self, program: Program[T]) -> T:
        """Run a program in one of the threads: one step into it, whatever the number of statements."""
        with answering():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, program)

    async def close(self) -> None:
        """End the threads and close the connections."""
        self._threads.shutdown(wait=True)
        for connection in self._opened:
            connection.close()

    def _read(self, program: Program[T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
            self._prepare(connection)
            self._opened.append(connection)
            self._own.connection = connection
        # One committed state for the whole program.
        connection.execute("BEGIN").close()
        try:
            return run_in_sqlite(connection, program)
        finally:
            connection.execute("ROLLBACK").close()


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
