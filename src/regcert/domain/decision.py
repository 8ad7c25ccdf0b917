"""A decision: what a coordinator says about an incident or a value, which holds whatever correlation finds later."""

from dataclasses import dataclass, field
from enum import StrEnum

MOST_REASON_CHARACTERS = 400


class Deed(StrEnum):
    """What can be decided; the value is stable."""

    MERGE = "merge"
    SPLIT = "split"
    PIN = "pin"
    UNPIN = "unpin"
    DISMISS = "dismiss"
    RESTORE = "restore"
    COUNT = "count"
    NOISE = "noise"
    UNDO = "undo"


ABOUT_INCIDENTS = frozenset({Deed.MERGE, Deed.SPLIT, Deed.PIN, Deed.UNPIN, Deed.DISMISS, Deed.RESTORE, Deed.UNDO})
ABOUT_VALUES = frozenset({Deed.COUNT, Deed.NOISE, Deed.UNDO})


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision in force, as correlation applies it.

    Args:
        position: its place in the host's order; of two that contradict each other the later one holds.
        deed: what was decided.
        incident_id: about which incident, as it was called then; empty for a decision about one value.
        named: the keys that it is about: of a merge all values, of a split those that were taken out.
        others: of a split, the keys that stayed.
        countries: of a dismissal, which countries the incident had reached.
    """

    position: int
    deed: Deed
    incident_id: str
    named: frozenset[bytes]
    others: frozenset[bytes] = frozenset()
    countries: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as people are shown it.

    Args:
        decision_id: a UUID.
        deed: what was decided.
        incident_id: about which incident, as it was called then; empty for a decision about one value.
        with_id: of a merge the other incident, of an undoing the decision that it took back; else empty.
        reason: why, in the words of whoever decided.
        team: the slug of their team.
        token: what their token is called.
        at_us: when.
        values: how many values it is about.
        is_undone: whether it holds no more.
        is_applied: whether correlation has taken it into account.
    """

    decision_id: str
    deed: Deed
    incident_id: str
    with_id: str
    reason: str
    team: str
    token: str
    at_us: int
    values: int
    is_undone: bool
    is_applied: bool
