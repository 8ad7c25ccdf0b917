"""The process that takes publications is killed while two writers of one team sign: nothing is lost, doubled or skipped."""

import asyncio
from pathlib import Path

import pytest

from regcert.client import AsyncClient, Options, Published, Timing
from regcert.clock import SystemClock
from regcert.domain.principal import Role
from regcert.domain.publication import MANIFEST_TYPE
from regcert.flows.create_token import TokenOrder, create_token
from regcert.settings import Settings
from regcert.signing.publication import read_manifest
from regcert.store.database import open_database
from tests.clients.served import serve
from tests.made import indicator
from tests.signers import enrol

SHARED = "regional-indicators"
EACH, KILLS = 4, 1
# What the host asks to be waited for is half of a test's patience.
HASTY = Options(timing=Timing(sleep=lambda delay_s: asyncio.sleep(delay_s / 5)))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: that both engines keep or lose a transaction whole is shown elsewhere."""
    return f"sqlite:///{tmp_path}/regcert.db"


async def test_numbers_have_no_gap_when_the_intake_is_killed(settings: Settings, tmp_path: Path) -> None:
    """Whoever gets no answer sends the same again: it is stored once, under the number that it was signed for."""
    clock = SystemClock()
    async with open_database(settings.database_url, clock) as database:
        signer = await enrol(database, clock)
        token = await create_token(database, clock, "alcirt", TokenOrder(Role.ANALYST, "test"))
    written = asyncio.Event()
    with serve(settings, tmp_path, tmp_path / "log") as served:

        async def write() -> list[str]:
            mine = [[indicator() for _ in range(50)] for _ in range(EACH)]
            async with AsyncClient(served.url, token, options=HASTY) as client:
                for objects in mine:
                    assert await client.publish_signed(SHARED, objects, signer.key) == Published(accepted=50)
                    written.set()
            return [one["id"] for objects in mine for one in objects]

        async def kill() -> None:
            for _ in range(KILLS):
                written.clear()
                await written.wait()
                served.kill_intake()

        first, second, _ = await asyncio.gather(write(), write(), kill())
        async with AsyncClient(served.url, token) as client:
            found = [one async for one in client.objects(SHARED)]
    publications = [read_manifest(one.value)[1] for one in found if one.type == MANIFEST_TYPE]
    assert [one.seq for one in publications] == list(range(1, 2 * EACH + 1))
    assert [one.prev for one in publications] == [None, *(one.digest for one in publications[:-1])]
    assert sorted(one.stix_id for one in found if one.type != MANIFEST_TYPE) == sorted(first + second)
