"""What is held is what was said and still stands: sums over everything, whatever came, went and came again in between."""

import asyncio
import uuid
from collections import defaultdict
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from regcert.errors import Refusal
from regcert.flows import correlate as correlate_module
from regcert.stix.observable import read_observable
from regcert.store.database import Tx, open_database
from regcert.store.ledger import observable_key
from regcert.store.tables import METADATA
from regcert.taxii.filters import Filters, Versions
from tests.hosting import StillClock
from tests.made import indicator, sdo
from tests.store.acting import INDICATORS, Acting

SPARING = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEAMS = ("alcirt", "mkd-cert", "srb-cert")
COLLECTIONS = (INDICATORS, "financial-sector-group")
MODIFIED = [f"2026-11-{day:02}T10:00:00.000Z" for day in range(1, 8)]
CREATED_US = 1_793_527_200_000_000
DERIVED = ("incident_members", "incidents", "absorbed_incidents", "held_back", "holdings", "activity", "arrivals", "derivations")

values_ = st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
steps = st.one_of(
    st.tuples(st.just("publish"), st.integers(0, 2), st.integers(0, 5), values_),
    st.tuples(st.just("revoke"), st.integers(0, 2)),
    st.tuples(st.just("delete"), st.integers(0, 2)),
    st.tuples(
        st.just("sight"), st.integers(0, 2), st.integers(0, 3),
        st.sampled_from(["positive", "negative", "false-positive", "expired"]), st.integers(1, 9), st.integers(0, 5),
    ),
    st.tuples(st.just("sight_indicator"), st.integers(0, 2), st.integers(0, 2), st.integers(1, 9)),
    st.tuples(st.just("sight_as_stix"), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("correlate")),
)  # fmt: skip


class Story:
    """One random story with names of its own, so that several can follow each other in one database."""

    def __init__(self, acting: Acting) -> None:
        self.acting = acting
        self.mark = uuid.uuid4().hex
        self.ids = [f"indicator--{uuid.uuid4()}" for _ in range(3)]
        self.standing: dict[tuple[int, int], list[int]] = {}

    def value(self, number: int) -> str:
        return f"v{number}-{self.mark}.top"

    def key(self, number: int) -> bytes:
        return observable_key(read_observable(self.value(number)))

    def made(self, number: int, version: int, values: list[int], **properties: Any) -> dict[str, Any]:
        pattern = " OR ".join(f"domain-name:value = '{self.value(one)}'" for one in values)
        return indicator(f"[{pattern}]", id=self.ids[number], modified=MODIFIED[version], **properties)

    def place(self, number: int) -> dict[str, Any]:
        """Whose an indicator is and where it stands: the third one is in a collection that not everybody sees."""
        return {"team": TEAMS[number], "collection": COLLECTIONS[number == 2]}

    async def publish(self, number: int, version: int, values: list[int]) -> None:
        if (number, version) not in self.standing:
            self.standing[number, version] = values
            await self.acting.publish(self.made(number, version, values), **self.place(number))

    async def revoke(self, number: int) -> None:
        if (number, 6) not in self.standing:
            self.standing[number, 6] = []
            await self.acting.publish(self.made(number, 6, [0], revoked=True), **self.place(number))

    async def delete(self, number: int) -> None:
        if any(one == number for one, _ in self.standing):
            await self.acting.delete(self.ids[number], **self.place(number))
            self.standing = {key: values for key, values in self.standing.items() if key[0] != number}

    async def sight(self, team: int, value: int, kind: str, count: int, report: int) -> None:
        said = {"value": self.value(value), "kind": kind, "count": count, "report_id": f"{self.mark}-{report}"}
        await self.acting.sight(said, team=TEAMS[team])

    async def sight_indicator(self, team: int, number: int, count: int) -> None:
        await self.acting.sight({"indicator": self.ids[number], "count": count}, team=TEAMS[team])

    async def sight_as_stix(self, team: int, number: int, count: int) -> None:
        seen = sdo("sighting", sighting_of_ref=self.ids[number], count=count)
        await self.acting.publish(seen, team=TEAMS[team], collection=COLLECTIONS[number == 2])

    async def correlate(self) -> None:
        await self.acting.catch_up()

    def published(self) -> set[tuple[bytes, int]]:
        """Which values which team publishes, by what it did: the newest version that stands decides."""
        found = set()
        for number in range(3):
            versions = [version for one, version in self.standing if one == number]
            if versions:
                found |= {(self.key(value), number) for value in self.standing[number, max(versions)]}
        return found


async def held(acting: Acting) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The holdings as they stand."""
    names = ("first_us", "last_us", "published", "positives", "negatives", "false_positive", "marking")
    return {
        (row["key"], row["scope"], row["team_id"], row["origin"]): tuple(int(row[name]) for name in names)
        for row in await acting.rows("holdings")
    }


async def recount(acting: Acting) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The same, summed up by hand from every mention."""
    objects = {row["position"]: row for row in await acting.rows("objects")}
    newest: dict[tuple[int, str], int] = {}
    for row in objects.values():
        of = row["collection_id"], row["stix_id"]
        newest[of] = max(row["version_us"], newest.get(of, row["version_us"]))

    def is_newest(row: dict[str, Any]) -> bool:
        return bool(newest[row["collection_id"], row["stix_id"]] == row["version_us"])

    reports = {row["position"] for row in await acting.rows("sightings")} - set(objects)
    scopes = {row["collection_id"]: row["scope"] for row in await acting.rows("collections")}
    groups = defaultdict(list)
    for mention in await acting.rows("mentions"):
        standing = objects.get(mention["position"])
        counts = mention["position"] in reports if standing is None else is_newest(standing)
        if counts and mention["first_us"] is not None:
            groups[mention["key"], scopes[mention["collection_id"]], mention["team_id"], mention["origin"]].append(mention)
    return {
        of: (
            min(one["first_us"] for one in group),
            max(one["last_us"] for one in group),
            int(any(one["said"] == "published" for one in group)),
            sum(one["count"] for one in group if one["said"] == "positive"),
            sum(one["count"] for one in group if one["said"] == "negative"),
            int(any(one["said"] == "false-positive" for one in group)),
            max(one["marking"] for one in group),
        )
        for of, group in groups.items()
    }


async def found(acting: Acting) -> set[Any]:
    """What correlation made of it: incidents by their values, and what is held back."""
    members = defaultdict(set)
    for row in await acting.rows("incident_members"):
        members[row["scope"], row["incident_id"]].add(row["key"])
    ranks = {row["incident_id"]: row["rank"] for row in await acting.rows("incidents")}
    assert set(ranks) == {incident_id for _, incident_id in members}
    incidents = {(scope, frozenset(keys), ranks[incident_id]) for (scope, incident_id), keys in members.items()}
    return incidents | {tuple(row.values()) for row in await acting.rows("held_back")}


async def forget(acting: Acting) -> None:
    """Forget all that was derived, so that the ledger is read from its beginning."""

    async def work(tx: Tx) -> None:
        for name in DERIVED:
            await tx.connection.execute(delete(METADATA.tables[name]))
        await tx.connection.execute(update(METADATA.tables["correlated"]).values(position=0))

    await acting.database.write(work)


@pytest.fixture
def short_stretches(monkeypatch):
    """Read the ledger three mentions at a time, so that stories are cut in all places."""
    monkeypatch.setattr(correlate_module, "MENTIONS_A_STRETCH", 3)


@SPARING
@given(st.lists(steps, min_size=3, max_size=14))
async def test_holdings_equal_a_recount_when_anything_happened(short_stretches, acting, told):
    """Publish, revoke, delete, sight and correlate in any order: sums, incidents and what is held back are as if read at once."""
    story = Story(acting)
    for step, *arguments in told:
        await getattr(story, step)(*arguments)
    await acting.catch_up()
    holdings = await held(acting)
    assert holdings == await recount(acting)
    teams = {row["slug"]: row["team_id"] for row in await acting.rows("teams")}
    mine = {story.key(number) for number in range(4)}
    published = {(key, team_id) for (key, _, team_id, _), row in holdings.items() if row[2] and key in mine}
    assert published == {(key, teams[TEAMS[number]]) for key, number in story.published()}
    before = await found(acting)
    await forget(acting)
    await acting.catch_up()
    assert await held(acting) == holdings
    assert await found(acting) == before


async def test_counts_are_right_when_a_rebuilt_value_is_seen_again_beyond_the_stretch(short_stretches, acting):
    """What lies beyond the stretch is counted when it is read, and not before: a rebuild in between must not count it twice."""
    story = Story(acting)
    await story.publish(0, 0, [0])
    await story.publish(0, 1, [0])  # supersedes: the value is summed up anew
    for report in range(8):
        await story.sight(1, 0, "positive", 1, report)
    await acting.catch_up()
    assert await held(acting) == await recount(acting)


async def test_counts_are_right_when_two_processes_correlate(acting, database_url, clock):
    """Several processes on one database each have a correlator: a stretch is read by one of them."""
    story = Story(acting)
    await story.publish(0, 0, [0])
    async with open_database(database_url, StillClock()) as other:
        for report in range(6):
            await story.sight(1, 0, "positive", 1, report)
            await asyncio.gather(*(correlate_module.correlate(one, acting.guards) for one in (acting.database, other) * 2))
    await acting.catch_up()
    assert await held(acting) == await recount(acting)
    [positives] = [row[3] for row in (await held(acting)).values() if row[3]]
    assert positives == 6


async def test_holding_is_gone_when_the_only_object_is_deleted(acting):
    """A deletion is met by correlation like any other event, and nothing of the value stays."""
    story = Story(acting)
    await story.publish(0, 0, [0, 1])
    await acting.catch_up()
    assert len(await held(acting)) == 2
    await story.delete(0)
    await acting.catch_up()
    assert await held(acting) == {}
    assert await acting.rows("mentions") == []


async def test_holding_is_gone_when_a_value_leaves_a_new_version(acting):
    """A new version says what its author holds now: a value that it names no more is held no more."""
    story = Story(acting)
    await story.publish(0, 0, [0, 1])
    await acting.catch_up()
    await story.publish(0, 1, [1])
    await acting.catch_up()
    assert [of[0] for of in await held(acting)] == [story.key(1)]


async def test_holding_is_back_when_the_version_that_dropped_it_is_deleted(acting):
    """What remains is in force again: its values are held again, and those of the deleted version no more."""
    story = Story(acting)
    await story.publish(0, 0, [0])
    await story.publish(0, 1, [1])
    await acting.catch_up()
    assert [of[0] for of in await held(acting)] == [story.key(1)]
    newest = int(datetime.fromisoformat(MODIFIED[1]).timestamp()) * 1_000_000
    await acting.delete(story.ids[0], Filters(versions=Versions(latest=False, exact_us=(newest,))))
    await acting.catch_up()
    assert [of[0] for of in await held(acting)] == [story.key(0)]
    assert await held(acting) == await recount(acting)
    assert {row["key"] for row in await acting.rows("mentions")} == {story.key(0)}


async def test_revocation_takes_back_what_nobody_else_says(acting):
    """Revoked by its author, still seen by a neighbour: the author's word goes, the neighbour's sighting stays."""
    story = Story(acting)
    await story.publish(0, 0, [0])
    await story.sight_indicator(1, 0, 4)
    await acting.catch_up()
    await story.revoke(0)
    await acting.catch_up()
    [(of, row)] = (await held(acting)).items()
    assert (of[0], row[2], row[3]) == (story.key(0), 0, 4)


async def test_deletion_is_refused_when_nothing_is_there(acting):
    """Nothing to delete is NOT_FOUND, and leaves no tombstone to be met."""
    with pytest.raises(Refusal):
        await acting.delete(f"indicator--{uuid.uuid4()}")
    assert await acting.rows("tombstones") == []
