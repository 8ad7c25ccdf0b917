"""What coordinators decide survives whatever correlation finds later, stays within its audience, and can be taken back."""

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.correlation.guard_lists import read_guard_list
from regcert.correlation.guards import Guards
from regcert.domain.decision import Deed
from regcert.domain.incident import Standing
from regcert.domain.principal import Principal, Role
from regcert.errors import Code, Refusal
from regcert.flows.decide import Wish, decide
from regcert.flows.list_incidents import page_incidents
from regcert.flows.overrule import Ruling, overrule
from regcert.stix.observable import read_observable
from regcert.store.ledger import observable_key
from tests.flows.test_correlate import DAYS, GROUP, SPARING, TEAMS, fresh, hold, incidents, naming, shown
from tests.store.acting import INDICATORS, Acting


async def coordinator(acting: Acting, team: str = "alcirt") -> Principal:
    """A coordinator of a team, beside its analyst."""
    analyst = acting.principals.pop((team, ()), None)
    found = await acting.principal(team, role=Role.COORDINATOR)
    acting.principals.pop((team, ()))
    if analyst is not None:
        acting.principals[team, ()] = analyst
    return found


async def deciding(acting: Acting, incident_id: str, deed: Deed, team: str = "alcirt", **wish: Any) -> str:
    decision = await decide(acting.database, await coordinator(acting, team), incident_id, Wish(deed, "for a test", **wish))
    await acting.catch_up()
    return decision


def keys_of(*values: str) -> frozenset[bytes]:
    return frozenset(observable_key(read_observable(value)) for value in values)


async def ruling(acting: Acting, value: str, deed: Deed) -> None:
    said = Ruling(deed, read_observable(value), INDICATORS, "for a test")
    await overrule(acting.database, await coordinator(acting), said)
    await acting.catch_up()


async def grouped(acting: Acting) -> set[frozenset[str]]:
    return {frozenset(shown(one)) for one in (await incidents(acting)).values()}


async def id_of(acting: Acting, value: str) -> str:
    return next(one for one, incident in (await incidents(acting)).items() if value in shown(incident))


async def test_merged_incidents_stay_one_until_it_is_undone(acting):
    """Two stories without a common word are one because somebody says so; what either learns comes in; undone, they part."""
    one, two, more = [fresh() for _ in range(2)], [fresh() for _ in range(3)], fresh()
    await hold(acting, *one)
    await hold(acting, *two)
    first, second = await id_of(acting, one[0]), await id_of(acting, two[0])
    decision = await deciding(acting, first, Deed.MERGE, other=second)
    assert await grouped(acting) == {frozenset((*one, *two))}
    await hold(acting, *one, more)
    await acting.sight({"value": two[0]}, team="mkd-cert")
    await acting.catch_up()
    assert await grouped(acting) == {frozenset((*one, *two, more))}
    await deciding(acting, await id_of(acting, more), Deed.UNDO, other=decision)
    assert await grouped(acting) == {frozenset((*one, more)), frozenset(two)}


async def test_split_values_stay_apart_and_what_came_later_goes_with_those_that_name_it(acting):
    """A digest tells of two stories as if they were one; somebody parts them; a later report of one side stays on its side."""
    one, two, more = [fresh() for _ in range(3)], [fresh() for _ in range(2)], fresh()
    await hold(acting, *one, *two)
    [whole] = await incidents(acting)
    await deciding(acting, whole, Deed.SPLIT, values=keys_of(*two))
    assert await grouped(acting) == {frozenset(one), frozenset(two)}
    assert whole == await id_of(acting, one[0])  # the larger part keeps the id
    await hold(acting, *one, *two)
    await hold(acting, *two, more)
    assert await grouped(acting) == {frozenset(one), frozenset((*two, more))}


async def test_later_decision_wins_when_two_contradict_each_other(acting):
    """Merged, then split, then merged again: what was said last is so."""
    one, two = [fresh() for _ in range(2)], [fresh() for _ in range(2)]
    await hold(acting, *one)
    await hold(acting, *two)
    await deciding(acting, await id_of(acting, one[0]), Deed.MERGE, other=await id_of(acting, two[0]))
    await deciding(acting, await id_of(acting, one[0]), Deed.SPLIT, values=keys_of(*two))
    assert await grouped(acting) == {frozenset(one), frozenset(two)}
    await deciding(acting, await id_of(acting, one[0]), Deed.MERGE, other=await id_of(acting, two[0]))
    await hold(acting, *one)
    assert await grouped(acting) == {frozenset((*one, *two))}


async def test_pinned_incident_stands_first_keeps_its_id_and_does_not_dissolve(acting):
    """The weaker one stands first; merged, it gives the id; it stays as long as anybody holds one of its values."""
    weak, strong = [fresh() for _ in range(2)], [fresh() for _ in range(4)]
    await hold(acting, *strong, teams=TEAMS)
    await hold(acting, *weak)
    pinned = await id_of(acting, weak[0])
    assert next(iter(await incidents(acting))) != pinned
    await deciding(acting, pinned, Deed.PIN)
    found = await incidents(acting)
    assert (next(iter(found)), found[pinned].standing) == (pinned, Standing.PINNED)
    await deciding(acting, pinned, Deed.MERGE, other=await id_of(acting, strong[0]))
    assert list(await incidents(acting)) == [pinned]
    lone = [fresh() for _ in range(2)]
    made = {team: naming(*lone, valid_from=DAYS[team]) for team in TEAMS[:2]}
    for team, one in made.items():
        await acting.publish(one, team=team)
    await acting.catch_up()
    kept = await id_of(acting, lone[0])
    await deciding(acting, kept, Deed.PIN)
    await acting.delete(made["alcirt"]["id"])
    await acting.catch_up()
    assert [arrival.country for arrival in (await incidents(acting))[kept].spread] == ["RS"]
    await deciding(acting, kept, Deed.UNPIN)
    assert kept not in await incidents(acting)


async def test_dismissed_incident_is_listed_apart_and_comes_back_for_a_further_country(acting):
    """Off the board until a country joins; then it is there again and says for which; restored, nothing is said any more."""
    value = fresh()
    await hold(acting, value)
    one = await id_of(acting, value)
    await deciding(acting, one, Deed.DISMISS)
    await acting.sight({"value": value, "count": 5})
    await acting.catch_up()
    assert await incidents(acting) == {}
    asking = await acting.principal("alcirt")
    page = await page_incidents(acting.database, acting.clock, asking, limit=9, cursor=None, dismissed=True)
    assert [(ranked.incident.incident_id, ranked.incident.standing) for ranked in page.incidents] == [(one, Standing.DISMISSED)]
    await hold(acting, value, teams=("mkd-cert",))
    back = (await incidents(acting))[one]
    assert (back.standing, back.returned_for) == (Standing.USUAL, ("MK",))
    await deciding(acting, one, Deed.RESTORE)
    assert (await incidents(acting))[one].returned_for == ()


async def test_value_counts_or_is_noise_when_a_coordinator_says_so(acting):
    """A guarded value makes an incident, another one none; more publications change neither; taken back, all is as before."""
    value, other = fresh(), fresh()
    entry = {"name": "Test list", "reason": "It is a test.", "match": "exact", "kinds": ["domain"], "entries": [value]}
    acting.guards = Guards([read_guard_list(entry)])
    await hold(acting, value)
    await hold(acting, other)
    assert await grouped(acting) == {frozenset({other})}
    await ruling(acting, value, Deed.COUNT)
    await ruling(acting, other, Deed.NOISE)
    await hold(acting, value, teams=("mkd-cert",))
    await hold(acting, other, teams=("mkd-cert",))
    assert await grouped(acting) == {frozenset({value})}
    assert [(row["held"], row["key"]) for row in await acting.rows("held_back")] == [
        ("noise", observable_key(read_observable(other)))
    ]
    await ruling(acting, value, Deed.UNDO)
    await ruling(acting, other, Deed.UNDO)
    assert await grouped(acting) == {frozenset({other})}


async def test_decision_is_refused_alike_when_the_incident_is_foreign_or_absent(acting):
    """Within another audience nothing is decided, and nothing is learned; neither does a merge reach across."""
    inside, outside = fresh(), fresh()
    await hold(acting, inside, collection=GROUP)
    await hold(acting, outside)
    [hidden] = set(await incidents(acting)) - set(await incidents(acting, "kos-cert"))
    open_one = next(iter(await incidents(acting, "kos-cert")))
    told = set()
    for wish in (Wish(Deed.PIN, "why"), Wish(Deed.MERGE, "why", other=open_one)):
        for one in (hidden, str(uuid.uuid4())):
            with pytest.raises(Refusal) as refused:
                await decide(acting.database, await coordinator(acting, "kos-cert"), one, wish)
            told.add((refused.value.code, refused.value.message))
    for one in (hidden, str(uuid.uuid4())):
        with pytest.raises(Refusal) as refused:
            await decide(acting.database, await coordinator(acting, "kos-cert"), open_one, Wish(Deed.MERGE, "why", other=one))
        told.add((refused.value.code, refused.value.message))
    assert len(told) == 1
    with pytest.raises(Refusal) as refused:
        await decide(acting.database, await coordinator(acting), open_one, Wish(Deed.MERGE, "why", other=hidden))
    assert refused.value.code is Code.INVALID_DECISION
    told = set()
    for value, collection in ((inside, GROUP), (inside, "no-such"), (inside, INDICATORS), (fresh(), INDICATORS)):
        said = Ruling(Deed.NOISE, read_observable(value), collection, "why")
        with pytest.raises(Refusal) as refused:
            await overrule(acting.database, await coordinator(acting, "kos-cert"), said)
        told.add((refused.value.code, refused.value.message))
    assert {code for code, _ in told} == {Code.NOT_FOUND}
    assert len(told) == 1
    with pytest.raises(Refusal) as refused:
        await decide(acting.database, await acting.principal("alcirt"), open_one, Wish(Deed.PIN, "why"))
    assert refused.value.code is Code.FORBIDDEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(SPARING, max_examples=4)
@given(st.data())
async def test_decisions_hold_in_whatever_order_the_evidence_comes(acting, data):
    """The same decisions before the rest of the world is told in two orders: the same values together, and the same apart."""
    outcomes = []
    places = st.sets(st.integers(0, 9))
    names: dict[str, int] = {}
    for number in range(2):
        collection = await acting.collection(read=TEAMS if number else (*TEAMS, "hr-cert"))
        values = [fresh() for _ in range(7)]
        names |= {value: place for place, value in enumerate(values)}
        for some in (values[:2], values[2:4], values[4:6]):
            await hold(acting, *some, collection=collection)
        one, two = await id_of(acting, values[0]), await id_of(acting, values[2])
        await deciding(acting, one, Deed.MERGE, other=two)
        await deciding(acting, await id_of(acting, values[0]), Deed.SPLIT, values=keys_of(values[3]))
        await deciding(acting, await id_of(acting, values[4]), Deed.PIN)
        events = [
            (team, naming(*some, valid_from=DAYS[team]))
            for some in (values[3:5], (values[1], values[6]), values[5:7])
            for team in TEAMS[1:]
        ]
        order = data.draw(st.permutations(range(len(events)))) if number else range(len(events))
        stops = data.draw(places)
        for at, event in enumerate(order):
            await acting.publish(events[event][1], team=events[event][0], collection=collection)
            if at in stops:
                await acting.catch_up()
        await acting.catch_up()
        mine = [shown(one) & set(values) for one in (await incidents(acting)).values()]
        found = [frozenset(names[value] for value in some) for some in mine if some]
        outcomes.append(set(found))
    assert outcomes[0] == outcomes[1]
    together = next(one for one in outcomes[0] if 0 in one)
    assert {0, 1, 2} <= together
    assert 3 not in together
