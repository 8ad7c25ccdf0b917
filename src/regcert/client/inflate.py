"""Answers that come compressed, under a bound that counts what they become: a kilobyte can hold a gigabyte of blanks."""

import zlib

from regcert.errors import Code, Refusal
from regcert.outbound.answers import unreadable

_GZIP = 16 + zlib.MAX_WBITS
_PLAIN = frozenset({"", "identity"})
_CODED = frozenset({"gzip", "x-gzip"})


class Inflater:
    """Takes the pieces of one answer and gives back what they say.

    Args:
        coding: the answer's Content-Encoding.
        most_bytes: of the answer, inflated or not.

    Raises:
        Refusal: REFUSED_BY_SERVER for a coding that was not offered.
    """

    def __init__(self, coding: str, most_bytes: int) -> None:
        name = coding.strip().lower()
        if name not in _PLAIN | _CODED:
            raise unreadable()
        self._inflating = zlib.decompressobj(_GZIP) if name in _CODED else None
        self._most_bytes = most_bytes
        self._came = 0
        self._body = bytearray()

    def feed(self, part: bytes) -> None:
        """Take the next piece.

        Raises:
            Refusal: REFUSED_BY_SERVER where it is too much, or not what its coding says.
        """
        self._came += len(part)
        if self._came > self._most_bytes:
            raise _too_much()
        if self._inflating is None:
            self._body += part
            return
        while part:
            if self._inflating.eof:  # one gzip member may follow another (RFC 1952 §2.2)
                self._inflating = zlib.decompressobj(_GZIP)
            try:
                self._body += self._inflating.decompress(part, self._most_bytes - len(self._body) + 1)
            except zlib.error as error:
                raise unreadable() from error
            if len(self._body) > self._most_bytes:
                raise _too_much()
            part = self._inflating.unconsumed_tail or self._inflating.unused_data

    def close(self) -> bytes:
        """Return all of it.

        Raises:
            Refusal: REFUSED_BY_SERVER where the compressed answer is not whole.
        """
        if self._inflating is not None and self._came and not self._inflating.eof:
            raise unreadable()
        return bytes(self._body)


def _too_much() -> Refusal:
    return Refusal(Code.REFUSED_BY_SERVER, "the server's answer is larger than any that makes sense")
