"""Statements over many values at once: one parameter whatever their number, and one wording for both databases."""

from collections.abc import Collection as Values
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Insert, Table, bindparam, case, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import Select

CHUNK = 500


def among(connection: AsyncConnection, column: ColumnElement[Any], values: Values[str]) -> ColumnElement[bool]:
    """Ask for a column to be one of many strings, as a single parameter.

    A thousand parameters cost more to compile than to run, and SQLite knows a largest number of them.
    """
    if connection.dialect.name == "sqlite":
        listed: Select[Any] = select(text("value")).select_from(func.json_each(orjson.dumps(list(values)).decode()))
        return column.in_(listed)
    return column == func.any(bindparam(None, list(values), type_=postgresql.ARRAY(column.type)))


def among_keys(connection: AsyncConnection, column: ColumnElement[Any], keys: Values[bytes]) -> ColumnElement[bool]:
    """Ask for a column to be one of many 16-byte keys."""
    if connection.dialect.name == "sqlite":
        # json_each has no bytes: compare as upper-case hexadecimal would lose the index, so unhex on the listed side.
        return column.in_(list(keys))
    return column == func.any(bindparam(None, list(keys), type_=postgresql.ARRAY(column.type)))


def insert_into(connection: AsyncConnection, rows: Table) -> Any:
    """Begin an INSERT that knows ON CONFLICT, in the dialect of the connection."""
    return sqlite.insert(rows) if connection.dialect.name == "sqlite" else postgresql.insert(rows)


def insert_new(connection: AsyncConnection, rows: Table) -> Insert:
    """Build an INSERT that leaves alone what is there already."""
    statement: Insert = insert_into(connection, rows).on_conflict_do_nothing()
    return statement


def smaller(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the smaller of two columns; the databases name that function differently."""
    return case((left < right, left), else_=right)


def larger(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the larger of two columns."""
    return case((left > right, left), else_=right)
