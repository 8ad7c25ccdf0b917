"""Following: what is there, and for ever what is added, through pauses and outages."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import web

from regcert.client import AsyncClient, Code
from tests.client.conftest import refused
from tests.client.other_server import OBJECTS, TAXII
from tests.hosting import RunningHost
from tests.made import indicator

SHARED = "regional-indicators"
BUSY: tuple[int, bytes, dict[str, str]] = (503, b"{}", {})


async def test_objects_come_as_they_are_added_when_followed(other, options, slept):
    """First what is there, page by page, then what is new; an ordinary server is asked again after the wait."""
    held = other.hold(5)
    got: list[bytes] = []
    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.follow("c", limit=2, wait_s=20)) as following:
            async for page in following:
                got += [one.body for one in page.objects]
                if len(got) == 5:
                    held += other.hold(3)
                if len(got) == 8:
                    break
    assert got == held
    asked = [one for one in other.asked if one.path == OBJECTS]
    assert {one.headers["Prefer"] for one in asked} == {"wait=20"}
    assert set(slept.naps) <= {20.0}


async def test_server_is_not_hurried_when_nothing_is_new(other, options, slept):
    """A server that does not wait is asked once a wait, not in a loop; one that says that it waited, soon again."""
    other.hold(1)
    waited = (200, b"{}", {"Preference-Applied": "wait=20"})
    other.script(OBJECTS, {}, {}, waited, waited)
    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.follow("c", wait_s=20)) as following:
            await anext(following)
    assert slept.naps == [20.0, 20.0, 1.0, 1.0]


@pytest.mark.parametrize(("wanted", "sent"), [(0, "wait=1"), (30, "wait=30"), (10_000, "wait=300")])
async def test_wait_is_held_within_its_bounds_when_any_is_wanted(other, options, wanted, sent):
    """Neither a loop without pause nor a request that nobody answers."""
    other.hold(1)
    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.follow("c", wait_s=wanted)) as following:
            await anext(following)
        await client.page("c")
        await client.page("c", wait_s=30)
    assert [one.headers.get("Prefer") for one in other.asked if one.path == OBJECTS] == [sent, None, "wait=30"]


async def test_answer_is_waited_for_when_the_server_holds_it_back(other, options):
    """A long poll is answered when there is something, and until then nobody hangs up."""
    other.hold(1)
    added = asyncio.Event()

    async def hold_back(_: web.Request) -> web.Response:
        await added.wait()
        return web.Response(body=b'{"objects":[{"id":"new"}]}', headers={"Content-Type": TAXII, "Preference-Applied": "wait=20"})

    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.follow("c", wait_s=20)) as following:
            await anext(following)
            other.script(OBJECTS, hold_back)
            other.came.clear()
            coming = asyncio.ensure_future(anext(following))
            await other.came.wait()
            assert not coming.done()
            added.set()
            assert [one.stix_id for one in (await coming).objects] == ["new"]


async def test_outage_is_outlived_when_the_server_had_answered(other, options, slept):
    """Busy beyond all patience, then back: nothing is skipped and nothing ends."""
    held = other.hold(1)
    got: list[bytes] = []
    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.follow("c", wait_s=5)) as following:
            async for page in following:
                got += [one.body for one in page.objects]
                if len(got) == 3:
                    break
                other.script(OBJECTS, *[BUSY] * 12)
                held += other.hold(2)
    assert got == held
    assert slept.naps.count(30.0) == 2


@pytest.mark.parametrize("status", [401, 404, 503])
async def test_following_ends_when_the_first_answer_is_no(other, options, status):
    """A wrong name, token or address is said at once, not waited for."""
    other.fixed[OBJECTS] = (status, b"{}", {})
    async with AsyncClient(other.url, "token", options=options) as client:
        code = {401: Code.UNAUTHENTICATED, 404: Code.NOT_FOUND, 503: Code.BUSY}[status]
        assert (await refused(client.follow("c"))).code is code


async def test_following_ends_when_the_token_is_revoked(other, options):
    """Only what passes by itself is outlived."""
    other.hold(1)
    async with AsyncClient(other.url, "token", options=options) as client:
        following = client.follow("c")
        await anext(following)
        other.fixed[OBJECTS] = (401, b"{}", {})
        assert (await refused(following)).code is Code.UNAUTHENTICATED


async def test_last_object_is_not_handed_out_for_ever_when_headers_are_cut(other, options, slept):
    """A server that cuts its header to milliseconds repeats the last object at each poll; the follower does not."""
    other.header_step_us = 1000
    held = other.hold(3, step_us=300)
    got: list[bytes] = []
    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.follow("c", wait_s=5)) as following:
            async for page in following:
                got += [one.body for one in page.objects]
                if len(got) >= 4:
                    break
                slept.naps.clear()
                asyncio.get_running_loop().call_later(0.2, other.hold, 1)
    assert got == [*held, other.items[-1][1]]
    assert slept.naps


async def test_following_goes_on_where_it_stopped_when_resumed(other, options, tmp_path: Path):
    """The position moves when the caller comes back, and the next follower begins there."""
    held = other.hold(4)
    for expected in (held[:2], held[:4]):
        got: list[bytes] = []
        async with AsyncClient(other.url, "token", options=options) as client:
            async with aclosing(client.follow("c", limit=2, resume=tmp_path / "r", wait_s=5)) as following:
                while len(got) < len(expected):
                    got += [one.body for one in (await anext(following)).objects]
        assert got == expected
    async with AsyncClient(other.url, "token", options=options) as client:
        assert [one.body async for one in client.objects("c", resume=tmp_path / "r")] == held[1:]


async def test_neighbour_sees_what_is_posted_when_following_our_own_host(host: RunningHost):
    """Over a real socket, with the host's own answer to a wait, whatever it is."""
    known, new = indicator(), indicator()
    await host.post([known])
    async with AsyncClient(host.url, await host.token("srb-cert")) as client:
        async with aclosing(client.follow(SHARED, wait_s=1)) as following:
            assert [one.value for one in (await anext(following)).objects] == [known]
            coming = asyncio.ensure_future(anext(following))
            await host.post([new])
            assert [one.value for one in (await coming).objects] == [new]
