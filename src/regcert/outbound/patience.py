"""Patience with a server that is busy or away: how often it is asked again, and how long is waited before.

Spec: RFC 9110 §10.2.3 (Retry-After)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from regcert.clock import SECOND_US

BUSY = frozenset({429, 503})
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and how long, a request is tried again.

    Args:
        attempts: of one request, the first included; at least 1.
        total_s: that may pass over all of them, seconds.
        first_delay_s: the most that is waited before the second attempt; doubled before each further one, seconds.
        most_delay_s: to which that grows, seconds.
        most_retry_after_s: the most of a server's Retry-After that is believed, seconds.
    """

    attempts: int = 5
    total_s: float = 900.0
    first_delay_s: float = 0.25
    most_delay_s: float = 30.0
    most_retry_after_s: float = 300.0

    def find_delay_s(
        self, failed: int, spent_s: float, retry_after: str | None, now_us: int, chance: Callable[[], float]
    ) -> float | None:
        """Say how long to wait before the next attempt, or None where there is none.

        Args:
            failed: attempts so far.
            spent_s: since the first began, seconds.
            retry_after: what the server says, if it says anything.
            now_us: the wall clock, for a date in it.
            chance: a number from 0 up to 1.
        """
        if failed >= self.attempts:
            return None
        asked_s = None if retry_after is None else find_retry_after_s(retry_after, now_us)
        if asked_s is not None:
            delay_s = min(asked_s, self.most_retry_after_s)
        else:
            # Full jitter: clients that a server sent away together must not come back together.
            delay_s = chance() * min(self.first_delay_s * 2.0 ** min(failed - 1, 60), self.most_delay_s)
        return delay_s if spent_s + delay_s <= self.total_s else None


def find_retry_after_s(text: str, now_us: int) -> float | None:
    """Read a Retry-After header, seconds or a date, as seconds from now; None where it is neither."""
    said = text.strip()
    if said.isascii() and said.isdigit():
        return float(said) if len(said) <= _MOST_DIGITS else float("inf")
    try:
        moment = parsedate_to_datetime(said)
        at_s = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return max(0.0, at_s - now_us / SECOND_US)
