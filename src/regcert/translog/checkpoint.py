"""A checkpoint: which tree a log says it is, in three lines of text.

Spec: C2SP tlog-checkpoint, "Note text"
"""

from dataclasses import dataclass

from regcert.domain.exact import find_base64, find_decimal, write_base64
from regcert.domain.verifier_key import is_key_name
from regcert.errors import Code, Refusal
from regcert.translog.tiles import MOST_SIZE
from regcert.translog.tree import HASH_BYTES

_MOST_TEXT = 512


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of a log.

    Args:
        origin: the log's name, which is also the name of its key.
        size: leaves of the tree, 0 to 2^63 - 1.
        root: its root hash, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Write it as the text that is signed, with the last line break."""
        return f"{self.origin}\n{self.size}\n{write_base64(self.root)}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; there is only one text for each.

    Lines behind the third are refused: the standard lets a log add some, and says that nobody can audit them. Ours adds none.

    Args:
        text: of a note; whether somebody signed it is asked by `signing/note`.

    Raises:
        Refusal: INVALID_CHECKPOINT.
    """
    lines = text.split("\n") if len(text) <= _MOST_TEXT else []
    if len(lines) == 4 and not lines[3] and is_key_name(lines[0]):
        size, root = find_decimal(lines[1], MOST_SIZE), find_base64(lines[2])
        if size is not None and root is not None and len(root) == HASH_BYTES:
            return Checkpoint(lines[0], size, root)
    raise Refusal(Code.INVALID_CHECKPOINT, "a checkpoint is a log's name, a size and a root hash on three lines; fetch it again")
