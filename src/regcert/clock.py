"""Time, as an argument: microseconds since 1970-01-01T00:00:00Z, always UTC.

Rooms that need the time are handed a `Clock`; tests hand them one that stands still, jumps or steps back.
"""

import time
from typing import Protocol

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 86_400 * SECOND_US


class Clock(Protocol):
    """Tell the time; may step back, so nobody derives an order from it."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's own wall clock."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC."""
        return time.time_ns() // 1000
