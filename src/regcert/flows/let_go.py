"""Let go of what waits for a second person: it was refused, withdrawn, or has waited for too long."""

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.domain.proposal import Proposal, ProposalKind, ProposalState
from regcert.domain.submission import Refused
from regcert.errors import Code, Refusal
from regcert.flows.hold import read_held
from regcert.flows.list_proposals import get_visible
from regcert.policy.second_person import require_open, require_other, require_withdrawer
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.order import lock_order
from regcert.store.programs import Program
from regcert.store.proposals import list_expired, move_proposal, read_body
from regcert.store.submissions import finish_submission
from regcert.taxii import resources

_A_TIME = 20
_DEEDS = {ProposalState.REFUSED: "refuse", ProposalState.WITHDRAWN: "withdraw"}


async def refuse(database: Database, principal: Principal, proposal_id: str) -> Proposal:
    """Refuse a proposal, for good.

    Args:
        database: where it is.
        principal: who refuses: one of those who could have approved it.
        proposal_id: which one.

    Raises:
        Refusal: NOT_FOUND, PROPOSAL_CLOSED, SECOND_PERSON_REQUIRED, FORBIDDEN.
    """

    def work(now_us: int) -> Program[Proposal]:
        yield from lock_order()
        proposal = yield from get_visible(principal, proposal_id)
        require_open(proposal, now_us)
        require_other(principal, proposal)
        reason = Refusal(Code.SECOND_PERSON_REQUIRED, "a second person has refused to publish this")
        return (yield from let_go(proposal, ProposalState.REFUSED, reason, principal, now_us))

    return await database.apply(work)


async def withdraw_proposal(database: Database, principal: Principal, proposal_id: str) -> Proposal:
    """Withdraw a proposal on behalf of the team that asked.

    Raises:
        Refusal: NOT_FOUND, PROPOSAL_CLOSED, FORBIDDEN.
    """

    def work(now_us: int) -> Program[Proposal]:
        yield from lock_order()
        proposal = yield from get_visible(principal, proposal_id)
        require_withdrawer(principal, proposal, now_us)
        reason = Refusal(Code.SECOND_PERSON_REQUIRED, "it was withdrawn before a second person had agreed")
        return (yield from let_go(proposal, ProposalState.WITHDRAWN, reason, principal, now_us))

    return await database.apply(work)


async def expire_proposals(database: Database, clock: Clock) -> int:
    """Let go of proposals that nobody has approved for seven days, and return how many there were."""

    def work(now_us: int) -> Program[int]:
        yield from lock_order()
        expired = yield from list_expired(now_us, _A_TIME)
        for one in expired:
            reason = Refusal(Code.SECOND_PERSON_REQUIRED, "no second person agreed within seven days")
            yield from let_go(one, ProposalState.WITHDRAWN, reason, None, now_us)
        return len(expired)

    gone = 0
    while await database.run(list_expired(clock.now_us(), 1)):
        gone += await database.apply(work)
    return gone


def let_go(
    proposal: Proposal, became: ProposalState, reason: Refusal, principal: Principal | None, now_us: int
) -> Program[Proposal]:
    """Close a proposal without doing it; the status of a held post then says why each of its objects is not here.

    Args:
        proposal: which one, open or approved.
        became: refused or withdrawn.
        reason: for the status.
        principal: whose doing it is, or None for the host's.
        now_us: when.

    Returns:
        The proposal as it was.
    """
    if proposal.kind is ProposalKind.POST and proposal.submission_id is not None:
        held = read_held((yield from read_body(proposal.proposal_id)))
        failures = [Refused(stix_id, version, reason) for stix_id, version in held.objects]
        failures += [Refused("unknown", None, reason)] * held.refused
        status = resources.status(held.status_uuid, held.at_us, [], failures)
        yield from finish_submission(proposal.submission_id, status)
    yield from move_proposal(proposal.proposal_id, became)
    yield from note_deed(principal, now_us, _DEEDS[became], f"{proposal.kind.value} {proposal.proposal_id}")
    return proposal
