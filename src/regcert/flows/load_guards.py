"""Load guard lists, ours and the MISP warninglists, and load again those of them whose files have changed.

The lists that the operator names one by one must be readable when a host starts. A folder is somebody else's work, fetched by
night: what in it cannot be read is left out, or stays as it was read last, and is named in the log.
"""

import json
import logging
import tomllib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from regcert.correlation.guard_lists import GuardList, read_guard_list, read_warninglist
from regcert.errors import Code, Refusal

MOST_FILES = 2_000
MOST_BYTES = 64 * 1024 * 1024

_LOG = logging.getLogger("regcert.guards")
# What tells that a file is another one: when it was written, and how long it is.
_Stamp = tuple[int, int]


class GuardFiles:
    """The files that guard lists are read from, and what was read from each.

    Args:
        shipped: our own lists.
        named: those that the operator named, one by one.
        folder: looked through for .json and .toml files, whatever their depth; None for none.
    """

    def __init__(self, shipped: Sequence[Path], named: Sequence[Path] = (), folder: Path | None = None) -> None:
        self._named = (*shipped, *named)
        self._folder = folder
        self._stamps: dict[Path, _Stamp] = {}
        self._lists: dict[Path, GuardList] = {}

    def load(self) -> list[GuardList]:
        """Read all lists for the first time.

        Raises:
            Refusal: INVALID_GUARD_LIST, naming a file that the operator named and that cannot be read.
        """
        for path in self._named:
            self._stamps[path] = _stamp(path)
            self._lists[path] = read_guard_file(path)
        self.refresh()
        return self.lists

    @property
    def lists(self) -> list[GuardList]:
        """What was read last, in the order of the files."""
        return [self._lists[path] for path in self._ordered(self._lists)]

    @property
    def digest(self) -> str:
        """What tells these lists from others: the SHA-256 of all that they guard, in hexadecimal."""
        hashed = sha256()
        for one in self.lists:
            hashed.update(repr((one.name, one.reason, one.match.value, sorted(one.kinds), one.entries)).encode())
        return hashed.hexdigest()

    def refresh(self) -> bool:
        """Read again what has changed; a file that cannot be read now stays as it was read last. Return whether anything changed.

        This reads files, and belongs into a thread.
        """
        found = {path: _stamp(path) for path in (*self._named, *self._in_folder())}
        gone = self._lists.keys() - found.keys()
        changed = [path for path in self._ordered(found) if self._stamps.get(path) != found[path]]
        for path in gone:
            del self._lists[path]
        self._stamps = found
        return bool(sum([self._read(path) for path in changed]) + len(gone))

    def _read(self, path: Path) -> bool:
        before = self._lists.get(path)
        try:
            self._lists[path] = read_guard_file(path)
        except Refusal as refusal:
            kept = "is kept as it was read last" if before else "is left out"
            _LOG.warning("a guard list cannot be read and %s: %s", kept, refusal.message)
            return False
        return self._lists[path] != before

    def _in_folder(self) -> Iterable[Path]:
        if self._folder is None:
            return ()
        found = sorted(path for path in self._folder.rglob("*") if path.suffix in {".json", ".toml"})
        return found[:MOST_FILES]

    def _ordered(self, paths: Iterable[Path]) -> list[Path]:
        places = {path: place for place, path in enumerate(self._named)}
        return sorted(paths, key=lambda path: (places.get(path, len(places)), path))


def read_guard_file(path: Path) -> GuardList:
    """Read one list: a guard list of ours where the file ends in .toml, else a MISP warninglist.

    Raises:
        Refusal: INVALID_GUARD_LIST, naming the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        text = content.decode("utf-8") if len(content) <= MOST_BYTES else ""  # which is neither JSON nor a list
        return read_guard_list(tomllib.loads(text)) if path.suffix == ".toml" else _read_warninglist(json.loads(text))
    except Refusal as refusal:
        raise Refusal(Code.INVALID_GUARD_LIST, f"{path}: {refusal.message}") from refusal
    except (OSError, ValueError, RecursionError) as error:
        raise Refusal(Code.INVALID_GUARD_LIST, f"the guard list {path} cannot be read; correct or remove it") from error


def _read_warninglist(value: object) -> GuardList:
    if not isinstance(value, dict):
        raise Refusal(Code.INVALID_GUARD_LIST, "a warninglist is one JSON object")
    return read_warninglist(value)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return (0, -1)
    return found.st_mtime_ns, found.st_size
