"""The attempts of one request, and the waiting between them."""

from regcert.client.options import Timing
from regcert.outbound.patience import Patience


class Trying:
    """The attempts of one request.

    Args:
        patience: how many, how long.
        timing: time and chance.
    """

    def __init__(self, patience: Patience, timing: Timing) -> None:
        self._patience = patience
        self._timing = timing
        self._started = timing.monotonic()
        self._failed = 0

    async def again(self, retry_after: str | None = None) -> bool:
        """Wait until it is time for another attempt.

        Args:
            retry_after: the server's own word, if it said one.

        Returns:
            Whether there is another attempt; if not, nothing was waited for.
        """
        self._failed += 1
        timing, spent_s = self._timing, self._timing.monotonic() - self._started
        delay_s = self._patience.find_delay_s(self._failed, spent_s, retry_after, timing.clock.now_us(), timing.chance)
        if delay_s is None:
            return False
        await timing.sleep(delay_s)
        return True
