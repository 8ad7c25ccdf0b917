"""The world is made once: a host, its history, its keys."""

import asyncio
from pathlib import Path

import pytest

from tests.verification.world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return asyncio.run(make_world(Path(tmp_path_factory.mktemp("world"))))
