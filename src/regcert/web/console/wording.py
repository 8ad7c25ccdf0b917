"""How values are worded for people: defanged, inert, dated, counted.

Whole sentences live in the templates, where they can be translated; here are only the parts that no language changes:
numbers, dates in UTC, unit symbols. Everything shown passes through `inert`, so that a value from outside cannot turn the
text around it (bidirectional overrides), hide in it (zero-width characters) or break it (control characters).
"""

import unicodedata
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from regcert.clock import DAY_US, SECOND_US
from regcert.stix.observable import Observable, ObservableKind

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799 * SECOND_US  # the end of the year 9999, where datetime ends
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NETWORK = frozenset({ObservableKind.IPV4, ObservableKind.CIDR, ObservableKind.DOMAIN, ObservableKind.EMAIL})


def inert(text: str) -> str:
    """Write characters that cannot be seen, or that reorder what can, as their code point.

    Markup is ours and passes unchanged. A line break reads as a blank: nothing we show spans lines.

    Args:
        text: anything, of any origin.

    Returns:
        The same text with, for example, a right-to-left override as `⟨U+202E⟩`.
    """
    if isinstance(text, Markup) or (text.isascii() and text.isprintable()):
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char in "\t\n\r":
        return " "
    return f"⟨U+{ord(char):04X}⟩" if unicodedata.category(char) in _UNSEEN else char


def defang(observable: Observable) -> str:
    """Write an observable so that no mail client or terminal makes a link of it.

    Args:
        observable: any; only kinds that a program could follow are changed.

    Returns:
        For example `hxxps://login[.]bank[.]example/`.
    """
    value = observable.value
    if observable.kind in _NETWORK:
        value = value.replace("@", "[@]").replace(".", "[.]")
    if observable.kind in (ObservableKind.URL, ObservableKind.USER_AGENT):
        value = value.replace("http", "hxxp").replace("HTTP", "HXXP").replace(".", "[.]")
    if observable.kind is ObservableKind.IPV6 or (observable.kind is ObservableKind.CIDR and ":" in value):
        value = value.replace(":", "[:]")
    return value


def clip(text: str, most: int) -> str:
    """Cut text in its middle, where it says least, to at most `most` characters."""
    if len(text) <= most:
        return text
    head = most * 2 // 3
    return text[:head] + "…" + text[len(text) - (most - head - 1) :]


def moment(at_us: int) -> datetime:
    """Return the aware UTC time; times no calendar has are moved to the nearest one that it has."""
    return _EPOCH + timedelta(microseconds=min(max(at_us, -62_135_596_800 * SECOND_US), _LAST_US))


def machine_time(at_us: int) -> str:
    """Write a time for the `datetime` attribute, to the second."""
    return moment(at_us).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at_us: int) -> str:
    """Write a day as `9 Nov`."""
    at = moment(at_us)
    return f"{at.day} {at:%b}"


def minute(at_us: int) -> str:
    """Write a time as `9 Nov, 08:14`; UTC, which the page says once."""
    return f"{day(at_us)}, {moment(at_us):%H:%M}"


def full(at_us: int) -> str:
    """Write a time as `9 Nov 2026, 08:14 UTC`."""
    return f"{day(at_us)} {moment(at_us):%Y, %H:%M} UTC"


def measure(span_us: int) -> tuple[int, str]:
    """Return a span in one unit, `min`, `h` or `d`, rounded down; a negative one is no time at all.

    Hours go on to two days, because the first two days of an incident are told in hours.
    """
    span_us = max(span_us, 0)
    if span_us < HOUR_US:
        return span_us // MINUTE_US, "min"
    return (span_us // HOUR_US, "h") if span_us < 2 * DAY_US else (span_us // DAY_US, "d")


def elapsed(span_us: int) -> str:
    """Write a span where room is scarce: `40 min`, `7 h`, `3 d`."""
    number, unit = measure(span_us)
    return f"{number} {unit}"


def count(number: int) -> str:
    """Write a whole number with thin blanks between thousands: `12 400`."""
    return f"{number:,}".replace(",", "\u202f")


def brief(number: int) -> str:
    """Write a whole number in at most four characters: `412`, `1.2k`, `38k`, `4.1M`; rounded down, `999M` at most."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            tenths = number * 10 // size
            return f"{tenths / 10:g}{letter}" if tenths < 100 else f"{min(tenths // 10, 999)}{letter}"
    return str(number)
