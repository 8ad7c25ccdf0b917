from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.correlation.group import Held, Verdict, count_independent, judge
from regcert.correlation.guard_lists import read_guard_list
from regcert.correlation.guards import Guards
from regcert.domain.holding import Holding
from regcert.domain.incident import Arrival
from regcert.domain.team import TeamKind
from tests.correlation.scene import NOON_US, domain, holdings, make_holding, make_team

EVIL = domain("bank-login.example")
NONE = Guards([])
VENDOR = "identity--vendor"


def judged(*given_holdings: Holding, guards: Guards = NONE) -> Verdict:
    return judge(EVIL, given_holdings, guards)


def test_value_crosses_when_two_countries_hold_it_independently():
    """Two countries, two origins, one month: it crosses, in the order of event time."""
    verdict = judged(make_holding("RS", day=2), make_holding("HR", day=0))
    assert verdict.crosses
    assert verdict.held is verdict.reason is None
    assert verdict.spread == (Arrival("HR", NOON_US), Arrival("RS", make_holding("RS", day=2).first_us))
    assert (verdict.independent, verdict.supporters, verdict.false_positives) == (2, 2, 0)


def test_value_is_held_when_five_teams_relay_one_origin():
    """A third party's word relayed by five countries is one origin."""
    verdict = judged(*(make_holding(country, origin=VENDOR) for country in ("AL", "BA", "HR", "ME", "RS")))
    assert verdict.held is Held.ONE_ORIGIN
    assert len(verdict.spread) == 5


def test_value_crosses_when_a_relaying_team_saw_it_itself():
    """What a team saw itself is its own word, beside what it relays."""
    saw = make_holding("HR", published=False, positives=1)
    assert judged(make_holding("RS", origin=VENDOR), make_holding("HR", origin=VENDOR), saw).crosses


def test_value_is_held_when_only_one_country_has_two_origins():
    """Two teams of one country are one country."""
    verdict = judged(make_holding("RS"), make_holding(make_team("RS", number=2)))
    assert verdict.held is Held.ONE_COUNTRY


@pytest.mark.parametrize("team", [make_team("HR", kind=TeamKind.COORDINATION), make_team("ZZ")])
def test_country_is_not_counted_when_the_team_answers_for_none(team):
    """A coordination team and a team of no country name no country."""
    verdict = judged(make_holding("RS"), make_holding(team))
    assert verdict.held is Held.ONE_COUNTRY
    assert [arrival.country for arrival in verdict.spread] == ["RS"]


def test_window_slides_when_the_second_country_comes_late():
    """Thirty days count, from the latest event back; the thirty-first does not."""
    assert judged(make_holding("RS", day=0), make_holding("HR", day=30)).crosses
    assert judged(make_holding("RS", day=0), make_holding("HR", day=30.001)).held is Held.ONE_COUNTRY


def test_crossing_stays_when_a_copy_turns_up_months_later():
    """What crossed once is not silenced by a feed that repeats it, nor by a third country a season later."""
    crossing = make_holding("RS", day=0), make_holding("HR", day=3)
    for late in (make_holding("AL", origin=VENDOR, day=80), make_holding("AL", day=80)):
        verdict = judged(*crossing, late)
        assert verdict.crosses
        assert [arrival.country for arrival in verdict.spread] == ["RS", "HR"]


def test_story_goes_on_when_each_country_follows_within_a_month():
    """No gap of more than thirty days: the whole way is shown, however long it is."""
    verdict = judged(*(make_holding(country, day=day) for country, day in (("RS", 0), ("HR", 25), ("AL", 50))))
    assert [arrival.country for arrival in verdict.spread] == ["RS", "HR", "AL"]


def test_holding_counts_when_it_reaches_into_the_window():
    """A holding that began long ago and goes on counts, from its beginning."""
    long_ago = make_holding("RS", day=-90)
    going_on = make_holding("RS", first_us=long_ago.first_us, last_us=NOON_US)
    verdict = judged(going_on, make_holding("HR", day=1))
    assert verdict.crosses
    assert verdict.spread[0] == Arrival("RS", long_ago.first_us)


def test_holding_does_not_count_when_it_is_negative_only():
    """Who looked and saw nothing holds nothing, and moves no window."""
    negative = make_holding("HR", published=False, negatives=5, day=60)
    verdict = judged(make_holding("RS"), negative)
    assert verdict.held is Held.ONE_COUNTRY
    assert judged(make_holding("RS"), make_holding("BA"), negative).crosses
    assert judged(negative).held is Held.NOBODY
    assert judged().held is Held.NOBODY


def test_value_is_held_when_two_teams_call_it_harmless():
    """Two false-positive votes hold back whatever many publish."""
    support = [make_holding(country) for country in ("AL", "BA", "HR", "ME", "RS")]
    vote = {"published": False, "false_positive": True}
    assert judged(*support, make_holding("MK", **vote)).crosses
    verdict = judged(*support, make_holding("MK", **vote), make_holding("XK", **vote))
    assert verdict.held is Held.FALSE_POSITIVE
    assert verdict.independent == 5


def test_false_positive_counts_once_when_a_team_repeats_it():
    """One team, one vote: many holdings of a doubting team are one vote."""
    votes = [
        make_holding("MK", published=False, false_positive=True, origin=origin, day=-day)
        for day, origin in enumerate(("a", "b", "c"))
    ]
    assert judged(make_holding("RS"), make_holding("HR"), *votes).crosses


def test_value_is_held_when_as_many_call_it_harmless_as_hold_it():
    """One vote against one holder is enough."""
    verdict = judged(make_holding("RS"), make_holding("HR", published=False, false_positive=True))
    assert verdict.held is Held.FALSE_POSITIVE


def test_value_is_held_with_the_lists_reason_when_guarded():
    """A guarded value is held back and says why, and still shows where it is."""
    data = {"name": "n", "reason": "Everybody has it.", "match": "exact", "entries": [EVIL.value]}
    verdict = judged(make_holding("RS"), make_holding("HR"), guards=Guards([read_guard_list(data)]))
    assert (verdict.crosses, verdict.held, verdict.reason) == (False, Held.GUARDED, "Everybody has it.")
    assert verdict.independent == 2


def test_spread_orders_by_code_when_countries_arrive_together():
    """A tie between countries is broken by their codes."""
    verdict = judged(*(make_holding(country) for country in ("XK", "RS", "AL")))
    assert [arrival.country for arrival in verdict.spread] == ["AL", "RS", "XK"]


@given(st.lists(holdings(), max_size=8), st.randoms())
def test_verdict_is_the_same_when_holdings_are_shuffled(given_holdings, random):
    """The order in which holdings come says nothing."""
    shuffled = list(given_holdings)
    random.shuffle(shuffled)
    assert judged(*given_holdings) == judged(*shuffled)


@given(st.lists(holdings(), max_size=8))
def test_verdict_gives_a_reason_exactly_when_it_holds_back(given_holdings):
    """Nothing is held back without a reason, and what crosses has two countries with a word of their own."""
    verdict = judged(*given_holdings)
    assert verdict.crosses == (verdict.held is None) == (verdict.reason is None)
    if verdict.crosses:
        assert len(verdict.spread) >= verdict.independent >= 2


@given(st.lists(st.tuples(st.sampled_from(("AL", "BA", "HR", "ME")), st.sampled_from("pqrst")), max_size=10))
def test_independence_is_the_largest_assignment(edges):
    """Countries that can each be given an origin of their own: as trying every assignment finds it."""
    best = max(
        sum((country, origin) in edges for country, origin in zip(("AL", "BA", "HR", "ME"), origins, strict=True))
        for origins in permutations("pqrst", 4)
    )
    assert count_independent(make_holding(country, origin=origin) for country, origin in edges) == best
