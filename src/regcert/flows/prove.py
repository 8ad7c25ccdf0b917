"""Prove to a reader that what it has stands in the log: all that a verifier needs who does not believe this host."""

from collections.abc import Sequence
from dataclasses import dataclass

from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.record_reading import note_proof
from regcert.policy.permissions import Permission, require
from regcert.signing.note import read_note
from regcert.stix.timestamps import read_timestamp
from regcert.store.checkpoints import Published, find_newest, find_witnessed, list_first_witnessed, list_lines
from regcert.store.database import Database
from regcert.store.keys import EnteredList, list_key_lists
from regcert.store.log import list_leaves, read_tiles
from regcert.store.programs import Program
from regcert.store.proofs import Kept, Readable, find_kept, get_readable
from regcert.translog.checkpoint import read_checkpoint
from regcert.translog.proof_file import ProofFile
from regcert.translog.proofs import inclusion_proof, require_included, tiles_for_inclusion
from regcert.translog.tiles import node_reader
from regcert.translog.tree import leaf_hash


@dataclass(frozen=True, slots=True)
class ProvenList:
    """One version of a team's key list, with its proof.

    Args:
        entered: the list, and its place in the log.
        proof: a tlog-proof, or None where no checkpoint includes it yet.
    """

    entered: EnteredList
    proof: bytes | None


@dataclass(frozen=True, slots=True)
class Proven:
    """An object, who vouches for it, and the proof that the log knows.

    Args:
        kept: the object's version and its publication.
        readable: the collection that it stands in.
        proof: a tlog-proof of the publication's leaf; None where nobody signed, or no checkpoint includes it yet.
        first: for each number of cosignatures, the tlog-proof against the first checkpoint that has so many: they tell since
            when the leaf was there.
        key_lists: of the team that signed, oldest first.
    """

    kept: Kept
    readable: Readable
    proof: bytes | None
    first: tuple[bytes, ...]
    key_lists: tuple[ProvenList, ...]


async def prove(database: Database, principal: Principal, collection: str, stix_id: str, version: str) -> Proven:
    """Prove one version of an object.

    1. The collection must be one that the principal may read, and the object must stand in it; else both are not there.
    2. The newest checkpoint that includes the leaf and that the most witnesses cosigned; where none did, the newest.
    3. Each proof is checked before it leaves: one that shows nothing would look as if this host had lied.
    4. That somebody is shown something marked AMBER+STRICT or RED is written down first.

    Args:
        database: where from.
        principal: who asks.
        collection: its id or alias.
        stix_id: which object.
        version: its `modified`, else its `created`, else when it was added.

    Raises:
        Refusal: NOT_FOUND.
        RuntimeError: where tiles and entries do not give the root that was signed.
    """
    require(principal, Permission.READ)
    try:
        version_us = read_timestamp(version)
    except Refusal:
        raise _not_there() from None
    proven = await database.run(_prove(principal, collection, stix_id, version, version_us))
    await note_proof(database, principal, proven.readable.collection_id, collection, stix_id)  # 4
    return proven


def _prove(principal: Principal, collection: str, stix_id: str, version: str, version_us: int) -> Program[Proven]:
    readable = yield from get_readable(principal, collection)  # 1
    kept = yield from find_kept(readable.collection_id, stix_id, version, version_us)
    if kept is None:
        raise _not_there()
    listed = kept.publication
    if listed is None:
        return Proven(kept, readable, None, (), ())
    checkpoint = yield from _find_checkpoint(listed.leaf_index)  # 2
    key_lists = yield from list_key_lists(listed.team_id)
    entered = [one.leaf_index for one in key_lists]
    proofs = yield from _write_proofs(checkpoint, [listed.leaf_index, *entered])  # 3
    first: list[bytes] = []
    for earlier in (yield from list_first_witnessed(listed.leaf_index + 1)):
        first += filter(None, (yield from _write_proofs(earlier, [listed.leaf_index])))
    proven = tuple(ProvenList(one, proof) for one, proof in zip(key_lists, proofs[1:], strict=True))
    return Proven(kept, readable, proofs[0], tuple(first), proven)


def _find_checkpoint(leaf_index: int) -> Program[Published | None]:
    found = yield from find_witnessed(leaf_index + 1)
    return found or (yield from find_newest())


def _write_proofs(checkpoint: Published | None, indexes: Sequence[int]) -> Program[list[bytes | None]]:
    """Write the proof of each leaf against one checkpoint; None for a leaf that it does not include.

    Args:
        checkpoint: against which, if there is one.
        indexes: of the leaves.
    """
    if checkpoint is None:
        return [None] * len(indexes)
    note = yield from write_cosigned(checkpoint)
    proofs: list[bytes | None] = []
    for index in indexes:
        included = index < checkpoint.size
        proofs.append((yield from _write_proof(checkpoint, index, note)) if included else None)
    return proofs


def _write_proof(checkpoint: Published, index: int, note: bytes) -> Program[bytes]:
    tiles = yield from read_tiles(tiles_for_inclusion(index, checkpoint.size))
    entries = yield from list_leaves(index, 1)
    root = read_checkpoint(read_note(checkpoint.note).text).root
    try:
        hashes = inclusion_proof(index, checkpoint.size, node_reader(tiles))
        require_included(leaf_hash(entries[0]), index, checkpoint.size, hashes, root)
    except (KeyError, ValueError, IndexError, Refusal) as error:
        raise RuntimeError(f"the log does not prove its entry {index}: 'regcert log verify' names what was changed") from error
    return ProofFile(index, tuple(hashes), note).write()


def write_cosigned(checkpoint: Published, *, renewed: bool = False) -> Program[bytes]:
    """Write a checkpoint with the lines of all witnesses who cosigned it.

    What each said first tells since when the log had its entries.

    Args:
        checkpoint: as it was published.
        renewed: whether what each said last stands there, too: it tells until when the log had no more.
    """
    note = checkpoint.note
    for one in (yield from list_lines(checkpoint.size)):
        note += one.first + b"\n"
        if renewed and one.last != one.first:
            note += one.last + b"\n"
    return note


def _not_there() -> Refusal:
    return Refusal(Code.NOT_FOUND, "there is no such object in this collection")
