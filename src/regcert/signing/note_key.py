"""A witness's private key, with its name, as one line of a file.

The text is the one that tools for signed notes use: `PRIVATE+KEY+name+hash+base64(type || seed)`. It is not encrypted, since a
witness runs without a person; the file belongs to its owner alone.
"""

import secrets
from dataclasses import dataclass, field

from regcert.domain.exact import find_base64, write_base64
from regcert.domain.verifier_key import NoteKeyKind, VerifierKey, is_key_name
from regcert.errors import Code, Refusal
from regcert.signing.note import Signature, cosign, witness_key
from regcert.signing.private_key import PrivateKey, private_key_of

MOST_KEY_BYTES = 1024
_SEED_BYTES = 32
_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The key of one witness; it cosigns and does nothing else, because its name is not part of what it signs.

    Args:
        name: of the witness.
        seed: of its private key, 32 bytes.
    """

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> VerifierKey:
        """What others need to verify its cosignatures."""
        return witness_key(self.name, self._key())

    def cosign(self, text: str, time_s: int) -> Signature:
        """Cosign the text of a checkpoint; see `signing.note.cosign`."""
        return cosign(text, self._key(), self.name, time_s)

    def write(self) -> bytes:
        """Write the key for a file that nobody else can read."""
        told = self.verifier.key_hash.hex()
        return f"{_PREFIX}{self.name}+{told}+{write_base64(bytes([NoteKeyKind.COSIGNATURE]) + self.seed)}\n".encode()

    def _key(self) -> PrivateKey:
        return private_key_of(self.seed)


def new_witness_key(name: str) -> WitnessKey:
    """Make a key for a witness.

    Args:
        name: best one that belongs to the team, such as `cert.example/witness`.

    Raises:
        Refusal: INVALID_SETTING for a name that cannot stand in a signature line.
    """
    if not is_key_name(name):
        raise Refusal(
            Code.INVALID_SETTING, "a witness's name has 1 to 255 bytes, no spaces and no plus, as in cert.example/witness"
        )
    return WitnessKey(name, secrets.token_bytes(_SEED_BYTES))


def read_witness_key(data: bytes) -> WitnessKey:
    """Read a key from its file.

    Raises:
        Refusal: INVALID_SETTING, which never says what stands in the file.
    """
    try:
        text = data[: MOST_KEY_BYTES + 1].decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise _damaged() from None
    name, _, rest = text.removeprefix(_PREFIX).partition("+")
    told, _, encoded = rest.partition("+")
    content = find_base64(encoded)
    if not text.startswith(_PREFIX) or not is_key_name(name) or content is None or len(content) != 1 + _SEED_BYTES:
        raise _damaged()
    key = WitnessKey(name, content[1:])
    if content[0] != NoteKeyKind.COSIGNATURE or key.verifier.key_hash.hex() != told:
        raise _damaged()
    return key


def _damaged() -> Refusal:
    return Refusal(Code.INVALID_SETTING, "the file is no witness key; 'regcert witness new' makes one")
