"""File hashes in one spelling; nothing here computes one."""

import re

from regcert.errors import Code, Refusal

_HEX = re.compile(r"[0-9a-f]*")
_SSDEEP = re.compile(r"([1-9][0-9]{0,9}):[A-Za-z0-9+/]{0,64}:[A-Za-z0-9+/]{0,64}")
_TLSH = re.compile(r"(?:T1)?([0-9A-F]{70})")
_SSDEEP_MIN_BLOCK = 3


def read_hex_digest(text: str, characters: int) -> str:
    """Read a hexadecimal digest of exactly so many characters, into lower case.

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    digest = text.lower() if len(text) == characters else ""
    if not digest or _HEX.fullmatch(digest) is None:
        raise Refusal(Code.INVALID_OBSERVABLE, f"not a hash of this kind: it has {characters} hexadecimal digits")
    return digest


def read_ssdeep(text: str) -> str:
    """Read a fuzzy hash `block:hash:hash`; its block size is three times a power of two, its letters have a case.

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    match = _SSDEEP.fullmatch(text)
    block, rest = divmod(int(match[1]), _SSDEEP_MIN_BLOCK) if match else (0, 1)
    if rest or block & (block - 1):
        raise Refusal(Code.INVALID_OBSERVABLE, "not an ssdeep hash: block size, colon, hash, colon, hash")
    return text


def read_tlsh(text: str) -> str:
    """Read a TLSH digest of 70 hexadecimal digits, with or without its version, into `T1` and upper case.

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    match = _TLSH.fullmatch(text.upper()) if len(text) <= 72 and text.isascii() else None
    if match is None:
        raise Refusal(Code.INVALID_OBSERVABLE, "not a TLSH hash: T1 and 70 hexadecimal digits")
    return f"T1{match[1]}"
