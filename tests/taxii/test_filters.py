"""The query of a poller: read, bounded or refused with the name of its field; never a fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix.timestamps import read_timestamp
from regcert.taxii.filters import MAX_LIMIT, MAX_VALUES, PAGE_OBJECTS, Filters, Page, Versions, read_query

NOW = "2026-11-21T19:55:39.123456Z"
FIELDS = ["added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]"]


def test_nothing_is_asked_when_the_query_is_empty():
    """Unasked means unasked, and a page of the usual size."""
    assert read_query([]) == (Filters(), Page(PAGE_OBJECTS, None))


def test_every_field_is_read():
    """All of them at once, values parted by commas, each once."""
    filters, page = read_query(
        [
            ("added_after", NOW),
            ("limit", "7"),
            ("next", "abc"),
            ("match[id]", "a, b,a"),
            ("match[type]", "indicator"),
            ("match[version]", f"first,last,{NOW}"),
            ("match[spec_version]", "2.0,2.1"),
            ("unknown", "x"),
            ("unknown", "y"),
        ]
    )
    at_us = read_timestamp(NOW)
    assert filters == Filters(at_us, ("a", "b"), ("indicator",), ("2.0", "2.1"), Versions(True, True, (at_us,), False))
    assert page == Page(7, "abc")


@pytest.mark.parametrize(
    ("text", "limit"),
    [("1", 1), ("007", 7), ("1001", 1001), ("10000", 10_000), ("10001", 10_000), ("1000000000", 10_000), ("9" * 5000, 10_000)],
)
@pytest.mark.clause("2-m3", "2-y1", "3.4-y1", "B-t1")
def test_limit_is_cut_to_ours(text, limit):
    """A larger limit is cut, as the standard allows."""
    assert read_query([("limit", text)])[1].limit == limit


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *[
            ("limit", text)
            for text in ("0", "-1", "1e3", "١", "", " 1", "1 ", "+1", "1_0", "0x1", "1.0", "000", "²", "nan", "1\x00")
        ],
        *[
            ("added_after", text)
            for text in ("", "2026-11-21", "2026-11-21T19:55:39", "yesterday", "1795000000", NOW + "x", "9" * 100_000)
        ],
        *[("match[version]", text) for text in ("", "newest", "all,last", "last,all", "first,", f"all,{NOW}", "2026", ",")],
        *[(field, ",".join(map(str, range(MAX_VALUES + 1)))) for field in ("match[id]", "match[type]", "match[spec_version]")],
        ("match[version]", ",".join([NOW] * (MAX_VALUES + 1))),
    ],
)
@pytest.mark.clause("3.4-m1", "3.4-m5", "B-t2")
def test_value_is_refused_when_it_is_hostile(field, text):
    """A refusal that names the field and not the value."""
    with pytest.raises(Refusal) as refused:
        read_query([(field, text)])
    assert refused.value.code is Code.MALFORMED_REQUEST
    assert f"'{field}" in refused.value.message
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.clause("3.4-m2", "3.4-m10", "3.4.1-m6")
def test_field_is_refused_when_it_stands_twice(field):
    """Two values of one field: which of them would be meant?"""
    with pytest.raises(Refusal) as refused:
        read_query([(field, "1"), ("x", "y"), (field, "1")])
    assert refused.value.code is Code.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T19:55:39Z",
        "2026-11-21T19:55:39.1Z",
        "2026-11-21T19:55:39+00:00",
        "2026-11-21T19:55:39 00:00",
        "9999-01-01T00:00:00Z",
    ],
)
def test_time_is_read_in_every_precision(text):
    """Seconds, tenths, offsets, a blank for +, and the future."""
    assert read_query([("added_after", text)])[0].added_after_us == read_timestamp(text)


@given(st.lists(st.tuples(st.sampled_from([*FIELDS, "x"]), st.text(max_size=30)), max_size=5))
def test_any_query_is_read_or_refused(pairs):
    """Whatever stands in a query."""
    try:
        filters, page = read_query(pairs)
    except Refusal as refusal:
        code, filters, page = refusal.code, Filters(), Page(1, None)
    else:
        code = Code.MALFORMED_REQUEST
    assert code is Code.MALFORMED_REQUEST
    assert 1 <= page.limit <= MAX_LIMIT
    assert filters.versions != Versions(latest=False)


optional = st.none() | st.integers(0, 3)
some = st.builds(
    Filters,
    optional,
    st.none() | st.just(("a",)),
    st.none() | st.just(("b",)),
    st.none() | st.just(("2.1",)),
    st.none() | st.just(Versions()),
)


@given(some, some)
@pytest.mark.clause("B-m2")
def test_cursor_fills_in_what_is_not_asked(asked, carried):
    """What a query asks wins over what its cursor carries; what it does not ask comes from there."""
    merged = asked.over(carried)
    for name in Filters.__slots__:
        own = getattr(asked, name)
        assert getattr(merged, name) == (getattr(carried, name) if own is None else own)
