"""Elastic Agent, custom threat intelligence (ti_custom): `/?` behind the address, and its place in X-TAXII-Date-Added-Last.

Up to 1.8.1 it leaves `added_after` out on page 2 and asks by `next` alone, from 1.8.2 it sends both. It goes on exactly as long
as there is a `next`. Its place is the header of the last answer, whatever that answer was: it is kept for each page, since the
agent may be restarted between two, and an answer without the header empties it, after which the whole first interval comes
again. It reads the list of objects of every answer.
"""

from typing import Any
from urllib.parse import quote

import pytest

from regcert.stix.timestamps import read_timestamp
from tests.clients.replay import LAST, Header, add, basic, bearer, dates, fill, ids, in_seconds, objects_at, open_collection, say
from tests.hosting import RunningHost
from tests.made import sdo
from tests.wire.asking import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY_US = 86_400_000_000


class Agent:
    """The input's state, which is written to disk behind every page."""

    def __init__(self, url: str, authorization: Header, *, limit: int | None = None, sends_both: bool = True) -> None:
        self.url, self.authorization, self.limit, self.sends_both = url, authorization, limit, sends_both
        self.interval_us: int | None = 7 * DAY_US
        self.place: str | None = None
        self.events: list[dict[str, Any]] = []

    async def poll(self, host: RunningHost, most_pages: int = 1000) -> list[Reply]:
        """Run one interval; `most_pages` cuts it short as a restart of the agent does."""
        replies: list[Reply] = []
        asked = self._first(host)
        while len(replies) < most_pages:
            reply = await self._get(host, asked)
            replies.append(reply)
            self.events += reply.json["objects"]  # an error event where there is no list
            self.place = reply.headers.get(LAST)
            following = reply.json.get("next")
            if not following:
                break
            asked = self._page(asked, following)
        return replies

    def _first(self, host: RunningHost) -> str:
        if self.interval_us is None:
            return self.url
        after = self.place or in_seconds(host.clock.at_us - self.interval_us)
        return self._with({"added_after": after})

    def _page(self, asked: str, following: str) -> str:
        after = asked.partition("added_after=")[2].partition("&")[0]
        return self._with(({"added_after": after.replace("%3A", ":")} if self.sends_both and after else {}) | {"next": following})

    def _with(self, query: dict[str, str]) -> str:
        """Write the query as Go does: by name, percent-encoded."""
        if self.limit is not None:
            query = query | {"limit": str(self.limit)}
        written = "&".join(f"{name}={quote(query[name], safe='')}" for name in sorted(query))
        return f"{self.url.rstrip('/')}/?{written}"

    async def _get(self, host: RunningHost, target: str) -> Reply:
        headers = [
            ("User-Agent", "Elastic-Filebeat/9.2.1"),
            ("Accept", "application/taxii+json;version=2.1"),
            ("Accept-Encoding", "gzip"),
            ("Content-Type", "application/taxii+json;version=2.1"),
            self.authorization,
        ]
        reply = await say(host, "GET", target, headers)
        assert reply.status in {200, 206}, reply.body
        return reply


async def agent(host: RunningHost, collection: str, **settings: Any) -> Agent:
    return Agent(objects_at(collection), bearer(await host.token("alcirt", client="elastic")), **settings)


@pytest.mark.parametrize("sends_both", [False, True])
@pytest.mark.parametrize("limit", [None, 1, 3, 100])
async def test_every_object_is_one_event_when_the_agent_polls(
    standing: RunningHost, limit: int | None, sends_both: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """Page after page by `next` alone or beside added_after, poll after poll: each object once, and idle polls bring none."""
    collection = await open_collection(standing)
    polling = await agent(standing, collection, limit=limit, sends_both=sends_both)
    sent: list[dict[str, Any]] = []
    for count in (5, 0, 1, 4, 0):
        standing.clock.at_us += 60_000_000
        sent += await fill(standing, collection, count)
        await polling.poll(standing)
        assert polling.events == sent


async def test_filter_is_kept_when_page_two_carries_next_alone(standing: RunningHost) -> None:
    """Up to 1.8.1: added_after still decides on page 2, also which version of an object is the newest (integrations#12084).

    The late one is older than what was there before the interval: without added_after it would be no version in force.
    """
    collection = await open_collection(standing)
    early = await fill(standing, collection, 4)
    standing.clock.at_us += 30 * DAY_US
    young = await fill(standing, collection, 3)
    late = early[0] | {"created": "2026-10-01T10:00:00.000Z", "modified": "2026-10-01T10:00:00.000Z"}
    newer = early[1] | {"modified": "2026-11-02T10:00:00.000Z"}
    await add(standing, collection, late, newer)
    polling = await agent(standing, collection, limit=2, sends_both=False)
    await polling.poll(standing)
    assert polling.events == [*young, late, newer]


async def test_place_stays_when_nothing_is_new(standing: RunningHost) -> None:
    """An empty answer has its list and repeats added_after; the place does not move, however often."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 3)
    polling = await agent(standing, collection)
    await polling.poll(standing)
    place = polling.place
    assert place == (await dates(standing, collection))[-1]
    for _ in range(3):
        (reply,) = await polling.poll(standing)
        assert (reply.body, polling.place) == (b'{"objects":[],"more":false}', place)
    assert polling.events == sent


async def test_place_is_the_beginning_of_the_interval_when_there_was_never_anything(standing: RunningHost) -> None:
    """The first poll of an empty collection repeats what it asked, as an instant."""
    polling = await agent(standing, await open_collection(standing))
    await polling.poll(standing)
    assert polling.place is not None
    assert read_timestamp(polling.place) == (standing.clock.at_us - 7 * DAY_US) // 1_000_000 * 1_000_000


@pytest.mark.parametrize("sends_both", [False, True])
async def test_place_stays_when_the_next_page_was_deleted(standing: RunningHost, sends_both: bool) -> None:  # noqa: FBT001
    """The page behind `next` is empty, because its objects are gone: the agent keeps its place, and no object comes twice."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 4)
    polling = await agent(standing, collection, limit=2, sends_both=sends_both)
    token = await standing.headers("alcirt")
    asked = polling._first(standing)
    page = await polling._get(standing, asked)
    for gone in sent[2:]:
        await say(standing, "DELETE", f"{objects_at(collection)}{gone['id']}/", token.items())
    empty = await polling._get(standing, polling._page(asked, page.json["next"]))
    assert empty.json["objects"] == []
    assert LAST in empty.headers, "without it the place is emptied, and the whole interval comes again"
    assert read_timestamp(empty.headers[LAST]) >= read_timestamp(page.headers[LAST])


async def test_each_page_is_a_place_when_the_agent_restarts_behind_it(standing: RunningHost) -> None:
    """The header of page n leads to page n + 1, for every n."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 9)
    polling = await agent(standing, collection, limit=2)
    for _ in range(5):
        await polling.poll(standing, most_pages=1)
    assert polling.events == sent


async def test_agent_stops_when_there_is_no_more(standing: RunningHost) -> None:
    """It looks at `next` only: a `next` beside more:false would be followed for ever."""
    collection = await open_collection(standing)
    await fill(standing, collection, 4)
    polling = await agent(standing, collection, limit=2)
    replies = await polling.poll(standing)
    assert [("next" in reply.json, reply.json["more"]) for reply in replies] == [(True, True), (False, False)]


async def test_address_is_taken_as_typed_when_there_is_no_interval(standing: RunningHost) -> None:
    """Without an initial interval the address goes out as it stands, slash or none, and everything comes each time."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 2)
    for url in (objects_at(collection), objects_at(collection).rstrip("/"), objects_at(collection).rstrip("/") + "/?"):
        polling = Agent(url, basic("elastic", await standing.token("alcirt", client="elastic")))
        polling.interval_us = None
        await polling.poll(standing)
        assert polling.events == sent


async def test_new_version_is_an_event_of_its_own(standing: RunningHost) -> None:
    """A revocation comes to the agent as any new object does, once."""
    collection = await open_collection(standing)
    polling = await agent(standing, collection)
    one = sdo("malware", is_family=False, name="m")
    revoked = one | {"modified": "2026-11-02T10:00:00.000Z", "revoked": True}
    for version in (one, revoked):
        standing.clock.at_us += 1_000_000
        await standing.post([version], collection=collection)
        await polling.poll(standing)
    assert polling.events == [one, revoked]


async def test_empty_answer_is_the_standards_when_the_token_names_no_client(standing: RunningHost) -> None:
    """Strict by default: `{}` and no header."""
    collection = await open_collection(standing)
    target = f"{objects_at(collection)}?added_after=2026-11-21T19:55:39Z"
    reply = await say(standing, "GET", target, [bearer(await standing.token("alcirt"))])
    assert (reply.body, LAST in reply.headers) == (b"{}", False)
    assert ids(reply.json.get("objects", [])) == []
