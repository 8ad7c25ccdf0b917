"""Read the transparency log: what is published of it, and nothing beyond.

Spec: C2SP tlog-tiles
"""

from dataclasses import dataclass

from regcert.errors import Code, Refusal
from regcert.flows.prove import write_cosigned
from regcert.store.checkpoints import Published, Witness, find_newest, find_witnessed, list_witnesses
from regcert.store.database import Database
from regcert.store.log import find_tile, list_leaves
from regcert.store.programs import Program
from regcert.translog.tiles import TILE_WIDTH, TileName, tile_width, write_entries
from regcert.translog.tree import HASH_BYTES


@dataclass(frozen=True, slots=True)
class Described:
    """What there is to know of the log before one reads it.

    Args:
        size: how many entries the newest checkpoint is of.
        witnesses: whose cosignatures this host takes.
    """

    size: int
    witnesses: tuple[Witness, ...]


async def describe_log(database: Database) -> Described:
    """Say how long the log is, and who watches it."""
    newest = await database.run(find_newest())
    return Described(newest.size if newest else 0, tuple(await database.run(list_witnesses())))


async def get_checkpoint(database: Database) -> bytes:
    """Get the newest checkpoint, with the cosignatures that it has by now.

    Raises:
        Refusal: NOT_FOUND.
    """
    return await database.run(_write(find_newest()))


async def get_witnessed(database: Database, quorum: int = 0) -> bytes:
    """Get the newest checkpoint that enough witnesses cosigned, among the 64 newest that anybody cosigned.

    Args:
        database: where from.
        quorum: how many are enough; 0 for as many as any of these has.

    Raises:
        Refusal: NOT_FOUND.
    """
    return await database.run(_write(find_witnessed(quorum=quorum)))


async def get_tile(database: Database, name: TileName) -> bytes:
    """Get a tile, or a bundle of entries, exactly as wide as its name says.

    Raises:
        Refusal: NOT_FOUND where the newest checkpoint does not cover it.
    """
    return await database.run(_read(name))


def _write(find: Program[Published | None]) -> Program[bytes]:
    checkpoint = yield from find
    if checkpoint is None:
        raise Refusal(Code.NOT_FOUND, "the log has no such checkpoint yet; ask again later")
    return (yield from write_cosigned(checkpoint, renewed=True))


def _read(name: TileName) -> Program[bytes]:
    newest = yield from find_newest()
    level = name.level or 0
    if newest is None or name.width > tile_width(level, name.number, newest.size):
        raise Refusal(Code.NOT_FOUND, "no published checkpoint covers that tile")
    if name.level is None:
        return write_entries((yield from list_leaves(name.number * TILE_WIDTH, name.width)))
    tile = yield from find_tile(level, name.number)
    return (tile or b"")[: name.width * HASH_BYTES]
