"""Objects out of files, however large and however they are spelled: one after the other, never all of them at once."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from regcert.errors import Code, Refusal
from regcert.stix.reader import MAX_OBJECT_BYTES, ReadObject, read_envelope
from regcert.stix.splitter import Splitter

_PIECE_BYTES = 1 << 20
_MOST_TOGETHER = 256


def read_files(paths: Iterable[Path]) -> Iterator[ReadObject | Refusal]:
    """Read the objects of bundles, envelopes and files with one object.

    Args:
        paths: of files; each is read in pieces.

    Yields:
        For each object, in order, the object or the reason why nobody should believe anything of it.

    Raises:
        Refusal: MALFORMED_JSON, TOO_DEEP, TOO_LARGE, DUPLICATE_KEY, with the file's name, where a file as a whole cannot be read.
    """
    for path in paths:
        try:
            yield from _read_file(path)
        except OSError as error:
            raise Refusal(Code.MALFORMED_REQUEST, f"{path.name} cannot be read: {error.strerror}") from error
        except Refusal as refusal:
            raise Refusal(refusal.code, f"{path.name}: {refusal.message}") from refusal


def _read_file(path: Path) -> Iterator[ReadObject | Refusal]:
    count = 0
    for texts in _split(path):
        # The splitter has made sure that each text is one JSON value, so together they are still as many.
        for read in read_envelope(b'{"objects":[' + b",".join(texts) + b"]}"):
            count += 1
            yield read
    if count == 0 and path.stat().st_size <= MAX_OBJECT_BYTES:
        [alone] = read_envelope(b'{"objects":[' + path.read_bytes() + b"]}")
        if isinstance(alone, ReadObject) and "id" in alone.value and alone.value.get("type", "bundle") != "bundle":
            yield alone


def _split(path: Path) -> Iterator[list[bytes]]:
    splitter = Splitter()
    together: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            for text in splitter.feed(piece):
                together.append(text)
                size += len(text)
                if len(together) == _MOST_TOGETHER or size > MAX_OBJECT_BYTES:
                    yield together
                    together, size = [], 0
    if together:
        yield together
    splitter.finish()
