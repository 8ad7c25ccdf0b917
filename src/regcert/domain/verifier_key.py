"""The public keys of logs and witnesses, in the one line of text by which people pass them on.

Spec: C2SP signed-note, "Signatures" (names, key ids, types); the text is `name+hash+base64(type || key)`
"""

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum

from regcert.domain.exact import find_base64, write_base64
from regcert.errors import Code, Refusal

MOST_NAME_BYTES = 255
_MOST_TEXT = 512
_HASH = re.compile(r"[0-9a-f]{8}", re.ASCII)


class NoteKeyKind(IntEnum):
    """What a key signs; the same 32 bytes are different keys under different kinds.

    Spec: C2SP signed-note, "Signature types"; C2SP tlog-cosignature, "Format"
    """

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Whose signature lines are believed, and by which key.

    Args:
        name: of a log, its origin; of a witness, its own.
        kind: of its signatures.
        public: the Ed25519 public key, 32 bytes. Whether it is a safe one is asked where it is used.
    """

    name: str
    kind: NoteKeyKind
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """The four bytes by which a signature line names its key; no more than a hint.

        Spec: C2SP signed-note, "Signatures"
        """
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as people pass it on."""
        return f"{self.name}+{self.key_hash.hex()}+{write_base64(bytes([self.kind]) + self.public)}"


def read_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key.

    Raises:
        Refusal: INVALID_SETTING, also for types other than Ed25519 and its cosignature, which RegCERT does not verify.
    """
    # From the left: a name holds no plus, and base64 may.
    name, _, rest = text.partition("+") if len(text) <= _MOST_TEXT else ("", "", "")
    told, _, encoded = rest.partition("+")
    data = find_base64(encoded)
    if is_key_name(name) and _HASH.fullmatch(told) and data is not None and len(data) == 33 and data[0] in {*NoteKeyKind}:
        key = VerifierKey(name, NoteKeyKind(data[0]), data[1:])
        if key.key_hash.hex() == told:
            return key
    raise Refusal(Code.INVALID_SETTING, "a verifier key is one text such as name+0123abcd+base64, of type 1 or 4; copy it again")


def is_key_name(name: str) -> bool:
    """Tell whether a text may name a key: not empty, no plus, no spaces, no control characters, at most 255 bytes.

    Spec: C2SP signed-note, "Format"
    """
    if not name or len(name) > MOST_NAME_BYTES or any(one == "+" or one.isspace() or one < " " or one == "\x7f" for one in name):
        return False
    try:
        return len(name.encode()) <= MOST_NAME_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
