"""Open the transparency log when a host starts: whoever has forgotten what was signed may not sign again."""

import hashlib
from pathlib import Path

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.flows.sign_log import HostLog, take_up
from regcert.signing.host_key import HostKey
from regcert.signing.private_key import PrivateKey, private_key_of
from regcert.store.checkpoints import find_newest
from regcert.store.database import Database, Tx
from regcert.store.log import count_leaves
from regcert.store.log_lock import LogLock
from regcert.store.programs import Program
from regcert.store.teams import add_facts, read_facts
from regcert.translog.tree import EMPTY_ROOT

LOCK_FILE = "log.lock"
_ORIGIN = "log_origin"


async def open_log(database: Database, clock: Clock, host_key: HostKey, lock: Path) -> HostLog:
    """Open the log of a host that was founded, and refuse one that would fork.

    1. The log's name; a host of an older release gets one now.
    2. The lock. A log without entries begins one; one with entries and without a lock is refused.
    3. The database must continue what the lock holds. If that was signed and not published, it is published now.

    Args:
        database: where the log is.
        clock: what time it is.
        host_key: from which the log's key is derived.
        lock: where the lock file is or shall be.

    Raises:
        Refusal: LOG_FORK; INVALID_SETTING where the lock cannot be read or written, or the host key is another one.
    """
    key = private_key_of(host_key.derive("log"))
    log = HostLog(await database.write(lambda tx: _keep_origin(tx, key)), key, LogLock(lock))  # 1
    try:
        if await log.read_lock() is None:
            await _begin(database, log)  # 2
        await take_up(database, clock, log)  # 3
    except OSError as error:
        sentence = f"the log's lock file cannot be read or written: {error.strerror}; correct log_lock or its folder"
        raise Refusal(Code.INVALID_SETTING, sentence) from error
    return log


def lock_path(data_dir: Path, log_lock: Path | None) -> Path:
    """Say where the lock is: where the settings say, or beside the host's key."""
    return log_lock or data_dir / LOCK_FILE


async def _keep_origin(tx: Tx, key: PrivateKey) -> str:
    facts = await read_facts(tx.connection)
    mark = hashlib.sha256(key.public.raw).hexdigest()[:16]
    origin = f"regcert/{facts['api_root']}/{mark}"
    if _ORIGIN not in facts:
        await add_facts(tx, {_ORIGIN: origin})
    elif facts[_ORIGIN] != origin:
        raise Refusal(Code.INVALID_SETTING, "host.key is not the key of this host's log; restore it from your backup")
    return origin


async def _begin(database: Database, log: HostLog) -> None:
    if await database.run(_is_in_use()):
        raise Refusal(
            Code.LOG_FORK,
            f"the log has entries, and its lock file {log.lock.path.name} is missing; "
            "put it back where it was, or go on as docs/operating-trust.md says",
        )
    await log.swap(None, log.sign(0, EMPTY_ROOT))


def _is_in_use() -> Program[bool]:
    newest = yield from find_newest()
    return bool((yield from count_leaves()) or (newest and newest.size))
