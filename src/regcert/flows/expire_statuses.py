"""Forget the statuses of old posts: what they told was told long ago."""

from regcert.clock import DAY_US, Clock
from regcert.store.database import Database
from regcert.store.submissions import expire_statuses as expire

KEPT_DAYS = 30
_A_TIME = 500


async def expire_statuses(database: Database, clock: Clock) -> int:
    """Forget statuses that are older than 30 days, and bodies that never came to their end.

    Args:
        database: where they are.
        clock: what time it is.

    Returns:
        How many went; others may post in between.
    """
    before_us, gone = clock.now_us() - KEPT_DAYS * DAY_US, 0
    while some := await database.apply(lambda _: expire(before_us, _A_TIME)):
        gone += some
    return gone
