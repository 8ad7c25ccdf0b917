"""What belongs together beyond what a report says now: what came together, what is taken back, what is read anew."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from regcert.correlation.companions import MOST_A_MOMENT
from regcert.flows import gather
from regcert.flows.rebuild import rebuild
from regcert.stix.timestamps import write_timestamp
from tests.flows.test_correlate import TEAMS, fresh, incidents, naming, shown
from tests.made import sdo
from tests.store.acting import Acting

HOUR_US = 3_600_000_000
NOON_US = 1_793_000_000_000_000


async def report(acting: Acting, *values: str, team: str, at_us: int = NOON_US, **properties: Any) -> str:
    """Publish a report of values, with an indicator for each. Return its id."""
    made = [naming(value, valid_from=write_timestamp(at_us)) for value in values]
    refs = {"object_refs": [one["id"] for one in made], "name": "Story", "published": write_timestamp(at_us)}
    told = sdo("report", **refs | properties)
    await acting.publish(*made, told, team=team)
    return str(told["id"])


async def see(acting: Acting, values: Iterable[str], lags: Mapping[str, float], after_h: float = 0) -> None:
    """Let teams see values, each team so many hours after noon and all of them within an hour or so."""
    for team, lag in lags.items():
        for number, value in enumerate(values):
            at_us = NOON_US + int((after_h + lag + number / 20) * HOUR_US)
            await acting.sight({"value": value, "first_seen": write_timestamp(at_us)}, team=team)


async def clusters(acting: Acting) -> set[frozenset[str]]:
    return {frozenset(shown(incident)) for incident in (await incidents(acting)).values()}


async def test_seen_value_joins_the_story_that_it_came_with(acting):
    """It came to two countries when the story did; one that came to either of them on another day stays alone."""
    story, came, other = [fresh() for _ in range(4)], fresh(), fresh()
    lags = {"alcirt": 0, "srb-cert": 30}
    for team, lag in lags.items():
        await report(acting, *story, team=team, at_us=NOON_US + lag * HOUR_US)
    await see(acting, [came], lags)
    await see(acting, [other], {"alcirt": 0, "srb-cert": 90})
    await acting.catch_up()
    assert await clusters(acting) == {frozenset({*story, came}), frozenset({other})}


async def test_values_that_are_only_seen_make_a_story_when_they_came_together(acting):
    """Nobody names any of them. Two groups that came on other days stay apart."""
    one, two = [fresh() for _ in range(3)], [fresh() for _ in range(3)]
    await see(acting, one, {"alcirt": 0, "srb-cert": 20})
    await see(acting, two, {"alcirt": 50, "srb-cert": 90})
    await acting.catch_up()
    assert await clusters(acting) == {frozenset(one), frozenset(two)}


async def test_moment_of_too_many_values_joins_nothing(acting):
    """A team that floods its moment with everything loses its word, and two countries are needed."""
    values = [fresh() for _ in range(MOST_A_MOMENT + 2)]
    reports = [
        {"value": value, "first_seen": write_timestamp(NOON_US + day * 24 * HOUR_US + number * 1_000_000)}
        for day in (0, 2)
        for number, value in enumerate(values)
    ]
    await acting.sight(*reports[: len(values)], team="alcirt")
    await acting.sight(*reports[len(values) :], team="srb-cert")
    await acting.catch_up()
    assert {len(one) for one in await clusters(acting)} == {1}


async def test_flood_takes_a_value_out_of_its_story_whether_it_came_before_or_behind(acting):
    """All of a flood is read at once, and is a crowd to itself: what it makes a crowd of must be looked at all the same."""
    story, came, flood = [fresh() for _ in range(4)], fresh(), [fresh() for _ in range(MOST_A_MOMENT + 8)]
    lags = {"alcirt": 0, "srb-cert": 30}
    for team, lag in lags.items():
        await report(acting, *story, team=team, at_us=NOON_US + lag * HOUR_US)
    await see(acting, [came], lags)
    await acting.catch_up()
    assert frozenset({*story, came}) in await clusters(acting)
    for team, lag in lags.items():
        at = write_timestamp(NOON_US + (lag + 1) * HOUR_US)
        await acting.sight(*({"value": value, "first_seen": at} for value in flood), team=team)
    await acting.catch_up()
    assert {frozenset(story), frozenset({came})} <= await clusters(acting)


async def test_values_that_came_together_are_the_same_in_any_order(acting):
    """Whatever comes first, in whatever stretches: stories, what came with them, and what moves when an earlier word arrives."""
    story, other = [fresh() for _ in range(4)], [fresh() for _ in range(4)]
    came = [fresh() for _ in range(3)]
    events: list[tuple[str, Any]] = [
        ("report", (story, "alcirt", 0)),
        ("report", (story, "srb-cert", 30)),
        ("report", (other, "alcirt", 100)),
        ("report", (other, "mkd-cert", 140)),
        ("see", (came[0], "alcirt", 1)),
        ("see", (came[0], "srb-cert", 31)),
        ("see", (came[1], "alcirt", 101)),
        ("see", (came[1], "mkd-cert", 141)),
        ("see", (came[2], "alcirt", 101)),
        ("see", (came[2], "alcirt", 2)),  # an earlier word: it was there with the first story
        ("see", (came[2], "srb-cert", 29)),
    ]
    expected = {frozenset({*story, came[0], came[2]}), frozenset({*other, came[1]})}
    for seed in range(3):
        collection = await acting.collection(read=(*TEAMS, "hr-cert", "cirt-me")[: 3 + seed])
        order = events if not seed else random.Random(seed).sample(events, len(events))
        for number, (what, (values, team, lag)) in enumerate(order):
            at = write_timestamp(NOON_US + lag * HOUR_US)
            if what == "see":
                await acting.sight({"value": values, "first_seen": at, "collection": collection}, team=team)
            else:
                made = [naming(value, valid_from=at) for value in values]
                told = sdo("report", object_refs=[one["id"] for one in made], name="Story", published=at)
                await acting.publish(*made, told, team=team, collection=collection)
            if number % (seed + 2) == 0:
                await acting.catch_up()
        await acting.catch_up()
        [scope] = [row["scope"] for row in await acting.rows("collections") if row["slug"] == collection]
        found = {frozenset(shown(one)) for one in (await incidents(acting)).values() if one.scope == scope}
        assert found == expected, seed


async def test_report_that_is_deleted_joins_nothing_any_more(acting):
    """Nobody touches the values again: that what tied them is gone is enough."""
    values = [fresh() for _ in range(4)]
    for team in TEAMS[:2]:
        for number, value in enumerate(values):
            await acting.publish(naming(value, valid_from=write_timestamp(NOON_US + number * 48 * HOUR_US)), team=team)
    ids = [row["stix_id"] for row in await acting.rows("objects") if row["type"] == "indicator"]
    at = write_timestamp(NOON_US)
    told = [sdo("report", object_refs=ids, name="Story", published=at) for _ in range(2)]
    for made in told:
        await acting.publish(made, team="mkd-cert")
    await acting.catch_up()
    assert await clusters(acting) == {frozenset(values)}
    for left, made in enumerate(told, 1):
        await acting.delete(made["id"], team="mkd-cert")
        await acting.catch_up()
        assert len(await clusters(acting)) == (1 if left == 1 else len(values))
    assert await acting.rows("ties") == []


async def test_report_joins_what_its_newest_version_names(acting):
    """A report that is corrected lets go of what it named by mistake; when the correction is deleted, it joins that again."""
    values = [fresh() for _ in range(4)]
    for team in TEAMS[:2]:
        for number, value in enumerate(values):
            await acting.publish(naming(value, valid_from=write_timestamp(NOON_US + number * 48 * HOUR_US)), team=team)
    ids = {row["stix_id"]: row["position"] for row in await acting.rows("objects") if row["type"] == "indicator"}
    refs = sorted(ids, key=lambda one: ids[one])
    told = sdo("report", object_refs=refs, name="Story", published=write_timestamp(NOON_US))
    await acting.publish(told, team="mkd-cert")
    await acting.catch_up()
    assert await clusters(acting) == {frozenset(values)}
    newer = told | {"modified": "2026-11-20T10:00:00.000Z", "object_refs": [refs[0], refs[1]]}
    await acting.publish(newer, team="mkd-cert")
    await acting.catch_up()
    corrected = {frozenset(values[:2]), frozenset(values[2:3]), frozenset(values[3:])}
    assert await clusters(acting) == corrected


async def test_chain_that_leads_everywhere_is_cut(acting, monkeypatch, caplog):
    """Each report names what the next one does, too: the cost of one more is bounded, incidents stay whole, and it is said."""
    monkeypatch.setattr(gather, "MOST_TOLD_ANEW", 12)
    stories = [[fresh() for _ in range(4)] for _ in range(8)]
    for number, story in enumerate(stories):
        for team in TEAMS[:2]:
            await report(acting, *story, stories[number - 1][0], team=team, at_us=NOON_US + number * 72 * HOUR_US)
        await acting.catch_up()
    before = await clusters(acting)
    assert "too widely" in caplog.text
    await report(acting, *stories[3], team="mkd-cert")
    await acting.catch_up()
    after = await clusters(acting)
    values = [value for one in after for value in one]
    assert len(values) == len(set(values))
    assert len(after & before) >= len(before) - 4


async def live(acting: Acting) -> dict[str, list[Any]]:
    """All that correlation made, in the order of its keys."""
    names = ("incidents", "incident_members", "held_back", "holdings", "arrivals", "activity", "derivations")
    return {name: sorted((tuple(row.values()) for row in await acting.rows(name)), key=repr) for name in names}


async def test_what_is_rebuilt_is_what_it_was_byte_for_byte(acting):
    """The ledger is read again from the beginning: the same incidents under the same ids, and nothing is left over."""
    story, came = [fresh() for _ in range(4)], [fresh() for _ in range(2)]
    for team, lag in (("alcirt", 0), ("srb-cert", 30), ("mkd-cert", 60)):
        await report(acting, *story[: 4 - lag // 30], team=team, at_us=NOON_US + lag * HOUR_US)
        await acting.catch_up()
    await see(acting, came, {"alcirt": 0, "srb-cert": 30})
    await see(acting, [fresh()], {"alcirt": 200, "srb-cert": 230})
    gone = await report(acting, fresh(), fresh(), team="alcirt")
    await acting.catch_up()
    await acting.delete(gone)
    await acting.catch_up()
    expected = await live(acting)
    assert len(expected["incidents"]) == 2
    await rebuild(acting.database)
    assert await acting.rows("incidents") == []
    await rebuild(acting.database)  # twice is once
    await acting.catch_up()
    assert await live(acting) == expected
    assert await acting.rows("former_members") == await acting.rows("absorbed_incidents") == []
