from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from regcert.clock import DAY_US
from regcert.correlation.assess import HALF_LIFE_US, assess, current_score, rank
from regcert.domain.holding import Holding
from regcert.domain.incident import Arrival, Incident
from regcert.domain.team import TeamKind
from regcert.stix.tlp import Tlp
from tests.correlation.scene import COUNTRIES, NOON_US, domain, holdings, make_holding, make_team

EVIL = domain("bank-login.example")
OTHER = domain("bank-gate.example")


def assessed(*given_holdings: Holding) -> Incident:
    return assess("incident--1", "region", {EVIL: given_holdings})


def points(incident: Incident) -> dict[str, float]:
    return {term.name: term.points for term in incident.terms}


recent = holdings(oldest_day=-29)


def supported(group: Iterable[Holding]) -> bool:
    return any(holding.published or holding.positives for holding in group)


def test_incident_is_told_by_its_parts():
    """An incident merges what its members say."""
    first = make_holding("HR", day=-3, positives=2)
    second = make_holding("RS", day=-1, positives=5, published=False, marking=Tlp.AMBER)
    third = make_holding("AL", day=0)
    incident = assess("incident--1", "region", {OTHER: [third, second], EVIL: [first, second]})
    assert (incident.incident_id, incident.scope) == ("incident--1", "region")
    assert [arrival.country for arrival in incident.spread] == ["HR", "RS", "AL"]
    assert [team.slug for team in incident.teams] == ["cert-al-1", "cert-hr-1", "cert-rs-1"]
    assert incident.observables == (OTHER, EVIL)
    assert incident.sightings == 12
    assert (incident.first_us, incident.last_us) == (first.first_us, third.last_us)
    assert incident.marking is Tlp.AMBER


def test_terms_are_explained_and_sum_to_the_strength():
    """Every point of the strength stands in a term with its evidence."""
    incident = assessed(make_holding("HR", day=-1), make_holding("RS", positives=1))
    assert points(incident) == {
        "spread": 15.0,
        "independence": 10.0,
        "evidence": 0.0,
        "sighted": 10.0,
        "speed": 11.91,
        "doubt": 0.0,
    }
    assert incident.strength == pytest.approx(46.91)
    assert [term.evidence for term in incident.terms] == [
        "It reached 2 countries.",
        "2 teams hold it on the word of 2 origins; 2 countries speak from knowledge of their own.",
        "It is made of 1 value.",
        "1 team other than the first to publish it saw it.",
        "Its quickest crossing took 24 hours.",
        "Nobody doubts it.",
    ]


def test_marking_is_the_strictest_when_a_doubter_is_stricter():
    """What was weighed shows in the result, so it binds the result, also from outside the window."""
    doubter = make_holding("ME", published=False, false_positive=True, marking=Tlp.RED, day=-90)
    assert assessed(make_holding("HR"), make_holding("RS"), doubter).marking is Tlp.RED


def test_assess_refuses_to_invent_when_nothing_supports_it():
    """There is no incident without a holding."""
    with pytest.raises(ValueError, match="supports"):
        assessed(make_holding("HR", published=False, negatives=1))


@given(st.lists(recent, min_size=1, max_size=6), recent, st.sampled_from((*COUNTRIES, "SI")))
def test_strength_does_not_fall_when_a_country_is_added(group, added, country):
    """A further country within the window never weakens an incident, whatever its origin and moment."""
    assume(supported(group) and all(holding.team.country != country for holding in group))
    added = replace(added, team=make_team(country), published=True, false_positive=False)
    before, after = assessed(*group), assessed(*group, added)
    assert after.strength >= before.strength
    assert all(points(after)[name] >= points(before)[name] for name in points(before))


@given(st.lists(recent, min_size=1, max_size=6), st.integers(2, 10**9))
@example([make_holding("HR"), make_holding("RS", positives=1, published=False)], 1_000_000)
def test_strength_stays_when_a_team_repeats_itself(group, times):
    """A million sightings of one team are one vote, however they are reported."""
    assume(supported(group))
    louder = [replace(holding, positives=holding.positives * times, negatives=holding.negatives * times) for holding in group]
    assert assessed(*louder, *group).terms == assessed(*group).terms


def test_independence_stays_when_one_team_relays_fifty_feeds():
    """One team cannot make origins up."""
    group = [make_holding("HR"), make_holding("RS")]
    feeds = [make_holding("RS", origin=f"identity--{number}") for number in range(50)]
    assert points(assessed(*group, *feeds))["independence"] == points(assessed(*group))["independence"]


def test_sighted_does_not_count_the_first_publisher():
    """Who published first does not confirm itself; who saw it after does."""
    publisher = make_holding("HR", day=-2, positives=9)
    assert points(assessed(publisher, make_holding("RS")))["sighted"] == 0
    assert points(assessed(publisher, make_holding("RS", positives=1)))["sighted"] == 10
    assert points(assessed(publisher, make_holding(make_team("HR", number=2), positives=1)))["sighted"] == 10


def test_speed_falls_when_the_crossing_takes_longer():
    """Three days to the next country are worth half of none."""
    assert [points(assessed(make_holding("HR"), make_holding("RS", day=day)))["speed"] for day in (0, 3, 6)] == [
        15,
        7.5,
        3.75,
    ]


def test_doubt_grows_with_teams_and_is_shared_among_values():
    """A false-positive vote weighs as four looks in vain, and doubt of one value of two weighs half."""
    group = [make_holding("HR"), make_holding("RS")]
    harmless = make_holding("ME", published=False, false_positive=True)
    unseen = [make_holding(make_team("AL", number=number), published=False, negatives=7) for number in range(4)]
    assert points(assessed(*group, harmless))["doubt"] == -15
    assert points(assessed(*group, *unseen))["doubt"] == -15
    assert points(assess("i", "s", {EVIL: [*group, harmless], OTHER: group}))["doubt"] == -7.5
    assert points(assessed(*group, make_holding("ME", published=False, negatives=1, day=-31)))["doubt"] == 0


def test_spread_leaves_out_who_only_repeats():
    """To relay a feed is no arrival, and does not count as one; where nobody saw anything, it is all there is to show."""
    seen = [make_holding("HR"), make_holding("RS", day=1)]
    relays = [make_holding(country, origin="identity--feed", day=-2) for country in ("AL", "ME", "HR")]
    incident = assessed(*seen, *relays)
    assert [arrival.country for arrival in incident.spread] == ["HR", "RS"]
    assert incident.spread[0].first_us == NOON_US
    assert [arrival.country for arrival in assessed(*relays, seen[1]).spread] == ["AL", "HR", "ME", "RS"]


def test_no_country_leads_a_story_on_one_old_value():
    """A value that was somewhere before the story was does not say that the story was."""
    values = [domain(f"v{number}.example") for number in range(4)]
    members = {value: [make_holding("HR", day=1), make_holding("RS", day=2)] for value in values}
    members[values[0]] = [make_holding("AL", day=-20), make_holding("HR", day=-19), make_holding("RS", day=2)]
    incident = assess("i", "s", members)
    assert incident.spread == (
        Arrival("HR", make_holding("HR", day=1).first_us),
        Arrival("RS", make_holding("RS", day=2).first_us),
    )


def test_spread_leaves_out_the_coordination_team():
    """A coordination team holds a part but names no country."""
    centre = make_team("HR", kind=TeamKind.COORDINATION, number=9)
    incident = assessed(make_holding("RS"), make_holding(centre))
    assert [arrival.country for arrival in incident.spread] == ["RS"]
    assert centre in incident.teams


@given(st.dictionaries(st.sampled_from((EVIL, OTHER)), st.lists(holdings(), max_size=6), min_size=1), st.randoms())
def test_incident_is_the_same_when_everything_is_shuffled(members, random):
    """The order of members and holdings says nothing."""
    assume(any(supported(group) for group in members.values()))
    shuffled = {member: random.sample(members[member], len(members[member])) for member in reversed(members)}
    incident = assess("i", "s", members)
    assert assess("i", "s", shuffled) == incident
    assert 0 <= incident.strength <= 100


moments = st.integers(NOON_US - 400 * DAY_US, NOON_US)
strengths = st.floats(0, 100).map(lambda strength: round(strength, 2))


@given(strengths, strengths, moments, moments, st.integers(0, 400 * DAY_US))
def test_rank_orders_as_the_current_score_does_at_any_time(one, other, one_us, other_us, later_us):
    """Who is ahead by rank is ahead by score at every moment after both."""
    pattern = assessed(make_holding("HR"))
    first, second = replace(pattern, strength=one, last_us=one_us), replace(pattern, strength=other, last_us=other_us)
    now_us = max(one_us, other_us) + later_us
    if rank(first) - rank(second) > 1e-9:
        assert current_score(first, now_us) > current_score(second, now_us)
    elif abs(rank(first) - rank(second)) <= 1e-9:
        assert current_score(first, now_us) == pytest.approx(current_score(second, now_us))


def test_current_score_halves_in_a_fortnight():
    """Fourteen days halve a score; the future does not raise it."""
    incident = replace(assessed(make_holding("HR")), strength=40.0, last_us=NOON_US)
    assert current_score(incident, NOON_US + HALF_LIFE_US) == 20
    assert current_score(incident, NOON_US - HALF_LIFE_US) == 40
