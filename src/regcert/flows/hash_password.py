"""Hash passwords beside the event loop: two at a time, some waiting, nobody beyond that."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from regcert.errors import Code, Refusal
from regcert.identity.passwords import NOBODY, hash_password, is_password

AT_ONCE = 2
MOST_WAITING = 32

T = TypeVar("T")


class Hashing:
    """Room for hashing: each takes 19 MiB and a core for some time, so that strangers must not have any number of them."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self._inside = 0

    async def is_password(self, kept: str, password: str) -> bool:
        """Tell whether a password is right; compared with nobody's where nothing is kept, which takes as long.

        Raises:
            Refusal: BUSY.
        """
        return await self._in_thread(lambda: is_password(kept or NOBODY, password)) and bool(kept)

    async def hash_password(self, password: str) -> str:
        """Return what is kept of a password.

        Raises:
            Refusal: BUSY.
        """
        return await self._in_thread(lambda: hash_password(password))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._inside >= AT_ONCE + MOST_WAITING:
            raise Refusal(Code.BUSY, "too many sign in at this moment; try again in a few seconds")
        self._inside += 1
        try:
            async with self._room:
                return await asyncio.to_thread(work)
        finally:
            self._inside -= 1
