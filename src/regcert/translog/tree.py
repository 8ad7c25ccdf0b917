"""Merkle tree hashes as certificate transparency defines them."""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash one leaf; the prefix keeps a leaf from passing for a node.

    Spec: RFC 6962 §2.1
    """
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees to the one above them.

    Spec: RFC 6962 §2.1
    """
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Hash a list of leaf hashes to the root of their tree, 32 bytes.

    Pairs from the left, level by level, and carries an odd last node up as it is: the same tree as the standard's, which
    splits at the largest power of two.

    Spec: RFC 6962 §2.1
    """
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]
