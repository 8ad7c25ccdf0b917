"""Who may take which step in the dialogue about a blind match, and when."""

from collections.abc import Callable, Mapping

from regcert.domain.blind_match import CONSENTS, Deed, Seen, Stance
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.facts import NOTHING, Thing
from regcert.policy.permissions import Permission, require

BROKERED = frozenset({Deed.FORWARD, Deed.CLOSE})
DEEDS = (Deed.ASK, Deed.AGREE, Deed.REFUSE, Deed.FORWARD, Deed.CLOSE)


def require_deed(principal: Principal, seen: Seen, deed: Deed) -> None:
    """Refuse a step that is not this principal's to take, or not now.

    Args:
        principal: who.
        seen: the match as they see it.
        deed: one of `DEEDS`.

    Raises:
        Refusal: FORBIDDEN, BLIND_MATCH_CLOSED.
    """
    if deed in BROKERED:
        require(principal, Permission.BROKER_BLIND_MATCH)
    else:
        thing = Thing(team_id=seen.mine[0].team_id) if seen.mine else NOTHING
        require(principal, Permission.ANSWER_BLIND_MATCH, thing)
    if seen.match.is_over(seen.now_us):
        raise _closed("it is over")
    if (reason := _HINDRANCES[deed](seen)) is not None:
        raise _closed(reason)


def possible_deeds(principal: Principal, seen: Seen) -> frozenset[str]:
    """Try each step without taking it: what is shown as possible is decided where it is taken."""
    possible = set()
    for deed in DEEDS:
        try:
            require_deed(principal, seen, deed)
        except Refusal:
            continue
        possible.add(deed.value)
    return frozenset(possible)


def _stances(seen: Seen) -> frozenset[Stance]:
    return frozenset(one.stance for one in seen.mine)


def _ask(seen: Seen) -> str | None:
    if seen.match.forwarded_us:
        return "somebody has asked already and it was forwarded; agree or refuse"
    return None if _stances(seen) == {Stance.SILENT} else "your team has answered already"


def _agree(seen: Seen) -> str | None:
    if not seen.match.forwarded_us:
        return "nobody's question was forwarded to you; ask yourself if you want to know who it is"
    return None if _stances(seen) == {Stance.SILENT} else "your team has answered already"


def _refuse(seen: Seen) -> str | None:
    if seen.opened:
        return "it is open already, and what was told cannot be taken back"
    return "your team has refused already" if Stance.REFUSED in _stances(seen) else None


def _forward(seen: Seen) -> str | None:
    if seen.match.forwarded_us:
        return "it was forwarded already"
    return None if any(one.stance in CONSENTS for one in seen.match.sides) else "nobody asks any more"


def _close(_: Seen) -> str | None:
    return None


_HINDRANCES: Mapping[Deed, Callable[[Seen], str | None]] = {
    Deed.ASK: _ask,
    Deed.AGREE: _agree,
    Deed.REFUSE: _refuse,
    Deed.FORWARD: _forward,
    Deed.CLOSE: _close,
}


def _closed(reason: str) -> Refusal:
    return Refusal(Code.BLIND_MATCH_CLOSED, f"this is not possible for the blind match as it stands: {reason}")
