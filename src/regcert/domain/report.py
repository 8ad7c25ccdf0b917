"""Reading sighting reports as our API takes them: one JSON object a report."""

import uuid
from collections.abc import Mapping

from regcert.clock import DAY_US
from regcert.domain.sighting import SightingKind, SightingReport
from regcert.errors import Code, Refusal
from regcert.stix.identifier import is_stix_id
from regcert.stix.observable import read_observable
from regcert.stix.timestamps import read_timestamp

MAX_COUNT = 1_000_000_000
_MAX_NAME = 200
_PROPERTIES = frozenset({"value", "indicator", "kind", "count", "first_seen", "last_seen", "sector", "report_id", "collection"})


def read_report(data: object, now_us: int) -> SightingReport:
    """Read one report.

    Args:
        data: a JSON value, bounded but otherwise as it came.
        now_us: the time that stands where the report tells none.

    Returns:
        The report; without a `report_id` it gets one of its own, and sending it again counts again.

    Raises:
        Refusal: INVALID_SIGHTING or INVALID_OBSERVABLE, naming the property.
    """
    if not isinstance(data, Mapping):
        raise _invalid("a report must be a JSON object")
    if unknown := set(data) - _PROPERTIES:
        raise _invalid(f"a report has no property '{min(map(str, unknown))[:40]!a}'; see docs/api.md")
    value, indicator = _text(data, "value", 8192), _text(data, "indicator", _MAX_NAME)
    if (value is None) == (indicator is None):
        raise _invalid("a report names either a 'value' or an 'indicator'")
    if indicator is not None and not is_stix_id(indicator):
        raise _invalid("'indicator' must be a STIX id such as indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
    _text(data, "collection", _MAX_NAME)  # whoever files the report looks it up
    first_us, last_us = _span(data, now_us)
    return SightingReport(
        report_id=_text(data, "report_id", _MAX_NAME) or str(uuid.uuid4()),
        kind=_kind(data.get("kind", "positive")),
        observable=None if value is None else read_observable(value),
        indicator_id=indicator,
        count=_count(data.get("count", 1)),
        first_us=first_us,
        last_us=last_us,
        sector=_text(data, "sector", _MAX_NAME),
    )


def _text(data: Mapping[str, object], name: str, most: int) -> str | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.strip():
        raise _invalid(f"'{name}' must be a text of 1 to {most} characters")
    if name != "value" and not value.isprintable():
        raise _invalid(f"'{name}' holds characters that cannot be shown")
    return value


def _kind(value: object) -> SightingKind:
    try:
        return SightingKind(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _invalid("'kind' must be positive, negative, false-positive or expired") from error


def _count(value: object) -> int:
    # True is an int in Python, and a report that says so is a mistake.
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_COUNT:
        raise _invalid(f"'count' must be a whole number from 1 to {MAX_COUNT}")
    return value


def _span(data: Mapping[str, object], now_us: int) -> tuple[int, int]:
    moments = []
    for name in ("first_seen", "last_seen"):
        text = _text(data, name, 64)
        try:
            moments.append(None if text is None else read_timestamp(text))
        except Refusal as refusal:
            raise _invalid(f"'{name}' is {refusal.message}") from refusal
    first_us, last_us = moments
    first_us = first_us if first_us is not None else last_us if last_us is not None else now_us
    last_us = last_us if last_us is not None else first_us
    if last_us < first_us:
        raise _invalid("'last_seen' lies before 'first_seen'")
    if last_us > now_us + DAY_US:
        raise _invalid("'last_seen' lies in the future; check the clock and the time zone")
    return first_us, last_us


def _invalid(message: str) -> Refusal:
    return Refusal(Code.INVALID_SIGHTING, message)
