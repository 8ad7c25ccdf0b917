"""Paging while others add, supersede, revoke and delete: nothing skipped, nothing twice, for every cursor style and page size.

First step by step: whatever is done in whatever order, each page holds exactly what the rows of the database say it must. Then
all at once: writers and pollers on one host at the same time, and the books are made up at the end. What "exactly once" means for
versions that were superseded, `walkers.require_exactly_once` says.
"""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regcert.stix.timestamps import read_timestamp, write_timestamp
from tests.clients.replay import bearer, objects_at, open_collection, say
from tests.clients.walkers import STYLES, Style, Walker, list_rows, require_exactly_once
from tests.hosting import RunningHost
from tests.made import CREATED, indicator

DEEDS = ["add", "add", "add many", "newer", "newer", "older", "again", "revoke", "delete", "delete oldest", "delete newest"]
Deed = tuple[str, int]


class Writer:
    """Somebody who publishes, and takes back, objects of their own."""

    def __init__(self, host: RunningHost, collection: str, token: str) -> None:
        self.host, self.collection = host, collection
        self.authorization = bearer(token)
        self.objects: list[list[dict[str, Any]]] = []
        self.exposed: set[str] = set()
        self._later_us = read_timestamp("2026-11-02T00:00:00Z")
        self._earlier_us = read_timestamp(CREATED) - 1

    async def do(self, deed: str, number: int) -> None:
        """Do one thing; a number chooses with which object."""
        if deed.startswith("add") or not self.objects:
            made = [indicator(created="2026-01-01T00:00:00.000Z") for _ in range(3 if deed == "add many" else 1)]
            await self._post(*made)
            self.objects += [[one] for one in made]
            return
        versions = self.objects[number % len(self.objects)]
        if deed in {"newer", "revoke", "older"}:
            await self._supersede(versions, deed)
        elif deed == "again":
            await self._post(versions[number % len(versions)])
        else:
            await self._delete(versions, deed)

    async def _supersede(self, versions: list[dict[str, Any]], deed: str) -> None:
        at_us = self._earlier_us = self._earlier_us - 1 if deed == "older" else self._earlier_us
        if deed != "older":
            at_us = self._later_us = self._later_us + 1
        version = versions[0] | {"modified": write_timestamp(at_us), "revoked": deed == "revoke"}
        await self._post(version)
        versions.append(version)

    async def _delete(self, versions: list[dict[str, Any]], deed: str) -> None:
        which = {"delete": "", "delete oldest": "?match[version]=first", "delete newest": "?match[version]=last"}[deed]
        target = f"{objects_at(self.collection)}{versions[0]['id']}/{which}"
        assert (await say(self.host, "DELETE", target, [self.authorization])).status == 200
        if deed == "delete newest" and len(versions) > 1:
            self.exposed.add(versions[0]["id"])
        if which:
            choose = min if deed == "delete oldest" else max
            versions.remove(choose(versions, key=lambda one: read_timestamp(one["modified"])))
        if not which or not versions:
            self.objects.remove(versions)

    async def _post(self, *objects: dict[str, Any]) -> None:
        headers = [("Content-Type", "application/taxii+json;version=2.1"), self.authorization]
        body = self.host.http.json_serialize({"objects": objects}).encode()
        reply = await say(self.host, "POST", objects_at(self.collection), headers, body)
        assert (reply.status, reply.json["success_count"]) == (202, len(objects)), reply.body


deeds = st.tuples(st.sampled_from(DEEDS), st.integers(0, 50))
polls = st.tuples(st.just("poll"), st.integers(0, 50))
plays = st.lists(st.one_of(deeds, polls, polls), min_size=10, max_size=50)
casts = st.lists(st.sampled_from(STYLES), min_size=4, max_size=8, unique=True)


# Not shrunk: a play takes seconds, and to make a failing one smaller would take minutes. Each has its own collection on the host.
@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(play=plays, styles=casts)
async def test_page_holds_what_the_rows_say_when_anything_happens_between_two(
    host: RunningHost, play: list[Deed], styles: list[Style]
) -> None:
    """Every page of every poller is the oracle's, and at the end each has been shown everything exactly once."""
    collection, token = await open_collection(host), await host.token("alcirt")
    writer = Writer(host, collection, token)
    walkers = [Walker(style, collection, token) for style in styles]
    rows = await list_rows(host, collection)
    for deed, number in play:
        if deed == "poll":
            await walkers[number % len(walkers)].step(host, rows)
        else:
            await writer.do(deed, number)
            rows = await list_rows(host, collection)
            host.clock.at_us += number * 1000 - 20_000
    for walker in walkers:
        await walker.finish(host, rows)
        require_exactly_once(walker, rows, writer.exposed)


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.asyncio(loop_scope="module")
async def test_style_is_shown_all_once_when_it_polls_through_a_play(standing: RunningHost, style: Style) -> None:
    """Each style by itself, so that none is left to chance."""
    collection, token = await open_collection(standing), await standing.token("alcirt")
    writer, walker = Writer(standing, collection, token), Walker(style, collection, token)
    chance = random.Random(str(style))
    for _ in range(30):
        await writer.do(chance.choice(DEEDS), chance.randrange(50))
        rows = await list_rows(standing, collection)
        for _ in range(chance.randrange(3)):
            await walker.step(standing, rows)
    await walker.finish(standing, rows)
    require_exactly_once(walker, rows, writer.exposed)


TOGETHER = [
    *(Style("next", limit) for limit in (1, 7)),
    *(Style("date", limit) for limit in (1, 2, 100)),
    *(Style("both", limit) for limit in (2, 7)),
    *(Style("date", limit, "manifest") for limit in (1, 7)),
    Style("bare", 2),
    Style("stale", 2),
    Style("next", 2, "manifest"),
    Style("next", 2, every=True),
    Style("date", 7, every=True),
    Style("both", 100, "manifest", every=True),
]


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_poller_is_shown_all_once_when_everybody_is_at_work(host: RunningHost, seed: int) -> None:
    """Four writers and fifteen pollers at the same time, on a clock that jumps back and forth."""
    collection, chance = await open_collection(host), random.Random(seed)
    token = await host.token("alcirt")
    writers = [Writer(host, collection, token) for _ in range(4)]
    walkers = [Walker(style, collection, token) for style in TOGETHER]
    finished = asyncio.Event()

    async def write(writer: Writer) -> None:
        for _ in range(20):
            await writer.do(chance.choice(DEEDS), chance.randrange(50))
            host.clock.at_us += chance.randrange(-5000, 6000)

    async def poll(walker: Walker) -> None:
        while True:
            was_finished = finished.is_set()
            await walker.step(host)
            if walker.is_idle and was_finished:
                return
            if walker.is_idle:
                await asyncio.sleep(chance.random() / 50)

    polling = [asyncio.create_task(poll(walker)) for walker in walkers]
    await asyncio.gather(*(write(writer) for writer in writers))
    finished.set()
    await asyncio.gather(*polling)
    rows = await list_rows(host, collection)
    exposed = set().union(*(writer.exposed for writer in writers))
    for walker in walkers:
        require_exactly_once(walker, rows, exposed)
        places = {(row.stix_id, row.version): row.position for row in rows}
        # Where a version is now says nothing of where it was before it came into force again.
        seen = [places[one] for one in walker.seen if one in places and one[0] not in exposed]
        assert seen == sorted(seen), f"{walker.style} was shown something out of order"


@pytest.mark.parametrize("carries", ["next", "date"])
@pytest.mark.asyncio(loop_scope="module")
async def test_older_version_is_shown_when_the_newest_is_deleted_before_it_was_reached(
    standing: RunningHost, carries: str
) -> None:
    """The object was there all the time; a poller between the places of its two versions is shown it at a new one."""
    collection, token = await open_collection(standing), await standing.token("alcirt")
    writer, walker = Writer(standing, collection, token), Walker(Style(carries, 1), collection, token)
    for deed in ("add", "add", "newer"):  # one object in two versions, around another
        await writer.do(deed, 0)
    first, other = (versions[0]["id"] for versions in writer.objects)
    await walker.step(standing)
    assert [stix_id for stix_id, _ in walker.seen] == [other]
    await writer.do("delete newest", 0)
    await walker.finish(standing, None)
    assert first in [stix_id for stix_id, _ in walker.seen]
