"""A mirror: what a reader keeps of one collection of one host, so that it can be verified without either.

docs/verifying.md says what stands where. Everything in it is a claim until `offline.py` has looked at it; only what the reader
noted himself in `mirror.json` is believed.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
import orjson

from regcert.durable import replacing
from regcert.errors import Code, Refusal
from regcert.translog.proof_file import MOST_PROOF_BYTES, SUFFIX
from regcert.verification.log_copy import LogCopy

_FORMAT = "regcert-mirror-1"
_MOST_STATE_BYTES = 4 * 1024 * 1024
_MOST_LINE_BYTES = 4096
MOST_PUBLICATIONS = 10_000_000


class State(msgspec.Struct, forbid_unknown_fields=True):
    """How far a reader has come.

    Args:
        format: of the mirror.
        host: the origin of the host's log.
        collection: the collection's id.
        blind: of the collection, 64 hex digits; empty where the host has told none.
        size: entries of the log that were seen.
        checkpoint: the newest checkpoint, which is of that size, as a note.
        witnessed: the newest one that a quorum had cosigned, likewise; empty for none.
        publications: how many of the collection.
        bundles: how many files with objects are whole.
        added_after: until when objects were read, by the host's clock; empty for none.
    """

    format: str = _FORMAT
    host: str = ""
    collection: str = ""
    blind: str = ""
    size: int = 0
    checkpoint: str = ""
    witnessed: str = ""
    publications: int = 0
    bundles: int = 0
    added_after: str = ""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One publication, as the host lists it."""

    number: int
    seq: int
    team: str
    leaf_index: int
    manifest: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """The folder of one mirror.

    Args:
        folder: made by `create`, or where it is not there, empty.
    """

    folder: Path

    @property
    def log(self) -> LogCopy:
        """The copy of the log."""
        return LogCopy(self.folder / "entries.jsonl")

    @property
    def exists(self) -> bool:
        """Whether a mirror was begun here."""
        return (self.folder / "mirror.json").exists()

    def create(self) -> None:
        """Make the folders, readable by their owner alone.

        Raises:
            Refusal: INVALID_SETTING.
        """
        try:
            for name in ("", "objects", "proofs"):
                (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"{self.folder.name} cannot be a mirror: {error.strerror}") from error

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep every other process away while one reads into the mirror.

        Raises:
            Refusal: BUSY where one does; INVALID_SETTING.
        """
        try:
            file = (self.folder / "turn").open("ab")
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"{self.folder.name} cannot be written: {error.strerror}") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refusal(Code.BUSY, "another process is reading into this mirror; it will be done soon") from error
            yield

    def read_state(self) -> State:
        """Read how far the reader has come; a mirror that is not begun has come nowhere.

        Raises:
            Refusal: INVALID_SETTING.
        """
        if not self.exists:
            return State()
        try:
            state = msgspec.json.decode(self._read("mirror.json", _MOST_STATE_BYTES) or b"", type=State)
            if state.format == _FORMAT and len(state.blind) in {0, 64} and bytes.fromhex(state.blind) is not None:
                return state
        except (msgspec.DecodeError, ValueError):
            pass
        raise Refusal(Code.INVALID_SETTING, "mirror.json is damaged, or of another release; begin a new mirror")

    def write_state(self, state: State) -> None:
        """Write how far the reader has come, on disk: what it speaks of must be there before."""
        with replacing(self.folder / "mirror.json") as file:
            file.write(orjson.dumps(msgspec.to_builtins(state), option=orjson.OPT_INDENT_2) + b"\n")
        for name in ("checkpoint", "witnessed"):  # the same for people, who send them to each other
            with replacing(self.folder / f"{name}.note") as file:
                file.write(getattr(state, name).encode())

    def keep_fork(self, name: str, note: bytes) -> None:
        """Keep a checkpoint that contradicts another one, beside it."""
        with replacing(self.folder / name) as file:
            file.write(note)

    def forks(self) -> list[Path]:
        """List the notes that were kept because the log told two stories."""
        return sorted(self.folder.glob("fork-*.note"))

    def rows(self, count: int) -> Iterator[Row]:
        """Read the first publications, as the host lists them.

        Raises:
            Refusal: INVALID_SETTING.
        """
        if count == 0:
            return
        try:
            with (self.folder / "publications.jsonl").open("rb") as file:
                for _ in range(min(count, MOST_PUBLICATIONS)):
                    yield msgspec.json.decode(file.readline(_MOST_LINE_BYTES), type=Row)
        except (OSError, msgspec.DecodeError) as error:
            raise Refusal(Code.INVALID_SETTING, "publications.jsonl of the mirror is damaged; begin a new mirror") from error

    def add_rows(self, count: int, rows: list[Row]) -> None:
        """Add publications behind the first `count`; what stood behind them is cut off."""
        path = self.folder / "publications.jsonl"
        kept = b"".join(msgspec.json.encode(row) + b"\n" for row in self.rows(count))
        with replacing(path) as file:
            file.write(kept)
            file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)

    def bundles(self) -> list[Path]:
        """List the files with objects, the oldest first."""
        return sorted((self.folder / "objects").glob("*.json"))

    @contextmanager
    def adding(self, number: int) -> Iterator[IO[bytes]]:
        """Write a file with objects; it is there when it is whole, and replaces what an unfinished reading left."""
        with replacing(self.folder / "objects" / f"{number:06d}.json") as file:
            yield file

    def find_proof(self, manifest_id: str) -> bytes | None:
        """Find the proof of a publication."""
        return self._read(f"proofs/{manifest_id}{SUFFIX}", MOST_PROOF_BYTES)

    def write_proof(self, manifest_id: str, proof: bytes) -> None:
        """Write the proof of a publication."""
        path = self.folder / "proofs" / f"{manifest_id}{SUFFIX}"
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(proof)  # one that is lost is fetched again
        unfinished.replace(path)

    def _read(self, name: str, most_bytes: int) -> bytes | None:
        try:
            with (self.folder / name).open("rb") as file:
                data = file.read(most_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"{name} of the mirror cannot be read: {error.strerror}") from error
        if len(data) > most_bytes:
            raise Refusal(Code.INVALID_SETTING, f"{name} of the mirror is too large to be one")
        return data
