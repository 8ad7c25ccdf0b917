"""What the host publishes as the centre: true, once, to those who see the evidence, and never evidence itself."""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import stix2

from regcert.assembly.parts import read_words
from regcert.domain.collection import SignatureRule
from regcert.domain.decision import Deed
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry
from regcert.errors import Code, Refusal
from regcert.flows import publish_incidents as flow
from regcert.flows.add_collection import add_collection
from regcert.flows.decide import Wish, decide
from regcert.flows.publish_incidents import publish_incidents
from regcert.flows.rebuild import rebuild
from regcert.flows.retrieve import get_collection
from regcert.flows.revoke_token import revoke_token
from regcert.stix.tlp import MARKING_IDS, Tlp
from regcert.store.outgoing import find_due, note_everything
from regcert.store.tables import METADATA
from regcert.store.teams import read_facts
from tests.made import indicator, sdo
from tests.store.acting import INDICATORS, ROOT, Acting

INCIDENTS = "regional-incidents"
CENTRE = "regional-centre"
GROUP = "financial-sector-group"
MINUTE_US = 60_000_000
GREEN, AMBER = (
    next(stix_id for stix_id, step in reversed(tuple(MARKING_IDS.items())) if step is wanted) for wanted in (Tlp.GREEN, Tlp.AMBER)
)
# What decides nothing about SQL is shown on one database.
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# What a publication changes; of everything else in the database, what the centre publishes must change nothing.
PUBLISHED = {"objects", "submissions", "audit", "host_order", "correlated", "collections", "outgoing", "issued"}


def fresh() -> str:
    return f"{uuid.uuid4().hex}.top"


def naming(*values: str, **properties: Any) -> dict[str, Any]:
    return indicator("[" + " OR ".join(f"domain-name:value = '{value}'" for value in values) + "]", **properties)


@dataclass
class Centre:
    """A host that publishes as the centre, and what its readers have polled."""

    acting: Acting
    facts: dict[str, Any]

    async def go(self, minutes: float = 1) -> None:
        """Let correlation catch up and time pass, then publish what is due."""
        await self.acting.catch_up()
        self.acting.clock.at_us += int(minutes * MINUTE_US)
        await self.publish()

    async def publish(self) -> None:
        await publish_incidents(self.acting.database, self.acting.schemas, self.acting.clock, read_words(self.facts))

    async def told(self, team: str = "alcirt", collection: str = INCIDENTS) -> dict[str, list[Any]]:
        """Poll what is in force, by type."""
        found: dict[str, list[Any]] = {}
        for one in await self.acting.poll(team=team, collection=collection):
            found.setdefault(one["type"], []).append(one)
        return found

    async def hold(self, *values: str, teams: tuple[str, ...] = ("alcirt", "srb-cert"), collection: str = INDICATORS, **of: Any):
        for team in teams:
            await self.acting.publish(naming(*values, **of), team=team, collection=collection)

    async def evidence(self) -> dict[str, list[Any]]:
        return {name: sorted(map(str, await self.acting.rows(name))) for name in METADATA.tables.keys() - PUBLISHED}


@pytest.fixture
async def centre(acting: Acting) -> Centre:
    async with acting.database.read() as connection:
        facts = await read_facts(connection)
    return Centre(acting, {**facts, "log_origin": "regcert.example/log"})


def living(objects: list[Any]) -> list[Any]:
    return [one for one in objects if not one.get("revoked")]


async def test_incident_is_in_the_centres_collection_as_stix_that_others_read(centre):
    """One grouping, an indicator and a summed-up sighting a value, a note that says why; each is read by the stix2 library."""
    one, two = fresh(), fresh()
    await centre.hold(one, two)
    for count in (3, 4):
        await centre.acting.sight({"value": one, "count": count, "first_seen": "2026-11-02T10:00:00Z"}, team="mkd-cert")
    await centre.go()
    told = await centre.told()
    for objects in told.values():
        for found in objects:
            assert stix2.parse(found, allow_custom=False)
    [grouping], [note], [sighting] = told["grouping"], told["note"], told["sighting"]
    assert {found["name"] for found in told["indicator"]} == {one, two}
    assert set(grouping["object_refs"]) == {found["id"] for found in [*told["indicator"], sighting]}
    assert grouping["context"] == "suspicious-activity"
    assert note["object_refs"] == [grouping["id"]]
    assert "spread" in note["content"]
    assert "AL-CSIRT (AL)" in note["content"]
    assert sighting["count"] == 7
    assert sighting["first_seen"] == "2026-11-02T10:00:00.000000Z"
    authors = {found.get("created_by_ref") for objects in told.values() for found in objects} - {None}
    [author] = [found for found in told["identity"] if found["id"] in authors]
    [teams] = [found for found in told["identity"] if found["id"] in sighting["where_sighted_refs"]]
    assert [author["name"], teams["name"]] == ["Regional Cybersecurity Centre of Excellence", "Teams in North Macedonia"]
    [[place], [tie]] = told["location"], told["relationship"]
    assert (tie["source_ref"], tie["target_ref"], place["country"]) == (teams["id"], place["id"], "MK")


async def test_growth_gives_a_new_version_and_no_change_gives_none(centre):
    """The same incident is the same objects; only what says something else is made anew, and its `modified` moves."""
    one, two = fresh(), fresh()
    await centre.hold(one)
    await centre.go()
    before = await centre.told()
    rows = len(await centre.acting.rows("objects"))
    for _ in range(3):
        await centre.go(minutes=100)
    assert len(await centre.acting.rows("objects")) == rows
    await centre.hold(one, two, teams=("mkd-cert",))
    await centre.hold(one, two, teams=("hr-cert",))
    await centre.go()
    after = await centre.told()
    [was], [now] = before["grouping"], after["grouping"]
    assert (was["id"], was["created"]) == (now["id"], now["created"])
    assert was["modified"] < now["modified"]
    assert len(now["object_refs"]) == 2
    assert len(after["indicator"]) == 2
    assert {found["id"] for found in before["indicator"]} < {found["id"] for found in after["indicator"]}


@ONE
async def test_counts_that_move_make_few_versions(centre):
    """Sightings that go on are a version every hour; a new country is told at once."""
    value = fresh()
    await centre.hold(value)
    await centre.acting.sight({"value": value}, team="srb-cert")
    await centre.go()
    for _ in range(7):
        await centre.acting.sight({"value": value}, team="srb-cert")
        await centre.go(minutes=10)
    versions = [row for row in await centre.acting.rows("objects") if row["type"] == "sighting"]
    assert len(versions) == 2
    await centre.hold(value, teams=("mkd-cert",))
    await centre.go()
    [grouping] = (await centre.told())["grouping"]
    assert "North Macedonia" in grouping["description"]


@ONE
async def test_steady_incident_becomes_a_report_in_place_of_its_grouping(centre):
    """Three days without growth: one container at any time, the former is withdrawn."""
    one, two = naming(fresh()), naming(fresh())
    for made in (one, two):
        await centre.acting.publish(made)
        await centre.acting.publish(made | {"id": f"indicator--{uuid.uuid4()}"}, team="srb-cert")
    refs = {"object_refs": [one["id"], two["id"]], "name": "Bank fraud", "published": one["created"]}
    await centre.acting.publish(sdo("report", **refs), team="mkd-cert")
    await centre.go()
    [grouping] = (await centre.told())["grouping"]
    assert grouping["name"] == "Bank fraud"
    await centre.go(minutes=3 * 24 * 60 + 1)
    told = await centre.told()
    assert living(told["grouping"]) == []
    [report], [note] = told["report"], told["note"]
    assert report["object_refs"] == grouping["object_refs"]
    assert note["object_refs"] == [report["id"]]
    rows = len(await centre.acting.rows("objects"))
    await centre.go(minutes=60 * 24 * 60)
    assert len(await centre.acting.rows("objects")) == rows


async def test_dissolved_incident_is_withdrawn_and_comes_back_under_new_ids(centre):
    """One country takes its word back: all of it is revoked. STIX knows no way back, so what returns is another object."""
    value = fresh()
    await centre.hold(value, teams=("alcirt",))
    word = naming(value)
    await centre.acting.publish(word, team="srb-cert")
    await centre.go()
    before = {one["id"] for name in ("grouping", "indicator", "note") for one in (await centre.told())[name]}
    await centre.acting.publish(word | {"modified": "2026-11-09T10:00:00.000Z", "revoked": True}, team="srb-cert")
    await centre.go()
    told = await centre.told()
    assert {one["id"] for name in told for one in told[name] if one.get("revoked")} == before
    await centre.hold(value, teams=("mkd-cert",))
    await centre.go()
    told = await centre.told()
    [grouping], [again] = living(told["grouping"]), living(told["indicator"])
    assert not {grouping["id"], again["id"]} & before


@pytest.mark.parametrize("first", ["kept", "gone"])
async def test_merged_incident_is_withdrawn_and_leads_to_the_other(centre, monkeypatch, first):
    """Its values go on in the other incident as the same objects; its grouping is revoked and its note says where it went.

    Whichever of the two is looked at first.
    """
    one, two, three = fresh(), fresh(), fresh()
    await centre.hold(one, two)
    await centre.hold(three, teams=("cirt-me", "kos-cert"), valid_from="2026-11-08T10:00:00Z")
    await centre.go()
    before = await centre.told()
    assert len(before["grouping"]) == 2
    for team in ("mkd-cert", "hr-cert"):
        await centre.hold(one, two, three, teams=(team,))
    await centre.acting.catch_up()
    [living_id] = [row["incident_id"] for row in await centre.acting.rows("incidents")]

    def in_order(*asked: int) -> Any:
        due = yield from find_due(*asked)
        return sorted(due, key=lambda entry: (entry.incident_id == living_id) == (first == "gone"))

    monkeypatch.setattr(flow, "find_due", in_order)
    await centre.go()
    after = await centre.told()
    [kept] = living(after["grouping"])
    [gone] = [found for found in after["grouping"] if found.get("revoked")]
    indicators = {found["id"] for found in before["indicator"]}
    assert {found["id"] for found in living(after["indicator"])} == indicators == set(kept["object_refs"])
    assert [gone["id"], kept["id"]] in [found["object_refs"] for found in after["note"]]
    rows = len(await centre.acting.rows("objects"))
    await centre.go(minutes=100)
    assert len(await centre.acting.rows("objects")) == rows


async def test_restricted_scope_never_goes_to_a_wider_audience(centre):
    """What a sharing group knows is published nowhere, until there is a collection for exactly its readers."""
    value = fresh()
    group = ("alcirt", "mkd-cert", "srb-cert")
    await centre.hold(value, collection=GROUP)
    await centre.go()
    assert await centre.told() == {}
    assert await centre.acting.rows("issued") == []
    slug = "group-incidents"
    entry = CollectionEntry(
        slug, str(uuid.uuid4()), slug, "For a test.", Tlp.RED, SignatureRule.ACCEPTED, group, (CENTRE,), centre=CENTRE
    )
    await add_collection(centre.acting.database, centre.acting.clock, entry)
    await centre.go()
    assert await centre.told() == {}
    told = await centre.told(collection=slug)
    assert [one["name"] for one in told["indicator"]] == [value]
    strict = await centre.acting.collection(read=group, write=group, ceiling=Tlp.RED)
    await centre.hold(fresh(), collection=strict)  # RED is not for a list of readers, though they see it in the console
    await centre.go()
    assert await centre.told(collection=slug) == told
    with pytest.raises(Refusal) as refused:
        await centre.told(team=CENTRE, collection=slug)
    assert refused.value.code is Code.NOT_FOUND


@ONE
async def test_marking_is_the_incidents_and_nothing_above_the_ceiling_goes_out(centre, monkeypatch):
    """The strictest part decides for all objects; a name that is marked more strictly than that is not told."""
    value = fresh()
    await centre.hold(value, object_marking_refs=[GREEN])
    [row] = [row for row in await centre.acting.rows("objects") if row["team_id"] == 1]
    report = {"object_refs": [row["stix_id"]], "name": "Secret", "published": "2026-11-01T10:00:00Z"}
    await centre.acting.publish(sdo("report", **report, object_marking_refs=[AMBER]), team="mkd-cert")
    await centre.go()
    told = await centre.told()
    shared = ("identity", "location", "relationship")
    assert {tuple(one["object_marking_refs"]) for name in told if name not in shared for one in told[name]} == {(GREEN,)}
    assert "Secret" not in str(told)
    await centre.hold(value, teams=("mkd-cert",), object_marking_refs=[AMBER])
    await centre.go()
    told = await centre.told()
    assert {tuple(one["object_marking_refs"]) for name in told if name not in shared for one in told[name]} == {(AMBER,)}
    assert "Secret" in str(told)
    rows = len(await centre.acting.rows("objects"))
    strict = await centre.acting.collection(ceiling=Tlp.RED)
    await centre.hold(value, teams=("hr-cert",), collection=strict)
    held = len(await centre.acting.rows("objects"))
    await centre.go()
    assert held == rows + 1
    assert len(await centre.acting.rows("objects")) == held


async def test_what_the_centre_publishes_is_no_evidence(centre):
    """Published, read on in the ledger, published again: no mention, tie or holding more, and no incident changes."""
    values = [fresh() for _ in range(3)]
    await centre.hold(*values)
    await centre.acting.sight({"value": values[0]}, team="mkd-cert")
    await centre.acting.catch_up()
    await centre.told()
    await centre.acting.principal(CENTRE)
    before = await centre.evidence()
    for _ in range(3):
        await centre.go(minutes=100)
    told = await centre.told()
    mirrored = [one | {"modified": "2027-01-01T00:00:00Z"} for one in (*told["grouping"], *told["indicator"], *told["sighting"])]
    await centre.acting.publish(*mirrored, team=CENTRE, collection=INCIDENTS)  # by a tool of the centre's own
    await centre.go()
    assert await centre.evidence() == before


async def test_sighting_of_the_centres_indicator_is_one_of_its_value(centre):
    """A sensor that knows the value from the centre alone says that it saw it, and that counts as that team's word."""
    value = fresh()
    await centre.hold(value)
    await centre.go()
    [known] = (await centre.told())["indicator"]
    assert (await centre.acting.sight({"indicator": known["id"], "count": 5}, team="mkd-cert")).accepted == 1
    await centre.go()
    [grouping] = (await centre.told())["grouping"]
    assert "North Macedonia" in grouping["description"]


async def test_nothing_is_published_twice_when_we_crash_on_the_way(centre, monkeypatch):
    """The objects and the note that they are out are one transaction: a crash before its end leaves neither."""
    await centre.hold(fresh())
    await centre.acting.catch_up()
    before = {name: await centre.acting.rows(name) for name in ("objects", "issued", "submissions")}

    def crash(*_: object) -> Any:
        raise RuntimeError("the lights went out")

    with monkeypatch.context() as patch:
        patch.setattr(flow, "write_issued", crash)
        with pytest.raises(RuntimeError):
            await centre.go()
    assert {name: await centre.acting.rows(name) for name in before} == before
    for _ in range(3):
        await centre.go(minutes=2)
    [row] = [row for row in await centre.acting.rows("objects") if row["type"] == "grouping"]
    assert row["superseded_by"] == 0


@ONE
async def test_other_teams_cannot_post_where_the_centre_publishes(centre):
    """The collection is for the centre to write; and nothing goes out once the operator revokes the token behind it."""
    value = fresh()
    await centre.hold(value)
    _, _, can_write = await get_collection(centre.acting.database, await centre.acting.caller(), ROOT, INCIDENTS)
    assert not can_write
    [row] = [row for row in await centre.acting.rows("collections") if row["slug"] == INCIDENTS]
    await revoke_token(centre.acting.database, centre.acting.clock, row["centre_token"])
    await centre.go()
    assert await centre.told() == {}


@ONE
async def test_dismissed_incident_is_withdrawn(centre):
    """What a coordinator takes off the board, the centre does not go on telling."""
    await centre.hold(fresh())
    await centre.go()
    [one] = [row["incident_id"] for row in await centre.acting.rows("incidents")]
    coordinator = await centre.acting.principal(CENTRE, role=Role.COORDINATOR)
    await decide(centre.acting.database, coordinator, one, Wish(Deed.DISMISS, "A test of ours."))
    await centre.go()
    told = await centre.told()
    assert not living([found for name in ("grouping", "indicator", "note") for found in told[name]])


async def test_nothing_is_withdrawn_or_told_twice_when_correlation_is_made_anew(centre):
    """Incidents that are not there yet are not over; behind it, each is the same objects as before."""
    await centre.hold(fresh(), fresh())
    await centre.acting.sight({"value": fresh()})
    await centre.go()
    before = await centre.acting.rows("objects")
    await centre.acting.publish(indicator())
    await rebuild(centre.acting.database)
    await centre.acting.database.apply(lambda _: note_everything())
    centre.acting.clock.at_us += MINUTE_US
    with pytest.raises(Refusal) as refused:
        await centre.publish()
    assert refused.value.code is Code.BUSY
    for _ in range(3):
        await centre.go(minutes=2)
    assert len(await centre.acting.rows("objects")) == len(before) + 1
    assert not [row for row in await centre.acting.rows("objects") if row["revoked"]]
