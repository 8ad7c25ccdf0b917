"""A tree that only grows, remembered by the few hashes that its next leaf can meet."""

from regcert.translog.tree import EMPTY_ROOT, node_hash


class Frontier:
    """The complete subtrees of a tree, the largest first; as many as its size has binary ones.

    Args:
        size: how many leaves the tree has.
        peaks: the hash of each complete subtree.
    """

    def __init__(self, size: int = 0, peaks: list[bytes] | None = None) -> None:
        self.size = size
        self._peaks = list(peaks or ())
        if len(self._peaks) != size.bit_count():
            raise ValueError("a tree has as many complete subtrees as its size has binary ones")

    def push(self, leaf: bytes) -> None:
        """Add a leaf by its hash; it is joined with its neighbours as far as they are complete.

        Spec: RFC 6962 §2.1
        """
        joined = leaf
        rest = self.size
        while rest & 1:
            joined = node_hash(self._peaks.pop(), joined)
            rest >>= 1
        self._peaks.append(joined)
        self.size += 1

    def root(self) -> bytes:
        """Return the hash of the whole tree, 32 bytes."""
        if not self._peaks:
            return EMPTY_ROOT
        *others, joined = self._peaks
        for peak in reversed(others):
            joined = node_hash(peak, joined)
        return joined


def peaks_of(size: int) -> list[tuple[int, int]]:
    """Name the complete subtrees of a tree, the largest first: the level of each, and its number on that level."""
    return [(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]
