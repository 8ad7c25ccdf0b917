"""The canonical form of a JSON value, by which two texts are the same object (RFC 8785).

Content is kept as it came; this form is only hashed. orjson writes the same bytes an order of magnitude faster wherever no
number is a float and no character lies beyond the first 65,536, so it does the common case; rfc8785 does the rest.
"""

import re
from hashlib import sha256
from typing import Any

import orjson
import rfc8785

from regcert.errors import Code, Refusal

# orjson sorts keys by code point, RFC 8785 by UTF-16 unit; the two part at characters that take four bytes in UTF-8.
_WIDE = re.compile(rb"[\xf0-\xf4]")


def canonical_bytes(value: Any, *, simple: bool = False) -> bytes:
    """Write a JSON value in its RFC 8785 form.

    Args:
        value: what `stix.reader` read: dicts, lists, str, int up to 2^53, float, bool, None.
        simple: the caller knows that no number in it is a float.

    Raises:
        Refusal: UNSAFE_TEXT where a string holds half of a surrogate pair, which no UTF-8 text can.

    Spec: RFC 8785 §3.2
    """
    try:
        if simple:
            written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
            if written.isascii() or _WIDE.search(written) is None:
                return written
        return rfc8785.dumps(value)
    except (orjson.JSONEncodeError, UnicodeEncodeError, rfc8785.CanonicalizationError) as error:
        raise Refusal(Code.UNSAFE_TEXT, "a string holds half of a surrogate pair; send valid UTF-8") from error


def digest(canonical: bytes) -> bytes:
    """Return the SHA-256 of a canonical form, 32 bytes."""
    return sha256(canonical).digest()
