"""What correlation judged, value by value: for whoever has to find what changed guards would judge otherwise."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Integer, LargeBinary, String, and_, bindparam, literal_column, select, union_all

from regcert.stix.observable import Observable, ObservableKind
from regcert.store.incident_tables import HeldBackRow, MemberRow
from regcert.store.many import insert_into
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, HostFact, ObservableRow, table

_MEMBERS = table(MemberRow)
_HELD = table(HeldBackRow)
_OBSERVABLES = table(ObservableRow)
_COLLECTIONS = table(CollectionRow)
_FACTS = table(HostFact)

_STATE = "guards_swept"
_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_AFTER: BindParameter[bytes] = bindparam("after", type_=LargeBinary)
_MOST: BindParameter[int] = bindparam("most", type_=Integer)


@dataclass(frozen=True, slots=True)
class Swept:
    """A value as it was judged last.

    Args:
        key: of the value.
        observable: the value.
        held: the word for which it is held back; empty where it is in an incident.
        reason: the same in a sentence.
    """

    key: bytes
    observable: Observable
    held: str
    reason: str


def list_shown_scopes() -> Program[list[str]]:
    """List all scopes."""
    return [scope for (scope,) in (yield _SCOPES, {})]


_SCOPES = Statement(lambda _: select(_COLLECTIONS.c.scope).distinct().order_by(_COLLECTIONS.c.scope).limit(10_000))


def list_judged(scope: str, after: bytes, most: int) -> Program[list[Swept]]:
    """List what a scope shows and holds back, in the order of keys, with how it was judged.

    Args:
        scope: which.
        after: only keys behind this one; empty to begin.
        most: at most this many.
    """
    rows = yield _JUDGED, {"scope": scope, "after": after, "most": most}
    return [Swept(bytes(key), Observable(ObservableKind(kind), value), held, reason) for key, held, reason, kind, value in rows]


def _judged(_dialect: str) -> Any:
    nothing = literal_column("''", String)
    parts = (
        select(rows.c.key, held.label("held"), reason.label("reason"))
        .where(rows.c.scope == _SCOPE, rows.c.key > _AFTER)
        .order_by(rows.c.key)
        .limit(_MOST)
        .subquery()
        for rows, held, reason in ((_MEMBERS, nothing, nothing), (_HELD, _HELD.c.held, _HELD.c.reason))
    )
    both = union_all(*(select(part) for part in parts)).subquery()
    return (
        select(both.c.key, both.c.held, both.c.reason, _OBSERVABLES.c.kind, _OBSERVABLES.c.value)
        .join(_OBSERVABLES, and_(_OBSERVABLES.c.key == both.c.key))
        .order_by(both.c.key)
        .limit(_MOST)
    )


_JUDGED = Statement(_judged)


def find_swept() -> Program[str]:
    """Find which guards all values were last compared with; empty where none ever were."""
    rows = yield _FIND, {"name": _STATE}
    return str(json.loads(rows[0][0])) if rows else ""


_FIND = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == bindparam("name")))


def note_swept(state: str) -> Program[None]:
    """Note that all values were compared with some guards."""
    yield _NOTE, {"name": _STATE, "value": json.dumps(state)}


def _note(dialect: str) -> Any:
    new = insert_into(dialect, _FACTS).values(name=bindparam("name"), value=bindparam("value"))
    return new.on_conflict_do_update(index_elements=["name"], set_={"value": new.excluded.value})


_NOTE = Statement(_note)
