"""What a process remembers is bounded, and worth nothing under another number."""

from hypothesis import given
from hypothesis import strategies as st

from regcert.store.memory import _ENTRY_BYTES, Memory

deeds = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 4000)), max_size=60)


@given(deeds, st.integers(600, 40_000))
def test_answer_is_found_only_under_its_number(deeds, most_bytes):
    """What is found is what was kept last under that key and number, and all of it together fits."""
    memory, model = Memory(most_bytes), {}
    for key, stamp, size in deeds:
        memory.keep(key, stamp, (key, stamp, size), size)
        if (size + _ENTRY_BYTES) * 8 <= most_bytes:
            model[key] = (stamp, (key, stamp, size))
        for other in range(10):
            for number in range(4):
                found = memory.find(other, number)
                kept = model.get(other)
                assert found is None or (kept is not None and kept == (number, found))
        assert sum(size for _, size, _ in memory._kept.values()) == memory._bytes <= most_bytes


def test_what_was_used_longest_ago_is_forgotten_when_there_is_no_room():
    """Who is asked for stays."""
    memory = Memory(_ENTRY_BYTES * 9)
    for key in range(9):
        memory.keep(key, 1, key or "zero")
    assert memory.find(0, 1) == "zero"
    memory.keep(9, 1, 9)
    assert memory.find(0, 1) == "zero"
    assert memory.find(1, 1) is None


def test_answer_is_not_kept_when_it_would_drive_out_the_others():
    """An eighth of all the room is the most for one."""
    memory = Memory(80_000)
    memory.keep("large", 1, b"", 10_000)
    memory.keep("small", 1, b"x", 9_000)
    assert (memory.find("large", 1), memory.find("small", 1)) == (None, b"x")
