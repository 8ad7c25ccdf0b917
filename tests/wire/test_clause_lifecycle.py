"""What stays, what goes, and how a poller gets on while it does.

Spec: TAXII 2.1 §1.6.11, §3.5, §3.7, §4.3, §5.4 to §5.8
"""

from typing import Any

import pytest

from regcert.settings import Settings
from regcert.stix.timestamps import write_timestamp
from tests.hosting import ROOT, RunningHost, StillClock, run_host
from tests.made import CREATED, indicator, sdo
from tests.stix.examples import MINIMAL
from tests.wire.asking import INDICATORS, OBJECTS, ask

DAY_US = 86_400_000_000
LAST = "X-TAXII-Date-Added-Last"
MANIFEST = f"{INDICATORS}/manifest/"
LATER = "2026-11-02T10:00:00.000001Z"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.clause("1.6.11-t1", "4.3-s1", "4.3-s2", "4.3.1-y2", "4.3.1-y3", "5.5-s1")
async def test_status_and_object_stay_when_a_day_has_passed_and_the_host_was_restarted(
    settings: Settings, clock: StillClock
) -> None:
    """A status that is complete is told again as it was, a day later and after a restart; objects stay for years."""
    sent = indicator()
    async with run_host(settings, clock) as host:
        code, status = await host.post([sent, indicator(pattern_type=7)])
        assert (code, status["status"]) == (202, "complete")
        tokens = host.tokens
    clock.at_us += DAY_US + 1
    async with run_host(settings, clock) as host:
        host.tokens = tokens
        for _ in range(2):
            again = await ask(host, "GET", f"{ROOT}/status/{status['id']}/")
            assert (again.status, again.json) == (200, status)
        clock.at_us += 3650 * DAY_US
        assert await host.objects() == [sent]


async def page_by_date(host: RunningHost, path: str, query: str) -> list[Any]:
    """Poll with the date of the last item, as a client does that knows no `next`."""
    items: list[Any] = []
    following = ""
    while True:
        reply = await ask(host, "GET", f"{path}?{query}{following}")
        assert reply.status == 200
        items += reply.json.get("objects", [])
        if not reply.json.get("more"):
            return items
        following = f"&added_after={reply.headers[LAST]}"


async def page_by_both(host: RunningHost, path: str, query: str) -> list[Any]:
    """Poll with `next` and the date of the last item together, as OpenCTI's ingester does."""
    items: list[Any] = []
    following = ""
    while True:
        reply = await ask(host, "GET", f"{path}?{query}{following}")
        assert reply.status == 200
        items += reply.json.get("objects", [])
        if not reply.json.get("more"):
            return items
        following = f"&next={reply.json['next']}&added_after={reply.headers[LAST]}"


@pytest.mark.clause("3.5-t2", "3.4-t1", "3.2-m3", "3.4-t2", "3.3-m1")
async def test_poller_sees_each_object_once_when_it_goes_on_by_the_last_date(host: RunningHost) -> None:
    """At every page size, on objects and manifest, with and without filters, alone and together with `next`."""
    one = indicator()
    sent = [one, sdo("tool", name="t"), one | {"modified": LATER}, *[indicator() for _ in range(6)], sdo("tool", name="u")]
    await host.post(sent[:7])
    await host.post(sent[7:])
    for query in ("match[version]=all&", "", "match[type]=indicator&", "match[type]=tool&"):
        for path in (OBJECTS, MANIFEST):
            whole = (await ask(host, "GET", f"{path}?{query}")).json["objects"]
            for limit in (1, 2, 3, 7, 1000):
                assert await page_by_date(host, path, f"{query}limit={limit}") == whole
                assert await page_by_both(host, path, f"{query}limit={limit}") == whole


@on_sqlite
@pytest.mark.clause("3.5-t1", "3.4-t2")
async def test_next_goes_on_when_the_limit_changes_on_the_way(host: RunningHost) -> None:
    """taxii2-client asks for less once it got less than it asked for."""
    sent = [indicator() for _ in range(10)]
    await host.post(sent)
    items: list[Any] = []
    query = "limit=1"
    for limit in (4, 2, 1, 10_000):
        page = (await ask(host, "GET", f"{OBJECTS}?{query}")).json
        items += page["objects"]
        query = f"limit={limit}&next={page.get('next')}"
    page = (await ask(host, "GET", f"{OBJECTS}?{query}")).json
    assert items + page["objects"] == sent


@on_sqlite
@pytest.mark.clause("3.5-t3")
async def test_page_is_empty_when_what_was_left_is_gone(host: RunningHost) -> None:
    """`more` was true when it was said; the next page is an empty envelope."""
    sent = [indicator() for _ in range(3)]
    await host.post(sent)
    page = (await ask(host, "GET", f"{OBJECTS}?limit=1")).json
    assert page["more"] is True
    for gone in sent[1:]:
        await ask(host, "DELETE", f"{OBJECTS}{gone['id']}/")
    after = await ask(host, "GET", f"{OBJECTS}?limit=1&next={page['next']}")
    assert (after.status, after.body) == (200, b"{}")


@pytest.mark.clause("5.7-y1", "5.7-y2", "5.7-m1", "5.7-m3")
async def test_object_stays_in_other_collections_when_it_is_deleted_from_one(host: RunningHost) -> None:
    """A deletion is of one collection: objects, manifest, versions and the object itself stay in the other."""
    one = indicator()
    there = f"{ROOT}/collections/public"
    await host.post([one])
    await host.post([one], collection="public")
    assert (await ask(host, "DELETE", f"{OBJECTS}{one['id']}/")).status == 200
    assert await host.objects() == []
    assert (await ask(host, "GET", MANIFEST)).body == b"{}"
    assert await host.objects(collection="public") == [one]
    for path in ("/manifest/", f"/objects/{one['id']}/", f"/objects/{one['id']}/versions/"):
        assert (await ask(host, "GET", there + path)).status == 200
    assert [line["id"] for line in (await ask(host, "GET", f"{there}/manifest/")).json["objects"]] == [one["id"]]


@on_sqlite
@pytest.mark.clause("5.7-m2", "5.7-m3", "5.6-m4", "5.4-m3")
async def test_object_is_not_found_when_its_last_version_was_deleted(host: RunningHost) -> None:
    """One version gone: an empty envelope for it, and nobody lists it. All gone: 404 for whatever asks for the object."""
    one = indicator()
    await host.post([one, one | {"modified": LATER}])
    address = f"{OBJECTS}{one['id']}/"
    await ask(host, "DELETE", f"{address}?match[version]={LATER}")
    reply = await ask(host, "GET", f"{address}?match[version]={LATER}")
    assert (reply.status, reply.body) == (200, b"{}")
    assert (await ask(host, "GET", f"{address}versions/")).json["versions"] == [CREATED]
    assert [line["version"] for line in (await ask(host, "GET", f"{MANIFEST}?match[version]=all")).json["objects"]] == [CREATED]
    await ask(host, "DELETE", address)
    for method, path in (
        ("GET", address),
        ("GET", f"{address}?match[version]=all"),
        ("GET", f"{address}versions/"),
        ("DELETE", address),
    ):
        assert (await ask(host, method, path)).status == 404
    for path in (OBJECTS, f"{OBJECTS}?match[id]={one['id']}&match[version]=all", MANIFEST):
        assert (await ask(host, "GET", path)).body == b"{}"


@on_sqlite
@pytest.mark.clause("3.7-m2", "4.3.1-m6", "5.6-m1")
async def test_object_of_every_sort_comes_back_when_stix_defines_it(host: RunningHost) -> None:
    """Domain objects, relationships, observables, languages, markings and extensions, under their own ids."""
    sent = list(MINIMAL.values())
    status = (await host.post(sent))[1]
    refused = {one["id"]: one["message"] for one in status.get("failures", [])}
    assert refused == {}
    assert [one["id"] for one in status["successes"]] == [one["id"] for one in sent]
    assert await host.objects() == sent
    for one in sent:
        assert (await ask(host, "GET", f"{OBJECTS}{one['id']}/")).json["objects"] == [one]


@on_sqlite
@pytest.mark.clause("3.7-m2", "4.3.1-s1")
async def test_what_is_no_stix_is_not_stored_when_it_is_posted(host: RunningHost) -> None:
    """It is a failure with a version of its own, and no envelope ever holds it."""
    received = write_timestamp(host.clock.at_us)
    _, status = await host.post([{"name": "no type"}, {"type": "indicator"}, "text", 1])  # type: ignore[list-item]
    assert (status["success_count"], status["failure_count"]) == (0, 4)
    assert {one["version"] for one in status["failures"]} == {received}
    assert (await ask(host, "GET", OBJECTS)).body == b"{}"


@on_sqlite
@pytest.mark.clause("3.4.1-m5", "4.3.1-m8", "5.3.1-m3", "5.8-m1")
async def test_version_is_created_when_there_is_no_modified(host: RunningHost) -> None:
    """In the status, the manifest, the versions and the filter, in the object's own text."""
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--34ed5bd3-98c6-4d1a-9a3b-1f2f3a4b5c6d",
        "created": "2026-11-01T10:00:00.10Z",
        "definition_type": "statement",
        "definition": {"statement": "x"},
    }
    _, status = await host.post([marking])
    assert status["successes"] == [{"id": marking["id"], "version": marking["created"]}]
    assert (await ask(host, "GET", MANIFEST)).json["objects"][0]["version"] == marking["created"]
    assert (await ask(host, "GET", f"{OBJECTS}{marking['id']}/versions/")).json["versions"] == [marking["created"]]
    assert await host.objects(query="match[version]=2026-11-01T10:00:00.1Z") == [marking]
    assert await host.objects(query="match[version]=2026-11-01T10:00:00.2Z") == []


@on_sqlite
@pytest.mark.clause("2-m5", "3.2-m4", "3.7-t2", "5.4-m3")
async def test_empty_answer_is_written_out_when_a_profile_asks_for_it(host: RunningHost) -> None:
    """Elastic's token gets its list and the date it asked from; every other token gets what the standard says."""
    await host.post([indicator()])
    profile = {"Authorization": f"Bearer {await host.token('alcirt', client='elastic')}"}
    path = f"{OBJECTS}?added_after={host.at(9)}"
    kind, strict = await ask(host, "GET", path, headers=profile), await ask(host, "GET", path)
    assert kind.json == {"objects": [], "more": False}
    assert kind.headers[LAST] == host.at(9)
    assert (strict.body, LAST in strict.headers) == (b"{}", False)
