"""The host's order: one number that only grows, and the lock around it (law 2)."""

from sqlalchemy import bindparam, select, update

from regcert.store.programs import Program, Statement
from regcert.store.tables import HostOrder, table

# JavaScript clients cut times to milliseconds and ask for that millisecond again: 500 objects fit, fewer than a page.
POSITION_STEP_US = 2

_ORDER = table(HostOrder)
_LOCK = Statement(lambda _: select(_ORDER.c.position).where(_ORDER.c.order_id == 1).with_for_update())
_MOVE = Statement(lambda _: update(_ORDER).where(_ORDER.c.order_id == 1).values(position=bindparam("last")))


def lock_order() -> Program[int]:
    """Take the host's order lock until the commit, and return the last position given away.

    What a writer looks up behind this point cannot be changed by another before it commits.
    """
    rows = yield _LOCK, {}
    return int(rows[0][0])


def take_positions(count: int, now_us: int) -> Program[range]:
    """Take the next places in the host's order for rows that are written now.

    The order lock is held from here to the commit: whoever comes later gets larger numbers and becomes visible later.

    Args:
        count: how many, at least 1.
        now_us: what time it is.

    Returns:
        Positions, which are microseconds since the epoch: unique on this host and rising, also when the clock steps back.
    """
    last = yield from lock_order()
    first = max(last + POSITION_STEP_US, now_us)
    positions = range(first, first + count * POSITION_STEP_US, POSITION_STEP_US)
    yield _MOVE, {"last": positions[-1]}
    return positions
