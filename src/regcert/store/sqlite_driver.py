"""SQLite's driver with one step into its thread for each statement, where the plain one takes four.

aiosqlite goes to its thread and back to open a cursor, to run it, to fetch, and to close. Each way costs more than reading a
page by its index does, so here the thread does all of it at once. SQLAlchemy fetches everything anyway.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite


class _Connection(aiosqlite.Connection):
    def __init__(self, path: str) -> None:
        # Made in its thread, looked at from ours: the check would forbid it. No two threads use it at once.
        super().__init__(partial(sqlite3.connect, path, check_same_thread=False), iter_chunk_size=64)
        self._thread.daemon = True  # a process that fails before it closes its connections must end all the same

    def cursor(self) -> "_Cursor":  # type: ignore[override] # what SQLAlchemy uses of the original is all there
        return _Cursor(self._conn, self._execute)

    async def run(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Let the thread do some work on its connection, in one step."""
        return await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]


class _Cursor:
    """What a statement left behind, as SQLAlchemy asks for it."""

    arraysize = 1

    def __init__(self, connection: sqlite3.Connection, in_thread: Callable[..., Awaitable[None]]) -> None:
        self._connection = connection
        self._in_thread = in_thread
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        await self._run(lambda: self._connection.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        await self._run(lambda: self._connection.executemany(statement, parameters))

    async def fetchall(self) -> Sequence[Any]:
        return self._rows

    async def close(self) -> None:
        """Do nothing: the cursor in the thread is closed already."""

    async def _run(self, run: Callable[[], sqlite3.Cursor]) -> None:
        def in_thread() -> None:
            cursor = run()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            if self.description:
                self._rows = cursor.fetchall()
            cursor.close()

        # A closure, not a partial: aiosqlite logs at DEBUG what it runs, and a partial would show its parameters there.
        await self._in_thread(in_thread)


async def connect(path: str) -> aiosqlite.Connection:
    """Open a connection; SQLAlchemy's `async_creator`.

    Args:
        path: of the database's file.
    """
    return await _Connection(path)
