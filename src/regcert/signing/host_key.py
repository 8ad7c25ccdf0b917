"""The host's key: one Ed25519 seed, and the keys for single purposes derived from it."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from regcert.errors import Code, Refusal
from regcert.signing.private_key import PrivateKey, private_key_of


class HostKey:
    """The private key of this host.

    Args:
        private: an Ed25519 private key.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    def write(self) -> bytes:
        """Write the key as unencrypted PKCS #8 PEM, for a file that only the service can read."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_hex(self) -> str:
        """Return the public key, by which people compare hosts over the telephone."""
        return self._private.public_key().public_bytes_raw().hex()

    def derive(self, purpose: str) -> bytes:
        """Derive a 32-byte key that is good for one purpose and tells nothing about the others.

        Spec: RFC 5869
        """
        info = b"regcert/" + purpose.encode()
        return HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(self._private.private_bytes_raw())

    def log_key(self) -> PrivateKey:
        """Return the key that signs this host's log; its public half names the log."""
        return private_key_of(self.derive("log"))


def new_host_key() -> HostKey:
    """Make a host key."""
    return HostKey(Ed25519PrivateKey.generate())


def read_host_key(pem: bytes) -> HostKey:
    """Read a host key from its file.

    Raises:
        Refusal: INVALID_SETTING.
    """
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Refusal(Code.INVALID_SETTING, "the host key file is damaged; restore it from your backup") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Refusal(Code.INVALID_SETTING, "the host key is not an Ed25519 key; restore it from your backup")
    return HostKey(private)
