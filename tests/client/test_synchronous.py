"""The synchronous client: the same promises, from a script, a thread, or inside a running loop."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from regcert.client import Client, Code, Filters, NotModified, Object, Page, Published, Refusal
from tests.client.other_server import OBJECTS, OtherServer, listening_elsewhere
from tests.hosting import RunningHost
from tests.made import indicator

SHARED = "regional-indicators"


class Aside:
    """Another server, in a loop and a thread of its own, so that a test may block its own."""

    def __init__(self) -> None:
        self.server = OtherServer()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with listening_elsewhere(self.server):
            self._ready.set()
            await self._stop.wait()

    def start(self) -> OtherServer:
        self._thread.start()
        self._ready.wait()
        return self.server

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def aside() -> Iterator[OtherServer]:
    """A server that answers while the test blocks."""
    running = Aside()
    yield running.start()
    running.stop()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "regcert-client"]


def read_all(server: OtherServer, options: object = None) -> list[bytes]:
    with Client(server.url, "token") as client:
        return [one.body for one in client.objects("c", limit=2)]


def test_each_object_comes_once_when_read_without_a_loop(aside):
    """From a plain script."""
    held = aside.hold(5)
    assert read_all(aside) == held
    assert threads() == []


async def test_each_object_comes_once_when_read_inside_a_running_loop(aside):
    """As in a notebook: a loop runs already, and it is not ours."""
    held = aside.hold(5)
    assert read_all(aside) == held
    assert threads() == []


def test_each_object_comes_once_when_read_in_threads(aside):
    """Each thread with a client of its own."""
    held = aside.hold(5)
    got: list[list[bytes]] = []
    working = [threading.Thread(target=lambda: got.append(read_all(aside))) for _ in range(4)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    assert got == [held] * 4


def test_thread_ends_when_an_iterator_was_left_in_the_middle(aside, tmp_path: Path):
    """Whatever was not read to its end is ended, without a word, before or after the client."""
    aside.hold(5)
    with Client(aside.url, "token") as client:
        left, closed, following = client.objects("c", limit=1), client.pages("c", limit=1), client.follow("c", limit=1)
        assert next(left)
        assert next(following)
        with closing(closed):
            assert next(closed)
    assert threads() == []
    with pytest.raises((RuntimeError, StopIteration)):
        next(left)
    del left, following
    gc.collect()


def test_client_says_so_when_it_is_closed_or_was_not_opened(aside):
    """A mistake in a program, not an answer of a server."""
    client = Client(aside.url, "token")
    with pytest.raises(RuntimeError, match="open the client first"):
        client.discovery()
    with client:
        client.discovery()
    with pytest.raises(RuntimeError, match="open the client first"):
        client.discovery()
    client.close()
    with client:
        assert client.discovery().title == "t"


def test_hook_runs_and_may_not_ask_its_own_client_when_a_page_is_verified(aside):
    """A hook that waited for the thread it runs in would wait for ever."""
    aside.hold(2)
    seen: list[int] = []

    def hook(page: Page[Object]) -> None:
        seen.append(len(page.objects))
        with pytest.raises(RuntimeError, match="verify hook"):
            client.discovery()

    with Client(aside.url, "token", verify=hook) as client:
        assert len(list(client.objects("c"))) == 2
    assert seen == [2]


def test_refusal_is_raised_when_the_server_says_no(aside):
    """As itself, in the caller's thread, also from an iterator."""
    aside.fixed[OBJECTS] = (401, b"{}", {})
    with Client(aside.url, "token") as client:
        with pytest.raises(Refusal) as caught:
            next(client.objects("c"))
        assert caught.value.code is Code.UNAUTHENTICATED
        with pytest.raises(Refusal):
            client.collection("nothing")


def test_page_comes_again_when_the_caller_did_not_come_back_for_more(aside, tmp_path: Path):
    """Resume files keep their promise here too."""
    held = aside.hold(4)
    with Client(aside.url, "token") as client:
        with closing(client.pages("c", limit=2, resume=tmp_path / "r")) as pages:
            assert [one.body for one in next(pages).objects] == held[:2]
        assert not (tmp_path / "r").exists()
        assert [one.body for one in client.objects("c", limit=2, resume=tmp_path / "r")] == held
        assert list(client.objects("c", resume=tmp_path / "r", unique=True)) == []


async def test_every_verb_works_when_asked_of_our_own_host(host: RunningHost):
    """Discovery, roots, collections, publish, page, objects, manifest, versions, status, delete, follow."""
    token = await host.token("alcirt")
    one, two = indicator(), indicator()

    def ask() -> None:
        with Client(host.url, token) as client:
            assert client.discovery().default == client.api_root().address == client.api_roots()[0].address
            assert client.collection(SHARED) in client.collections()
            assert client.publish(SHARED, [one, two]) == Published(accepted=2)
            page = client.page(SHARED, limit=1)
            assert isinstance(page, Page)
            assert page.more
            assert isinstance(client.page(SHARED, if_none_match='"other"'), Page | NotModified)
            assert [found.value for found in client.objects(SHARED, Filters(ids=(two["id"],)))] == [two]
            assert [entry.stix_id for entry in client.manifest(SHARED, limit=1)] == [one["id"], two["id"]]
            assert client.versions(SHARED, one["id"]) == (one["modified"],)
            client.delete(SHARED, one["id"])
            with pytest.raises(Refusal):
                client.get_object(SHARED, one["id"])
            assert [found.value for found in client.get_object(SHARED, two["id"])] == [two]
            with pytest.raises(Refusal):
                client.status("none")
            with closing(client.follow(SHARED, wait_s=1)) as following:
                assert [found.value for found in next(following).objects] == [two]

    await asyncio.to_thread(ask)
    assert threads() == []
