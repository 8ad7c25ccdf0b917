"""The live state of correlation made anew: what it was is put aside by value until the ledger is read again."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Table, bindparam, delete, func, insert, literal, select, update

from regcert.domain.incident import Incident
from regcert.store.border_tables import ArrivalRow, DerivationRow, FormerMemberRow
from regcert.store.incident_tables import AbsorbedRow, ActivityRow, CorrelatedRow, HeldBackRow, IncidentRow, MemberRow
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import HoldingRow, HostFact, table

_MARK = table(CorrelatedRow)
_FACTS = table(HostFact)
_FORMER = table(FormerMemberRow)
_MEMBERS = table(MemberRow)
_INCIDENTS = table(IncidentRow)
_ABSORBED = table(AbsorbedRow)
_FACT = "rebuilding_up_to"
# What correlation makes of the ledger, and can make again.
_MADE = (ActivityRow, ArrivalRow, DerivationRow, HeldBackRow, HoldingRow, MemberRow, IncidentRow)

Members = dict[str, set[bytes]]


def begin_rebuild() -> Program[None]:
    """Put the incidents of all values aside, forget what correlation made, and set its mark to the beginning.

    Where that was done and not finished, what was put aside then is what counts.
    """
    if not (yield _TARGET, {}):
        yield _PUT_ASIDE, {}
        yield _SET_TARGET, {}
    for forget in _FORGET:
        yield forget, {}
    yield _TO_THE_BEGINNING, {}


def find_target() -> Program[int]:
    """Find the place up to which the ledger is being read again; 0 where it is not."""
    rows = yield _TARGET, {}
    return int(rows[0][0]) if rows else 0


def load_former() -> Program[dict[str, tuple[Members, dict[bytes, str]]]]:
    """Load, by scope, the values of each incident, and the incident that each value was in."""
    present: defaultdict[str, defaultdict[str, set[bytes]]] = defaultdict(lambda: defaultdict(set))
    former: defaultdict[str, dict[bytes, str]] = defaultdict(dict)
    for scope, key, incident_id in (yield _PRESENT, {}):
        present[scope][incident_id].add(key)
    for scope, key, incident_id in (yield _WERE, {}):
        former[scope][key] = incident_id
    return {scope: (present[scope], former[scope]) for scope in sorted(present.keys() | former.keys())}


def rename_incident(old: str, incident: Incident) -> Program[None]:
    """Put an incident in the place of what was it under another id."""
    asked = {"old": old, "new": incident.incident_id, "summary": msgspec.json.encode(incident)}
    yield _COPY, asked
    yield _MOVE, asked
    yield _DROP, asked


def absorb_incidents(scope: str, absorbed: Mapping[str, str]) -> Program[None]:
    """Write down where incidents went that are no more."""
    if absorbed:
        yield _ABSORB, [(old, scope, new) for old, new in sorted(absorbed.items())]


def end_rebuild() -> Program[None]:
    """Forget what was put aside, and where incidents went that nobody was ever shown."""
    yield _DROP_FORMER, {}
    yield _DROP_TARGET, {}
    while (yield _DROP_DANGLING, {}):
        pass


_ABSORB = Insert(_ABSORBED, keep=True)
_TARGET = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == _FACT))
_SET_TARGET = Statement(
    lambda _: insert(_FACTS).from_select(
        ["name", "value"], select(literal(_FACT), func.cast(_MARK.c.position, _FACTS.c.value.type))
    )
)
_PUT_ASIDE = Statement(
    lambda _: insert(_FORMER).from_select(
        ["scope", "key", "incident_id"], select(_MEMBERS.c.scope, _MEMBERS.c.key, _MEMBERS.c.incident_id)
    )
)


def _forget_all(made: Table) -> Statement:
    return Statement(lambda _: delete(made))


_FORGET = tuple(_forget_all(table(row)) for row in _MADE)
_TO_THE_BEGINNING = Statement(lambda _: update(_MARK).values(position=0))
_PRESENT = Statement(lambda _: select(_MEMBERS.c.scope, _MEMBERS.c.key, _MEMBERS.c.incident_id))
_WERE = Statement(lambda _: select(_FORMER.c.scope, _FORMER.c.key, _FORMER.c.incident_id))


def _copy(_dialect: str) -> Any:
    given = {"incident_id": bindparam("new", type_=_INCIDENTS.c.incident_id.type), "summary": bindparam("summary")}
    columns = [given[column.name].label(column.name) if column.name in given else column for column in _INCIDENTS.c]
    copied = select(*columns).where(_INCIDENTS.c.incident_id == bindparam("old"))
    return insert(_INCIDENTS).from_select([column.name for column in _INCIDENTS.c], copied)


_COPY = Statement(_copy)
_MOVE = Statement(
    lambda _: update(_MEMBERS).where(_MEMBERS.c.incident_id == bindparam("old")).values(incident_id=bindparam("new"))
)
_DROP = Statement(lambda _: delete(_INCIDENTS).where(_INCIDENTS.c.incident_id == bindparam("old")))
_DROP_FORMER = Statement(lambda _: delete(_FORMER))
_DROP_TARGET = Statement(lambda _: delete(_FACTS).where(_FACTS.c.name == _FACT))


def _drop_dangling(_dialect: str) -> Any:
    further = _ABSORBED.alias("further")
    gone = delete(_ABSORBED).where(
        _ABSORBED.c.into_id.not_in(select(_INCIDENTS.c.incident_id)), _ABSORBED.c.into_id.not_in(select(further.c.incident_id))
    )
    return gone.returning(_ABSORBED.c.incident_id)


_DROP_DANGLING = Statement(_drop_dangling)
