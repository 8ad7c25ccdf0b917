"""Sightings: counted once for each team and report id, and told to nobody who may not see what was seen."""

import uuid
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.flows.report_sighting import MOST_REPORTS, report_sightings
from regcert.stix.observable import read_observable
from regcert.stix.timestamps import read_timestamp
from regcert.store.ledger import observable_key
from tests.made import CREATED, indicator, sdo
from tests.store.acting import INDICATORS, Acting

SPARING = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
GROUP = "financial-sector-group"
MEMBERS = ("alcirt", "mkd-cert", "srb-cert")
OUTSIDER = "kos-cert"


def fresh() -> str:
    return f"{uuid.uuid4().hex}.top"


async def sums(acting: Acting) -> Counter[tuple[int, bytes, str]]:
    """Positives and negatives by team, value and scope, as they are held."""
    found: Counter[tuple[int, bytes, str]] = Counter()
    for row in await acting.rows("holdings"):
        found[row["team_id"], row["key"], "positive"] += row["positives"]
        found[row["team_id"], row["key"], "negative"] += row["negatives"]
    return +found


async def team_id(acting: Acting, slug: str) -> int:
    return (await acting.principal(slug)).team.team_id


reports = st.lists(
    st.tuples(
        st.sampled_from(MEMBERS), st.integers(0, 2), st.sampled_from(["positive", "negative", "false-positive", "expired"]),
        st.integers(1, 1000), st.integers(0, 6),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@SPARING
@given(reports, st.data())
async def test_sums_equal_a_recount_when_reports_are_sent_again(acting, told, data):
    """Each report counts once for its team, whoever sends which part of the list again; sums equal a recount by hand."""
    mark = uuid.uuid4().hex
    calls = [(team, {"value": f"{value}-{mark}.top", "kind": kind, "count": count, "report_id": f"{mark}-{report}"})
             for team, value, kind, count, report in told]  # fmt: skip
    await acting.catch_up()  # an example that was given up halfway left its reports unread
    before = await sums(acting)
    for team, said in calls:
        assert (await acting.sight(said, team=team)).accepted == 1
    again = data.draw(st.integers(0, len(calls)))
    for team in MEMBERS:
        mine = [said for who, said in calls[:again] if who == team]
        verdicts = await acting.sight(*mine, team=team)
        assert (verdicts.accepted, verdicts.stored, verdicts.refused) == (len(mine), 0, [])
    first = {(team, said["report_id"]): said for team, said in reversed(calls)}
    expected: Counter[tuple[int, bytes, str]] = Counter()
    for (team, _), said in first.items():
        if said["kind"] in {"positive", "negative"}:
            key = observable_key(read_observable(said["value"]))
            expected[await team_id(acting, team), key, said["kind"]] += said["count"]
    await acting.catch_up()
    assert await sums(acting) - before == expected


async def test_report_counts_once_when_it_stands_twice_in_a_call(acting):
    """Also within one call, and also without anything stored before."""
    said = {"value": fresh(), "count": 3, "report_id": "r-1"}
    verdicts = await acting.sight(said, said, said)
    assert (verdicts.accepted, verdicts.stored) == (3, 1)


async def test_report_id_is_a_teams_own(acting):
    """Two teams may use the same report id: neither silences the other."""
    said = {"value": fresh(), "report_id": "r-1"}
    assert (await acting.sight(said)).stored == 1
    assert (await acting.sight(said, team="srb-cert")).stored == 1


async def test_reports_are_judged_one_by_one(acting):
    """A bad report spoils no other, and is named by its place."""
    verdicts = await acting.sight({"value": fresh()}, 5, {"value": fresh(), "count": 0}, {"value": fresh()}, {"value": " "})
    assert (verdicts.accepted, [index for index, _ in verdicts.refused]) == (2, [1, 2, 4])


async def test_call_is_refused_when_it_is_too_long(acting):
    """A bound before anything is read."""
    with pytest.raises(Refusal) as refused:
        await acting.sight(*[None] * (MOST_REPORTS + 1))
    assert refused.value.code is Code.TOO_LARGE


async def test_call_is_refused_when_the_role_may_not_report(acting):
    """An admin runs the host; it reports nothing."""
    admin = await acting.principal("hr-cert", role=Role.ADMIN)
    with pytest.raises(Refusal) as refused:
        await report_sightings(acting.database, acting.clock, admin, [{"value": fresh()}])
    assert refused.value.code is Code.FORBIDDEN


async def test_indicator_is_refused_alike_when_it_is_absent_or_invisible(acting):
    """What a team may not see does not exist for it: the same code, the same words."""
    hidden = indicator()
    await acting.publish(hidden, team="alcirt", collection=GROUP)
    private = indicator()
    await acting.publish(private, team="srb-cert", collection="team-srb-cert")
    ids = [hidden["id"], private["id"], f"indicator--{uuid.uuid4()}"]
    verdicts = await acting.sight(*({"indicator": one} for one in ids), team=OUTSIDER)
    assert {(refusal.code, refusal.message) for _, refusal in verdicts.refused} == {
        (Code.UNKNOWN_INDICATOR, verdicts.refused[0][1].message)
    }
    assert len(verdicts.refused) == 3
    assert verdicts.refused[0][1].message.count("indicator--") == 0


async def test_indicator_is_refused_when_the_token_is_narrowed(acting):
    """A narrowed token sees the indicators of its collections only."""
    made = indicator()
    await acting.publish(made, collection=GROUP)
    assert (await acting.sight({"indicator": made["id"]}, narrowed=["regional-sightings"])).accepted == 0
    assert (await acting.sight({"indicator": made["id"]}, narrowed=["regional-sightings", GROUP])).accepted == 1


async def test_indicator_is_refused_when_its_version_in_force_was_deleted(acting):
    """What was deleted is not there any more."""
    made = indicator()
    await acting.publish(made)
    await acting.delete(made["id"])
    assert [one.code for _, one in (await acting.sight({"indicator": made["id"]})).refused] == [Code.UNKNOWN_INDICATOR]


@pytest.mark.parametrize("wanted", [{}, {"collection": "regional-sightings"}, {"collection": "public"}])
async def test_sighting_stays_in_the_scope_of_its_indicator(acting, wanted):
    """A restricted indicator's sighting is filed beside it, whatever the report wants: outside it would tell that it exists."""
    value = fresh()
    made = indicator(f"[domain-name:value = '{value}']")
    await acting.publish(made, collection=GROUP)
    assert (await acting.sight({"indicator": made["id"], "count": 7} | wanted, team="srb-cert")).accepted == 1
    await acting.catch_up()
    [group] = [row["scope"] for row in await acting.rows("collections") if row["slug"] == GROUP]
    key = observable_key(read_observable(value))
    held = [row for row in await acting.rows("holdings") if row["key"] == key]
    assert {row["scope"] for row in held} == {group}
    assert sum(row["positives"] for row in held) == 7
    assert {row["collection_id"] for row in await acting.rows("sightings")} == {await acting.id_of(GROUP)}


async def test_sighting_is_filed_where_most_see_it_when_an_indicator_stands_twice(acting):
    """An indicator that everybody sees is no secret, also where a smaller group has a copy."""
    made = indicator()
    await acting.publish(made, collection=INDICATORS)
    await acting.publish(made, collection=GROUP)
    await acting.sight({"indicator": made["id"]}, team="srb-cert")
    assert {row["collection_id"] for row in await acting.rows("sightings")} == {await acting.id_of("regional-sightings")}


async def test_collection_is_refused_alike_when_it_is_absent_or_foreign(acting):
    """Filing under a collection asks first whether it exists for the team."""
    verdicts = await acting.sight(
        {"value": fresh(), "collection": GROUP}, {"value": fresh(), "collection": "no-such"},
        {"value": fresh(), "collection": "team-alcirt"}, team=OUTSIDER,
    )  # fmt: skip
    assert len({(refusal.code, refusal.message) for _, refusal in verdicts.refused}) == 1
    assert len(verdicts.refused) == 3


async def test_report_stays_in_the_circle_that_it_names(acting):
    """An indicator that everybody sees was seen by one group, which keeps that to itself: nobody outside is told."""
    made = indicator()
    await acting.publish(made, collection=INDICATORS)
    report = {"indicator": made["id"], "collection": GROUP}
    assert (await acting.sight(report, team="srb-cert")).accepted == 1
    assert [row["collection_id"] for row in await acting.rows("sightings")] == [await acting.id_of(GROUP)]


async def test_report_is_refused_when_it_names_a_circle_and_an_indicator_of_another(acting):
    """Filed with either, it would tell the one of the other; unless the indicator stands in both."""
    made = indicator()
    await acting.publish(made, team="srb-cert", collection="team-srb-cert")
    report = {"indicator": made["id"], "collection": GROUP}
    verdicts = await acting.sight(report, team="srb-cert")
    assert [refusal.code for _, refusal in verdicts.refused] == [Code.INVALID_SIGHTING]
    await acting.publish(made, team="srb-cert", collection=GROUP)
    assert (await acting.sight(report, team="srb-cert")).accepted == 1
    assert [row["collection_id"] for row in await acting.rows("sightings")] == [await acting.id_of(GROUP)]


async def test_stix_sighting_stands_in_two_collections(acting):
    """The same object from the same team: in neither collection does it show that it is in the other, and both count it."""
    made = indicator()
    seen = sdo("sighting", sighting_of_ref=made["id"], count=2)
    for collection in (INDICATORS, GROUP):
        assert (await acting.publish(made, seen, collection=collection))["success_count"] == 2
    await acting.catch_up()
    assert sorted(row["positives"] for row in await acting.rows("holdings")) == [2, 2]


@pytest.mark.parametrize("wanted", [5, "", [], {"a": 1}, "x\x00", True])
async def test_report_is_refused_when_its_collection_is_no_name(acting, wanted):
    """A name that is none must not be taken for no name: the report would be filed where everybody reads it."""
    verdicts = await acting.sight({"value": fresh(), "collection": wanted})
    assert [one.code for _, one in verdicts.refused] == [Code.INVALID_SIGHTING]


async def test_stix_sighting_is_counted_when_it_comes_through_taxii(acting):
    """A sighting object says as much as a report: its count and its times are its own; zero says that somebody looked."""
    value = fresh()
    made = indicator(f"[domain-name:value = '{value}']")
    await acting.publish(made)
    first, last = "2026-11-03T10:00:00.000Z", "2026-11-05T10:00:00.000Z"
    seen = sdo("sighting", sighting_of_ref=made["id"], count=5, first_seen=first, last_seen=last)
    await acting.publish(
        seen, sdo("sighting", sighting_of_ref=made["id"], count=0), team="srb-cert", collection="regional-sightings"
    )
    await acting.catch_up()
    srb = await team_id(acting, "srb-cert")
    [row] = [row for row in await acting.rows("holdings") if row["team_id"] == srb]
    assert (row["positives"], row["negatives"], bool(row["published"])) == (5, 1, False)
    assert (row["first_us"], row["last_us"]) == (read_timestamp(CREATED), read_timestamp(last))


async def test_newer_version_of_a_stix_sighting_replaces_the_older(acting):
    """The newest version says how often it was seen, not the sum of all versions; revoked, it was not seen."""
    made = indicator(f"[domain-name:value = '{fresh()}']")
    await acting.publish(made)
    seen = sdo("sighting", sighting_of_ref=made["id"], count=5)
    for version, positives in (({}, 5), ({"count": 8}, 8), ({"revoked": True}, 0)):
        seen |= version | {"modified": f"2026-11-0{positives or 9}T10:00:00.000Z"}
        await acting.publish(seen, team="srb-cert", collection="regional-sightings")
        await acting.catch_up()
        srb = await team_id(acting, "srb-cert")
        assert sum(row["positives"] for row in await acting.rows("holdings") if row["team_id"] == srb) == positives


@pytest.mark.parametrize("as_stix", [True, False])
async def test_sighting_waits_for_its_indicator(acting, as_stix):
    """Who saw it first need not wait: the sighting counts as soon as the indicator's values are known."""
    value, stix_id = fresh(), f"indicator--{uuid.uuid4()}"
    made = indicator(f"[domain-name:value = '{value}']", id=stix_id)
    if as_stix:
        await acting.publish(sdo("sighting", sighting_of_ref=stix_id, count=3), team="srb-cert", collection="regional-sightings")
    else:  # a first version without a value, as of a kind that nothing is read from
        await acting.publish(made | {"pattern": "rule x { condition: true }", "pattern_type": "yara"})
        await acting.sight({"indicator": stix_id, "count": 3}, team="srb-cert")
    await acting.catch_up()
    assert await acting.rows("holdings") == []
    await acting.publish(made | {"modified": "2026-11-02T10:00:00.000Z"})
    await acting.catch_up()
    held = {row["team_id"]: row["positives"] for row in await acting.rows("holdings")}
    assert held == {await team_id(acting, "alcirt"): 0, await team_id(acting, "srb-cert"): 3}


async def test_sighting_finds_no_indicator_of_another_scope(acting):
    """A sighting that everybody reads does not become evidence about a value that only a group knows."""
    value = fresh()
    made = indicator(f"[domain-name:value = '{value}']")
    await acting.publish(made, collection=GROUP)
    await acting.publish(sdo("sighting", sighting_of_ref=made["id"]), team="srb-cert", collection="regional-sightings")
    await acting.catch_up()
    assert {row["team_id"] for row in await acting.rows("holdings")} == {await team_id(acting, "alcirt")}
