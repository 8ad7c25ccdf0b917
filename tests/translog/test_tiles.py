"""Tiles: their addresses, their widths, and that a tree grown in any steps is the same tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.translog.proofs import root_of, tiles_for_root
from regcert.translog.tiles import (
    TileName,
    grow,
    node_reader,
    read_entries,
    read_tile_name,
    tile_width,
    tiles_to_grow,
    write_entries,
)
from regcert.translog.tree import leaf_hash, tree_hash
from tests.translog.trees import Tree, leaf

# Those that stand in the specification, and the edges of each rule.
PATHS = {
    TileName(0, 1234067): "tile/0/x001/x234/067",
    TileName(0, 0): "tile/0/000",
    TileName(1, 999, 1): "tile/1/999.p/1",
    TileName(2, 1000, 255): "tile/2/x001/000.p/255",
    TileName(63, 7): "tile/63/007",
    TileName(None, 67, 112): "tile/entries/067.p/112",
    TileName(0, 2**55 - 1): "tile/0/x036/x028/x797/x018/x963/967",
}
WRONG_PATHS = [
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/x000/001",
    "tile/0/001/067",
    "tile/0/x001",
    "tile/0/x001/x067",
    "tile/0/000.p/0",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/",
    "tile/0/000/",
    "/tile/0/000",
    "tile/0/000\n",
    "tile/0/٠٠٠",
    "tile/data/000",
    "tile/entries/000.p/1/",
    "tile/0/../000",
    "checkpoint",
    "",
    "tile/0/" + "x001/" * 99 + "001",
]


@pytest.mark.parametrize("name", PATHS, ids=str)
def test_tile_has_the_address_of_the_specification(name):
    assert name.path == PATHS[name]
    assert read_tile_name(name.path) == name


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_tile_has_no_second_address(path):
    """Two addresses of one tile would be two cache entries, and a way around whatever looks at addresses."""
    with pytest.raises(Refusal) as refused:
        read_tile_name(path)
    assert refused.value.code is Code.NOT_FOUND


@given(st.integers(0, 63), st.integers(0, 2**55), st.integers(1, 256))
def test_every_address_leads_back_to_its_tile(level, number, width):
    name = TileName(level, number, width)
    assert read_tile_name(name.path) == name


def test_tree_of_the_specification_has_its_tiles():
    """70,000 leaves: 273 full tiles and one of 112, one full and one of 17, one of 1."""
    tree = Tree(70_000)
    widths = {place: len(hashes) // 32 for place, hashes in tree.tiles.items()}
    assert {place: width for place, width in widths.items() if width < 256} == {(0, 273): 112, (1, 1): 17, (2, 0): 1}
    assert len(widths) == 274 + 2 + 1
    assert all(tile_width(*place, 70_000) == width for place, width in widths.items())
    assert root_of(70_000, node_reader(tree.tiles)) == tree_hash([leaf(index) for index in range(70_000)])


def test_full_tile_starts_the_level_above():
    """A tree of 256 leaves has a full tile and above it one of a single hash."""
    tree = Tree(255)
    assert set(tree.tiles) == {(0, 0)}
    tree.grow_by(1)
    assert {place: len(hashes) for place, hashes in tree.tiles.items()} == {(0, 0): 8192, (1, 0): 32}


def grown_alone(size: int, count: int, tiles: dict[tuple[int, int], bytes]) -> dict[tuple[int, int], bytes]:
    """Grow a tree that has no other tiles than these."""
    return grow(size, [leaf(size + at) for at in range(count)], lambda *place: tiles[place])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=6))
def test_tree_is_the_same_in_whatever_steps_it_grew(steps):
    tree = Tree()
    for count in steps:
        before = dict(tree.tiles)
        needed = {place: before[place] for place in tiles_to_grow(tree.size, count)}
        assert grown_alone(tree.size, count, needed) == (grown := tree.grow_by(count))
        assert needed.keys() <= grown.keys(), "what does not grow is not read"
        assert all(grown[place].startswith(before.get(place, b"")) for place in grown), "a tile only grows at its end"
    whole = Tree(sum(steps))
    assert tree.tiles == whole.tiles
    assert {place: len(hashes) // 32 for place, hashes in tree.tiles.items()} == {
        place: tile_width(*place, tree.size) for place in tree.tiles
    }


def test_tile_of_a_larger_tree_serves_the_smaller_one():
    """Only one tile of each place is kept: the older tree's is its beginning."""
    tree = Tree(700)
    for size in (1, 2, 255, 256, 257, 511, 512, 513, 699):
        tiles = {place: tree.tiles[place] for place in tiles_for_root(size)}
        assert root_of(size, node_reader(tiles)) == tree.root(size)


@pytest.mark.parametrize("tile", [b"", bytes(31), bytes(32 * 4), bytes(32 * 6)])
def test_damaged_tile_is_not_grown(tile):
    """A tile that is not as wide as the size says was damaged; hashing it would be signed later."""
    with pytest.raises(ValueError, match="tile 0/0"):
        grow(5, [leaf(5)], lambda *_: tile)


def test_short_tile_gives_no_hash():
    with pytest.raises(ValueError, match="no subtree"):
        node_reader({(0, 0): bytes(32 * 7)})(3, 0)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundle_gives_back_its_entries(entries):
    assert read_entries(write_entries(entries), len(entries)) == entries


def test_bundle_hashes_to_its_tile():
    """The entries of a bundle are the leaves of the tile with the same number."""
    entries = [str(index).encode() for index in range(256)]
    tile = Tree(256).tiles[0, 0]
    assert b"".join(leaf_hash(entry) for entry in read_entries(write_entries(entries), 256)) == tile


@pytest.mark.parametrize(
    ("bundle", "count"),
    [
        (b"\x00\x01a", 0),
        (b"\x00\x01a", 2),
        (b"\x00\x02a", 1),
        (b"\x00", 1),
        (b"\x00\x01ab", 1),
        (b"", 1),
        (b"\xff\xff", 1),
    ],
)
def test_bundle_that_does_not_add_up_is_refused(bundle, count):
    with pytest.raises(Refusal) as refused:
        read_entries(bundle, count)
    assert refused.value.code is Code.INVALID_PROOF


def test_largest_entry_fits():
    entry = bytes(65_535)
    assert read_entries(write_entries([entry, b""]), 2) == [entry, b""]
