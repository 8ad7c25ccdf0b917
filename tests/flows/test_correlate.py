"""Incidents: what crosses borders, under one name while it grows, and the same whatever came first."""

import uuid
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regcert.correlation.guard_lists import read_guard_list
from regcert.correlation.guards import Guards
from regcert.domain.incident import SHARED_BY_STORIES
from regcert.errors import Refusal
from regcert.flows.correlate import MENTIONS_A_STRETCH, MOST_MENTIONS, STRETCH_S, Pace
from regcert.flows.list_incidents import get_incident, page_incidents
from regcert.stix.observable import read_observable
from regcert.store.incidents import list_held
from regcert.store.ledger import observable_key
from tests.made import indicator, sdo
from tests.store.acting import INDICATORS, Acting

SPARING = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a story takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
GROUP = "financial-sector-group"
TEAMS = ("alcirt", "srb-cert", "mkd-cert")
DAYS = {team: f"2026-11-0{day}T10:00:00.000Z" for day, team in enumerate(TEAMS, 1)}


def fresh() -> str:
    return f"{uuid.uuid4().hex}.top"


def naming(*values: str, **properties: Any) -> dict[str, Any]:
    return indicator("[" + " OR ".join(f"domain-name:value = '{value}'" for value in values) + "]", **properties)


async def incidents(acting: Acting, team: str = "alcirt", *narrowed: str) -> dict[str, Any]:
    """The incidents that a team sees, by id."""
    principal = await acting.principal(team, *narrowed)
    page = await page_incidents(acting.database, acting.clock, principal, limit=200, cursor=None)
    return {one.incident.incident_id: one.incident for one in page.incidents}


async def hold(
    acting: Acting, *values: str, teams: tuple[str, ...] = ("alcirt", "srb-cert"), collection: str = INDICATORS
) -> None:
    """Let teams publish the same values, each on its own word and its own day."""
    for team in teams:
        await acting.publish(naming(*values, valid_from=DAYS[team]), team=team, collection=collection)
    await acting.catch_up()


def shown(incident: Any) -> set[str]:
    return {one.value for one in incident.observables}


async def test_incident_is_found_when_two_countries_hold_a_value(acting):
    """Two teams, two countries, two origins: an incident with the countries in the order in which it reached them."""
    value = fresh()
    await hold(acting, value, teams=("srb-cert", "alcirt"))
    [incident] = (await incidents(acting)).values()
    assert [arrival.country for arrival in incident.spread] == ["AL", "RS"]
    assert shown(incident) == {value}
    assert [team.slug for team in incident.teams] == ["alcirt", "srb-cert"]


async def test_no_incident_when_one_country_holds_a_value(acting):
    """A country alone crosses no border, however often it says so."""
    value = fresh()
    await hold(acting, value, teams=("alcirt", "alcirt"))
    await acting.sight({"value": value, "count": 1_000_000})
    await acting.catch_up()
    assert await incidents(acting) == {}
    assert await acting.rows("held_back") == []


async def test_no_incident_when_all_repeat_one_origin(acting):
    """Two countries that relay one vendor are one word; it is listed as held back."""
    made = naming(fresh(), created_by_ref=f"identity--{uuid.uuid4()}")
    await acting.publish(made)
    await acting.publish(made | {"id": f"indicator--{uuid.uuid4()}"}, team="srb-cert")
    await acting.catch_up()
    assert await incidents(acting) == {}
    [held] = await acting.rows("held_back")
    assert held["countries"] == "AL,RS"


async def test_no_incident_when_the_value_is_guarded(acting):
    """What everybody meets makes no incident, and is shown as held back with the reason and the countries."""
    value = fresh()
    entry = {"name": "Test list", "reason": "It is a test.", "match": "exact", "kinds": ["domain"], "entries": [value]}
    acting.guards = Guards([read_guard_list(entry)])
    await hold(acting, value, fresh())
    [incident] = (await incidents(acting)).values()
    assert value not in shown(incident)
    async with acting.database.read() as connection:
        [(observable, countries, reason)] = await list_held(connection, ["all"], 10)
    assert (observable.value, countries) == (value, ("AL", "RS"))
    assert reason


async def test_incident_is_gone_when_two_teams_call_its_value_harmless(acting):
    """A false positive counts against the value, and the board says why it is held back."""
    value = fresh()
    await hold(acting, value)
    assert len(await incidents(acting)) == 1
    for team in ("alcirt", "mkd-cert"):
        await acting.sight({"value": value, "kind": "false-positive"}, team=team)
    await acting.catch_up()
    assert await incidents(acting) == {}
    assert len(await acting.rows("held_back")) == 1


async def test_id_stays_when_an_incident_grows(acting):
    """A third country and more values: the same incident, under the same id."""
    one, two = fresh(), fresh()
    await hold(acting, one)
    [before] = await incidents(acting)
    await hold(acting, one, two, teams=TEAMS)
    [(after, incident)] = (await incidents(acting)).items()
    assert after == before
    assert shown(incident) == {one, two}
    assert [arrival.country for arrival in incident.spread] == ["AL", "RS", "MK"]


async def test_absorbed_id_answers_when_incidents_merge(acting):
    """Two stories turn out to be one: one id is kept, the other still leads there, also after a second merge."""
    values = [fresh() for _ in range(5)]
    await hold(acting, values[0], values[1])
    await hold(acting, values[2])
    await hold(acting, values[3], values[4])
    old = await incidents(acting)
    assert len(old) == 3
    for bridge in (values[1:3], values[2:4]):
        await acting.publish(naming(*bridge), team="mkd-cert")
        await acting.catch_up()
    [(kept, incident)] = (await incidents(acting)).items()
    assert kept in old
    assert shown(incident) == set(values)
    principal = await acting.principal("srb-cert")
    for incident_id in old:
        ranked, evidence = await get_incident(acting.database, acting.clock, principal, incident_id)
        assert ranked.incident.incident_id == kept
        assert len(evidence) == 5


async def test_report_joins_values_when_it_comes_last(acting):
    """A report that ties two indicators ties what they hold, whenever it comes."""
    one, two = naming(fresh()), naming(fresh())
    for made in (one, two):
        await acting.publish(made)
        await acting.publish(made | {"id": f"indicator--{uuid.uuid4()}"}, team="srb-cert")
    await acting.catch_up()
    assert len(await incidents(acting)) == 2
    refs = {"object_refs": [one["id"], two["id"]], "name": "Story", "published": DAYS["alcirt"]}
    await acting.publish(sdo("report", **refs), team="mkd-cert")
    await acting.catch_up()
    assert len(await incidents(acting)) == 1


async def test_report_joins_values_when_it_stands_in_another_collection_of_the_scope(acting):
    """Who reads the one collection reads the other: a tie in one ties what the other holds, and nothing in a smaller circle."""
    one, two = naming(fresh()), naming(fresh())
    for made in (one, two):
        await acting.publish(made)
        await acting.publish(made | {"id": f"indicator--{uuid.uuid4()}"}, team="srb-cert")
    await acting.catch_up()
    refs = {"object_refs": [one["id"], two["id"]], "name": "Story", "published": DAYS["alcirt"]}
    await acting.publish(sdo("report", **refs), team="mkd-cert", collection=GROUP)
    await acting.catch_up()
    assert len(await incidents(acting)) == 2
    await acting.publish(sdo("report", **refs), team="mkd-cert", collection="regional-sightings")
    await acting.catch_up()
    assert len(await incidents(acting)) == 1


async def test_incident_splits_when_what_joined_it_is_deleted(acting):
    """The value that joined two stories goes: two incidents, one of them under the old id."""
    one, two = fresh(), fresh()
    await hold(acting, one)
    await hold(acting, two)
    bridge = naming(one, two)
    await acting.publish(bridge, team="mkd-cert")
    await acting.catch_up()
    [joined] = await incidents(acting)
    await acting.delete(bridge["id"], team="mkd-cert")
    await acting.catch_up()
    found = await incidents(acting)
    assert len(found) == 2
    assert joined in found


async def test_hosting_that_two_stories_rent_is_held_back_and_shown(acting):
    """It joins nothing, the board says where it is and why; when one of the stories is taken back, it belongs to the other."""
    one, two, address = [fresh() for _ in range(5)], [fresh() for _ in range(5)], fresh()
    made = {}
    for story in (one, two):
        for team in TEAMS[:2]:
            made[story[0], team] = naming(*story, address)
            await acting.publish(made[story[0], team], team=team)
    await acting.catch_up()
    assert {frozenset(shown(incident)) for incident in (await incidents(acting)).values()} == {frozenset(one), frozenset(two)}
    [held] = await acting.rows("held_back")
    assert (held["countries"], held["reason"]) == ("AL,RS", SHARED_BY_STORIES)
    for team in TEAMS[:2]:
        await acting.delete(made[two[0], team]["id"], team=team)
    await acting.catch_up()
    assert [shown(incident) for incident in (await incidents(acting)).values()] == [{*one, address}]
    assert await acting.rows("held_back") == []


async def test_incident_is_assessed_anew_when_its_value_is_only_seen(acting):
    """A sighting changes what an incident is worth, and not what it is made of."""
    values = [fresh() for _ in range(3)]
    await hold(acting, *values)
    [(before, weak)] = (await incidents(acting)).items()
    await acting.sight({"value": values[0], "count": 3}, team="mkd-cert")
    await acting.catch_up()
    [(after, strong)] = (await incidents(acting)).items()
    assert after == before
    assert shown(strong) == shown(weak) == set(values)
    assert (strong.sightings, strong.strength > weak.strength) == (3, True)


async def test_scopes_never_mix(acting):
    """One team's word in a closed group and another's before everybody make no incident, and neither side learns of it."""
    value = fresh()
    await hold(acting, value, teams=("alcirt",), collection=GROUP)
    await hold(acting, value, teams=("srb-cert",))
    assert await acting.rows("incidents") == []
    await hold(acting, value, teams=("srb-cert",), collection=GROUP)
    [(inside, _)] = (await incidents(acting)).items()
    assert await incidents(acting, "kos-cert") == {}
    # A token that is narrowed to another collection sees as little as another team.
    assert await incidents(acting, "alcirt", INDICATORS) == {}
    refusals = []
    for principal in (await acting.principal("kos-cert"), await acting.principal("alcirt", INDICATORS)):
        for incident_id in (inside, str(uuid.uuid4())):
            with pytest.raises(Refusal) as refused:
                await get_incident(acting.database, acting.clock, principal, incident_id)
            refusals.append((refused.value.code, refused.value.message))
    assert len(set(refusals)) == 1


async def test_incident_carries_the_strictest_marking_of_its_parts(acting):
    """Law 6: what is derived is as sensitive as the most sensitive thing it was made of."""
    value = fresh()
    amber = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
    green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
    for team, marking in (("alcirt", green), ("srb-cert", amber)):
        await acting.publish(naming(value, object_marking_refs=[marking]), team=team)
    await acting.catch_up()
    [incident] = (await incidents(acting)).values()
    assert incident.marking.label == "TLP:AMBER"


def test_stretches_grow_while_they_are_quick_and_stay_long_enough_when_they_are_slow():
    """The writer is held for about as long as posts may wait, and a busy machine still reads more than it pays for beginning."""
    pace = Pace()
    for _ in range(20):
        pace.note(0.001, is_full=True)
    assert pace.mentions == MOST_MENTIONS
    pace.note(0.001, is_full=False)
    assert pace.mentions == MOST_MENTIONS
    pace.note(STRETCH_S * 2, is_full=True)
    assert pace.mentions == MOST_MENTIONS // 2
    pace.note(60.0, is_full=True)
    assert pace.mentions == MENTIONS_A_STRETCH


def world(values: list[str]) -> list[tuple[str, Any]]:
    """A small world: stories that overlap, a report, a campaign, sightings, a doubt, a withdrawal, each an event of its own."""
    own = {
        team: naming(*some, valid_from=DAYS[team])
        for team, some in zip(TEAMS, (values[:2], values[1:3], values[3:4]), strict=True)
    }
    again = {team: naming(values[4], valid_from=DAYS[team]) for team in TEAMS[:2]}
    campaign = sdo("campaign", name="Story")
    revoked = naming(values[3], values[5])
    events: list[tuple[str, Any]] = [(team, made) for made_by in (own, again) for team, made in made_by.items()]
    events += [
        ("srb-cert", naming(values[3], values[5], valid_from=DAYS["srb-cert"])),
        (
            "srb-cert",
            sdo("relationship", relationship_type="indicates", source_ref=own["mkd-cert"]["id"], target_ref=campaign["id"]),
        ),
        (
            "alcirt",
            sdo("relationship", relationship_type="indicates", source_ref=again["alcirt"]["id"], target_ref=campaign["id"]),
        ),
        ("alcirt", {"value": values[3], "count": 4, "first_seen": DAYS["srb-cert"]}),
        ("mkd-cert", {"indicator": own["alcirt"]["id"], "count": 2, "first_seen": DAYS["mkd-cert"]}),
        ("mkd-cert", {"value": values[1], "kind": "negative", "first_seen": DAYS["mkd-cert"]}),
        ("alcirt", revoked),
        ("alcirt", revoked | {"modified": "2026-11-09T10:00:00.000Z", "revoked": True}),
    ]
    return events


async def feed(acting: Acting, collection: str, events: list[tuple[str, Any]], stops: set[int]) -> None:
    """Tell one event after another; a report on an indicator that is not there yet is sent again at the end."""
    refused = []
    for number, (team, event) in enumerate(events):
        if "type" in event:
            status = await acting.publish(event, team=team, collection=collection)
            assert status["success_count"] == 1, status
        elif not (await acting.sight(event | {"collection": collection}, team=team)).accepted:
            refused.append((team, event))
        if number in stops:
            await acting.catch_up()
    for team, event in refused:
        assert (await acting.sight(event | {"collection": collection}, team=team)).accepted
    await acting.catch_up()


async def outcome(acting: Acting, collection: str, values: list[str]) -> tuple[Any, ...]:
    """Incidents and held-back values of a scope, without their ids."""
    [scope] = [row["scope"] for row in await acting.rows("collections") if row["slug"] == collection]
    keys = {observable_key(read_observable(value)) for value in values}
    members = defaultdict(set)
    for row in await acting.rows("incident_members"):
        if row["scope"] == scope and row["key"] in keys:
            members[row["incident_id"]].add(row["key"])
    found = set()
    for incident_id, some in members.items():
        principal = await acting.principal("alcirt")
        ranked, _ = await get_incident(acting.database, acting.clock, principal, incident_id)
        one = ranked.incident
        found.add((frozenset(some), one.spread, one.strength, one.terms, one.sightings, one.first_us, one.last_us, one.marking))
    held = {(row["key"], row["countries"], row["reason"]) for row in await acting.rows("held_back") if row["scope"] == scope}
    return found, {row for row in held if row[0] in keys}


@SPARING
@given(st.data())
async def test_incidents_are_the_same_when_events_arrive_in_another_order(acting, data):
    """The same world told in two orders, and read in other stretches: the same values, spread, strength and reasons."""
    one = await acting.collection(read=TEAMS)
    two = await acting.collection(read=(*TEAMS, "hr-cert"))
    values = [fresh() for _ in range(6)]
    events = world(values)
    others = world(values)  # with ids of their own: a report on an indicator must find the one of its scope
    order = data.draw(st.permutations(range(len(events))))
    places = st.sets(st.integers(0, len(events) - 1))
    await feed(acting, one, events, data.draw(places))
    await feed(acting, two, [others[number] for number in order], data.draw(places))
    expected = await outcome(acting, one, values)
    assert await outcome(acting, two, values) == expected
    assert expected[0]
