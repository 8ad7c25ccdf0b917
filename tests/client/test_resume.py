"""Resume files: a crash repeats, and never skips."""

import json
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from regcert.client import AsyncClient, Code, Filters, Object, Options, Page, Position, Refusal, ResumeFile
from tests.client.conftest import refused
from tests.client.other_server import COLLECTION, OBJECTS, OtherServer, listening_elsewhere
from tests.hosting import RunningHost
from tests.made import indicator

SHARED = "regional-indicators"


async def some_pages(url: str, options: Options | None, path: Path, limit: int, pages: int | None) -> list[bytes]:
    """Read pages and stop in the middle, as a crash does; return what was dealt with whole."""
    got: list[bytes] = []
    async with (
        AsyncClient(url, "token", options=options) as client,
        aclosing(client.pages("c", limit=limit, resume=path)) as reading,
    ):
        async for page in reading:
            got += [one.body for one in page.objects]
            if pages is not None:
                pages -= 1
                if pages <= 0:
                    break
    return got


async def test_only_what_is_new_comes_when_the_listing_was_read_to_its_end(other, options, tmp_path):
    """And with nothing new, nothing."""
    held = other.hold(5)
    assert await some_pages(other.url, options, tmp_path / "r", 2, None) == held
    assert await some_pages(other.url, options, tmp_path / "r", 2, None) == []
    new = other.hold(3)
    assert await some_pages(other.url, options, tmp_path / "r", 2, None) == new


async def test_page_comes_again_when_the_caller_did_not_come_back_for_more(other, options, tmp_path):
    """A page is dealt with when the next is asked for, no sooner: a crash in the middle of one repeats it."""
    held = other.hold(6)
    assert await some_pages(other.url, options, tmp_path / "r", 2, 1) == held[:2]
    assert not (tmp_path / "r").exists()
    assert await some_pages(other.url, options, tmp_path / "r", 2, 2) == held[:4]
    # The last object of the first page comes again: other objects could bear its time.
    assert await some_pages(other.url, options, tmp_path / "r", 2, None) == held[1:]


async def test_last_page_comes_again_when_the_end_was_not_met(other, options, tmp_path):
    """Also the last page is dealt with only when the caller comes back."""
    held = other.hold(3)
    await some_pages(other.url, options, tmp_path / "r", 5, 1)
    assert await some_pages(other.url, options, tmp_path / "r", 5, None) == held


async def test_object_by_object_resumes_page_by_page(other, options, tmp_path):
    """Whoever takes single objects has dealt with a page when he asks for the first of the next."""
    held = other.hold(4)
    async with AsyncClient(other.url, "token", options=options) as client:
        async with aclosing(client.objects("c", limit=2, resume=tmp_path / "r")) as reading:
            assert [(await anext(reading)).body for _ in range(3)] == held[:3]
    assert ResumeFile(tmp_path / "r").find(other.url + COLLECTION) == Position("2026-11-18T11:06:40.000001Z", ended=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    posts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    limit=st.integers(1, 9),
    kills=st.lists(st.integers(1, 4), max_size=5),
    later=st.lists(st.integers(1, 3), max_size=6),
    gives_next=st.booleans(),
    step_us=st.integers(0, 3),
)
@example(posts=[4], limit=1, kills=[2], later=[], gives_next=True, step_us=0)
@example(posts=[5, 5], limit=2, kills=[2, 1, 2], later=[1, 1], gives_next=False, step_us=0)
async def test_no_object_is_skipped_when_killed_between_pages_while_others_post(
    tmp_path_factory, posts, limit, kills, later, gives_next, step_us
):
    """Any page size, any kill point, any writer beside it, one time for a whole POST or not: at least once, never skipped."""
    path = tmp_path_factory.mktemp("resume") / "r"
    async with listening_elsewhere(OtherServer(gives_next=gives_next)) as server:
        held = [body for count in posts for body in server.hold(count, step_us=step_us)]
        got: set[bytes] = set()
        writes = iter(later)
        for pages in [*kills, None]:
            got.update(await some_pages(server.url, None, path, limit, pages))
            held += server.hold(next(writes, 0), step_us=step_us)
        got.update(await some_pages(server.url, None, path, limit, None))
        assert got == set(held)
        assert await some_pages(server.url, None, path, limit, None) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_own_host_skips_nothing_when_killed_at_each_page(host: RunningHost, tmp_path, limit):
    """The same over our own host's sockets: killed after one page, again and again, while a neighbour posts."""
    held = [indicator(name=str(number)) for number in range(8)]
    await host.post(held)
    got: list[str] = []
    token = await host.token("srb-cert")
    for turn in range(60):
        fresh: list[str] = []
        async with (
            AsyncClient(host.url, token) as client,
            aclosing(client.pages(SHARED, limit=limit, resume=tmp_path / "r")) as pages,
        ):
            async for page in pages:
                fresh += [one.stix_id for one in page.objects]
                if turn % 2 and len(fresh) > limit:
                    break  # killed in the second page: the first is dealt with
                if turn < 6 and len(fresh) <= limit:
                    one = indicator(name=f"meanwhile {turn}")
                    held.append(one)
                    await host.post([one])
        got += fresh
        if not fresh:
            break
    assert set(got) == {one["id"] for one in held}
    assert fresh == []


async def test_each_listing_has_its_own_place_when_a_file_serves_several(other, options, tmp_path):
    """Server, collection and filters name a listing; the limit does not."""
    other.hold(2)
    path = tmp_path / "r"
    async with AsyncClient(other.url, "token", options=options) as client:
        for filters in (Filters(), Filters(types=("indicator",)), Filters(versions=("all",))):
            assert len([one async for one in client.objects("c", filters, resume=path)]) == 2
            assert len([one async for one in client.objects("c", filters, resume=path, limit=1)]) == 0
    assert len(json.loads(path.read_text())["positions"]) == 3


async def test_position_goes_before_added_after_when_both_are_given(other, options, tmp_path):
    """Where to begin the first time, and where to go on later."""
    held = other.hold(4)
    for new in (held[2:], held[4:]):
        async with AsyncClient(other.url, "token", options=options) as client:
            reading = client.objects("c", added_after="2026-11-18T11:06:40.000001Z", resume=tmp_path / "r")
            assert [one.body async for one in reading] == new


async def test_resume_file_is_private_and_alone_when_written(other, options, tmp_path):
    """Readable by its owner, and nothing left beside it."""
    other.hold(3)
    await some_pages(other.url, options, tmp_path / "r", 1, None)
    assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text",
        "[]",
        "{}",
        '{"format": "other", "positions": {}}',
        '{"format": "regcert-resume-1", "positions": []}',
        "[" * 100_000,
    ],
)
async def test_reading_is_refused_when_the_file_is_no_resume_file(other, options, tmp_path, content):
    """Never begin anew in silence, and never write over somebody's file."""
    other.hold(1)
    (tmp_path / "r").write_text(content)
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.objects("c", resume=tmp_path / "r"))).code is Code.INVALID_SETTING
    assert (tmp_path / "r").read_text() == content


@pytest.mark.parametrize("position", [7, {}, {"last_added": "yesterday", "ended": True}, {"last_added": "2026-11-01T00:00:00Z"}])
def test_position_is_refused_when_it_is_none(tmp_path, position):
    """A place that cannot be read is not the beginning."""
    (tmp_path / "r").write_text(json.dumps({"format": "regcert-resume-1", "positions": {"x": position}}))
    with pytest.raises(Refusal):
        ResumeFile(tmp_path / "r").find("x")


def test_old_positions_stay_when_a_new_one_cannot_be_written(tmp_path):
    """A folder that takes no file leaves everything as it was, and says so."""
    with pytest.raises(Refusal, match="cannot be written"):
        ResumeFile(tmp_path / "none" / "r").save("x", Position("2026-11-01T00:00:00Z", ended=True))


async def test_position_is_refused_when_the_server_writes_no_time(other, options, tmp_path):
    """A place that nobody could come back to is not noted."""
    other.fixed[OBJECTS] = (200, b'{"objects":[{"id":"a"}]}', {"X-TAXII-Date-Added-Last": "now"})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.objects("c", resume=tmp_path / "r"))).code is Code.REFUSED_BY_SERVER
    assert not (tmp_path / "r").exists()


async def noting(reading: AsyncIterator[Object], got: list[bytes]) -> AsyncIterator[None]:
    async for one in reading:
        got.append(one.body)
        yield


def no_seventh(page: Page[Object]) -> None:
    if any(one.value["name"] == "Čačak 6" for one in page.objects):
        raise Refusal(Code.REFUSED_BY_SERVER, "not signed")


async def no_seventh_later(page: Page[Object]) -> None:
    no_seventh(page)


@pytest.mark.parametrize("hook", [no_seventh, no_seventh_later])
async def test_position_stays_before_a_page_when_its_verification_fails(other, options, tmp_path, hook):
    """What was not verified is neither handed out nor passed by; the next run stops there too."""
    held = other.hold(9)
    for verified in (held[:6], held[:0]):
        got: list[bytes] = []
        async with AsyncClient(other.url, "token", verify=hook, options=options) as client:
            reading = client.objects("c", limit=3, resume=tmp_path / "r")
            assert (await refused(noting(reading, got))).message == "not signed"
        assert got == verified


async def test_page_is_what_the_hook_made_of_it_when_it_returns_one(other, options):
    """A hook may leave objects out; paging goes on as if it had not."""
    held = other.hold(7)

    def first_alone(page: Page[Object]) -> Page[Object]:
        return Page(page.objects[:1], page.more, page.next, page.first_added, page.last_added)

    async with AsyncClient(other.url, "token", verify=first_alone, options=options) as client:
        assert [one.body async for one in client.objects("c", limit=3)] == held[::3]
        assert len((await client.page("c")).objects) == 1
        other.fixed[f"{OBJECTS}x--1/"] = {"objects": [{"id": "x"}, {"id": "x"}]}
        assert len(await client.get_object("c", "x--1")) == 1
