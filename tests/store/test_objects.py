"""Versions, pages and deletions against a model that keeps a plain list and looks at all of it every time."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.flows.publish import publish
from regcert.flows.retrieve import Shape
from regcert.stix.timestamps import read_timestamp, write_timestamp
from regcert.taxii.filters import Filters, Versions
from tests.made import indicator
from tests.store.acting import Acting, names

SPARING = settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a history takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MODIFIED = [f"2026-11-{day:02}T10:00:00.000Z" for day in range(1, 6)]
IDS = 3  # two indicators and a cyber-observable, which has no versions


@dataclass
class Shelf:
    """The model: rows in the order in which they were added; nothing is worked out in advance."""

    ids: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def make(self, number: int, version: int, content: int) -> dict[str, Any]:
        if number == IDS - 1:
            return {"type": "ipv4-addr", "spec_version": "2.1", "id": self.ids[number], "value": f"198.51.100.{content + 1}"}
        return indicator(id=self.ids[number], created=MODIFIED[0], modified=MODIFIED[version], name=f"content {content}")

    def find(self, stix_id: str, version: int) -> dict[str, Any] | None:
        return next((row for row in self.rows if (row["id"], row["version"]) == (stix_id, version)), None)

    def chosen(self, filters: Filters) -> list[dict[str, Any]]:
        """What TAXII 2.1 §3.4 says, word by word."""
        after = filters.added_after_us or 0
        rows = [row for row in self.rows if row["position"] > after]
        rows = [row for row in rows if filters.ids is None or row["id"] in filters.ids]
        rows = [row for row in rows if filters.types is None or row["object"]["type"] in filters.types]
        wanted = filters.versions or Versions()
        found = []
        for row in rows:
            siblings = [other["version_us"] for other in rows if other["id"] == row["id"]]
            is_latest, is_earliest = row["version_us"] == max(siblings), row["version_us"] == min(siblings)
            exact = row["version_us"] or row["position"]
            if wanted.every or (wanted.latest and is_latest) or (wanted.earliest and is_earliest) or exact in wanted.exact_us:
                found.append(row)
        return found


posts = st.tuples(
    st.just("post"), st.lists(st.tuples(st.integers(0, IDS - 1), st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=4)
)
deletes = st.tuples(st.just("delete"), st.integers(0, IDS - 1), st.none() | st.integers(0, 4))
histories = st.lists(st.one_of(posts, posts, posts, deletes), min_size=1, max_size=8)
questions = st.lists(
    st.tuples(
        st.none() | st.integers(0, 12),  # behind which row
        st.none() | st.tuples(st.booleans(), st.booleans(), st.lists(st.integers(0, 4), max_size=2), st.booleans()),
        st.none() | st.lists(st.integers(0, IDS), min_size=1, max_size=3),  # ids, one of them unknown
        st.none() | st.lists(st.sampled_from(["indicator", "ipv4-addr", "malware"]), min_size=1, max_size=3, unique=True),
        st.integers(1, 5),
    ),
    min_size=2,
    max_size=6,
)


async def post(acting: Acting, shelf: Shelf, collection: str, batch: list[tuple[int, int, int]]) -> None:
    """Publish a batch, tell the model, and compare the two answers."""
    objects = [shelf.make(*one) for one in batch]
    status = await acting.publish(*objects, collection=collection)
    accepted, refused, fresh = [], [], []
    for (number, version, content), made in zip(batch, objects, strict=True):
        at = version if number < IDS - 1 else 0
        here = shelf.find(made["id"], at)
        if here is None:
            here = {"id": made["id"], "version": at, "content": content, "object": made, "position": None}
            here["version_us"] = read_timestamp(MODIFIED[at]) if number < IDS - 1 else 0
            shelf.rows.append(here)
            fresh.append(here)
        elif here["content"] != content:
            refused.append(made["id"])
            continue
        accepted.append(made["id"])
    assert names(status.get("successes", [])) == accepted
    assert names(status.get("failures", [])) == refused
    assert all("version-conflict" in one["message"] for one in status.get("failures", []))
    places = {(row["stix_id"], row["version"]): row["position"] for row in await acting.rows("objects")}
    for row in fresh:
        row["position"] = places.pop((row["id"], MODIFIED[row["version"]]), None) or max(
            position for (stix_id, _), position in places.items() if stix_id == row["id"]
        )


async def remove(acting: Acting, shelf: Shelf, collection: str, number: int, version: int | None) -> None:
    """Delete, and tell the model."""
    stix_id = shelf.ids[number]
    filters = None if version is None else Filters(versions=Versions(False, False, (read_timestamp(MODIFIED[version]),)))
    if not any(row["id"] == stix_id for row in shelf.rows):
        with pytest.raises(Refusal) as refused:
            await acting.delete(stix_id, filters, collection=collection)
        assert refused.value.code is Code.NOT_FOUND
        return
    await acting.delete(stix_id, filters, collection=collection)
    gone = [
        row
        for row in shelf.rows
        if row["id"] == stix_id and (version is None or row["version_us"] == read_timestamp(MODIFIED[version]))
    ]
    shelf.rows = [row for row in shelf.rows if row not in gone]
    left = max((row for row in shelf.rows if row["id"] == stix_id), key=lambda row: row["version_us"], default=None)
    if left is not None and any(row["version_us"] > left["version_us"] for row in gone):
        # It is in force again, and as if it had been added anew: whoever passed its old place is shown it.
        shelf.rows.remove(left)
        shelf.rows.append(left)
        places = [row for row in await acting.rows("objects") if row["stix_id"] == stix_id]
        left["position"] = max(row["position"] for row in places)


@SPARING
@given(histories, questions)
async def test_pages_equal_the_model_when_versions_come_in_any_order(acting, history, asked):
    """Whatever arrived, was repeated, conflicted or was deleted: every query reads what the standard's words say."""
    collection = await acting.collection()
    shelf = Shelf([f"indicator--{uuid.uuid4()}", f"indicator--{uuid.uuid4()}", f"ipv4-addr--{uuid.uuid4()}"])
    for what, *rest in history:
        await (post if what == "post" else remove)(acting, shelf, collection, *rest)
    unknown = [*shelf.ids, f"indicator--{uuid.uuid4()}"]
    for behind, versions, ids, types, limit in asked:
        after = None if behind is None or not shelf.rows else shelf.rows[behind % len(shelf.rows)]["position"]
        exact = () if versions is None else tuple(read_timestamp(MODIFIED[one]) for one in versions[2])
        if shelf.rows and versions and versions[0]:
            exact += (shelf.rows[0]["position"],)  # how a cyber-observable's version is written
        filters = Filters(
            added_after_us=after,
            ids=None if ids is None else tuple(unknown[one] for one in ids),
            types=None if types is None else tuple(types),
            versions=None
            if versions is None
            else Versions(versions[0] or not (versions[1] or exact or versions[3]), versions[1], exact, versions[3]),
        )
        pages = await acting.pages(filters, limit, collection=collection)
        expected = [row["object"] for row in shelf.chosen(filters)]
        assert [one for page in pages for one in page] == expected
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        manifest = await acting.poll(filters, limit, collection=collection, shape=Shape.MANIFEST)
        assert [(one["id"], one["date_added"]) for one in manifest] == [
            (row["id"], write_timestamp(row["position"])) for row in shelf.chosen(filters)
        ]


async def test_versions_page_when_one_object_has_many(acting):
    """All versions of an object, oldest place first, whatever the page."""
    shelf = Shelf([f"indicator--{uuid.uuid4()}"])
    for version in (3, 0, 4, 1):
        await acting.publish(shelf.make(0, version, 0))
    for limit in (1, 3, 1000):
        listed = await acting.poll(None, limit, shape=Shape.VERSIONS, stix_id=shelf.ids[0])
        assert listed == [MODIFIED[version] for version in (3, 0, 4, 1)]


async def test_same_object_is_a_success_without_a_place_when_sent_again(acting):
    """A repeated post is answered as the first, and pollers do not see it twice."""
    made = indicator()
    first, second = await acting.publish(made), await acting.publish(made, made)
    assert first["successes"] == second["successes"][:1] == second["successes"][1:]
    before = await acting.rows("host_order")
    reordered = dict(reversed(made.items()))  # the same JSON value, other bytes
    assert (await acting.publish(reordered))["success_count"] == 1
    assert await acting.rows("host_order") == before
    assert await acting.poll() == [made]


@pytest.mark.parametrize("relayed", [False, True])
async def test_new_version_is_refused_when_its_author_is_another(acting, relayed):
    """Only the author's word can replace the author's word, also where a team relays a third party's."""
    author = {"created_by_ref": f"identity--{uuid.uuid4()}"} if relayed else {}
    made = indicator(**author)
    await acting.publish(made)
    changed = made | {"modified": MODIFIED[4], "name": "changed"}
    changed.pop("created_by_ref", None)
    status = await acting.publish(changed, team="srb-cert")
    assert "not-the-author" in status["failures"][0]["message"]
    # Who relays the same third party may bring its newer version.
    relay = await acting.publish(made | {"modified": MODIFIED[4]}, team="srb-cert")
    assert relay["success_count"] == int(relayed)


async def test_deletion_is_refused_when_another_team_published(acting):
    """Reading and writing rights do not make a team the owner of its neighbour's objects."""
    made = indicator()
    await acting.publish(made)
    with pytest.raises(Refusal) as refused:
        await acting.delete(made["id"], team="srb-cert")
    assert refused.value.code is Code.FORBIDDEN
    assert await acting.poll() == [made]
    assert await acting.rows("tombstones") == []


async def test_deletion_is_refused_whole_when_one_version_is_another_teams(acting):
    """Where two teams relayed versions of one object, neither deletes the other's, and nothing goes by half."""
    author = f"identity--{uuid.uuid4()}"
    first = indicator(created_by_ref=author)
    second = first | {"modified": MODIFIED[4]}
    await acting.publish(first)
    await acting.publish(second, team="srb-cert")
    for team in ("alcirt", "srb-cert"):
        with pytest.raises(Refusal):
            await acting.delete(first["id"], team=team)
    await acting.delete(first["id"], Filters(versions=Versions(latest=True)), team="srb-cert")
    assert await acting.poll() == [first]


async def test_object_is_new_when_added_again_after_its_deletion(acting):
    """A deletion leaves a tombstone with a place of its own; who adds the object again adds it at the end."""
    made, other = indicator(), indicator()
    await acting.publish(made)
    await acting.publish(other)
    await acting.delete(made["id"])
    stones = await acting.rows("tombstones")
    assert [(stone["stix_id"], stone["version"]) for stone in stones] == [(made["id"], made["modified"])]
    [behind] = [row["position"] for row in await acting.rows("objects")]
    assert stones[0]["position"] > behind
    assert (await acting.publish(made))["success_count"] == 1
    assert await acting.poll() == [other, made]
    added = {row["stix_id"]: row["position"] for row in await acting.rows("objects")}
    assert added[made["id"]] > stones[0]["position"]


async def test_other_content_is_taken_when_the_version_was_deleted(acting):
    """A deleted version conflicts with nothing."""
    made = indicator(name="one")
    await acting.publish(made)
    await acting.delete(made["id"])
    assert (await acting.publish(made | {"name": "two"}))["success_count"] == 1


async def test_one_id_stands_in_two_collections_apart(acting):
    """A version in one collection supersedes, conflicts with and deletes nothing in another."""
    one, two = await acting.collection(), await acting.collection()
    made = indicator(name="one")
    await acting.publish(made, collection=one)
    assert (await acting.publish(made | {"name": "two"}, collection=two))["success_count"] == 1
    await acting.publish(made | {"modified": MODIFIED[4]}, collection=two)
    await acting.delete(made["id"], collection=two)
    assert await acting.poll(collection=one) == [made]
    assert await acting.poll(collection=two) == []


async def test_bytes_are_kept_when_they_are_unusual(acting):
    """Law 1: what is handed back is what came in, to the byte: order of keys, blanks, escapes, numbers."""
    stix_id = f"indicator--{uuid.uuid4()}"
    body = (
        '{ "type":"indicator" ,\t"id":"%s","spec_version":"2.1","created":"2026-11-01T10:00:00.000Z",'
        '"modified":"2026-11-01T10:00:00.000Z","pattern":"[domain-name:value = \'b\\u00fc.example\']","pattern_type":"stix",'
        '"valid_from":"2026-11-01T10:00:00Z", "x_float": 1.50e2,"name":"\\ud83d\\ude00 \u20ac \\/ \\u0000" }'.replace(
            "%s", stix_id
        )
    ).encode()
    await publish(acting.database, acting.schemas, await acting.received(b'{"objects":[' + body + b"]}"))
    [row] = [row for row in await acting.rows("objects") if row["stix_id"] == stix_id]
    assert row["body"] == body
