"""A host's transparency log in tests: open it, enter something, sign it."""

from typing import Any

from regcert.clock import Clock
from regcert.flows.open_log import lock_path, open_log
from regcert.flows.sign_log import HostLog, sign_log
from regcert.settings import Settings
from regcert.signing.host_key import read_host_key
from regcert.store.database import Database
from regcert.store.log import append_leaf, count_leaves


async def opened(settings: Settings, database: Database, clock: Clock) -> HostLog:
    key = read_host_key((settings.data_dir / "host.key").read_bytes())
    return await open_log(database, clock, key, lock_path(settings.data_dir, settings.log_lock))


async def enter(database: Database, count: int, what: str = "entry") -> None:
    """Enter some leaves, each its own."""

    async def work(tx: Any) -> None:
        for _ in range(count):
            number = await tx.run(count_leaves())
            assert await tx.run(append_leaf(f"{what} {number}".encode())) == number

    await database.write(work)


async def catch_up(database: Database, clock: Clock, log: HostLog) -> int:
    """Sign until nothing is left to sign."""
    while (size := await sign_log(database, clock, log)) != await database.run(count_leaves()):
        pass
    return size
