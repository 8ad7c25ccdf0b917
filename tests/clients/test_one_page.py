"""Clients that read one page and follow no `next`: IntelMQ's TAXII collector and Wazuh-TI.

What is not on that page they never fetch, so their profiles make it one of 10,000.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from taxii2client.v21 import Collection

from regcert.domain.collection import ApiRoot as Root
from regcert.errors import Refusal
from regcert.flows.add_api_root import add_api_root
from tests.clients.replay import Header, add, basic, bearer, fill, ids, objects_at, open_collection, say
from tests.hosting import ROOT, RunningHost
from tests.made import indicator, sdo

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = 10_000


def wazuh_at(collection: str) -> str:
    return f"/api-root/collections/{collection}/objects/"


async def collect(host: RunningHost, collection: str, since: datetime) -> list[dict[str, Any]]:
    """Collect as IntelMQ does: one request, by a local time without a zone that is sent as if it were UTC."""
    token = await host.token("alcirt", client="intelmq")

    def inside() -> list[dict[str, Any]]:
        with Collection(f"{host.url}{ROOT}/collections/{collection}/", user="intelmq", password=token) as opened:
            assert opened.title
            found: list[dict[str, Any]] = opened.get_objects(added_after=since, type="indicator").get("objects", [])
            return found

    return await asyncio.to_thread(inside)


async def test_intelmq_gets_all_indicators_in_one_page(standing: RunningHost) -> None:
    """More than the standard page, fewer than ten thousand, and no other type."""
    collection = await open_collection(standing)
    since = datetime.fromtimestamp(standing.clock.at_us / 1_000_000, UTC).replace(tzinfo=None) - timedelta(hours=1)
    sent = await fill(standing, collection, 2300)
    await add(standing, collection, sdo("malware", is_family=False, name="m"))
    assert ids(await collect(standing, collection, since)) == ids(sent)
    strict = await say(standing, "GET", objects_at(collection), [bearer(await standing.token("alcirt"))])
    assert (len(strict.json["objects"]), strict.json["more"]) == (1000, True)


async def test_intelmq_gets_what_came_since_its_last_run(standing: RunningHost) -> None:
    """The next run asks from the time at which the bot began, less its interval; nothing new is an empty list to it."""
    collection = await open_collection(standing)
    await fill(standing, collection, 3)
    standing.clock.at_us += 7_200_000_000
    since = datetime.fromtimestamp(standing.clock.at_us / 1_000_000, UTC).replace(tzinfo=None) - timedelta(hours=1)
    assert await collect(standing, collection, since) == []
    fresh = await fill(standing, collection, 2)
    assert await collect(standing, collection, since) == fresh


async def test_wazuh_reads_the_only_path_that_it_knows(standing: RunningHost) -> None:
    """`<server>/api-root/collections/<id>/objects/`, one page of up to ten thousand, by either way to sign in."""
    try:
        await add_api_root(standing.inside.database, standing.clock, Root("api-root", "For Wazuh", "For a test."))
    except Refusal:
        pytest.fail("the root that Wazuh-TI is wired to cannot be made")
    collection = await open_collection(standing, root="api-root")
    token = await standing.token("alcirt", client="wazuh-ti")
    writing = [("Content-Type", "application/taxii+json;version=2.1"), bearer(token)]
    sent = [indicator(f"[ipv4-addr:value = '198.51.100.{number % 250}']") for number in range(1300)]
    body = standing.http.json_serialize({"objects": sent}).encode()
    assert (await say(standing, "POST", wazuh_at(collection), writing, body)).json["success_count"] == 1300
    for authorization in (bearer(token), basic("wazuh", token)):
        accepted: list[Header] = [("User-Agent", "python-requests/2.32.5"), ("Accept", "*/*"), authorization]
        page = (await say(standing, "GET", wazuh_at(collection), accepted)).json
        assert (ids(page["objects"]), page["more"]) == (ids(sent), False)


async def test_page_ends_where_the_profile_says_when_there_is_more(standing: RunningHost) -> None:
    """Ten thousand of more than that, and `more` says so to whoever would read it; `limit` is not overruled."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, PAGE + 1)
    token = await standing.token("alcirt", client="intelmq")
    page = (await say(standing, "GET", f"{objects_at(collection)}?match[type]=indicator", [basic("x", token)])).json
    assert (ids(page["objects"]), page["more"]) == (ids(sent[:PAGE]), True)
    page = (await say(standing, "GET", f"{objects_at(collection)}?limit=2", [basic("x", token)])).json
    assert (ids(page["objects"]), page["more"]) == (ids(sent[:2]), True)
