"""Merkle tree hashes against the recursive words of RFC 6962, and against known roots."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.translog.tree import leaf_hash, tree_hash

# The leaves with which implementations of RFC 6962 check each other, and the roots of their first 0 to 8.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def recursive(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + recursive(leaves[:split]) + recursive(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_root_is_the_published_one(size):
    """The roots that other implementations know."""
    assert tree_hash([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_root_equals_the_recursive_definition(contents):
    """Level by level from the left is the same tree as splitting at the largest power of two."""
    leaves = [leaf_hash(content) for content in contents]
    assert tree_hash(leaves) == recursive(leaves)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=9))
def test_node_never_passes_for_a_leaf(leaves):
    """The prefixes part leaves from nodes: no leaf's content makes the root of a larger tree."""
    assert leaf_hash(leaves[0] + leaves[1]) != tree_hash(leaves[:2])


def test_leaves_are_left_alone():
    """Hashing reads its argument and changes nothing of it."""
    leaves = [leaf_hash(leaf) for leaf in LEAVES]
    before = list(leaves)
    tree_hash(leaves)
    assert leaves == before
