"""Files that are replaced as a whole: whatever stops us, the old one or the new one stands there, on disk."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from regcert.errors import Code, Refusal


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file as `writing_whole` does, for whoever tells a person.

    Raises:
        Refusal: INVALID_SETTING where it cannot be written.
    """
    try:
        with writing_whole(path) as file:
            yield file
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be written: {error.strerror}") from error


@contextmanager
def writing_whole(path: Path) -> Iterator[IO[bytes]]:
    """Write a file beside its name and move it there when it is whole; it is readable by its owner alone.

    Behind it, the content is on disk and so is its name: whoever then notes how far he has read may rely on it.

    Raises:
        OSError: where it cannot be written; it may stand there nevertheless.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        unfinished = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
