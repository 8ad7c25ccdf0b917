"""A value that is held back: several countries hold it, and yet it makes no incident."""

from dataclasses import dataclass

from regcert.stix.observable import Observable


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A value that makes no incident, and why.

    Args:
        observable: the value.
        countries: that hold it, in the order in which it reached them.
        held: a stable word: `guarded`, `protected`, `noise`, `false-positive`, `one-origin` or `shared`.
        reason: one sentence for people.
        wide: whether most teams of the scope hold it.
    """

    observable: Observable
    countries: tuple[str, ...]
    held: str
    reason: str
    wide: bool


HELD_WORDS = ("false-positive", "guarded", "noise", "one-origin", "protected", "shared")
