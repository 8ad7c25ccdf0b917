"""When tokens were last used: noted in memory as requests come, written down behind their back."""

import asyncio
import logging

from regcert.clock import SECOND_US, Clock
from regcert.errors import Refusal
from regcert.store.database import Database
from regcert.store.tokens import note_uses

NOT_BEFORE_US = 60 * SECOND_US
FLUSH_EVERY_S = 5.0
MOST_TOKENS = 20_000
_MOST_AT_ONCE = 500

_LOG = logging.getLogger("regcert.uses")


class Uses:
    """Remembers that tokens were used, and writes it down at most once a minute for each.

    Nobody waits for it: `note` only counts, and `run` writes what has gathered in one transaction every few seconds. What was
    not written when a host is killed is lost, and is known again at the next request.

    Args:
        database: where.
        clock: what time it is.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[int, int] = {}
        self._waiting: dict[int, int] = {}

    def note(self, token_id: int) -> None:
        """Note that a token was used now."""
        now_us = self._clock.now_us()
        if abs(now_us - self._noted.get(token_id, -NOT_BEFORE_US)) < NOT_BEFORE_US:
            return
        if len(self._noted) >= MOST_TOKENS and token_id not in self._noted:
            self._noted.clear()  # the worst of it: some are written more often than once a minute
            self._waiting.clear()
        self._noted[token_id] = self._waiting[token_id] = now_us

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            try:
                await self.flush()
            except Refusal as refusal:
                _LOG.warning("last uses wait: %s", refusal.code)
            except Exception:  # noqa: BLE001 - a loop that ends is worse than one that fails
                _LOG.exception("last uses could not be written; trying again")

    async def flush(self) -> None:
        """Write down what has gathered; what cannot be written waits for the next time."""
        while self._waiting:
            some = dict(list(self._waiting.items())[:_MOST_AT_ONCE])
            await self._database.apply(lambda _, some=some: note_uses(some))  # type: ignore[misc]
            for token_id, used_us in some.items():
                if self._waiting.get(token_id) == used_us:
                    del self._waiting[token_id]
