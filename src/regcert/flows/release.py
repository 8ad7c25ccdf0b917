"""Publish what was held, exactly as it was posted, when a second person has agreed."""

import logging

from regcert.clock import Clock
from regcert.domain.proposal import Proposal, ProposalState
from regcert.domain.submission import Admitted, Received
from regcert.errors import Code, Refusal
from regcert.flows.hold import HeldPost, read_held
from regcert.flows.let_go import let_go
from regcert.flows.publish import look_into, record
from regcert.stix.schema import SchemaSet
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.order import lock_order
from regcert.store.programs import Program
from regcert.store.proposals import find_approved, find_proposal, move_proposal, read_body
from regcert.store.tokens import get_sender
from regcert.store.visibility import find_collection

_LOG = logging.getLogger("regcert.release")


async def release(database: Database, schemas: SchemaSet, clock: Clock) -> bool:
    """Publish the oldest held post that was approved.

    1. Find it, with who posted it and where to. Where the team may not write there any more, or the token was revoked in between,
       it is refused: somebody has taken back what the post relied on.
    2. Parse, verify and admit it, as any envelope. What was signed is verified now, under the keys of now.
    3. In one transaction: record it, complete its status, close the proposal.

    If we crash before 3 commits, it is looked at again; behind it, never again.

    Args:
        database: where it was kept.
        schemas: of every STIX type.
        clock: what time it is.

    Returns:
        Whether there was anything to do.
    """
    proposal = await database.run(find_approved(clock.now_us()))
    if proposal is None:
        return False
    held = read_held(await database.run(read_body(proposal.proposal_id)))
    try:
        received = await database.run(_read_received(proposal, held))  # 1
        admitted = await look_into(database, schemas, received)  # 2
        await database.apply(lambda now_us: _publish(proposal, admitted, held, now_us))  # 3
    except Refusal as refusal:
        if refusal.code is Code.BUSY:
            raise
        _LOG.warning("a post that was held and approved cannot be published: %s", refusal.code)
        told = refusal
        await database.apply(lambda now_us: let_go(proposal, ProposalState.REFUSED, told, None, now_us))
    return True


def _read_received(proposal: Proposal, held: HeldPost) -> Program[Received]:
    if proposal.is_revoked:
        raise Refusal(Code.PROPOSAL_CLOSED, "the token that it was posted with has been revoked since; post it again")
    sender = yield from get_sender(proposal.token_id)
    found = yield from find_collection(sender, proposal.api_root or "", proposal.collection or "")
    if found is None or not found[2]:
        raise Refusal(Code.FORBIDDEN, "your team may not write to this collection any more")
    return Received(sender, found[0], held.body, held.at_us)


def _publish(proposal: Proposal, admitted: Admitted, held: HeldPost, now_us: int) -> Program[None]:
    yield from lock_order()
    found = yield from find_proposal(proposal.proposal_id)
    if found is None or found.state is not ProposalState.APPROVED or found.is_revoked:
        return  # another process was faster, or the token was revoked just now: then the next look refuses it
    yield from record(admitted, proposal.submission_id or 0, held.status_uuid, now_us)
    yield from move_proposal(proposal.proposal_id, ProposalState.DONE)
    yield from note_deed(None, now_us, "release", f"{proposal.kind.value} {proposal.proposal_id}")
