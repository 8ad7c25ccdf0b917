"""Agree to what somebody else asked for; with the last of those that it needs, it is done."""

from regcert.domain.principal import Principal
from regcert.domain.proposal import Proposal, ProposalKind, ProposalState
from regcert.errors import Code, Refusal
from regcert.flows.enter_key_list import enter_proposed
from regcert.flows.list_proposals import get_visible
from regcert.policy.second_person import require_approver, require_unrelated
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.order import lock_order
from regcert.store.programs import Program
from regcert.store.proposals import add_approval, list_approvals, move_proposal, read_body
from regcert.store.tokens import find_lineage
from regcert.store.visibility import find_collection


async def approve(database: Database, principal: Principal, proposal_id: str) -> ProposalState:
    """Approve a proposal.

    1. Under the order lock: look whether it is open, and whether this principal's approval counts.
    2. Enter the approval.
    3. With the last that it needs: a key list is put in force at once, in the same transaction. A held post is marked, and
       published by whoever takes in publications (`flows/release.py`), a moment later.

    Args:
        database: where it is.
        principal: who agrees.
        proposal_id: to what.

    Returns:
        What became of it: still open, approved or done.

    Raises:
        Refusal: NOT_FOUND, PROPOSAL_CLOSED, SECOND_PERSON_REQUIRED, FORBIDDEN; what `enter_proposed` refuses.
    """
    return await database.apply(lambda now_us: _approve(principal, proposal_id, now_us))


def _approve(principal: Principal, proposal_id: str, now_us: int) -> Program[ProposalState]:
    yield from lock_order()
    proposal = yield from get_visible(principal, proposal_id)  # 1
    approvals = yield from list_approvals(proposal_id)
    require_approver(principal, proposal, approvals, now_us)
    require_unrelated((yield from find_lineage(proposal.token_id)), (yield from find_lineage(principal.token_id)))
    if proposal.kind is ProposalKind.POST:
        yield from _require_writer(principal, proposal)
    yield from add_approval(proposal_id, principal, now_us)  # 2
    yield from note_deed(principal, now_us, "approve", f"{proposal.kind.value} {proposal_id}")
    if len(approvals) + 1 < proposal.needs:
        return ProposalState.OPEN
    became = ProposalState.APPROVED
    if proposal.kind is ProposalKind.KEY_LIST:  # 3
        yield from enter_proposed(principal, proposal.team_id, (yield from read_body(proposal_id)), now_us)
        became = ProposalState.DONE
    yield from move_proposal(proposal_id, became)
    return became


def _require_writer(principal: Principal, proposal: Proposal) -> Program[None]:
    """Refuse the approval of somebody whose own token could not have posted there."""
    found = yield from find_collection(principal, proposal.api_root or "", proposal.collection or "")
    if found is None or not found[2]:
        raise Refusal(Code.FORBIDDEN, "your token may not write to the collection that this was posted to")
