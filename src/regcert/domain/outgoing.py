"""An incident on its way out: how far the host has published it as the centre."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outgoing:
    """How far an incident is published.

    Args:
        incident_id: which.
        scope: its audience.
        noted: how many changes correlation noted.
        due_us: when to look at it again, None where nothing is left to do.
        looked_us: when it was looked at last, 0 for never.
        issued_us: when something of it was published last, 0 for never.
        shape: a digest of what is news in it, empty before it was published.
        shape_us: since when it has that shape.
        is_report: whether it was steady once, and is told as a report.
    """

    incident_id: str
    scope: str
    noted: int
    due_us: int | None
    looked_us: int
    issued_us: int
    shape: bytes
    shape_us: int
    is_report: bool
