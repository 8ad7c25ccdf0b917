"""Forget checkpoints that nobody needs any more."""

from regcert.clock import SECOND_US, Clock
from regcert.store.checkpoints import forget_checkpoints as forget
from regcert.store.database import Database

# A witness has so long to cosign one; what it cosigned stays for ever, because it tells since when the entries were there.
KEEP_US = 3600 * SECOND_US
MOST_AT_ONCE = 1000


async def forget_checkpoints(database: Database, clock: Clock, behind: int) -> int:
    """Forget checkpoints that no witness cosigned within an hour; never the newest.

    Args:
        database: where.
        clock: what time it is.
        behind: the size up to which this was done before; 0 at first.

    Returns:
        The size up to which it is done now.
    """
    before_us = clock.now_us() - KEEP_US
    return await database.apply(lambda _: forget(behind, before_us, MOST_AT_ONCE))
