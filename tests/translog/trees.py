"""Trees for tests: RFC 6962 as its recursive words say, and the same leaves in tiles."""

import hashlib
from functools import cache

from regcert.translog.tiles import Place, grow, node_reader
from regcert.translog.tree import leaf_hash


def leaf(index: int, of: str = "") -> bytes:
    return leaf_hash(f"{of}{index}".encode())


@cache
def naive_root(start: int, end: int, of: str = "") -> bytes:
    """MTH(D[start:end]) of RFC 6962 §2.1."""
    if start == end:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return leaf(start, of)
    split = naive_split(end - start)
    left, right = naive_root(start, start + split, of), naive_root(start + split, end, of)
    return hashlib.sha256(b"\x01" + left + right).digest()


def naive_split(count: int) -> int:
    split = 1
    while split * 2 < count:
        split *= 2
    return split


def naive_path(index: int, start: int, end: int) -> list[bytes]:
    """PATH(index, D[start:end]) of RFC 6962 §2.1.1."""
    if end - start == 1:
        return []
    split = naive_split(end - start)
    if index < split:
        return [*naive_path(index, start, start + split), naive_root(start + split, end)]
    return [*naive_path(index - split, start + split, end), naive_root(start, start + split)]


def naive_subproof(old: int, start: int, end: int, *, whole: bool = True) -> list[bytes]:
    """SUBPROOF(old, D[start:end], whole) of RFC 6962 §2.1.2."""
    if old == end - start:
        return [] if whole else [naive_root(start, end)]
    split = naive_split(end - start)
    if old <= split:
        return [*naive_subproof(old, start, start + split, whole=whole), naive_root(start + split, end)]
    return [*naive_subproof(old - split, start + split, end, whole=False), naive_root(start, start + split)]


class Tree:
    """A log that grows, kept in tiles as a host keeps it."""

    def __init__(self, size: int = 0, of: str = "") -> None:
        self.size = 0
        self.of = of
        self.tiles: dict[Place, bytes] = {}
        self._nodes: dict[Place, bytes] = {}
        self.grow_by(size)

    def grow_by(self, count: int) -> dict[Place, bytes]:
        leaves = [leaf(index, self.of) for index in range(self.size, self.size + count)]
        changed = grow(self.size, leaves, lambda level, number: self.tiles[level, number])
        self.tiles.update(changed)
        self.size += count
        return changed

    def read_node(self, level: int, index: int) -> bytes:
        if (level, index) not in self._nodes:  # what is complete never changes
            self._nodes[level, index] = node_reader(self.tiles)(level, index)
        return self._nodes[level, index]

    def root(self, size: int | None = None) -> bytes:
        return naive_root(0, self.size if size is None else size, self.of)
