"""A proof file: everything that shows, without a network, that a leaf is in a log that witnesses have seen.

Spec: C2SP tlog-proof, "Format"
"""

from dataclasses import dataclass

from regcert.domain.exact import find_base64, find_decimal, write_base64
from regcert.errors import Code, Refusal
from regcert.translog.proofs import MOST_HASHES
from regcert.translog.tiles import MOST_SIZE
from regcert.translog.tree import HASH_BYTES

MOST_PROOF_BYTES = 2 * 1024 * 1024
SUFFIX = ".tlog-proof"
_FIRST = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class ProofFile:
    """The proof of one leaf.

    Args:
        index: of the leaf, from 0.
        hashes: the inclusion proof, at most 63, from the leaf's neighbour upwards.
        note: the checkpoint with the signatures of the log and its witnesses, as it came.
        extra: bytes of the application's own, which nothing vouches for; RegCERT writes none.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def write(self) -> bytes:
        """Write the file."""
        head = [_FIRST]
        if self.extra is not None:
            head.append(_EXTRA + write_base64(self.extra))
        lines = [*head, f"{_INDEX}{self.index}", *map(write_base64, self.hashes)]
        return ("\n".join(lines) + "\n\n").encode() + self.note


def read_proof_file(data: bytes) -> ProofFile:
    """Read a proof file; whether it proves anything is asked by `proofs` and `signing/note`.

    Args:
        data: from anywhere; at most 2 MiB are looked at.

    Raises:
        Refusal: TOO_LARGE, INVALID_PROOF.
    """
    if len(data) > MOST_PROOF_BYTES:
        raise Refusal(Code.TOO_LARGE, f"a proof file has at most {MOST_PROOF_BYTES} bytes; this is something else")
    # The first empty line ends the proof; a checkpoint begins with its origin, so none can stand before it.
    head, parted, note = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _unreadable() from None
    extra: bytes | None = None
    if lines and lines[0].startswith(_EXTRA):
        extra = find_base64(lines.pop(0).removeprefix(_EXTRA))
        if extra is None:
            raise _unreadable()
    index = find_decimal(lines.pop(0).removeprefix(_INDEX), MOST_SIZE) if lines and lines[0].startswith(_INDEX) else None
    if not parted or first != _FIRST or index is None or len(lines) > MOST_HASHES:
        raise _unreadable()
    return ProofFile(index, tuple(_hash(line) for line in lines), note, extra)


def _hash(line: str) -> bytes:
    value = find_base64(line)
    if value is None or len(value) != HASH_BYTES:
        raise _unreadable()
    return value


def _unreadable() -> Refusal:
    return Refusal(Code.INVALID_PROOF, "the file is no proof of a transparency log, or was changed; fetch it again")
