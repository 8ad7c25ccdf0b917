"""An incident: a cluster of observables that crosses borders."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.domain.team import Team
from regcert.stix.observable import Observable
from regcert.stix.tlp import Tlp

# Why a value that crosses borders is in no incident; also how the store finds it again.
SHARED_BY_STORIES = "Several stories share it, as they share rented hosting; it belongs to none of them."


class Standing(StrEnum):
    """What coordinators made of an incident; the value is stable."""

    PINNED = "pinned"
    USUAL = "usual"
    DISMISSED = "dismissed"


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
        standing: whether a coordinator pinned or dismissed it.
        returned_for: the countries that it reached since it was dismissed, for which it is shown again.
        wide: those of its values that most teams of its audience hold.
        derived: those of its values that nobody named, which follow from values that somebody did.
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
    standing: Standing = Standing.USUAL
    returned_for: tuple[str, ...] = ()
    wide: tuple[Observable, ...] = ()
    derived: tuple[Observable, ...] = ()


@dataclass(frozen=True, slots=True)
class Technique:
    """An ATT&CK technique that what is behind an incident names, or a report of its own says was seen.

    Args:
        technique: its id, for example `T1566.001`.
        name: what it is called, or empty where nobody says.
        told_by: how many objects behind the incident name it.
        seen_by: the slugs of teams of the same audience that reported having seen it, for whatever reason.
    """

    technique: str
    name: str
    told_by: int
    seen_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What names several values of an incident, and so says that they belong together.

    Args:
        stix_id: of the report, campaign or other object.
        name: what it is called, or empty.
        values: how many of the incident's values it names.
    """

    stix_id: str
    name: str
    values: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the objects and reports behind an incident say beside its values.

    Args:
        sectors: the sectors that reporters say were hit, with the number of teams that say so, the most frequent first.
        techniques: ATT&CK techniques, those that most objects name first.
        phases: phases of kill chains, each as `chain: phase`.
        confidence: the median of the confidence that its objects state, 0 to 100, or None where none states any.
        confident: how many objects state a confidence.
        links: what names several of its values, the widest first; at most five.
    """

    sectors: tuple[tuple[str, int], ...] = ()
    techniques: tuple[Technique, ...] = ()
    phases: tuple[str, ...] = ()
    confidence: int | None = None
    confident: int = 0
    links: tuple[Link, ...] = ()
