"""The tree in tiles: 256 neighbouring hashes of every eighth level, each with an address of its own.

A tile at level `l` holds hashes of subtrees of 256**l leaves; at level 0 these are the leaves. What lies between two levels is
hashed again by whoever needs it. Only the last tile of a level is not full, and it only ever grows at its end: a tile of an
older, smaller tree is the beginning of the one that is kept.

Spec: C2SP tlog-tiles, "Merkle Tree" and "Log entries"
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from regcert.errors import Code, Refusal
from regcert.translog.tree import HASH_BYTES, tree_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MOST_SIZE = 2**63 - 1
MOST_ENTRY_BYTES = 2**16 - 1

Place: TypeAlias = tuple[int, int]
"""A tile's level and its number within the level."""
Tiles: TypeAlias = Mapping[Place, bytes]

_MOST_PATH = 80
_NAME = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII)
_MOST_LEVEL = 63


@dataclass(frozen=True, slots=True)
class TileName:
    """What a tile or a bundle of entries is called.

    Args:
        level: 0 to 63, or None for a bundle of entries.
        number: its place within the level, from 0.
        width: hashes or entries in it, 1 to 256; 256 is a full one.
    """

    level: int | None
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Its address below the log's prefix, such as `tile/0/x001/067.p/12`.

        Spec: C2SP tlog-tiles, "Merkle Tree": numbers in groups of three digits, all but the last behind an `x`
        """
        digits = str(self.number)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{number}{partial}"


def read_tile_name(path: str) -> TileName:
    """Read an address below the log's prefix; each tile has exactly one.

    Args:
        path: whatever a stranger asked for.

    Raises:
        Refusal: NOT_FOUND. Whether the tree has such a tile is for the caller to find out.
    """
    found = _NAME.fullmatch(path) if len(path) <= _MOST_PATH else None
    if found is not None:
        level = None if found[1] == "entries" else int(found[1])
        number = int(found[2].replace("x", "").replace("/", ""))
        name = TileName(level, number, TILE_WIDTH if found[3] is None else int(found[3]))
        if 1 <= name.width <= TILE_WIDTH and (level or 0) <= _MOST_LEVEL and name.path == path:
            return name
    raise Refusal(Code.NOT_FOUND, "no tile has such an address; docs/transparency-log.md says how they are made")


def tile_width(level: int, number: int, size: int) -> int:
    """Say how many hashes of a tile a tree has, 0 to 256; level 0 also for bundles of entries.

    Args:
        level: from 0.
        number: from 0.
        size: leaves of the tree.

    Spec: C2SP tlog-tiles, "Partial Tiles"
    """
    return max(0, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - number * TILE_WIDTH))


def place_of(level: int, index: int) -> Place:
    """Say in which tile the hash of a complete subtree is found, or is hashed from.

    Args:
        level: the subtree has 2**level leaves.
        index: its place among the subtrees of that size, from 0.
    """
    return level // TILE_HEIGHT, index << level % TILE_HEIGHT >> TILE_HEIGHT


def node_reader(tiles: Tiles) -> Callable[[int, int], bytes]:
    """Make the function that proofs are made with, from tiles that were loaded before.

    Args:
        tiles: each at least as wide as the tree that is asked about makes it; wider is as good.

    Returns:
        From the level and index of a complete subtree to its hash. A subtree that its tile does not hold raises ValueError, and
        a tile that is not there KeyError: both are faults of whoever loaded them.
    """

    def read_node(level: int, index: int) -> bytes:
        hashes = tiles[place_of(level, index)]
        count = 1 << level % TILE_HEIGHT
        start = index * count % TILE_WIDTH
        part = hashes[start * HASH_BYTES : (start + count) * HASH_BYTES]
        if len(part) != count * HASH_BYTES:
            raise ValueError(f"tile {place_of(level, index)} holds no subtree of level {level} at {index}")
        return tree_hash([part[at : at + HASH_BYTES] for at in range(0, len(part), HASH_BYTES)])

    return read_node


def tiles_to_grow(size: int, count: int) -> list[Place]:
    """List the tiles that must be read before a tree can grow: the last one of each level that gets new hashes.

    Args:
        size: leaves of the tree so far.
        count: leaves that come to it.
    """
    places: list[Place] = []
    level = 0
    while size >> TILE_HEIGHT * level != size + count >> TILE_HEIGHT * level:
        entries = size >> TILE_HEIGHT * level
        if entries % TILE_WIDTH:
            places.append((level, entries // TILE_WIDTH))
        level += 1
    return places


def grow(size: int, leaf_hashes: Sequence[bytes], read_tile: Callable[[int, int], bytes]) -> dict[Place, bytes]:
    """Append leaves to a tree.

    Args:
        size: leaves of the tree so far.
        leaf_hashes: of those that come to it, in order.
        read_tile: gives a tile as it is kept; asked for those of `tiles_to_grow` only.

    Returns:
        Each tile that is new or has grown, as a whole. A full tile is hashed into the level above, a partial one is not.

    Raises:
        ValueError: a tile is not as wide as the size says. Nothing may be signed then.

    Spec: C2SP tlog-tiles, "Merkle Tree"
    """
    changed: dict[Place, bytes] = {}
    level, coming = 0, list(leaf_hashes)
    while coming:
        number, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
        tile = read_tile(level, number) if width else b""
        if len(tile) != width * HASH_BYTES:
            raise ValueError(f"tile {level}/{number} holds {len(tile)} bytes where the tree has {width} hashes")
        carried: list[bytes] = []
        while coming:
            room = TILE_WIDTH - width
            tile += b"".join(coming[:room])
            changed[level, number] = tile
            width += len(coming[:room])
            coming = coming[room:]
            if width == TILE_WIDTH:
                carried.append(tree_hash([tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]))
                number, width, tile = number + 1, 0, b""
        level, coming = level + 1, carried
    return changed


def write_entries(entries: Sequence[bytes]) -> bytes:
    """Write a bundle of up to 256 entries, each of at most 65,535 bytes, with its length before it.

    Spec: C2SP tlog-tiles, "Log entries"
    """
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def read_entries(bundle: bytes, count: int) -> list[bytes]:
    """Read a bundle.

    Args:
        bundle: at most 256 entries of 65,537 bytes; the caller has counted them.
        count: how many entries stand in it.

    Raises:
        Refusal: INVALID_PROOF.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        end = at + 2 + int.from_bytes(bundle[at : at + 2])
        entries.append(bundle[at + 2 : end])
        at = end
    if at != len(bundle):
        raise Refusal(Code.INVALID_PROOF, "a bundle of log entries is not as long as its entries say; fetch it again")
    return entries
