"""A history's folder: parts that are written once, and the manifest that says which of them are whole.

    manifest.json
    mentions/0001763800000000-0001763900000000.parquet      behind the first position, up to and with the second
    objects/…  ties/…  gone/…

A part is one stretch of the ledger. It is entered in the manifest when all of its files are on disk; what lies in the folder
and is not in the manifest was never finished, and is removed by whoever writes next. All scopes of the host are in it, so the
files are for the operator alone: 0600, in a folder of 0700.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import msgspec

from regcert.durable import replacing
from regcert.errors import Code, Refusal
from regcert.history.extra import require_library
from regcert.history.tables import TABLES, find_schema

FORMAT = 1
_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the ledger.

    Args:
        start: positions behind this one,
        end: up to and with this one.
        read: the position up to which correlation had read when the part was begun: what sightings of the part name through
            indicators from behind it is not in the part.
        rows: how many, by table.
    """

    start: int
    end: int
    read: int
    rows: dict[str, int]

    @property
    def name(self) -> str:
        """What its files are called; names sort as positions do."""
        return f"{self.start:016d}-{self.end:016d}.parquet"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a history holds.

    Args:
        host: whose ledger it is, by the name of the host's log.
        start: behind which position it begins.
        parts: without a gap, in their order.
        format: of the files.
    """

    host: str
    start: int
    parts: tuple[Part, ...] = ()
    format: int = FORMAT

    @property
    def end(self) -> int:
        """The position up to which it is complete."""
        return self.parts[-1].end if self.parts else self.start

    def find_waiting(self, at: int) -> int:
        """Find the position up to which sightings may have waited for an indicator behind `at`."""
        return max((part.end for part in self.parts if part.read <= at), default=0)

    def find_turn(self, at: int) -> int | None:
        """Find the first position behind `at` from which on more sightings may have waited."""
        return min((part.read for part in self.parts if part.read > at), default=None)


class History:
    """A history that is written by nobody else meanwhile; `open_history` makes it.

    Args:
        folder: where it is.
        manifest: what it holds.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self.manifest = manifest

    @contextmanager
    def write_part(self, end: int, read: int) -> Iterator["PartFiles"]:
        """Write a part, and enter it in the manifest once its files are on disk.

        If we crash before that, the part is written again from its beginning; behind it, never again.

        Args:
            end: where it ends; it begins where the last one does.
            read: how far correlation has read.

        Raises:
            Refusal: INVALID_SETTING where something cannot be written.
        """
        part = Part(self.manifest.end, end, read, dict.fromkeys(TABLES, 0))
        parquet = require_library("pyarrow.parquet")
        with ExitStack() as files:
            writers = {}
            for name in TABLES:
                file = files.enter_context(replacing(self._folder / name / part.name))
                writers[name] = files.enter_context(parquet.ParquetWriter(file, find_schema(name), compression="zstd"))
            yield PartFiles(part, writers)
        manifest = replace(self.manifest, parts=(*self.manifest.parts, part))
        with replacing(self._folder / _MANIFEST) as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest)))
        self.manifest = manifest


@dataclass(slots=True)
class PartFiles:
    """The open files of a part."""

    part: Part
    _writers: dict[str, Any] = field(repr=False)

    def write(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows to a table; each batch is a row group of its own, so that none has to be gathered first."""
        if not rows:
            return
        arrow = require_library("pyarrow")
        schema = find_schema(name)
        columns = [arrow.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)]
        self._writers[name].write_table(arrow.Table.from_arrays(columns, schema=schema))
        self.part.rows[name] += len(rows)


@contextmanager
def open_history(folder: Path, host: str, start: int | None) -> Iterator[History]:
    """Open a history to write on, or begin one, and remove what was never finished.

    Args:
        folder: where; it is made if it is not there.
        host: whose ledger it is.
        start: behind which position it shall begin, or None for wherever it does, or else at the ledger's beginning.

    Raises:
        Refusal: MISSING_EXTRA; INVALID_SETTING where it is another host's, begins elsewhere, is written by somebody else, or
            cannot be written.
    """
    require_library("pyarrow.parquet")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(folder / ".lock", "wb", opener=_private) as lock:
            _take(lock, folder)
            manifest = _find_manifest(folder) or Manifest(host, start or 0)
            if manifest.host != host:
                raise Refusal(Code.INVALID_SETTING, f"{folder} holds the history of {manifest.host}; name another folder")
            if start is not None and manifest.start != start:
                raise Refusal(Code.INVALID_SETTING, f"the history in {folder} begins elsewhere; leave --since out")
            _clear(folder, manifest)
            yield History(folder, manifest)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{folder} cannot be written: {error.strerror}") from error


def read_manifest(folder: Path) -> Manifest:
    """Read what a history holds.

    Raises:
        Refusal: INVALID_SETTING where there is none, or none that this version reads.
    """
    manifest = _find_manifest(folder)
    if manifest is None or not manifest.parts:
        raise Refusal(Code.INVALID_SETTING, f"there is no history in {folder} yet; run 'regcert history export {folder}' first")
    return manifest


def list_files(folder: Path, manifest: Manifest, name: str) -> list[str]:
    """List the files of one table, those that hold nothing left out; where all do, the first."""
    filled = [part for part in manifest.parts if part.rows[name]] or list(manifest.parts[:1])
    return [str((folder / name / part.name).resolve()) for part in filled]


def _find_manifest(folder: Path) -> Manifest | None:
    try:
        with (folder / _MANIFEST).open("rb") as file:
            manifest = msgspec.json.decode(file.read(_MOST_MANIFEST_BYTES), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Refusal(Code.INVALID_SETTING, f"{folder / _MANIFEST} cannot be read; export into an empty folder") from error
    if manifest.format != FORMAT:
        raise Refusal(Code.INVALID_SETTING, f"the history in {folder} is of another version; export into an empty folder")
    return manifest


def _take(lock: IO[bytes], folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refusal(Code.INVALID_SETTING, f"another export is writing to {folder}; wait until it has ended") from error


def _clear(folder: Path, manifest: Manifest) -> None:
    """Remove what an export left that was stopped; files that are not of our making stay."""
    whole = {part.name for part in manifest.parts}
    for name in TABLES:
        (folder / name).mkdir(mode=0o700, exist_ok=True)
        for path in (folder / name).iterdir():
            if ".parquet" in path.name and path.name not in whole:
                path.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
