"""The loop that keeps incidents up to date with the ledger."""

import asyncio
import logging
from contextlib import suppress

from regcert.correlation.guards import Guards
from regcert.errors import Refusal
from regcert.flows.correlate import Pace, correlate
from regcert.store.database import Database

# Another process on the same database may have written: look without being woken, too.
LOOK_EVERY_S = 1.0
# Several posts in a row are read in one go: a stretch costs nearly the same for one post as for five, and posts wait for it.
GATHER_S = 0.25
# While they keep coming, stretches become longer rather than more frequent: time to gather is so many times what the last round
# took, so that correlation has a sixth of the writer. But a team is told within a second of the report that it is told of: that
# came as the last round began, waits for the next, and then for its end. So the longest gathering leaves two rounds of 0.2 s.
GATHER_TIMES = 5
LONGEST_GATHER_S = 0.6
# SQLite's writers do not stand in a queue: whoever came a moment ago has the database again before those who wait look up. So
# behind each stretch the others have as long as it took, up to this.
LONGEST_REST_S = 0.1
AFTER_FAULT_S = 1.0

_LOG = logging.getLogger("regcert.correlator")


class Correlator:
    """Call `correlate` whenever there may be something new.

    Args:
        database: where.
        guards: what is benign.
    """

    def __init__(self, database: Database, guards: Guards) -> None:
        self._database = database
        self._guards = guards
        self._woken = asyncio.Event()
        self._pace = Pace()
        self._took_s = 0.0

    def use(self, guards: Guards) -> None:
        """Judge by these guards from the next stretch on."""
        self._guards = guards

    def wake(self) -> None:
        """Say that something was committed."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            # Not wait_for: in Python 3.11 it forgets that it was cancelled where it is woken at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            await asyncio.sleep(min(max(GATHER_S, self._took_s * GATHER_TIMES), LONGEST_GATHER_S))
            self._woken.clear()
            self._took_s = 0.0
            await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            # Each stretch is a request of its own to the writer, so those who post come in between.
            while await correlate(self._database, self._guards, self._pace):
                self._took_s += self._pace.took_s
                await asyncio.sleep(min(self._pace.took_s, LONGEST_REST_S))
            self._took_s += self._pace.took_s
        except Refusal as refusal:
            _LOG.warning("correlation waits: %s", refusal.code)
            await asyncio.sleep(AFTER_FAULT_S)
        except Exception:  # noqa: BLE001 - a loop that ends is worse than one that fails
            _LOG.exception("correlation failed; trying again")
            await asyncio.sleep(AFTER_FAULT_S)
