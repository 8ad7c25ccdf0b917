"""What is known of a value through those that stand in it, and when that makes it cross."""

from dataclasses import replace

from regcert.correlation.derived import derive, find_telling
from regcert.correlation.group import Verdict, judge, leans, weigh
from regcert.correlation.guards import Guards
from regcert.domain.holding import Holding
from regcert.stix.observable import Observable, read_observable
from regcert.stix.tlp import Tlp
from tests.correlation.scene import make_holding

NOTHING = Guards([])
HOST = read_observable("www.evil.com")
DOMAIN = read_observable("evil.com")
ONE, OTHER = read_observable("http://www.evil.com/1"), read_observable("http://www.evil.com/2")


def child(value: Observable, *holdings: Holding) -> tuple[Observable, tuple[Holding, ...], Verdict]:
    return value, holdings, judge(value, holdings, NOTHING)


def test_derived_holding_says_less_than_a_named_one():
    """It carries support and marking, and no doubt: that a page is not there does not say that its host is harmless."""
    said = make_holding("HR", negatives=3, marking=Tlp.AMBER)
    found = derive(HOST, [], [child(ONE, said), child(OTHER, make_holding("RS"))])
    assert [(one.derived, one.negatives) for one in found] == [(True, 0), (True, 0)]
    assert found[0].marking is Tlp.AMBER
    assert leans(weigh(found).supporting)


def test_network_says_nothing_when_nobody_named_it():
    """Neighbours in a network are neighbours by chance."""
    network = read_observable("198.51.100.0/24")
    addresses = [child(read_observable(f"198.51.100.{n}"), make_holding(country)) for n, country in ((7, "HR"), (9, "RS"))]
    assert derive(network, [], addresses) == []
    assert len(derive(network, [make_holding("MK")], addresses)) == 2


def test_parent_is_left_out_when_its_children_tell_it_all():
    """Pages that cross by themselves are the incident; a further country makes the host worth telling."""
    both = child(ONE, make_holding("HR"), make_holding("RS"))
    assert derive(HOST, [], [both]) == []
    assert derive(DOMAIN, [], [both]) == []
    assert len(derive(HOST, [], [both, child(OTHER, make_holding("MK"))])) == 3


def test_domain_is_left_out_when_one_host_of_it_tells_it_all():
    """The host between a page and its domain may cross though nobody named it: then the domain would say it again."""
    pages = [child(ONE, make_holding("HR")), child(OTHER, make_holding("RS"))]
    assert len(derive(HOST, [], pages)) == 2
    assert derive(DOMAIN, [], pages) == []


def test_named_holding_stands_when_its_team_also_named_a_child():
    """What a team says of the value itself is not said again through its pages."""
    own = make_holding("HR")
    found = derive(HOST, [own], [child(ONE, replace(own)), child(OTHER, make_holding("RS"))])
    assert [one.team.country for one in found] == ["RS"]


def test_derived_value_is_left_out_of_an_incident_when_it_came_to_no_further_country():
    """A list twice as long says no more to whoever has to read it."""
    firm = [make_holding("HR"), make_holding("RS")]
    through = [replace(one, derived=True) for one in firm]
    further = [*through, replace(make_holding("MK"), derived=True)]
    assert set(find_telling({ONE: firm, DOMAIN: through})) == {ONE}
    assert set(find_telling({ONE: firm, DOMAIN: further})) == {ONE, DOMAIN}
    assert set(find_telling({DOMAIN: through})) == {DOMAIN}
