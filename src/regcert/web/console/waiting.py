"""What the pages of proposals are drawn from; `views.py` says what holds for every view."""

from dataclasses import dataclass

from regcert.domain.key_list import TeamKey
from regcert.domain.proposal import Approval, Proposal, ProposalKind
from regcert.flows.list_proposals import Facts, state_of
from regcert.stix.tlp import Tlp
from regcert.web.console.views import Viewer


@dataclass(frozen=True, slots=True)
class WaitingView:
    """What waits for a second person.

    Args:
        region_name: which region this host serves.
        viewer: who looks.
        now_us: the time that the page speaks of.
        proposals: some of what waits, the newest first.
        next_cursor: where the list goes on, or None.
        later: whether this is not its beginning.
    """

    region_name: str
    viewer: Viewer
    now_us: int
    proposals: tuple[Proposal, ...]
    next_cursor: str | None
    later: bool


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One object of a held post, for a person."""

    stix_id: str
    type: str
    version: str
    marking: Tlp
    revoked: bool
    name: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """One proposal, for whoever shall decide.

    Args:
        region_name: which region this host serves.
        viewer: who looks.
        now_us: the time that the page speaks of.
        facts: all there is to know.
    """

    region_name: str
    viewer: Viewer
    now_us: int
    facts: Facts

    @property
    def proposal(self) -> Proposal:
        """What is asked, and by whom."""
        return self.facts.proposal

    @property
    def state(self) -> str:
        """What became of it, in a word."""
        return state_of(self.proposal, self.now_us)

    @property
    def is_post(self) -> bool:
        """Whether it is a held post, and not a key list."""
        return self.proposal.kind is ProposalKind.POST

    @property
    def missing(self) -> int:
        """How many more have to agree."""
        return max(0, self.proposal.needs - len(self.facts.approvals))

    @property
    def rows(self) -> tuple[ListedRow, ...]:
        """The objects of a held post that are shown."""
        listed = self.facts.post.listed if self.facts.post else ()
        return tuple(
            ListedRow(one.stix_id, one.type, one.version or "", Tlp(one.marking), one.revoked, one.name or "") for one in listed
        )

    @property
    def keys(self) -> tuple[TeamKey, ...]:
        """The keys of a key list."""
        return tuple(self.facts.key_list.keys) if self.facts.key_list else ()

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """Who has agreed."""
        return tuple(self.facts.approvals)
