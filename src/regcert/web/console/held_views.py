"""What the page of held back values is drawn from."""

from dataclasses import dataclass

from regcert.domain.held_back import HELD_WORDS, HeldBack
from regcert.stix.observable import ObservableKind
from regcert.web.console.views import Region, Viewer

WORDS = {
    "false-positive": "Called harmless by teams",
    "guarded": "Met by everybody: on a list of benign values",
    "noise": "Noise, says a coordinator",
    "one-origin": "All repeat one origin",
    "protected": "A protected asset of a team",
    "shared": "Shared by several stories",
}


@dataclass(frozen=True, slots=True)
class HeldView:
    """A page of what is held back, for one viewer.

    Args:
        region: the region.
        viewer: who looks.
        values: each with the aliases of the collections of its audience.
        next_cursor: where the next page begins, or None.
        later: whether this is not the first page.
        held: only what is held back for this reason, or empty.
        kind: only values of this kind, or empty.
        value: only this value, or empty.
        may_decide: whether the viewer may overrule.
    """

    region: Region
    viewer: Viewer
    values: tuple[tuple[HeldBack, tuple[str, ...]], ...]
    next_cursor: str | None = None
    later: bool = False
    held: str = ""
    kind: str = ""
    value: str = ""
    may_decide: bool = False

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """The reasons there are, each with its words."""
        return tuple((word, WORDS[word]) for word in HELD_WORDS)

    @property
    def codes(self) -> frozenset[str]:
        """The countries that the page shows."""
        return frozenset(code for held, _ in self.values for code in held.countries)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of values there are."""
        return tuple(kind.value for kind in ObservableKind)
