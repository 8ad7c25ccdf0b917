"""A large envelope is taken apart exactly as the reader reads it whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix.reader import MAX_OBJECT_BYTES, ReadObject, read_envelope
from regcert.stix.splitter import MAX_FRAME_BYTES, Splitter

TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"1", b"null", b"true", b'"objects"', b'"a"', b'"\\""', b'"x\\\\"', b'"]}"',
    b'{"objects":[', b"]}", b'{"id":1}', b'{"n":{"objects":[1]}}', "é".encode(), b'"\\ud800"', b'"\\',
]  # fmt: skip
ELEMENTS = st.lists(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=4).map(b"".join), max_size=4)
FRAMED = ELEMENTS.map(lambda some: b'{"more":false,"objects":[' + b",".join(some) + b'],"next":"x"}')
LOOSE = st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join)


def take_apart(body: bytes, size: int) -> list[bytes] | None:
    """Take a body apart in pieces of a size; None where it is refused."""
    splitter = Splitter()
    found: list[bytes] = []
    try:
        for start in range(0, len(body), size):
            found += splitter.feed(body[start : start + size])
        splitter.finish()
    except Refusal:
        return None
    return found


def read_whole(body: bytes) -> list[ReadObject | Refusal] | None:
    try:
        return list(read_envelope(body))
    except Refusal:
        return None


@settings(max_examples=1500, deadline=None)
@given(FRAMED | LOOSE, st.integers(1, 9))
def test_pieces_are_the_readers_objects_when_a_body_is_taken_apart(body, size):
    """The same bodies are refused, and the same texts are objects, wherever the body is cut."""
    pieces, read = take_apart(body, size), read_whole(body)
    assert (pieces is None) == (read is None)
    for piece, one in zip(pieces or [], read or [], strict=True):
        assert isinstance(one, Refusal) or one.body == piece


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"objects":[{"a":"' + b"x" * MAX_OBJECT_BYTES + b'"}]}', Code.TOO_LARGE),
        (b'{"objects":[' + b"[" * 70_000, Code.TOO_DEEP),
        (b'{"x":"' + b"x" * MAX_FRAME_BYTES * 8 + b'","objects":[]}', Code.TOO_LARGE),
        (b'{"objects":[{}],"objects":[{}]}', Code.DUPLICATE_KEY),
        (b'{"objects":[{}]', Code.MALFORMED_JSON),
        (b'{"objects":[{}]}}', Code.MALFORMED_JSON),
        (b'{"objects":[{},]}', Code.MALFORMED_JSON),
        (b'{"objects":[{} {}]}', Code.MALFORMED_JSON),
    ],
    ids=["object", "depth", "frame", "twice", "cut", "behind", "comma", "no comma"],
)
def test_body_is_refused_when_its_frame_is_broken(body, code):
    """Each has its code, and nothing is held that is larger than it may be."""
    splitter = Splitter()

    def take_all() -> None:
        for start in range(0, len(body), 1 << 16):
            for _ in splitter.feed(body[start : start + (1 << 16)]):
                pass
            assert len(splitter._buffer) <= MAX_OBJECT_BYTES + (1 << 17)
        splitter.finish()

    with pytest.raises(Refusal) as refused:
        take_all()
    assert refused.value.code is code
