"""A witness's day: look at the log, check that it continues, cosign, hand in, wait.

The witness asks the host and nobody asks the witness: a member team needs no door of its own to the network.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from regcert.clock import SECOND_US, Clock
from regcert.errors import Code, Refusal
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.proofs import consistency_proof, tiles_for_consistency
from regcert.translog.tiles import node_reader
from regcert.verification.comparing import Comparison, compare_by_tiles, tiles_to_compare
from regcert.verification.log_reader import LogReader
from regcert.verification.witness import Witness

MOST_DELAY_S = 600.0


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often a witness looks.

    Args:
        every_s: between two looks, seconds.
        refresh_s: after which it cosigns a checkpoint again that is still the newest, so that readers see it is, seconds.
    """

    every_s: float = 15.0
    refresh_s: float = 300.0


async def witness_once(reader: LogReader, witness: Witness, clock: Clock, refresh_s: float) -> Checkpoint | None:
    """Look at the log once, and cosign what it shows if that continues what it has shown before.

    The proof is made here, from the tiles: what the host would say about its own proofs is not asked.

    Returns:
        What was cosigned and handed in, or None where that was done before and is not old.

    Raises:
        Refusal: LOG_FORK where the log has told two stories, which is proven and kept; others where nothing was cosigned.
    """
    data = await reader.fetch_checkpoint()
    note, newest = witness.read(data)
    last = await asyncio.to_thread(witness.find_last)
    if newest == last:
        cosigned_s = witness.find_cosigned_s(note)
        if cosigned_s is not None and clock.now_us() // SECOND_US < cosigned_s + refresh_s:
            return None
    old_size = last.size if last else 0
    proof: list[bytes] = []
    if last and old_size < newest.size:
        tiles = await reader.fetch_tiles(tiles_for_consistency(old_size, newest.size), newest.size)
        proof = consistency_proof(old_size, newest.size, node_reader(tiles))
    try:
        cosigned = await asyncio.to_thread(witness.cosign, data, old_size, proof)
    except Refusal as refusal:
        if refusal.code is Code.INVALID_PROOF and last:
            raise await _find_fork(reader, witness, last, data) or refusal from refusal
        raise
    await reader.hand_in(cosigned.write())
    return newest


async def keep_witnessing(
    reader: LogReader, witness: Witness, clock: Clock, rounds: Rounds, tell: Callable[[Checkpoint | Refusal], None]
) -> None:
    """Look again and again; who wants it to end cancels it, at any moment.

    Args:
        reader: of the host's log.
        witness: of this log.
        clock: as the witness's.
        rounds: how often.
        tell: is told what was cosigned, and what went wrong; then there is more time before the next look, up to ten minutes.

    Raises:
        Refusal: LOG_FORK: there is nothing more to witness. INVALID_SETTING: the witness cannot remember.
    """
    failed = 0
    while True:
        try:
            cosigned = await witness_once(reader, witness, clock, rounds.refresh_s)
        except Refusal as refusal:
            if refusal.code in {Code.LOG_FORK, Code.INVALID_SETTING}:
                raise
            failed += 1
            tell(refusal)
        else:
            failed = 0
            if cosigned is not None:
                tell(cosigned)
        await asyncio.sleep(min(rounds.every_s * 2.0 ** min(failed, 30), max(MOST_DELAY_S, rounds.every_s)))


async def _find_fork(reader: LogReader, witness: Witness, last: Checkpoint, data: bytes) -> Refusal | None:
    """Find out whether a proof fails because the tiles are bad, or because the log has told two stories."""
    _, newest = witness.read(data)
    tiles = await reader.fetch_tiles(tiles_to_compare(last, newest), newest.size)
    if compare_by_tiles(last, newest, tiles) is not Comparison.FORK:
        return None
    return await asyncio.to_thread(witness.accuse, data, tiles)
