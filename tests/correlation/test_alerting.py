"""Whom to tell what: rules that look at one scope's incidents before and after, and know no database."""

from dataclasses import replace

import pytest

from regcert.clock import DAY_US
from regcert.correlation.alerting import (
    MOST_AT_ONCE,
    bound,
    find_approached,
    find_turned,
    raise_incident,
    tell_holders,
)
from regcert.domain.alert import AlertKind
from regcert.domain.change import Change
from regcert.domain.incident import Arrival, Incident, Standing
from regcert.domain.team import Team, TeamKind
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp

NOW_US = 1_795_000_000_000_000
# Three in a row, and one apart.
TILES = {"AA": (1, 1), "BB": (1, 2), "CC": (1, 3), "DD": (4, 4)}
TEAMS = {
    code: Team(number, code.lower(), code, code, TeamKind.NATIONAL, f"identity--{code}")
    for number, code in enumerate((*TILES, "ZZ"), 1)
}


def values(*names: str) -> tuple[Observable, ...]:
    return tuple(Observable(ObservableKind.DOMAIN, f"{name}.example") for name in names)


def incident(countries: str, *names: str, strength: float = 50.0, days_ago: float = 1.0, one: str = "i") -> Incident:
    """An incident that came to its countries at the same moment."""
    reached = countries.split()
    spread = tuple(Arrival(code, NOW_US - int(days_ago * DAY_US)) for code in reached if code != "ZZ")
    teams = tuple(TEAMS[code] for code in reached)
    return Incident(one, "all", strength, Tlp.AMBER, spread, teams, values(*(names or ("v",))), 0, 0, NOW_US, ())


def test_merge_tells_nobody_what_was_told_of_its_parts():
    """Values that crossed before, and teams that were in one of the parts, are no news; a team that comes with it is."""
    one, two = incident("AA BB", "v"), incident("BB CC", "w", one="j")
    both = incident("AA BB CC", "v", "w")
    assert find_turned([Change(one, both), Change(two, None, "i")]) == []
    [turned] = find_turned([Change(one, incident("AA BB CC DD", "v", "w")), Change(two, None, "i")])
    assert (turned.fresh, turned.joined) == (frozenset(), frozenset({TEAMS["DD"]}))


def test_split_tells_nobody_what_was_told_of_the_whole():
    """The part that gets a new id holds nothing that did not cross before."""
    whole = incident("AA BB", "v", "w")
    assert find_turned([Change(whole, incident("AA BB", "v")), Change(None, incident("AA BB", "w", one="j"))]) == []


def test_fresh_value_is_told_to_those_who_hold_it_and_the_whole_to_those_who_joined():
    """Whoever was in it already is not told again of what is old."""
    [turned] = find_turned([Change(incident("AA BB", "v"), incident("AA BB CC", "v", "w"))])
    v, w = values("v", "w")
    holders = {v: frozenset({TEAMS["AA"], TEAMS["BB"], TEAMS["CC"]}), w: frozenset({TEAMS["AA"], TEAMS["CC"]})}
    assert tell_holders(turned, holders) == {TEAMS["AA"]: {w}, TEAMS["CC"]: {v, w}}


def test_dismissed_incident_is_told_to_nobody_until_it_counts_again():
    """What a coordinator dismissed concerns nobody; if that is taken back, everybody is told who was not."""
    usual = incident("AA BB")
    dismissed = replace(usual, standing=Standing.DISMISSED)
    assert find_turned([Change(None, dismissed)]) == []
    assert find_approached(Change(None, dismissed), TILES, NOW_US) == frozenset()
    [turned] = find_turned([Change(dismissed, usual)])
    assert turned.fresh == set(usual.observables)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (incident("AA BB"), {"CC"}),
        (incident("AA BB CC"), {"DD"}),  # in three countries it goes through the region
        (incident("AA DD"), {"BB"}),
        (incident("AA"), set()),
        (incident("AA BB", strength=39.9), set()),
        (incident("AA BB", days_ago=7.1), set()),
        (replace(incident("AA BB"), teams=incident("AA BB CC").teams), set()),  # who passes it on knows of it
    ],
    ids=["beside", "regional", "apart", "one country", "weak", "old", "relayed"],
)
def test_country_is_next_when_the_story_is_near_and_strong_and_fresh(now, expected):
    """Beside a country that it has reached, within a week, and with more than a single value that two name."""
    assert find_approached(Change(None, now), TILES, NOW_US) == expected


def test_country_is_next_once_while_the_story_goes_on():
    """Whoever was next before was told; only those who have become so are told now."""
    before, after = incident("AA BB"), incident("AA BB CC")
    assert find_approached(Change(before, replace(before, sightings=9)), TILES, NOW_US) == frozenset()
    assert find_approached(Change(before, after), TILES, NOW_US) == {"DD"}
    assert find_approached(Change(before, None), TILES, NOW_US) == frozenset()


def test_flood_of_alerts_ends_in_one_that_says_how_many_more():
    """The strongest stand by themselves, and what is told of all of them is told once."""
    raised = [
        raise_incident(
            1, AlertKind.CROSSING, incident("AA BB", strength=float(number), one=str(number)), values("v"), [(b"%d" % number, 0)]
        )
        for number in range(MOST_AT_ONCE + 50)
    ]
    kept = bound(raised)
    assert len(kept) == MOST_AT_ONCE
    assert [one.strength for one in kept[:2]] == [149.0, 148.0]
    assert (kept[-1].evidence.incident_id, kept[-1].evidence.incidents, kept[-1].evidence.total) == (None, 51, 51)
    assert sum(len(one.subjects) for one in kept) == len(raised)
    assert bound(raised[:MOST_AT_ONCE]) != kept
    assert all(one.evidence.incident_id for one in bound(raised[:MOST_AT_ONCE]))
