"""Secrets that have to be kept, sealed: what stands in the database or in a cookie is worth nothing without the host's key."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def seal(key: bytes, purpose: str, secret: bytes) -> bytes:
    """Seal a secret.

    Args:
        key: 32 bytes, derived for this kind of secret alone.
        purpose: what it is, and whose: it cannot be opened as anything else, nor moved to somebody else.
        secret: what is sealed.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())


def unseal(key: bytes, purpose: str, sealed: bytes) -> bytes | None:
    """Open what `seal` made; None for anything else."""
    if len(sealed) <= _NONCE_BYTES:
        return None
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except InvalidTag:
        return None
