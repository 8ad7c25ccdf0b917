"""An incident: a cluster of observables that crosses borders."""

from dataclasses import dataclass

from regcert.domain.team import Team
from regcert.stix.observable import Observable
from regcert.stix.tlp import Tlp

# Why a value that crosses borders is in no incident; also how the store finds it again.
SHARED_BY_STORIES = "Several stories share it, as they share rented hosting; it belongs to none of them."


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an incident reached one country.

    Args:
        country: ISO 3166-1 alpha-2, or `XK`.
        first_us: the earliest event time of any of the country's teams.
    """

    country: str
    first_us: int


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the score, with the evidence for it.

    Args:
        name: a stable word, for example `spread`.
        points: what it adds to the score, of `most`.
        most: what it could add at best.
        evidence: one sentence for people.
    """

    name: str
    points: float
    most: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Incident:
    """What correlation found, as one principal may see it.

    Args:
        incident_id: stable; survives growth and merges.
        scope: the audience all of its evidence belongs to.
        strength: 0 to 100, the sum of the terms, before age is taken into account.
        marking: the strictest marking of its parts.
        spread: countries in the order in which it reached them.
        teams: everyone who holds a part of it, by slug.
        observables: its values, by kind and value.
        sightings: how often it was seen, the sum of positive counts.
        first_us: earliest event time.
        last_us: latest event time.
        terms: why it scores so.
        names: what reports call it: campaigns first, then malware, then the reports' own titles; at most three.
    """

    incident_id: str
    scope: str
    strength: float
    marking: Tlp
    spread: tuple[Arrival, ...]
    teams: tuple[Team, ...]
    observables: tuple[Observable, ...]
    sightings: int
    first_us: int
    last_us: int
    terms: tuple[Term, ...]
    names: tuple[str, ...] = ()
