"""A reference leads nowhere that its reader may not go: neither the answer to it nor what is made of it tells more."""

from typing import Any

import pytest

from regcert.exports.incident_json import incident_json
from regcert.flows.list_incidents import get_incident, page_incidents
from regcert.web.console.views import Evidence
from tests.made import CREATED, indicator, sdo
from tests.store.acting import INDICATORS, Acting

GROUP = "financial-sector-group"
NAME = "Operation that nobody outside may know"


async def incidents(acting: Acting, team: str) -> list[Any]:
    page = await page_incidents(acting.database, acting.clock, await acting.principal(team), limit=100, cursor=None)
    return [ranked.incident for ranked in page.incidents]


async def crossing(acting: Acting, *objects: dict[str, Any], value: str = "open.example", collection: str = INDICATORS) -> None:
    """Let two countries hold a value, each by an object of its own, beside something else."""
    for team in ("alcirt", "mkd-cert"):
        await acting.publish(indicator(f"[domain-name:value = '{value}']"), team=team, collection=collection)
    await acting.publish(*objects, collection=collection)


def referring(kind: str, to: str) -> dict[str, Any]:
    """An object of each type that refers to others."""
    objects = {
        "report": lambda: sdo("report", name="R", published=CREATED, object_refs=[to]),
        "grouping": lambda: sdo("grouping", context="suspicious-activity", object_refs=[to]),
        "note": lambda: sdo("note", content="N", object_refs=[to]),
        "opinion": lambda: sdo("opinion", opinion="agree", object_refs=[to]),
        "relationship": lambda: sdo("relationship", relationship_type="related-to", source_ref=to, target_ref=to),
        "sighting": lambda: sdo("sighting", sighting_of_ref=to),
        "author": lambda: indicator(created_by_ref="identity--" + to.partition("--")[2]),
    }
    return objects[kind]()


@pytest.mark.parametrize("kind", ["report", "grouping", "note", "opinion", "relationship", "sighting", "author"])
async def test_reference_is_taken_alike_when_its_object_is_hidden_or_absent(acting: Acting, kind: str):
    """Whoever writes it down is told the same, to the word: it is kept as it stands, and nobody looks where it leads."""
    hidden, absent = indicator(), indicator()
    await acting.publish(hidden, collection=GROUP)
    statuses = [await acting.publish(referring(kind, one["id"]), team="hr-cert") for one in (hidden, absent)]
    counts = [(one["status"], one["success_count"], len(one.get("failures", []))) for one in statuses]
    assert counts[0] == counts[1]
    assert counts[0][1] == 1


async def test_incident_has_no_name_that_only_others_may_read(acting: Acting):
    """A campaign that stands in a group gives no incident of everybody its name, whoever points at it from outside."""
    campaign = sdo("campaign", name=NAME)
    ours = indicator("[domain-name:value = 'open.example']")
    await acting.publish(campaign, team="alcirt", collection=GROUP)
    points = sdo("relationship", relationship_type="indicates", source_ref=ours["id"], target_ref=campaign["id"])
    await crossing(acting, ours, points)
    await acting.catch_up()
    for team in ("hr-cert", "alcirt"):
        (one,) = await incidents(acting, team)
        assert one.names == ()
        found, evidence = await get_incident(acting.database, acting.clock, await acting.principal(team), one.incident_id)
        assert NAME not in f"{found}{evidence}"


async def test_hidden_report_ties_nothing_that_others_see(acting: Acting):
    """Two values that only a restricted report names together stay two incidents for everybody else."""
    first, second = (indicator(f"[domain-name:value = '{name}.example']") for name in ("one", "two"))
    for name, one in (("one", first), ("two", second)):
        await crossing(acting, one, value=f"{name}.example")
    await acting.catch_up()
    before = await incidents(acting, "hr-cert")
    report = sdo("report", name=NAME, published=CREATED, object_refs=[first["id"], second["id"]])
    await acting.publish(report, team="alcirt", collection=GROUP)
    await acting.catch_up()
    assert await incidents(acting, "hr-cert") == before
    assert len(before) == 2


async def test_reader_sees_who_relays(acting: Acting):
    """A third party's word is shown as relayed, beside each value; a team's own is not."""
    vendor = "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
    await acting.publish(indicator("[domain-name:value = 'shown.example']", created_by_ref=vendor), team="alcirt")
    await acting.publish(indicator("[domain-name:value = 'shown.example']"), team="srb-cert")
    await acting.catch_up()
    (one,) = await incidents(acting, "hr-cert")
    principal = await acting.principal("hr-cert")
    ranked, evidence = await get_incident(acting.database, acting.clock, principal, one.incident_id)
    ((observable, holdings),) = evidence
    assert [team.slug for team in Evidence(observable, tuple(holdings)).relayers] == ["alcirt"]
    told = incident_json(ranked.incident, ranked.score, evidence)["observables"]
    assert isinstance(told, list)
    assert told[0]["relayed_by"] == ["alcirt"]


async def test_third_party_is_its_own_origin_whoever_relays_it(acting: Acting):
    """One vendor, relayed by teams of three countries, is one voice: it is held back, and the reason says so."""
    vendor = "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
    for team in ("alcirt", "mkd-cert", "srb-cert"):
        await acting.publish(indicator("[domain-name:value = 'relayed.example']", created_by_ref=vendor), team=team)
    await acting.catch_up()
    assert {row["origin"] for row in await acting.rows("holdings")} == {vendor}
    assert await incidents(acting, "hr-cert") == []
    (held,) = await acting.rows("held_back")
    assert "one origin" in held["reason"]
