"""Tokens: made, recognised, and turned into what is stored of them."""

import hashlib
import secrets

_PREFIX = "regcert_"
_TOKEN_BYTES = 32


def new_token() -> str:
    """Make a token of 256 random bits, with a prefix by which secret scanners know it."""
    return _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def token_digest(token: str) -> bytes:
    """Return what is stored of a token: its SHA-256.

    Nothing slower is needed: there is no dictionary of 256-bit random numbers.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
