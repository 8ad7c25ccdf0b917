"""Look through the audit trail: whether every row is what it was when it was written, and none is missing."""

from dataclasses import dataclass

from regcert.errors import Code, Refusal
from regcert.store.audit import FIRST_LINK, Entry, link_of, list_rows
from regcert.store.database import Database
from regcert.store.log import count_leaves, list_leaves
from regcert.translog.leaf import AuditLeaf, read_leaf

A_TIME = 1000
_AUDIT = b'"t":"audit"'


@dataclass(slots=True)
class Checked:
    """What was found whole.

    Args:
        rows: how many rows there are.
        linked: how many of them are in the chain; older ones cannot be proven.
        heads: how many ends of the trail the log holds.
        last: the last row, or 0.
    """

    rows: int = 0
    linked: int = 0
    heads: int = 0
    last: int = 0


async def verify_audit(database: Database) -> Checked:
    """Verify the audit trail, from its first row to its last.

    1. Read what the log says of the trail: its end, as it was at each of some times.
    2. Read the trail, row by row: each link must follow from the one before it and the row. The first link follows from nothing,
       and behind it none may be missing.
    3. Each end that the log knows must be there, with the link that it had: so a trail whose end was cut off is found, and one
       that was written anew.

    Whether the log itself is the one that the witnesses know is for `regcert verify` and the log's own start.

    Args:
        database: whose; nothing is written.

    Raises:
        Refusal: AUDIT_BROKEN, naming the first row that is wrong.
    """
    heads = await _read_heads(database)  # 1
    checked, link = Checked(heads=len(heads)), None
    while rows := await database.run(list_rows(checked.last, A_TIME)):
        for row in rows:
            link = _follow(row, link)  # 2
            if heads.pop(row.audit_id, link) != link:  # 3
                raise _broken(row.audit_id, "is not the one that the log was told of")
            checked.rows, checked.last = checked.rows + 1, row.audit_id
            checked.linked += link is not None
    if heads:
        raise _broken(min(heads), "stands in the log and is gone from the trail")
    return checked


def _follow(row: Entry, link: bytes | None) -> bytes | None:
    """Return the link of a row that follows from the one before; None as long as no chain has begun."""
    if row.chain is None:
        if link is not None:
            raise _broken(row.audit_id, "has no link, and the one before it has")
        return None
    try:
        expected = link_of(link or FIRST_LINK, row.columns)
    except Refusal as refusal:  # text that nobody could have written
        raise _broken(row.audit_id, "was changed") from refusal
    if row.chain != expected:
        raise _broken(row.audit_id, "does not follow from the one before it: one of the two was changed, or one between is gone")
    return row.chain


async def _read_heads(database: Database) -> dict[int, bytes]:
    heads: dict[int, bytes] = {}
    first, total = 0, await database.run(count_leaves())
    while first < total:
        entries = await database.run(list_leaves(first, A_TIME))
        if not entries:
            raise Refusal(
                Code.AUDIT_BROKEN, f"the log has lost its entry {first}, so it says nothing of the audit trail behind it"
            )
        for entry in entries:
            leaf = read_leaf(entry) if _AUDIT in entry else None
            if isinstance(leaf, AuditLeaf) and heads.setdefault(leaf.audit_id, leaf.chain) != leaf.chain:
                raise _broken(leaf.audit_id, "stands in the log twice, with two links")
        first += len(entries)
    return heads


def _broken(audit_id: int, what: str) -> Refusal:
    return Refusal(Code.AUDIT_BROKEN, f"row {audit_id} of the audit trail {what}")
