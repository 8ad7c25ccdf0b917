"""A witness: it remembers the last checkpoint that it cosigned, and cosigns only what continues it.

That is all it promises, and it must keep it across crashes, restored disks aside. So what it is about to cosign is on disk before
the signature exists, and reading, checking and writing are one turn that no second process can come between.

Spec: C2SP tlog-witness, "add-checkpoint" (what is checked, and in which order); C2SP tlog-cosignature
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from regcert.clock import SECOND_US, Clock
from regcert.domain.verifier_key import VerifierKey
from regcert.durable import replacing
from regcert.errors import Code, Refusal
from regcert.signing.note import MOST_NOTE_BYTES, Note, is_named, list_cosignatures, read_note
from regcert.signing.note_key import WitnessKey
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.proofs import require_consistent
from regcert.translog.tiles import TileName, Tiles, tile_width
from regcert.translog.tree import EMPTY_ROOT
from regcert.verification.comparing import Comparison, compare
from regcert.verification.witnessed import require_checkpoint


class Witness:
    """A witness of one log.

    Args:
        key: with which it cosigns.
        log: the log's key; its name is the log's origin.
        folder: where it remembers, for this log alone; made where it is not there. Whoever empties it makes it forget.
        clock: its own.

    Raises:
        Refusal: INVALID_SETTING where the folder cannot be made.
    """

    def __init__(self, key: WitnessKey, log: VerifierKey, folder: Path, clock: Clock) -> None:
        self._key = key
        self._log = log
        self._folder = folder
        self._clock = clock
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"the folder {folder.name} cannot be made: {error.strerror}") from error

    def read(self, data: bytes) -> tuple[Note, Checkpoint]:
        """Read a checkpoint that the log signed.

        Args:
            data: from anywhere.

        Raises:
            Refusal: INVALID_CHECKPOINT.
        """
        note = read_note(data)
        return note, require_checkpoint(note, self._log)

    def find_last(self) -> Checkpoint | None:
        """Find the checkpoint that was cosigned last, or was about to be; None where there was none yet.

        Raises:
            Refusal: INVALID_SETTING where what stands in the folder is not this log's.
        """
        with self._turn():
            last = self._find_last()
        return None if last is None else last[1]

    def find_cosigned_s(self, note: Note) -> int | None:
        """Find when this witness last cosigned a note, by the note's own lines; None where it did not.

        Raises:
            Refusal: INVALID_COSIGNATURE.
        """
        times_s = list_cosignatures(note, self._key.verifier)
        return times_s[-1] if times_s else None

    def cosign(self, data: bytes, old_size: int, proof: Sequence[bytes]) -> Note:
        """Cosign a checkpoint if it continues the last one; it is remembered, on disk, before it is signed.

        Args:
            data: the checkpoint as a note, from anywhere.
            old_size: of the checkpoint that the proof begins at.
            proof: the consistency proof, at most 63 hashes; empty where `old_size` is 0 or the checkpoint's own.

        Returns:
            The checkpoint with the log's lines and this witness's, and no others.

        Raises:
            Refusal: INVALID_CHECKPOINT where the log did not sign it, or it is smaller than the last one; LOG_FORK where the log
                signed another root for the same size, and both notes are kept; BUSY where the last one is not the one that the
                proof begins at; INVALID_PROOF.
        """
        note, checkpoint = self.read(data)
        with self._turn():
            last = self._find_last()
            before = last[1] if last else Checkpoint(self._log.name, 0, EMPTY_ROOT)
            if checkpoint.size < before.size:
                raise Refusal(
                    Code.INVALID_CHECKPOINT,
                    f"the log shows {checkpoint.size} entries and had {before.size}: an old copy, or entries were taken back",
                )
            if last and compare(before, checkpoint) is Comparison.FORK:
                raise self._forked(last, (note, checkpoint))
            if old_size != before.size:
                raise Refusal(Code.BUSY, "another process has cosigned meanwhile; try again")
            require_consistent(before.size, before.root, checkpoint.size, checkpoint.root, proof)
            if last is None or checkpoint != before:
                self._write("checkpoint", note)
            # Only now: a signature that nobody remembers could be followed by another one of the same size.
            signature = self._key.cosign(note.text, self._clock.now_us() // SECOND_US)
        return self._of_log(note).with_signature(signature)

    def accuse(self, data: bytes, tiles: Tiles) -> Refusal:
        """Keep what proves that a log has told two stories; for whoever has found it out by the larger one's tiles.

        Args:
            data: the checkpoint that does not continue the last one; signed by the log.
            tiles: of its tree, that decide; the log may not want to show them again.

        Returns:
            LOG_FORK, which names the files.
        """
        note, checkpoint = self.read(data)
        with self._turn():
            last = self._find_last()
            if last is None:
                raise Refusal(Code.BUSY, "another process has emptied the folder meanwhile; try again")
            kept = self._folder / f"{_name(checkpoint)}.tiles"
            for place, hashes in tiles.items():
                path = kept / TileName(*place, tile_width(*place, checkpoint.size)).path
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with replacing(path) as file:
                    file.write(hashes)
            return self._forked(last, (note, checkpoint))

    def _forked(self, one: tuple[Note, Checkpoint], other: tuple[Note, Checkpoint]) -> Refusal:
        names = []
        for note, checkpoint in (one, other):
            names.append(f"{_name(checkpoint)}.note")
            self._write(names[-1], note)
        return Refusal(
            Code.LOG_FORK,
            f"the log has signed two histories; show {names[0]} and {names[1]} in {self._folder.name} to the others",
        )

    def _of_log(self, note: Note) -> Note:
        """Keep the log's own lines: those of others take room, and nobody has verified them."""
        return Note(note.text, tuple(one for one in note.signatures if is_named(Note(note.text, (one,)), self._log)))

    def _find_last(self) -> tuple[Note, Checkpoint] | None:
        try:
            with (self._folder / "checkpoint").open("rb") as file:
                data = file.read(MOST_NOTE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"the witness's folder cannot be read: {error.strerror}") from error
        try:
            return self.read(data)
        except Refusal as refusal:
            raise Refusal(
                Code.INVALID_SETTING, "the witness's folder belongs to another log, or is damaged; give each log its own folder"
            ) from refusal

    def _write(self, name: str, note: Note) -> None:
        with replacing(self._folder / name) as file:
            file.write(self._of_log(note).write())

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            turn = os.open(self._folder / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refusal(Code.INVALID_SETTING, f"the witness's folder cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)


def _name(checkpoint: Checkpoint) -> str:
    return f"fork-{checkpoint.size}-{checkpoint.root.hex()[:8]}"
