"""Taking turns: which of several processes writes to an SQLite file next.

SQLite has one writer, and whoever comes second sleeps and tries again; beside a process that writes without a pause, it would
try in vain for seconds. A lock on a file of its own is waited for in the kernel, which wakes the next at once.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# Long enough for whoever waits to wake and take the turn, short against any commit.
_STEP_ASIDE_S = 0.0005


class Turns:
    """The turns of one process.

    Args:
        path: of the lock's file; None where the database orders its writers itself.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) if path else None

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Take a turn until the block ends, and step aside behind it."""
        if self._file is None:
            yield
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.to_thread(fcntl.flock, self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        await asyncio.sleep(_STEP_ASIDE_S)

    def close(self) -> None:
        """Give up the turns, also one that is being waited for."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
