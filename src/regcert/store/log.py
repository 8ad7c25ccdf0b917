"""The transparency log as the database keeps it: its entries, and the tiles that are computed from them.

Entries are numbered from 0 without a gap, in the order in which they become visible: the host's order lock is held from the
number to the commit (law 2). Tiles follow in transactions of their own; nothing is signed before they were read back.

Spec: RFC 6962 §2.1, C2SP tlog-tiles (tiles of height 8)
"""

from collections.abc import Iterable
from functools import partial

from sqlalchemy import BigInteger, Integer, bindparam, insert, select, update

from regcert.errors import Code, Refusal
from regcert.store.order import lock_order
from regcert.store.programs import Program, Statement
from regcert.store.tables import table
from regcert.store.trust_tables import LogLeafRow, LogTileRow
from regcert.translog.tiles import MOST_ENTRY_BYTES, TILE_WIDTH, Place, Tiles, grow, tiles_to_grow
from regcert.translog.tree import HASH_BYTES, leaf_hash

_LEAVES = table(LogLeafRow)
_TILES = table(LogTileRow)
_HERE = (
    _TILES.c.level == bindparam("at_level", type_=Integer),
    _TILES.c.number == bindparam("at_number", type_=BigInteger),
)
_LAST = Statement(lambda _: select(_LEAVES.c.leaf_index).order_by(_LEAVES.c.leaf_index.desc()).limit(1))
_ADD_LEAF = Statement(lambda _: insert(_LEAVES).values(leaf_index=bindparam("leaf_index"), entry=bindparam("entry")))
_FROM = Statement(
    lambda _: (
        select(_LEAVES.c.leaf_index, _LEAVES.c.entry)
        .where(_LEAVES.c.leaf_index >= bindparam("first", type_=BigInteger))
        .order_by(_LEAVES.c.leaf_index)
        .limit(bindparam("most", type_=Integer))
    )
)
_TILE = Statement(lambda _: select(_TILES.c.hashes).where(*_HERE))
_LAST_TILE = Statement(
    lambda _: (
        select(_TILES.c.number, _TILES.c.hashes)
        .where(_TILES.c.level == bindparam("at_level", type_=Integer))
        .order_by(_TILES.c.number.desc())
        .limit(1)
    )
)
_ADD_TILE = Statement(
    lambda _: insert(_TILES).values(level=bindparam("level"), number=bindparam("number"), hashes=bindparam("hashes"))
)
_GROW_TILE = Statement(lambda _: update(_TILES).where(*_HERE).values(hashes=bindparam("grown")))


def append_leaf(entry: bytes) -> Program[int]:
    """Enter something into the log, in the transaction of what it tells.

    Args:
        entry: what to enter, 1 to 65,535 bytes.

    Returns:
        Its index.

    Raises:
        ValueError: where the entry has another length; who writes entries bounds what goes into them.
    """
    if not 1 <= len(entry) <= MOST_ENTRY_BYTES:
        raise ValueError("an entry of the log has 1 to 65,535 bytes")
    yield from lock_order()
    index = yield from count_leaves()
    yield _ADD_LEAF, {"leaf_index": index, "entry": entry}
    return index


def count_leaves() -> Program[int]:
    """Return how many entries the log has."""
    rows = yield _LAST, {}
    return int(rows[0][0]) + 1 if rows else 0


def list_leaves(first: int, most: int) -> Program[list[bytes]]:
    """List entries.

    Args:
        first: the index to begin at.
        most: how many at most.

    Returns:
        Those that are there, up to the first gap: a log without one of its entries ends before it.
    """
    rows = yield _FROM, {"first": first, "most": most}
    return [bytes(entry) for place, (index, entry) in enumerate(rows) if index == first + place]


def count_hashed() -> Program[int]:
    """Return how many entries the tiles cover."""
    rows = yield _LAST_TILE, {"at_level": 0}
    return int(rows[0][0]) * TILE_WIDTH + len(rows[0][1]) // HASH_BYTES if rows else 0


def find_tile(level: int, number: int) -> Program[bytes | None]:
    """Find the hashes of one tile, as many as there are."""
    rows = yield _TILE, {"at_level": level, "at_number": number}
    return bytes(rows[0][0]) if rows else None


def read_tiles(places: Iterable[Place]) -> Program[dict[Place, bytes]]:
    """Read some tiles, each by its level and number; those that are not there are left out."""
    found: dict[Place, bytes] = {}
    for place in places:
        hashes = yield from find_tile(*place)
        if hashes is not None:
            found[place] = hashes
    return found


def grow_tiles(until: int) -> Program[int]:
    """Hash entries that no tile covers yet, and write the tiles that this makes or fills.

    1. Under the order lock, find out where the tiles end: two that grow them at once would write over each other.
    2. Hash entry by entry, a tile's worth at a time, so that large ones are not all in memory together.
    3. Write what has grown.

    Args:
        until: how many entries the tiles may cover at most.

    Returns:
        How many entries the tiles cover now.

    Raises:
        Refusal: LOG_FORK where a tile is not as wide as the tree says.
    """
    yield from lock_order()  # 1
    size = yield from count_hashed()
    while size < until:
        entries = yield from list_leaves(size, min(TILE_WIDTH - size % TILE_WIDTH, until - size))  # 2
        if not entries:
            break
        before = yield from read_tiles(tiles_to_grow(size, len(entries)))
        try:
            grown = grow(size, [leaf_hash(entry) for entry in entries], partial(_read_tile, before))
        except ValueError as error:
            raise Refusal(Code.LOG_FORK, f"{error}; find out what changed the database") from error
        for (level, number), hashes in grown.items():  # 3
            if (level, number) in before:
                yield _GROW_TILE, {"at_level": level, "at_number": number, "grown": hashes}
            else:
                yield _ADD_TILE, {"level": level, "number": number, "hashes": hashes}
        size += len(entries)
    return size


def _read_tile(tiles: Tiles, level: int, number: int) -> bytes:
    return tiles.get((level, number), b"")
