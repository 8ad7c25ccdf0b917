"""Texts that are the only ones for what they say: whoever reads one and writes it again gets the same bytes.

Signed and hashed formats need that. Where two texts say the same, somebody signs the one and shows the other.
"""

import base64
import binascii


def write_base64(data: bytes) -> str:
    """Write bytes in the standard alphabet, padded, on one line.

    Spec: RFC 4648 §4
    """
    return base64.b64encode(data).decode()


def find_base64(text: str) -> bytes | None:
    """Read what `write_base64` writes, or return None for every other text, also where lenient readers would read it.

    Spec: RFC 4648 §3.5 (the bits behind the last byte are zero), §4
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if write_base64(data) == text else None


def find_decimal(text: str, most: int) -> int | None:
    """Read a number in ASCII digits without leading zeros, from 0 to `most`, or return None for every other text."""
    if len(text) > len(str(most)) or not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0"):
        return None
    number = int(text)
    return number if number <= most else None
