"""Derived values: what stands in one host, domain or network is one crossing, said with less weight, and never twice."""

import itertools
import uuid
from typing import Any

import pytest

from regcert.correlation.guard_lists import read_guard_list
from regcert.correlation.guards import Guards
from regcert.flows.list_incidents import get_incident, page_incidents
from regcert.stix.observable import read_observable
from regcert.store import derived as derived_module
from regcert.store.derived import MOST_OF_UNNAMED
from regcert.store.ledger import observable_key
from tests.made import indicator
from tests.store.acting import INDICATORS, Acting

DAYS = {team: f"2026-11-0{day}T10:00:00.000Z" for day, team in enumerate(("alcirt", "srb-cert", "mkd-cert"), 1)}
_PLACES = itertools.count(1)
PROPERTIES = {"http": "url", "198": "ipv4-addr", "2001": "ipv6-addr"}


def fresh(suffix: str = "top") -> str:
    return f"d{uuid.uuid4().hex}.{suffix}"


def network() -> str:
    """The beginning of a network that no other test has."""
    place = next(_PLACES)
    return f"198.{place // 250}.{place % 250}"


def naming(value: str, **properties: Any) -> dict[str, Any]:
    kind = next((name for prefix, name in PROPERTIES.items() if value.startswith(prefix)), "domain-name")
    return indicator(f"[{kind}:value = '{value}']", **properties)


async def say(acting: Acting, team: str, *values: str, collection: str = INDICATORS, **properties: Any) -> list[str]:
    made = [naming(value, valid_from=DAYS[team], **properties) for value in values]
    await acting.publish(*made, team=team, collection=collection)
    return [one["id"] for one in made]


async def incidents(acting: Acting, about: str) -> list[Any]:
    """The incidents that name something."""
    principal = await acting.principal()
    page = await page_incidents(acting.database, acting.clock, principal, limit=200, cursor=None)
    return [
        one.incident for one in page.incidents if any(about in value.value for value in one.incident.observables)
    ]  # fmt: skip


async def shown(acting: Acting, about: str) -> list[str]:
    await acting.catch_up()
    return sorted(value.value for one in await incidents(acting, about) for value in one.observables)


async def test_url_in_one_country_and_its_domain_in_another_are_one_crossing(acting):
    """Somebody names the domain, somebody else a URL on it: the domain crosses, and says on what ground."""
    domain = fresh()
    await say(acting, "alcirt", f"http://{domain}/gate.php")
    await say(acting, "srb-cert", domain)
    assert await shown(acting, domain) == [domain]
    [incident] = await incidents(acting, domain)
    assert [arrival.country for arrival in incident.spread] == ["AL", "RS"]
    assert incident.derived == ()  # somebody named it
    assert "counted half" in next(term.evidence for term in incident.terms if term.name == "evidence")


async def test_two_urls_of_a_host_are_one_crossing_when_two_countries_have_them(acting):
    """Nobody names the host, and it is what they have in common; its registered domain would say the same once more."""
    domain = fresh()
    host = f"www.{domain}"
    await say(acting, "alcirt", f"http://{host}/a")
    await say(acting, "srb-cert", f"http://{host}/b")
    assert await shown(acting, domain) == [host]
    [incident] = await incidents(acting, domain)
    assert [value.value for value in incident.derived] == [host]
    _, evidence = await get_incident(acting.database, acting.clock, await acting.principal(), incident.incident_id)
    [(value, holdings)] = evidence
    assert value.value == host
    assert {one.team.slug for one in holdings} == {"alcirt", "srb-cert"}
    assert all(one.derived for one in holdings)


async def test_registered_domain_crosses_when_its_hosts_are_in_two_countries(acting):
    """Two names under one registration."""
    domain = fresh("co.uk")
    await say(acting, "alcirt", f"a.{domain}")
    await say(acting, "srb-cert", f"b.{domain}")
    assert await shown(acting, domain) == [domain]


@pytest.mark.parametrize("suffix", ["github.io", "duckdns.org"])
async def test_nothing_crosses_when_the_suffix_is_rented_to_anybody(acting, suffix):
    """Two tenants of one hoster, or of one dynamic DNS, have nothing in common."""
    values = [fresh(suffix), fresh(suffix)]
    await say(acting, "alcirt", values[0], f"http://{suffix}/{values[0]}")
    await say(acting, "srb-cert", values[1], f"http://{suffix}/{values[1]}")
    assert await shown(acting, suffix) == []


async def test_nothing_crosses_when_a_name_has_too_many_tenants(acting):
    """What the suffix list does not know and is a platform all the same shows by its tenants, whatever came first."""
    domain = fresh()
    for number in range(MOST_OF_UNNAMED):
        await say(acting, ("alcirt", "srb-cert")[number % 2], f"t{number}.{domain}")
    assert await shown(acting, domain) == [domain]
    await say(acting, "alcirt", f"one-more.{domain}")
    assert await shown(acting, domain) == []


async def test_network_crosses_only_when_somebody_names_it(acting):
    """Two addresses of a network are neighbours by chance, until a team says that the network is bad."""
    place = network()
    await say(acting, "alcirt", f"{place}.7")
    await say(acting, "srb-cert", f"{place}.9")
    assert await shown(acting, place) == []
    await say(acting, "mkd-cert", f"{place}.0/24")
    assert await shown(acting, place) == [f"{place}.0/24"]
    [incident] = await incidents(acting, place)
    assert [arrival.country for arrival in incident.spread] == ["AL", "RS", "MK"]


async def test_value_is_not_listed_twice_when_its_url_crosses_by_itself(acting):
    """The URL is the incident; its host and domain say nothing more, until a further country has another URL."""
    domain = fresh()
    url = f"http://www.{domain}/a"
    await say(acting, "alcirt", url)
    await say(acting, "srb-cert", url)
    assert await shown(acting, domain) == [url]
    await say(acting, "mkd-cert", f"http://www.{domain}/b")
    assert f"www.{domain}" in await shown(acting, domain)


async def test_derived_crossing_is_gone_when_its_child_is_withdrawn(acting):
    """A URL that is taken back holds its host no more, and nothing of it is left behind."""
    domain = fresh()
    [gone] = await say(acting, "alcirt", f"http://{domain}/a")
    await say(acting, "srb-cert", f"http://{domain}/b")
    assert await shown(acting, domain) == [domain]
    await acting.delete(gone)
    assert await shown(acting, domain) == []
    assert len([row for row in await acting.rows("derivations") if row["child"] not in await _held(acting)]) == 0


async def _held(acting: Acting) -> set[bytes]:
    return {row["key"] for row in await acting.rows("holdings")}


async def test_harmless_child_does_not_hold_its_host(acting):
    """What its owner calls harmless, and what a list guards, says nothing about its neighbours; and a guarded host is guarded."""
    domain, guarded = fresh(), fresh()
    entry = {"name": "Test list", "reason": "It is a test.", "match": "exact", "kinds": ["domain"], "entries": [guarded]}
    acting.guards = Guards([read_guard_list(entry)])
    for one in (domain, guarded):
        await say(acting, "alcirt", f"http://{one}/a")
        await say(acting, "srb-cert", f"http://{one}/b")
    await acting.sight({"value": f"http://{domain}/a", "kind": "false-positive"}, team="mkd-cert")
    assert await shown(acting, domain) == []
    assert await shown(acting, guarded) == []


async def test_derived_crossings_are_the_same_in_any_order(acting):
    """Whatever is said first, in one stretch or in many: the same values are shown."""
    outcomes = []
    for order in itertools.permutations(range(3)):
        domain = fresh()
        said = [
            ("alcirt", f"http://a.{domain}/x"),
            ("srb-cert", f"http://a.{domain}/y"),
            ("mkd-cert", domain),
        ]
        for place in order:
            await say(acting, *said[place])
            if order[0]:
                await acting.catch_up()
        outcomes.append([value.replace(domain, "it") for value in await shown(acting, domain)])
    assert outcomes == [outcomes[0]] * 6
    assert outcomes[0] == ["a.it", "it"]


async def test_scope_is_kept_when_a_value_is_derived(acting):
    """What a closed circle holds neither makes a host cross outside, nor counts as its tenant there."""
    domain, other = fresh(), fresh()
    closed = await acting.collection(read=("alcirt", "srb-cert"), write=("alcirt", "srb-cert"))
    await say(acting, "alcirt", f"http://{domain}/a", collection=closed)
    await say(acting, "srb-cert", f"http://{domain}/b")
    assert await shown(acting, domain) == []
    await say(acting, "alcirt", *(f"t{n}.{other}" for n in range(MOST_OF_UNNAMED)), collection=closed)
    await say(acting, "alcirt", f"a.{other}")
    await say(acting, "srb-cert", f"b.{other}")
    assert await shown(acting, other) == [other]
    await say(acting, "srb-cert", f"http://{domain}/c", collection=closed)
    await acting.catch_up()
    [incident] = await incidents(acting, domain)
    assert incident.scope != "all"


async def test_no_more_children_are_read_than_are_needed_when_a_parent_has_many(acting):
    """A flood of pages on one host costs each stretch no more than the first few."""
    domain = fresh()
    await say(acting, "alcirt", *(f"http://{domain}/{n}" for n in range(40)))
    await acting.catch_up()
    key = observable_key(read_observable(domain))
    rows = await acting.database.run(_families(key))
    assert len(rows) == MOST_OF_UNNAMED + 1
    assert await acting.database.run(derived_module.load_families("all", {key}, MOST_OF_UNNAMED)) == {}


def _families(key: bytes) -> Any:
    return (yield derived_module._FAMILIES, {"scope": "all", "most": MOST_OF_UNNAMED, "keys": key})
