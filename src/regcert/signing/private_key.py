"""Ed25519 private keys: a team's, which never leaves it, its root's, a witness's, and the log's."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from regcert.errors import Code, Refusal
from regcert.signing.public_key import PublicKey

_MAX_FILE_BYTES = 16 * 1024


class PrivateKey:
    """A private key; its representation tells the public half only.

    Args:
        private: an Ed25519 private key.
    """

    __slots__ = ("_private", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.key_id})"

    def sign(self, message: bytes) -> bytes:
        """Sign a message; 64 bytes, the same each time.

        Spec: RFC 8032 §5.1.6
        """
        return self._private.sign(message)

    def write(self, passphrase: str | None = None) -> bytes:
        """Write the key as PKCS #8 PEM, for a file that only its owner can read.

        Args:
            passphrase: encrypts it; None or empty leaves it readable for whoever has the file.
        """
        secret: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            secret = serialization.BestAvailableEncryption(passphrase.encode())
        return self._private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


def new_private_key() -> PrivateKey:
    """Make a private key."""
    return PrivateKey(Ed25519PrivateKey.generate())


def private_key_of(seed: bytes) -> PrivateKey:
    """Make the private key that belongs to a seed of 32 bytes.

    Spec: RFC 8032 §5.1.5
    """
    return PrivateKey(Ed25519PrivateKey.from_private_bytes(seed))


def read_private_key(pem: bytes, passphrase: str | None = None) -> PrivateKey:
    """Read a private key from its file.

    Args:
        pem: the file, at most 16 KiB; more is refused.
        passphrase: None where the file is not encrypted.

    Raises:
        Refusal: INVALID_SETTING, whose sentence says whether a passphrase is missing, wrong or not needed.
    """
    if len(pem) > _MAX_FILE_BYTES:
        raise Refusal(Code.INVALID_SETTING, "this file is too large for a key; name the file that `regcert key new` wrote")
    try:
        private = serialization.load_pem_private_key(pem, password=passphrase.encode() if passphrase else None)
    except TypeError as error:  # the library's word for a passphrase too many or too few
        what = "is not encrypted; read it without a passphrase" if passphrase else "is encrypted; give its passphrase"
        raise Refusal(Code.INVALID_SETTING, f"the key file {what}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        what = "the passphrase is wrong, or the key file is damaged" if passphrase else "the key file is damaged"
        raise Refusal(Code.INVALID_SETTING, f"{what}; try again, or restore it from your backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Refusal(Code.INVALID_SETTING, "the file holds a key of another kind; RegCERT signs with Ed25519 keys only")
    return PrivateKey(private)
