"""Alerts: every team is told what concerns it, once, and nobody what it may not see."""

import itertools
import random
import uuid
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import delete

from regcert.clock import DAY_US
from regcert.correlation.guard_lists import read_guard_list
from regcert.correlation.guards import Guards
from regcert.domain.alert import Alert, AlertKind
from regcert.errors import Code, Refusal
from regcert.flows.correlate import correlate
from regcert.flows.list_alerts import expire, page_alerts, see_alert, see_alerts_until
from regcert.stix.timestamps import write_timestamp
from regcert.store import ledger
from regcert.store.alerts import Place
from regcert.store.tables import METADATA
from tests.flows.test_correlate import GROUP, fresh, hold, naming
from tests.made import sdo
from tests.store.acting import INDICATORS, Acting

# For rules that ask the databases nothing that other tests do not.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CROSSING, SIGHTED, APPROACHING = AlertKind.CROSSING, AlertKind.SIGHTED, AlertKind.APPROACHING


async def told(acting: Acting, team: str, *narrowed: str, **place: Any) -> list[Alert]:
    """What a team was told, the first first."""
    page = await page_alerts(acting.database, await acting.principal(team, *narrowed), Place(**{"after": 0} | place), 200)
    return list(page.alerts)


def about(alerts: list[Alert], kind: AlertKind) -> list[tuple[set[str], list[str]]]:
    """The values and the countries of the alerts of one kind."""
    return [
        ({one.value for one in alert.evidence.observables}, [one.country for one in alert.evidence.countries])
        for alert in alerts
        if alert.kind is kind
    ]


def days_ago(acting: Acting, days: float) -> str:
    return write_timestamp(acting.clock.at_us - int(days * DAY_US))


async def shut_out(acting: Acting, team: str, collection: str) -> None:
    """Take from a team what it may do in a collection."""
    access, team_id = METADATA.tables["collection_access"], (await acting.principal(team)).team.team_id
    theirs = (access.c.collection_id == await acting.id_of(collection), access.c.team_id == team_id)
    await acting.database.write(lambda tx: tx.connection.execute(delete(access).where(*theirs)))


async def test_both_teams_are_told_when_what_they_hold_turns_cross_border(acting):
    """Whoever holds it is told which value, in which countries, when; and nobody else."""
    value = fresh()
    await hold(acting, value)
    for team in ("alcirt", "srb-cert"):
        [alert] = await told(acting, team)
        assert about([alert], CROSSING) == [({value}, ["AL", "RS"])]
        assert alert.evidence.teams == ("alcirt", "srb-cert")
        assert alert.evidence.incident_id
    assert await told(acting, "hr-cert") == []


async def test_team_is_told_once_however_often_the_same_is_said(acting):
    """Repeats, new versions, further sightings and a story that ends and begins again tell nothing new."""
    value = fresh()
    await hold(acting, value)
    made = naming(value)
    for number in range(3):
        await acting.publish(made | {"modified": f"2026-11-0{number + 2}T10:00:00.000Z"}, team="srb-cert")
        await acting.sight({"value": value, "count": 7}, team="srb-cert")
        await acting.catch_up()
    before = {row["incident_id"] for row in await acting.rows("incidents")}
    for made in [row["stix_id"] for row in await acting.rows("objects") if row["superseded_by"] == 0]:
        for team in ("alcirt", "srb-cert"):
            with suppress(Refusal):
                await acting.delete(made, team=team)
    await acting.catch_up()
    await hold(acting, value)  # the incident has ended, and another begins
    assert before.isdisjoint(row["incident_id"] for row in await acting.rows("incidents"))
    alerts = await told(acting, "alcirt")
    assert len(about(alerts, CROSSING)) == 1
    assert about(alerts, SIGHTED) == [({value}, ["RS"])]
    assert [len(about(await told(acting, "srb-cert"), kind)) for kind in AlertKind] == [1, 0, 0]


@on_sqlite
async def test_team_is_told_of_a_neighbour_that_sights_its_indicator(acting):
    """Without an incident, each neighbour once; what a team sees itself is no news to it."""
    made = naming(fresh())
    await acting.publish(made, team="srb-cert")
    await acting.catch_up()
    for team, kind in (("srb-cert", "positive"), ("alcirt", "negative"), ("alcirt", "expired")):
        await acting.sight({"indicator": made["id"], "kind": kind}, team=team)
    await acting.catch_up()
    assert await told(acting, "srb-cert") == []
    for _ in range(2):
        for team in ("alcirt", "mkd-cert"):
            await acting.sight({"indicator": made["id"]}, team=team)
        await acting.catch_up()
    [(values, countries)] = about(await told(acting, "srb-cert"), SIGHTED)
    assert made["pattern"].count(values.pop()) == 1
    assert sorted(countries) == ["AL", "MK"]


@on_sqlite
async def test_neighbours_on_the_way_are_warned_when_a_strong_story_comes_close(acting):
    """Fresh and strong, in two countries: those beside them are warned, once; further ones when it is in three."""
    values = [fresh() for _ in range(4)]
    made = naming(*values, valid_from=days_ago(acting, 1))
    await acting.publish(made, team="alcirt")
    copy = made | {"valid_from": days_ago(acting, 0.5)}
    for number in range(2):  # it ends, and begins again under another id
        again = copy | {"id": f"indicator--{uuid.uuid4()}"}
        await acting.publish(again, team="mkd-cert")
        await acting.catch_up()
        if number == 0:
            await acting.delete(again["id"], team="mkd-cert")
            await acting.catch_up()
    warned = {
        team: about(await told(acting, team), APPROACHING) for team in ("kos-cert", "cirt-me", "hr-cert", "srb-cert", "alcirt")
    }
    assert {team: len(alerts) for team, alerts in warned.items()} == {
        "kos-cert": 1, "cirt-me": 1, "hr-cert": 0, "srb-cert": 0, "alcirt": 0,
    }  # fmt: skip
    assert warned["kos-cert"] == [(set(values), ["AL", "MK"])]
    await acting.sight({"value": values[0]}, team="kos-cert")
    await acting.catch_up()
    assert [len(about(await told(acting, team), APPROACHING)) for team in ("kos-cert", "cirt-me", "hr-cert", "srb-cert")] == [
        1,
        1,
        1,
        1,
    ]
    assert about(await told(acting, "kos-cert"), CROSSING) == [({values[0]}, ["AL", "MK", "XK"])]


@on_sqlite
async def test_nobody_is_warned_of_what_is_weak_or_long_ago(acting):
    """A single value that two countries name a week apart, and a story of last month."""
    await hold(acting, *(fresh() for _ in range(5)))  # in early November; it is the 18th
    value = fresh()
    for team, days in (("alcirt", 8), ("srb-cert", 1)):
        await acting.publish(naming(value, valid_from=days_ago(acting, days)), team=team)
    await acting.catch_up()
    assert {row["kind"] for row in await acting.rows("alerts")} == {"crossing"}


@on_sqlite
async def test_nobody_is_told_of_what_is_benign(acting):
    """Neither of a guarded value, nor of one that teams call harmless, nor of hosting that several stories share."""
    circle = await acting.collection(read=("hr-cert", "zsis-cert"), write=("hr-cert", "zsis-cert"))
    guarded, harmless = fresh(), fresh()
    entry = {"name": "Test list", "reason": "It is a test.", "match": "exact", "kinds": ["domain"], "entries": [guarded]}
    acting.guards = Guards([read_guard_list(entry)])
    for team in ("alcirt", "mkd-cert"):
        await acting.sight({"value": harmless, "kind": "false-positive"}, team=team)
    await hold(acting, guarded, harmless)
    for value in (guarded, harmless):
        await acting.sight({"value": value}, team="srb-cert")
    lone = naming(guarded)
    await acting.publish(lone, team="hr-cert", collection=circle)
    await acting.sight({"indicator": lone["id"]}, team="zsis-cert")
    await acting.catch_up()
    assert await acting.rows("alerts") == []
    one, two, address = [fresh() for _ in range(5)], [fresh() for _ in range(5)], fresh()
    for story in (one, two):
        for team in ("alcirt", "srb-cert"):
            await acting.publish(naming(*story, address), team=team)
    await acting.catch_up()
    await acting.sight({"value": address}, team="mkd-cert")
    await acting.catch_up()
    values = [value for alert in await told(acting, "alcirt") for value in about([alert], alert.kind)]
    assert values
    assert all(address not in shown for shown, _ in values)


async def test_nobody_is_told_what_they_may_not_see(acting):
    """Evidence of a closed group is for its members only; for a narrowed token it is not there, and not when rights are gone."""
    value = fresh()
    await acting.publish(naming(value), team="kos-cert")  # holds the same, and is not in the group
    await hold(acting, value, collection=GROUP)
    await acting.sight({"value": value, "collection": GROUP}, team="srb-cert")
    await acting.catch_up()
    assert {kind for kind in AlertKind if about(await told(acting, "alcirt"), kind)} == {CROSSING, SIGHTED}
    assert await told(acting, "kos-cert") == []
    assert await told(acting, "alcirt", INDICATORS) == []
    number = (await told(acting, "alcirt"))[0].number
    refusals = set()
    for principal in (await acting.principal("kos-cert"), await acting.principal("alcirt", INDICATORS)):
        for wanted in (number, 7):
            with pytest.raises(Refusal) as refused:
                await see_alert(acting.database, principal, wanted)
            refusals.add((refused.value.code, refused.value.message))
    assert [code for code, _ in refusals] == [Code.NOT_FOUND]
    await shut_out(acting, "alcirt", GROUP)
    assert await told(acting, "alcirt") == []


async def test_writer_that_may_not_read_is_told_nothing(acting):
    """Somebody hands in what only others may read: that it crosses a border is theirs to know."""
    drop = await acting.collection(read=("srb-cert", "mkd-cert"), write=("alcirt", "srb-cert", "mkd-cert"))
    value = fresh()
    await hold(acting, value, collection=drop)
    assert {row["team_id"] for row in await acting.rows("alerts")} == {(await acting.principal("srb-cert")).team.team_id}


@pytest.mark.parametrize("how", ["value", "unknown indicator"])
async def test_old_sightings_are_told_at_once_when_the_indicator_comes(acting, how):
    """Whether a value was seen before anybody published it, or an id that was not here yet, by however many teams."""
    made = naming(fresh())
    value = made["pattern"].split("'")[1]
    for team in ("srb-cert", "mkd-cert"):
        if how == "value":
            await acting.sight({"value": value}, team=team)
        else:
            await acting.publish(sdo("sighting", sighting_of_ref=made["id"], count=2), team=team)
        await acting.catch_up()
    before = {row["team_id"] for row in await acting.rows("alerts")}
    await acting.publish(made)
    await acting.catch_up()
    [(values, countries)] = about(await told(acting, "alcirt"), SIGHTED)
    assert (values, sorted(countries)) == ({value}, ["MK", "RS"])
    for team in ("alcirt", "srb-cert", "mkd-cert"):
        assert [values for values, _ in about(await told(acting, team), CROSSING)] == [{value}], before


@on_sqlite
async def test_old_sighting_is_told_when_the_publisher_was_told_of_others_before(acting):
    """A second indicator of the same value meets a sighting that waited for its id: that neighbour is news, too."""
    first, second = (naming("waited-for.example") for _ in range(2))
    await acting.publish(first)
    await acting.sight({"indicator": first["id"]}, team="srb-cert")
    await acting.publish(sdo("sighting", sighting_of_ref=second["id"]), team="mkd-cert")
    await acting.catch_up()
    await acting.publish(second)
    await acting.catch_up()
    assert [countries for _, countries in about(await told(acting, "alcirt"), SIGHTED)] == [["RS"], ["MK"]]


async def test_span_that_is_read_again_tells_nothing_twice(acting, monkeypatch):
    """If we crash behind the alerts and before the commit, neither they nor the mark are there; the next one raises them once."""
    value = fresh()
    for team in ("alcirt", "srb-cert"):
        await acting.publish(naming(value), team=team)

    def crash(_span: object) -> Any:
        raise RuntimeError
        yield

    with monkeypatch.context() as patch:
        patch.setattr("regcert.flows.correlate.close_span", crash)
        with pytest.raises(RuntimeError):
            await correlate(acting.database, acting.guards)
    assert await acting.rows("alerts") == []
    await acting.catch_up()
    first = await acting.rows("alerts")
    assert len(first) == 2
    await acting.database.apply(lambda _: _reread())
    await acting.catch_up()
    assert await acting.rows("alerts") == first


def _reread() -> Any:
    yield ledger._CLOSE, {"span_to": 0}


async def test_order_of_arrival_decides_nothing(acting):
    """Who is told that a story crosses, what of it others saw where, and who is warned, is the same whatever came first.

    Of which values a team in the midst of it is told depends on when it came to hold them, and whom it reached is not warned.
    """
    seen: list[set[Any]] = []
    for order in random.Random(7).sample(list(itertools.permutations(range(4))), 5):
        values = {fresh(): name for name in ("value", "other", "third")}
        (value, other, _), made = values, naming(*values, valid_from=days_ago(acting, 1))
        deeds = (
            (made, "alcirt"),
            ({"value": value, "first_seen": days_ago(acting, 0.5)}, "srb-cert"),
            ({"value": other, "first_seen": days_ago(acting, 0.4)}, "mkd-cert"),
            (made | {"id": f"indicator--{uuid.uuid4()}"}, "srb-cert"),
        )
        for what, team in (deeds[number] for number in order):
            await (acting.publish(what, team=team) if "id" in what else acting.sight(what, team=team))
            await acting.catch_up()
        seen.append({
            (team, alert.kind, *((values[one.value], c.country) for c in alert.evidence.countries if alert.kind is SIGHTED))
            for team in ("alcirt", "srb-cert", "mkd-cert", "kos-cert", "hr-cert")
            for alert in await told(acting, team)
            for one in alert.evidence.observables
            if one.value in values and (alert.kind, team) != (APPROACHING, "mkd-cert")
        })  # fmt: skip
    assert {kind for _, kind, *_ in seen[0]} == set(AlertKind)
    assert all(one == seen[0] for one in seen[1:])


@on_sqlite
async def test_follower_misses_nothing_and_sees_nothing_twice(acting):
    """Numbers only grow, also when the clock steps back."""
    principal = await acting.principal()
    read: list[int] = []
    for number in range(4):
        await hold(acting, fresh())
        acting.clock.at_us -= 1_000_000 * number
        page = await page_alerts(acting.database, principal, Place(after=read[-1] if read else 0), 200)
        read += [alert.number for alert in page.alerts]
    assert read == sorted(set(read))
    assert read == [alert.number for alert in await told(acting, "alcirt")]
    assert len(read) == 4


@on_sqlite
async def test_seen_is_seen_for_the_whole_team(acting):
    """One is marked by its number, or all up to it; a neighbour's are its own."""
    for _ in range(3):
        await hold(acting, fresh())
    first, second, third = await told(acting, "alcirt")
    principal = await acting.principal()
    await see_alert(acting.database, principal, second.number)
    unseen = await told(acting, "alcirt", only_unseen=True)
    assert [alert.number for alert in unseen] == [first.number, third.number]
    await see_alerts_until(acting.database, principal, third.number)
    assert (await page_alerts(acting.database, principal, Place(), 10)).unseen == 0
    assert (await page_alerts(acting.database, await acting.principal("srb-cert"), Place(), 10)).unseen == 3


async def test_alerts_are_forgotten_after_ninety_days(acting):
    """What was told, and that it was told."""
    await hold(acting, fresh())
    acting.clock.at_us += 89 * DAY_US
    await hold(acting, fresh())
    acting.clock.at_us += 2 * DAY_US
    assert await expire(acting.database, acting.clock) == 4
    assert (len(await acting.rows("alerts")), len(await acting.rows("told"))) == (2, 2)
