"""The store is tested through the flows that write it, on both databases."""

import pytest

from regcert.stix.schema import SchemaSet
from regcert.store.database import Database
from tests.hosting import StillClock
from tests.store.acting import Acting


@pytest.fixture
def acting(database: Database, schemas: SchemaSet, clock: StillClock) -> Acting:
    """Everybody who can do something to a founded host."""
    return Acting(database, schemas, clock)
