"""The cursor behind `next`: where a page ended and what was asked, sealed by this host.

It is stateless, never expires and survives a restart. Its seal binds it to one collection and one team: a token of another is
worth nothing, and so is one that was tampered with; whoever brings such a one starts at the beginning of what they ask for,
because clients do carry cursors from one collection into the next and must not lose data by it. The filters travel with the
cursor, so that it works alone, as some clients send it.

Spec: TAXII 2.1 §3.5 and Appendix B
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import msgspec

from regcert.taxii.filters import Filters

_SEAL_BYTES = 16
_MAX_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended.

    Args:
        position: of its last item.
        filters: what was asked.
    """

    position: int
    filters: Filters


def write_cursor(cursor: Cursor, key: bytes, binding: str) -> str:
    """Seal a cursor.

    Args:
        cursor: what to seal.
        key: the host's, 32 bytes.
        binding: whom and what it is for; another binding does not open it.
    """
    payload = msgspec.json.encode(cursor)
    return base64.urlsafe_b64encode(_seal(payload, key, binding) + payload).rstrip(b"=").decode()


def find_cursor(text: str, key: bytes, binding: str) -> Cursor | None:
    """Open a cursor; None where this host did not seal it for this binding."""
    if len(text) > _MAX_CHARACTERS or not text.isascii():
        return None
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    seal, payload = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(payload, key, binding)):
        return None
    return msgspec.json.decode(payload, type=Cursor)


def _seal(payload: bytes, key: bytes, binding: str) -> bytes:
    bound = len(binding).to_bytes(4, "big") + binding.encode() + payload
    return hmac.digest(key, bound, hashlib.sha256)[:_SEAL_BYTES]
