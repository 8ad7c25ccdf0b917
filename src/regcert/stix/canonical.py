"""The canonical form of a JSON value, by which two texts are the same object (RFC 8785).

Content is kept as it came; this form is only hashed. orjson writes the same bytes an order of magnitude faster wherever no
number is a float and every key is ASCII, so it does the common case; rfc8785 does the rest.
"""

import hashlib
from typing import Any

import orjson
import rfc8785

from regcert.errors import Code, Refusal


def canonical_bytes(value: Any, *, simple: bool = False) -> bytes:
    """Write a JSON value in its RFC 8785 form.

    Args:
        value: what `stix.reader` read: dicts, lists, str, int up to 2^53, float, bool, None.
        simple: the caller knows that no number in it is a float and that every key is ASCII.

    Raises:
        Refusal: UNSAFE_TEXT where a string holds half of a surrogate pair, which no UTF-8 text can.

    Spec: RFC 8785 §3.2
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if simple else rfc8785.dumps(value)
    except (orjson.JSONEncodeError, UnicodeEncodeError, rfc8785.CanonicalizationError) as error:
        raise Refusal(Code.UNSAFE_TEXT, "a string holds half of a surrogate pair; send valid UTF-8") from error


def digest(canonical: bytes) -> bytes:
    """Return the SHA-256 of a canonical form, 32 bytes."""
    return hashlib.sha256(canonical).digest()
