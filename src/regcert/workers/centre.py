"""The loop that publishes as the centre what crosses borders."""

import asyncio
import logging

from regcert.clock import Clock
from regcert.errors import Refusal
from regcert.flows.publish_incidents import Words, publish_incidents
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database

# Correlation takes about a second behind a post; what it found is looked for soon after, and where it found nothing, that is one
# look at an index.
LOOK_EVERY_S = 2.0
AFTER_FAULT_S = 5.0

_LOG = logging.getLogger("regcert.centre")


class Centre:
    """Call `publish_incidents` every now and then.

    Args:
        database: where.
        schemas: of every STIX type.
        clock: what time it is.
        words: what the host and its region are called.
    """

    def __init__(self, database: Database, schemas: SchemaSet, clock: Clock, words: Words) -> None:
        self._database = database
        self._schemas = schemas
        self._clock = clock
        self._words = words

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                while await publish_incidents(self._database, self._schemas, self._clock, self._words):
                    pass
            except Refusal as refusal:
                _LOG.warning("publishing incidents waits: %s", refusal.code)
                await asyncio.sleep(AFTER_FAULT_S)
            except Exception:  # noqa: BLE001 - a loop that ends is worse than one that fails
                _LOG.exception("incidents could not be published; trying again")
                await asyncio.sleep(AFTER_FAULT_S)
