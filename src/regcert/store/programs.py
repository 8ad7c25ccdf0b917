"""Programs: what to ask of the database, apart from how it gets there.

A program is a generator. It yields statements with their parameters, is sent the rows, and returns what it found. It is the same
for both databases, but not the way it is run. On SQLite all of it runs in the thread that owns the connection: one step into
that thread and one back, whatever the number of statements, where each step costs as much as reading a page. On PostgreSQL each
statement is awaited on the driver itself. Either way SQLAlchemy builds and words the statements, once, and is not asked again:
on the hot path its share would be larger than the database's.
"""

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Protocol, TypeAlias, TypeVar

import orjson
from sqlalchemy import ClauseElement, Table
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.engine import Compiled

from regcert.store.many import insert_into

T = TypeVar("T")
Rows: TypeAlias = Sequence[Any]

_DIALECTS = {"sqlite": aiosqlite.dialect(), "postgresql": asyncpg.dialect()}  # type: ignore[no-untyped-call]
# SQLite gives up the interpreter's lock for each statement and has to wait for it behind: so few statements of many rows. It
# knows no more than 32,766 parameters in one.
_MOST_PARAMETERS = 32_000
_FEW_ROWS = 8


class PostgresDriver(Protocol):
    """What we use of asyncpg's connection."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Run one statement and return its rows."""

    async def executemany(self, command: str, args: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many parameters."""


class Statement:
    """One statement, worded once for each dialect.

    Args:
        build: makes it for a dialect; parameters by name, those that are always the same as literals.
    """

    def __init__(self, build: Callable[[str], ClauseElement]) -> None:
        self._build = build

    @cached_property
    def sqlite(self) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
        """Its text for SQLite, and what picks its parameters."""
        return self._word("sqlite")

    @cached_property
    def postgresql(self) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
        """Its text for PostgreSQL, and what picks its parameters."""
        return self._word("postgresql")

    def _word(self, dialect: str) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
        compiled: Compiled = self._build(dialect).compile(dialect=_DIALECTS[dialect])
        names: Sequence[str] = compiled.positiontup or ()  # type: ignore[attr-defined]
        constants = compiled.params

        def pick(given: Mapping[str, Any]) -> tuple[Any, ...]:
            return tuple([_list(given[name]) if name in given else constants[name] for name in names])

        def _list(value: Any) -> Any:
            # Many values are one parameter: JSON text on SQLite, an array on PostgreSQL (store/many.py).
            return orjson.dumps(value).decode() if dialect == "sqlite" and isinstance(value, tuple) else value

        return str(compiled), pick


class Insert:
    """An INSERT of many rows, each a tuple of all columns in the table's order.

    Args:
        rows: the table.
        keep: leave alone what is there already, instead of failing.
    """

    def __init__(self, rows: Table, *, keep: bool = False) -> None:
        self._rows = rows
        self._keep = keep
        self.columns = tuple(column.name for column in rows.columns)

    @cached_property
    def sqlite(self) -> tuple[str, str, str]:
        """The text before, of, and behind one row."""
        text = self._word("sqlite")
        row = f"({', '.join('?' * len(self.columns))})"
        head, _, tail = text.partition(row)
        return head, row, tail

    @cached_property
    def postgresql(self) -> str:
        """The text of one row."""
        return self._word("postgresql")

    def _word(self, dialect: str) -> str:
        statement = insert_into(dialect, self._rows)
        compiled = (statement.on_conflict_do_nothing() if self._keep else statement).compile(dialect=_DIALECTS[dialect])
        if tuple(compiled.positiontup) != self.columns:
            raise RuntimeError("an INSERT does not name its columns in the table's order")
        return str(compiled)


Ask: TypeAlias = tuple[Statement, Mapping[str, Any]] | tuple[Insert, Sequence[tuple[Any, ...]]]
Program: TypeAlias = Generator[Ask, Rows, T]


def run_in_sqlite(connection: sqlite3.Connection, program: Program[T]) -> T:
    """Run a program in the thread that owns a connection."""
    try:
        ask = next(program)
        while True:
            ask = program.send(_ask_sqlite(connection, ask))
    except StopIteration as end:
        result: T = end.value
        return result


def _ask_sqlite(connection: sqlite3.Connection, ask: Ask) -> Rows:
    statement, parameters = ask
    if isinstance(statement, Statement):
        text, pick = statement.sqlite
        return connection.execute(text, pick(parameters)).fetchall()  # type: ignore[arg-type]
    _insert_into_sqlite(connection, statement, parameters)  # type: ignore[arg-type]
    return ()


def _insert_into_sqlite(connection: sqlite3.Connection, statement: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
    head, row, tail = statement.sqlite
    most = _MOST_PARAMETERS // len(statement.columns)
    start = 0
    # Of a few sizes only: the driver keeps a statement that it has met, and wording one of a thousand rows takes a while.
    for size in (size for size in (512, 64, _FEW_ROWS) if size <= most):
        many = f"{head}{row}{f', {row}' * (size - 1)}{tail}" if len(rows) - start >= size else ""
        while len(rows) - start >= size:
            connection.execute(many, tuple(chain.from_iterable(rows[start : start + size]))).close()
            start += size
    connection.executemany(f"{head}{row}{tail}", rows[start:])


async def run_on_postgres(driver: PostgresDriver, program: Program[T]) -> T:
    """Run a program on a driver's connection."""
    try:
        ask = next(program)
        while True:
            statement, parameters = ask
            if isinstance(statement, Statement):
                text, pick = statement.postgresql
                rows: Rows = await driver.fetch(text, *pick(parameters))  # type: ignore[arg-type]
            else:
                rows = ()
                await driver.executemany(statement.postgresql, parameters)  # type: ignore[arg-type]
            ask = program.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
