"""The week written out: every publication, poll and sighting with its hour.

It is pure: the same script, region and moment give the same scenes, down to the last byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from regcert.cli.week import props
from regcert.cli.week.noise import dice, draw_feed, draw_noise
from regcert.cli.week.script import WEEK_HOURS, NoisyTeam, Report, Watch, Week
from regcert.clock import SECOND_US
from regcert.domain.region import Region, TeamEntry
from regcert.domain.sighting import SightingKind
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import Tlp

HOUR_US = 3600 * SECOND_US
SHARED = "regional-indicators"
PUBLIC = "public"

_DIGESTS = 7
_BATCH_US = 4 * HOUR_US
_POLL_HOURS = 12
_MINUTE_US = 60 * SECOND_US
_BY_INDICATOR = 0.25  # so many of the sensors know the indicator that they matched, the others only the value


@dataclass(frozen=True, slots=True)
class Publication:
    """A team posts objects to a collection."""

    at_us: int
    team: str
    collection: str
    objects: tuple[props.StixJson, ...]


@dataclass(frozen=True, slots=True)
class Poll:
    """The sensors of a team fetch what is new."""

    at_us: int
    team: str


@dataclass(frozen=True, slots=True)
class Sighted:
    """The sensors of a team report what they saw, each report as the API takes it."""

    at_us: int
    team: str
    reports: tuple[dict[str, object], ...]


Scene = Publication | Poll | Sighted
_Reported = tuple[int, str, dict[str, object]]


def write_scenes(week: Week, region: Region, now_us: int) -> tuple[Scene, ...]:
    """Write a week out.

    Args:
        week: the script; `require_cast` let it pass.
        region: whose teams act.
        now_us: when the week ends.

    Returns:
        The scenes in the order of their hours.
    """
    author = _Author(week, {team.slug: team for team in region.teams}, now_us)
    scenes: list[Scene] = [*author.introductions(), *author.stories(), *author.noise(), *author.relays()]
    scenes += author.sightings()
    scenes += author.polls()
    return tuple(sorted(scenes, key=lambda scene: scene.at_us))  # stable: at one moment, who publishes comes first


class _Author:
    """Turns the parts of a script into scenes."""

    def __init__(self, week: Week, teams: dict[str, TeamEntry], now_us: int) -> None:
        self._week = week
        self._teams = teams
        self._now_us = now_us
        self._stories = {story.key: story for story in week.stories}
        self._noise = draw_noise(week)
        self._digest_hours = {noisy.team: dice(week, "digest", noisy.team).uniform(2, 20) for noisy in week.noise.teams}

    def introductions(self) -> Iterator[Publication]:
        """Let everybody who publishes say who they are."""
        at_us = self._ago(WEEK_HOURS)
        for slug in sorted(self._week.publishers):
            team = self._teams[slug]
            yield Publication(at_us, slug, SHARED, (props.identity(team.identity_id, team.name, at_us),))

    def stories(self) -> Iterator[Publication]:
        """Let the reports be published, with their indicators and what ties them together."""
        told: set[str] = set()
        for report in sorted(self._week.reports, key=lambda report: -report.hours_ago):
            objects = {str(one["id"]): one for one in self._report(report)}
            fresh = tuple(one for stix_id, one in objects.items() if stix_id not in told)
            yield Publication(self._ago(report.hours_ago), report.team, SHARED, fresh)
            told |= objects.keys()

    def _report(self, report: Report) -> Iterator[props.StixJson]:
        story = self._stories.get(report.story or "")
        title, indicates = (story.title, story.indicates) if story else (report.title, "unknown")
        said = self._said(report.team, self._ago(report.hours_ago), Tlp.AMBER if story else Tlp.GREEN)
        indicators = [
            props.indicator((report.team, name), said, title, self._week.values[name], indicates) for name in report.values
        ]
        refs = [str(one["id"]) for one in indicators]
        yield from indicators
        if story:
            named = props.context(story, said)
            context_id = str(named["id"])
            yield named
            yield from (props.indicates(ref, context_id, said) for ref in refs)
            refs.append(context_id)
        yield props.report((report.team, report.title), said, report.title, refs)

    def noise(self) -> Iterator[Publication]:
        """Let every noisy team publish a digest a day."""
        for noisy in self._week.noise.teams:
            for day in range(_DIGESTS):
                at_us = self._digest_us(noisy.team, day)
                indicators = [
                    props.indicator(
                        (noisy.team, value.value),
                        self._said(noisy.team, at_us - number * _MINUTE_US, Tlp.GREEN),
                        family.title,
                        value,
                        family.indicates,
                    )
                    for number, (family, value) in enumerate(self._noise[noisy.team][day::_DIGESTS])
                ]
                refs = [str(one["id"]) for one in indicators]
                said = self._said(noisy.team, at_us, Tlp.GREEN)
                digest = props.report((noisy.team, "digest", str(day)), said, "Digest of the day", refs)
                yield Publication(at_us, noisy.team, SHARED, (*indicators, digest))

    def relays(self) -> Iterator[Publication]:
        """Let the teams that pass the public feed on do so; its author stays the author."""
        feed, since_us = self._week.feed, self._ago(WEEK_HOURS)
        said = props.Said(feed.identity, since_us, Tlp.CLEAR)
        author = props.identity(feed.identity, feed.name, since_us)
        entries = draw_feed(self._week)
        for relay in feed.relays:
            passed_on = (
                props.indicator((relay.team, "feed", value.value), said, feed.name, value, "unknown") for value in entries
            )
            yield Publication(self._ago(relay.hours_ago), relay.team, PUBLIC, (author, *passed_on))

    def sightings(self) -> Iterator[Sighted]:
        """Let the sensors report, in batches of a few hours as sensors do."""
        reported = [one for number, watch in enumerate(self._week.watches) for one in self._watch(number, watch)]
        reported += [one for noisy in self._week.noise.teams for one in self._noise_seen(noisy)]
        reported.sort(key=lambda one: (one[1], one[0]))
        for (team, _), batch in groupby(reported, key=lambda one: (one[1], (self._now_us - one[0]) // _BATCH_US)):
            together = list(batch)
            yield Sighted(together[-1][0], team, tuple(report for _, _, report in together))

    def _watch(self, number: int, watch: Watch) -> Iterator[_Reported]:
        chance = dice(self._week, "watch", number)
        for index in range(watch.reports):
            name = chance.choice(watch.values)
            last_us = self._ago(chance.uniform(watch.to_hours_ago, watch.from_hours_ago))
            first_us = max(last_us - chance.randrange(HOUR_US), self._ago(watch.from_hours_ago))
            known = self._find_indicator(name, last_us) if chance.random() < _BY_INDICATOR else None
            what = {"indicator": known} if known else {"value": self._week.values[name].value}
            yield last_us, watch.team, what | {
                "kind": watch.kind.value,
                "count": chance.randint(1, watch.most),
                "first_seen": write_timestamp(first_us),
                "last_seen": write_timestamp(last_us),
                "sector": watch.sector,
                "report_id": f"week-{number}-{index}",
            }  # fmt: skip

    def _noise_seen(self, noisy: NoisyTeam) -> Iterator[_Reported]:
        chance = dice(self._week, "seen", noisy.team)
        for index in range(noisy.sightings):
            day = chance.randrange(_DIGESTS)
            _, seen = chance.choice(self._noise[noisy.team][day::_DIGESTS])
            at_us = chance.randint(self._digest_us(noisy.team, day), self._ago(1))
            at = write_timestamp(at_us)
            yield at_us, noisy.seen_by, {
                "value": seen.value,
                "kind": SightingKind.POSITIVE.value,
                "count": chance.randint(1, 30),
                "first_seen": at,
                "last_seen": at,
                "report_id": f"week-noise-{noisy.team}-{index}",
            }  # fmt: skip

    def polls(self) -> Iterator[Poll]:
        """Let every team with sensors poll twice a day, each at minutes of its own."""
        for slug in sorted(self._week.sensors):
            late_us = dice(self._week, "poll", slug).randrange(HOUR_US)
            for hours in range(WEEK_HOURS - _POLL_HOURS, 0, -_POLL_HOURS):
                yield Poll(self._ago(hours) + late_us, slug)

    def _find_indicator(self, name: str, at_us: int) -> str | None:
        """Find the first indicator of a value that was out before a moment."""
        sources = [report for report in self._week.reports if name in report.values and self._ago(report.hours_ago) < at_us]
        first = max(sources, key=lambda report: report.hours_ago, default=None)
        return None if first is None else props.stix_id("indicator", first.team, name)

    def _said(self, team: str, at_us: int, marking: Tlp) -> props.Said:
        return props.Said(self._teams[team].identity_id, at_us, marking)

    def _digest_us(self, team: str, day: int) -> int:
        return self._ago(24 * day + self._digest_hours[team])

    def _ago(self, hours: float) -> int:
        return self._now_us - int(hours * HOUR_US)
