"""Clients that know no `next`: MineMeld, whose cursor is the newest `modified`, and a script that pages by added_after.

The script is what most people write first: it asks from the X-TAXII-Date-Added-Last of the page before, until a page is short.
"""

from typing import Any

import pytest

from tests.clients.replay import LAST, add, basic, bearer, dates, fill, ids, objects_at, open_collection, say
from tests.hosting import TAXII, RunningHost
from tests.made import indicator

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def naive(host: RunningHost, collection: str, limit: int | None, after: str | None = None) -> list[dict[str, Any]]:
    """Page by added_after alone, until a page is empty."""
    headers = [("Accept", "*/*"), ("User-Agent", "curl/8.14.1"), bearer(await host.token("alcirt"))]
    found: list[dict[str, Any]] = []
    while True:
        asked = [f"limit={limit}"] if limit else []
        asked += [f"added_after={after}"] if after else []
        reply = await say(host, "GET", f"{objects_at(collection)}?{'&'.join(asked)}", headers)
        if not reply.json.get("objects"):
            return found
        found += reply.json["objects"]
        assert reply.headers[LAST] != after, "the same page for ever"
        after = reply.headers[LAST]


@pytest.mark.parametrize("limit", [1, 2, 7, 100, None])
async def test_each_object_comes_once_when_paged_by_added_after_alone(standing: RunningHost, limit: int | None) -> None:
    """One envelope or many, all at the same moment of the clock: each object has a date_added of its own."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 9)
    sent += await fill(standing, collection, 4)
    assert await naive(standing, collection, limit) == sent


async def test_each_object_comes_once_when_the_collection_is_larger_than_a_page(standing: RunningHost) -> None:
    """The same beyond a thousand, with the page that a client gets who names no limit."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 2500)
    assert ids(await naive(standing, collection, None)) == ids(sent)
    assert ids(await naive(standing, collection, 999)) == ids(sent)


async def test_each_object_comes_once_when_it_resumes_at_the_manifests_dates(standing: RunningHost) -> None:
    """Whoever keeps date_added of the manifest goes on from there, at every object."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 12)
    for number, added in enumerate(await dates(standing, collection), 1):
        assert await naive(standing, collection, 5, added) == sent[number:]


@pytest.mark.parametrize("form", ["{0}Z", "{0}000Z", "{0}999Z", "{0}+00:00", "{0}%2B00:00", "{0} 00:00", "{0}z", "{0}-00:00"])
async def test_place_is_the_same_when_it_is_written_another_way(standing: RunningHost, form: str) -> None:
    """Nanoseconds, an offset, a `+` that nobody encoded: the instant counts, to the microsecond."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 5)
    added = (await dates(standing, collection))[2].removesuffix("Z")
    written = form.format(added).replace(" ", "%20").replace("T", "t" if form.endswith("z") else "T")
    assert await naive(standing, collection, 2, written) == sent[3:]


async def mine(host: RunningHost, collection: str, known: dict[str, str]) -> list[str]:
    """Poll as MineMeld does: everything from the newest `modified` that it knows; keeps ids with their `modified`."""
    headers = [("Accept", TAXII), basic("minemeld", await host.token("alcirt", client="minemeld"))]
    asked = f"?added_after={max(known.values())}" if known else ""
    found: list[dict[str, Any]] = []
    while True:
        page = (await say(host, "GET", f"{objects_at(collection)}{asked}", headers)).json
        found += page.get("objects", [])
        if not page.get("more"):
            break
        asked = f"{asked.partition('&next=')[0] or '?'}&next={page['next']}"
    fresh = [one["id"] for one in found if known.get(one["id"], "") < one["modified"]]
    known |= {one["id"]: one["modified"] for one in found}
    return fresh


async def test_every_object_is_mined_when_the_cursor_is_the_newest_modified(standing: RunningHost) -> None:
    """`modified` lies before date_added, so what was seen comes again and what is new comes too, also when published late."""
    collection = await open_collection(standing)
    known: dict[str, str] = {}
    first = [indicator(modified=f"2026-11-0{day}T10:00:00.000Z") for day in (2, 3, 4)]
    await add(standing, collection, *first)
    assert await mine(standing, collection, known) == ids(first)
    assert await mine(standing, collection, known) == []
    late = indicator(modified="2026-11-02T09:00:00.000Z")
    newer = first[0] | {"modified": "2026-11-06T10:00:00.000Z"}
    await add(standing, collection, late, newer)
    assert await mine(standing, collection, known) == ids([late, newer])


async def test_added_after_is_exclusive_when_it_is_exactly_a_date_added(standing: RunningHost) -> None:
    """Inclusive, it would give the last object again for ever (minemeld-core#400)."""
    collection = await open_collection(standing)
    await fill(standing, collection, 3)
    added = await dates(standing, collection)
    assert await naive(standing, collection, 10, added[-1]) == []
    assert len(await naive(standing, collection, 10, added[0])) == 2
