"""Resume files: how far a reader has come in each of its listings, kept on disk so that nothing is skipped after a crash.

A position moves only when the caller has come back for more, and moving it is atomic and durable. So a crash repeats what was
handed out last, and skips nothing. One file serves any number of listings, and one process at a time.
"""

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from regcert.client.resources import Collection, Filters, Page
from regcert.durable import replacing
from regcert.errors import Code, Refusal
from regcert.outbound.answers import unreadable
from regcert.stix.timestamps import read_timestamp, write_timestamp

_MOST_BYTES = 16 * 1024 * 1024
_FORMAT = "regcert-resume-1"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has come.

    Args:
        last_added: X-TAXII-Date-Added-Last of the last page that was dealt with.
        ended: whether the listing ended with it, as far as it went then.
    """

    last_added: str
    ended: bool

    @property
    def added_after(self) -> str:
        """From where to ask again so that nothing is skipped.

        In the middle of a listing the next object may bear the same time as the last one: many servers give one to a whole POST.
        There the question begins a microsecond earlier, and the last objects come again.

        Raises:
            Refusal: INVALID_TIMESTAMP.
        """
        return self.last_added if self.ended else just_before(self.last_added)


class ResumeFile:
    """A file of positions.

    Args:
        path: of the file; made when the first position is saved, readable by its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, listing: str) -> Position | None:
        """Find how far a listing was read, or None where it was not.

        Raises:
            Refusal: INVALID_SETTING where the file is something else; it is not touched.
        """
        found = self._read().get(listing)
        try:
            if found is None:
                return None
            position = Position(str(found["last_added"]), bool(found["ended"]))
            read_timestamp(position.last_added)
        except (Refusal, LookupError, TypeError) as error:
            raise _no_resume_file(self._path) from error
        return position

    def save(self, listing: str, position: Position) -> None:
        """Remember how far a listing was read; when this returns, it is on disk.

        Raises:
            Refusal: INVALID_SETTING where the file is something else, or cannot be written.
        """
        positions = self._read()
        positions[listing] = asdict(position)
        text = json.dumps({"format": _FORMAT, "positions": positions}, indent=1).encode()
        with replacing(self._path) as file:
            file.write(text)

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                body = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"{self._path.name} cannot be read: {error.strerror}") from error
        try:
            kept = json.loads(body)
            positions = kept["positions"] if kept["format"] == _FORMAT and len(body) <= _MOST_BYTES else None
        except (ValueError, RecursionError, LookupError, TypeError) as error:
            raise _no_resume_file(self._path) from error
        if not isinstance(positions, dict):
            raise _no_resume_file(self._path)
        return positions


class Bookmark:
    """The place of one listing in a resume file, or in none.

    Args:
        path: of the file, or None to remember nothing.
        listing: its name in the file.
    """

    def __init__(self, path: Path | None, listing: str) -> None:
        self._file = None if path is None else ResumeFile(path)
        self._listing = listing

    async def find(self) -> str | None:
        """Find from where on to read, or None where nothing is remembered.

        Raises:
            Refusal: INVALID_SETTING.
        """
        position = None if self._file is None else await asyncio.to_thread(self._file.find, self._listing)
        return None if position is None else position.added_after

    async def move(self, page: Page[Any]) -> None:
        """Remember that a page was dealt with.

        Raises:
            Refusal: INVALID_SETTING; REFUSED_BY_SERVER where the server writes times that nobody can come back to.
        """
        if self._file is None or page.last_added is None:
            return
        position = Position(page.last_added, ended=not page.more)
        try:
            read_timestamp(position.last_added)
        except Refusal as refusal:
            raise unreadable() from refusal
        await asyncio.to_thread(self._file.save, self._listing, position)


def listing_of(collection: Collection, filters: Filters) -> str:
    """Name a listing: the server, the collection and what is asked of it."""
    fields = "&".join(f"{name}={value}" for name, value in sorted(filters.query().items()))
    return f"{collection.address}?{fields}" if fields else collection.address


def just_before(timestamp: str) -> str:
    """Write the microsecond before a timestamp.

    Raises:
        Refusal: INVALID_TIMESTAMP.
    """
    return write_timestamp(read_timestamp(timestamp) - 1)


def _no_resume_file(path: Path) -> Refusal:
    return Refusal(Code.INVALID_SETTING, f"{path.name} is no resume file; name another, or remove it to begin from the start")
