"""A checkpoint seen through a policy: is it a known log's, who cosigned it, and since when is it known."""

from collections.abc import Mapping
from dataclasses import dataclass

from regcert.domain.verifier_key import VerifierKey
from regcert.errors import Code, Refusal
from regcert.signing.note import Note, is_named, list_cosignatures, read_note, verify_note
from regcert.translog.checkpoint import Checkpoint, read_checkpoint
from regcert.translog.policy import Policy


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that its log has signed, and what the policy makes of its cosignatures.

    Args:
        note: as it came.
        checkpoint: what it says.
        first_s: when each witness of the policy first cosigned it, by its name in the policy, seconds since 1970.
        last_s: when each last did.
        is_quorum: whether they are enough.
        trusted_s: by when a quorum had seen it; None where none has, or the policy asks for none.
        fresh_s: until when a quorum had seen nothing newer; None likewise.
    """

    note: Note
    checkpoint: Checkpoint
    first_s: Mapping[str, int]
    last_s: Mapping[str, int]
    is_quorum: bool
    trusted_s: int | None
    fresh_s: int | None


def require_checkpoint(note: Note, log: VerifierKey) -> Checkpoint:
    """Return the checkpoint that a log signed.

    Args:
        note: as it was read.
        log: its key, of type 0x01; its name is the log's origin.

    Raises:
        Refusal: INVALID_CHECKPOINT, UNSAFE_KEY.

    Spec: C2SP tlog-checkpoint, "Signatures"
    """
    verify_note(note, log)
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != log.name:
        raise Refusal(Code.INVALID_CHECKPOINT, "the checkpoint is of another log than its key; ask the host's operator")
    return checkpoint


def read_witnessed(data: bytes, policy: Policy) -> Witnessed:
    """Read a checkpoint and judge it by a policy.

    Args:
        data: the note, from anywhere.
        policy: the reader's own.

    Raises:
        Refusal: INVALID_CHECKPOINT where no log of the policy signed it; INVALID_COSIGNATURE where a witness's line is false.

    Spec: C2SP tlog-policy, "What is a policy?"
    """
    note = read_note(data)
    logs = [log for log in policy.logs if is_named(note, log)]
    if not logs:
        raise Refusal(Code.INVALID_CHECKPOINT, "the checkpoint is of a log that the policy does not name")
    checkpoint, *_ = [require_checkpoint(note, log) for log in logs]
    times = {name: found for name, key in policy.witnesses.items() if (found := list_cosignatures(note, key))}
    first_s = {name: found[0] for name, found in times.items()}
    last_s = {name: found[-1] for name, found in times.items()}
    return Witnessed(
        note,
        checkpoint,
        first_s,
        last_s,
        policy.is_satisfied(first_s),
        policy.find_trusted_time_s(first_s),
        policy.find_fresh_time_s(last_s),
    )
