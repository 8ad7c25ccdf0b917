"""Signed notes: text with signature lines under it, by which logs and witnesses speak.

A line of a key that the reader does not know is read past: others add theirs, and new kinds come. A line of a key that he knows
must be good, or the whole note is refused.

Spec: C2SP signed-note; C2SP tlog-cosignature, "Ed25519 signed message"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from regcert.domain.exact import find_base64, write_base64
from regcert.domain.verifier_key import NoteKeyKind, VerifierKey, is_key_name
from regcert.errors import Code, Refusal
from regcert.signing.private_key import PrivateKey
from regcert.signing.public_key import read_public_key

MOST_NOTE_BYTES = 1024 * 1024
MOST_SIGNATURES = 64
MOST_TIME_S = 2**63 - 1
_TIME_BYTES = 8
_HASH_BYTES = 4
_MARK = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Args:
        name: of the key.
        key_hash: its four bytes; both together name the key.
        value: the signature, at least one byte.
    """

    name: str
    key_hash: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, with its line break."""
        return f"{_MARK}{self.name} {write_base64(self.key_hash + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and who signed it; nothing in it is believed until a signature has been verified.

    Args:
        text: with its last line break.
        signatures: 1 to 64.
    """

    text: str
    signatures: tuple[Signature, ...]

    def write(self) -> bytes:
        """Write the note as the bytes that it was read from."""
        return (self.text + "\n" + "".join(one.line for one in self.signatures)).encode()

    def with_signature(self, signature: Signature) -> "Note":
        """Return the note with one more line; a line that stands there already is not doubled."""
        return self if signature in self.signatures else replace(self, signatures=(*self.signatures, signature))


def read_note(data: bytes) -> Note:
    """Read a note.

    Args:
        data: from anywhere; at most 1 MiB and 64 signature lines.

    Raises:
        Refusal: INVALID_CHECKPOINT.

    Spec: C2SP signed-note, "Format"
    """
    if len(data) > MOST_NOTE_BYTES:
        raise _unreadable()
    try:
        content = data.decode()
    except UnicodeDecodeError:
        raise _unreadable() from None
    # The last empty line parts text and signatures: the text itself may have some.
    parting = content.rfind("\n\n")
    if parting < 0 or not content.endswith("\n") or _CONTROL.search(content):
        raise _unreadable()
    lines = content[parting + 2 : -1].split("\n", MOST_SIGNATURES)
    if len(lines) > MOST_SIGNATURES:
        raise _unreadable()
    return Note(content[: parting + 1], tuple(read_signature(line + "\n") for line in lines))


def read_signature(line: str) -> Signature:
    """Read one signature line, with its line break.

    Raises:
        Refusal: INVALID_CHECKPOINT.
    """
    name, _, encoded = line.removeprefix(_MARK).removesuffix("\n").rpartition(" ")
    data = find_base64(encoded)
    if not line.startswith(_MARK) or not line.endswith("\n") or not is_key_name(name) or data is None or len(data) <= _HASH_BYTES:
        raise _unreadable()
    return Signature(name, data[:_HASH_BYTES], data[_HASH_BYTES:])


def log_key(origin: str, key: PrivateKey) -> VerifierKey:
    """Return the verifier key of a log."""
    return VerifierKey(origin, NoteKeyKind.ED25519, key.public.raw)


def witness_key(name: str, key: PrivateKey) -> VerifierKey:
    """Return the verifier key of a witness."""
    return VerifierKey(name, NoteKeyKind.COSIGNATURE, key.public.raw)


def sign_note(text: str, key: PrivateKey, name: str) -> Note:
    """Sign a text as a log does.

    Args:
        text: with its last line break.
        key: of the log.
        name: its origin.

    Spec: C2SP signed-note, "Ed25519 signatures"
    """
    return Note(text, (Signature(name, log_key(name, key).key_hash, key.sign(text.encode())),))


def verify_note(note: Note, verifier: VerifierKey) -> None:
    """Require that a log signed a note.

    Args:
        note: as it was read.
        verifier: the log's, of type 0x01.

    Raises:
        Refusal: INVALID_CHECKPOINT where no line is the log's, or one of them is not its signature; UNSAFE_KEY.

    Spec: C2SP signed-note, "Signatures"
    """
    if verifier.kind is not NoteKeyKind.ED25519:
        raise Refusal(Code.INVALID_CHECKPOINT, "the log's verifier key must be one of type 1; a witness's is not")
    public = read_public_key(verifier.public)
    found = [public.verify(one.value, note.text.encode()) for one in _lines_of(note, verifier)]
    if not found or not all(found):
        raise Refusal(Code.INVALID_CHECKPOINT, "the log's key did not sign this checkpoint; fetch it again, and compare the key")


def is_named(note: Note, verifier: VerifierKey) -> bool:
    """Tell whether a line of a note claims to be of a key."""
    return any(True for _ in _lines_of(note, verifier))


def cosign(text: str, key: PrivateKey, name: str, time_s: int) -> Signature:
    """Cosign a checkpoint as a witness does, who has checked it and has written it down.

    Args:
        text: of the checkpoint, with its last line break.
        key: of the witness; used for nothing else, since the name is not signed.
        name: of the witness.
        time_s: by its own clock, seconds since 1970.

    Spec: C2SP tlog-cosignature, "Format" and "Ed25519 signed message"
    """
    value = time_s.to_bytes(_TIME_BYTES) + key.sign(_timed(text, time_s))
    return Signature(name, witness_key(name, key).key_hash, value)


def list_cosignatures(note: Note, verifier: VerifierKey) -> list[int]:
    """List when a witness cosigned a note, the earliest first; nothing where it did not.

    The first time says since when the checkpoint was known, a later one that the log was still there then.

    Args:
        note: as it was read.
        verifier: the witness's, of type 0x04.

    Returns:
        Seconds since 1970, by the witness's clock, 0 to 2^63 - 1. A time that lies ahead is not refused here.

    Raises:
        Refusal: INVALID_COSIGNATURE where a line is the witness's and not its signature; UNSAFE_KEY.

    Spec: C2SP tlog-cosignature, "Format"; C2SP signed-note, "Signatures"
    """
    if verifier.kind is not NoteKeyKind.COSIGNATURE:
        raise Refusal(Code.INVALID_COSIGNATURE, "the witness's verifier key must be one of type 4; a log's is not")
    public = read_public_key(verifier.public)
    times_s: list[int] = []
    for one in _lines_of(note, verifier):
        time_s = int.from_bytes(one.value[:_TIME_BYTES])
        if time_s > MOST_TIME_S or not public.verify(one.value[_TIME_BYTES:], _timed(note.text, time_s)):
            raise Refusal(Code.INVALID_COSIGNATURE, "a cosignature under the checkpoint is not its witness's; fetch it again")
        times_s.append(time_s)
    return sorted(times_s)


def read_cosignature(note: Note, verifier: VerifierKey) -> int:
    """Read when a witness first cosigned a note that it must have cosigned.

    Raises:
        Refusal: INVALID_COSIGNATURE, UNSAFE_KEY.
    """
    for time_s in list_cosignatures(note, verifier):
        return time_s
    raise Refusal(Code.INVALID_COSIGNATURE, "the witness has not cosigned this checkpoint; check its name and its key")


def _lines_of(note: Note, verifier: VerifierKey) -> Iterator[Signature]:
    key_hash = verifier.key_hash
    return (one for one in note.signatures if one.name == verifier.name and one.key_hash == key_hash)


def _timed(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _unreadable() -> Refusal:
    return Refusal(Code.INVALID_CHECKPOINT, "a checkpoint is text, an empty line and up to 64 signature lines; fetch it again")
