"""The lock store: the last checkpoint that was signed, in a file outside the database.

A database that is restored from an old backup has forgotten what was signed since, and would sign something else for the same
size: two histories under one key. This file is not in that backup. It is written before a checkpoint is shown to anybody, and
whoever is behind it signs nothing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regcert.durable import writing_whole
from regcert.errors import Code, Refusal

# A note of three lines and one signature has some three hundred.
MOST_BYTES = 8192


class LogLock:
    """The file that holds the last signed checkpoint.

    Args:
        path: of the file; its folder must be there. Beside it stands an empty file `…-turn`, by which processes take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """Read the last signed checkpoint; None where nothing was ever signed.

        Raises:
            OSError: where the file cannot be read.
            Refusal: LOG_FORK where it is too large to be what we wrote.
        """
        try:
            with self.path.open("rb") as file:
                note = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(note) > MOST_BYTES:
            raise Refusal(Code.LOG_FORK, "the log's lock file is not what this host wrote; see docs/operating-trust.md")
        return note

    def swap(self, before: bytes | None, after: bytes) -> None:
        """Replace the last signed checkpoint by the next; it is on disk when this returns.

        Args:
            before: what must stand there now.
            after: what shall stand there.

        Raises:
            OSError: where the file cannot be written; it may stand there nevertheless.
            Refusal: LOG_FORK where something else stands there.
        """
        with self._turn():
            if self.read() != before:
                raise Refusal(Code.LOG_FORK, "the log's lock file was changed by somebody else; this process signs nothing")
            # Under its name stands the old or the new, never half of one: a crash at any step leaves something to go on from.
            with writing_whole(self.path) as file:
                file.write(after)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        turn = os.open(f"{self.path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)
