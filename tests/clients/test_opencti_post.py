"""OpenCTI, connector stream/taxii-post: each object of a stream in a bundle of its own, under STIX's media type with a blank.

Strict servers answer 415, which the connector writes into its log and nowhere else.
"""

import uuid
from typing import Any

import orjson
import pytest

from tests.clients.replay import ADDRESS, Header, basic, bearer, ids, objects_at, open_collection, say
from tests.hosting import TAXII, RunningHost
from tests.made import indicator, sdo
from tests.wire.asking import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stream(host: RunningHost, collection: str, authorization: Header, data: dict[str, Any]) -> Reply:
    """Post as the connector and python-requests beneath it do: `spec_version` is set on the object and on the bundle."""
    posted = data | {"spec_version": "2.1"}
    bundle = {"type": "bundle", "spec_version": "2.1", "id": f"bundle--{uuid.uuid4()}", "objects": [posted]}
    headers = [
        ("User-Agent", "python-requests/2.32.5"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "application/taxii+json; version=2.1"),
        ("Connection", "keep-alive"),
        ("Content-Type", "application/stix+json; version=2.1"),
        authorization,
    ]
    return await say(host, "POST", objects_at(collection), headers, orjson.dumps(bundle))


@pytest.mark.parametrize("way", ["bearer", "basic"])
async def test_object_is_taken_when_it_comes_as_a_bundle_of_one(standing: RunningHost, way: str) -> None:
    """202 under `application/stix+json; version=2.1`, by token and by user and password."""
    collection = await open_collection(standing)
    token = await standing.token("alcirt", client="opencti")
    authorization = bearer(token) if way == "bearer" else basic("opencti", token)
    sent = [indicator(), sdo("malware", is_family=False, name="m")]
    for one in sent:
        reply = await stream(standing, collection, authorization, one)
        assert (reply.status, reply.json["success_count"], reply.headers["Content-Type"]) == (202, 1, TAXII)
    assert await standing.objects(collection=collection) == sent


async def test_object_is_delivered_once_when_the_stream_repeats_it(standing: RunningHost) -> None:
    """A stream is replayed after a restart: the same again is a success; an update is a new version."""
    collection = await open_collection(standing)
    authorization = bearer(await standing.token("alcirt", client="opencti"))
    one = indicator()
    newer = one | {"modified": "2026-11-02T10:00:00.000Z", "name": "newer"}
    for posted in (one, one, newer, one, newer):
        assert (await stream(standing, collection, authorization, posted)).json["success_count"] == 1
    assert await standing.objects(collection=collection, query="match[version]=all&") == [one, newer]


async def test_observable_is_taken_when_the_platform_sets_a_version_on_it(standing: RunningHost) -> None:
    """Observables have no created and no modified, and carry the platform's extensions and identities."""
    collection = await open_collection(standing)
    authorization = bearer(await standing.token("alcirt", client="opencti"))
    platform = {"x_opencti_score": 50, "x_opencti_main_observable_type": "IPv4-Addr"}
    reply = await stream(standing, collection, authorization, ADDRESS | platform)
    assert reply.json["success_count"] == 1, reply.body
    assert ids(await standing.objects(collection=collection)) == [ADDRESS["id"]]


async def test_refusal_is_readable_when_it_is_only_written_to_a_log(standing: RunningHost) -> None:
    """raise_for_status sees what concerns the request; what concerns the object stands in the status with its reason."""
    collection = await open_collection(standing)
    reply = await stream(standing, collection, bearer("wrong"), indicator())
    assert (reply.status, reply.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    authorization = bearer(await standing.token("alcirt", client="opencti"))
    reply = await stream(standing, collection, authorization, indicator(pattern="no pattern"))
    assert (reply.status, reply.json["failure_count"]) == (202, 1)
    assert reply.json["failures"][0]["message"].startswith("invalid-pattern: ")
