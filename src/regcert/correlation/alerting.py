"""Whom to tell what: pure rules over what became of incidents, and over who holds what.

Nobody is told what follows from somebody else's evidence in another audience: everything handed in belongs to one scope. That
a team is told once only is for the store to keep.
"""

from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from regcert.clock import DAY_US
from regcert.domain.alert import AlertKind, Evidence, Raised
from regcert.domain.change import Change
from regcert.domain.holding import Holding
from regcert.domain.incident import Arrival, Incident, Standing
from regcert.domain.team import Team, TeamKind
from regcert.stix.observable import Observable

MOST_VALUES = 20  # what a person reads; the incident's page has the others
MOST_AT_ONCE = 100  # of one kind for one team; a flood of alerts is read by nobody
NEAR_US = 7 * DAY_US  # crews move on within days: whom it has not reached a week later, it may never reach
LEAST_NEAR = 40.0  # two countries on their own word (25), a day apart (12), and something besides: a sighting, or more values
REGIONAL = 3  # countries; what is in as many goes through the region, and no longer from neighbour to neighbour

Tiles = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Turned:
    """An incident that has something new for somebody.

    Args:
        incident: as it is now.
        fresh: those of its values that crossed no border before.
        joined: those of its teams that were in no incident with any of its values before.
    """

    incident: Incident
    fresh: frozenset[Observable]
    joined: frozenset[Team]


def find_turned(changes: Iterable[Change]) -> list[Turned]:
    """Find the incidents of one scope that began, that took in values, or that reached further teams.

    Where incidents merge or split, their values crossed before and their teams were told: only what is new counts.

    Args:
        changes: what became of a scope's incidents in one stretch.
    """
    listed = tuple(changes)
    before = {value: one for change in listed if (one := change.before) and _counts(one) for value in one.observables}
    turned: list[Turned] = []
    for change in listed:
        incident = change.after
        if incident is None or not _counts(incident):
            continue
        fresh = frozenset(value for value in incident.observables if value not in before)
        known = {team for value in incident.observables if (one := before.get(value)) for team in one.teams}
        joined = frozenset(incident.teams) - known
        if fresh or joined:
            turned.append(Turned(incident, fresh, joined))
    return turned


def tell_holders(turned: Turned, holders: Mapping[Observable, frozenset[Team]]) -> dict[Team, frozenset[Observable]]:
    """Say whom an incident concerns, and by which of its values.

    A team that was in it before is told of fresh values that it holds; one that has joined, of all it holds of it.

    Args:
        turned: what is new.
        holders: who published or saw each value, those that nobody asks about left out.
    """
    told: defaultdict[Team, set[Observable]] = defaultdict(set)
    for value, teams in holders.items():
        for team in teams:
            if value in turned.fresh or team in turned.joined:
                told[team].add(value)
    return {team: frozenset(values) for team, values in told.items()}


def find_approached(change: Change, tiles: Tiles, now_us: int) -> frozenset[str]:
    """Find the countries that an incident has not reached and may well reach next.

    It must have come to a second country within the last 7 days and be strong enough that two countries agree on more than a
    single value. Next are the countries whose tile touches that of one it has reached; and once it is in three, all of the
    region. Tiles stand for who is whose neighbour: no history is kept that would say it better, and too early is better than
    never.

    Args:
        change: what became of the incident.
        tiles: row and column of each country of the region.
        now_us: what time it is.

    Returns:
        Country codes; empty where nothing has changed since those were told.
    """
    if change.after is None:
        return frozenset()
    before = frozenset() if change.before is None else _next(change.before, tiles, now_us)
    return _next(change.after, tiles, now_us) - before


def _next(incident: Incident, tiles: Tiles, now_us: int) -> frozenset[str]:
    reached = {arrival.country for arrival in incident.spread} & tiles.keys()
    newest_us = max((arrival.first_us for arrival in incident.spread), default=0)
    if len(incident.spread) < 2 or incident.strength < LEAST_NEAR or newest_us < now_us - NEAR_US or not _counts(incident):
        return frozenset()
    # Who passes on what others wrote has no word of its own, and is no arrival; but it knows.
    left = tiles.keys() - reached - {team.country for team in incident.teams}
    if len(reached) >= REGIONAL:
        return frozenset(left)
    return frozenset(one for one in left if any(_touch(tiles[one], tiles[other]) for other in reached))


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) == 1


def may_be_warned(team: Team) -> bool:
    """Tell whether a team answers for a country that something can come to."""
    return team.kind is not TeamKind.COORDINATION


def raise_sighted(
    publisher: int, scope: str, value: Observable, holdings: Sequence[Holding], sighters: Values[int], key: bytes
) -> Raised:
    """Tell a team who saw a value that it published.

    Args:
        publisher: the team's key.
        scope: within which audience.
        value: which one.
        holdings: of the value.
        sighters: the keys of those who saw it and of whom the team was not told yet; each has a holding that says so.
        key: what stands for the value in every table.
    """
    seen = [one for one in holdings if one.positives > 0 and one.team.team_id in sighters]
    arrivals = _earliest(Arrival(one.team.country, one.first_us) for one in seen)
    teams = tuple(sorted({one.team.slug for one in seen}))
    evidence = Evidence(None, (), arrivals, teams, (value,), 1, 0, max(one.last_us for one in seen))
    marking = max(one.marking for one in holdings)
    subjects = tuple((key, sighter) for sighter in sorted(sighters))
    return Raised(publisher, AlertKind.SIGHTED, scope, marking, 0.0, evidence, subjects)


def gather_sighted(raised: Iterable[Raised]) -> list[Raised]:
    """Put into one alert what was seen of one team's values in the same countries."""
    alike: defaultdict[tuple[int, str, frozenset[str]], list[Raised]] = defaultdict(list)
    for one in raised:
        alike[one.team_id, one.scope, frozenset(arrival.country for arrival in one.evidence.countries)].append(one)
    return [_join(some) for some in alike.values()]


def raise_incident(
    team_id: int, kind: AlertKind, incident: Incident, values: Iterable[Observable], subjects: Iterable[tuple[bytes, int]]
) -> Raised:
    """Tell a team of an incident.

    Args:
        team_id: the team's key.
        kind: why.
        incident: which one.
        values: those of it that the alert is about.
        subjects: what the team is not told again.
    """
    listed = sorted(values)
    evidence = Evidence(
        incident.incident_id, incident.names, incident.spread, tuple(team.slug for team in incident.teams),
        tuple(listed[:MOST_VALUES]), len(listed), 1, incident.last_us,
    )  # fmt: skip
    return Raised(team_id, kind, incident.scope, incident.marking, incident.strength, evidence, tuple(subjects))


def bound(raised: Iterable[Raised]) -> list[Raised]:
    """Keep what one stretch tells a team to what a person reads: the strongest each by itself, all others in one alert.

    Nothing is left out: behind a large import the last alert of a kind says how many more there are, and the board has them.
    """
    gathered: defaultdict[tuple[int, AlertKind, str], list[Raised]] = defaultdict(list)
    for one in raised:
        gathered[one.team_id, one.kind, one.scope].append(one)
    kept: list[Raised] = []
    for alike in gathered.values():
        alike.sort(key=lambda one: (-one.strength, -one.evidence.total, one.evidence.observables))
        kept += alike[: MOST_AT_ONCE - 1]
        rest = alike[MOST_AT_ONCE - 1 :]
        kept += rest if len(rest) < 2 else [_join(rest)]
    return kept


def _join(raised: Sequence[Raised]) -> Raised:
    parts = [one.evidence for one in raised]
    incidents = {part.incident_id for part in parts}
    evidence = Evidence(
        incident_id=incidents.pop() if len(incidents) == 1 else None,
        names=parts[0].names if len(parts) == 1 else (),
        countries=_earliest(arrival for part in parts for arrival in part.countries),
        teams=tuple(sorted({team for part in parts for team in part.teams})),
        observables=tuple(sorted({value for part in parts for value in part.observables})[:MOST_VALUES]),
        total=sum(part.total for part in parts),
        incidents=sum(part.incidents for part in parts),
        last_us=max(part.last_us for part in parts),
    )
    subjects = tuple(subject for one in raised for subject in one.subjects)
    return replace(raised[0], marking=max(one.marking for one in raised), evidence=evidence, subjects=subjects)


def _earliest(arrivals: Iterable[Arrival]) -> tuple[Arrival, ...]:
    first_us: dict[str, int] = {}
    for one in arrivals:
        first_us[one.country] = min(one.first_us, first_us.get(one.country, one.first_us))
    return tuple(Arrival(country, at_us) for country, at_us in sorted(first_us.items(), key=lambda item: item[::-1]))


def _counts(incident: Incident) -> bool:
    """Tell whether an incident concerns anybody: what a coordinator has dismissed does not."""
    return incident.standing is not Standing.DISMISSED
