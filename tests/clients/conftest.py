"""A host that stands for a whole module; each dialogue has a collection of its own in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.founding import Templates
from tests.hosting import RunningHost, StillClock, run_host


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """A host on SQLite with the settings that it ships with, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("clients")
    settings = templates.copy(folder / "host", f"sqlite:///{folder}/regcert.db")
    async with run_host(settings, StillClock()) as running:
        yield running
