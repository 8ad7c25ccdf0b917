"""What the pages of blind matches are drawn from; `views.py` says what holds for every view."""

from dataclasses import dataclass

from regcert.domain.blind_match import Seen, Side, Step
from regcert.flows.list_blind_matches import Facts, Page
from regcert.policy.blind_matching import BROKERED
from regcert.stix.tlp import Tlp
from regcert.web.console.views import Viewer

# What each step asks of whoever takes it, in the order of the forms.
_FORMS = (
    ("ask", "Ask", "solid", "Why you ask. The coordinators read it now, the other side only when it has agreed, too."),
    ("agree", "Agree", "solid", "What the other side should know. It is read by it, and by the coordinators."),
    ("refuse", "Refuse", "quiet", "Why, for the coordinators only. May be left empty."),
    ("forward", "Forward it", "solid", "What all sides are told with it. Name nobody: neither side knows the other yet."),
    ("close", "Close it", "quiet", "Why it ends. All sides read it."),
)


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One blind match as its list shows it: nothing but what may be told of it."""

    seen: Seen

    @property
    def marking(self) -> Tlp:
        """The strictest marking of the other sides."""
        return max(one.marking for one in self.seen.others)

    @property
    def circles(self) -> str:
        """How many other circles, in the two words there are for it."""
        return "one other circle" if len({one.scope for one in self.seen.others}) == 1 else "other circles"


@dataclass(frozen=True, slots=True)
class Form:
    """A step that may be taken: where its form goes, what its button says, and what its note is for."""

    deed: str
    label: str
    style: str
    hint: str


@dataclass(frozen=True, slots=True)
class BlindMatchesView:
    """The blind matches that somebody was told of, or has to forward.

    Args:
        region_name: which region this host serves.
        viewer: who looks.
        now_us: the time that the page speaks of.
        page: some of them, the newest first.
        later: whether this is not the beginning.
    """

    region_name: str
    viewer: Viewer
    now_us: int
    page: Page
    later: bool

    @property
    def rows(self) -> tuple[MatchRow, ...]:
        """The matches of this page."""
        return tuple(MatchRow(seen) for seen, _ in self.page.matches)


@dataclass(frozen=True, slots=True)
class BlindMatchView:
    """One blind match, with its dialogue and what may be done.

    Args:
        region_name: which region this host serves.
        viewer: who looks.
        now_us: the time that the page speaks of.
        facts: all that may be shown.
    """

    region_name: str
    viewer: Viewer
    now_us: int
    facts: Facts

    @property
    def row(self) -> MatchRow:
        """The match as the list shows it."""
        return MatchRow(self.facts.seen)

    @property
    def forms(self) -> tuple[Form, ...]:
        """The steps that the viewer may take."""
        return tuple(Form(*form) for form in _FORMS if form[0] in self.facts.may)

    @property
    def opened(self) -> tuple[Side, ...]:
        """The sides that may be named."""
        return self.facts.seen.opened

    @property
    def dialogue(self) -> tuple[tuple[str, Step], ...]:
        """Who said what, as far as it may be shown."""
        return tuple(("A coordinator" if step.deed in BROKERED else step.team or "", step) for step in self.facts.steps)
