"""Two checkpoints of one log, held side by side: do they agree, or has the log told two stories?"""

from enum import StrEnum

from regcert.translog.checkpoint import Checkpoint
from regcert.translog.proofs import root_of, tiles_for_root
from regcert.translog.tiles import Place, Tiles, node_reader


class Comparison(StrEnum):
    """What two checkpoints, both signed by the log, say together."""

    AGREE = "agree"
    FORK = "fork"
    UNDECIDED = "undecided"
    """Their sizes differ: the tiles of the larger tree decide."""


def compare(one: Checkpoint, other: Checkpoint) -> Comparison:
    """Compare two checkpoints by themselves.

    Args:
        one: signed by the log.
        other: signed by the same key; who compares has verified both.

    Spec: C2SP tlog-checkpoint, "Signatures": a log never signs two that contradict each other
    """
    if one.size != other.size:
        return Comparison.UNDECIDED
    return Comparison.AGREE if one.root == other.root else Comparison.FORK


def tiles_to_compare(one: Checkpoint, other: Checkpoint) -> list[Place]:
    """List the tiles that `compare_by_tiles` reads, as wide as the larger tree makes them."""
    return sorted({*tiles_for_root(one.size), *tiles_for_root(other.size)})


def compare_by_tiles(one: Checkpoint, other: Checkpoint, tiles: Tiles) -> Comparison:
    """Compare two checkpoints of different sizes by the tiles of the larger tree.

    Whoever hands out the tiles cannot lie: what does not hash to the larger checkpoint's root decides nothing.

    Args:
        one: signed by the log.
        other: signed by the same key.
        tiles: those of `tiles_to_compare`.
    """
    smaller, larger = sorted((one, other), key=lambda checkpoint: checkpoint.size)
    try:
        read_node = node_reader(tiles)
        if root_of(larger.size, read_node) != larger.root:
            return Comparison.UNDECIDED
        return compare(smaller, Checkpoint(smaller.origin, smaller.size, root_of(smaller.size, read_node)))
    except (KeyError, ValueError):  # tiles that are missing or too short
        return Comparison.UNDECIDED
