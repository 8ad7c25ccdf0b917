"""What the ledger says about a thing: every report once, to whom it may be shown, and nobody hidden by who is loudest."""

import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regcert.clock import HOUR_US
from regcert.domain.sighting import SightingKind
from regcert.flows.list_sightings import page_sightings, read_hours, read_named
from regcert.stix.observable import read_observable
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp
from regcert.store import sighted
from regcert.store.ledger import observable_key
from regcert.store.sighted import Hours, load_reported
from tests.made import CREATED, indicator, sdo
from tests.store.acting import INDICATORS, Acting

SPARING = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GROUP = "financial-sector-group"
TEAMS = ("alcirt", "mkd-cert", "srb-cert")
OUTSIDER = "kos-cert"
AT = "2026-11-03T10:20:00Z"


def fresh() -> str:
    return f"{uuid.uuid4().hex}.top"


async def listed(acting: Acting, team: str = "alcirt", limit: int = 50, **query: str) -> list[Any]:
    """All pages of what a team is shown about one thing."""
    principal, cursor = await acting.principal(team), None
    found: list[Any] = []
    while True:
        page = await page_sightings(acting.database, principal, read_named(query), limit=limit, cursor=cursor)
        found += page.sightings
        cursor = page.next
        if cursor is None:
            return found


async def hours(acting: Acting, team: str = "alcirt", **query: str) -> Hours:
    return await read_hours(acting.database, await acting.principal(team), read_named(query))


def sums(found: Hours) -> Counter[tuple[int, str, str]]:
    return Counter({(one.begins_us, one.country, one.kind.value): one.count for one in found.hours})


reports = st.lists(
    st.tuples(
        st.sampled_from(TEAMS), st.sampled_from(["value", "subject", "technique"]), st.sampled_from(list(SightingKind)),
        st.integers(1, 1000), st.integers(0, 2), st.integers(0, 6),
    ),
    min_size=1,
    max_size=20,
)  # fmt: skip


@SPARING
@given(reports, st.data())
async def test_hours_equal_a_recount_when_any_prefix_is_sent_twice(acting, told, data):
    """Sums by hour, country and kind are those of the ledger counted by hand, and sending again changes none of them."""
    mark = uuid.uuid4().hex
    things = {"value": f"{mark}.top", "subject": f"malware--{uuid.UUID(mark)}", "technique": f"T{int(mark[:4], 16) % 10_000:04}"}
    countries = {row["slug"]: row["country"] for row in await acting.rows("teams")}
    calls = [
        (team, {name: things[name], "kind": kind.value, "count": count, "report_id": f"{mark}-{number}",
                "first_seen": f"2026-11-03T1{hour}:59:59.999999Z"})
        for team, name, kind, count, hour, number in told
    ]  # fmt: skip
    before = {name: sums(await hours(acting, **{name: thing})) for name, thing in things.items()}
    again = data.draw(st.integers(0, len(calls)))
    for team, said in calls + calls[:again]:
        assert (await acting.sight(said, team=team)).accepted == 1
    expected: dict[str, Counter[tuple[int, str, str]]] = {name: Counter() for name in things}
    for (team, _), said in {(team, said["report_id"]): said for team, said in reversed(calls)}.items():
        name = next(name for name in things if name in said)
        hour_us = read_timestamp(said["first_seen"]) // HOUR_US * HOUR_US
        expected[name][hour_us, countries[team], said["kind"]] += said["count"]
    for name, thing in things.items():
        found = await hours(acting, **{name: thing})
        assert found.is_whole
        assert sums(found) - before[name] == expected[name]
    raw = [row for row in await acting.rows("sightings") if row["indicator_id"] == things["subject"]]
    seen = (await acting.database.run(load_reported("all", [things["subject"]]))).get(things["subject"], ())
    assert sum(one.count for one in seen) == sum(row["count"] for row in raw)
    assert len({(one.team, one.kind) for one in seen}) == len(seen) == len({(row["team_id"], row["kind"]) for row in raw})


async def test_every_report_is_listed_once_when_pages_are_small(acting):
    """Newest first, of every team and kind, also that something has expired, and whatever else names the value."""
    value = fresh()
    made = indicator(f"[domain-name:value = '{value}']")
    await acting.publish(made)
    for kind in SightingKind:
        for team in TEAMS:
            await acting.sight({"value": value, "kind": kind.value, "first_seen": AT}, team=team)
    await acting.sight({"indicator": made["id"], "count": 9, "sector": "energy"}, team="srb-cert")
    await acting.catch_up()
    found = await listed(acting, limit=3, value=value)
    assert [one.position for one in found] == sorted({one.position for one in found}, reverse=True)
    assert Counter((one.team, one.kind) for one in found[1:]) == Counter((team, kind) for team in TEAMS for kind in SightingKind)
    assert (found[0].subject, found[0].count, found[0].sector) == (made["id"], 9, "energy")
    assert [one.team for one in await listed(acting, indicator=made["id"])] == ["srb-cert"]


async def test_quiet_team_is_told_of_when_another_floods(acting, monkeypatch):
    """A bound is each team's own: who reports without end hides nobody, neither by reports nor by publications."""
    monkeypatch.setattr(sighted, "MOST_REPORTS_A_TEAM", 5)
    value, subject = fresh(), f"campaign--{uuid.uuid4()}"
    for thing in ({"value": value}, {"subject": subject}):
        await acting.sight(thing | {"first_seen": AT}, team="srb-cert")
        await acting.sight(*[thing | {"first_seen": AT, "report_id": f"f-{n}-{next(iter(thing))}"} for n in range(9)])
    for query in ({"value": value}, {"subject": subject}):
        found = await hours(acting, **query)
        assert not found.is_whole
        assert {(one.country, one.reports) for one in found.hours} == {("AL", 5), ("RS", 1)}
    told = (await acting.database.run(load_reported("all", [subject])))[subject]
    assert {(one.team, one.reports) for one in told} == {("alcirt", 5), ("srb-cert", 1)}


@SQLITE
async def test_subject_is_filed_where_its_reporter_sees_it(acting):
    """A campaign that only a group knows was seen in that group; what the reporter cannot see is what is nowhere."""
    known = sdo("campaign", name="Night Shift")
    await acting.publish(known, collection=GROUP)
    hidden = sdo("campaign", name="Day Shift")
    await acting.publish(hidden, team="srb-cert", collection="team-srb-cert")
    absent = f"campaign--{uuid.uuid4()}"
    verdicts = await acting.sight({"subject": known["id"]}, {"subject": hidden["id"]}, {"subject": absent})
    assert (verdicts.accepted, verdicts.refused) == (3, [])
    regional = await acting.id_of("regional-sightings")
    filed = {row["indicator_id"]: row["collection_id"] for row in await acting.rows("sightings")}
    assert filed == {known["id"]: await acting.id_of(GROUP), hidden["id"]: regional, absent: regional}
    assert len(await listed(acting, "mkd-cert", subject=known["id"])) == 1
    assert await listed(acting, OUTSIDER, subject=known["id"]) == await listed(acting, OUTSIDER, indicator=known["id"]) == []
    assert (await hours(acting, OUTSIDER, subject=known["id"])).hours == ()
    assert set(await acting.database.run(load_reported("all", [known["id"], absent]))) == {absent}


@SQLITE
async def test_value_of_a_circle_is_told_to_that_circle_alone(acting):
    """Whoever may not read the collection is told what is told about a value that nobody saw."""
    value = fresh()
    await acting.sight({"value": value, "collection": GROUP, "first_seen": AT}, team="srb-cert")
    assert [one.team for one in await listed(acting, "mkd-cert", value=value)] == ["srb-cert"]
    assert await listed(acting, OUTSIDER, value=value) == await listed(acting, OUTSIDER, value=fresh()) == []
    assert await hours(acting, OUTSIDER, value=value) == await hours(acting, OUTSIDER, value=fresh())


def misp(kind: str, **properties: Any) -> dict[str, Any]:
    """A sighting or opinion as misp-stix writes it: no author, no first_seen, no last_seen, no count."""
    return sdo(kind, created=AT.replace("Z", ".000Z"), modified=AT.replace("Z", ".000Z"), **properties)


def disagreeing(*refs: str, **properties: Any) -> dict[str, Any]:
    said = {"explanation": "False positive Sighting", "authors": ["Oscorp Industries"], "opinion": "strongly-disagree"}
    return misp("opinion", object_refs=list(refs), **said, **properties)


async def holdings_of(acting: Acting, value: str) -> dict[tuple[str, str], tuple[int, int, bool]]:
    await acting.catch_up()
    teams = {row["team_id"]: row["slug"] for row in await acting.rows("teams")}
    key = observable_key(read_observable(value))
    return {
        (teams[row["team_id"]], row["origin"]): (row["positives"], row["negatives"], bool(row["false_positive"]))
        for row in await acting.rows("holdings")
        if row["key"] == key
    }


@SQLITE
async def test_misp_sighting_is_the_word_of_whoever_saw_it(acting):
    """MISP names no author but where it was seen: a relayed sighting is its organisation's word, and a team's own its own."""
    value, stranger = fresh(), f"identity--{uuid.uuid4()}"
    made = indicator(f"[domain-name:value = '{value}']")
    await acting.publish(made)
    srb = next(row["identity_id"] for row in await acting.rows("teams") if row["slug"] == "srb-cert")
    seen = [misp("sighting", sighting_of_ref=made["id"], where_sighted_refs=[who]) for who in (stranger, stranger, srb)]
    assert (await acting.publish(*seen, team="srb-cert", collection="regional-sightings"))["success_count"] == 3
    held = await holdings_of(acting, value)
    assert (held["srb-cert", stranger], held["srb-cert", srb]) == ((2, 0, False), (1, 0, False))
    assert [one.first_us for one in await listed(acting, value=value)] == [read_timestamp(AT)] * 3


@SQLITE
async def test_author_of_a_sighting_speaks_when_it_was_seen_elsewhere(acting):
    """A team that names itself says what its constituents saw; count, first and last are what it says, and counted once."""
    value = fresh()
    made = indicator(f"[domain-name:value = '{value}']")
    await acting.publish(made)
    srb = next(row["identity_id"] for row in await acting.rows("teams") if row["slug"] == "srb-cert")
    observed = sdo(
        "observed-data", first_observed=CREATED, last_observed=CREATED, number_observed=3,
        objects={"0": {"type": "domain-name", "value": value}},
    )  # fmt: skip
    seen = sdo(
        "sighting", sighting_of_ref=made["id"], created_by_ref=srb, where_sighted_refs=[f"identity--{uuid.uuid4()}"], count=50,
        observed_data_refs=[observed["id"]], first_seen="2026-11-02T10:00:00Z", last_seen="2026-11-02T12:00:00Z", summary=True,
    )  # fmt: skip
    assert (await acting.publish(observed, seen, team="srb-cert", collection="regional-sightings"))["success_count"] == 2
    assert (await holdings_of(acting, value))["srb-cert", srb] == (50, 0, False)
    assert sums(await hours(acting, value=value)) == {(read_timestamp("2026-11-02T10:00:00Z"), "RS", "positive"): 50}


@SQLITE
async def test_opinion_that_strongly_disagrees_is_a_false_positive_vote_of_its_author(acting):
    """As MISP exports it, and as OpenCTI marks a sighting; a third party's opinion, passed on, is nobody's vote."""
    value, other = fresh(), fresh()
    made, also = (indicator(f"[domain-name:value = '{one}']") for one in (value, other))
    await acting.publish(made, also)
    said = [
        disagreeing("grouping--" + made["id"][11:], made["id"]),
        disagreeing(also["id"], x_misp_author_ref=f"identity--{uuid.uuid4()}"),
        misp("opinion", object_refs=[also["id"]], opinion="disagree"),
        sdo("sighting", sighting_of_ref=made["id"], x_opencti_negative=True),
    ]
    assert (await acting.publish(*said, team="srb-cert", collection="regional-sightings"))["success_count"] == 4
    srb = next(row["identity_id"] for row in await acting.rows("teams") if row["slug"] == "srb-cert")
    assert (await holdings_of(acting, value))["srb-cert", srb] == (0, 0, True)
    assert ["srb-cert" for team, _ in await holdings_of(acting, other) if team == "srb-cert"] == []
    assert Counter(one.kind.value for one in await listed(acting, indicator=made["id"])) == {"false-positive": 2}


async def test_sighting_of_malware_is_reported_when_it_comes_as_stix(acting):
    """What is seen by its name is counted wherever it came through; a version that is superseded counts no more."""
    malware = sdo("malware", name="Emotet", is_family=True)
    await acting.publish(malware)
    seen = sdo("sighting", sighting_of_ref=malware["id"], count=4)
    await acting.publish(seen, team="srb-cert", collection="regional-sightings")
    await acting.publish(
        seen | {"count": 6, "modified": "2026-11-02T10:00:00.000Z"}, team="srb-cert", collection="regional-sightings"
    )
    await acting.sight({"subject": malware["id"], "kind": "negative"}, team="mkd-cert")
    assert await acting.database.run(load_reported("all", [malware["id"]], Tlp.CLEAR)) == {}
    [told] = (await acting.database.run(load_reported("all", [malware["id"], "T1566"]))).values()
    assert [(one.team, one.country, one.kind.value, one.count) for one in told] == [
        ("mkd-cert", "MK", "negative", 1),
        ("srb-cert", "RS", "positive", 6),
    ]


@SQLITE
async def test_real_event_is_seen_when_its_indicators_are(acting, shared_data: Path):
    """An event as misp-stix converted it, sighted as misp-stix writes sightings: every value of it was seen."""
    path = shared_data / "stix21" / "from-misp" / "cloudmensis__cloudmensis.misp.json"
    objects = json.loads(path.read_text("utf-8"))["objects"]
    indicators = [one for one in objects if one["type"] == "indicator"]
    await acting.publish(*objects, collection=INDICATORS)
    seen = [misp("sighting", sighting_of_ref=one["id"], where_sighted_refs=[f"identity--{uuid.uuid4()}"]) for one in indicators]
    status = await acting.publish(*seen, team="srb-cert", collection="regional-sightings")
    assert status["success_count"] == len(indicators) == 3
    await acting.catch_up()
    srb = next(row["team_id"] for row in await acting.rows("teams") if row["slug"] == "srb-cert")
    published = {row["key"] for row in await acting.rows("mentions") if row["stix_id"] in {one["id"] for one in indicators}}
    assert {row["key"] for row in await acting.rows("holdings") if row["team_id"] == srb and row["positives"]} == published
