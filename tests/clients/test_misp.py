"""MISP: pushing events to a TAXII server, and browsing one.

It writes `basic` in small letters and leaves the slash out. A push reads max_content_length, cuts its envelopes to exactly that
many bytes, posts them and does not wait; with every event of every push come the same identity and the same markings.
"""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from regcert.flows.initialise import initialise, read_region_file
from regcert.settings import Settings
from regcert.share import share_dir
from tests.clients.replay import Header, basic, fill, ids, objects_at, open_collection, say
from tests.hosting import ROOT, RunningHost, StillClock, run_host
from tests.made import CREATED, envelope, indicator, sdo
from tests.wire.asking import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")
MOST_BYTES = 65_536
AMBER = {
    "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "created": "2022-10-01T00:00:00.000Z", "name": "TLP:AMBER",
    "extensions": {
        "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"extension_type": "property-extension", "tlp_2_0": "amber"}
    },
}  # fmt: skip
OLD_AMBER = {
    "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "created": "2017-01-20T00:00:00.000Z", "definition_type": "tlp", "name": "TLP:AMBER", "definition": {"tlp": "amber"},
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHost]:
    """A host whose largest body is the smallest that may be set, so that envelopes are cut to it in little time."""
    folder: Path = tmp_path_factory.mktemp("misp")
    clock = StillClock()
    settings = Settings(data_dir=folder / "host", database_url=f"sqlite:///{folder}/regcert.db", max_content_bytes=MOST_BYTES)
    await initialise(
        settings.data_dir, settings.database_url, clock, read_region_file(share_dir() / "deploy/regions/western-balkans.toml")
    )
    async with run_host(settings, clock) as running:
        yield running


async def headers(host: RunningHost, *, reading: bool = False) -> list[Header]:
    """Name the headers of a push, or of browsing, which puts a Content-Type on a GET."""
    authorization = basic("misp", await host.token("alcirt", client="misp"), "basic")
    kind = "Content-type" if reading else "Content-Type"
    return [("Accept", "application/taxii+json;version=2.1"), (kind, "application/taxii+json;version=2.1"), authorization]


async def push(host: RunningHost, collection: str, objects: list[dict[str, Any]]) -> list[Reply]:
    """Push as MISP does: ask the root how much it takes, cut, post one after the other, look at nothing."""
    root = (await say(host, "GET", ROOT, await headers(host))).json
    most = root["max_content_length"]
    replies = []
    for body in cut(objects, most):
        assert len(body) <= most
        target = f"{ROOT}/collections/{collection}/objects/"
        replies.append(await say(host, "POST", target, await headers(host), body))
    return replies


def cut(objects: list[dict[str, Any]], most: int) -> list[bytes]:
    """Fill each envelope as far as it goes."""
    bodies: list[bytes] = []
    held: list[dict[str, Any]] = []
    for one in objects:
        if held and len(envelope(*held, one)) > most:
            bodies.append(envelope(*held))
            held = []
        held.append(one)
    return [*bodies, envelope(*held)] if held else bodies


def event(number: int, identity: dict[str, Any], attributes: int = 3) -> list[dict[str, Any]]:
    """Make an event as misp-stix does: who, the markings, the indicators and the report that holds them together."""
    stamped = {"created_by_ref": identity["id"], "object_marking_refs": [AMBER["id"]], "labels": ['misp:to_ids="True"']}
    made = [indicator(f"[domain-name:value = 'n{number}-{part}.example']", **stamped) for part in range(attributes)]
    refs = ids(made)
    report = sdo("report", name=f"event {number}", published=CREATED, object_refs=refs, x_misp_event_id=number, **stamped)
    return [identity, AMBER, OLD_AMBER, *made, report]


def an_identity() -> dict[str, Any]:
    return sdo("identity", name="A partner", identity_class="organization")


async def test_root_answers_without_a_slash_and_with_basic_in_small_letters(standing: RunningHost) -> None:
    """It asks `<base>/<root>`; a redirect would lose what it says."""
    reply = await say(standing, "GET", ROOT, await headers(standing))
    assert (reply.status, reply.json["max_content_length"]) == (200, MOST_BYTES)


async def test_every_event_is_pushed_when_identity_and_markings_come_with_each(standing: RunningHost) -> None:
    """The same again is a success and is not delivered again, push after push; markings have no `modified`."""
    collection = await open_collection(standing)
    identity = an_identity()
    events = [event(number, identity) for number in range(4)]
    for _ in range(2):
        for one in events:
            (reply,) = await push(standing, collection, one)
            assert (reply.status, reply.json["failure_count"]) == (202, 0), reply.body
            assert reply.json["success_count"] == len(one)
    stored = await standing.objects(collection=collection, query="match[version]=all&")
    expected = list({one["id"]: one for objects in events for one in objects}.values())
    assert stored == expected


async def test_envelope_is_taken_when_it_is_cut_to_exactly_the_largest_length(standing: RunningHost) -> None:
    """max_content_length is inclusive: a full envelope is 65,536 bytes, and so is each of several."""
    collection = await open_collection(standing)
    sent: list[dict[str, Any]] = []
    bodies: list[bytes] = []
    for _ in range(3):
        objects = [indicator(description="x" * 300) for _ in range(90)]
        last = indicator(description="")
        last["description"] = "y" * (MOST_BYTES - len(envelope(*objects, last)))
        bodies.append(envelope(*objects, last))
        sent += [*objects, last]
    assert [len(body) for body in bodies] == [MOST_BYTES] * 3
    assert cut(sent, MOST_BYTES) == bodies
    replies = await push(standing, collection, sent)
    assert [(reply.status, reply.json["success_count"]) for reply in replies] == [(202, 91)] * 3
    assert await standing.objects(collection=collection) == sent
    too_large = bodies[0][:-1] + b" }"
    reply = await say(standing, "POST", objects_at(collection), await headers(standing), too_large)
    assert (reply.status, reply.json["http_status"]) == (413, "413")


async def test_failure_names_the_object_and_its_version_when_one_of_an_event_is_bad(standing: RunningHost) -> None:
    """MISP shows failures by id and version; the others of the event are stored."""
    collection = await open_collection(standing)
    identity = an_identity()
    bad = indicator("no pattern", modified="2026-11-02T10:00:00.000Z")
    (reply,) = await push(standing, collection, [*event(1, identity), bad])
    assert (reply.json["success_count"], reply.json["failure_count"]) == (7, 1)
    (failure,) = reply.json["failures"]
    assert (failure["id"], failure["version"]) == (bad["id"], bad["modified"])


async def test_edited_event_is_a_new_version_when_it_is_pushed_again(standing: RunningHost) -> None:
    """What was changed has a later `modified`; what was not is the same again."""
    collection = await open_collection(standing)
    objects = event(1, an_identity())
    await push(standing, collection, objects)
    edited = [*objects[:-1], objects[-1] | {"modified": "2026-11-05T10:00:00.000Z", "name": "edited"}]
    (reply,) = await push(standing, collection, edited)
    assert reply.json["success_count"] == len(objects)
    assert await standing.objects(collection=collection) == [*objects[:-1], edited[-1]]


async def test_server_is_browsed_from_its_discovery_to_its_objects(standing: RunningHost) -> None:
    """Discovery and roots are siblings below one base URL; pages of fifty by `next` alone, with `more` on each."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 120)
    reading = await headers(standing, reading=True)
    roots = (await say(standing, "GET", "/taxii2/", reading)).json["api_roots"]
    segment = roots[0].rstrip("/").rsplit("/", 1)[-1]
    listed = (await say(standing, "GET", f"/{segment}/collections/", reading)).json["collections"]
    assert collection in ids(listed)
    found: list[dict[str, Any]] = []
    target = f"/{segment}/collections/{collection}/objects/?limit=50"
    while True:
        page = (await say(standing, "GET", target, reading)).json
        assert "more" in page
        found += page["objects"]
        if not page["more"]:
            break
        target = f"/{segment}/collections/{collection}/objects/?limit=50&next={page['next']}"
    assert found == sent


async def test_key_is_any_base64_of_user_and_token(standing: RunningHost) -> None:
    """The key is base64(user:password) as somebody pasted it; a token holds no colon, which MISP would cut at."""
    token = await standing.token("alcirt", client="misp")
    assert ":" not in token
    for scheme in ("basic", "Basic", "BASIC"):
        assert (await say(standing, "GET", "/taxii2/", [basic("", token, scheme)])).status == 200
    assert (await say(standing, "GET", "/taxii2/", [("Authorization", "basic bm8gY29sb24=")])).status == 401


async def test_bundle_is_taken_when_an_event_is_pushed_as_one(standing: RunningHost) -> None:
    """Older releases push what misp-stix gives them, a bundle, with STIX's media type."""
    collection = await open_collection(standing)
    objects = event(1, an_identity())
    body = orjson.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects})
    as_stix = [
        (name, "application/stix+json;version=2.1" if name == "Content-Type" else text) for name, text in await headers(standing)
    ]
    reply = await say(standing, "POST", objects_at(collection), as_stix, body)
    assert (reply.status, reply.json["success_count"]) == (202, len(objects))
