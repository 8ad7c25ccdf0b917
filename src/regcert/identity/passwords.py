"""Passwords: held to a length, and kept as argon2id makes them; whoever steals the database has each guess to pay for.

Both functions take tens of milliseconds and 19 MiB on purpose: they belong into a thread, a few at a time.
"""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from regcert.errors import Code, Refusal

LEAST_CHARACTERS = 12
MOST_BYTES = 1024

# OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1. Raise them, and each password is hashed anew at its next use.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16)


def require_password(password: str) -> None:
    """Refuse a password that is too short to be one, or longer than anybody types.

    Raises:
        Refusal: MALFORMED_REQUEST.
    """
    if len(password) < LEAST_CHARACTERS or len(password.encode("utf-8", "replace")) > MOST_BYTES:
        raise Refusal(
            Code.MALFORMED_REQUEST, f"a password has at least {LEAST_CHARACTERS} characters and at most {MOST_BYTES} bytes"
        )


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    return _HASHER.hash(_spelt(password))


def is_password(kept: str, password: str) -> bool:
    """Tell whether a password is the one of which something was kept; costs the same whether or not it is."""
    try:
        return _HASHER.verify(kept, _spelt(password))
    except (Argon2Error, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Tell whether a password was kept with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def _spelt(password: str) -> bytes:
    """Spell a password in one way: keyboards differ in how they compose letters.

    Spec: NIST SP 800-63B §5.1.1.2
    """
    return unicodedata.normalize("NFKC", password[:MOST_BYTES]).encode("utf-8", "replace")


# What an unknown login is compared with, so that it takes as long as a known one: of 32 random bytes that nobody kept.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$XDHvNIDQsO3UDDMn/VXw8A$Am7Qu29Kxgb47nv6EFDVMMdOoR06QuaGzSmadCfBEh0"
