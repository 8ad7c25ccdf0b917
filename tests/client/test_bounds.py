"""A server may be a stranger: what it may cost us, and where our credentials go."""

import asyncio
import gzip
import json
from dataclasses import replace

import pytest
from aiohttp import web

from regcert.client import AsyncClient, Bounds, Code, Options, Patience, Refusal
from tests.client.conftest import refused
from tests.client.other_server import COLLECTION, DESCRIBED, OBJECTS, TAXII, OtherServer

PAGE = b'{"objects":[{"id":"a"}]}'
GZIP = {"Content-Encoding": "gzip"}


async def page_refused(server: OtherServer, options: Options) -> Refusal:
    async with AsyncClient(server.url, "token", options=options) as client:
        return await refused(client.page("c"))


@pytest.mark.parametrize("parts", [(PAGE,), (PAGE[:5], PAGE[5:])], ids=["one member", "two members"])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
async def test_answer_is_inflated_when_it_comes_compressed(other, options, parts, coding):
    """Gzip is offered with every request, and what it becomes is read."""
    other.fixed[OBJECTS] = (200, b"".join(gzip.compress(part) for part in parts), {"Content-Encoding": coding})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert [one.body for one in (await client.page("c")).objects] == [b'{"id":"a"}']
    assert {one.headers["Accept-Encoding"] for one in other.asked} == {"gzip"}


@pytest.mark.parametrize(
    ("body", "headers", "word"),
    [
        (b" " * 1_000_001, {}, "larger"),
        (gzip.compress(b" " * 1_000_001), GZIP, "larger"),
        (gzip.compress(b" " * 500_001) * 2, GZIP, "larger"),
        (gzip.compress(PAGE)[:-9], GZIP, "cannot be read"),
        (PAGE, GZIP, "cannot be read"),
        (PAGE, {"Content-Encoding": "br"}, "cannot be read"),
        (PAGE, {"Content-Encoding": "gzip, gzip"}, "cannot be read"),
    ],
    ids=["plain", "bomb", "bomb in two", "cut off", "not gzip", "not offered", "twice"],
)
async def test_reading_ends_when_an_answer_is_more_than_its_bound(other, options, body, headers, word):
    """Counted as it comes and as it becomes, whatever it claims."""
    other.fixed[OBJECTS] = (200, body, headers)
    refusal = await page_refused(other, options)
    assert refusal.code is Code.REFUSED_BY_SERVER
    assert word in refusal.message


async def test_answer_is_taken_when_it_is_just_within_its_bound(other, options):
    """To the byte."""
    other.fixed[OBJECTS] = (200, PAGE + b" " * (1_000_000 - len(PAGE)), {})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert len((await client.page("c")).objects) == 1


async def test_reading_ends_when_an_answer_has_no_end(other, options):
    """A body without a length is counted too."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": TAXII})
        await response.prepare(request)
        while True:
            try:
                await response.write(b" " * 65_536)
            except ConnectionError:
                return response

    other.fixed[OBJECTS] = endless
    assert "larger" in (await page_refused(other, options)).message


async def test_client_gives_up_when_a_server_falls_silent(other, options):
    """A server that takes the request and says nothing is not waited for without end."""
    over = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    other.fixed[OBJECTS] = silent
    short = replace(options, bounds=Bounds(silence_s=0.05), patience=Patience(attempts=1))
    assert (await page_refused(other, short)).code is Code.UNREACHABLE
    over.set()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed_when_credentials_would_go_along(other, options, status):
    """Not even on the same host."""
    other.fixed[OBJECTS] = (status, b"", {"Location": "/elsewhere/"})
    refusal = await page_refused(other, options)
    assert refusal.code is Code.REFUSED_BY_SERVER
    assert "/elsewhere/" not in other.paths()


@pytest.mark.parametrize(
    "root",
    [
        "http://127.0.0.1:9/r/",
        "https://127.0.0.1/r/",
        "//elsewhere.example/r/",
        "http://me:secret@{host}/r/",
        "ftp://{host}/r/",
        "http://[::1",
        "http://{host}.elsewhere.example/r/",
    ],
)
async def test_credentials_stay_on_the_origin_when_an_api_root_is_elsewhere(other, options, root):
    """A server cannot send them to another one, nor to another port or scheme of its own."""
    other.fixed["/taxii2/"] = {"title": "t", "api_roots": [root.format(host=other.url.removeprefix("http://"))]}
    assert (await page_refused(other, options)).code is Code.REFUSED_BY_SERVER
    assert other.paths() == ["/taxii2/"]


async def test_credentials_stay_on_the_origin_when_the_caller_names_another(other, options):
    """Also a collection that was made up, or a root that was typed in, leads nowhere else."""
    async with AsyncClient(other.url, "token", options=options) as client:
        found = await client.collection("c")
        away = replace(found, address="http://127.0.0.1:9/r/collections/x/")
        assert (await refused(client.page(away))).code is Code.REFUSED_BY_SERVER
        assert (await refused(client.api_root("http://127.0.0.1:9/r/"))).code is Code.REFUSED_BY_SERVER


@pytest.mark.parametrize(
    ("credentials", "scheme", "sent"),
    [
        ("t", "Bearer", "Bearer t"),
        ("t", "Token", "Token t"),
        (("u", "pä:ss"), "Bearer", "Basic dTpww6Q6c3M="),
        (("", "key"), "Bearer", "Basic OmtleQ=="),
        (None, "Bearer", None),
    ],
)
async def test_credentials_go_along_when_given(other, options, credentials, scheme, sent):
    """A token, a name and a password, or nothing; and never a cookie."""
    other.fixed["/taxii2/"] = (200, b'{"title": "t", "api_roots": ["/r/"]}', {"Set-Cookie": "a=b"})
    async with AsyncClient(other.url, credentials, options=replace(options, scheme=scheme)) as client:
        await client.collections()
    assert [one.headers.get("Authorization") for one in other.asked] == [sent, sent]
    assert all("Cookie" not in one.headers for one in other.asked)


@pytest.mark.parametrize("credentials", ["", "a b", "a\r\nX-Evil:1", "ключ", ("a:b", "c"), ("a", "b\r\nX-Evil:1")])
def test_client_is_refused_when_credentials_cannot_stand_in_a_header(credentials):
    """What would begin another header is refused before anything is sent."""
    with pytest.raises(Refusal) as caught:
        AsyncClient("http://127.0.0.1:1", credentials)
    assert caught.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize(
    "server",
    [
        "",
        "host.example",
        "ftp://host.example",
        "http://",
        "http://me:s3cret@host.example",
        "http://h/?a=b",
        "http://h:0",
        "http://[",
    ],
)
def test_client_is_refused_when_the_server_is_no_address(server):
    """A name or password in an address would end up in logs."""
    with pytest.raises(Refusal) as caught:
        AsyncClient(server, "t")
    assert caught.value.code is Code.INVALID_SETTING
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("path", ["", "/", "/taxii2", "/taxii2/"])
async def test_discovery_is_found_when_the_server_is_named_in_any_way(other, options, path):
    """By its address, or by that of its discovery, with or without the slash."""
    async with AsyncClient(other.url + path, "token", options=options) as client:
        assert (await client.discovery()).default == f"{other.url}/r/"
    assert other.paths() == ["/taxii2/"]


async def test_discovery_is_found_when_it_lies_elsewhere_on_the_server(other, options):
    """The standard proposes an address; some servers have another."""
    other.fixed["/feeds/taxii/"] = {"title": "t", "api_roots": ["../../r"]}
    async with AsyncClient(f"{other.url}/feeds/taxii", "token", options=options) as client:
        assert (await client.api_root()).max_content_length == 1_000_000
        assert [root.address for root in await client.api_roots()] == [f"{other.url}/r/"]


@pytest.mark.parametrize(
    "content_type",
    [
        TAXII,
        "application/taxii+json; version=2.1",
        'application/taxii+json;version="2.1"',
        "Application/TAXII+JSON",
        "application/taxii+json;version=2.1;charset=utf-8",
        "application/json",
        "application/stix+json;version=2.0",
    ],
)
async def test_answer_is_read_when_its_media_type_is_written_otherwise(other, options, content_type):
    """Blanks, quotes, a missing version or plain JSON harm nobody."""
    other.fixed["/taxii2/"] = (200, b'{"title": "t", "api_roots": ["/r/"]}', {"Content-Type": content_type})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert len((await client.discovery()).api_roots) == 1


@pytest.mark.parametrize("content_type", ["text/html", "application/taxii+json;version=2.0", "application/xml"])
async def test_answer_is_refused_when_its_media_type_is_another(other, options, content_type):
    """A page for people, or another TAXII, would be misread."""
    other.fixed["/taxii2/"] = (200, b'{"title": "t", "api_roots": ["/r/"]}', {"Content-Type": content_type})
    async with AsyncClient(other.url, "token", options=options) as client:
        assert (await refused(client.discovery())).code is Code.REFUSED_BY_SERVER


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/taxii2/", []),
        ("/taxii2/", {"title": "t"}),
        ("/taxii2/", {"title": "t", "api_roots": 7}),
        ("/taxii2/", (200, b"{" * 100_000, {})),
        ("/r/collections/", {"collections": [{"title": "no id"}]}),
        ("/r/collections/", {"collections": [{**DESCRIBED, "id": ".."}]}),
        ("/r/collections/", {"collections": {"a": 1}}),
        ("/r/collections/", {"collections": [{**DESCRIBED, "can_read": "yes"}]}),
        (OBJECTS, (403, b'{"title": "No", "description": "not you"}', {})),
        (OBJECTS, (500, b"\xff", {})),
        (OBJECTS, (304, b"", {})),
    ],
)
async def test_answer_is_refused_when_it_is_not_taxii(other, options, path, answer):
    """Neither a traceback nor a guess."""
    other.fixed[path] = answer
    assert (await page_refused(other, options)).code is Code.REFUSED_BY_SERVER


async def test_reason_is_repeated_when_the_server_says_no(other, options):
    """Its number decides, its words are cut, and a reason that is too long costs no more than its bound."""
    said = json.dumps({"title": "T", "description": "go\x1b away" + " " * 10}).encode()
    for status, code in ((401, Code.UNAUTHENTICATED), (404, Code.NOT_FOUND), (406, Code.REFUSED_BY_SERVER)):
        other.fixed[OBJECTS] = (status, said, {})
        refusal = await page_refused(other, options)
        assert (refusal.code, "go away" in refusal.message) == (code, True)
    other.fixed[OBJECTS] = (418, b" " * 1_000_000, {})
    assert "418" in (await page_refused(other, options)).message


async def test_reading_is_refused_when_the_collection_says_that_it_may_not_be_read(other, options):
    """A write-only collection is known beforehand; nothing is asked in vain."""
    other.fixed["/r/collections/"] = {"collections": [{**DESCRIBED, "can_read": False}]}
    async with AsyncClient(other.url, "token", options=options) as client:
        for asked in (
            client.page("c"),
            client.objects("c"),
            client.manifest("c"),
            client.versions("c", "x--1"),
            client.follow("c"),
        ):
            assert (await refused(asked)).code is Code.FORBIDDEN
    assert not [path for path in other.paths() if path.startswith(COLLECTION)]


async def test_client_says_so_when_it_was_not_opened():
    """A client without a session is a mistake in a program, not an answer of a server."""
    with pytest.raises(RuntimeError, match="open the client first"):
        await AsyncClient("http://127.0.0.1:1", "t").discovery()
