"""Media types, methods and addresses: what a TAXII host takes, and what it always answers."""

import pytest

from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import envelope, indicator
from tests.wire.asking import INDICATORS, OBJECTS, ask
from tests.wire.conftest import MOST_BYTES

pytestmark = pytest.mark.asyncio(loop_scope="module")
ADDRESSES = ["/taxii2", ROOT, f"{ROOT}/collections", INDICATORS, f"{INDICATORS}/manifest", f"{INDICATORS}/objects"]
ONE = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"


@pytest.mark.parametrize(
    "accept",
    [
        TAXII,
        "application/taxii+json",
        "application/taxii+json; version=2.1",
        'application/taxii+json ; version="2.1"',
        "APPLICATION/TAXII+JSON;VERSION=2.1",
        "application/stix+json;version=2.1",
        "text/html, application/taxii+json;version=2.1;q=0.9",
        "application/vnd.oasis.taxii+json; version=2.0, application/taxii+json; version=2.1",
        "application/*",
        "*/*",
        "application/json",
        "",
    ],
)
@pytest.mark.clause("1.6.8-t1", "3.1-m3", "3.1-m4", "3.1-m5", "3.1-m7", "3.1-s1", "3.1-s2", "3.1-y2")
async def test_client_is_answered_when_it_accepts_what_we_give(standing: RunningHost, accept: str) -> None:
    """With or without version, blanks, quotes, in a list, by a wild card or with no header at all (TAXII 2.1 §3.1)."""
    reply = await ask(standing, "GET", "/taxii2/", headers={"Accept": accept})
    assert (reply.status, reply.headers["Content-Type"]) == (200, TAXII)


@pytest.mark.parametrize(
    "accept",
    [
        "application/taxii+json;version=2.0",
        "application/taxii+json;version=9",
        'application/taxii+json;version="2.0"',
        "application/vnd.oasis.taxii+json; version=2.0",
        "text/html",
        "application/xml;" + ";".join(f"p{number}=1" for number in range(600)),
    ],
)
@pytest.mark.clause("3.1-m9", "3.1-y3")
async def test_client_is_refused_when_it_accepts_another_version_only(standing: RunningHost, accept: str) -> None:
    """Another version is 406, also on a POST, of which nothing is stored then."""
    reply = await ask(standing, "GET", "/taxii2/", headers={"Accept": accept})
    assert (reply.status, reply.code, reply.headers["Content-Type"]) == (406, "not-acceptable", TAXII)
    before = await standing.objects()
    reply = await ask(standing, "POST", OBJECTS, headers={"Accept": accept}, body=envelope(indicator()))
    assert (reply.status, reply.code) == (406, "not-acceptable")
    assert await standing.objects() == before


@pytest.mark.parametrize(
    "content_type",
    [
        TAXII,
        "application/taxii+json",
        "application/taxii+json; version=2.1",
        'application/taxii+json;version="2.1"; charset=utf-8',
        "application/stix+json;version=2.1",
        "application/stix+json; version=2.1",
        "Application/Taxii+Json",
    ],
)
@pytest.mark.clause("3.1-m8", "3.1-y4")
async def test_envelope_is_taken_when_its_media_type_does_no_harm(standing: RunningHost, content_type: str) -> None:
    """OpenCTI posts STIX's media type with a blank; both names are taken, with and without version."""
    reply = await ask(standing, "POST", OBJECTS, headers={"Content-Type": content_type}, body=envelope(indicator()))
    assert (reply.status, reply.json["success_count"], reply.headers["Content-Type"]) == (202, 1, TAXII)


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "text/plain", "application/taxii+json;version=2.0", "application/taxii+json;version=9", ";", "x"],
)
@pytest.mark.clause("3.1-m9", "3.1-y5", "5.5-d2")
async def test_envelope_is_refused_when_its_media_type_is_another(standing: RunningHost, content_type: str) -> None:
    """415 and nothing stored (TAXII 2.1 §3.1)."""
    before = await standing.objects()
    reply = await ask(standing, "POST", OBJECTS, headers={"Content-Type": content_type}, body=envelope(indicator()))
    assert (reply.status, reply.code) == (415, "unsupported-media-type")
    assert await standing.objects() == before


@pytest.mark.clause("3.1-m1")
async def test_address_answers_the_same_when_its_trailing_slash_is_left_out(standing: RunningHost) -> None:
    """Real clients leave it out; a redirect would lose the query, and some lose the token with it."""
    await standing.post([indicator(id=ONE)])
    for address in [*ADDRESSES, f"{INDICATORS}/objects/{ONE}", f"{INDICATORS}/objects/{ONE}/versions"]:
        without, with_slash = await ask(standing, "GET", address), await ask(standing, "GET", address + "/")
        assert (without.status, with_slash.status) == (200, 200), address
        assert without.body == with_slash.body
    reply = await ask(standing, "POST", OBJECTS.rstrip("/"), body=envelope(indicator()))
    assert reply.status == 202
    assert (await ask(standing, "DELETE", f"{INDICATORS}/objects/{ONE}")).status == 200


@pytest.mark.clause("8.2.1-y2")
async def test_head_answers_like_get_when_no_body_is_wanted(standing: RunningHost) -> None:
    """HEAD has the same status and headers, and no body."""
    await standing.post([indicator(id=ONE)])
    for address in [*ADDRESSES, f"{INDICATORS}/objects/{ONE}", f"{INDICATORS}/objects/{ONE}/versions"]:
        head, get = await ask(standing, "HEAD", address + "/"), await ask(standing, "GET", address + "/")
        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Type", "Content-Length", "X-TAXII-Date-Added-Last"):
            assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/taxii2/", "GET,HEAD"),
        ("PUT", OBJECTS, "GET,HEAD,POST"),
        ("DELETE", OBJECTS, "GET,HEAD,POST"),
        ("OPTIONS", OBJECTS, "GET,HEAD,POST"),
        ("PATCH", f"{OBJECTS}{ONE}/", "DELETE,GET,HEAD"),
        ("POST", f"{INDICATORS}/manifest/", "GET,HEAD"),
        ("DELETE", INDICATORS, "GET,HEAD"),
        ("PUT", "/api/v1/sightings", "GET,HEAD,POST"),
        ("QUERY", "/api/v1/incidents", "GET,HEAD"),
    ],
)
@pytest.mark.clause("8.2.1-y2")
async def test_method_is_refused_when_the_address_does_not_know_it(
    standing: RunningHost, method: str, path: str, allowed: str
) -> None:
    """405 says which methods there are."""
    reply = await ask(standing, method, path)
    assert (reply.status, reply.code, reply.headers["Allow"]) == (405, "method-not-allowed", allowed)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
@pytest.mark.clause("8.2.1-y2")
async def test_method_stays_what_it_is_when_a_header_says_another(standing: RunningHost, header: str) -> None:
    """No header turns a GET into a DELETE."""
    await standing.post([indicator(id=ONE)])
    assert (await ask(standing, "GET", f"{OBJECTS}{ONE}/", headers={header: "DELETE"})).status == 200
    assert ONE in {one["id"] for one in await standing.objects()}


@pytest.mark.clause("3.2-s1", "8.2.1-s1")
async def test_client_is_answered_when_it_names_no_user_agent(standing: RunningHost) -> None:
    """No User-Agent is no reason to refuse."""
    assert (await ask(standing, "GET", "/taxii2/", headers={"User-Agent": ""})).status == 200


@pytest.mark.parametrize(
    "path", ["/nowhere/", "/nowhere/collections/", f"{ROOT}/collections/unheard/", f"{ROOT}/status/unheard/", "/x/y/z/"]
)
@pytest.mark.clause("3.1-y1", "3.6.1-t1", "3.6.1-t2", "3.6.1-m1", "3.6.1-y1", "B-t3")
async def test_error_is_a_taxii_resource_when_something_is_not_there(standing: RunningHost, path: str) -> None:
    """The error resource has a title and its status as text; it says nothing of what was asked (TAXII 2.1 §3.6)."""
    reply = await ask(standing, "GET", path)
    assert (reply.status, reply.headers["Content-Type"]) == (404, TAXII)
    assert reply.json.keys() == {"title", "description", "error_id", "error_code", "http_status"}
    assert reply.json["http_status"] == "404"
    assert reply.json["error_id"] == reply.headers["X-Request-Id"]
    assert "unheard" not in reply.body.decode()


@pytest.mark.clause("1.6.9-t1", "1.6.9-t2", "8.2.2-s3")
async def test_client_is_told_how_to_sign_in_when_it_shows_no_token(standing: RunningHost) -> None:
    """401 always carries WWW-Authenticate with Basic and Bearer (TAXII 2.1 §1.6.9, §8.2.2)."""
    for address in [*ADDRESSES, f"{ROOT}/status/x", f"{INDICATORS}/objects/{ONE}", "/api/v1/incidents"]:
        reply = await ask(standing, "GET", address, headers={"Authorization": ""})
        assert (reply.status, reply.code) == (401, "unauthenticated"), address
        assert {"Basic", "Bearer"} <= set(reply.headers["WWW-Authenticate"].replace(",", " ").split())


async def test_answer_carries_its_safeguards_when_anything_is_answered(standing: RunningHost) -> None:
    """No sniffing, no shared caching, no referrer, nothing loaded, and not a word about the library that serves."""
    for method, path in [("GET", "/taxii2/"), ("GET", "/nowhere/x"), ("POST", "/taxii2/"), ("GET", "/"), ("GET", "/healthz")]:
        headers = (await ask(standing, method, path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == ("private, no-cache" if (method, path) == ("GET", "/taxii2/") else "private, no-store")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert len(headers["X-Request-Id"]) == 16
        assert headers["Server"] == "RegCERT"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.clause("4.1-y1", "4.1.1-m1", "4.2-d1", "4.2.1-m3")
async def test_discovery_names_living_roots_when_asked(standing: RunningHost) -> None:
    """`default` is one of `api_roots`, letter for letter, and every root that is named answers (TAXII 2.1 §4.1, §4.2)."""
    found = (await ask(standing, "GET", "/taxii2/")).json
    assert found["title"]
    assert found["default"] in found["api_roots"]
    for root in found["api_roots"]:
        described = (await ask(standing, "GET", root)).json
        assert described["versions"] == [TAXII]
        assert described["max_content_length"] == MOST_BYTES
