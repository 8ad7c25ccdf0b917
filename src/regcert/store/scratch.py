"""A database for a while: the tables of a host, filled from its history, in which a program of the host finds what it expects.

So the history is regrouped by the very verb that regroups the live state, and not by a likeness of it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table, bindparam, create_engine, select
from sqlalchemy.pool import StaticPool

from regcert.stix.derived import find_parents
from regcert.stix.observable import Observable, ObservableKind
from regcert.store import border_tables, incident_tables, trust_tables
from regcert.store.database import Database
from regcert.store.ledger import observable_key
from regcert.store.programs import Insert, Program, Statement, run_in_sqlite
from regcert.store.tables import (
    METADATA,
    AccessRow,
    CollectionRow,
    HoldingRow,
    MentionRow,
    ObjectRow,
    ObservableRow,
    TeamRow,
    TieRow,
    table,
)

T = TypeVar("T")
Row = dict[str, Any]

_CHUNK = 5_000
# Who takes part, who sees what, and what people decided: small, and no part of a history.
_ARRANGED = (
    TeamRow,
    CollectionRow,
    AccessRow,
    border_tables.DecisionRow,
    border_tables.DecisionValueRow,
    border_tables.ProtectedListRow,
)
# Every table is made, whatever else is imported.
_ALL = (border_tables, incident_tables, trust_tables)


class Scratch:
    """The open database.

    Args:
        connection: to it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._teams: dict[str, int] = {}
        self._collections: dict[str, int] = {}

    def run(self, program: Program[T]) -> T:
        """Run a program of the host."""
        return run_in_sqlite(self._connection, program)

    async def copy_arrangements(self, database: Database) -> None:
        """Copy who takes part, and what people decided, from a host."""
        for row in _ARRANGED:
            rows, most, start = table(row), 1_000, 0
            while found := await database.run(_read_some(rows, start, most)):
                self._insert(rows, (dict(zip(rows.columns.keys(), one, strict=True)) for one in found))
                start += most
        self._teams = dict(self.run(_ask(_TEAMS, {})))
        self._collections = dict(self.run(_ask(_COLLECTIONS, {})))

    def add_holdings(self, rows: Iterable[Row]) -> None:
        """Add what teams hold, with the values themselves."""
        for some in _in_chunks(rows):
            self._insert(table(ObservableRow), some)
            self._insert(table(HoldingRow), (row | {"team_id": self._teams[row["team"]]} for row in some))

    def add_derivations(self, rows: Iterable[Row]) -> None:
        """Add which values stand in which."""
        self._insert(table(border_tables.DerivationRow), rows)

    def list_values(self, scope: str) -> set[bytes]:
        """List what a scope holds, and what nobody named but something held stands in; an unnamed network is none of these."""
        held = {bytes(key) for (key,) in self.run(_ask(_HELD, {"scope": scope}))}
        children = self.run(_ask(_CHILDREN, {"scope": scope}))
        parents = {parent for kind, value in children for parent in find_parents(Observable(ObservableKind(kind), value))}
        return held | {observable_key(one) for one in parents if one.kind is not ObservableKind.CIDR}

    def add_mentions(self, rows: Iterable[Row]) -> None:
        """Add which objects publish values."""
        self._insert(table(MentionRow), (self._place(row) | {"said": "published"} for row in rows))

    def add_objects(self, rows: Iterable[Row]) -> None:
        """Add objects, all of them in force; of their bodies no more is known than the name."""
        self._insert(
            table(ObjectRow),
            (self._place(row) | {"body": orjson.dumps({"name": row["name"]} if row["name"] else {})} for row in rows),
        )

    def add_ties(self, rows: Iterable[Row]) -> None:
        """Add which objects belong to which reports and campaigns."""
        self._insert(table(TieRow), (self._place(row) for row in rows))

    def _place(self, row: Row) -> dict[str, Any]:
        team = {"team_id": self._teams[row["team"]]} if "team" in row else {}
        return {**row, "collection_id": self._collections[row["collection"]], **team}

    def _insert(self, rows: Table, found: Iterable[Row]) -> None:
        insert = Insert(rows, keep=True)
        blanks = {column.name: _blank(column) for column in rows.columns}
        for some in _in_chunks(found):
            self.run(_write(insert, [tuple(one.get(name, blank) for name, blank in blanks.items()) for one in some]))


@contextmanager
def open_scratch() -> Iterator[Scratch]:
    """Make the database; it is gone with the block, and what does not fit into memory lies in a file without a name."""
    connection = sqlite3.connect("", isolation_level=None)
    try:
        METADATA.create_all(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))
        yield Scratch(connection)
    finally:
        connection.close()


def _write(insert: Insert, rows: list[tuple[Any, ...]]) -> Program[None]:
    yield insert, rows


def _read_some(rows: Table, start: int, most: int) -> Program[Any]:
    behind, largest = bindparam("start", type_=BigInteger), bindparam("most", type_=BigInteger)
    some = Statement(lambda _: select(rows).order_by(*rows.primary_key.columns).offset(behind).limit(largest))
    found = yield some, {"start": start, "most": most}
    return found


_TEAMS = Statement(lambda _: select(table(TeamRow).c.slug, table(TeamRow).c.team_id))
_COLLECTIONS = Statement(lambda _: select(table(CollectionRow).c.slug, table(CollectionRow).c.collection_id))
_HELD = Statement(
    lambda _: select(table(HoldingRow).c.key).where(table(HoldingRow).c.scope == bindparam("scope", type_=String)).distinct()
)
_DERIVED, _VALUES = table(border_tables.DerivationRow), table(ObservableRow)
_CHILDREN = Statement(
    lambda _: (
        select(_VALUES.c.kind, _VALUES.c.value)
        .join_from(_DERIVED, _VALUES, _VALUES.c.key == _DERIVED.c.child)
        .where(_DERIVED.c.scope == bindparam("scope", type_=String))
        .distinct()
    )
)


def _ask(statement: Statement, asked: Row) -> Program[Any]:
    rows = yield statement, asked
    return [tuple(row) for row in rows]


def _blank(column: Column[Any]) -> Any:
    """What stands in a column that a history does not tell of."""
    if column.nullable:
        return None
    if isinstance(column.type, LargeBinary):
        return b""
    return 0 if isinstance(column.type, (Integer, Boolean)) else ""


def _in_chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    following = iter(rows)
    while some := list(islice(following, _CHUNK)):
        yield some
