"""A loop ends when it is told to, also at the very moment at which it is woken: else a host that stops would hang."""

import asyncio
from typing import Any

import pytest

from regcert.assembly.parts import load_host_key, load_schemas
from regcert.correlation.guards import Guards
from regcert.flows.open_log import lock_path, open_log
from regcert.settings import Settings
from regcert.workers.correlator import Correlator
from regcert.workers.keeper import Keeper
from regcert.workers.log import LogSigner
from tests.hosting import RunningHost


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["correlator", "keeper", "log"])
async def test_loop_ends_when_it_is_cancelled_as_it_is_woken(host: RunningHost, settings: Settings, name: str) -> None:
    """Woken and cancelled in one turn of the event loop: the cancellation is not forgotten."""
    database, clock = host.inside.database, host.clock
    log = await open_log(database, clock, load_host_key(settings), lock_path(settings.data_dir, settings.log_lock))
    loops: dict[str, Any] = {
        "correlator": lambda: Correlator(database, Guards([])),
        "keeper": lambda: Keeper(database, load_schemas(), clock),
        "log": lambda: LogSigner(database, clock, log),
    }
    loop = loops[name]()
    working = asyncio.create_task(loop.run())
    async with asyncio.timeout(20):
        while not loop._woken._waiters:  # noqa: ASYNC110 - it tells nobody; it has looked around, and waits to be woken
            await asyncio.sleep(0.01)
    loop.wake()
    await asyncio.sleep(0)
    working.cancel()
    ended, _ = await asyncio.wait([working], timeout=5)
    assert ended
    assert working.cancelled()
