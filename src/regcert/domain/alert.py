"""An alert: what a team is told without asking, once."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.domain.incident import Arrival
from regcert.stix.observable import Observable
from regcert.stix.tlp import Tlp


class AlertKind(StrEnum):
    """Why a team is told; the value is stable."""

    CROSSING = "crossing"
    """Something that it holds crosses borders."""
    SIGHTED = "sighted"
    """Somebody else saw what it published."""
    APPROACHING = "approaching"
    """An incident has come close to its country, where nobody has seen it yet."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alert is about, as the team's scope showed it at that moment.

    Args:
        incident_id: the incident, or None where there is none, or there are many.
        names: what reports call it, at most three.
        countries: where it was seen or published, in that order.
        teams: who holds it, by slug; who saw it, where somebody saw what the team published.
        observables: the values that the alert is about, at most 20 of them.
        total: how many values it is about.
        incidents: how many incidents it is about.
        last_us: the latest event time.
    """

    incident_id: str | None
    names: tuple[str, ...]
    countries: tuple[Arrival, ...]
    teams: tuple[str, ...]
    observables: tuple[Observable, ...]
    total: int
    incidents: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert on its way to a team.

    Args:
        team_id: who is told.
        kind: why.
        scope: the audience that all of the evidence belongs to; the team is in it.
        marking: the strictest marking of what the evidence was read from.
        strength: of the incident, 0 to 100; which alerts come first where there are many.
        evidence: what it is about.
        subjects: what the team is not told again, each with the key of the team that saw it, or 0.
    """

    team_id: int
    kind: AlertKind
    scope: str
    marking: Tlp
    strength: float
    evidence: Evidence
    subjects: tuple[tuple[bytes, int], ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as its team reads it.

    Args:
        number: its place among the team's alerts, and the time when it was raised in microseconds.
        kind: why.
        scope: the audience that the evidence belongs to.
        marking: the strictest marking of the evidence.
        evidence: what it is about.
        seen_us: when somebody of the team marked it as seen, or None.
    """

    number: int
    kind: AlertKind
    scope: str
    marking: Tlp
    evidence: Evidence
    seen_us: int | None
