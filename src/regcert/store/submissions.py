"""Submissions, their TAXII status, and the audit trail of who did what."""

from typing import Any

from sqlalchemy import BigInteger, Column, Insert, Integer, Table, bindparam, delete, insert, select, update

from regcert.domain.principal import Principal
from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.store.database import Tx
from regcert.store.programs import Program, Statement
from regcert.store.tables import AuditRow, SpoolRow, SubmissionRow, table

_SUBMISSIONS = table(SubmissionRow)
_AUDIT = table(AuditRow)
_SPOOL = table(SpoolRow)


def _naming(rows: Table, key: Column[Any]) -> Insert:
    """Begin an INSERT that names every column but the key, which the database gives."""
    return insert(rows).values({column.name: bindparam(column.name) for column in rows.columns if column is not key})


_BEGIN = Statement(lambda _: _naming(_SUBMISSIONS, _SUBMISSIONS.c.submission_id).returning(_SUBMISSIONS.c.submission_id))
_FINISH = Statement(
    lambda _: update(_SUBMISSIONS).where(_SUBMISSIONS.c.submission_id == bindparam("submission")).values(status=bindparam("told"))
)
_STATUS = Statement(
    lambda _: select(_SUBMISSIONS.c.status).where(
        _SUBMISSIONS.c.status_uuid == bindparam("status"),
        _SUBMISSIONS.c.api_root == bindparam("api_root"),
        _SUBMISSIONS.c.token_id == bindparam("token"),
    )
)
_OLD = _SUBMISSIONS.c.received_us < bindparam("before", type_=BigInteger)
_EXPIRED = Statement(
    lambda _: (
        select(_SUBMISSIONS.c.submission_id)
        .where(_OLD)
        .order_by(_SUBMISSIONS.c.received_us)
        .limit(bindparam("most", type_=Integer))
    )
)
_EXPIRE = Statement(lambda _: delete(_SUBMISSIONS).where(_SUBMISSIONS.c.submission_id == bindparam("submission")))
_UNSPOOL = Statement(lambda _: delete(_SPOOL).where(_SPOOL.c.submission_id == bindparam("submission")))
_DEED = Statement(lambda _: _naming(_AUDIT, _AUDIT.c.audit_id))


def begin_submission(received: Received, status_uuid: str) -> Program[int]:
    """Enter a submission and return its key; its status is written by `finish_submission` in the same transaction."""
    row = {
        "status_uuid": status_uuid,
        "api_root": received.collection.api_root,
        "collection_id": received.collection.collection_id,
        "token_id": received.principal.token_id,
        "received_us": received.at_us,
        "status": b"",
    }
    rows = yield _BEGIN, row
    return int(rows[0][0])


def finish_submission(submission_id: int, status: bytes) -> Program[None]:
    """Keep what became of a submission."""
    yield _FINISH, {"submission": submission_id, "told": status}


def get_status(principal: Principal, api_root: str, status_uuid: str) -> Program[bytes]:
    """Get the status of a POST, for the token that made it and nobody else.

    Raises:
        Refusal: NOT_FOUND.
    """
    rows = yield _STATUS, {"status": status_uuid, "api_root": api_root, "token": principal.token_id}
    if not rows:
        raise Refusal(Code.NOT_FOUND, "there is no such status")
    return bytes(rows[0][0])


def expire_statuses(before_us: int, most: int) -> Program[int]:
    """Forget statuses of what was received before a time, and what was begun before it and never ended.

    Args:
        before_us: those older than this go.
        most: how many in one transaction.

    Returns:
        How many went.
    """
    rows = yield _EXPIRED, {"before": before_us, "most": most}
    for (submission_id,) in rows:
        yield _UNSPOOL, {"submission": submission_id}
        yield _EXPIRE, {"submission": submission_id}
    return len(rows)


async def add_audit(tx: Tx, principal: Principal | None, at_us: int, action: str, subject: str) -> None:
    """Write down who did what, in the transaction of the deed itself: neither is kept without the other."""
    await tx.run(note_deed(principal, at_us, action, subject))


def note_deed(principal: Principal | None, at_us: int, action: str, subject: str) -> Program[None]:
    """Write down who did what; never what it said.

    Args:
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
    yield _DEED, row
