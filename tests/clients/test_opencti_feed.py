"""OpenCTI's own TAXII feed: one page a tick, and its place in a database, for hours and over restarts of either side.

It keeps `next` while there is more, and `added_after`, always sends both together, and takes the new `added_after` from
X-TAXII-Date-Added-Last of the last page, after it went through JavaScript's Date, which keeps milliseconds. Without that header
it would take its own clock and lose what came in between.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from regcert.settings import Settings
from tests.clients.replay import LAST, Header, basic, bearer, fill, ids, in_javascript, open_collection, say
from tests.hosting import ROOT, RunningHost, StillClock, run_host
from tests.made import indicator

on_standing_host = pytest.mark.asyncio(loop_scope="module")


class Feed:
    """What the platform keeps of a feed, and what it does at each tick."""

    def __init__(self, collection: str, authorization: Header, limit: int | None = None) -> None:
        self.collection, self.authorization, self.limit = collection, authorization, limit
        self.next: str | None = None
        self.added_after: str | None = None
        self.got: list[dict[str, Any]] = []

    def target(self) -> str:
        """Write the address as axios does: what is undefined is left out."""
        parameters = {"next": self.next, "added_after": self.added_after, "limit": self.limit}
        query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items() if value is not None)
        return f"{ROOT}/collections/{self.collection}/objects/" + (f"?{query}" if query else "")

    async def tick(self, host: RunningHost) -> int:
        """Fetch one page; return how many objects came."""
        headers = [("Accept", "application/taxii+json;version=2.1"), ("User-Agent", "axios/1.13.2"), self.authorization]
        reply = await say(host, "GET", self.target(), headers)
        assert reply.status == 200, reply.body
        objects = reply.json.get("objects", [])
        self.got += objects
        if not objects:
            return 0
        if reply.json.get("more"):
            assert reply.json["next"] not in {None, "", self.next}, "there is more and no way on"
            self.next = reply.json["next"]
        else:
            self.next, self.added_after = None, in_javascript(reply.headers[LAST])
        return len(objects)

    async def until_idle(self, host: RunningHost) -> None:
        """Tick until nothing comes that is new."""
        while True:
            known = len(set(ids(self.got)))
            await self.tick(host)
            if self.next is None and len(set(ids(self.got))) == known:
                return


async def test_nothing_is_lost_when_the_host_restarts_between_two_pages(settings: Settings, clock: StillClock) -> None:
    """`next` and `added_after` of the host that was are good for the host that is, a day later, and more than once."""
    async with run_host(settings, clock) as host:
        collection = await open_collection(host)
        authorization = bearer(await host.token("alcirt", client="opencti"))
        feed = Feed(collection, authorization, 3)
        sent = await fill(host, collection, 8)
        assert await feed.tick(host) == 3
    clock.at_us += 86_400_000_000
    async with run_host(settings, clock) as host:
        kept = feed.next
        assert await feed.tick(host) == 3
        again = Feed(collection, authorization, 3)
        again.next = kept
        assert await again.tick(host) == 3
        assert again.got == feed.got[3:]
        assert await feed.tick(host) == 2
        assert feed.got == sent
        more = [indicator() for _ in range(4)]
        await host.post(more, collection=collection)
    clock.at_us -= 3_600_000_000  # the machine's clock is put back while it is down
    async with run_host(settings, clock) as host:
        await feed.until_idle(host)
        assert list(dict.fromkeys(ids(feed.got))) == ids(sent + more)


@on_standing_host
@pytest.mark.parametrize("limit", [None, 1, 2, 7])
async def test_only_the_last_millisecond_comes_again_when_dates_are_cut(standing: RunningHost, limit: int | None) -> None:
    """Cut to milliseconds, added_after gives that millisecond again and not one object from before it; and it ends."""
    collection = await open_collection(standing)
    feed = Feed(collection, bearer(await standing.token("alcirt", client="opencti")), limit)
    sent: list[dict[str, Any]] = []
    for count in (3, 1, 5):
        standing.clock.at_us += 10_000_000
        sent += await fill(standing, collection, count)
        await feed.until_idle(standing)
        assert set(ids(feed.got)) == set(ids(sent))
    before = len(feed.got)
    await feed.tick(standing)
    assert len(feed.got) - before <= 5
    assert set(ids(feed.got[before:])) <= set(ids(sent[-5:]))


@on_standing_host
async def test_page_says_when_it_ends_when_it_is_not_empty(standing: RunningHost) -> None:
    """X-TAXII-Date-Added-Last on every page that holds something: the platform's own clock would take its place."""
    collection = await open_collection(standing)
    await fill(standing, collection, 5)
    feed = Feed(collection, basic("opencti", await standing.token("alcirt", client="opencti")), 2)
    for expected in (2, 2, 1):
        reply = await say(standing, "GET", feed.target(), [feed.authorization])
        assert LAST in reply.headers
        assert await feed.tick(standing) == expected


@on_standing_host
async def test_deleted_page_does_not_stop_the_feed_when_it_was_its_next(standing: RunningHost) -> None:
    """Its `next` points behind objects that are gone: the page is empty, and what comes later is fetched all the same."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 4)
    feed = Feed(collection, bearer(await standing.token("alcirt", client="opencti")), 2)
    await feed.tick(standing)
    headers = await standing.headers("alcirt")
    for gone in sent[1:]:
        target = f"{ROOT}/collections/{collection}/objects/{gone['id']}/"
        assert (await say(standing, "DELETE", target, headers.items())).status == 200
    assert await feed.tick(standing) == 0
    fresh = await fill(standing, collection, 3)
    while await feed.tick(standing) and feed.next:
        pass
    assert ids(feed.got) == ids(sent[:2] + fresh)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A restart is the same on both databases; the cursor never touches them."""
    return f"sqlite:///{tmp_path}/regcert.db"
