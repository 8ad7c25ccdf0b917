"""What teams protect: their own networks and domains, one list a team, for the scopes that the team takes part in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Integer, String, bindparam, func, or_, select

from regcert.store.border_tables import ProtectedListRow
from regcert.store.many import insert_into
from regcert.store.programs import Program, Statement
from regcert.store.tables import AccessRow, CollectionRow, TeamRow, table

_LISTS = table(ProtectedListRow)
_TEAMS = table(TeamRow)
_COLLECTIONS = table(CollectionRow)
_ACCESS = table(AccessRow)
_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_TEAM: BindParameter[int] = bindparam("team", type_=Integer)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who takes part in a scope.

    Args:
        teams: how many teams.
        protected: the lists of those that protect something, as they are stored.
    """

    teams: int
    protected: tuple[bytes, ...]


def load_audience(scope: str) -> Program[Audience]:
    """Load how many teams take part in a scope, and what they protect."""
    teams = yield _COUNT, {"scope": scope}
    lists = yield _PROTECTED, {"scope": scope}
    return Audience(int(teams[0][0]), tuple(bytes(entries) for (entries,) in lists))


def _takes_part() -> ColumnElement[bool]:
    """Ask for a team that may read a collection of the scope; of a scope, all collections have the same readers."""
    to_all = select(_COLLECTIONS.c.collection_id).where(_COLLECTIONS.c.scope == _SCOPE, _COLLECTIONS.c.read_all)
    granted = (
        select(_ACCESS.c.team_id)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _ACCESS.c.collection_id)
        .where(_COLLECTIONS.c.scope == _SCOPE, _ACCESS.c.can_read)
    )
    return or_(to_all.exists(), _TEAMS.c.team_id.in_(granted))


_COUNT = Statement(lambda _: select(func.count()).select_from(_TEAMS).where(_takes_part()))
_PROTECTED = Statement(
    lambda _: (
        select(_LISTS.c.entries)
        .join(_TEAMS, _TEAMS.c.team_id == _LISTS.c.team_id)
        .where(_takes_part())
        .order_by(_LISTS.c.team_id)
        .limit(10_000)
    )
)


def find_protected(team_id: int) -> Program[tuple[str, ...]]:
    """Find what a team protects; nothing where it never said."""
    rows = yield _ONE, {"team": team_id}
    return read_entries(rows[0][0]) if rows else ()


_ONE = Statement(lambda _: select(_LISTS.c.entries).where(_LISTS.c.team_id == _TEAM))


def replace_protected(team_id: int, entries: Sequence[str], position: int) -> Program[None]:
    """Put a list in the place of the one that a team had."""
    yield _REPLACE, {"team_id": team_id, "position": position, "entries": msgspec.json.encode(list(entries))}


def _replace(dialect: str) -> Any:
    new = insert_into(dialect, _LISTS).values({column.name: bindparam(column.name) for column in _LISTS.columns})
    return new.on_conflict_do_update(
        index_elements=["team_id"], set_={"position": new.excluded.position, "entries": new.excluded.entries}
    )


_REPLACE = Statement(_replace)


def find_last_change() -> Program[int]:
    """Find the place at which any team changed what it protects; 0 where none ever did."""
    rows = yield _LAST, {}
    return int(rows[0][0] or 0)


_LAST = Statement(lambda _: select(func.max(_LISTS.c.position)))


def read_entries(entries: bytes) -> tuple[str, ...]:
    """Read a stored list."""
    return msgspec.json.decode(entries, type=tuple[str, ...])
