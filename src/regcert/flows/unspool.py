"""Look at what was kept because it was too large: a piece at a time, each in a transaction of its own."""

from regcert.domain.submission import Admitted, Received, Refused
from regcert.errors import Code, Refusal
from regcert.flows.hold import find_reason_to_hold, too_large_to_hold
from regcert.flows.publish import look_into
from regcert.stix.schema import SchemaSet
from regcert.stix.timestamps import write_timestamp
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.objects import record_objects
from regcert.store.order import lock_order
from regcert.store.programs import Program
from regcert.store.spool import Outcome, Progress, Work, clear, find_work, finish_piece, is_waiting, list_outcomes
from regcert.store.submissions import finish_submission
from regcert.taxii import resources


async def unspool(database: Database, schemas: SchemaSet) -> bool:
    """Publish the next piece of what was kept.

    1. Parse and admit its objects, as every envelope's. What would wait for a second person is refused: a part cannot be held.
    2. In one transaction: record them, note what became of each, and tell the status how far it is; with the last piece, the
       status is complete and the pieces are let go.

    If we crash before 2 commits, the piece is looked at again; behind it, never again.

    Args:
        database: where it was kept.
        schemas: of every STIX type.

    Returns:
        Whether there was anything to do.
    """
    work = await database.run(find_work())
    if work is None:
        return False
    received = Received(work.principal, work.collection, work.envelope, work.received_us)
    try:
        admitted = await look_into(database, schemas, received, is_piece=True)  # 1
    except Refusal as refusal:  # of the piece as a whole: the collection's own rule has changed since
        outcome = Outcome([], [_told(work, Refused("unknown", None, refusal))] * work.objects)
        await database.apply(lambda _: _finish(work, outcome))
    else:
        await database.apply(lambda now_us: _record(work, admitted, now_us))  # 2
    return True


def _record(work: Work, admitted: Admitted, now_us: int) -> Program[None]:
    yield from lock_order()
    if not (yield from is_waiting(work)):
        return  # another process was faster
    if (yield from find_reason_to_hold(admitted, now_us)) is not None:
        told = [_told(work, Refused(one.stix.stix_id, one.stix.version, too_large_to_hold())) for one in admitted.objects]
        yield from _finish(work, Outcome([], [*told, *(_told(work, one) for one in admitted.refused)]))
        return
    recorded = yield from record_objects(admitted, work.submission_id, now_us)
    yield from _finish(work, Outcome(recorded.accepted, [_told(work, one) for one in recorded.refused]))


def _told(work: Work, one: Refused) -> tuple[str, str, str]:
    return one.stix_id, one.version or write_timestamp(work.received_us), str(one.refusal)


def _finish(work: Work, outcome: Outcome) -> Program[None]:
    progress = yield from finish_piece(work.submission_id, work.number, outcome)
    if progress.pending:
        status = resources.pending_status(
            work.status_uuid, work.received_us, progress.accepted, progress.refused, progress.pending
        )
        yield from finish_submission(work.submission_id, status)
        return
    yield from _complete(work, progress)


def _complete(work: Work, progress: Progress) -> Program[None]:
    outcomes = yield from list_outcomes(work.submission_id)
    accepted = [one for outcome in outcomes for one in outcome.accepted]
    refused = [
        Refused(stix_id, version, _refusal(reason)) for outcome in outcomes for stix_id, version, reason in outcome.refused
    ]
    status = resources.status(work.status_uuid, work.received_us, accepted, refused)
    yield from finish_submission(work.submission_id, status)
    yield from clear(work.submission_id)
    subject = f"{work.collection.slug} {progress.accepted} of {progress.accepted + progress.refused} {work.status_uuid}"
    yield from note_deed(work.principal, work.received_us, "publish", subject)


def _refusal(reason: str) -> Refusal:
    code, _, message = reason.partition(": ")
    return Refusal(Code(code), message)
