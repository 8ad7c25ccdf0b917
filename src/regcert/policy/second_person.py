"""What one person may not do alone, and who the second person may be.

Two rules for what is published, one for keys. A marking of RED and a withdrawal in bulk wait for a second person of the same
team: whoever stole one token can neither spread what must not spread, nor blind a region by taking back what it defends itself
with. A team's key list waits for coordinators of other teams, each of another one.
"""

from collections.abc import Sequence

from regcert.domain.principal import Principal
from regcert.domain.proposal import Approval, Proposal, ProposalKind, ProposalState
from regcert.errors import Code, Refusal
from regcert.policy.facts import Thing
from regcert.policy.permissions import Permission, may

# Withdrawals of one team in one collection within an hour: more than this, or more than one in twenty of what it has in force
# there, but never fewer than ten.
MOST_WITHDRAWN = 50
ONE_IN = 20
FEWEST = 10

_PERMISSIONS = {ProposalKind.POST: Permission.APPROVE_POST, ProposalKind.KEY_LIST: Permission.APPROVE_KEY_LIST}
_WHO = {
    ProposalKind.POST: "somebody of the same team who may publish decides about this",
    ProposalKind.KEY_LIST: "coordinators of other teams decide about this",
}


def is_bulk(withdrawn: int, in_force: int) -> bool:
    """Tell whether so many withdrawals within an hour need a second person.

    Args:
        withdrawn: how many objects the team took back within the hour, with those that it is about to.
        in_force: how many it had in force in the collection before.
    """
    return withdrawn > MOST_WITHDRAWN or (withdrawn >= FEWEST and withdrawn * ONE_IN > in_force)


def may_see(principal: Principal, proposal: Proposal) -> bool:
    """Tell whether a proposal exists for somebody: for its own team, and for those who could be asked to approve it.

    A held publication stands in a collection: for a token that is narrowed to others it is not there (law 5).
    """
    narrowed = principal.collection_ids
    if narrowed is not None and proposal.collection_id is not None and proposal.collection_id not in narrowed:
        return False
    is_own = principal.team.team_id == proposal.team_id and may(principal, Permission.SEE_PROPOSALS)
    return is_own or may(principal, _PERMISSIONS[proposal.kind], _thing(proposal))


def require_open(proposal: Proposal, now_us: int) -> None:
    """Refuse what was decided already, or has waited for too long.

    Raises:
        Refusal: PROPOSAL_CLOSED.
    """
    if proposal.state is not ProposalState.OPEN:
        raise Refusal(Code.PROPOSAL_CLOSED, f"the proposal is {proposal.state.value} already")
    if proposal.expires_us <= now_us:
        raise Refusal(Code.PROPOSAL_CLOSED, "the proposal has waited for longer than seven days; ask anew")


def require_other(principal: Principal, proposal: Proposal) -> None:
    """Refuse a say in a proposal to whoever asked for it, and to those who are not asked.

    Raises:
        Refusal: SECOND_PERSON_REQUIRED, FORBIDDEN.
    """
    if principal.token_id == proposal.token_id:
        raise Refusal(Code.SECOND_PERSON_REQUIRED, "you asked for this yourself; another person has to decide")
    if not may(principal, _PERMISSIONS[proposal.kind], _thing(proposal)):
        raise Refusal(Code.FORBIDDEN, _WHO[proposal.kind])


def require_approver(principal: Principal, proposal: Proposal, approvals: Sequence[Approval], now_us: int) -> None:
    """Refuse an approval that does not count: each is of another person, and for keys of another team.

    Raises:
        Refusal: PROPOSAL_CLOSED, SECOND_PERSON_REQUIRED, FORBIDDEN.
    """
    require_open(proposal, now_us)
    require_other(principal, proposal)
    if proposal.is_revoked:
        raise Refusal(Code.PROPOSAL_CLOSED, "the token that this came with has been revoked since; refuse it, and ask anew")
    if any(one.token_id == principal.token_id for one in approvals):
        raise Refusal(Code.SECOND_PERSON_REQUIRED, "you have approved this already; another person has to")
    if proposal.kind is ProposalKind.KEY_LIST and any(one.team_id == principal.team.team_id for one in approvals):
        raise Refusal(Code.SECOND_PERSON_REQUIRED, "your team has approved this already; a coordinator of another team has to")


def require_unrelated(proposer: int, approver: int) -> None:
    """Refuse the approval of a token that was made with the same one as the token that asks, or with that token itself.

    Whoever stole the token of a team's administrator can make others with it. All of them are one person then.

    Args:
        proposer: the token that the operator made and that the proposer's goes back to.
        approver: likewise.

    Raises:
        Refusal: SECOND_PERSON_REQUIRED.
    """
    if proposer == approver:
        raise Refusal(
            Code.SECOND_PERSON_REQUIRED,
            "your token and the one that this came with were made by the same administrator, so they count as one person;"
            " somebody whose token the host's operator made has to approve it",
        )


def require_withdrawer(principal: Principal, proposal: Proposal, now_us: int) -> None:
    """Refuse to let go of a proposal on behalf of anybody but who asked, or a coordinator of the same team.

    Raises:
        Refusal: PROPOSAL_CLOSED, FORBIDDEN.
    """
    require_open(proposal, now_us)
    if not may(principal, Permission.WITHDRAW_PROPOSAL, _thing(proposal)):
        raise Refusal(Code.FORBIDDEN, "who asked, or a coordinator of the same team, withdraws this; others can refuse it")


def _thing(proposal: Proposal) -> Thing:
    return Thing(team_id=proposal.team_id, token_id=proposal.token_id)
