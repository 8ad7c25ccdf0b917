"""A region as it might be, told from a seed: campaigns that cross borders, and all the noise that looks like them.

What is planted is known, so that what correlation finds can be marked. Nothing here knows how correlation works.
"""

import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from regcert.stix.timestamps import write_timestamp

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOW_US = 1_795_000_000_000_000
LENGTH_DAYS = 80

# Teams of deploy/regions/western-balkans.toml, by country; the first of each is the national one.
TEAMS = {
    "AL": ("alcirt", "sample-bank"),
    "BA": ("bih-cert", "cert-rs"),
    "HR": ("hr-cert", "zsis-cert"),
    "ME": ("cirt-me",),
    "MK": ("mkd-cert",),
    "RS": ("srb-cert", "mup-cert", "amres-csirt"),
    "XK": ("kos-cert",),
}
CENTRE = "regional-centre"
FLOODER = "sample-isp"
FLOODED = "RS"
GUARDED = ("google.com", "8.8.8.8", "1.1.1.1", "microsoft.com", "www.google.com")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that reached the host: objects that a team published together, or one report of a sighting."""

    at_us: int
    team: str
    objects: tuple[dict[str, Any], ...] = ()
    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted.

    Args:
        campaigns: the campaign of each value that one owns.
        arrivals: of each campaign, when it reached which country.
        benign: values that mean nothing: guarded, popular, and what teams called harmless.
        copies: values that nobody knows but from a public feed.
        shared: hosting that several campaigns use; it belongs to none of them.
        lone: values of stories that one country has.
        held: which countries have a word of their own for each value.
    """

    campaigns: dict[str, int] = field(default_factory=dict)
    arrivals: dict[int, dict[str, int]] = field(default_factory=dict)
    benign: set[str] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    lone: set[str] = field(default_factory=set)
    held: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def crossing(self) -> dict[str, int]:
        """The values that should be in incidents, with their campaigns."""
        return {value: one for value, one in self.campaigns.items() if len(self.held[value]) > 1 and value not in self.benign}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything a world has."""

    campaigns: int = 24
    lone: int = 5
    hosting: int = 8
    popular: int = 4
    mistaken: int = 6
    feeds: int = 3
    feed_values: int = 40
    digests: int = 5
    families: int = 5
    flood: int = 300


FULL = Scale()
TINY = Scale(campaigns=4, lone=1, hosting=2, popular=1, mistaken=1, feeds=1, feed_values=6, digests=1, families=2, flood=10)


@dataclass(slots=True)
class _Story:
    number: int
    values: list[str]
    arrivals: dict[str, int]
    begin_us: int
    campaign: dict[str, Any] | None
    malware: str | None
    thoroughness: float
    told: dict[str, list[str]] = field(default_factory=dict)  # by value, the ids of the indicators that name it


class _Maker:
    """One world in the making."""

    def __init__(self, seed: int, scale: Scale) -> None:
        self.random = random.Random(f"region {seed}")
        self.scale = scale
        self.truth = Truth()
        self.events: list[Event] = []
        self.start_us = NOW_US - (LENGTH_DAYS + 15) * DAY_US
        self.used: set[str] = set()
        self.numbers = 0
        self.families = [self._sdo("malware", self.start_us, name=f"Family {n}", is_family=True) for n in range(scale.families)]
        self.popular = [self._value() for _ in range(scale.popular)]
        self.truth.benign.update(self.popular, GUARDED)
        self.stories: list[_Story] = []

    # Values and objects

    def _id(self, kind: str) -> str:
        return f"{kind}--{uuid.UUID(int=self.random.getrandbits(128), version=4)}"

    def _sdo(self, kind: str, at_us: int, **properties: Any) -> dict[str, Any]:
        at = write_timestamp(at_us)
        return {"type": kind, "spec_version": "2.1", "id": self._id(kind), "created": at, "modified": at} | properties

    def _value(self, kind: str | None = None) -> str:
        r = self.random
        while True:
            name = "".join(r.choices("abcdefghijklmnopqrstuvwxyz", k=r.randint(6, 12)))
            kind_now = kind or r.choices(("domain", "ip", "url", "hash"), (4, 3, 2, 2))[0]
            if kind_now == "domain":
                value = f"{name}.{r.choice(('top', 'info', 'site'))}"
            elif kind_now == "ip":
                value = f"{r.choice((45, 91, 185, 193))}.{r.randint(60, 250)}.{r.randint(1, 250)}.{r.randint(1, 250)}"
            elif kind_now == "url":
                value = f"http://{name}.example-host.site/{r.randint(1, 9999)}"
            else:
                value = f"{r.getrandbits(256):064x}"
            if value not in self.used:
                self.used.add(value)
                return value

    def _indicator(self, values: list[str], at_us: int, **properties: Any) -> dict[str, Any]:
        pattern = " OR ".join(_comparison(value) for value in values)
        dated = {"pattern": f"[{pattern}]", "pattern_type": "stix", "valid_from": write_timestamp(at_us)}
        return self._sdo("indicator", at_us, **dated, **properties)

    def _hours(self, mean: float) -> int:
        return int(self.random.expovariate(1 / mean) * HOUR_US)

    def _hold(self, team: str, values: list[str]) -> None:
        for country, teams in TEAMS.items():
            if team in teams or (team == FLOODER and country == FLOODED):
                for value in values:
                    self.truth.held[value].add(country)

    def publish(self, at_us: int, team: str, *objects: dict[str, Any]) -> None:
        self.events.append(Event(min(at_us + self._hours(1), NOW_US), team, objects))

    def sight(self, at_us: int, team: str, value: str, kind: str = "positive", count: int = 1) -> None:
        self.numbers += 1
        seen = {
            "value": value,
            "kind": kind,
            "count": count,
            "report_id": f"r{self.numbers}",
            "first_seen": write_timestamp(at_us),
        }
        self.events.append(Event(min(at_us + self._hours(1), NOW_US), team, report=seen))

    # Stories

    def story(self, number: int, countries: list[str]) -> _Story:
        r = self.random
        begin_us = self.start_us + int(r.random() * (LENGTH_DAYS - 15) * DAY_US)
        arrivals, at_us = {}, begin_us
        for country in countries:
            arrivals[country] = at_us
            at_us += int(min(max(r.lognormvariate(3.0, 0.8), 4), 72) * HOUR_US)
        campaign = None
        if r.random() < 0.35 and len(countries) > 1:
            campaign = self._sdo("campaign", begin_us, name=f"Campaign {number}")
        values = [self._value() for _ in range(r.randint(5, 22))]
        malware = r.choice(self.families)["id"] if r.random() < 0.4 else None
        return _Story(number, values, arrivals, begin_us, campaign, malware, r.uniform(0.4, 0.9))

    def tell(self, story: _Story, hosting: list[str], mistaken: list[str]) -> None:
        """Let every country that a story reached tell of it, each in its way."""
        r = self.random
        reporting = [c for c in story.arrivals if r.random() < 0.75]
        reporting = reporting or [next(iter(story.arrivals))]
        for country in story.arrivals:
            at_us, team = story.arrivals[country], r.choice(TEAMS[country])
            if country in reporting:
                for _ in range(r.choice((1, 1, 2, 3))):
                    self.report(story, team, at_us, hosting, mistaken)
                    at_us += self._hours(36)
            if country not in reporting or r.random() < 0.5:
                self.sightings(story, country, story.arrivals[country])

    def report(self, story: _Story, team: str, at_us: int, hosting: list[str], mistaken: list[str]) -> None:
        """Publish what a team found at one moment: indicators, a report of them, what they indicate."""
        r = self.random
        own = [value for value in story.values if r.random() < story.thoroughness] or story.values[:2]
        noise = [v for v in hosting if r.random() < 0.6] + [v for v in mistaken if r.random() < 0.6]
        noise += [v for v in self.popular if r.random() < 0.25] + [v for v in GUARDED if r.random() < 0.1]
        self._hold(team, own + noise)
        values = own + noise
        r.shuffle(values)
        objects: list[dict[str, Any]] = []
        while values:
            taken = [values.pop() for _ in range(min(len(values), 1 if r.random() < 0.85 else r.randint(2, 3)))]
            made = self._indicator(taken, at_us + self._hours(1))
            objects.append(made)
            for value in taken:
                story.told.setdefault(value, []).append(made["id"])
        indicators = list(objects)
        published = write_timestamp(at_us + HOUR_US)
        if r.random() < 0.85:
            refs = [one["id"] for one in indicators]
            objects.append(self._sdo("report", at_us, name=f"Story {story.number}", published=published, object_refs=refs))
        targets = [one for one in (story.campaign and story.campaign["id"], story.malware) if one]
        for target in targets:
            if r.random() < 0.7:
                objects += [
                    self._sdo("relationship", at_us, relationship_type="indicates", source_ref=one["id"], target_ref=target)
                    for one in indicators
                    if r.random() < 0.8 and not set(story.told) & set(noise) & _values_of(one, story)
                ]
        self.publish(at_us + 2 * HOUR_US, team, *objects)

    def sightings(self, story: _Story, country: str, at_us: int) -> None:
        r = self.random
        for value in story.values:
            if r.random() < 0.6:
                team = r.choice(TEAMS[country])
                self._hold(team, [value])
                for _ in range(r.choice((1, 1, 2))):
                    self.sight(at_us + self._hours(6), team, value, count=r.choice((1, 1, 3, 40)))

    # Noise

    def copy_feed(self, number: int) -> None:
        """Let several teams relay one public feed, under the name of its author."""
        r = self.random
        author, own = self._id("identity"), [self._value() for _ in range(self.scale.feed_values)]
        at_us = self.start_us + int(r.uniform(20, LENGTH_DAYS) * DAY_US)
        known = [v for s in self.stories if s.begin_us + 6 * DAY_US < at_us for v in s.values if r.random() < 0.06]
        self.truth.copies.update(own)
        for country in r.sample(sorted(TEAMS), r.randint(2, 5)):
            when_us = at_us + self._hours(24)
            made = [self._indicator([v], when_us, created_by_ref=author) for v in (*own, *known) if r.random() < 0.9]
            refs = [one["id"] for one in made]
            published = write_timestamp(when_us)
            name = f"Public feed {number}"
            listed = self._sdo("report", when_us, name=name, published=published, object_refs=refs, created_by_ref=author)
            self.publish(when_us, r.choice(TEAMS[country]), *made, listed)

    def digest(self) -> None:
        """Write what happened in a fortnight into one report, by a team that has nothing to do with it."""
        r = self.random
        at_us = self.start_us + int(r.uniform(15, LENGTH_DAYS) * DAY_US)
        recent = [s for s in self.stories if at_us - 20 * DAY_US < s.begin_us < at_us - 4 * DAY_US and s.told]
        named: list[str] = []
        for story in r.sample(recent, min(len(recent), r.randint(2, 5))):
            values = r.sample(sorted(story.told), min(len(story.told), r.randint(1, 4)))
            named.extend(r.choice(story.told[value]) for value in values)
        if named:
            team = r.choice((CENTRE, *(teams[0] for teams in TEAMS.values())))
            published = write_timestamp(at_us)
            refs = sorted(set(named))
            self.publish(at_us, team, self._sdo("report", at_us, name="Digest", published=published, object_refs=refs))

    def flood(self) -> None:
        """Let one team repeat itself, about junk and about what has reached its country, and put all of it in one list."""
        r = self.random
        junk = [self._value() for _ in range(max(2, self.scale.flood // 5))]
        self.truth.lone.update(junk)
        reached = [(s.arrivals[FLOODED], v) for s in self.stories if FLOODED in s.arrivals for v in s.values if r.random() < 0.1]
        mixed = [(self.start_us + 10 * DAY_US, value) for value in junk] + reached
        for _ in range(self.scale.flood):
            at_us, value = r.choice(mixed)
            self._hold(FLOODER, [value])
            self.sight(at_us + 8 * HOUR_US + self._hours(48), FLOODER, value, count=r.choice((1, 1000, 1_000_000)))
        made = []
        for at_us, value in mixed:
            self._hold(FLOODER, [value])
            made.append(self._indicator([value], at_us + 12 * HOUR_US))
        at_us = NOW_US - 2 * DAY_US
        refs = [one["id"] for one in made]
        listed = self._sdo("report", at_us, name="Block list", published=write_timestamp(at_us), object_refs=refs)
        self.publish(at_us, FLOODER, *made, listed)

    def make(self) -> None:
        """Fill the world."""
        r, scale = self.random, self.scale
        self.publish(self.start_us, CENTRE, *self.families)
        for number in range(scale.campaigns):
            countries = r.sample(sorted(TEAMS), r.choice((2, 3, 3, 4, 5, 6, 7)))
            self.stories.append(self.story(number, countries))
        lone = [self.story(scale.campaigns + n, r.sample(("AL", "BA", "HR", "RS"), 1)) for n in range(scale.lone)]
        hosting, mistaken = self.share_hosting(), self.mistake()
        for story in (*self.stories, *lone):
            if story.campaign:
                self.publish(story.begin_us, TEAMS[next(iter(story.arrivals))][0], story.campaign)
            self.tell(story, hosting[story.number], mistaken[story.number])
        for story in self.stories:
            self.truth.campaigns.update(dict.fromkeys(story.values, story.number))
            self.truth.arrivals[story.number] = story.arrivals
        for story in lone:
            self.truth.lone.update(story.values)
        for number in range(scale.feeds):
            self.copy_feed(number)
        for _ in range(scale.digests):
            self.digest()
        self.flood()

    def share_hosting(self) -> defaultdict[int, list[str]]:
        """Rent addresses to several campaigns each."""
        hosting: defaultdict[int, list[str]] = defaultdict(list)
        for _ in range(self.scale.hosting):
            address = self._value("ip")
            self.truth.shared.add(address)
            for story in self.random.sample(self.stories, min(len(self.stories), self.random.randint(2, 5))):
                hosting[story.number].append(address)
        return hosting

    def mistake(self) -> defaultdict[int, list[str]]:
        """Put harmless values into reports of two campaigns each, and let two or three teams say so later."""
        r = self.random
        mistaken: defaultdict[int, list[str]] = defaultdict(list)
        for _ in range(self.scale.mistaken):
            value = self._value("domain")
            self.truth.benign.add(value)
            for story in r.sample(self.stories, min(len(self.stories), 2)):
                mistaken[story.number].append(value)
            for country in r.sample(sorted(TEAMS), r.randint(2, 3)):
                self.sight(NOW_US - int(r.uniform(1, 20) * DAY_US), TEAMS[country][0], value, "false-positive")
        return mistaken


@dataclass(frozen=True, slots=True)
class World:
    """A region's weeks: what arrived, in the order in which it did, and what was planted."""

    seed: int
    events: tuple[Event, ...]
    truth: Truth


def make_world(seed: int, scale: Scale = FULL) -> World:
    """Make the world of a seed; the same for the same seed."""
    maker = _Maker(seed, scale)
    maker.make()
    return World(seed, tuple(sorted(maker.events, key=lambda event: event.at_us)), maker.truth)


def shuffled(world: World, seed: int) -> World:
    """Let the same things arrive in another order."""
    events = list(world.events)
    random.Random(f"order {seed}").shuffle(events)
    return World(world.seed, tuple(events), world.truth)


def _comparison(value: str) -> str:
    if value.startswith("http"):
        return f"url:value = '{value}'"
    if len(value) == 64 and "." not in value:
        return f"file:hashes.'SHA-256' = '{value}'"
    if value.replace(".", "").isdigit():
        return f"ipv4-addr:value = '{value}'"
    return f"domain-name:value = '{value}'"


def _values_of(indicator: dict[str, Any], story: _Story) -> set[str]:
    return {value for value, named in story.told.items() if indicator["id"] in named}
