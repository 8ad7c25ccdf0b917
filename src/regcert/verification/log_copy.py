"""A reader's copy of a log: its entries, one a line, as they came.

Entries are canonical JSON, which has no line breaks. Line n is entry n: whoever hashes the lines gets the root that the log has
signed, and whoever finds a line knows its place. Nothing else of the log needs to be kept.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from regcert.errors import Code, Refusal
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.frontier import Frontier
from regcert.translog.leaf import KeyLeaf, Leaf, PublicationLeaf, read_leaf
from regcert.translog.tiles import MOST_ENTRY_BYTES
from regcert.translog.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class Survey:
    """What one walk over the copy has found.

    Args:
        roots: the root at each size that was asked for.
        key_lists: each entry that is a key list: its index and the DSSE object.
        tagged: where each tag that was asked for stands first.
        entries: the entries at the indexes that were asked for.
    """

    roots: Mapping[int, bytes]
    key_lists: tuple[tuple[int, object], ...]
    tagged: Mapping[bytes, int]
    entries: Mapping[int, bytes]

    def fits(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the copy begins with the tree of a checkpoint."""
        return self.roots.get(checkpoint.size) == checkpoint.root


class LogCopy:
    """The copy of one log.

    Args:
        path: of the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, size: int) -> Iterator[bytes]:
        """Read the first entries, in order.

        Raises:
            Refusal: INVALID_PROOF where the copy has fewer, or something that is no entry.
        """
        if size == 0:
            return
        try:
            with self._path.open("rb") as file:
                for _ in range(size):
                    line = file.readline(MOST_ENTRY_BYTES + 2)
                    if not line.endswith(b"\n") or len(line) == 1:
                        raise _damaged()
                    yield line[:-1]
        except OSError as error:
            raise _damaged() from error

    def survey(self, size: int, sizes: Collection[int], tags: Collection[bytes] = (), indexes: Collection[int] = ()) -> Survey:
        """Walk over the copy once.

        Args:
            size: how many entries of it count.
            sizes: at which to take the root.
            tags: to look for.
            indexes: of entries to keep.

        Raises:
            Refusal: INVALID_PROOF where the copy is damaged, or has an entry that this release does not know.
        """
        frontier = Frontier()
        roots = {0: frontier.root()}
        key_lists: list[tuple[int, object]] = []
        tagged: dict[bytes, int] = {}
        entries: dict[int, bytes] = {}
        for index, entry in enumerate(self.read(size)):
            frontier.push(leaf_hash(entry))
            if frontier.size in sizes:
                roots[frontier.size] = frontier.root()
            if index in indexes:
                entries[index] = entry
            leaf = read_entry(entry)
            if isinstance(leaf, KeyLeaf):
                key_lists.append((index, leaf.envelope))
            elif isinstance(leaf, PublicationLeaf) and leaf.tag in tags:
                tagged.setdefault(leaf.tag, index)
        return Survey(roots, tuple(key_lists), tagged, entries)

    def grow(self, size: int) -> "Growing":
        """Begin to add entries behind the first `size`; what stood behind them is cut off."""
        return Growing(self._path, self.read(size))


class Growing:
    """Entries that come to a copy, and the root that they give; a context manager.

    Args:
        path: of the copy.
        before: the entries that are there.
    """

    def __init__(self, path: Path, before: Iterator[bytes]) -> None:
        self._frontier = Frontier()
        kept_bytes = 0
        for entry in before:
            self._frontier.push(leaf_hash(entry))
            kept_bytes += len(entry) + 1
        self._file: IO[bytes] = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(kept_bytes)
        self._file.seek(kept_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        """How many entries there are by now."""
        return self._frontier.size

    def add(self, entry: bytes) -> None:
        """Add the next entry.

        Raises:
            Refusal: INVALID_PROOF where it is none that this release knows.
        """
        read_entry(entry)
        self._frontier.push(leaf_hash(entry))
        self._file.write(entry + b"\n")

    def root(self) -> bytes:
        """Return the root of what is there by now."""
        return self._frontier.root()


def read_entry(entry: bytes) -> Leaf | None:
    """Read an entry; None where it is neither a publication's nor a key list's, so that nobody has to know what it is."""
    if entry.startswith((b'{"c":', b'{"e":')):
        return read_leaf(entry)
    if b"\n" in entry or not entry:
        raise Refusal(Code.INVALID_PROOF, "an entry of the log is none that this release knows; update RegCERT")
    return None


def _damaged() -> Refusal:
    return Refusal(
        Code.INVALID_PROOF, "the mirror's copy of the log is damaged; begin a new mirror, and keep this one to compare"
    )
