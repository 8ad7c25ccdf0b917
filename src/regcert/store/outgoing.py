"""What goes out: the incidents that the host has yet to publish as the centre, and how far each is published.

Correlation notes in its own transaction what changed. What is published is written down in the transaction that publishes it
(`store/issued.py`), so a crash leaves both or neither.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam, case, literal, select, update

from regcert.clock import SECOND_US
from regcert.domain.change import Change
from regcert.domain.collection import Collection
from regcert.domain.outgoing import Outgoing
from regcert.store.border_tables import OutgoingRow
from regcert.store.incident_tables import IncidentRow
from regcert.store.many import among_listed, insert_into, insert_selected
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, table
from regcert.store.visibility import read_collection

# Changes that follow each other are looked at together, so that growth in steps makes few versions.
LOOK_AGAIN_US = 30 * SECOND_US

_OUTGOING = table(OutgoingRow)
_COLLECTIONS = table(CollectionRow)
_INCIDENTS = table(IncidentRow)

_ONE: BindParameter[str] = bindparam("one")
_IS_CENTRE = _COLLECTIONS.c.centre_token.is_not(None)


def list_targets() -> Program[dict[str, Collection]]:
    """List the collections in which the host publishes what crosses borders, by their scopes; each scope has one at most."""
    names = [column.name for column in _COLLECTIONS.columns]
    found = [read_collection(dict(zip(names, row, strict=True))) for row in (yield _TARGETS, {})]
    return {collection.scope: collection for collection in found}


def appoint(collection_id: int, token_id: int) -> Program[None]:
    """Let the host publish in a collection by a token; whoever changes this calls `touch_rights` first."""
    yield _APPOINT, {"collection": collection_id, "token": token_id}


def note_outgoing(changes: Sequence[Change]) -> Program[None]:
    """Note which incidents changed, of those scopes in which the host publishes; in the transaction that changed them."""
    scopes = {scope for (scope,) in (yield _SCOPES, {})} if changes else ()
    for change in changes:
        if change.incident.scope in scopes:
            yield _NOTE, {"one": change.incident.incident_id, "scope": change.incident.scope}


def note_all(scope: str) -> Program[None]:
    """Note every incident of a scope in which the host begins to publish."""
    yield _NOTE_ALL, {"scope": scope}


def note_everything() -> Program[None]:
    """Note every incident that is or was published, and every one that may be, when all of them were made anew."""
    yield _AGAIN, {}
    for (scope,) in (yield _SCOPES, {}):
        yield from note_all(scope)


def find_due(now_us: int, most: int) -> Program[list[Outgoing]]:
    """Find the incidents to look at now, those that have waited longest first."""
    rows = yield _DUE, {"now_us": now_us, "most": most}
    return [_read_outgoing(row) for row in rows]


def put_off(entries: Iterable[Outgoing], due_us: int) -> Program[None]:
    """Look at some incidents again later, unless something is written down of them before."""
    yield _PUT_OFF, {"named": tuple(entry.incident_id for entry in entries), "due": due_us}


def find_outgoing(incident_id: str) -> Program[Outgoing | None]:
    """Find how far one incident is published."""
    rows = yield _FIND, {"one": incident_id}
    return _read_outgoing(rows[0]) if rows else None


def write_outgoing(entry: Outgoing) -> Program[None]:
    """Write down how far an incident is published; what was noted since it was read makes it due again."""
    yield _WRITE, {
        "one": entry.incident_id, "seen": entry.noted, "due": entry.due_us, "looked": entry.looked_us,
        "again": entry.looked_us + LOOK_AGAIN_US, "issued": entry.issued_us, "formed": entry.shape, "since": entry.shape_us,
        "report": entry.is_report,
    }  # fmt: skip


def _read_outgoing(row: Sequence[Any]) -> Outgoing:
    incident_id, scope, noted, due_us, looked_us, issued_us, shape, shape_us, is_report = row
    return Outgoing(incident_id, scope, noted, due_us, looked_us, issued_us, bytes(shape), shape_us, bool(is_report))


_APPOINT = Statement(
    lambda _: (
        update(_COLLECTIONS)
        .where(_COLLECTIONS.c.collection_id == bindparam("collection"))
        .values(centre_token=bindparam("token"))
    )
)
_TARGETS = Statement(lambda _: select(_COLLECTIONS).where(_IS_CENTRE).order_by(_COLLECTIONS.c.collection_id).limit(1000))
_SCOPES = Statement(lambda _: select(_COLLECTIONS.c.scope).where(_IS_CENTRE).distinct().limit(1000))
_FRESH = {"noted": 1, "due_us": 0, "looked_us": 0, "issued_us": 0, "shape": b"", "shape_us": 0, "is_report": False}


_NOTED = {"noted": _OUTGOING.c.noted + 1, "due_us": _OUTGOING.c.looked_us + LOOK_AGAIN_US}


def _note(dialect: str) -> Any:
    new = insert_into(dialect, _OUTGOING).values(incident_id=bindparam("one"), scope=bindparam("scope"), **_FRESH)
    return new.on_conflict_do_update(index_elements=[_OUTGOING.c.incident_id], set_=_NOTED)


def _note_all(dialect: str) -> Any:
    fresh = (literal(value, _OUTGOING.c[name].type).label(name) for name, value in _FRESH.items())
    known = select(_INCIDENTS.c.incident_id, _INCIDENTS.c.scope, *fresh).where(_INCIDENTS.c.scope == bindparam("scope"))
    return insert_selected(dialect, _OUTGOING, known).on_conflict_do_nothing()


_NOTE = Statement(_note)
_NOTE_ALL = Statement(_note_all)
_AGAIN = Statement(lambda _: update(_OUTGOING).values(_NOTED))
_DUE = Statement(
    lambda _: (
        select(_OUTGOING)
        .where(_OUTGOING.c.due_us <= bindparam("now_us", type_=BigInteger))
        .order_by(_OUTGOING.c.due_us, _OUTGOING.c.incident_id)
        .limit(bindparam("most", type_=BigInteger))
    )
)
_PUT_OFF = Statement(
    lambda dialect: (
        update(_OUTGOING)
        .where(among_listed(dialect, _OUTGOING.c.incident_id, bindparam("named")))
        .values(due_us=bindparam("due", type_=BigInteger))
    )
)
_FIND = Statement(lambda _: select(_OUTGOING).where(_OUTGOING.c.incident_id == _ONE))
_IS_SEEN = _OUTGOING.c.noted == bindparam("seen", type_=BigInteger)
_WRITE = Statement(
    lambda _: (
        update(_OUTGOING)
        .where(_OUTGOING.c.incident_id == _ONE)
        .values(
            due_us=case((_IS_SEEN, bindparam("due", type_=BigInteger)), else_=bindparam("again", type_=BigInteger)),
            looked_us=bindparam("looked"),
            issued_us=bindparam("issued"),
            shape=bindparam("formed"),
            shape_us=bindparam("since"),
            is_report=bindparam("report"),
        )
    )
)
