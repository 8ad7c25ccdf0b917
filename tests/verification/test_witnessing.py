"""The witness's day against a host that lies, over a socket: each lie is found at the first look behind it."""

import asyncio
import os
import signal
import sys
from itertools import product
from pathlib import Path

import pytest

from regcert.domain.verifier_key import NoteKeyKind, VerifierKey
from regcert.errors import Code, Refusal
from regcert.signing.note import Note, Signature, read_cosignature, read_note, sign_note
from regcert.signing.note_key import WitnessKey
from regcert.signing.private_key import private_key_of
from regcert.translog.checkpoint import Checkpoint, read_checkpoint
from regcert.translog.policy import read_policy
from regcert.translog.tiles import TileName, tile_width
from regcert.verification.comparing import Comparison, compare_by_tiles, tiles_to_compare
from regcert.verification.witness import Witness
from regcert.verification.witnessed import read_witnessed
from regcert.verification.witnessing import Rounds, keep_witnessing, witness_once
from tests.hosting import StillClock
from tests.translog.trees import Tree
from tests.verification.lying import KEY, LOG, ORIGIN, TOKEN, Host, checkpoint, reading, run_lying_host, signed

MINE = WitnessKey("cert.example/witness", bytes([7] * 32))


@pytest.fixture
async def host():
    async with run_lying_host() as host:
        yield host


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def witness(tmp_path, clock) -> Witness:
    return Witness(MINE, LOG, tmp_path / "state", clock)


async def look(host: Host, witness: Witness, clock: StillClock) -> Checkpoint | None:
    async with reading(host) as reader:
        return await witness_once(reader, witness, clock, refresh_s=300)


async def refused(host: Host, witness: Witness, clock: StillClock) -> Code:
    with pytest.raises(Refusal) as answer:
        await look(host, witness, clock)
    return answer.value.code


async def test_growing_log_is_cosigned_look_by_look(host, witness, clock):
    for size in (0, 1, 5, 255, 256, 257, 600, 70_000):
        host.show(size)
        assert await look(host, witness, clock) == checkpoint(size)
        handed_in = read_note(host.handed_in[-1])
        assert read_checkpoint(handed_in.text) == checkpoint(size)
        assert read_cosignature(handed_in, MINE.verifier) == clock.at_us // 1_000_000
    assert len(host.asked) < 8 * 12, "a proof needs few tiles"


async def test_what_was_cosigned_is_cosigned_again_only_when_it_is_old(host, witness, clock):
    """Readers tell a quiet log from a frozen one by how late a witness still saw nothing newer."""
    host.show(5)
    await look(host, witness, clock)
    clock.at_us += 299_000_000
    assert await look(host, witness, clock) is None
    clock.at_us += 1_000_000
    assert await look(host, witness, clock) == checkpoint(5)
    assert len(host.handed_in) == 2


async def test_what_was_remembered_and_not_handed_in_is_handed_in_later(host, witness, clock):
    """Killed, or cut off, between writing it down and handing it in: the same checkpoint is cosigned again."""
    witness.cosign(signed(5), 0, [])
    host.show(5)
    assert await look(host, witness, clock) == checkpoint(5)
    assert len(host.handed_in) == 1


async def test_full_tile_serves_where_the_partial_one_is_gone(host, witness, clock):
    host.show(200)
    await look(host, witness, clock)
    host.show(230)
    host.tree, host.full_only = Tree(256), True
    assert await look(host, witness, clock) == checkpoint(230)
    async with reading(host) as reader:
        assert await reader.fetch_tiles([(0, 0)], 230) == Tree(230).tiles


async def test_second_root_of_one_size_is_found(host, witness, clock, tmp_path):
    host.show(5)
    await look(host, witness, clock)
    host.show(5, "other")
    assert await refused(host, witness, clock) is Code.LOG_FORK
    assert len(list((tmp_path / "state").glob("fork-*.note"))) == 2
    assert len(host.handed_in) == 1


@pytest.mark.parametrize(("old", "new"), [(1, 2), (5, 9), (256, 300), (255, 600), (300, 70_000)])
async def test_story_that_was_changed_and_went_on_is_found(host, witness, clock, tmp_path, old, new):
    """The second history is larger: its own tiles prove that it does not begin with the first, and they are kept."""
    host.show(old)
    await look(host, witness, clock)
    host.show(new, "other")
    assert await refused(host, witness, clock) is Code.LOG_FORK
    assert len(list((tmp_path / "state").glob("fork-*.note"))) == 2
    [kept] = (tmp_path / "state").glob("fork-*.tiles")
    one, other = checkpoint(old), checkpoint(new, "other")
    tiles = {
        place: (kept / TileName(*place, tile_width(*place, new)).path).read_bytes() for place in tiles_to_compare(one, other)
    }
    assert compare_by_tiles(one, other, tiles) is Comparison.FORK
    assert len(host.handed_in) == 1


async def test_tiles_that_belong_to_no_checkpoint_are_no_fork(host, witness, clock, tmp_path):
    """They are nobody's signature; perhaps a disk is broken. Nothing is cosigned, and it is looked at again."""
    host.show(5)
    await look(host, witness, clock)
    host.show(9)
    host.tree = Tree(9, "damaged")
    assert await refused(host, witness, clock) is Code.INVALID_PROOF
    assert not list((tmp_path / "state").glob("fork-*"))
    host.show(9)
    assert await look(host, witness, clock) == checkpoint(9)


async def test_rolled_back_log_is_refused(host, witness, clock):
    host.show(9)
    await look(host, witness, clock)
    host.show(5)
    assert await refused(host, witness, clock) is Code.INVALID_CHECKPOINT
    assert len(host.handed_in) == 1


async def test_size_that_nobody_has_is_refused(host, witness, clock):
    """A checkpoint of 2^63 - 1 entries: a few tiles are asked for, and are not there."""
    host.show(5)
    await look(host, witness, clock)
    host.note = sign_note(Checkpoint(ORIGIN, 2**63 - 1, bytes(32)).text(), KEY, ORIGIN).write()
    assert await refused(host, witness, clock) is Code.NOT_FOUND
    assert len(host.asked) < 10


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, Code.UNAUTHENTICATED),
        (404, Code.NOT_FOUND),
        (500, Code.REFUSED_BY_SERVER),
        (503, Code.BUSY),
        (302, Code.REFUSED_BY_SERVER),
    ],
)
async def test_host_that_says_no_is_heard(host, witness, clock, status, code):
    host.status = status
    assert await refused(host, witness, clock) is code


async def test_answer_without_bounds_is_refused(host, witness, clock):
    host.note = b"a" * (1024 * 1024 + 1)
    assert await refused(host, witness, clock) is Code.INVALID_CHECKPOINT


async def test_witness_is_patient_and_ends_at_a_fork(host, witness, clock, monkeypatch):
    """Errors make it wait longer, success makes it look often again; a fork is the end."""
    told: list[object] = []
    waited: list[float] = []
    plan = iter(
        [lambda: setattr(host, "status", 503), None, lambda: setattr(host, "status", 200), None, lambda: host.show(5, "other")]
    )
    sleep = asyncio.sleep

    async def still(delay_s: float) -> None:
        waited.append(delay_s)
        change = next(plan)
        if change is not None:
            change()
        await sleep(0)

    monkeypatch.setattr("regcert.verification.witnessing.asyncio.sleep", still)
    host.show(5)
    async with reading(host) as reader:
        with pytest.raises(Refusal) as ended:
            await keep_witnessing(reader, witness, clock, Rounds(15, 300), told.append)
    assert ended.value.code is Code.LOG_FORK
    assert waited == [15, 30, 60, 15, 15]
    assert [getattr(one, "code", one) for one in told] == [checkpoint(5), Code.BUSY, Code.BUSY]


async def test_second_story_finds_no_quorum_among_honest_witnesses(host, clock, tmp_path):
    """Four witnesses, one of whom cosigns everything: however the host divides the others, one story at most has three."""
    keys = [WitnessKey(f"w{number}", bytes([number + 1] * 32)) for number in range(4)]
    names = [key.name for key in keys]
    lines = [f"log {LOG.text}", *(f"witness {key.name} {key.verifier.text}" for key in keys)]
    policy = read_policy("\n".join([*lines, f"group g 3 {' '.join(names)}", "quorum g"]).encode())
    for shown in product(("", "other"), repeat=3):
        stories = {of: read_note(signed(5, of)) for of in ("", "other")}
        for of, note in stories.items():
            stories[of] = note.with_signature(keys[3].cosign(note.text, 1))
        for key, first in zip(keys, shown, strict=False):
            witness = Witness(key, LOG, tmp_path / "-".join(["s", *shown]) / key.name, clock)
            for of in (first, "other" if first == "" else ""):  # and the other story after that
                host.show(5, of)
                if of == first:
                    await look(host, witness, clock)
                    stories[of] = stories[of].with_signature(read_note(host.handed_in[-1]).signatures[-1])
                else:
                    assert await refused(host, witness, clock) is Code.LOG_FORK
        judged = [read_witnessed(note.write(), policy) for note in stories.values()]
        assert sum(one.is_quorum for one in judged) <= 1
        assert sorted(len(one.first_s) for one in judged) in ([1, 4], [2, 3])


def test_checkpoint_is_seen_through_the_policy():
    """Lines of witnesses that the policy does not name count for nothing; a false line of one that it names refuses the note."""
    known, stranger = WitnessKey("w", bytes([1] * 32)), WitnessKey("x", bytes([2] * 32))
    policy = read_policy(f"log {LOG.text}\nwitness W {known.verifier.text}\nquorum W\n".encode())
    note = read_note(signed(5)).with_signature(stranger.cosign(checkpoint(5).text(), 10))
    seen = read_witnessed(note.write(), policy)
    assert (seen.is_quorum, seen.first_s, seen.trusted_s, seen.fresh_s) == (False, {}, None, None)
    note = note.with_signature(known.cosign(note.text, 50)).with_signature(known.cosign(note.text, 20))
    seen = read_witnessed(note.write(), policy)
    assert (seen.checkpoint, seen.is_quorum, seen.trusted_s, seen.fresh_s) == (checkpoint(5), True, 20, 50)
    forged = Note(note.text, (*note.signatures[:-1], stranger.cosign(note.text, 20)))
    line = forged.signatures[-1]
    forged = forged.with_signature(Signature("w", known.verifier.key_hash, line.value))
    with pytest.raises(Refusal) as bad:
        read_witnessed(forged.write(), policy)
    assert bad.value.code is Code.INVALID_COSIGNATURE
    other = VerifierKey("other.example", NoteKeyKind.ED25519, LOG.public)
    stranger_key = private_key_of(bytes(32))
    line = Signature(ORIGIN, LOG.key_hash, stranger_key.sign(note.text.encode()))
    with pytest.raises(Refusal) as unsigned:
        read_witnessed(Note(note.text, (line, *note.signatures[1:])).write(), policy)
    assert unsigned.value.code is Code.INVALID_CHECKPOINT
    with pytest.raises(Refusal) as foreign:
        read_witnessed(signed(5), read_policy(f"log {other.text}\nquorum none\n".encode()))
    assert foreign.value.code is Code.INVALID_CHECKPOINT


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "witness.key"
    path.write_bytes(MINE.write())
    return path


async def test_witness_runs_as_a_service_and_ends_when_told(host, key_file, tmp_path):
    """The command in a process of its own: cosigns, is told to end, ends with 0, goes on where it stood."""
    host.show(5)
    command = [sys.executable, "-m", "regcert", "witness", "run", "--key", str(key_file), "--log", LOG.text]
    command += ["--server", host.url, "--state", str(tmp_path / "state"), "--every", "1s"]
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "REGCERT_TOKEN": TOKEN}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 30)).decode() == f"cosigned 5 {checkpoint(5).root.hex()}\n"
    process.send_signal(signal.SIGTERM)
    _, words = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0, words
    assert b"goes on from here" in words
    host.show(5, "other")
    process = await asyncio.create_subprocess_exec(
        *command, "--token", TOKEN, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, words = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, said) == (16, b"")
    assert b"[log-fork]" in words
    assert len(list((tmp_path / "state").glob("fork-*.note"))) == 2
