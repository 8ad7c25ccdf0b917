"""A host that stands for a whole module: most rules of the wire need no fresh database, only one that did not change."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.founding import Templates
from tests.hosting import RunningHost, StillClock, run_host

MOST_BYTES = 65_536


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """A host on SQLite, shared by the tests of a module; its largest body is the smallest that may be set."""
    folder = tmp_path_factory.mktemp("standing")
    settings = templates.copy(folder / "host", f"sqlite:///{folder}/regcert.db")
    async with run_host(settings.model_copy(update={"max_content_bytes": MOST_BYTES}), StillClock()) as running:
        yield running
