"""The loop that does what nobody waits for.

It looks at large bodies that were kept, publishes what was held and is approved now, commits the audit trail to the log, and
forgets old statuses, proposals and alerts.
"""

import asyncio
import logging
import time
from contextlib import suppress

from regcert.clock import Clock
from regcert.errors import Refusal
from regcert.flows.commit_audit import commit_audit
from regcert.flows.expire_statuses import expire_statuses
from regcert.flows.let_go import expire_proposals
from regcert.flows.list_alerts import expire as expire_alerts
from regcert.flows.release import release
from regcert.flows.unspool import unspool
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database

LOOK_EVERY_S = 2.0
EXPIRE_EVERY_S = 3600.0
AFTER_FAULT_S = 5.0
# The end of the audit trail that nobody else has seen is no older than this.
COMMIT_EVERY_S = 600.0
FIRST_COMMIT_S = 30.0

_LOG = logging.getLogger("regcert.keeper")


class Keeper:
    """Call `unspool` and `release` whenever there may be something kept, and the rest every now and then.

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
        self._commits_at_s = time.monotonic() + FIRST_COMMIT_S

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
            # Not wait_for: in Python 3.11 it forgets that it was cancelled where it is woken at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            self._woken.clear()

    async def _work(self) -> None:
        # Each piece is a request of its own to the writer, so those who post come in between.
        while await unspool(self._database, self._schemas):
            pass
        if time.monotonic() >= self._expires_at_s:
            await expire_statuses(self._database, self._clock)
            await expire_proposals(self._database, self._clock)
            await expire_alerts(self._database, self._clock)
            self._expires_at_s = time.monotonic() + EXPIRE_EVERY_S
        if time.monotonic() >= self._commits_at_s:
            await commit_audit(self._database)
            self._commits_at_s = time.monotonic() + COMMIT_EVERY_S
        while await release(self._database, self._schemas, self._clock):
            pass
