"""The cursor behind `next`: opens for whom it was sealed, and for nobody else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.taxii.cursor import Cursor, find_cursor, write_cursor
from regcert.taxii.filters import Filters, Versions

KEY = bytes(range(32))
texts = st.none() | st.lists(st.text(max_size=10), max_size=4).map(tuple)
times = st.integers(-(2**62), 2**62)
versions = st.builds(Versions, st.booleans(), st.booleans(), st.lists(times, max_size=3).map(tuple), st.booleans())
cursors = st.builds(Cursor, times, st.builds(Filters, st.none() | times, texts, texts, texts, st.none() | versions))
SEALED = write_cursor(Cursor(7, Filters(5, ("a",), None, ("2.1",), Versions(exact_us=(1, 2)))), KEY, "collection team")


@given(cursors, st.text(max_size=20))
def test_cursor_is_the_same_when_opened(cursor, binding):
    """What was sealed is opened: the place and all that was asked."""
    assert find_cursor(write_cursor(cursor, KEY, binding), KEY, binding) == cursor


@given(cursors, st.text(max_size=6), st.text(max_size=6))
@pytest.mark.clause("B-m1")
def test_cursor_opens_nothing_when_it_is_bound_to_another(cursor, one, other):
    """Another team, another collection, another shape: nothing."""
    text = write_cursor(cursor, KEY, one)
    assert (find_cursor(text, KEY, other) is None) is (one != other)


@given(cursors)
def test_cursor_opens_nothing_under_another_key(cursor):
    """Another host's cursor is worth nothing."""
    assert find_cursor(write_cursor(cursor, KEY, ""), bytes(32), "") is None


@pytest.mark.parametrize("at", range(len(base64.urlsafe_b64decode(SEALED + "=" * (-len(SEALED) % 4)))))
@pytest.mark.clause("B-m1")
def test_cursor_opens_nothing_when_a_byte_of_it_was_changed(at):
    """Every byte, seal and payload, and every bit of it."""
    sealed = bytearray(base64.urlsafe_b64decode(SEALED + "=" * (-len(SEALED) % 4)))
    for bit in range(8):
        changed = bytes(sealed[:at]) + bytes([sealed[at] ^ 1 << bit]) + bytes(sealed[at + 1 :])
        assert find_cursor(base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), KEY, "collection team") is None


@pytest.mark.parametrize("cut", range(len(SEALED)))
def test_cursor_opens_nothing_when_it_was_cut(cut):
    """No beginning and no end of a cursor is one."""
    assert find_cursor(SEALED[:cut], KEY, "collection team") is None
    assert cut == 0 or find_cursor(SEALED[cut:], KEY, "collection team") is None


@given(st.text(max_size=80))
def test_any_text_opens_nothing(text):
    """Whatever a client carries here: no cursor, and no fault."""
    assert find_cursor(text, KEY, "") is None


@pytest.mark.parametrize("text", ["", "=", "====", "é", "\x00", "a" * 70_000, "null", "%00", SEALED + "é", SEALED + "A" * 70_000])
def test_hostile_text_opens_nothing(text):
    """The ones worth naming."""
    assert find_cursor(text, KEY, "collection team") is None


def test_binding_cannot_be_moved_into_the_payload():
    """The length of the binding is sealed, too: 'ab'+'c' is not 'a'+'bc'."""
    payload = Cursor(1, Filters())
    assert find_cursor(write_cursor(payload, KEY, "ab"), KEY, "a") is None
