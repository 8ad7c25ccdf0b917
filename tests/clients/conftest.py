"""A host that stands for a whole module; each dialogue has a collection of its own in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from regcert.flows.initialise import initialise, read_region_file
from regcert.settings import Settings
from regcert.share import share_dir
from tests.hosting import RunningHost, StillClock, run_host


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """A host on SQLite with the settings that it ships with, shared by the tests of a module."""
    folder, clock = tmp_path_factory.mktemp("clients"), StillClock()
    settings = Settings(data_dir=folder / "host", database_url=f"sqlite:///{folder}/regcert.db")
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    await initialise(settings.data_dir, settings.database_url, clock, region)
    async with run_host(settings, clock) as running:
        yield running
