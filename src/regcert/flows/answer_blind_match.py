"""Take one step in the dialogue about a blind match: ask, forward, agree, refuse, close."""

import re
from collections.abc import Mapping, Sequence

from regcert.domain.blind_match import MOST_NOTE_CHARACTERS, MOST_OBJECTS, Deed, End, Seen, Side, Stance
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.list_blind_matches import get_seen
from regcert.policy.blind_matching import require_deed
from regcert.store.audit import note_deed
from regcert.store.blind_comparing import load_circles, load_holders
from regcert.store.blind_matches import add_step, end_match, find_objects, note_forwarded, take_stance
from regcert.store.database import Database
from regcert.store.order import lock_order
from regcert.store.programs import Program

_STANCES: Mapping[Deed, Stance] = {Deed.ASK: Stance.ASKED, Deed.AGREE: Stance.AGREED, Deed.REFUSE: Stance.REFUSED}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


async def answer_blind_match(
    database: Database,
    principal: Principal,
    match_id: str,
    deed: Deed,
    *,
    note: str = "",
    objects: Sequence[str] | None = None,
) -> str:
    """Take a step.

    1. Under the order lock: look whether the step is this principal's to take, now.
    2. Who asks or agrees still holds the value, and puts objects forward: those that they name, else all their own.
    3. Enter where the side stands, or what the coordinator did; the step itself, for ever; and a row of the audit trail.

    Args:
        database: where it is.
        principal: who takes it.
        match_id: in which match.
        deed: which step.
        note: what is said with it, at most 1000 characters. Of one who asks or agrees, the coordinators read it, and the other
            side once both have consented; of a coordinator, all sides.
        objects: the ids to put forward, at most 100, or None for all that the team published with the value in its circle.

    Returns:
        How it stands now.

    Raises:
        Refusal: NOT_FOUND, FORBIDDEN, BLIND_MATCH_CLOSED; MALFORMED_REQUEST for a note that is missing or too long, or an object
            that does not name the value.
    """
    _require_note(deed, note)
    if objects is not None and len(objects) > MOST_OBJECTS:
        raise Refusal(Code.MALFORMED_REQUEST, f"put forward at most {MOST_OBJECTS} objects")

    def work(now_us: int) -> Program[str]:
        yield from lock_order()
        seen = yield from get_seen(principal, match_id, now_us)
        require_deed(principal, seen, deed)  # 1
        if deed in _STANCES:
            yield from _take_stance(seen, _STANCES[deed], objects)  # 2, 3
        elif deed is Deed.FORWARD:
            yield from note_forwarded(match_id, now_us)
        else:
            yield from end_match(match_id, End.CLOSED, now_us)
        yield from add_step(match_id, deed, principal, now_us, note.strip())
        yield from note_deed(principal, now_us, f"blind-{deed.value}", match_id)
        return (yield from get_seen(principal, match_id, now_us)).state

    return await database.apply(work)


def _take_stance(seen: Seen, stance: Stance, objects: Sequence[str] | None) -> Program[None]:
    match = seen.match
    if stance is not Stance.REFUSED:
        held = yield from load_holders({match.key}, (yield from load_circles()))
        holding = {(one.scope, one.team_id) for one in held.get(match.key, ())}
        if any((one.scope, one.team_id) not in holding for one in seen.mine):
            raise Refusal(
                Code.BLIND_MATCH_CLOSED,
                "your team does not hold the value any more on terms that let it be matched; it ends by itself",
            )
    put = yield from _put_forward(seen, stance, objects)
    for side in seen.mine:
        yield from take_stance(match.match_id, side, stance, put[side], seen.now_us)


def _put_forward(seen: Seen, stance: Stance, objects: Sequence[str] | None) -> Program[dict[Side, list[str]]]:
    """Choose the ids that each side puts forward; who refuses puts none."""
    put: dict[Side, list[str]] = {side: [] for side in seen.mine}
    if stance is Stance.REFUSED:
        return put
    for side in seen.mine:
        own = yield from find_objects(seen.match.key, side)
        put[side] = [one for one in own if objects is None or one in objects]
    if objects is not None and set(objects) != {one for of_side in put.values() for one in of_side}:
        raise Refusal(
            Code.MALFORMED_REQUEST,
            "'objects' may name what your team published with this value in the circle, in force and at most TLP:AMBER; leave it"
            " out for all of these",
        )
    return put


def _require_note(deed: Deed, note: str) -> None:
    if len(note) > MOST_NOTE_CHARACTERS or _UNPRINTABLE.search(note):
        raise Refusal(Code.MALFORMED_REQUEST, f"'note' is plain text of at most {MOST_NOTE_CHARACTERS} characters")
    if deed in {Deed.ASK, Deed.CLOSE} and not note.strip():
        raise Refusal(Code.MALFORMED_REQUEST, f"add a 'note': the coordinators, or the sides, have to know why you {deed.value}")
