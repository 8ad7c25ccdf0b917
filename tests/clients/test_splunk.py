"""Splunk, TA_CTIS_TAXII: API root, collections, then a bundle of a grouping, its author, its indicators and TLP 2.0 markings.

It writes times with six decimals, waits for the status, and tells its user of a wrong password only where that is a 401.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from requests import HTTPError
from taxii2client.v21 import ApiRoot

from tests.clients.replay import add, bundle, ids, objects_at, open_collection, say
from tests.hosting import ROOT, RunningHost
from tests.made import indicator, sdo

pytestmark = pytest.mark.asyncio(loop_scope="module")
GREEN = {
    "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "created": "2022-10-01T00:00:00.000Z", "name": "TLP:GREEN",
    "extensions": {
        "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"extension_type": "property-extension", "tlp_2_0": "green"}
    },
}  # fmt: skip


def grouping(count: int) -> list[dict[str, Any]]:
    """Make what the add-on submits for one grouping."""
    at = datetime(2026, 11, 3, 9, 30, 0, 123456, UTC)

    def stamp(number: int) -> dict[str, str]:
        text = f"{at + timedelta(microseconds=number):%Y-%m-%dT%H:%M:%S.%fZ}"
        return {"created": text, "modified": text}

    author = sdo("identity", name="Splunk user", identity_class="individual", confidence=100, **stamp(0))
    common = {"created_by_ref": author["id"], "object_marking_refs": [GREEN["id"]], "confidence": 90}
    numbers = range(1, count + 1)
    made = [indicator(f"[ipv4-addr:value = '198.51.100.{number}']", **common, **stamp(number)) for number in numbers]
    frame = sdo("grouping", name="g", context="suspicious-activity", object_refs=ids(made), **common, **stamp(count + 1))
    return [author, GREEN, *made, frame]


async def submit(host: RunningHost, collection: str, password: str, objects: list[dict[str, Any]]) -> Any:
    """Submit as the add-on does, and wait for the status."""

    def inside() -> Any:
        with ApiRoot(f"{host.url}{ROOT}", user="splunk", password=password) as root:
            opened = next(one for one in root.collections if one.id == collection)
            assert opened.can_write
            status = opened.add_objects(bundle(*objects), wait_for_completion=True, poll_interval=1, timeout=30)
            status.refresh()
            return status

    return await asyncio.to_thread(inside)


async def test_grouping_is_submitted_when_its_times_have_six_decimals(standing: RunningHost) -> None:
    """The status is complete, lists every object, and each comes back as it was written, its times too."""
    collection = await open_collection(standing)
    sent = grouping(12)
    status = await submit(standing, collection, await standing.token("alcirt", client="splunk"), sent)
    assert (status.status, status.success_count, status.failure_count) == ("complete", len(sent), 0)
    assert [one["id"] for one in status.successes] == ids(sent)
    assert await standing.objects(collection=collection) == sent


async def test_version_is_the_same_instant_when_it_is_asked_for_in_another_form(standing: RunningHost) -> None:
    """Six decimals in, three or none asked for: times are compared as instants, and no two of them are taken for one."""
    collection = await open_collection(standing)
    first = indicator(created="2026-11-03T09:30:00.120000Z", modified="2026-11-03T09:30:00.120000Z")
    near = first | {"modified": "2026-11-03T09:30:00.120001Z", "name": "near"}
    await add(standing, collection, first, near)
    for form in (
        "2026-11-03T09:30:00.12Z",
        "2026-11-03T09:30:00.120Z",
        "2026-11-03T09:30:00.1200Z",
        "2026-11-03T11:30:00.12%2B02:00",
    ):
        found = await standing.objects(collection=collection, query=f"match[version]={form}&")
        assert found == [first], form


async def test_submission_is_repeated_when_the_search_runs_again(standing: RunningHost) -> None:
    """A scheduled search submits the same grouping anew: success, and no poller gets it twice."""
    collection = await open_collection(standing)
    sent = grouping(3)
    token = await standing.token("alcirt", client="splunk")
    for _ in range(3):
        assert (await submit(standing, collection, token, sent)).success_count == len(sent)
    assert await standing.objects(collection=collection, query="match[version]=all&") == sent


async def test_user_is_told_when_the_password_is_wrong(standing: RunningHost) -> None:
    """401, with the way to sign in."""
    collection = await open_collection(standing)
    with pytest.raises(HTTPError) as caught:
        await submit(standing, collection, "wrong", grouping(1))
    assert caught.value.response.status_code == 401
    reply = await say(standing, "GET", objects_at(collection), [("Authorization", "Basic d3Jvbmc6d3Jvbmc=")])
    assert (reply.status, reply.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
