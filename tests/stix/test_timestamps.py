"""Timestamps, against the standard library's reading of the same moments."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix.timestamps import read_timestamp, write_timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=zones)  # noqa: DTZ001 - the zones are drawn


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@given(moments, st.sampled_from(["auto", "milliseconds", "microseconds", "seconds"]))
def test_moment_is_read_as_the_library_reads_it(moment, precision):
    """Any date, any offset, any number of decimals."""
    text = moment.isoformat(timespec=precision)
    assert read_timestamp(text) == micros(datetime.fromisoformat(text))


@given(moments)
def test_moment_is_the_same_when_written_and_read_back(moment):
    """What is written is UTC with six decimals and a Z, and reads as the same microsecond."""
    text = write_timestamp(micros(moment))
    assert len(text) == 27
    assert text.endswith("Z")
    assert read_timestamp(text) == micros(moment)
    assert datetime.fromisoformat(text) == moment


@given(moments, moments)
def test_written_texts_are_in_the_order_of_their_moments(one, other):
    """Texts of one width sort as what they say: pollers compare `date_added` as text."""
    assert (write_timestamp(micros(one)) < write_timestamp(micros(other))) == (one < other)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-21T19:55:39.123456789Z", "2026-11-21T19:55:39.123456Z"),
        ("2026-11-21t19:55:39z", "2026-11-21T19:55:39.000000Z"),
        ("2026-11-21T19:55:39.5+02:00", "2026-11-21T17:55:39.500000Z"),
        ("2026-11-21T19:55:39 02:00", "2026-11-21T17:55:39.000000Z"),
        ("2026-11-21T19:55:39-00:30", "2026-11-21T20:25:39.000000Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2026-11-21T19:55:39." + "1" * 40 + "Z", "2026-11-21T19:55:39.111111Z"),
    ],
)
def test_unusual_spelling_is_understood(text, same):
    """Lower case, a blank where + was, leap seconds, more decimals than we keep."""
    assert write_timestamp(read_timestamp(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-21",
        "2026-11-21T19:55:39",
        "2026-11-21 19:55:39Z",
        "2026-11-21T19:55Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T19:60:00Z",
        "2026-11-21T19:55:61Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "2026-11-21T19:55:39.Z",
        "2026-11-21T19:55:39+24:00",
        "2026-11-21T19:55:39+2:00",
        "2026-11-21T19:55:39Z ",
        " 2026-11-21T19:55:39Z",
        "٢٠٢٦-11-21T19:55:39Z",
        "2026-11-21T19:55:39Z\n",
        "2026-11-21T19:55:39." + "1" * 60 + "Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-21T19:55:39Z\x00",
        "1795000000",
    ],
)
def test_text_is_refused_when_it_names_no_moment(text):
    """No such date, no zone, another calendar's digits, or a moment that could be read and never written."""
    with pytest.raises(Refusal) as refused:
        read_timestamp(text)
    assert refused.value.code is Code.INVALID_TIMESTAMP


@given(st.text(max_size=40) | st.text(alphabet="0123456789-:TZ.+ ", max_size=40))
def test_any_text_is_read_or_refused(text):
    """Whatever a text holds, what is read can be written."""
    try:
        write_timestamp(read_timestamp(text))
    except Refusal as refusal:
        code = refusal.code
    else:
        code = Code.INVALID_TIMESTAMP
    assert code is Code.INVALID_TIMESTAMP
