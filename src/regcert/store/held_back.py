"""Values that are held back, each with the reason: written by correlation, listed page by page on somebody's behalf.

A page follows the index (scope, word, kind, key): whatever is asked for, each part of it is one range of that index.
"""

from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import BindParameter, LargeBinary, RowMapping, bindparam, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.held_back import HELD_WORDS, HeldBack
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.incident_tables import HeldBackRow
from regcert.store.ledger import join_keys
from regcert.store.many import among_keys
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import ObservableRow, table

_HELD = table(HeldBackRow)
_OBSERVABLES = table(ObservableRow)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)

# Scope, word, kind and key of the last value of a page.
HeldPlace = tuple[str, str, str, bytes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which held back values somebody asks for.

    Args:
        scopes: that they may see.
        held: only those with this word, or None.
        kind: only values of this kind, or None.
        key: only this value, or None.
        after: only those behind this place, or None to begin.
        most: how many at most.
    """

    scopes: Sequence[str]
    held: str | None = None
    kind: ObservableKind | None = None
    key: bytes | None = None
    after: HeldPlace | None = None
    most: int = 100


def replace_held(scope: str, keys: Values[bytes], held: Mapping[bytes, HeldBack]) -> Program[None]:
    """Write down which of some values are held back, in which countries and why, and forget the others."""
    yield _LET_GO, {"scope": scope} | join_keys(keys)
    if held:
        yield (
            _HOLD_BACK,
            [
                (scope, key, ",".join(one.countries), one.reason, str(one.held), one.observable.kind.value, one.wide)
                for key, one in sorted(held.items())
            ],
        )


_LET_GO = Statement(
    lambda dialect: delete(_HELD).where(_HELD.c.scope == bindparam("scope"), among_keys(dialect, _HELD.c.key, _KEYS))
)
_HOLD_BACK = Insert(_HELD)


async def page_held(connection: AsyncConnection, wanted: Wanted) -> list[tuple[HeldPlace, HeldBack]]:
    """List values that are held back, in the order of their places."""
    found: list[tuple[HeldPlace, HeldBack]] = []
    for query in _ranges(wanted):
        rows = await connection.execute(query.limit(wanted.most - len(found)))
        found += [(_place(row), _read(row)) for row in rows.mappings()]
        if len(found) >= wanted.most:
            break
    return found


def _ranges(wanted: Wanted) -> Iterable[Any]:
    """Word a query for each part of the index that may hold an answer, in the order of places."""
    whole = (
        select(_HELD, _OBSERVABLES.c.value)
        .join(_OBSERVABLES, _OBSERVABLES.c.key == _HELD.c.key)
        .order_by(_HELD.c.scope, _HELD.c.held, _HELD.c.kind, _HELD.c.key)
    )
    for scope, word in product(sorted(wanted.scopes), (wanted.held,) if wanted.held else HELD_WORDS):
        query = whole.where(_HELD.c.scope == scope, _HELD.c.held == word)
        if wanted.kind is not None:
            query = query.where(_HELD.c.kind == wanted.kind.value)
        if wanted.key is not None:
            query = query.where(_HELD.c.key == wanted.key)
        if wanted.after is not None:
            if (scope, word) < wanted.after[:2]:
                continue
            if (scope, word) == wanted.after[:2]:
                query = query.where(tuple_(_HELD.c.kind, _HELD.c.key) > tuple_(*wanted.after[2:]))
        yield query


def _place(row: RowMapping) -> HeldPlace:
    return row["scope"], row["held"], row["kind"], bytes(row["key"])


def _read(row: RowMapping) -> HeldBack:
    return HeldBack(
        Observable(ObservableKind(row["kind"]), row["value"]),
        tuple(filter(None, row["countries"].split(","))),
        row["held"],
        row["reason"],
        bool(row["wide"]),
    )
