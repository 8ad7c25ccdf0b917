"""Content codings: answers made smaller when somebody asks for it, and bodies unpacked within bounds.

Answers are coded by libraries. Bodies are unpacked by our own loop around zlib, because an unbounded one is an attack: a
megabyte unpacks into a gigabyte.

Spec: RFC 9110 §8.4 and §12.5.3 (content codings and Accept-Encoding), RFC 1952 (gzip), RFC 8878 (zstd)
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

import zstandard

from regcert.errors import Code, Refusal

# What is smaller than a packet gains nothing.
LEAST_BYTES = 1400
_GZIP_LEVEL = 1  # twice as fast as the usual one, and a fifth larger
_STEP_BYTES = 1 << 20
# STIX packs 5 to 15 times; what goes far beyond that was made to.
_MOST_TIMES = 200
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*$")
_CODINGS = ("zstd", "gzip")


@lru_cache(maxsize=256)
def choose_coding(header: str) -> str | None:
    """Choose what an answer is coded with; None for not at all. A poller asks the same way again and again.

    Args:
        header: `Accept-Encoding`, or empty. What it prefers decides; where it does not mind, the better coding.
    """
    wanted = _read_qualities(header[:1000])
    found = [(quality, coding) for coding in _CODINGS if (quality := wanted.get(coding, wanted.get("*", 0.0))) > 0]
    best, coding = max(found, key=lambda one: one[0], default=(0.0, ""))
    return coding if best >= wanted.get("identity", 0.0) and coding else None


def _read_qualities(header: str) -> Mapping[str, float]:
    qualities: dict[str, float] = {}
    for offer in filter(None, (part.strip().lower() for part in header.split(","))):
        weight = _QUALITY.search(offer)
        name = (offer[: weight.start()] if weight else offer).strip().removeprefix("x-")
        qualities.setdefault(name, float(weight[1]) if weight else 1.0)
    return qualities


def encode(body: bytes, coding: str) -> bytes:
    """Code a body; computation, for a thread."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(body)
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


class Inflater:
    """Unpacks one gzip member, piece by piece, and stops where it grows beyond its bounds.

    Args:
        most_bytes: of all that it may unpack to.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._inflate = zlib.decompressobj(wbits=31)
        self._taken = 0
        self._given = 0

    def feed(self, piece: bytes) -> bytes:
        """Unpack the next piece.

        Raises:
            Refusal: TOO_LARGE, MALFORMED_REQUEST.
        """
        return b"".join(self._unpack(piece))

    def finish(self) -> None:
        """Make sure that the member was whole.

        Raises:
            Refusal: MALFORMED_REQUEST.
        """
        if not self._inflate.eof:
            raise _malformed("the gzip body breaks off; send it again")

    def _unpack(self, piece: bytes) -> Iterator[bytes]:
        self._taken += len(piece)
        if self._inflate.eof and piece:
            raise _malformed("something follows the gzip body; send one gzip member")
        while piece:
            try:
                part = self._inflate.decompress(piece, _STEP_BYTES)
            except zlib.error as error:
                raise _malformed("the body is not gzip, as its Content-Encoding says") from error
            self._given += len(part)
            if self._given > self._most_bytes or self._given > max(self._taken * _MOST_TIMES, _STEP_BYTES):
                raise Refusal(Code.TOO_LARGE, f"the body unpacks to more than is taken here, {self._most_bytes} bytes; split it")
            yield part
            if self._inflate.unused_data:
                raise _malformed("something follows the gzip body; send one gzip member")
            piece = self._inflate.unconsumed_tail


def _malformed(sentence: str) -> Refusal:
    return Refusal(Code.MALFORMED_REQUEST, sentence)
