"""Statements over many values at once: one parameter whatever their number, and one wording for both databases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as Values
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import BindParameter, ColumnElement, Table, bindparam, case, func, select, text, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import Select

CHUNK = 500

_DriverInsert = tuple[str, Callable[[Mapping[str, object]], tuple[Any, ...]]]
_DRIVER_INSERTS: dict[tuple[str, str, bool], _DriverInsert] = {}


def among(connection: AsyncConnection, column: ColumnElement[Any], values: Values[str]) -> ColumnElement[bool]:
    """Ask for a column to be one of many strings, as a single parameter.

    A thousand parameters cost more to compile than to run, and SQLite knows a largest number of them.
    """
    dialect = connection.dialect.name
    return among_listed(dialect, column, bindparam(None, as_list(dialect, values), type_=_list_type(dialect, column)))


def among_listed(dialect: str, column: ColumnElement[Any], listed: BindParameter[Any]) -> ColumnElement[bool]:
    """Ask for a column to be in a list that `as_list` made, for statements that are built before their values are known."""
    if dialect == "sqlite":
        found: Select[Any] = select(text("value")).select_from(func.json_each(listed))
        return column.in_(found)
    return column == func.any(type_coerce(listed, postgresql.ARRAY(column.type)))


def as_list(dialect: str, values: Values[str]) -> Any:
    """Write many strings as the one parameter that a database takes: JSON text, or an array."""
    return orjson.dumps(list(values)).decode() if dialect == "sqlite" else list(values)


def _list_type(dialect: str, column: ColumnElement[Any]) -> Any:
    return None if dialect == "sqlite" else postgresql.ARRAY(column.type)


def among_keys(connection: AsyncConnection, column: ColumnElement[Any], keys: Values[bytes]) -> ColumnElement[bool]:
    """Ask for a column to be one of many 16-byte keys."""
    if connection.dialect.name == "sqlite":
        # JSON has no bytes, and SQLite learned unhex() after 3.40: a parameter each, of a chunk of them.
        return column.in_(list(keys))
    return column == func.any(bindparam(None, list(keys), type_=postgresql.ARRAY(column.type)))


def chunks(values: Iterable[Any]) -> Iterable[list[Any]]:
    """Part values into lists that one statement takes."""
    listed = sorted(values)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))


async def insert_rows(
    connection: AsyncConnection, rows: Table, values: Sequence[Mapping[str, object]], *, keep: bool = False
) -> None:
    """Insert many rows that name every column, as the driver takes them.

    SQLAlchemy would look at each value of each row; here nothing needs converting, and an envelope is thousands of rows.

    Args:
        connection: in a transaction.
        rows: the table.
        values: at least one row, each with all columns.
        keep: leave alone what is there already, instead of failing.
    """
    statement, read = _driver_insert(connection, rows, keep=keep)
    await connection.exec_driver_sql(statement, [read(row) for row in values])


def _driver_insert(connection: AsyncConnection, rows: Table, *, keep: bool) -> _DriverInsert:
    key = (connection.dialect.name, rows.name, keep)
    if key not in _DRIVER_INSERTS:
        statement = insert_into(connection.dialect.name, rows)
        compiled = (statement.on_conflict_do_nothing() if keep else statement).compile(dialect=connection.dialect)
        _DRIVER_INSERTS[key] = str(compiled), itemgetter(*compiled.positiontup)
    return _DRIVER_INSERTS[key]


def insert_into(dialect: str, rows: Table) -> Any:
    """Begin an INSERT that knows ON CONFLICT, in a dialect."""
    return sqlite.insert(rows) if dialect == "sqlite" else postgresql.insert(rows)


def insert_selected(dialect: str, rows: Table, selected: Select[Any]) -> Any:
    """Begin an INSERT of what a query selects, whose columns are named after those of the table."""
    return insert_into(dialect, rows).from_select([column.name for column in selected.selected_columns], selected)


def smaller(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the smaller of two columns; the databases name that function differently."""
    return case((left < right, left), else_=right)


def larger(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the larger of two columns."""
    return case((left > right, left), else_=right)
