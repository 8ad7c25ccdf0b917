"""A sighting: a team saw something."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.stix.observable import Observable


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
        observable: the value it names, or None where it names an indicator.
        indicator_id: the STIX id it names, or None where it names a value.
        count: how often within the span, 1 to 10^9.
        first_us: when first, event time.
        last_us: when last, not before `first_us`.
        sector: the reporter's word for the sector hit, or None.
    """

    report_id: str
    kind: SightingKind
    observable: Observable | None
    indicator_id: str | None
    count: int
    first_us: int
    last_us: int
    sector: str | None
