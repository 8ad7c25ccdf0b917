"""Publishing: the bytes as they are, cut to the server's bounds, and what became of each."""

import json
from dataclasses import replace

import pytest

from regcert.client import AsyncClient, Code, Failure, Object, Published, Status
from tests.client.conftest import refused
from tests.client.other_server import DESCRIBED, OBJECTS, TAXII
from tests.hosting import RunningHost
from tests.made import indicator, sdo

SHARED = "regional-indicators"
STATUS = "/r/status/s/"


def status(success: int = 0, pending: int = 0, failures: list[object] | None = None, **more: object) -> dict[str, object]:
    listed = {"failures": failures} if failures else {}
    counts = {"success_count": success, "failure_count": len(failures or ()), "pending_count": pending}
    state = "pending" if pending else "complete"
    return {"id": "s", "status": state, "total_count": sum(counts.values()), **counts, **listed, **more}


async def test_object_is_sent_as_its_own_bytes_when_published(host: RunningHost):
    """Given as bytes, as read elsewhere, or as a mapping: bytes go out and come back as they are."""
    spaced = json.dumps(indicator(), indent=3)[:-1].encode() + b', "x_ratio": 1.10, "name": "\\u010da"}'
    read = Object("", "indicator", None, json.dumps(indicator(name="č")).encode())
    mapped = indicator(name="Čačak")
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        assert await client.publish(SHARED, [spaced, read, mapped]) == Published(accepted=3)
        got = [one async for one in client.objects(SHARED)]
        assert [one.body for one in got[:2]] == [spaced, read.body]
        assert got[2].value == mapped
        assert await client.publish(SHARED, got) == Published(accepted=3)
        assert len([one async for one in client.objects(SHARED)]) == 3


async def test_refused_objects_are_listed_when_some_are_taken(host: RunningHost):
    """Each with its id, version and reason."""
    bad = indicator(pattern="[nonsense")
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        published = await client.publish(SHARED, [bad, indicator()])
    assert (published.accepted, published.pending) == (1, 0)
    (failure,) = published.failures
    assert (failure.stix_id, failure.version) == (bad["id"], bad["modified"])
    assert failure.message.startswith("invalid-pattern: ")


async def test_markings_and_identities_go_first_when_published(other, options):
    """What refers to them finds them; the rest keeps its order."""
    other.fixed[OBJECTS] = status(1)
    objects = [indicator(name="1"), sdo("identity"), indicator(name="2"), sdo("marking-definition")]
    async with AsyncClient(other.url, "token", options=options) as client:
        await client.publish("c", objects)
    sent = json.loads(other.asked[-1].body)["objects"]
    assert [one.get("name") or one["type"] for one in sent] == ["identity", "marking-definition", "1", "2"]
    assert other.asked[-1].headers["Content-Type"] == TAXII


@pytest.mark.parametrize(("count", "size", "requests"), [(1000, 1, 1), (1001, 1, 2), (4, 4000, 2), (2, 20_000, 2), (0, 0, 0)])
async def test_publication_is_cut_when_a_request_would_be_too_large(other, options, count, size, requests):
    """At most a thousand objects and at most the server's bytes in one request; what is too large alone goes alone."""
    most = 10_000 if size > 1 else 1_000_000
    other.fixed |= {OBJECTS: status(), "/r/": {"title": "r", "versions": [TAXII], "max_content_length": most}}
    async with AsyncClient(other.url, "token", options=options) as client:
        await client.publish("c", [{"id": "x--1", "type": "indicator", "name": "x" * size}] * count)
    bodies = [one.body for one in other.asked if one.method == "POST"]
    assert len(bodies) == requests
    assert sum(len(json.loads(body)["objects"]) for body in bodies) == count
    assert all(len(body) <= most for body in bodies if len(json.loads(body)["objects"]) > 1)


async def test_status_is_asked_for_until_it_is_complete_when_the_server_takes_its_time(other, options, slept):
    """Pending is not an end; the counts are those of the end."""
    other.fixed[OBJECTS] = status(pending=3)
    failure = {"id": "x--1", "version": "1", "message": "no"}
    other.script(STATUS, status(1, pending=2), status(2, pending=1), status(2, failures=[failure]))
    async with AsyncClient(other.url, "token", options=options) as client:
        published = await client.publish("c", [indicator()] * 3)
    assert published == Published(2, (Failure("x--1", "1", "no"),))
    assert slept.naps == [0.25, 0.5, 1.0]


async def test_pending_objects_are_told_when_patience_is_over(other, options, slept):
    """A server that never finishes is left, and nothing that is known is lost with it."""
    other.fixed |= {OBJECTS: status(1, pending=2), STATUS: status(1, pending=2)}
    async with AsyncClient(other.url, "token", options=options) as client:
        assert await client.publish("c", [indicator()] * 3, patience_s=60) == Published(1, (), pending=2)
    assert sum(slept.naps) <= 60


async def test_publication_goes_on_when_the_server_is_busy_in_the_middle(other, options):
    """One 503 among several requests ends nothing."""
    other.script(OBJECTS, status(1000), (503, b"{}", {"Retry-After": "1"}), status(1))
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await client.publish("c", [{"id": "x--1"}] * 1001)).accepted == 1001


async def test_counts_are_held_to_what_was_sent_when_the_server_exaggerates(other, options):
    """A server cannot take more than it was given nor refuse it twice, and its words are cut."""
    lies = [{"id": "x" * 9000, "version": "\x07", "message": "a\nb\x1b]0;evil\x07" * 900}] * 3
    other.fixed[OBJECTS] = {**status(10**9), "failures": lies}
    async with AsyncClient(other.url, "token", options=options) as client:
        published = await client.publish("c", [indicator()])
    assert (published.accepted, len(published.failures)) == (1, 1)
    shown = published.failures[0]
    assert (shown.stix_id + shown.version + shown.message).isprintable()
    assert len(shown.message) <= 400


async def test_status_is_read_whole_when_asked_for(other, options):
    """Every count and list of the standard."""
    one = {"id": "x--1", "version": "1"}
    other.fixed[STATUS] = status(1, 1, [{**one, "message": "no"}], successes=[one], pendings=[one], request_timestamp="t")
    async with AsyncClient(other.url, "token", options=options) as client:
        got = await client.status("s")
        assert (await refused(client.status(".."))).code is Code.REFUSED_BY_SERVER
    assert got == Status("s", "pending", "t", 3, 1, 1, 1, (("x--1", "1"),), (Failure("x--1", "1", "no"),), (("x--1", "1"),))
    assert not got.is_complete


@pytest.mark.parametrize("answer", [[], {}, {"id": "s"}, {"id": "s", "status": "complete", "success_count": "x"}, (202, b"", {})])
async def test_answer_is_refused_when_it_is_no_status(other, options, answer):
    """What became of the objects is then not known, and that is said."""
    other.fixed[OBJECTS] = answer
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.publish("c", [indicator()]))).code is Code.REFUSED_BY_SERVER


@pytest.mark.parametrize("bad", [b"", b"text", b"[]", b'{"type": "no id"}', b'{"id":"a"},{"id":"b"}'])
async def test_nothing_is_sent_when_bytes_are_no_object(other, options, bad):
    """Bytes that would break the envelope are refused before the first request."""
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.publish("c", [indicator(), bad]))).code is Code.MALFORMED_JSON
    assert other.asked == []


async def test_nothing_is_sent_when_the_collection_may_not_be_written(other, options):
    """The collection says so beforehand."""
    other.fixed["/r/collections/"] = {"collections": [{**DESCRIBED, "can_write": False}]}
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.publish("c", [indicator()]))).code is Code.FORBIDDEN
    assert other.paths("POST") == []


async def test_publication_goes_to_the_root_of_its_collection_when_there_are_several(other, options):
    """Bounds and status are those of the root that the collection belongs to."""
    other.fixed |= {
        "/taxii2/": {"title": "t", "default": "/r/", "api_roots": ["/r/", "/s/"]},
        "/s/": {"title": "s", "versions": [TAXII], "max_content_length": 400},
        "/s/collections/": {"collections": [{**DESCRIBED, "id": "22222222-2222-4333-8444-555555555555", "alias": "p"}]},
        "/s/collections/22222222-2222-4333-8444-555555555555/objects/": status(pending=1),
        "/s/status/s/": status(1),
    }
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await client.publish("p", [indicator()] * 2)).accepted == 2
        found = await client.collection("p")
        assert await client.publish(replace(found), []) == Published()
    assert len(other.paths("POST")) == 2
