"""Submissions, their TAXII status, and the audit trail of who did what."""

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal
from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.store.database import Tx
from regcert.store.tables import AuditRow, SubmissionRow, table

_SUBMISSIONS = table(SubmissionRow)


async def begin_submission(tx: Tx, received: Received, status_uuid: str) -> int:
    """Enter a submission and return its key; its status is written by `finish_submission` in the same transaction."""
    row = {
        "status_uuid": status_uuid,
        "api_root": received.collection.api_root,
        "collection_id": received.collection.collection_id,
        "token_id": received.principal.token_id,
        "received_us": received.at_us,
        "status": b"",
    }
    new = insert(_SUBMISSIONS).values(row).returning(_SUBMISSIONS.c.submission_id)
    submission_id: int = (await tx.connection.execute(new)).scalar_one()
    return submission_id


async def finish_submission(tx: Tx, submission_id: int, status: bytes) -> None:
    """Keep what became of a submission."""
    done = update(_SUBMISSIONS).where(_SUBMISSIONS.c.submission_id == submission_id).values(status=status)
    await tx.connection.execute(done)


async def get_status(connection: AsyncConnection, principal: Principal, api_root: str, status_uuid: str) -> bytes:
    """Get the status of a POST, for the token that made it and nobody else.

    Raises:
        Refusal: NOT_FOUND.
    """
    query = select(_SUBMISSIONS.c.status).where(
        _SUBMISSIONS.c.status_uuid == status_uuid,
        _SUBMISSIONS.c.api_root == api_root,
        _SUBMISSIONS.c.token_id == principal.token_id,
    )
    status: bytes | None = (await connection.execute(query)).scalar()
    if status is None:
        raise Refusal(Code.NOT_FOUND, "there is no such status")
    return status


async def add_audit(tx: Tx, principal: Principal | None, at_us: int, action: str, subject: str) -> None:
    """Write down who did what; never what it said.

    Args:
        tx: the transaction of the deed itself: neither is kept without the other.
        principal: who, or None for the host's own operator.
        at_us: when.
        action: a stable word.
        subject: the slug, id or hash of what it was done to.
    """
    row = {
        "at_us": at_us,
        "token_id": principal.token_id if principal else None,
        "team_id": principal.team.team_id if principal else None,
        "action": action,
        "subject": subject,
    }
    await tx.connection.execute(insert(table(AuditRow)).values(row))
