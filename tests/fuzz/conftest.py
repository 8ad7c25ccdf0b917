"""A host that stands for a whole module, once on each database: their verdicts must be the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.founding import Templates
from tests.hosting import RunningHost, StillClock, run_host
from tests.postgres import fresh_database


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def both(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningHost]:
    """A host with the settings that it ships with."""
    folder = tmp_path_factory.mktemp("both")
    if request.param == "sqlite":
        async with _run(templates, folder / "host", f"sqlite:///{folder}/regcert.db") as running:
            yield running
        return
    server = request.getfixturevalue("postgres")
    async with (
        fresh_database(server, templates.found_on_postgresql(server)) as url,
        _run(templates, folder / "host", url) as running,
    ):
        yield running


@asynccontextmanager
async def _run(templates: Templates, data_dir: Path, database_url: str) -> AsyncIterator[RunningHost]:
    async with run_host(templates.copy(data_dir, database_url), StillClock()) as running:
        yield running
