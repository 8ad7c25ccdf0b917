"""Overrule correlation about one value: it counts here, or it is noise here."""

from dataclasses import dataclass

from regcert.domain.decision import ABOUT_VALUES, Deed
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.decide import refuse, require_reason, require_room
from regcert.policy.permissions import Permission, require
from regcert.stix.observable import Observable
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.decisions import Entry, add_decision, load_decisions, load_scopes, take_back
from regcert.store.groups import load_groups
from regcert.store.ledger import observable_key
from regcert.store.order import lock_order
from regcert.store.programs import Program
from regcert.store.visibility import find_scope

_RULINGS = frozenset({Deed.COUNT, Deed.NOISE})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a coordinator says of a value.

    Args:
        deed: that it counts, that it is noise, or that neither is decided any more.
        observable: the value.
        collection: the id or alias of a collection of the audience in which that is so.
        reason: why, for those who read the history.
    """

    deed: Deed
    observable: Observable
    collection: str
    reason: str


async def overrule(database: Database, principal: Principal, ruling: Ruling) -> str:
    """Overrule correlation about a value, within one audience; it is judged anew at once.

    Args:
        database: where.
        principal: who decides.
        ruling: what.

    Returns:
        The decision's id.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND where the collection, or the value in it, is not there for the principal; INVALID_DECISION.
    """
    require(principal, Permission.DECIDE)
    if ruling.deed not in ABOUT_VALUES:
        raise refuse("'do' must be count, noise or undo")
    require_reason(ruling.reason)
    return await database.apply(lambda now_us: _overrule(principal, ruling, now_us))


def _overrule(principal: Principal, ruling: Ruling, now_us: int) -> Program[str]:
    yield from lock_order()
    scope = yield from find_scope(principal, ruling.collection)
    key = observable_key(ruling.observable)
    # Whoever sees some collections of an audience and not all of them sees nothing that is made of all.
    known = scope is not None and scope in (yield from load_scopes(principal))
    if scope is None or not known or not (yield from load_groups(scope, {key})):
        raise Refusal(Code.NOT_FOUND, "nobody holds this value in a collection of that name")
    former = [one for one in (yield from load_decisions(scope, {key})) if one.deed in _RULINGS]
    if (former[-1].deed if former else Deed.UNDO) is ruling.deed:
        raise refuse("that is decided already" if former else "nothing is decided about this value")
    entry = Entry(scope, ruling.deed, "", ruling.reason, frozenset({key}))
    if entry.is_kept:
        yield from require_room(entry)
    position, decision_id = yield from add_decision(principal, entry, now_us)
    if former:
        yield from take_back([one.position for one in former], position)
    yield from note_deed(principal, now_us, f"value-{ruling.deed.value}", decision_id)
    return decision_id
