"""Reading to the end: each object, as its own bytes, never in a circle, whatever the server is like."""

import asyncio
import json

import pytest

from regcert.client import AsyncClient, Client, Code, Collection, Filters, NotModified, Object, Page
from tests.client.conftest import refused
from tests.client.other_server import COLLECTION, DESCRIBED, MANIFEST, OBJECTS, OtherServer
from tests.hosting import RunningHost
from tests.made import indicator, sdo

SHARED = "regional-indicators"
SIZES = [None, 1, 2, 3, 7, 20, 5000]


async def everything(server: OtherServer, options, limit: int | None = 1000) -> list[bytes]:
    async with AsyncClient(server.url, "token", options=options) as client:
        return [one.body async for one in client.objects("c", limit=limit)]


@pytest.mark.parametrize("limit", SIZES)
@pytest.mark.parametrize("gives_next", [True, False])
@pytest.mark.parametrize("most", [1000, 7, 2, 1])
async def test_each_object_comes_once_when_pages_are_of_any_size(other, options, limit, gives_next, most):
    """With a cursor or without, at any limit, under any cap: all of it, in order, nothing twice."""
    other.gives_next, other.most = gives_next, most
    held = other.hold(20)
    assert await everything(other, options, limit) == held


@pytest.mark.parametrize("limit", SIZES)
@pytest.mark.parametrize("sizes", [(5, 5, 5), (1, 9, 2), (12,), (2, 2, 2, 2)])
async def test_no_object_is_skipped_when_a_post_shares_one_time_and_there_is_no_cursor(other, options, limit, sizes):
    """A page that ends among objects of one time is no place to go on behind."""
    other.gives_next = False
    held = [body for size in sizes for body in other.hold(size, step_us=0)]
    assert await everything(other, options, limit) == held


async def test_reading_ends_when_objects_of_one_time_do_not_fit_on_a_page(other, options):
    """What cannot be read without loss is refused, not skipped."""
    other.gives_next, other.most = False, 3
    other.hold(7, step_us=0)
    async with AsyncClient(other.url, "token", options=options) as client:
        refusal = await refused(client.objects("c"))
    assert refusal.code is Code.REFUSED_BY_SERVER
    assert "one moment" in refusal.message


@pytest.mark.parametrize("gives_next", [True, False])
async def test_each_object_comes_once_when_header_is_cut_to_milliseconds(other, options, gives_next):
    """A header that is earlier than its object repeats it; what is repeated is taken out."""
    other.gives_next, other.header_step_us = gives_next, 1000
    held = other.hold(20, step_us=400)
    assert await everything(other, options, 6) == held


@pytest.mark.parametrize("nothing", [{}, {"objects": []}, {"objects": [], "more": False}, {"objects": None}])
async def test_nothing_is_nothing_when_the_server_says_so_in_any_way(other, options, nothing):
    """An empty list is left out by some and sent by others."""
    other.fixed[OBJECTS] = nothing
    assert await everything(other, options) == []
    async with AsyncClient(other.url, "token", options=options) as client:
        assert await client.page("c") == Page((), more=False, next=None, first_added=None, last_added=None)


ONE, TWO = {"id": "a", "type": "x"}, {"id": "b", "type": "x"}
AT = {"X-TAXII-Date-Added-First": "2026-11-01T00:00:00.000001Z", "X-TAXII-Date-Added-Last": "2026-11-01T00:00:00.000002Z"}


def paged(value: object) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps(value).encode(), AT


@pytest.mark.parametrize(
    "pages",
    [
        [{"objects": [ONE], "more": True, "next": "for ever"}] * 3,
        [{"objects": [ONE], "more": True, "next": "a"}, {"objects": [TWO], "more": True, "next": "b"}] * 2,
        [{"objects": [ONE], "more": True, "next": str(turn)} for turn in range(4)],
        [{"objects": [], "more": True, "next": "n"}],
        [{"more": True}],
        [paged({"objects": [ONE, TWO], "more": True})] * 4,
        [paged({"objects": [ONE], "more": True})] * 4,
        [{"objects": [ONE], "more": True}],
        [(200, b'{"objects": [{"id": "a"}], "more": true}', {"X-TAXII-Date-Added-Last": "yesterday"})],
    ],
    ids=[
        "itself",
        "two in turn",
        "new cursors",
        "empty",
        "no list",
        "added_after unheard",
        "one unheard",
        "no way on",
        "no time",
    ],
)
@pytest.mark.parametrize("verb", ["objects", "manifest"])
async def test_reading_ends_when_pages_lead_in_a_circle(other, options, pages, verb):
    """Never an endless loop: a page that leads to itself, directly or not, is refused."""
    other.script(OBJECTS if verb == "objects" else MANIFEST, *pages)
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(getattr(client, verb)("c"))).code is Code.REFUSED_BY_SERVER
    assert len(other.asked) <= 2 + 4


@pytest.mark.parametrize(
    "page",
    [
        (200, b"text", {}),
        (200, b"[" * 100_000, {}),
        (200, b'{"objects":[' + b'{"a":' * 100_000, {}),
        (200, b'{"objects": [{"id": "a", "name": "\xff"}]}', {}),
        (200, b'{"objects": [{"id": "a"}', {}),
        (200, b"", {}),
        {"objects": 7},
        {"objects": ["text"]},
        {"objects": [{"type": "no id"}]},
        {"objects": [{"id": 7}]},
        {"objects": [ONE], "more": "yes"},
        [],
    ],
    ids=lambda page: str(page)[:30],
)
async def test_page_is_refused_when_it_is_no_envelope(other, options, page):
    """Neither a traceback nor an object of nothing, whatever comes."""
    other.fixed[OBJECTS] = page
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.objects("c"))).code is Code.REFUSED_BY_SERVER


RAW = (
    b'{  "type":"x-note","id":"x-note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","n":1.10,'
    b'"big":123456789012345678901234567890,"s":"\\u010d\xc4\x8d" }'
)
HALF = RAW[:-2] + b',"half":"\\ud83d"}'


@pytest.mark.parametrize("raw", [RAW, HALF], ids=["ordinary", "half a surrogate pair"])
async def test_object_is_the_bytes_that_were_sent_when_handed_out(other, options, raw):
    """Blanks, escapes, digits, texts cut short: what a signature covers is what the caller gets, and it can be read too."""
    other.fixed[OBJECTS] = (
        200,
        b' {"next":"n", "more":true, "x": {"objects": [1]}, "objects" :\n[ ' + raw + b" , " + RAW + b" ]} ",
        {},
    )
    async with AsyncClient(other.url, "token", options=options) as client:
        page = await client.page("c")
    assert (page.more, page.next, len(page.objects)) == (True, "n", 2)
    assert page.objects[0] == Object("x-note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "x-note", None, raw)
    assert page.objects[0].value["big"] == 123456789012345678901234567890
    assert page.objects[0].value is page.objects[0].value


@pytest.mark.parametrize("broken", [b"]", b"7", b'{"id":"a"} , ', b"[1]", b'{"id":"a"}] "x": 1', b'{"id":"a","h":"\\ud83d"} 7'])
async def test_page_is_refused_when_half_a_pair_is_not_all_that_is_wrong(other, options, broken):
    """The second reader is no more lenient than the first."""
    other.fixed[OBJECTS] = (200, b'{"h":"\\ud83d","objects":[' + broken + b"]}", {})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.page("c"))).code is Code.REFUSED_BY_SERVER


async def test_reading_ends_in_a_refusal_when_an_object_is_too_deep_to_parse(other, options):
    """Bytes can be kept that nobody can parse."""
    body = b'{"id":"a","x":' + b"[" * 600 + b"]" * 600 + b"}"
    other.fixed[OBJECTS] = (200, b'{"objects":[' + body + b"]}", {})
    async with AsyncClient(other.url, "token", options=options) as client:
        (one,) = (await client.page("c")).objects
    assert one.body == body


async def test_version_is_modified_else_created_when_an_object_is_named(other, options):
    """The object's own text, as the standard has it; what has neither has none."""
    other.fixed[OBJECTS] = {"objects": [{"id": "a", "modified": "2", "created": "1"}, {"id": "b", "created": "1"}, {"id": "c"}]}
    async with AsyncClient(other.url, "token", options=options) as client:
        assert [one.version for one in (await client.page("c")).objects] == ["2", "1", None]


async def test_only_new_versions_come_when_unique_is_asked_for(other, options):
    """The caller may have it once; by itself the client leaves nothing out that the server sends in several pages."""
    pages = [{"objects": [ONE, TWO], "more": True, "next": "n"}, {"objects": [{**ONE, "x": 1}], "more": False}]
    other.script(OBJECTS, *pages, *pages)
    async with AsyncClient(other.url, "token", options=options) as client:
        assert [one.stix_id async for one in client.objects("c")] == ["a", "b", "a"]
        assert [one.stix_id async for one in client.objects("c", unique=True)] == ["a", "b"]


async def test_filters_are_sent_on_every_page_when_there_are_some(other, options):
    """The standard's own words, percent-encoded, also beside a cursor."""
    other.hold(3)
    chosen = Filters(ids=("a--1", "b--2"), types=("indicator",), versions=("all",), spec_versions=("2.1",))
    async with AsyncClient(other.url, "token", options=options) as client:
        assert len([one async for one in client.objects("c", chosen, limit=2, added_after="2020-01-01T00:00:00+01:00")]) == 3
    first, second = (one.query for one in other.asked if one.path == OBJECTS)
    asked = {"match[id]": "a--1,b--2", "match[type]": "indicator", "match[version]": "all", "match[spec_version]": "2.1"}
    assert first == asked | {"limit": "2", "added_after": "2020-01-01T00:00:00+01:00"}
    assert second == first | {"next": "n2"}


async def test_answer_is_not_read_again_when_its_etag_still_holds(other, options):
    """A question with an ETag is answered NotModified, or with a page and its new ETag."""
    other.hold(1)
    other.script(OBJECTS, (200, b'{"objects":[{"id":"a"}]}', {"ETag": '"one"'}), (304, b"", {"ETag": '"one"'}))
    async with AsyncClient(other.url, "token", options=options) as client:
        first = await client.page("c")
        assert await client.page("c", if_none_match=first.etag or "") == NotModified('"one"')
        assert isinstance(await client.page("c", if_none_match='"one"'), Page)
    assert other.asked[-1].headers["If-None-Match"] == '"one"'


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize("gives_next", [True, False])
async def test_each_manifest_entry_comes_once_when_pages_are_of_any_size(other, options, limit, gives_next):
    """The standard gives the manifest no cursor; some servers do."""
    other.gives_next = gives_next
    held = [json.loads(body)["id"] for body in other.hold(20)]
    async with AsyncClient(other.url, "token", options=options) as client:
        assert [one.stix_id async for one in client.manifest("c", limit=limit)] == held


async def test_versions_come_all_when_they_take_several_pages(other, options):
    """Also there a cursor is followed."""
    path = f"{OBJECTS}x--1/versions/"
    other.script(path, {"versions": ["1", "2"], "more": True, "next": "n"}, {"versions": ["3"], "more": False})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert await client.versions("c", "x--1") == ("1", "2", "3")
        other.fixed[path] = {}
        assert await client.versions("c", "x--1") == ()


@pytest.mark.parametrize("limit", [1, 2, 10, 1000, 5000])
async def test_own_host_is_read_whole_when_pages_are_of_any_size(host: RunningHost, options, limit):
    """Objects, manifest, versions, deletion, both clients: our own host, over a real socket."""
    many = [indicator(name=f"Čačak {number}") for number in range(23)]
    await host.post([*many, sdo("identity", name="n", identity_class="group")])
    token = await host.token("alcirt")

    def synchronously() -> list[dict[str, object]]:
        with Client(host.url, token) as client:
            return [one.value for one in client.objects(SHARED, Filters(types=("indicator",)), limit=limit)]

    async with AsyncClient(host.url, token) as client:
        assert [one.value async for one in client.objects(SHARED, Filters(types=("indicator",)), limit=limit)] == many
        ids = [one.stix_id async for one in client.manifest(SHARED, limit=limit)]
        assert ids[:-1] == [one["id"] for one in many]
        newer = many[0] | {"modified": "2026-11-02T10:00:00.000Z"}
        await client.publish(SHARED, [newer])
        assert [one.value async for one in client.objects(SHARED, Filters(ids=(many[0]["id"],)), limit=limit)] == [newer]
        assert await client.versions(SHARED, many[0]["id"]) == (many[0]["modified"], newer["modified"])
        assert [one.value for one in await client.get_object(SHARED, many[0]["id"], ("all",))] == [many[0], newer]
        await client.delete(SHARED, many[0]["id"], (newer["modified"],))
        assert [one.value for one in await client.get_object(SHARED, many[0]["id"])] == [many[0]]
        await client.delete(SHARED, many[1]["id"])
        assert (await refused(client.get_object(SHARED, many[1]["id"]))).code is Code.NOT_FOUND
    del many[1]
    assert sorted(map(str, await asyncio.to_thread(synchronously))) == sorted(map(str, many))


async def test_collection_is_found_when_named_by_alias_id_or_title(other, options):
    """Whatever a person calls it, in any root of the origin; a root that is dead does not hide the others."""
    other.fixed["/taxii2/"] = {"title": "t", "default": "/r", "api_roots": ["/dead/", "/r", "http://elsewhere.example/x/", "/s"]}
    second = {"id": "11111111-2222-4333-8444-555555555555", "title": "Public", "can_read": True, "can_write": False}
    other.fixed["/s/collections/"] = {"collections": [second]}
    async with AsyncClient(other.url, "token", options=options) as client:
        for name in ("c", DESCRIBED["id"], "The collection"):
            assert (await client.collection(str(name))).address == other.url + COLLECTION
        public = await client.collection("Public")
        assert isinstance(public, Collection)
        assert (public.root, public.can_write, public.alias) == (f"{other.url}/s/", False, None)
        assert (await refused(client.collection("nothing"))).code is Code.NOT_FOUND
        assert (await refused(client.collection("x\x1b[2J" * 500))).message.isprintable()
    assert "/x/collections/" not in other.paths()
