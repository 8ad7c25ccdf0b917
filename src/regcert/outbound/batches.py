"""Objects on their way out: in which order, and how many in one request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST_OBJECTS = 1000
_FRAME_BYTES = len(b'{"objects":[]}')
_FIRST = ("marking-definition", "extension-definition", "identity")


@dataclass(frozen=True, slots=True)
class Written:
    """An object as the bytes that are sent; never written anew, so that what is signed stays what it was.

    Args:
        type: its STIX type, by which objects are put in order.
        body: its JSON.
    """

    type: str
    body: bytes


def in_order(objects: Iterable[Written]) -> list[Written]:
    """Put markings, extensions and identities first, so that what refers to them finds them; else leave the order as it is."""
    return sorted(objects, key=lambda one: one.type not in _FIRST)


def batches(objects: Sequence[Written], most_bytes: int) -> Iterator[list[Written]]:
    """Cut objects into requests; one that alone is larger than a request may be goes alone, and the host says no to it."""
    batch: list[Written] = []
    size = _FRAME_BYTES
    for one in objects:
        needed = len(one.body) + 1
        if batch and (len(batch) == MOST_OBJECTS or size + needed > most_bytes):
            yield batch
            batch, size = [], _FRAME_BYTES
        batch.append(one)
        size += needed
    if batch:
        yield batch


def envelope_of(batch: Iterable[Written]) -> bytes:
    """Frame a request's objects; their bytes are not touched.

    Spec: TAXII 2.1 §3.7
    """
    return b'{"objects":[' + b",".join(one.body for one in batch) + b"]}"
