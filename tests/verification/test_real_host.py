"""A witness and the real host: what the one hands out the other cosigns, and hands in again."""

import asyncio
from functools import partial

import pytest

from regcert.assembly.parts import load_host_key
from regcert.domain.principal import Role
from regcert.errors import Refusal
from regcert.flows.add_witness import add_witness
from regcert.outbound.wire import open_wire
from regcert.signing.note import list_cosignatures, log_key, read_note
from regcert.signing.note_key import WitnessKey
from regcert.signing.private_key import private_key_of
from regcert.store.database import Tx
from regcert.store.log import append_leaf
from regcert.translog.checkpoint import read_checkpoint
from regcert.translog.leaf import AuditLeaf
from regcert.translog.proofs import root_of, tiles_for_root
from regcert.translog.tiles import node_reader
from regcert.verification.log_reader import LogReader
from regcert.verification.witness import Witness
from regcert.verification.witnessed import require_checkpoint
from regcert.verification.witnessing import witness_once
from tests.hosting import run_host

MINE = WitnessKey("cert.example/witness", bytes([7] * 32))


async def test_real_host_is_witnessed(tmp_path, settings, clock):
    """Leaves over a tile's edge, three looks, and the cosignatures in the checkpoint that everybody gets."""
    async with run_host(settings, clock) as host, open_wire(host.url, 10) as wire:
        reader = LogReader(wire, host.url, await host.token("alcirt", Role.CONSUMER))
        key = private_key_of(load_host_key(settings).derive("log"))
        size = read_checkpoint(read_note(await reader.fetch_checkpoint()).text).size
        verifier = log_key(read_note(await reader.fetch_checkpoint()).text.partition("\n")[0], key)
        witness = Witness(MINE, verifier, tmp_path / "state", clock)
        with pytest.raises(Refusal, match="ask the operator to enter it"):
            await witness_once(reader, witness, clock, 300)
        await add_witness(host.inside.database, clock, MINE.name, MINE.verifier.text, "alcirt")
        for count in (0, 1, 255, 300):
            size += count
            await host.inside.database.write(partial(_append, count=count))
            await _until_signed(reader, size)
            cosigned = await witness_once(reader, witness, clock, 300)
            assert cosigned is not None
            assert cosigned.size == size
            shown = read_note(await reader.fetch_checkpoint())
            assert require_checkpoint(shown, verifier) == cosigned
            assert list_cosignatures(shown, MINE.verifier) == [clock.at_us // 1_000_000]
            tiles = await reader.fetch_tiles(tiles_for_root(size), size)
            assert root_of(size, node_reader(tiles)) == cosigned.root
            assert await witness_once(reader, witness, clock, 300) is None


async def _append(tx: Tx, count: int) -> None:
    for number in range(1, count + 1):
        await tx.run(append_leaf(AuditLeaf(number, bytes(32)).write()))


async def _until_signed(reader: LogReader, size: int) -> None:
    for _ in range(500):
        if read_checkpoint(read_note(await reader.fetch_checkpoint()).text).size == size:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the host has not signed what was entered")
