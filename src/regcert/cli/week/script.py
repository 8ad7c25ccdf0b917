"""The script: who publishes what and who sees it, as a file tells it."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from regcert.domain.region import Region
from regcert.domain.sighting import SightingKind
from regcert.errors import Code, Refusal
from regcert.stix.observable import Observable, ObservableKind, canonical

WEEK_HOURS = 168


@dataclass(frozen=True, slots=True)
class Value:
    """One value; a benign one is real, and the guard lists know it."""

    kind: ObservableKind
    value: str
    benign: bool = False

    @property
    def observable(self) -> Observable:
        """The value in canonical form."""
        return canonical(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class Story:
    """One incident that the week plants.

    Args:
        key: what reports call it.
        title: for people.
        context: the type of the STIX object that all its indicators point to.
        description: for people.
        indicates: the indicator type.
        order: the countries that it reaches, in order.
        crossing: the names of exactly those values that it carries across a border.
    """

    key: str
    title: str
    context: Literal["campaign", "malware"]
    description: str
    indicates: str
    order: tuple[str, ...]
    crossing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a team publishes at once: an indicator for each value, and a report of all of them."""

    team: str
    hours_ago: float
    title: str
    values: tuple[str, ...]
    story: str | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What the sensors of a team saw of some values.

    Args:
        team: whose sensors.
        values: of which each report names one.
        from_hours_ago: the earliest event.
        to_hours_ago: the latest.
        reports: how many.
        most: the largest count in one of them.
        sector: that was hit.
        kind: what they say.
    """

    team: str
    values: tuple[str, ...]
    from_hours_ago: float
    to_hours_ago: float
    reports: int
    most: int
    sector: str
    kind: SightingKind = SightingKind.POSITIVE


@dataclass(frozen=True, slots=True)
class Family:
    """One sort of noise, and how much of all noise it is."""

    title: str
    kind: ObservableKind
    weight: int
    indicates: str


@dataclass(frozen=True, slots=True)
class NoisyTeam:
    """How much noise a team publishes, and which team of the same country sees some of it."""

    team: str
    indicators: int
    seen_by: str
    sightings: int


@dataclass(frozen=True, slots=True)
class Noise:
    """What one country alone has: words to make names of, sorts, and who publishes how much."""

    words: tuple[str, ...]
    families: tuple[Family, ...]
    teams: tuple[NoisyTeam, ...]


@dataclass(frozen=True, slots=True)
class Relay:
    """That a team passes the public feed on."""

    team: str
    hours_ago: float


@dataclass(frozen=True, slots=True)
class Feed:
    """A public feed: one author, passed on by several teams."""

    name: str
    identity: str
    entries: int
    relays: tuple[Relay, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """The whole script; every name in it is known."""

    seed: int
    region: str
    guest: str
    values: dict[str, Value]
    stories: tuple[Story, ...]
    reports: tuple[Report, ...]
    watches: tuple[Watch, ...]
    noise: Noise
    feed: Feed

    @property
    def publishers(self) -> frozenset[str]:
        """The teams that publish."""
        relays = {relay.team for relay in self.feed.relays}
        return frozenset(relays | {report.team for report in self.reports} | {noisy.team for noisy in self.noise.teams})

    @property
    def sensors(self) -> frozenset[str]:
        """The teams with sensors: those that poll, and report what they saw."""
        return frozenset({watch.team for watch in self.watches} | {noisy.seen_by for noisy in self.noise.teams})


def read_week(data: Mapping[str, object]) -> Week:
    """Read a script.

    Args:
        data: the parsed TOML; schemas/demo-week.schema.json says what may stand in it.

    Raises:
        Refusal: INVALID_SETTING, naming the property.
    """
    try:
        return msgspec.convert(data, Week)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error


def require_cast(week: Week, region: Region) -> None:
    """Refuse a script that names a team, a value or a story that is not there, or hours outside the week.

    Raises:
        Refusal: INVALID_SETTING.
    """
    countries = {team.slug: team.country for team in region.teams}
    _require_known("team in the region", week.publishers | week.sensors, countries)
    _require_known("team that publishes and has sensors", (week.guest,), week.publishers & week.sensors)
    _require_known("value", _values_named(week), week.values)
    _require_known("story", (report.story for report in week.reports if report.story), {story.key for story in week.stories})
    if not all(1 <= hours <= WEEK_HOURS for hours in _hours_named(week)):
        raise _refusal(f"hours lie between 1 and {WEEK_HOURS} before now")
    for noisy in week.noise.teams:
        if countries[noisy.team] != countries[noisy.seen_by]:
            raise _refusal(f"the noise of {noisy.team!r} must be seen in its own country, or it would cross a border")


def _require_known(noun: str, named: Iterable[str], known: Container[str]) -> None:
    for name in named:
        if name not in known:
            raise _refusal(f"there is no {noun} called {name!r}")


def _values_named(week: Week) -> Iterator[str]:
    for report in week.reports:
        yield from report.values
    for watch in week.watches:
        yield from watch.values
    for story in week.stories:
        yield from story.crossing


def _hours_named(week: Week) -> Iterator[float]:
    yield from (report.hours_ago for report in week.reports)
    yield from (relay.hours_ago for relay in week.feed.relays)
    for watch in week.watches:
        yield from (watch.from_hours_ago, watch.to_hours_ago)


def _refusal(fault: str) -> Refusal:
    return Refusal(Code.INVALID_SETTING, f"deploy/demo/week.toml: {fault}")
