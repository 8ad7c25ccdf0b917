"""A host that stands for a whole module, once on each database: their verdicts must be the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from regcert.flows.initialise import initialise, read_region_file
from regcert.settings import Settings
from regcert.share import share_dir
from tests.hosting import RunningHost, StillClock, run_host
from tests.postgres import fresh_database


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """A host with the settings that it ships with."""
    folder = tmp_path_factory.mktemp("both")
    if request.param == "sqlite":
        async with _run(folder / "host", f"sqlite:///{folder}/regcert.db") as running:
            yield running
        return
    async with fresh_database(request.getfixturevalue("postgres")) as url, _run(folder / "host", url) as running:
        yield running


@asynccontextmanager
async def _run(data_dir: Path, database_url: str) -> AsyncIterator[RunningHost]:
    settings, clock = Settings(data_dir=data_dir, database_url=database_url), StillClock()
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    await initialise(settings.data_dir, settings.database_url, clock, region)
    async with run_host(settings, clock) as running:
        yield running
