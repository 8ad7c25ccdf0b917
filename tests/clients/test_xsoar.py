"""Cortex XSOAR and XSIAM, TAXII 2 feed: taxii2-client beneath, pages of 100, and the newest `modified` seen as `added_after`.

It tries TAXII 2.1 first and falls back to 2.0 where the server refuses that, so 2.0's media types must be refused. It stops
where a page is empty, whatever `more` says. A user name of `_api_token_key` sends the password as a token, `_header:X` sends it
as the text of header X.
"""

import asyncio
from typing import Any

import pytest
from requests.auth import AuthBase, HTTPBasicAuth
from taxii2client.common import TokenAuth
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v20 import Server as Server20
from taxii2client.v21 import Collection, Server, as_pages

from tests.clients.replay import add, basic, fill, ids, objects_at, open_collection, say
from tests.hosting import RunningHost
from tests.made import indicator, sdo

pytestmark = pytest.mark.asyncio(loop_scope="module")
TYPES = ["indicator", "report", "malware", "campaign", "attack-pattern", "course-of-action", "intrusion-set", "tool",
         "threat-actor", "infrastructure", "relationship"]  # fmt: skip


def fetch(collection: Collection, most: int = -1, added_after: str | None = None) -> list[dict[str, Any]]:
    """Fetch as the module does: it stops at an empty page."""
    found: list[dict[str, Any]] = []
    for page in as_pages(
        collection.get_objects, per_request=100 if most < 0 else min(100, most), added_after=added_after, type=TYPES
    ):
        if not page.get("objects"):
            break
        found += page["objects"]
        if 0 <= most <= len(found):
            return found[:most]
    return found


async def feed(host: RunningHost, title: str, auth: AuthBase, most: int = -1, added_after: str | None = None) -> list[Any]:
    """Begin at discovery; the root is the default one, the collection is found by its title."""

    def inside() -> list[Any]:
        with Server(f"{host.url}/taxii2/", auth=auth) as server:
            root = next(one for one in server.api_roots if one.url.rstrip("/").endswith("western-balkans"))
            collection = next(one for one in root.collections if one.title.lower() == title.lower())
            return fetch(collection, most, added_after)

    return await asyncio.to_thread(inside)


async def signed_in(host: RunningHost) -> HTTPBasicAuth:
    return HTTPBasicAuth("xsoar", await host.token("alcirt", client="xsoar"))


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
async def test_collection_is_fetched_whole_when_it_is_found_by_its_title(standing: RunningHost, count: int) -> None:
    """At a hundred a page, with eleven types in one filter: an exactly full last page is not followed by an empty one."""
    collection = await open_collection(standing, f"Fetched {count}")
    sent = await fill(standing, collection, count)
    await add(standing, collection, sdo("identity", name="n", identity_class="organization"))
    assert await feed(standing, f"Fetched {count}", await signed_in(standing)) == sent
    if count == 250:
        assert await feed(standing, f"Fetched {count}", await signed_in(standing), 30) == sent[:30]


async def test_no_page_is_empty_when_there_is_more(standing: RunningHost) -> None:
    """It would stop there: types that are rare in a large collection come in full pages all the same."""
    collection = await open_collection(standing, "Rare ones")
    rare: list[dict[str, Any]] = []
    for number in range(5):
        await add(standing, collection, *(sdo("identity", name=f"n{n}", identity_class="group") for n in range(60)))
        rare.append(sdo("malware", is_family=False, name=f"m{number}"))
        await add(standing, collection, rare[-1])

    def pages() -> list[Any]:
        url = f"{standing.url}/western-balkans/collections/{collection}/"
        with Collection(url, auth=auth) as opened:
            return [page.get("objects") for page in as_pages(opened.get_objects, per_request=2, type=["malware", "tool"])]

    auth = await signed_in(standing)
    found = await asyncio.to_thread(pages)
    assert found == [rare[:2], rare[2:4], rare[4:]]
    assert await feed(standing, "Rare ones", auth) == rare


async def test_poll_goes_on_when_its_cursor_is_the_newest_modified(standing: RunningHost) -> None:
    """Any past added_after is legal: a `modified` is earlier than the date_added, so objects come again and none is lost."""
    collection = await open_collection(standing, "By modified")
    sent = [indicator(modified=f"2026-11-02T10:00:0{number}.000Z") for number in range(4)]
    await add(standing, collection, *sent)
    newest = max(one["modified"] for one in await feed(standing, "By modified", await signed_in(standing)))
    late = indicator(modified="2026-11-01T23:00:00.000Z")
    await add(standing, collection, late)
    assert await feed(standing, "By modified", await signed_in(standing), added_after=newest) == [*sent, late]
    assert await feed(standing, "By modified", await signed_in(standing), added_after="2035-01-01T00:00:00Z") == []


async def test_client_is_refused_with_406_when_it_speaks_2_0(standing: RunningHost) -> None:
    """The module tells the version by that; a 2.0 client that got 2.1 would read nothing."""
    authorization = basic("xsoar", await standing.token("alcirt", client="xsoar"))
    for accept in ("application/vnd.oasis.taxii+json; version=2.0", "application/vnd.oasis.stix+json; version=2.0"):
        for target in ("/taxii2/", objects_at("regional-indicators")):
            assert (await say(standing, "GET", target, [("Accept", accept), authorization])).status == 406
    auth = await signed_in(standing)

    def in_2_0() -> str:
        with Server20(f"{standing.url}/taxii2/", auth=auth) as server:
            return str(server.title)

    with pytest.raises(Exception, match="406") as caught:
        await asyncio.to_thread(in_2_0)
    assert isinstance(caught.value, OSError | TAXIIServiceException)


async def test_client_signs_in_when_its_user_name_is_a_way_to_do_so(standing: RunningHost) -> None:
    """`_api_token_key` sends `Token <password>`; `_header:Authorization` sends the text that stands in the password."""
    collection = await open_collection(standing, "Signed in to")
    sent = await fill(standing, collection, 2)
    token = await standing.token("alcirt", client="xsoar")
    assert ids(await feed(standing, "Signed in to", TokenAuth(token))) == ids(sent)
    reply = await say(standing, "GET", objects_at(collection), [("Authorization", f"Bearer {token}")])
    assert reply.json["objects"] == sent


async def test_empty_fetch_has_its_list_for_a_token_of_this_client(standing: RunningHost) -> None:
    """Two bytes of `{}` are read as one character of UTF-16 by an older library beneath it (content#23776)."""
    collection = await open_collection(standing, "Empty for XSOAR")
    token = await standing.token("alcirt", client="xsoar")
    target = f"{objects_at(collection)}?limit=100&match%5Btype%5D=indicator%2Creport"
    reply = await say(standing, "GET", target, [("Accept", "application/taxii+json;version=2.1"), basic("xsoar", token)])
    assert reply.body == b'{"objects":[],"more":false}'
