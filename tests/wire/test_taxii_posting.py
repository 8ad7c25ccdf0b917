"""Posting, deleting and status by the clauses of TAXII 2.1 that hosts get wrong, and who may do what where."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from regcert.domain.collection import SignatureRule
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry
from regcert.flows.add_collection import add_collection
from regcert.stix.tlp import Tlp
from tests.hosting import ROOT, RunningHost
from tests.made import CREATED, envelope, indicator, sdo
from tests.wire.asking import INDICATORS, OBJECTS, ask
from tests.wire.conftest import MOST_BYTES

LATER = "2026-11-02T10:00:00.000001Z"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_standing_host = pytest.mark.asyncio(loop_scope="module")


async def bounded_collection(host: RunningHost, slug: str, read: tuple[str, ...], write: tuple[str, ...]) -> str:
    entry = CollectionEntry(slug, str(uuid.uuid4()), slug, "For a test.", Tlp.RED, SignatureRule.ACCEPTED, read, write)
    return (await add_collection(host.inside.database, host.clock, entry)).uuid


@pytest.mark.clause("2-m2", "2-m6", "4.3-d1", "4.3.1-y1", "4.3.1-m2", "4.3.1-m3", "4.3.1-m4", "4.3.1-m5", "5.5-d1", "5.5-s1")
async def test_status_tells_of_each_object_when_an_envelope_is_posted(host: RunningHost) -> None:
    """202; counts that add up, a new UUIDv4, lists only where not empty, and the same again when it is fetched (§4.3)."""
    good, bad = indicator(), indicator(pattern_type=7)
    code, status = await host.post([good, bad])
    assert code == 202
    assert uuid.UUID(status["id"]).version == 4
    assert (status["total_count"], status["success_count"], status["failure_count"], status["pending_count"]) == (2, 1, 1, 0)
    assert status["successes"] == [{"id": good["id"], "version": CREATED}]
    assert status["failures"][0].keys() == {"id", "version", "message"}
    assert status["failures"][0]["id"] == bad["id"]
    assert "pendings" not in status
    for _ in range(2):
        assert (await host.get(f"/status/{status['id']}/"))[1] == status
    assert await host.objects() == [good]
    _, other = await host.post([good])
    assert other["id"] != status["id"]
    assert "failures" not in other


@pytest.mark.clause("4.3-d2", "4.3-m1")
async def test_status_is_not_there_when_another_asks(host: RunningHost) -> None:
    """It is visible to the token that posted and nobody else, nor under another root or id (§4.3)."""
    _, status = await host.post([indicator()])
    asked = f"{ROOT}/status/{status['id']}/"
    assert (await ask(host, "GET", asked)).status == 200
    assert (await ask(host, "GET", asked, role=Role.CONSUMER)).status == 404
    assert (await ask(host, "GET", asked, team="srb-cert")).status == 404
    assert (await ask(host, "GET", f"/elsewhere/status/{status['id']}/")).status == 404
    assert (await ask(host, "GET", f"{ROOT}/status/{uuid.uuid4()}/")).status == 404


@on_standing_host
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.clause("4.2.1-m5", "5.5-d2", "B-t4")
async def test_body_is_taken_when_it_is_exactly_as_large_as_we_say(standing: RunningHost, chunked: bool) -> None:  # noqa: FBT001
    """max_content_length is inclusive (MISP fills it); one byte more is 413 and stores nothing, also where chunked (§4.2)."""

    async def sent(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    one = indicator(description="")
    one["description"] = "x" * (MOST_BYTES - len(envelope(one)))
    body = envelope(one)
    assert len(body) == MOST_BYTES
    before = await standing.objects()
    for too_large in (body + b" ", body + b" " * 100_000):
        reply = await ask(standing, "POST", OBJECTS, body=sent(too_large) if chunked else too_large)
        assert (reply.status, reply.code) == (413, "too-large")
    assert await standing.objects() == before
    reply = await ask(standing, "POST", OBJECTS, body=sent(body) if chunked else body)
    assert (reply.status, reply.json["success_count"]) == (202, 1)
    assert await standing.objects() == [*before, one]


@on_sqlite
@pytest.mark.clause("5.5-m4", "7.1.1-y2")
async def test_bundle_is_read_as_an_envelope_when_it_is_posted(host: RunningHost) -> None:
    """stix2 and OpenCTI post bundles; what else stands in the frame is read past."""
    one, other = indicator(), indicator()
    bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "spec_version": "2.0", "objects": [one], "x": [{}]}
    assert (await host.post(orjson.dumps(bundle)))[1]["success_count"] == 1
    assert (await host.post(orjson.dumps({"more": True, "objects": [other], "next": "x"})))[1]["success_count"] == 1
    assert (await host.post(b'{"more":false}'))[1]["total_count"] == 0
    assert (await host.post(b"{}"))[0] == 202
    assert await host.objects() == [one, other]


@pytest.mark.clause("5.5-m3")
async def test_duplicate_is_no_failure_when_it_comes_again(host: RunningHost) -> None:
    """An exact duplicate is a success, not stored twice and not delivered again, also inside one envelope (§5.4)."""
    one = indicator(x_order={"a": 1, "b": 2.5})
    turned = dict(reversed(one.items())) | {"x_order": {"b": 2.50, "a": 1}}
    _, status = await host.post([one, one, turned])
    assert (status["success_count"], status["failure_count"]) == (3, 0)
    last = (await host.get("/collections/regional-indicators/manifest/"))[2]["X-TAXII-Date-Added-Last"]
    _, status = await host.post([turned], team="alcirt")
    assert (status["success_count"], status["failure_count"]) == (1, 0)
    assert await host.objects(query="match[version]=all") == [one]
    assert await host.objects(query=f"added_after={last}") == []


@pytest.mark.clause("5.5-m3")
async def test_object_is_stored_once_when_eight_post_it_at_once(host: RunningHost) -> None:
    """Eight identical posts at the same moment all succeed and leave one copy."""
    sent = [indicator() for _ in range(3)]
    answers = await asyncio.gather(*(host.post(sent) for _ in range(8)))
    assert [(code, status["success_count"]) for code, status in answers] == [(202, 3)] * 8
    assert await host.objects(query="match[version]=all") == sent


@pytest.mark.clause("5.5-m3")
async def test_other_content_is_a_failure_when_its_version_is_taken(host: RunningHost) -> None:
    """Same id and version, other content: a failure entry, never a second copy, also inside one envelope."""
    one = indicator(name="one")
    _, status = await host.post([one, one | {"name": "two"}])
    assert (status["success_count"], status["failure_count"]) == (1, 1)
    _, status = await host.post([one | {"name": "three"}, indicator(id=one["id"], modified=LATER, name="new")])
    assert (status["success_count"], status["failure_count"]) == (1, 1)
    assert status["failures"][0]["message"].startswith("version-conflict: ")
    assert [found["name"] for found in await host.objects(query="match[version]=all")] == ["one", "new"]


@on_sqlite
@pytest.mark.clause("4.3.1-y4", "5.5-d1")
async def test_good_objects_are_stored_when_bad_ones_stand_between(host: RunningHost) -> None:
    """Every bad object is an entry with a reason of its own, and no good one suffers."""
    good = [indicator() for _ in range(3)]
    bad: list[Any] = [
        7,
        None,
        [],
        {},
        {"type": 1},
        "text",
        {"type": "indicator"},
        indicator(created="yesterday"),
        {"id": "x" * 900},
    ]
    _, status = await host.post([good[0], *bad, good[1], *bad, good[2]])
    assert (status["success_count"], status["failure_count"]) == (3, 2 * len(bad))
    assert all(len(one["id"]) <= 200 and one["version"] for one in status["failures"])
    assert await host.objects() == good


@pytest.mark.clause("1.6.7-t1", "2-t1", "7.1.1-y1")
async def test_value_comes_back_when_it_is_of_any_kind(host: RunningHost) -> None:
    """Custom properties, our own names, escapes, numbers, long texts, any script: JSON value for JSON value (law 1)."""
    body = (
        b'{"objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",'
        b'"created":"2026-11-01T10:00:00Z","modified":"2026-11-01T10:00:00.10Z","pattern":"[url:value = \'http://a.example/\']",'
        b'"pattern_type":"stix","valid_from":"2026-11-01T12:00:00Z","name":"\\u040b\\u0443\\u0440\\ud83d\\ude00 \xd0\x8b",'
        b'"version":"mine","date_added":"never","_id":1,"x_numbers":[1,1.0,-0.0,1e2,0.1,9007199254740991,1.50],'
        b'"x_any":[null,true,false,"",{"":[]},{}],"__proto__":{"a":1},"constructor":"x","x_nul":"a\\u0000b",'
        b'"description":"' + b"\xc4\x8d" * 100_000 + b'"}]}'
    )
    status, answer = await host.post(body)
    assert (status, answer["success_count"]) == (202, 1), answer
    reply = await ask(host, "GET", OBJECTS)
    stored = body[len(b'{"objects":[') : -2]
    assert reply.body == b'{"objects":[' + stored + b'],"more":false}'


@pytest.mark.clause("5.7-d1", "5.7-m2", "5.7-t1")
async def test_delete_takes_versions_when_the_query_names_them(host: RunningHost) -> None:
    """`match[version]` deletes those; what remains is in force again (§5.7)."""
    first = indicator()
    newest = first | {"modified": LATER}
    await host.post([first, newest])
    assert (await ask(host, "DELETE", f"{OBJECTS}{first['id']}/?match[version]={LATER}")).status == 200
    assert await host.objects() == [first]
    reply = await ask(host, "DELETE", f"{OBJECTS}{first['id']}/?match[version]=first")
    assert (reply.status, reply.body) == (200, b"{}")
    assert await host.objects(query="match[version]=all") == []
    assert (await ask(host, "DELETE", f"{OBJECTS}{first['id']}/")).status == 404


@pytest.mark.clause("3.5-t1")
async def test_delete_does_not_disturb_paging_when_it_comes_between(host: RunningHost) -> None:
    """A cursor goes on behind its place, also where its last object is gone."""
    sent = [indicator() for _ in range(4)]
    await host.post(sent)
    page = (await ask(host, "GET", f"{OBJECTS}?limit=2")).json
    for gone in sent[1:3]:
        await ask(host, "DELETE", f"{OBJECTS}{gone['id']}/")
    assert (await ask(host, "GET", f"{OBJECTS}?limit=2&next={page['next']}")).json == {"objects": sent[3:], "more": False}


@pytest.mark.parametrize(
    ("may_read", "may_write", "get", "post", "delete"),
    [(True, True, 200, 202, 200), (True, False, 200, 403, 403), (False, True, 404, 202, 403), (False, False, 404, 404, 404)],
)
@on_sqlite
@pytest.mark.clause("5.2-d2", "5.2.1-t2", "5.2.1-t3", "5.3-m2", "5.4-m2", "5.5-m2", "5.6-m3", "5.7-m5", "5.8-m3")
async def test_collection_opens_as_far_as_its_audience_says(
    host: RunningHost, may_read: bool, may_write: bool, get: int, post: int, delete: int  # noqa: FBT001
) -> None:  # fmt: skip
    """The table of §5.7, and §5.1 to §5.8 for collections that a team may only read, only write, or not see at all."""
    team, others = "alcirt", ("srb-cert",)
    name = await bounded_collection(host, "half", others + (team,) * may_read, others + (team,) * may_write)
    here = f"{ROOT}/collections/{name}"
    theirs, mine = indicator(), indicator()
    await host.post([theirs], team="srb-cert", collection=name)
    for path in ("/objects/", "/manifest/", f"/objects/{theirs['id']}/", f"/objects/{theirs['id']}/versions/"):
        assert (await ask(host, "GET", here + path)).status == get, path
    reply = await ask(host, "POST", f"{here}/objects/", body=envelope(mine))
    assert reply.status == post
    if post == 202:
        assert (await ask(host, "GET", f"{ROOT}/status/{reply.json['id']}/")).status == 200
    assert ([mine] if post == 202 else []) == (await host.objects("srb-cert", name))[1:]
    assert (await ask(host, "DELETE", f"{here}/objects/{mine['id']}/")).status == delete
    listed = {one["alias"]: one for one in (await ask(host, "GET", f"{ROOT}/collections/")).json["collections"]}
    if may_read or may_write:
        assert (listed["half"]["can_read"], listed["half"]["can_write"]) == (may_read, may_write)
        assert (await ask(host, "GET", here)).json == listed["half"]
    else:
        assert "half" not in listed
        assert (await ask(host, "GET", here)).status == 404


@pytest.mark.clause("5.7-d2", "5.7-m5")
async def test_nothing_changes_when_another_team_deletes_or_revokes(host: RunningHost) -> None:
    """What a team published, only that team deletes or publishes anew (hostile input 19)."""
    one = indicator()
    await host.post([one])
    assert (await ask(host, "DELETE", f"{OBJECTS}{one['id']}/", team="srb-cert")).status == 403
    _, status = await host.post([one | {"modified": LATER, "revoked": True}], team="srb-cert")
    assert status["failures"][0]["message"].startswith("not-the-author: ")
    assert (await ask(host, "DELETE", f"{OBJECTS}{one['id']}/", role=Role.CONSUMER)).status == 403
    assert await host.objects() == [one]


@on_sqlite
@pytest.mark.clause("1.6.9-t3", "8.2.2-y3")
async def test_token_opens_its_collections_only_when_it_is_narrowed(host: RunningHost) -> None:
    """For a token of one collection the others do not exist."""
    token = await host.token("alcirt", Role.ANALYST, collections=("public",))
    bearer = {"Authorization": f"Bearer {token}"}
    listed = (await ask(host, "GET", f"{ROOT}/collections/", headers=bearer)).json["collections"]
    assert [one["alias"] for one in listed] == ["public"]
    assert (await ask(host, "GET", OBJECTS, headers=bearer)).status == 404
    assert (await ask(host, "POST", OBJECTS, headers=bearer, body=envelope(indicator()))).status == 404
    assert (await ask(host, "GET", INDICATORS, headers=bearer)).status == 404


@pytest.mark.parametrize(
    "modified", ["2026-11-01T09:59:59.999Z", "0000-01-01T00:00:00Z", "2026-11-01T10:00:00+02:00", "2026-11-01"]
)
@on_standing_host
async def test_version_is_refused_when_its_time_is_none_that_stix_has(standing: RunningHost, modified: str) -> None:
    """Before `created`, in no calendar, with an offset, without a time: a failure with a reason (hostile input 18)."""
    _, status = await standing.post([indicator(modified=modified)])
    assert status["failures"][0]["message"].startswith(("invalid-stix: ", "invalid-timestamp: "))


@pytest.mark.parametrize("modified", ["2026-12-31T23:59:60Z", "9999-12-31T23:59:59.999999Z", "2026-11-01T10:00:00.123456789Z"])
@on_standing_host
async def test_version_is_kept_as_text_when_its_time_is_unusual(standing: RunningHost, modified: str) -> None:
    """A leap second, the last year and nine digits are times; the text is not rewritten."""
    one = sdo("malware", is_family=False, name="m", modified=modified)
    _, status = await standing.post([one])
    assert status["successes"] == [{"id": one["id"], "version": modified}]
    assert one in await standing.objects()
