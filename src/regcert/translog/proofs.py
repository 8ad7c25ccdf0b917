"""Proofs about the tree: that a leaf is in it, and that a larger tree begins with a smaller one.

Each hash of a proof is that of a stretch of leaves. A stretch is a few complete subtrees side by side, whose hashes stand in the
tiles or are hashed from them; the last stretch before the tree's end is the only one of more than one. So a proof is planned
first, from sizes alone, which says what tiles it needs, and made afterwards.

Spec: RFC 6962 §2.1.1 and §2.1.2 (what a proof is), RFC 9162 §2.1.3.2 and §2.1.4.2 (how it is checked)
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from regcert.errors import Code, Refusal
from regcert.translog.tiles import MOST_SIZE, Place, place_of
from regcert.translog.tree import EMPTY_ROOT, node_hash

MOST_HASHES = 63

ReadNode: TypeAlias = Callable[[int, int], bytes]
"""From the level and index of a complete subtree, of 2**level leaves, to its hash."""
_Stretch: TypeAlias = tuple[int, int]  # its first leaf, and the one behind its last


def inclusion_proof(index: int, size: int, read_node: ReadNode) -> list[bytes]:
    """Make the proof that a leaf stands in a tree.

    Args:
        index: of the leaf, below `size`.
        size: leaves of the tree.
        read_node: see `tiles.node_reader`.

    Returns:
        Hashes from the leaf's neighbour up to the child of the root.

    Spec: RFC 6962 §2.1.1
    """
    return [_fold(stretch, read_node) for stretch in _inclusion(index, size)]


def consistency_proof(old: int, new: int, read_node: ReadNode) -> list[bytes]:
    """Make the proof that a tree begins with an older one.

    Args:
        old: leaves of the older tree, from 0.
        new: leaves of the newer one, at least `old`.
        read_node: of the newer one.

    Spec: RFC 6962 §2.1.2
    """
    return [_fold(stretch, read_node) for stretch in _consistency(old, new)]


def root_of(size: int, read_node: ReadNode) -> bytes:
    """Hash a tree of this size to its root.

    Spec: RFC 6962 §2.1
    """
    return _fold((0, size), read_node) if size else EMPTY_ROOT


def tiles_for_inclusion(index: int, size: int) -> list[Place]:
    """List the tiles that `inclusion_proof` reads, at most two a level."""
    return _places(_inclusion(index, size))


def tiles_for_consistency(old: int, new: int) -> list[Place]:
    """List the tiles that `consistency_proof` reads, at most two a level."""
    return _places(_consistency(old, new))


def tiles_for_root(size: int) -> list[Place]:
    """List the tiles that `root_of` reads, at most one a level."""
    return _places([(0, size)] if size else [])


def require_included(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf stands in a tree.

    Args:
        leaf_hash: of the leaf.
        index: where it is said to stand.
        size: leaves of the tree.
        proof: at most 63 hashes of 32 bytes.
        root: of the tree, from a checkpoint whose signatures were checked.

    Raises:
        Refusal: INVALID_PROOF.

    Spec: RFC 9162 §2.1.3.2
    """
    if not 0 <= index < size <= MOST_SIZE or len(proof) > MOST_HASHES:
        raise _not_included()
    sides = _sides(index, size - 1)
    if len(proof) != len(sides):
        raise _not_included()
    value = leaf_hash
    for sibling, on_the_left in zip(proof, sides, strict=True):
        value = node_hash(sibling, value) if on_the_left else node_hash(value, sibling)
    if value != root:
        raise _not_included()


def require_consistent(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a tree begins with an older one.

    Args:
        old_size: leaves of the older tree, from 0.
        old_root: its root.
        new_size: leaves of the newer tree.
        new_root: its root.
        proof: at most 63 hashes of 32 bytes; empty where the older tree is empty or as large.

    Raises:
        Refusal: INVALID_PROOF.

    Spec: RFC 9162 §2.1.4.2
    """
    if not 0 <= old_size <= new_size <= MOST_SIZE or len(proof) > MOST_HASHES:
        raise _not_consistent()
    if old_size in {0, new_size}:
        if proof or old_root != (EMPTY_ROOT if old_size == 0 else new_root) or (new_size == 0 and new_root != EMPTY_ROOT):
            raise _not_consistent()
        return
    # A complete old tree is a node of the new one: its hash is known, and the proof leaves it out.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    sides = _sides(at, last)
    if len(path) != 1 + len(sides):
        raise _not_consistent()
    old_value = new_value = path[0]
    for sibling, on_the_left in zip(path[1:], sides, strict=True):
        if on_the_left:
            old_value, new_value = node_hash(sibling, old_value), node_hash(sibling, new_value)
        else:
            new_value = node_hash(new_value, sibling)
    if old_value != old_root or new_value != new_root:
        raise _not_consistent()


def _sides(at: int, last: int) -> list[bool]:
    """Say of each hash on the way up from a node whether it stands on the left.

    Args:
        at: the node's place in its row.
        last: the place of the row's last node.
    """
    sides: list[bool] = []
    while last:
        sides.append(bool(at & 1) or at == last)
        if at == last:
            while not at & 1:  # the last node of an odd row has no neighbour until a row further up
                at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return sides


def _inclusion(index: int, size: int) -> list[_Stretch]:
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    stretches: list[_Stretch] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            stretches.append((middle, end))
            end = middle
        else:
            stretches.append((start, middle))
            start = middle
    return stretches[::-1]


def _consistency(old: int, new: int) -> list[_Stretch]:
    if not 0 <= old <= new:
        raise ValueError("no older tree is larger")
    stretches: list[_Stretch] = []
    start, end = 0, new
    while 0 < old < end:
        middle = start + _split(end - start)
        if old <= middle:
            stretches.append((middle, end))
            end = middle
        else:
            stretches.append((start, middle))
            start = middle
    if start and old:  # otherwise the stretch is all of the older tree, whose root is known
        stretches.append((start, end))
    return stretches[::-1]


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least two."""
    return 1 << (count - 1).bit_length() - 1


def _subtrees(stretch: _Stretch) -> list[tuple[int, int]]:
    """List the complete subtrees of a stretch by level and index, the largest first, which is from the left."""
    start, end = stretch
    found: list[tuple[int, int]] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _fold(stretch: _Stretch, read_node: ReadNode) -> bytes:
    *others, last = _subtrees(stretch)
    value = read_node(*last)
    for subtree in reversed(others):
        value = node_hash(read_node(*subtree), value)
    return value


def _places(stretches: Iterable[_Stretch]) -> list[Place]:
    return sorted({place_of(*subtree) for stretch in stretches for subtree in _subtrees(stretch)})


def _not_included() -> Refusal:
    return Refusal(Code.INVALID_PROOF, "the proof does not lead from the leaf to the checkpoint; keep it and show it to others")


def _not_consistent() -> Refusal:
    return Refusal(Code.INVALID_PROOF, "the newer checkpoint does not continue the older one; keep both and show them to others")
