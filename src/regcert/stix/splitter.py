"""A large envelope, taken apart while it comes: objects one by one, without ever holding all of it.

What is looked for is only where each object begins and ends, and whether the frame around them is one. The objects themselves
are read later, by `stix/reader.py`, under all of its bounds; here they are no more than text that is JSON.
"""

import re
from collections.abc import Iterator

import orjson

from regcert.errors import Code, Refusal
from regcert.stix.reader import MAX_DEPTH, MAX_OBJECT_BYTES, read_envelope

MAX_FRAME_BYTES = 65_536

# Everything up to the next bracket, whole strings included; on the level of the list itself, up to the next comma, too.
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+", re.DOTALL)
_TO_MARK = re.compile(rb'(?:[^"{}\[\],]++|' + _STRING + rb")*+", re.DOTALL)
_QUOTE, _COMMA, _OPENING, _CLOSING = b'"'[0], b","[0], frozenset(b"{["), frozenset(b"}]")
_IS_LIST = re.compile(rb'"objects"\s*:\s*\[$')
_LIST = 2  # how deep the list of objects is: in the envelope
# Deeper than any object may be, so that the reader says which one it is; but not without end.
_MOST_DEPTH = MAX_DEPTH * 1000


class Splitter:
    """Takes an envelope apart, piece by piece.

    Spec: TAXII 2.1 §3.7 (envelope), STIX 2.1 §8 (bundle), RFC 8259
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0  # how far the buffer has been looked at
        self._start = 0  # where the element, or the stretch of the frame, begins that we are in
        self._depth = 0
        self._in_list = False
        self._elements = 0
        self._frame = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take the next piece.

        Yields:
            The text of each object that ends in it.

        Raises:
            Refusal: MALFORMED_JSON, TOO_DEEP, TOO_LARGE: the frame, or an object in it, cannot be taken as a whole.
        """
        self._buffer = self._buffer[self._start :] + piece
        self._at, self._start = self._at - self._start, 0
        while (mark := self._find_mark()) is not None:
            if mark in _OPENING:
                self._open(mark)
            elif self._in_list and self._depth == _LIST:
                # A comma, or the list's own end: behind its last element, or behind none.
                text = self._buffer[self._start : self._at - 1].strip()
                if text or mark == _COMMA or self._elements:
                    self._elements += 1
                    yield _require_json(text)
                self._start = self._at
                if mark != _COMMA:
                    self._leave_list(mark)
            elif mark in _CLOSING:
                self._depth -= 1
                if self._depth < 0:
                    raise _malformed()
        if not self._in_list:
            self._keep_frame()
        elif len(self._buffer) - self._start > MAX_OBJECT_BYTES:
            raise _too_large()

    def finish(self) -> None:
        """Make sure that the frame was whole, and one envelope.

        Raises:
            Refusal: MALFORMED_JSON, TOO_DEEP, DUPLICATE_KEY.
        """
        self._at = len(self._buffer)
        self._keep_frame()
        if self._depth:
            raise _malformed()
        for _ in read_envelope(bytes(self._frame)):
            raise _malformed()  # a list of objects that was not met as one

    def _find_mark(self) -> int | None:
        """Step behind the next mark and return it; None where more must come first."""
        among = _TO_MARK if self._in_list and self._depth == _LIST else _TO_BRACKET
        found = among.match(self._buffer, self._at)
        self._at = found.end() if found else self._at
        if self._at >= len(self._buffer) or self._buffer[self._at] == _QUOTE:  # a string that goes on in the next piece
            return None
        self._at += 1
        return self._buffer[self._at - 1]

    def _open(self, mark: int) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise Refusal(Code.TOO_DEEP, f"the body nests deeper than {MAX_DEPTH} levels")
        if not self._in_list and self._depth == _LIST and mark == b"["[0]:
            self._keep_frame()
            self._in_list = _IS_LIST.search(self._frame[-256:]) is not None

    def _leave_list(self, mark: int) -> None:
        self._in_list = False
        self._depth -= 1
        self._frame.append(mark)

    def _keep_frame(self) -> None:
        self._frame += self._buffer[self._start : self._at]
        self._start = self._at
        if len(self._frame) > MAX_FRAME_BYTES:
            raise Refusal(Code.TOO_LARGE, "what stands around the objects is too large; leave it out")


def _require_json(text: bytes) -> bytes:
    """Refuse the whole body for an element that is no JSON: its end may not be where it seems to be."""
    if len(text) > MAX_OBJECT_BYTES:
        raise _too_large()
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        # The reader decides: half of a surrogate pair is one object's fault, a missing comma the frame's.
        if sum(1 for _ in read_envelope(b'{"objects":[' + text + b"]}")) != 1:
            raise _malformed() from None
    return text


def _too_large() -> Refusal:
    return Refusal(Code.TOO_LARGE, f"an object is larger than {MAX_OBJECT_BYTES} bytes; split it")


def _malformed() -> Refusal:
    return Refusal(Code.MALFORMED_JSON, 'the body is not an envelope such as {"objects": [...]}')
