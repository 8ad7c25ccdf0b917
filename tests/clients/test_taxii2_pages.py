"""taxii2-client pages through a collection of several thousand objects, at every size, and goes on from anywhere.

It asks again with a smaller `limit` where a page is shorter than it asked for, in the middle of its paging, and it puts `next`
and the filters of the first page on every request: a cursor that stood on either would lose objects here.
"""

from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.clients.desk import Desk, entries, paged
from tests.clients.replay import dates, fill, ids, open_collection
from tests.hosting import RunningHost
from tests.made import sdo

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOTAL, SMALL = 5200, 40


class Filled(NamedTuple):
    """A collection that holds something, and what it holds."""

    desk: Desk
    collection: str
    sent: list[dict[str, Any]]
    dates: list[str]


async def filled(host: RunningHost, count: int) -> Filled:
    collection = await open_collection(host)
    sent = await fill(host, collection, count)
    return Filled(Desk(host, await host.token("alcirt")), collection, sent, await dates(host, collection))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(standing: RunningHost) -> Filled:
    """A collection of more than the library's largest page."""
    return await filled(standing, TOTAL)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small(standing: RunningHost) -> Filled:
    """A collection of which every place is looked at."""
    return await filled(standing, SMALL)


async def test_dates_rise_when_a_collection_is_large(large: Filled) -> None:
    """One date_added an object, each later than the one before: what every test below goes on from."""
    assert len(large.dates) == TOTAL
    assert large.dates == sorted(set(large.dates))


@pytest.mark.parametrize("per_request", [100, 1000, 5000, 0])
async def test_objects_come_once_when_paged_in_any_size(large: Filled, per_request: int) -> None:
    """as_pages partitions thousands of objects, in their order; 0 is how it asks without a limit."""
    found = await large.desk.do(lambda collection: paged(collection, per_request), large.collection)
    assert ids(found) == ids(large.sent)


@pytest.mark.parametrize("per_request", [100, 1000, 5000])
async def test_manifest_comes_once_when_paged_in_any_size(large: Filled, per_request: int) -> None:
    """The same for get_manifest, whose `next` is ours: the standard gives it none."""
    found = await large.desk.do(lambda collection: entries(collection, per_request), large.collection)
    assert [(entry["id"], entry["date_added"]) for entry in found] == list(zip(ids(large.sent), large.dates, strict=True))


async def test_objects_come_once_when_paged_one_by_one(large: Filled) -> None:
    """At one object a page, over the last sixty: each page is its own request, and `added_after` goes with every one."""
    after = large.dates[-61]
    found = await large.desk.do(lambda collection: paged(collection, 1, added_after=after), large.collection)
    assert found == large.sent[-60:]
    found = await large.desk.do(lambda collection: entries(collection, 1, added_after=after), large.collection)
    assert ids(found) == ids(large.sent[-60:])


@pytest.mark.parametrize("per_request", [1, 7, 1000])
async def test_poller_misses_nothing_when_it_resumes_at_every_object(small: Filled, per_request: int) -> None:
    """`added_after` set to the date_added of object n gives exactly the objects behind n, for every n."""
    step = 5 if per_request == 1 else 1

    def resume(collection: Any) -> None:
        for place in range(0, SMALL, step):
            found = paged(collection, per_request, added_after=small.dates[place])
            assert ids(found) == ids(small.sent[place + 1 :]), place

    await small.desk.do(resume, small.collection)


@pytest.mark.parametrize("per_request", [100, 1000, 5000])
async def test_poller_misses_nothing_when_it_resumes_at_every_page(large: Filled, per_request: int) -> None:
    """At each page boundary, one object before it and one behind it, the next page begins with the next object."""

    def resume(collection: Any) -> None:
        for edge in range(per_request, TOTAL, per_request):
            for place in (edge - 2, edge - 1, edge):
                page = collection.get_objects(limit=5, added_after=large.dates[place])
                assert ids(page["objects"]) == ids(large.sent[place + 1 : place + 6]), place

    await large.desk.do(resume, large.collection)


async def test_next_goes_on_when_the_client_changes_its_limit(large: Filled) -> None:
    """The library does so in the middle of paging, where a page is shorter than it asked: no cursor hangs on a limit."""

    def page(collection: Any) -> list[str]:
        found: list[str] = []
        limits = iter([3, 1000, 1, 700, 2500, 10_000])
        envelope = collection.get_objects(limit=next(limits))
        found += ids(envelope["objects"])
        while envelope.get("more"):
            envelope = collection.get_objects(limit=next(limits), next=envelope["next"])
            found += ids(envelope["objects"])
        return found

    assert await large.desk.do(page, large.collection) == ids(large.sent)


async def test_filters_hold_on_every_page_when_a_client_pages_through_them(standing: RunningHost) -> None:
    """By type, by id and by version, at one and seven objects a page."""
    desk = Desk(standing, await standing.token("alcirt"))
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 20)
    others = [sdo("malware", is_family=False, name=f"m{number}") for number in range(5)]
    newer = [one | {"modified": "2026-11-02T10:00:00.000Z"} for one in sent[:9]]
    for some in (others, newer):
        assert (await standing.post(some, collection=collection))[1]["failure_count"] == 0

    def filter_all(opened: Any) -> None:
        for per_request in (1, 7):
            assert paged(opened, per_request, type="malware") == others
            assert paged(opened, per_request, type="indicator") == sent[9:] + newer
            assert paged(opened, per_request, id=ids(sent[5:12])) == sent[9:12] + newer[5:]
            assert paged(opened, per_request, version="all") == sent + others + newer
            assert paged(opened, per_request, version="first") == sent + others
            assert paged(opened, per_request, version="2026-11-02T10:00:00Z") == newer
            assert ids(entries(opened, per_request, version="all")) == ids(sent + others + newer)

    await desk.do(filter_all, collection)
