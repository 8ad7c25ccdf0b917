"""Taking turns: which of several processes writes to an SQLite file next, and whether anybody has written since.

SQLite has one writer, and whoever comes second sleeps and tries again; beside a process that writes without a pause, it would
try in vain for seconds. A lock on a file of its own is waited for in the kernel, which wakes the next at once.

In the same file stands a number that moves with every turn. All processes see it in their memory, so it costs nothing to know
that nobody has written since one looked.
"""

import asyncio
import fcntl
import mmap
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

# Long enough for whoever waits to wake and take the turn, short against any commit.
_STEP_ASIDE_S = 0.0005
_NUMBER_BYTES = 8


class Turns:
    """The turns of one process.

    Args:
        path: of the file; None where the database orders its writers itself, and its clients may be on other machines.
    """

    def __init__(self, path: Path | None) -> None:
        self._file: int | None = None
        if path is None:
            return
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.posix_fallocate(self._file, 0, _NUMBER_BYTES)
        self._map = mmap.mmap(self._file, _NUMBER_BYTES)
        self._number = memoryview(self._map).cast("Q")
        # Who was here before may have ended between its commit and its number: what others remember is not trusted any more.
        self._number[0] += 1

    def number(self) -> int | None:
        """Return the number of the last turn that ended; None where there are no turns."""
        return None if self._file is None else self._number[0]

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Take a turn until the block ends.

        The number moves within the turn and before anybody is answered: who was told of a commit finds it moved.
        """
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
            self._number[0] += 1
            fcntl.flock(self._file, fcntl.LOCK_UN)

    async def step_aside(self) -> None:
        """Let whoever waits for the next turn have it."""
        if self._file is not None:
            await asyncio.sleep(_STEP_ASIDE_S)

    def close(self) -> None:
        """Give up the turns, also one that is being waited for."""
        if self._file is not None:
            self._number.release()
            self._map.close()
            os.close(self._file)
            self._file = None
