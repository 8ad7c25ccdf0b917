"""The loop that does what nobody waits for: it looks at large bodies that were kept, and forgets old statuses."""

import asyncio
import logging
import time
from contextlib import suppress

from regcert.clock import Clock
from regcert.errors import Refusal
from regcert.flows.expire_statuses import expire_statuses
from regcert.flows.unspool import unspool
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database

LOOK_EVERY_S = 2.0
EXPIRE_EVERY_S = 3600.0
AFTER_FAULT_S = 5.0

_LOG = logging.getLogger("regcert.keeper")


class Keeper:
    """Call `unspool` whenever there may be something kept, and `expire_statuses` every hour.

    Args:
        database: where.
        schemas: of every STIX type.
        clock: what time it is.
    """

    def __init__(self, database: Database, schemas: SchemaSet, clock: Clock) -> None:
        self._database = database
        self._schemas = schemas
        self._clock = clock
        self._woken = asyncio.Event()
        self._expires_at_s = 0.0

    def wake(self) -> None:
        """Say that something was kept."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._work()
            except Refusal as refusal:
                _LOG.warning("large bodies wait: %s", refusal.code)
                await asyncio.sleep(AFTER_FAULT_S)
            except Exception:  # noqa: BLE001 - a loop that ends is worse than one that fails
                _LOG.exception("a large body could not be looked at; trying again")
                await asyncio.sleep(AFTER_FAULT_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_EVERY_S)
            self._woken.clear()

    async def _work(self) -> None:
        # Each piece is a request of its own to the writer, so those who post come in between.
        while await unspool(self._database, self._schemas):
            pass
        if time.monotonic() >= self._expires_at_s:
            await expire_statuses(self._database, self._clock)
            self._expires_at_s = time.monotonic() + EXPIRE_EVERY_S
