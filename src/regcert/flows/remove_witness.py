"""Take no more cosignatures of a witness."""

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.store.audit import add_audit
from regcert.store.checkpoints import remove_witness as remove
from regcert.store.database import Database, Tx


async def remove_witness(database: Database, clock: Clock, name: str) -> None:
    """Remove a witness; what it said so far stays, and is handed out as before.

    Args:
        database: where.
        clock: for the audit trail.
        name: of the witness.

    Raises:
        Refusal: NOT_FOUND.
    """
    await database.write(lambda tx: _remove(tx, clock.now_us(), name))


async def _remove(tx: Tx, at_us: int, name: str) -> None:
    if not await tx.run(remove(name)):
        raise Refusal(Code.NOT_FOUND, "there is no witness of that name; 'regcert log witness list' shows them")
    await add_audit(tx, None, at_us, "remove-witness", name)
