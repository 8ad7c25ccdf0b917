"""The host is killed while it takes and gives: what was acknowledged is there once, and whoever polled goes on where they were.

`regcert serve` is two processes. The intake alone is killed, and then both at once, at moments that a seed chooses; publishers
send again what was not acknowledged, as the refusal tells them, and pollers keep nothing but their cursor.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from regcert.clock import SystemClock
from regcert.domain.principal import Role
from regcert.flows.create_token import TokenOrder, create_token
from regcert.settings import Settings
from regcert.store.database import open_database
from tests.clients.replay import LAST
from tests.clients.served import Served, serve
from tests.hosting import ROOT, TAXII
from tests.made import envelope, indicator

HERE = f"{ROOT}/collections/regional-indicators"
PUBLISHERS, PER_ENVELOPE = 4, 3


class Region:
    """A host that is killed now and then, and those who live with it."""

    def __init__(self, settings: Settings, folder: Path, http: aiohttp.ClientSession) -> None:
        self.settings, self.folder, self.http = settings, folder, http
        self.acknowledged: list[str] = []
        self.doubtful = 0
        self.is_over, self.is_quiet = asyncio.Event(), asyncio.Event()
        self.is_up = asyncio.Event()
        self._served: Served | None = None
        self._stack = ExitStack()
        self._begun = 0
        self._heard = asyncio.Condition()

    async def begin(self) -> None:
        """Serve, on whatever port is free."""
        self._begun += 1
        self._stack = ExitStack()
        serving = serve(self.settings, self.folder, self.folder / f"serve-{self._begun}.log")
        self._served = await asyncio.to_thread(self._stack.enter_context, serving)
        self.is_up.set()

    async def end(self) -> None:
        """Kill both processes and wait until they are gone."""
        self.is_up.clear()
        await asyncio.to_thread(self._stack.close)

    def kill_intake(self) -> None:
        assert self._served is not None
        self._served.kill_intake()

    async def ask(self, method: str, target: str, body: bytes | None = None) -> tuple[int, dict[str, Any], str]:
        """Ask until the host answers anything but that it is busy; wait for it where it is down."""
        while True:
            await self.is_up.wait()
            assert self._served is not None
            url = URL(self._served.url + target, encoded=True)
            try:
                async with self.http.request(method, url, data=body) as response:
                    answer = await response.json(content_type=None)
                    if response.status < 500:
                        return response.status, answer, response.headers.get(LAST, "")
                    assert response.status == 503, answer
            except (aiohttp.ClientError, ConnectionError):
                pass
            self.doubtful += 1
            await asyncio.sleep(0.05)

    async def publish(self) -> None:
        """Publish until it is over; send the same again until it is acknowledged."""
        while not self.is_over.is_set():
            objects = [indicator() for _ in range(PER_ENVELOPE)]
            status, answer, _ = await self.ask("POST", f"{HERE}/objects/", envelope(*objects))
            assert (status, answer["success_count"]) == (202, PER_ENVELOPE), answer
            async with self._heard:
                self.acknowledged += [one["id"] for one in objects]
                self._heard.notify_all()

    async def read_page(self, path: str, token: str = "") -> dict[str, Any]:
        """Read a page of five, behind a cursor where one is given."""
        status, page, _ = await self.ask("GET", f"{HERE}/{path}/?limit=5{'&next=' if token else ''}{token}")
        assert status == 200, page
        return page

    async def until(self, count: int) -> None:
        """Wait until so many objects were acknowledged."""
        async with self._heard:
            await self._heard.wait_for(lambda: len(self.acknowledged) >= count)


async def walk(region: Region, path: str, carries: str, limit: int) -> list[str]:
    """Poll from the beginning until nobody publishes and nothing comes any more; return the ids as they came."""
    seen: list[str] = []
    after, place, following = "", "", ""
    while True:
        was_quiet = region.is_quiet.is_set()
        asked = [f"limit={limit}"]
        asked += [f"next={following}"] if following else []
        asked += [f"added_after={after}"] if after and not (following and carries == "next") else []
        status, page, last = await region.ask("GET", f"{HERE}/{path}/?{'&'.join(asked)}")
        assert status == 200, page
        objects = page.get("objects", [])
        seen += [one["id"] for one in objects]
        place = last or place
        following = page["next"] if page.get("more") and carries != "date" else ""
        if not following:
            after = place
        if not objects:
            if was_quiet:
                return seen
            await asyncio.sleep(0.02)


@pytest.fixture
async def region(settings: Settings, tmp_path: Path) -> AsyncIterator[Region]:
    """A founded host, ready to be served."""
    clock = SystemClock()
    async with open_database(settings.database_url, clock) as database:
        token = await create_token(database, clock, "alcirt", TokenOrder(Role.ANALYST, "test"))
    headers = {"Authorization": f"Bearer {token}", "Accept": TAXII, "Content-Type": TAXII}
    async with aiohttp.ClientSession(headers=headers) as http:
        region = Region(settings, tmp_path, http)
        await region.begin()
        try:
            yield region
        finally:
            await region.end()


@pytest.mark.parametrize("seed", [5])
async def test_nothing_is_lost_or_doubled_when_the_host_is_killed(region: Region, seed: int) -> None:
    """The intake alone and then the whole host, in the middle of everything; cursors from before are good behind it."""
    chance = random.Random(seed)
    walks = [("objects", "next", 7), ("objects", "next", 100), ("objects", "date", 2), ("objects", "both", 3),
             ("manifest", "next", 5), ("manifest", "date", 50)]  # fmt: skip
    async with asyncio.TaskGroup() as group:
        polling = [group.create_task(walk(region, *one)) for one in walks]
        publishing = [group.create_task(region.publish()) for _ in range(PUBLISHERS)]
        await region.until(40)
        cursors = {path: (await region.read_page(path))["next"] for path in ("objects", "manifest")}
        pages = {path: (await region.read_page(path, token))["objects"] for path, token in cursors.items()}
        for hits_all in (False, True):
            await region.until(len(region.acknowledged) + chance.randint(15, 60))
            await asyncio.sleep(chance.random() / 20)
            if hits_all:
                await region.end()
                await region.begin()
            else:
                region.kill_intake()
        await region.until(len(region.acknowledged) + 30)
        for path, token in cursors.items():
            assert (await region.read_page(path, token))["objects"] == pages[path]
        region.is_over.set()
        await asyncio.gather(*publishing)
        region.is_quiet.set()
    assert region.doubtful, "nobody noticed: nothing was killed in the middle of anything"
    for task, style in zip(polling, walks, strict=True):
        seen = task.result()
        assert len(seen) == len(set(seen)), f"{style} was shown something twice"
        assert set(seen) == set(region.acknowledged), f"{style} missed something"
    assert polling[0].result() == polling[2].result() == polling[4].result()
