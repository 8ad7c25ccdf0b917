"""An incident carries the strictest marking of its parts, also of those that only lend it a name; on both databases."""

import uuid
from typing import Any

import pytest

from regcert.domain.incident import Incident
from regcert.flows.list_incidents import page_incidents
from regcert.stix.tlp import MARKING_IDS, Tlp
from tests.made import indicator, sdo
from tests.store.acting import INDICATORS, Acting

MARKS = {step: marking_id for marking_id, step in MARKING_IDS.items()}
GROUP = "financial-sector-group"
DAYS = {"alcirt": "2026-11-01T10:00:00.000Z", "srb-cert": "2026-11-02T10:00:00.000Z"}


def naming(value: str, team: str, step: Tlp, **more: Any) -> dict[str, Any]:
    pattern = f"[domain-name:value = '{value}']"
    return indicator(pattern, valid_from=DAYS[team], object_marking_refs=[MARKS[step]], **more)


async def seen(acting: Acting, team: str, *narrowed: str) -> dict[str, Incident]:
    """What a team is shown, by each of its values."""
    await acting.catch_up()
    page = await page_incidents(acting.database, acting.clock, await acting.principal(team, *narrowed), limit=200, cursor=None)
    return {value.value: one.incident for one in page.incidents for value in one.incident.observables}


async def test_incident_is_as_strict_as_the_strictest_of_its_parts(acting):
    """Published, seen, doubted, old: whatever was weighed counts, and nothing milder that comes later lowers it."""
    parts = {
        "published": naming("published.top", "srb-cert", Tlp.AMBER),
        "seen": {"value": "seen.top", "kind": "positive", "collection": INDICATORS},
        "doubted": {"value": "doubted.top", "kind": "false-positive", "collection": INDICATORS},
        "old": naming("old.top", "srb-cert", Tlp.AMBER) | {"valid_from": "2026-01-01T10:00:00.000Z"},
    }
    for name, part in parts.items():
        await acting.publish(naming(f"{name}.top", "alcirt", Tlp.GREEN))
        await acting.publish(naming(f"{name}.top", "srb-cert", Tlp.GREEN), team="srb-cert")
        before = (await seen(acting, "alcirt"))[f"{name}.top"]
        assert before.marking is Tlp.GREEN
        if "pattern" in part:
            await acting.publish(part, team="srb-cert")
        else:
            assert (await acting.sight(part, team="mkd-cert")).accepted == 1  # unmarked: as strict as its collection, AMBER
        assert (await seen(acting, "alcirt"))[f"{name}.top"].marking is Tlp.AMBER, name
        await acting.publish(naming(f"{name}.top", "alcirt", Tlp.CLEAR))
        assert (await seen(acting, "alcirt"))[f"{name}.top"].marking is Tlp.AMBER, name


@pytest.mark.parametrize("kind", ["report", "campaign"])
async def test_name_is_a_part_of_the_incident(acting, kind):
    """What lends its name is not milder than what is shown with it."""
    value, name = f"{uuid.uuid4().hex}.top", "A name that is AMBER"
    one, two = naming(value, "alcirt", Tlp.GREEN), naming(value, "srb-cert", Tlp.GREEN)
    more = {"object_marking_refs": [MARKS[Tlp.AMBER]], "name": name}
    if kind == "report":
        named = [sdo("report", published=DAYS["alcirt"], object_refs=[one["id"]], **more)]
    else:
        campaign = sdo("campaign", **more)
        tie = sdo("relationship", relationship_type="indicates", source_ref=one["id"], target_ref=campaign["id"])
        named = [campaign, tie | {"object_marking_refs": [MARKS[Tlp.GREEN]]}]
    await acting.publish(one, *named)
    await acting.publish(two, team="srb-cert")
    shown = (await seen(acting, "alcirt"))[value]
    assert name not in shown.names or shown.marking >= Tlp.AMBER


async def test_what_ties_two_values_is_a_part_of_the_incident(acting):
    """That they belong together is the word of a report marked AMBER; what only names one of them adds nothing to it."""
    values = [f"{uuid.uuid4().hex}.top" for _ in range(3)]
    made = {team: [naming(value, team, Tlp.GREEN) for value in values] for team in DAYS}
    for team, ones in made.items():
        ones[2]["valid_from"] = DAYS[team].replace("11-0", "11-1")  # it did not come with the others
        refs = {"object_refs": [one["id"] for one in ones[:2]], "object_marking_refs": [MARKS[Tlp.AMBER]]}
        await acting.publish(*ones, sdo("report", name="Told", published=DAYS[team], **refs), team=team)
    shown = await seen(acting, "alcirt")
    assert shown[values[0]] is shown[values[1]]
    assert (shown[values[0]].marking, shown[values[0]].names) == (Tlp.AMBER, ("Told",))
    assert (shown[values[2]].marking, shown[values[2]].names) == (Tlp.GREEN, ())


async def test_what_somebody_may_not_see_is_no_part_of_what_they_see(acting):
    """The circle's name, its teams, its sightings and its marking stay in the circle, also before a narrowed token of it."""
    value = f"{uuid.uuid4().hex}.top"
    for team in DAYS:
        await acting.publish(naming(value, team, Tlp.GREEN), team=team)
    before = (await seen(acting, "hr-cert"))[value]
    one = naming(value, "alcirt", Tlp.AMBER_STRICT)
    report = sdo("report", name="Of the circle", published=DAYS["alcirt"], object_refs=[one["id"]])
    await acting.publish(one, report, collection=GROUP)
    await acting.publish(naming(value, "srb-cert", Tlp.GREEN), team="srb-cert", collection=GROUP)
    await acting.sight({"value": value, "collection": GROUP, "count": 500}, team="mkd-cert")
    assert (await seen(acting, "hr-cert"))[value] == before
    assert (await seen(acting, "alcirt", INDICATORS, "regional-sightings", "public")).get(value) in {None, before}
