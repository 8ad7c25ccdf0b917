"""How often somebody has failed to sign in, and for how long they have to wait; bounded, whoever tries.

Counted apart for each name and each address. A name that nobody has is counted like any other, so that waiting tells nothing.
"""

from collections import OrderedDict
from dataclasses import dataclass

from regcert.clock import DAY_US, SECOND_US

MOST_KEPT = 20_000
FREE_BY_NAME = 5
FREE_BY_ADDRESS = 20
_FIRST_WAIT_US = 5 * SECOND_US
_MOST_WAIT_US = 15 * 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class Failures:
    """What somebody has behind them.

    Args:
        count: how often they failed.
        until_us: until when nothing that they try is looked at; where they need not wait, when they failed last.
    """

    count: int = 0
    until_us: int = 0

    def left_us(self, now_us: int) -> int:
        """Return for how long they still have to wait."""
        return max(self.until_us - now_us, 0)

    def and_one(self, now_us: int, free: int) -> "Failures":
        """Return the same with one more, each beyond the free ones doubling the wait; a day later all is forgotten.

        Args:
            now_us: now.
            free: how many cost nothing: people mistype.
        """
        count = 1 if now_us - self.until_us >= DAY_US else self.count + 1
        wait_us = min(_FIRST_WAIT_US << min(count - free - 1, 20), _MOST_WAIT_US) if count > free else 0
        return Failures(count, now_us + wait_us)


class Attempts:
    """Remembers failures, the latest 20,000 names or addresses."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Failures] = OrderedDict()

    def left_us(self, who: str, now_us: int) -> int:
        """Return for how long somebody still has to wait."""
        return self._kept.get(who, Failures()).left_us(now_us)

    def fail(self, who: str, now_us: int, free: int) -> None:
        """Count a failure."""
        self._kept[who] = self._kept.pop(who, Failures()).and_one(now_us, free)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def forgive(self, who: str, now_us: int) -> None:
        """Take one failure back that was counted in advance."""
        kept = self._kept.get(who)
        if kept is not None:
            self._kept[who] = Failures(kept.count - 1, now_us)

    def forget(self, who: str) -> None:
        """Forget somebody who has shown who they are."""
        self._kept.pop(who, None)
