"""Proofs against the recursive words of RFC 6962, and against everybody who bends one."""

import random

import pytest

from regcert.errors import Code, Refusal
from regcert.signing.note import cosign, sign_note
from regcert.signing.private_key import private_key_of
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.proof_file import ProofFile
from regcert.translog.proofs import (
    consistency_proof,
    inclusion_proof,
    require_consistent,
    require_included,
    root_of,
    tiles_for_consistency,
    tiles_for_inclusion,
)
from regcert.translog.tiles import node_reader
from regcert.translog.tree import EMPTY_ROOT
from tests.translog.trees import Tree, leaf, naive_path, naive_root, naive_subproof

SIZES = [*range(1, 301), 511, 512, 513, 600]
FEW = {0, 1, 2, 3, 127, 128, 254, 255, 256, 257, 299, 511, 512}


def places(size: int) -> list[int]:
    """All indexes of a small tree, those at the edges of a larger one."""
    return [index for index in range(size) if size <= 80 or index in FEW or index >= size - 2]


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(600)


@pytest.fixture(scope="module")
def large() -> Tree:
    return Tree(70_000)


@pytest.mark.parametrize("sizes", [SIZES[at::4] for at in range(4)], ids=lambda sizes: f"from {sizes[0]}")
def test_inclusion_proofs_are_those_of_the_standard(tree, sizes):
    for size in sizes:
        root = root_of(size, tree.read_node)
        assert root == naive_root(0, size)
        for index in places(size):
            proof = inclusion_proof(index, size, tree.read_node)
            assert proof == naive_path(index, 0, size)
            require_included(leaf(index), index, size, proof, root)


@pytest.mark.parametrize("sizes", [SIZES[at::4] for at in range(4)], ids=lambda sizes: f"from {sizes[0]}")
def test_consistency_proofs_are_those_of_the_standard(tree, sizes):
    for new in sizes:
        for old in [*places(new)[1:], new]:
            proof = consistency_proof(old, new, tree.read_node)
            assert proof == naive_subproof(old, 0, new)
            require_consistent(old, naive_root(0, old), new, naive_root(0, new), proof)


def test_proofs_of_a_large_tree_need_few_tiles(large):
    """The tiles that are listed are enough, and no more than two a level."""
    chance = random.Random(1)
    for _ in range(60):
        new = chance.randint(2, 70_000)
        old, index = chance.randint(1, new), chance.randrange(new)
        listed = tiles_for_inclusion(index, new)
        assert len(listed) <= 2 * 3
        proof = inclusion_proof(index, new, node_reader({place: large.tiles[place] for place in listed}))
        require_included(leaf(index), index, new, proof, naive_root(0, new))
        listed = tiles_for_consistency(old, new)
        assert len(listed) <= 2 * 3
        proof = consistency_proof(old, new, node_reader({place: large.tiles[place] for place in listed}))
        require_consistent(old, naive_root(0, old), new, naive_root(0, new), proof)


def bent(hashes: list[bytes]) -> list[list[bytes]]:
    """Every proof that differs in one bit, and those that are longer, shorter or in another order."""
    flipped = [
        [*hashes[:at], bytes([*value[:place], value[place] ^ 1 << bit, *value[place + 1 :]]), *hashes[at + 1 :]]
        for at, value in enumerate(hashes)
        for place in range(32)
        for bit in range(8)
    ]
    moved = [hashes[:-1], hashes[1:], [*hashes, bytes(32)], [bytes(32), *hashes], [*hashes, hashes[-1]], hashes[::-1]]
    return [*flipped, *(other for other in moved if other != hashes)]


def refused(check, *arguments) -> bool:
    try:
        check(*arguments)
    except Refusal as refusal:
        return refusal.code is Code.INVALID_PROOF
    return False


@pytest.mark.parametrize(("index", "size"), [(0, 2), (4, 5), (6, 7), (3, 8), (100, 300), (299, 300), (255, 257)])
def test_every_bit_of_an_inclusion_proof_counts(tree, index, size):
    proof, root = naive_path(index, 0, size), naive_root(0, size)
    require_included(leaf(index), index, size, proof, root)
    assert all(refused(require_included, leaf(index), index, size, other, root) for other in bent(proof))
    assert all(refused(require_included, other, index, size, proof, root) for [other] in bent([leaf(index)])[:256])
    assert all(refused(require_included, leaf(index), index, size, proof, other) for [other] in bent([root])[:256])
    assert all(
        refused(require_included, leaf(index), other, size, proof, root) for other in range(-1, size + 2) if other != index
    )


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (100, 300), (256, 300), (255, 256), (299, 300)])
def test_every_bit_of_a_consistency_proof_counts(tree, old, new):
    proof, old_root, new_root = naive_subproof(old, 0, new), naive_root(0, old), naive_root(0, new)
    require_consistent(old, old_root, new, new_root, proof)
    assert all(refused(require_consistent, old, old_root, new, new_root, other) for other in bent(proof))
    assert all(refused(require_consistent, old, other, new, new_root, proof) for [other] in bent([old_root])[:256])
    assert all(refused(require_consistent, old, old_root, new, other, proof) for [other] in bent([new_root])[:256])


@pytest.mark.parametrize(
    ("old", "old_root", "new", "new_root", "proof"),
    [
        (0, naive_root(0, 1), 5, naive_root(0, 5), []),  # not the empty tree's root
        (0, EMPTY_ROOT, 5, naive_root(0, 5), [bytes(32)]),  # nothing is to be proven
        (0, EMPTY_ROOT, 0, naive_root(0, 1), []),
        (0, naive_root(0, 1), 0, naive_root(0, 1), []),
        (5, naive_root(0, 5), 5, naive_root(0, 5), [bytes(32)]),
        (5, naive_root(0, 5), 5, naive_root(0, 6), []),
        (6, naive_root(0, 6), 5, naive_root(0, 5), []),  # it has become smaller
        (-1, EMPTY_ROOT, 5, naive_root(0, 5), []),
        (4, naive_root(0, 4), 5, naive_root(0, 5), []),
        (3, naive_root(0, 3), 5, naive_root(0, 5), []),
        (2**63, naive_root(0, 5), 2**63, naive_root(0, 5), []),
        (1, naive_root(0, 1), 2**63 - 1, naive_root(0, 5), [bytes(32)] * 64),
    ],
)
def test_consistency_of_odd_sizes_is_refused(old, old_root, new, new_root, proof):
    assert refused(require_consistent, old, old_root, new, new_root, proof)


def test_consistency_without_anything_to_prove():
    require_consistent(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    require_consistent(0, EMPTY_ROOT, 5, naive_root(0, 5), [])
    require_consistent(5, naive_root(0, 5), 5, naive_root(0, 5), [])


@pytest.mark.parametrize(
    ("index", "size", "proof"), [(0, 0, []), (1, 1, []), (-1, 1, []), (0, 2**63, []), (0, 2**63 - 1, [bytes(32)] * 64)]
)
def test_inclusion_outside_the_tree_is_refused(index, size, proof):
    assert refused(require_included, leaf(0), index, size, proof, leaf(0))


def test_another_history_is_not_consistent():
    """The leaf that was exchanged is somewhere below the proof, and its hash in none of the roots."""
    for old in (1, 5, 64, 299):
        proof = consistency_proof(old, 300, Tree(300, of="other").read_node)
        assert refused(require_consistent, old, naive_root(0, old), 300, naive_root(0, 300, "other"), proof)


@pytest.mark.parametrize("index", [0, 1, 499_999, 524_287, 524_288, 999_999])
def test_proof_file_of_a_million_leaves_is_small(index):
    """At most 2 kB with five witnesses, whose names are as long as names are."""
    proof = inclusion_proof(index, 1_000_000, lambda *_: bytes(32))
    key = private_key_of(bytes(range(32)))
    note = sign_note(
        Checkpoint("regcert/western-balkans/0123456789abcdef", 1_000_000, bytes(32)).text(),
        key,
        "regcert/western-balkans/0123456789abcdef",
    )
    for number in range(5):
        name = f"cert{number}.example/witness"
        note = note.with_signature(cosign(note.text, private_key_of(bytes([number] * 32)), name, 1_795_000_000))
    assert len(proof) <= 20
    assert len(ProofFile(index, tuple(proof), note.write()).write()) <= 2000
