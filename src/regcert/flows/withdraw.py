"""Delete what a team published itself.

The gentle way to take something back is to publish it again with `revoked: true`, which pollers see. A deletion is for what
should never have been there; pollers do not see it, but correlation forgets it.
"""

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.flows.hold import is_too_much
from regcert.flows.retrieve import Question, get_collection
from regcert.policy.permissions import Permission, require
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.deletions import delete_versions


async def withdraw(database: Database, clock: Clock, question: Question) -> None:
    """Delete the versions of one object that a question names; all of them where it names none.

    Args:
        database: where from.
        clock: for the audit.
        question: which object of which collection.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN where the principal may read but not write, or another team published the object;
            SECOND_PERSON_REQUIRED beyond what one person may take back within an hour.

    Spec: TAXII 2.1 §5.7
    """
    principal = question.caller.principal
    collection, can_read, can_write = await get_collection(database, question.caller, question.api_root, question.collection)
    require(principal, Permission.PUBLISH)
    if not (can_read and can_write):
        raise Refusal(Code.FORBIDDEN, "deleting needs both reading and writing rights in the collection")
    stix_id = question.stix_id or ""

    async def work(tx: Tx) -> None:
        withdrawn = await delete_versions(tx, collection.collection_id, principal, stix_id, question.filters)
        # Counted behind the deletion, which is undone with all else here: what may not be deleted at all is refused before.
        if withdrawn and await tx.run(is_too_much(collection.collection_id, principal.team.team_id, tx.now_us())):
            raise Refusal(
                Code.SECOND_PERSON_REQUIRED,
                "your team has taken back too much within the hour; post the objects with revoked: true, which a second person"
                " can approve, or wait",
            )
        await add_audit(tx, principal, clock.now_us(), "delete", f"{collection.slug} {stix_id}")

    await database.write(work)
