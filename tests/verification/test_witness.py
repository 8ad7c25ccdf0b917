"""A witness cosigns one story, the first that it saw; whatever is shown to it, and wherever it is killed."""

import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from regcert import durable
from regcert.errors import Code, Refusal
from regcert.signing import note_key
from regcert.signing.note import Note, cosign, log_key, read_cosignature, read_note, sign_note, verify_note
from regcert.signing.note_key import WitnessKey
from regcert.signing.private_key import private_key_of
from regcert.translog.checkpoint import Checkpoint, read_checkpoint
from regcert.translog.proofs import consistency_proof
from regcert.translog.tree import EMPTY_ROOT
from regcert.verification import witness as witness_module
from regcert.verification.witness import Witness
from tests.hosting import StillClock
from tests.translog.trees import Tree
from tests.verification.lying import KEY, LOG, ORIGIN, checkpoint, signed

MINE = WitnessKey("cert.example/witness", bytes([7] * 32))
AT_S = StillClock().at_us // 1_000_000


@pytest.fixture
def witness(tmp_path) -> Witness:
    return Witness(MINE, LOG, tmp_path / "state", StillClock())


def proof(old: int, new: int, of: str = "") -> list[bytes]:
    return consistency_proof(old, new, Tree(new, of).read_node)


def code_of(check: Any, *arguments: Any) -> Code:
    with pytest.raises(Refusal) as refused:
        check(*arguments)
    return refused.value.code


def attempt(witness: Witness, data: bytes, old_size: int, *expected: Code) -> list[bytes]:
    """Cosign, or be refused for one of these reasons; return what was said."""
    try:
        return [witness.cosign(data, old_size, []).write()]
    except Refusal as refusal:
        if refusal.code not in expected:
            raise
        return []


def test_what_continues_the_log_is_cosigned(witness):
    """From nothing, over a tile's edge, and the same once more."""
    for old, new in ((0, 3), (3, 3), (3, 256), (256, 257), (257, 700)):
        cosigned = witness.cosign(signed(new), old, proof(old, new) if old else [])
        assert read_checkpoint(cosigned.text) == checkpoint(new)
        verify_note(cosigned, LOG)
        assert read_cosignature(cosigned, MINE.verifier) == AT_S
        assert witness.find_last() == checkpoint(new)


def test_witness_remembers_after_a_restart(witness, tmp_path):
    witness.cosign(signed(5), 0, [])
    again = Witness(MINE, LOG, tmp_path / "state", StillClock())
    assert again.find_last() == checkpoint(5)
    assert code_of(again.cosign, signed(5, "other"), 5, []) is Code.LOG_FORK


def test_another_key_than_the_logs_is_refused(witness):
    other = private_key_of(bytes(32))
    text = checkpoint(5).text()
    assert code_of(witness.cosign, sign_note(text, other, ORIGIN).write(), 0, []) is Code.INVALID_CHECKPOINT
    assert code_of(witness.cosign, sign_note(text, other, "other.example").write(), 0, []) is Code.INVALID_CHECKPOINT
    cosignature = Note(text, (cosign(text, KEY, ORIGIN, 1),)).write()
    assert code_of(witness.cosign, cosignature, 0, []) is Code.INVALID_CHECKPOINT
    assert witness.find_last() is None


def test_checkpoint_of_another_origin_is_refused(witness):
    """Signed by the log's key, which some other log uses too, under this log's name."""
    stolen = sign_note(Checkpoint("other.example", 5, checkpoint(5).root).text(), KEY, ORIGIN).write()
    assert code_of(witness.cosign, stolen, 0, []) is Code.INVALID_CHECKPOINT


def test_signed_text_that_is_no_checkpoint_is_refused(witness):
    for text in ("hello\n", f"{ORIGIN}\n5\n", checkpoint(5).text() + "more\n", Checkpoint(ORIGIN, 0, bytes(32)).text()):
        assert code_of(witness.cosign, sign_note(text, KEY, ORIGIN).write(), 0, []) in {
            Code.INVALID_CHECKPOINT,
            Code.INVALID_PROOF,
        }
    assert witness.find_last() is None


def test_smaller_tree_is_refused(witness):
    """Yesterday's tree, shown again: no crime by itself, and never cosigned."""
    witness.cosign(signed(5), 0, [])
    for old in (5, 0, 4):
        assert code_of(witness.cosign, signed(4), old, []) is Code.INVALID_CHECKPOINT
    assert (
        code_of(witness.cosign, sign_note(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text(), KEY, ORIGIN).write(), 0, [])
        is Code.INVALID_CHECKPOINT
    )
    assert witness.find_last() == checkpoint(5)


def test_second_root_of_one_size_is_a_fork_and_both_notes_are_kept(witness, tmp_path):
    witness.cosign(signed(5), 0, [])
    with pytest.raises(Refusal, match=r"fork-5-.*\.note and fork-5-.*\.note in state") as refused:
        witness.cosign(signed(5, "other"), 5, [])
    assert refused.value.code is Code.LOG_FORK
    kept = sorted(path.read_bytes() for path in (tmp_path / "state").glob("fork-*.note"))
    assert kept == sorted([signed(5), signed(5, "other")])
    assert witness.find_last() == checkpoint(5)


def test_bad_proofs_are_refused(witness):
    witness.cosign(signed(5), 0, [])
    good = proof(5, 9)
    for shown in ([], good[:-1], [*good, bytes(32)], [bytes(32), *good[1:]], proof(4, 9), proof(5, 9, "other")):
        assert code_of(witness.cosign, signed(9), 5, shown) is Code.INVALID_PROOF
    assert code_of(witness.cosign, signed(9, "other"), 5, proof(5, 9, "other")) is Code.INVALID_PROOF
    assert witness.find_last() == checkpoint(5)


@pytest.mark.parametrize("old", [0, 1, 4, 6, 9])
def test_proof_must_begin_where_the_witness_stands(witness, old):
    """Else a proof from nothing, which is always good, would lead it into another story."""
    witness.cosign(signed(5), 0, [])
    assert code_of(witness.cosign, signed(9, "other"), old, proof(old, 9, "other") if old else []) is Code.BUSY


def test_folder_of_another_log_is_refused(witness, tmp_path):
    witness.cosign(signed(5), 0, [])
    other = Witness(MINE, log_key("other.example", KEY), tmp_path / "state", StillClock())
    assert code_of(other.find_last) is Code.INVALID_SETTING


@pytest.mark.parametrize("damage", [b"", b"\0", signed(5)[:-5], signed(5).replace(b"\n5\n", b"\n4\n")])
def test_damaged_memory_is_refused(witness, tmp_path, damage):
    """A witness that cannot remember cosigns nothing, rather than beginning again."""
    witness.cosign(signed(5), 0, [])
    (tmp_path / "state" / "checkpoint").write_bytes(damage)
    assert code_of(witness.cosign, signed(5), 5, []) is Code.INVALID_SETTING


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert code_of(Witness, MINE, LOG, tmp_path / "file" / "state", StillClock()) is Code.INVALID_SETTING


def test_checkpoint_is_on_disk_before_it_is_cosigned(witness, monkeypatch):
    """File, name, then signature: whoever reads the signature may rely on the memory."""
    steps: list[str] = []

    def noting(name: str, call: Any) -> Any:
        def noted(*arguments: Any, **named: Any) -> Any:
            steps.append(name)
            return call(*arguments, **named)

        return noted

    monkeypatch.setattr(os, "fsync", noting("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", noting("replace", Path.replace))
    monkeypatch.setattr(WitnessKey, "cosign", noting("cosign", WitnessKey.cosign))
    witness.cosign(signed(5), 0, [])
    assert steps == ["fsync", "replace", "fsync", "cosign"]


KILLED = 9
WATCHED = {module.__file__ for module in (witness_module, durable, note_key)}


def cosign_until_line(folder: Path, data: bytes, last_line: int) -> tuple[bool, bytes]:
    """Cosign in a process that is killed in the given line of our own code, counted as they are run.

    Returns:
        Whether it was killed before it came to its end, and what it had said until then.
    """
    reading_end, writing_end = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def step(frame: FrameType, event: str, _: object) -> Any:
            nonlocal count
            if frame.f_code.co_filename not in WATCHED:
                return None
            if event == "line":
                count += 1
                if count == last_line:
                    os._exit(KILLED)
            return step

        try:
            witness = Witness(MINE, LOG, folder, StillClock())
            sys.settrace(step)
            cosigned = witness.cosign(data, 0, [])
            sys.settrace(None)
            os.write(writing_end, cosigned.write())
        finally:
            os._exit(0)
    os.close(writing_end)
    with os.fdopen(reading_end, "rb") as said:
        spoken = said.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == KILLED, spoken


def test_wherever_it_is_killed_it_never_cosigns_two_roots_of_one_size(tmp_path):
    """Killed in every single line, then started again and shown the other story."""
    stories = {signed(5): "a", signed(5, "other"): "b"}
    line, killed, outcomes = 0, True, set()
    while killed:
        line += 1
        folder = tmp_path / str(line)
        killed, first = cosign_until_line(folder, signed(5), line)
        said = [first] if first else []
        again = Witness(MINE, LOG, folder, StillClock())
        for data in (signed(5, "other"), signed(5)):
            last = again.find_last()
            said += attempt(again, data, last.size if last else 0, Code.LOG_FORK)
        roots = {read_checkpoint(read_note(one).text).root for one in said}
        assert len(roots) == 1, f"two stories cosigned when killed in line {line}"
        outcomes.add(stories[sign_note(read_note(said[-1]).text, KEY, ORIGIN).write()])
        assert not list(folder.glob("*.checkpoint*")) or killed
    assert line > 40
    assert outcomes == {"a", "b"}, "the kills must have met both sides of the moment at which it is remembered"


def test_two_at_once_cosign_one_story(tmp_path):
    """Two processes on one folder, as when a service is started twice: one turn at a time."""
    said: list[bytes] = []
    start = threading.Barrier(8)

    def work(of: str) -> None:
        witness = Witness(MINE, LOG, tmp_path, StillClock())
        start.wait()
        for _ in range(5):
            last = witness.find_last()
            said.extend(attempt(witness, signed(5, of), last.size if last else 0, Code.LOG_FORK, Code.BUSY))

    threads = [threading.Thread(target=work, args=("" if number % 2 else "other",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said
    assert len({read_checkpoint(read_note(one).text).root for one in said}) == 1


def test_only_the_logs_line_and_its_own_leave_the_witness(witness):
    """Sixty strangers' lines would leave no room, and nobody has verified them."""
    text = checkpoint(5).text()
    crowd = sign_note(text, KEY, ORIGIN)
    for number in range(60):
        crowd = crowd.with_signature(cosign(text, private_key_of(bytes([number] * 32)), f"w{number}", 1))
    assert [line.name for line in witness.cosign(crowd.write(), 0, []).signatures] == [ORIGIN, MINE.name]
