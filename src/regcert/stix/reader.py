"""From the bytes of a POST to JSON values, one object at a time: the first code that looks at what a stranger sent.

What is refused here, before anything else looks: text that is not UTF-8 JSON, nesting beyond 64, an object beyond 4 MiB, a
key that stands twice (two readers would see two objects), numbers that are not finite or not below 2^53 (readers round them
differently), half of a surrogate pair. A fault inside one object refuses that object; a fault in the frame around them
refuses the whole body, because where it ends is then unknown.

Each object is read once at the speed of C, and `_find_sound` proves that nothing was lost on the way. What it cannot prove is
read a second time by the decoder that sees every property, and that one alone refuses.
"""

import json
import math
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

import msgspec

from regcert.errors import Code, Refusal
from regcert.stix.canonical import canonical_bytes, digest

MAX_DEPTH = 64
MAX_OBJECT_BYTES = 4 * 1024 * 1024
MAX_SAFE_INTEGER = 2**53 - 1  # RFC 7493 §2.2; the canonical form knows no larger one

_BLANK = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*+,[ \t\n\r]*+(?!\])")


class ReadObject(msgspec.Struct, frozen=True, gc=False):
    """One object as it was sent.

    Args:
        value: what its JSON says.
        body: its exact bytes.
        digest: SHA-256 of its canonical form, 32 bytes: two texts with one digest are one object.
    """

    value: dict[str, Any]
    body: bytes
    digest: bytes


class _BoundedDecoder:
    """The standard library's decoder, told to write down what it must not let pass.

    Args:
        every_property: whether to look for properties that stand twice; that makes it slower by a third.
    """

    def __init__(self, *, every_property: bool = True) -> None:
        self.fault: Refusal | None = None
        self.has_float = False
        decoder = json.JSONDecoder(
            object_pairs_hook=self._object if every_property else None,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )
        # Not raw_decode: that one only calls this, and words the error.
        self._scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # type: ignore[attr-defined]

    def decode(self, text: str, start: int) -> tuple[Any, int]:
        """Read the value that begins at `start`; return it with the index behind it."""
        self.fault, self.has_float = None, False
        try:
            return self._scan(text, start)
        except (ValueError, StopIteration) as error:
            raise Refusal(Code.MALFORMED_JSON, "the body is not JSON; check it with a JSON tool and send it again") from error
        except RecursionError as error:
            raise Refusal(Code.TOO_DEEP, f"the body nests deeper than {MAX_DEPTH} levels") from error

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self.fault = Refusal(Code.DUPLICATE_KEY, "a property stands twice in one JSON object; keep one of them")
        return value

    def _integer(self, text: str) -> int:
        # The length first: int() of a million digits is an attack by itself.
        if len(text) > 17 or abs(number := int(text)) > MAX_SAFE_INTEGER:
            return int(self._unsafe_number())
        return number

    def _float(self, text: str) -> float:
        self.has_float = True
        number = float(text)
        return number if math.isfinite(number) and abs(number) <= MAX_SAFE_INTEGER else self._unsafe_number()

    def _constant(self, _text: str) -> float:
        return self._unsafe_number()

    def _unsafe_number(self) -> float:
        self.fault = Refusal(Code.UNSAFE_NUMBER, "a number is not finite or not below 2^53; send it as a string")
        return 0.0


def read_envelope(body: bytes) -> Iterator[ReadObject | Refusal]:
    """Read a TAXII envelope or a STIX bundle, object by object.

    Properties of the frame other than `objects` are read past: an envelope may carry `more` and `next`, a bundle `type` and
    `id`. Whether an object is STIX is not asked here: see `stix/object.py`.

    Args:
        body: at most `max_content_length` bytes; the caller has counted them.

    Yields:
        For each element of `objects`, in order, the object or the reason why it cannot be taken.

    Raises:
        Refusal: MALFORMED_JSON, TOO_DEEP, DUPLICATE_KEY: the frame itself cannot be read, nothing of it may be stored.

    Spec: TAXII 2.1 §3.7 (envelope), STIX 2.1 §8 (bundle), RFC 8259, RFC 7493
    """
    text = _text(body)
    decoder = _BoundedDecoder()
    at = _expect(text, _skip(text, 0), "{")
    seen: set[str] = set()
    while text[at : at + 1] != "}":
        name, at = decoder.decode(text, at)
        if not isinstance(name, str):
            raise _malformed()
        if name in seen:
            raise Refusal(Code.DUPLICATE_KEY, "a property of the envelope stands twice; keep one of them")
        seen.add(name)
        at = _expect(text, _skip(text, at), ":")
        if name == "objects":
            at = yield from _read_objects(decoder, text, at)
        else:
            _, at = decoder.decode(text, at)
        at = _next_element(text, _skip(text, at), "}")
    if _skip(text, at + 1) != len(text):
        raise _malformed()


def read_value(body: bytes) -> Any:
    """Read one JSON value under the same bounds; for bodies that are not envelopes.

    Raises:
        Refusal: MALFORMED_JSON, TOO_DEEP, DUPLICATE_KEY, UNSAFE_NUMBER, UNSAFE_TEXT.

    Spec: RFC 8259, RFC 7493
    """
    text = _text(body)
    decoder = _BoundedDecoder()
    value, end = decoder.decode(text, _skip(text, 0))
    if _skip(text, end) != len(text):
        raise Refusal(Code.MALFORMED_JSON, "the body is more than one JSON value")
    if decoder.fault is not None:
        raise decoder.fault
    if _depth(value) > MAX_DEPTH:
        raise Refusal(Code.TOO_DEEP, f"the body nests deeper than {MAX_DEPTH} levels")
    if "\\u" in text:
        canonical_bytes(value)  # refuses half of a surrogate pair, which only an escape can smuggle in
    return value


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(Code.MALFORMED_JSON, "the body is not UTF-8 text") from error


def _read_objects(decoder: _BoundedDecoder, text: str, start: int) -> Generator[ReadObject | Refusal, None, int]:
    """Yield each element of the array at `start`; return the index behind it."""
    quick = _BoundedDecoder(every_property=False)
    at = _expect(text, start, "[")
    while text[at : at + 1] != "]":
        value, end = quick.decode(text, at)
        body = text[at:end].encode()
        found: ReadObject | Refusal | None = _find_sound(value, body, quick)
        if found is None:
            value, _ = decoder.decode(text, at)
            found = _judge(value, body, decoder)
        yield found
        if text.startswith(",{", end):
            at = end + 1
            continue
        comma = _COMMA.match(text, end)
        at = comma.end() if comma else _next_element(text, _skip(text, end), "]")
    return at + 1


def _find_sound(value: Any, body: bytes, quick: _BoundedDecoder) -> ReadObject | None:
    r"""Take an object of which it is certain that nothing in it can be refused here; None where that is not certain.

    How can it be certain that no property stands twice, if the decoder keeps only the last? One that stands twice is in the
    text twice, but in the value, and thus in the canonical form, once. That form writes every token as shortly as JSON
    can: as long as the text, it has left nothing out. Blanks and escapes make the text longer, and floats can make the form
    longer; then quotes are counted. Both have two around each string and write a quote within a string as `\"`, but for a
    text with `\u0022` in it: equally many, and no key was left out.
    """
    if quick.fault is not None or not isinstance(value, dict) or not _is_small(value, body):
        return None
    try:
        canonical = canonical_bytes(value, simple=not quick.has_float)
    except Refusal:
        return None
    as_short = len(canonical) == len(body) and not quick.has_float
    if as_short or (body.count(b'"') == canonical.count(b'"') and b"\\u0022" not in body):
        return ReadObject(value, body, digest(canonical))
    return None


def _is_small(value: Any, body: bytes) -> bool:
    """Tell whether neither size nor depth is beyond its bound."""
    if len(body) > MAX_OBJECT_BYTES:
        return False
    braces = 1 if body.find(b"{", 1) < 0 else body.count(b"{")  # to find is much quicker than to count
    return braces + body.count(b"[") <= MAX_DEPTH or _depth(value) <= MAX_DEPTH


def _judge(value: Any, body: bytes, decoder: _BoundedDecoder) -> ReadObject | Refusal:
    """Say what is wrong with an element of `objects`, or take it."""
    if len(body) > MAX_OBJECT_BYTES:
        return Refusal(Code.TOO_LARGE, f"the object is larger than {MAX_OBJECT_BYTES} bytes; split it")
    if not _is_small(value, body):
        return Refusal(Code.TOO_DEEP, f"the object nests deeper than {MAX_DEPTH} levels")
    if decoder.fault is not None:
        return decoder.fault
    if not isinstance(value, dict):
        return Refusal(Code.INVALID_STIX, "an element of 'objects' is not a JSON object")
    try:
        return ReadObject(value, body, digest(canonical_bytes(value, simple=not decoder.has_float)))
    except Refusal as refusal:
        return refusal


def _depth(value: Any) -> int:
    """Count how deep a value nests, level by level: no recursion, whatever was sent."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise _malformed()
    return _skip(text, at + 1)


def _next_element(text: str, at: int, closing: str) -> int:
    """Step over a comma, which must be followed by another element, or stay at the closing bracket."""
    if text[at : at + 1] == closing:
        return at
    at = _expect(text, at, ",")
    if text[at : at + 1] == closing:
        raise _malformed()
    return at


def _malformed() -> Refusal:
    return Refusal(Code.MALFORMED_JSON, 'the body is not an envelope such as {"objects": [...]}')
