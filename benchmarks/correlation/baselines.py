"""What exact matches find: two publications that name the same value belong together, and nothing is asked further.

This is how most platforms correlate. With a limit, a value that more publications name than that joins nothing, as in MISP
(where the code falls back to 20).
"""

from collections import defaultdict

from benchmarks.correlation.score import Found
from benchmarks.correlation.world import CENTRE, FLOODED, FLOODER, TEAMS, Event, World
from regcert.correlation.cluster import cluster
from regcert.stix.extract import observables_of
from regcert.stix.observable import read_observable

MISP_LIMIT = 20
_COUNTRIES = {team: country for country, teams in TEAMS.items() for team in teams} | {FLOODER: FLOODED, CENTRE: ""}


def match_exactly(world: World, limit: int | None = None) -> list[Found]:
    """Join all publications that share a value, and call what is joined an incident.

    Args:
        world: what arrived; a report of a sighting is a publication of one value.
        limit: a value that more publications name than this joins nothing and is in nothing; None for no limit.
    """
    named: dict[str, set[int]] = defaultdict(set)
    for number, event in enumerate(world.events):
        for value in _values(event):
            named[value].add(number)
    matched = {value: events for value, events in named.items() if len(events) > 1 and (not limit or len(events) - 1 <= limit)}
    keys = {value: value.encode() for value in matched}
    of_key = {key: value for value, key in keys.items()}
    components = cluster({keys[value]: frozenset(map(str, events)) for value, events in matched.items()})
    found = []
    for component in components:
        values = frozenset(of_key[key] for key in component)
        numbers = sorted({number for value in values for number in matched[value]})
        spread = dict.fromkeys(_COUNTRIES[world.events[number].team] for number in numbers)
        spread.pop("", None)
        found.append(Found(len(numbers), values, tuple(spread)))
    return found


def _values(event: Event) -> set[str]:
    if event.report is not None:
        return {read_observable(event.report["value"]).value} if event.report["kind"] == "positive" else set()
    return {one.value for made in event.objects if made["type"] == "indicator" for one in observables_of(made)}
