"""A sighting: a team saw something."""

import re
from dataclasses import dataclass
from enum import StrEnum

from regcert.stix.observable import Observable
from regcert.stix.tlp import Tlp

# What can be seen without a value of it, and has the same id wherever it is known. An indicator is somebody's own words: it
# must be here, or nobody could tell what was seen.
_SUBJECT = re.compile(
    "(?:attack-pattern|campaign|grouping|incident|infrastructure|intrusion-set|malware|report|threat-actor|tool|vulnerability)--"
)
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")


class SightingKind(StrEnum):
    """What a report says about the thing it names."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    FALSE_POSITIVE = "false-positive"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SightingReport:
    """One report, as a team made it; the ledger keeps it unchanged and never twice.

    Args:
        report_id: the reporter's own name for it; the same team and name again changes nothing.
        kind: what it says.
        observable: the value it names, or None where it names something else.
        subject: the STIX id or the ATT&CK technique it names, or None where it names a value.
        count: how often within the span, 1 to 10^9.
        first_us: when first, event time.
        last_us: when last, not before `first_us`.
        sector: the reporter's word for the sector hit, or None.
    """

    report_id: str
    kind: SightingKind
    observable: Observable | None
    subject: str | None
    count: int
    first_us: int
    last_us: int
    sector: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One entry of the ledger, as whoever may read its collection is shown it.

    Args:
        position: its place in the host's order; later ones are larger.
        team: who reported it, by its short name.
        country: of that team.
        kind: what it says.
        subject: what it names, or None where it names the value itself.
        count: how often within the span.
        first_us: when first, event time.
        last_us: when last.
        sector: the reporter's word for the sector hit, or None.
        marking: how far it may go.
    """

    position: int
    team: str
    country: str
    kind: SightingKind
    subject: str | None
    count: int
    first_us: int
    last_us: int
    sector: str | None
    marking: Tlp


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reports of one team that name one thing sum up to.

    Args:
        team: the reporter's short name.
        country: of that team.
        kind: what they say.
        reports: how many.
        count: the sum of their counts.
        first_us: when first, event time.
        last_us: when last.
    """

    team: str
    country: str
    kind: SightingKind
    reports: int
    count: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Hour:
    """How often something was seen in one hour and country.

    Args:
        begins_us: the full hour, UTC, in which the reports say that it was first seen.
        country: whose teams.
        kind: what they say.
        reports: how many.
        count: the sum of their counts.
    """

    begins_us: int
    country: str
    kind: SightingKind
    reports: int
    count: int


def may_be_elsewhere(subject: str) -> bool:
    """Tell whether something can be reported as seen although it does not stand on this host."""
    return is_technique(subject) or _SUBJECT.match(subject) is not None


def is_technique(text: str) -> bool:
    """Tell whether a text is the id of an ATT&CK technique, such as T1566.001."""
    return _TECHNIQUE.fullmatch(text) is not None


def property_of(subject: str) -> str:
    """Name the property under which a report names a subject."""
    return "technique" if is_technique(subject) else "subject" if _SUBJECT.match(subject) else "indicator"
