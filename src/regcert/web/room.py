"""Room for bodies: how much of what strangers send may be in memory at one time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Bytes that may be taken and are given back; who asks for more than there are waits.

    Args:
        most_bytes: in all. Whoever asks for more than that gets all of it.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._left_bytes = most_bytes
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def take(self, size_bytes: int) -> AsyncIterator[None]:
        """Take so many bytes until the block ends."""
        taken = min(size_bytes, self._most_bytes)
        async with self._freed:
            await self._freed.wait_for(lambda: self._left_bytes >= taken)
            self._left_bytes -= taken
        try:
            yield
        finally:
            async with self._freed:
                self._left_bytes += taken
                self._freed.notify_all()
