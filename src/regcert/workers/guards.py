"""The loop that looks after guard lists and protected assets: what they change is judged anew."""

import asyncio
import logging
import time

from regcert.correlation.guards import Guards
from regcert.errors import Refusal
from regcert.flows.judge_anew import judge_anew
from regcert.flows.load_guards import GuardFiles
from regcert.store.database import Database
from regcert.store.protected import find_last_change
from regcert.workers.correlator import Correlator

LOOK_EVERY_S = 2.0
LOOK_AT_FILES_EVERY_S = 15.0
AFTER_FAULT_S = 5.0

_LOG = logging.getLogger("regcert.guards")


class GuardWatch:
    """Look every now and then whether guard lists or protected assets have changed.

    Args:
        database: where.
        files: that guard lists are read from; read once already.
        correlator: judges by them.
    """

    def __init__(self, database: Database, files: GuardFiles, correlator: Correlator) -> None:
        self._database = database
        self._files = files
        self._correlator = correlator
        self._guards: Guards | None = None
        self._digest = ""
        self._judged = ""
        self._looks_at_s = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.look()
            except Refusal as refusal:
                _LOG.warning("guard lists wait: %s", refusal.code)
                await asyncio.sleep(AFTER_FAULT_S)
            except Exception:  # noqa: BLE001 - a loop that ends is worse than one that fails
                _LOG.exception("guard lists could not be looked after; trying again")
                await asyncio.sleep(AFTER_FAULT_S)
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self, *, at_files: bool = False) -> None:
        """Take into account what has changed since the last look.

        Args:
            at_files: look at the files now, and not only every now and then.
        """
        if at_files or time.monotonic() >= self._looks_at_s:
            # Lists of a million entries take seconds to read: others answer meanwhile.
            if await asyncio.to_thread(self._files.refresh) or self._guards is None:
                guards, self._digest = await asyncio.to_thread(lambda: (Guards(self._files.lists), self._files.digest))
                self._correlator.use(guards)
                self._guards = guards
            self._looks_at_s = time.monotonic() + LOOK_AT_FILES_EVERY_S
        if self._guards is None:
            return
        state = f"{self._digest}.{await self._database.run(find_last_change())}"
        if state == self._judged:
            return
        if await judge_anew(self._database, self._guards, state):
            self._correlator.wake()
        self._judged = state
