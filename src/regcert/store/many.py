"""Statements over many values at once: one parameter whatever their number, and one wording for both databases."""

from collections.abc import Collection as Values
from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import Select

CHUNK = 500


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


def each_listed(dialect: str, listed: BindParameter[Any], kind: Any) -> ColumnElement[Any]:
    """Read a list that is one parameter as rows, to ask something of each of its values."""
    if dialect == "sqlite":
        value: ColumnElement[Any] = func.json_each(listed).table_valued("value").c.value
        return type_coerce(value, kind)
    return func.unnest(type_coerce(listed, postgresql.ARRAY(kind))).column_valued("value")


def as_list(dialect: str, values: Values[str]) -> Any:
    """Write many strings as the one parameter that a database takes: JSON text, or an array."""
    return orjson.dumps(list(values)).decode() if dialect == "sqlite" else list(values)


def _list_type(dialect: str, column: ColumnElement[Any]) -> Any:
    return None if dialect == "sqlite" else postgresql.ARRAY(column.type)


def among_keys(dialect: str, column: ColumnElement[Any], joined: BindParameter[bytes]) -> ColumnElement[bool]:
    """Ask for a column to be one of many 16-byte keys, which are one parameter: the keys joined.

    JSON has no bytes, SQLite learned unhex() after 3.40, and a parameter each would be another statement for each number of keys.
    """
    if dialect == "sqlite":
        places = select(literal_column("1").label("place")).cte("places", recursive=True, nesting=True)
        following = places.c.place + literal_column("16")
        places = places.union_all(select(following).where(following <= func.length(joined)))
        return column.in_(select(func.substr(joined, places.c.place, literal_column("16"))))
    starts = func.generate_series(literal_column("1"), func.length(joined), literal_column("16")).alias("place")
    keys = select(func.substr(joined, starts.column, literal_column("16"), type_=column.type))
    return column == func.any(func.array(keys.scalar_subquery(), type_=postgresql.ARRAY(column.type)))


def chunks(values: Iterable[Any]) -> Iterable[list[Any]]:
    """Part values into lists that one statement takes."""
    listed = sorted(values)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))


def among_numbers(column: ColumnElement[Any], numbers: Iterable[int]) -> ColumnElement[bool]:
    """Ask for a column to be one of some numbers of ours, which stand in the statement itself: it is worded once for them."""
    return column.in_([literal_column(str(int(number)), Integer) for number in numbers])


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
