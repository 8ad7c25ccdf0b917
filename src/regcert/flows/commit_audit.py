"""Commit the end of the audit trail to the transparency log, where witnesses see it.

Whoever owns the database can write a whole new trail, or cut the end off the old one. From the next commitment on they cannot do
it unseen.
"""

from regcert.store.audit import find_committed, find_head, note_committed
from regcert.store.database import Database
from regcert.store.log import append_leaf
from regcert.store.order import lock_order
from regcert.store.programs import Program
from regcert.translog.leaf import AuditLeaf


async def commit_audit(database: Database) -> bool:
    """Enter the last link of the audit trail into the log, unless it stands there already.

    Returns:
        Whether anything was entered.
    """
    if not await database.run(_has_grown()):
        return False
    return await database.apply(lambda _: _commit())


def _has_grown() -> Program[bool]:
    head = yield from find_head()
    return head is not None and head.audit_id > (yield from find_committed())


def _commit() -> Program[bool]:
    yield from lock_order()
    head = yield from find_head()
    if head is None or head.audit_id <= (yield from find_committed()):
        return False
    yield from append_leaf(AuditLeaf(head.audit_id, head.link).write())
    yield from note_committed(head.audit_id)
    return True
