"""Decide something about an incident: merge, split, pin, dismiss, and take any of it back."""

from dataclasses import dataclass

from regcert.domain.decision import ABOUT_INCIDENTS, MOST_REASON_CHARACTERS, Deed
from regcert.domain.incident import Incident, Standing
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.decisions import (
    MOST_IN_FORCE,
    MOST_VALUES,
    Entry,
    add_decision,
    count_in_force,
    find_kept,
    judge_anew,
    load_decisions,
    load_members,
    load_scopes,
    load_values,
    take_back,
)
from regcert.store.incidents import load_incident
from regcert.store.order import lock_order
from regcert.store.programs import Program

_ENDED_BY = {Deed.UNPIN: Deed.PIN, Deed.RESTORE: Deed.DISMISS}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a coordinator wants.

    Args:
        deed: to do what.
        reason: why, for those who read the history.
        other: of a merge the id of the other incident, of an undoing that of the decision; else empty.
        values: of a split, the keys of those that make an incident of their own.
    """

    deed: Deed
    reason: str
    other: str = ""
    values: frozenset[bytes] = frozenset()


async def decide(database: Database, principal: Principal, incident_id: str, wish: Wish) -> str:
    """Decide something about an incident; it holds whatever correlation finds later, until somebody takes it back.

    1. Under the order lock: the incident, as whoever asks may see it, and all its values.
    2. What exactly is decided, about which values.
    3. Written down with a place in the host's order, and in the audit trail; correlation applies it when it comes to that place.

    Args:
        database: where.
        principal: who decides.
        incident_id: about which incident.
        wish: what.

    Returns:
        The decision's id.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND where an incident or decision is not there for the principal; INVALID_DECISION.
    """
    require(principal, Permission.DECIDE)
    if wish.deed not in ABOUT_INCIDENTS:
        raise refuse("'do' must be merge, split, pin, unpin, dismiss, restore or undo")
    require_reason(wish.reason)
    return await database.apply(lambda now_us: _decide(principal, incident_id, wish, now_us))


def _decide(principal: Principal, incident_id: str, wish: Wish, now_us: int) -> Program[str]:
    yield from lock_order()  # 1
    scopes = yield from load_scopes(principal)
    incident = yield from _get(scopes, incident_id)
    keys = frozenset((yield from load_members(incident.scope, {incident.incident_id})))
    entry, ended = yield from _enter(scopes, incident, keys, wish)  # 2
    if entry.is_kept:
        yield from require_room(entry)
    position, decision_id = yield from add_decision(principal, entry, now_us)  # 3
    if ended:
        yield from take_back(ended, position)
        yield from judge_anew(position, entry.scope, (yield from load_values(ended)) | keys)
    yield from note_deed(principal, now_us, f"incident-{wish.deed.value}", f"{incident.incident_id} {decision_id}")
    return decision_id


def _get(scopes: frozenset[str], incident_id: str) -> Program[Incident]:
    incident = yield from load_incident(scopes, incident_id)
    if incident is None:
        raise Refusal(Code.NOT_FOUND, "there is no such incident")
    return incident


def _enter(scopes: frozenset[str], incident: Incident, keys: frozenset[bytes], wish: Wish) -> Program[tuple[Entry, list[int]]]:
    """Word a decision, and find those that it ends."""
    scope, about = incident.scope, incident.incident_id
    if wish.deed is Deed.MERGE:
        return (yield from _merge(scopes, incident, keys, wish)), []
    if wish.deed is Deed.SPLIT:
        return _split(incident, keys, wish), []
    if wish.deed is Deed.UNDO:
        kept = yield from find_kept(scope, wish.other)
        if kept is None:
            raise Refusal(Code.NOT_FOUND, "there is no such decision that still holds")
        return Entry(scope, wish.deed, about, wish.reason, frozenset(), with_id=wish.other), [kept[0]]
    if wish.deed in _ENDED_BY:
        ended = [one.position for one in (yield from load_decisions(scope, keys)) if one.deed is _ENDED_BY[wish.deed]]
        if not ended:
            raise refuse(f"nobody has decided to {_ENDED_BY[wish.deed].value} this incident")
        return Entry(scope, wish.deed, about, wish.reason, frozenset()), ended
    stands = {Deed.PIN: Standing.PINNED, Deed.DISMISS: Standing.DISMISSED}[wish.deed]
    if incident.standing is stands:
        raise refuse(f"the incident is {stands.value} already")
    countries = tuple(sorted(arrival.country for arrival in incident.spread))
    return Entry(scope, wish.deed, about, wish.reason, keys, countries=countries), []


def _merge(scopes: frozenset[str], incident: Incident, keys: frozenset[bytes], wish: Wish) -> Program[Entry]:
    other = yield from _get(scopes, wish.other)
    if other.incident_id == incident.incident_id:
        raise refuse("an incident cannot be merged with itself")
    if other.scope != incident.scope:
        raise refuse("the two incidents belong to different audiences; what one knows the other must not learn")
    theirs = frozenset((yield from load_members(other.scope, {other.incident_id})))
    return Entry(incident.scope, wish.deed, incident.incident_id, wish.reason, keys | theirs, with_id=other.incident_id)


def _split(incident: Incident, keys: frozenset[bytes], wish: Wish) -> Entry:
    taken = wish.values
    if not taken or not taken <= keys or taken == keys:
        raise refuse("'values' must name some of the incident's values, and not all of them")
    return Entry(incident.scope, wish.deed, incident.incident_id, wish.reason, taken, keys - taken)


def require_reason(reason: str) -> None:
    """Refuse a decision whose reason nobody could read later."""
    if not reason.strip() or len(reason) > MOST_REASON_CHARACTERS or not reason.isprintable():
        raise refuse(f"'reason' must be one line of 1 to {MOST_REASON_CHARACTERS} characters: others will ask why")


def require_room(entry: Entry) -> Program[None]:
    """Refuse a decision about more than correlation looks at together, and more decisions than it can keep in mind."""
    if len(entry.named | entry.others) > MOST_VALUES:
        raise refuse(f"a decision is about at most {MOST_VALUES} values")
    if (yield from count_in_force(entry.scope)) >= MOST_IN_FORCE:
        raise refuse(f"{MOST_IN_FORCE} decisions hold here already; take back those that are not needed any more")


def refuse(sentence: str) -> Refusal:
    """Word a refusal of a decision."""
    return Refusal(Code.INVALID_DECISION, sentence)
