"""Something that one person asked for and that waits for others: nobody approves what they asked for themselves."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.clock import DAY_US

OPEN_FOR_US = 7 * DAY_US
MOST_REASON_CHARACTERS = 400


class ProposalKind(StrEnum):
    """What is asked for, and so who has to agree to it."""

    KEY_LIST = "key-list"
    """A team's key list: coordinators of other teams, each of another one."""
    POST = "post"
    """A publication that was held: a second person of the same team."""


class ProposalState(StrEnum):
    """What became of it; one that is open and has expired is as good as withdrawn."""

    OPEN = "open"
    APPROVED = "approved"
    """Everybody agreed whom it needs; it is about to be done."""
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody asked for; the thing itself stands beside it, as bytes.

    Args:
        proposal_id: our key for it, a UUID.
        kind: what is asked for.
        state: what became of it.
        team_id: whose it is.
        team: the slug of that team.
        token_id: who asked; never one of those who approve.
        token: what that person's token is called.
        is_revoked: whether that token has been revoked since.
        collection_id: of a held post, where to.
        collection: its slug.
        api_root: the API root that it stands in.
        submission_id: of a held post, its submission.
        needs: how many approvals.
        reason: why it needs them, or what the proposer says, for people.
        created_us: when it was asked.
        expires_us: from when on nobody can approve it.
    """

    proposal_id: str
    kind: ProposalKind
    state: ProposalState
    team_id: int
    team: str
    token_id: int
    token: str
    is_revoked: bool
    collection_id: int | None
    collection: str | None
    api_root: str | None
    submission_id: int | None
    needs: int
    reason: str
    created_us: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class Approval:
    """That somebody agreed.

    Args:
        token_id: who.
        team_id: of which team.
        team: its slug.
        token: what the person's token is called.
        at_us: when.
    """

    token_id: int
    team_id: int
    team: str
    token: str
    at_us: int
