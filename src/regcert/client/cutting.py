"""Cutting objects out of a page that the fast reader does not take, though it is JSON.

That is a page with half of a surrogate pair in it, as some programs leave behind where they cut texts short. To refuse it would
stop every reader at that object for ever, and behind it is everything that was added since.

Spec: RFC 8259 §8.2
"""

import json
import re
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
# Numbers are only read past: what they say is the business of whoever parses the object.
_DECODER = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)


def cut_page(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Cut a page into what its frame says and its objects, as they stand.

    Returns:
        The frame's properties without `objects`, its numbers not read, and the bytes of each element of `objects`.

    Raises:
        ValueError: it is no JSON object, or its `objects` no list.
        RecursionError: it nests too deep.
    """
    text = body.decode()
    frame: dict[str, Any] = {}
    objects: list[bytes] = []
    at = _expect(text, 0, "{")
    while text[at : at + 1] != "}":
        if text[at : at + 1] != '"':
            raise ValueError("not JSON")
        name, at = _DECODER.raw_decode(text, at)
        at = _expect(text, at, ":")
        if name == "objects" and text[at : at + 1] == "[":
            at = _cut_list(text, at, objects)
        else:
            frame[name], at = _DECODER.raw_decode(text, at)
        at = _behind(text, at, "}")
    if _skip(text, at + 1) != len(text) or frame.pop("objects", None) is not None:
        raise ValueError("more than one value, or objects that are no list")
    return frame, objects


def _cut_list(text: str, at: int, objects: list[bytes]) -> int:
    at = _expect(text, at, "[")
    while text[at : at + 1] != "]":
        _, end = _DECODER.raw_decode(text, at)
        objects.append(text[at:end].encode())
        at = _behind(text, end, "]")
    return at + 1


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, character: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != character:
        raise ValueError("not JSON")
    return _skip(text, at + 1)


def _behind(text: str, at: int, closing: str) -> int:
    """Step over a comma, which must be followed by another element, or stay at the closing bracket."""
    at = _skip(text, at)
    if text[at : at + 1] == closing:
        return at
    at = _expect(text, at, ",")
    if text[at : at + 1] == closing:
        raise ValueError("a comma before the end")
    return at
