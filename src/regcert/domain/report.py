"""Reading sighting reports as our API takes them: one JSON object a report."""

import secrets
from collections.abc import Mapping

from regcert.clock import DAY_US
from regcert.domain.sighting import SightingKind, SightingReport, is_technique, may_be_elsewhere
from regcert.errors import Code, Refusal
from regcert.stix.identifier import is_stix_id
from regcert.stix.observable import read_observable
from regcert.stix.timestamps import read_timestamp

MAX_COUNT = 1_000_000_000
_MAX_NAME = 200
# Exactly one of these says what was seen.
_NAMING = ("value", "indicator", "subject", "technique")
_PROPERTIES = frozenset({*_NAMING, "kind", "count", "first_seen", "last_seen", "sector", "report_id", "collection"})
_OWN_ID_BYTES = 12


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
    if sum(data.get(name) is not None for name in _NAMING) != 1:
        raise _invalid("a report names one thing: a 'value', an 'indicator', a 'subject' or a 'technique'")
    value = _text(data, "value", 8192)
    subject = None if value is not None else _subject(data)
    _text(data, "collection", _MAX_NAME)  # whoever files the report looks it up
    first_us, last_us = _span(data, now_us)
    return SightingReport(
        report_id=_text(data, "report_id", _MAX_NAME) or secrets.token_urlsafe(_OWN_ID_BYTES),
        kind=_kind(data.get("kind", "positive")),
        observable=None if value is None else read_observable(value),
        subject=subject,
        count=_count(data.get("count", 1)),
        first_us=first_us,
        last_us=last_us,
        sector=_text(data, "sector", _MAX_NAME),
    )


def _subject(data: Mapping[str, object]) -> str:
    """Read what was seen where that is no value; is it here, is for whoever files the report to find out."""
    technique, subject = _text(data, "technique", _MAX_NAME), _text(data, "subject", _MAX_NAME)
    if technique is not None:
        if not is_technique(technique):
            raise _invalid("'technique' must be the id of an ATT&CK technique such as T1566 or T1566.001")
        return technique
    if subject is not None:
        if not is_stix_id(subject) or not may_be_elsewhere(subject):
            raise _invalid("'subject' must be the STIX id of what was seen: a campaign, malware, intrusion set, tool and so on")
        return subject
    indicator = _text(data, "indicator", _MAX_NAME)
    if indicator is None or not is_stix_id(indicator):
        raise _invalid("'indicator' must be a STIX id such as indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
    return indicator


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
