"""Submissions, and their TAXII status."""

from typing import Any

from sqlalchemy import BigInteger, Column, Insert, Integer, Table, bindparam, func, insert, literal_column, select, update

from regcert.domain.principal import Principal
from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.store.programs import Program, Statement
from regcert.store.spool import give_up
from regcert.store.tables import SubmissionRow, table
from regcert.store.trust_tables import PublicationRow

_SUBMISSIONS = table(SubmissionRow)


def _naming(rows: Table, key: Column[Any]) -> Insert:
    """Begin an INSERT that names every column but the key, which the database gives."""
    return insert(rows).values({column.name: bindparam(column.name) for column in rows.columns if column is not key})


def _begin(dialect: str) -> Any:
    naming = _naming(_SUBMISSIONS, _SUBMISSIONS.c.submission_id).returning(_SUBMISSIONS.c.submission_id)
    if dialect != "sqlite":
        return naming
    # SQLite gives the key of the last row away again when that row has expired, and publications know by it what came with them.
    used = [func.coalesce(select(func.max(one)).scalar_subquery(), literal_column("0")) for one in _KEYS]
    return naming.values(submission_id=func.max(*used) + literal_column("1"))


_KEYS = (_SUBMISSIONS.c.submission_id, table(PublicationRow).c.submission_id)
_BEGIN = Statement(_begin)
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
        yield from give_up(submission_id)
    return len(rows)
