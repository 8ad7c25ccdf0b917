"""The loop that signs the transparency log, in the process that takes publications.

What was admitted is acknowledged before it is signed; a moment later it is. Where the lock fails, or the database is not what was
signed, signing stops and nothing else does: what comes meanwhile is entered and signed late. A host that stopped taking
publications then would keep from its region what it can still say, and would undo nothing.
"""

import asyncio
import logging
import time
from contextlib import suppress

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.flows.forget_checkpoints import forget_checkpoints
from regcert.flows.sign_log import HostLog, sign_log
from regcert.store.database import Database
from regcert.store.log import count_leaves

# Another process on the same database may have entered something: look without being woken, too.
LOOK_EVERY_S = 0.5
# What comes within so long is signed together: each round waits for the disk four times.
EVERY_S = 0.25
FORGET_EVERY_S = 10.0
AFTER_FAULT_S = 0.5
LONGEST_AFTER_FAULT_S = 30.0

_LOG = logging.getLogger("regcert.log")


class LogSigner:
    """Call `sign_log` whenever something was entered.

    Args:
        database: where.
        clock: what time it is.
        log: what signs.
    """

    def __init__(self, database: Database, clock: Clock, log: HostLog) -> None:
        self._database = database
        self._clock = clock
        self._log = log
        self._woken = asyncio.Event()
        self._size = -1
        self._fault_s = AFTER_FAULT_S
        self._forget_at_s = time.monotonic() + FORGET_EVERY_S
        self._forgotten = 0

    def wake(self) -> None:
        """Say that something was committed."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self._catch_up()
                self._fault_s = AFTER_FAULT_S
            except Exception as error:  # noqa: BLE001 - a loop that ends is worse than one that fails
                await self._rest(error)
                continue
            # Not wait_for: in Python 3.11 it forgets that it was cancelled where it is woken at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()

    async def _catch_up(self) -> None:
        while await self._database.run(count_leaves()) != self._size:
            self._size = await sign_log(self._database, self._clock, self._log)
            await asyncio.sleep(EVERY_S)
        if time.monotonic() >= self._forget_at_s:
            self._forgotten = await forget_checkpoints(self._database, self._clock, self._forgotten)
            self._forget_at_s = time.monotonic() + FORGET_EVERY_S

    async def _rest(self, error: Exception) -> None:
        """Tell what failed, without a word of content, and wait before trying again: twice as long each time."""
        if isinstance(error, Refusal):
            level = logging.WARNING if error.code is Code.BUSY else logging.ERROR
            _LOG.log(level, "the log is not signed: %s", error.message)
        elif isinstance(error, OSError):
            _LOG.error("the log is not signed: its lock file failed: %s", error.strerror or type(error).__name__)
        else:
            _LOG.error("the log is not signed; trying again", exc_info=error)
        self._size = -1
        await asyncio.sleep(self._fault_s)
        self._fault_s = min(self._fault_s * 2, LONGEST_AFTER_FAULT_S)
