"""Each endpoint of TAXII 2.1 held against its definition: success, who may, what is not there, and the error message.

Spec: TAXII 2.1 §3.1, and the tables of §4.1 to §4.3 and §5.1 to §5.8
"""

import base64
import gzip
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from multidict import CIMultiDict

from regcert.domain.principal import Role
from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import envelope, indicator
from tests.wire.asking import INDICATORS, OBJECTS, Reply, ask
from tests.wire.conftest import MOST_BYTES

pytestmark = pytest.mark.asyncio(loop_scope="module")
ONE = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
NEVER = "indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0"
DATES = {"X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"}


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: how it is asked, how it succeeds, and addresses of its kind where nothing is."""

    method: str
    path: str
    name: str
    absent: tuple[str, ...]
    status: int = 200
    dated: bool = False
    filters: bool = False


def below(path: str) -> tuple[str, ...]:
    """The same in a root that is not there, and in collections that are not."""
    return f"/nowhere{path.removeprefix(ROOT)}", *(
        path.replace("regional-indicators", one) for one in ("nothing", str(uuid.uuid4()))
    )


ENDPOINTS = {
    "discovery": Endpoint("GET", "/taxii2/", "api_roots", ()),
    "API root": Endpoint("GET", f"{ROOT}/", "max_content_length", ("/nowhere/",)),
    "status": Endpoint("GET", f"{ROOT}/status/{{}}/", "total_count", ("/nowhere/status/{}/", f"{ROOT}/status/{uuid.uuid4()}/")),
    "collections": Endpoint("GET", f"{ROOT}/collections/", "collections", ("/nowhere/collections/",)),
    "collection": Endpoint("GET", f"{INDICATORS}/", "can_read", below(f"{INDICATORS}/")),
    "manifest": Endpoint("GET", f"{INDICATORS}/manifest/", "objects", below(f"{INDICATORS}/manifest/"), dated=True, filters=True),
    "objects": Endpoint("GET", OBJECTS, "objects", below(OBJECTS), dated=True, filters=True),
    "adding": Endpoint("POST", OBJECTS, "success_count", below(OBJECTS), 202),
    "object": Endpoint(
        "GET", f"{OBJECTS}{ONE}/", "objects", (*below(f"{OBJECTS}{ONE}/"), f"{OBJECTS}{NEVER}/"), dated=True, filters=True
    ),
    "versions": Endpoint(
        "GET",
        f"{OBJECTS}{ONE}/versions/",
        "versions",
        (*below(f"{OBJECTS}{ONE}/versions/"), f"{OBJECTS}{NEVER}/versions/"),
        dated=True,
        filters=True,
    ),
    "deletion": Endpoint("DELETE", f"{OBJECTS}{ONE}/", "", (*below(f"{OBJECTS}{ONE}/"), f"{OBJECTS}{NEVER}/"), filters=True),
}
EVERY = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=ENDPOINTS.keys())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def status(standing: RunningHost) -> str:
    """The id of a status that the analyst may see."""
    return str((await ask(standing, "POST", OBJECTS, body=envelope(indicator(id=ONE)))).json["id"])


async def call(standing: RunningHost, endpoint: Endpoint, path: str, **asked: Any) -> Reply:
    body = envelope(indicator(id=ONE)) if endpoint.method == "POST" else None
    reply = await ask(standing, endpoint.method, path, body=body, **asked)
    if endpoint.method == "DELETE" and reply.status == 200:
        await ask(standing, "POST", OBJECTS, body=envelope(indicator(id=ONE)))  # as it was before
    return reply


def assert_error(reply: Reply, status: int, code: str) -> None:
    """The error message, in its type, with its own status in it."""
    assert (reply.status, reply.code, reply.json["http_status"]) == (status, code, str(status))
    assert reply.headers["Content-Type"] == TAXII
    assert reply.json["title"]
    assert len(reply.json["description"].split()) > 3


@pytest.mark.clause(
    "3.1-m2", "3.1-m6", "3.1-t1", "3.1-m7", "3.1-m8", "3.7-m1", "4.1-d1", "4.2-d1", "4.3-d1", "5.1-d1", "5.2-d1", "5.3-d1",
    "5.4-d1", "5.5-d1", "5.6-d1", "5.7-d1", "5.8-d1", "8.2.1-m1", "8.2.1-m2",
)  # fmt: skip
@EVERY
async def test_endpoint_answers_with_its_resource_when_it_is_asked_rightly(
    standing: RunningHost, status: str, endpoint: Endpoint
) -> None:
    """The status and the type of its table, its own resource, and both date headers where it has them."""
    for accept in (TAXII, f"{TAXII},application/stix+json;version=2.1"):
        reply = await call(standing, endpoint, endpoint.path.format(status), headers={"Accept": accept})
        assert (reply.status, reply.headers["Content-Type"]) == (endpoint.status, TAXII)
        assert endpoint.name in reply.json if endpoint.name else reply.json == {}
        assert (reply.headers.keys() >= DATES) is endpoint.dated


@pytest.mark.clause(
    "1.6.9-t1", "1.6.9-t2", "3.1-y1", "4.1-d2", "4.2-d2", "4.3-d2", "5.1-m1", "5.1-d2", "5.2-m1", "5.2-d2", "5.3-m1", "5.3-d2",
    "5.4-m1", "5.4-d2", "5.5-m1", "5.5-d2", "5.6-m2", "5.6-d2", "5.7-m4", "5.7-d2", "5.8-m2", "5.8-d2", "8.2.2-y5",
)  # fmt: skip
@EVERY
@pytest.mark.parametrize("authorization", ["", "Bearer never", "Basic " + base64.b64encode(b"x:never").decode()])
async def test_endpoint_asks_for_credentials_when_none_open_anything(
    standing: RunningHost, status: str, endpoint: Endpoint, authorization: str
) -> None:
    """401 and a challenge, whether or not something is at the address."""
    for path in (endpoint.path, *endpoint.absent):
        reply = await call(standing, endpoint, path.format(status), headers={"Authorization": authorization})
        assert_error(reply, 401, "unauthenticated")
        assert reply.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert ", Bearer realm=" in reply.headers["WWW-Authenticate"]


@pytest.mark.clause(
    "3.1-y3", "3.1-y1", "4.1-d2", "4.2-d2", "4.3-d2", "5.1-d2", "5.2-d2", "5.3-d2", "5.4-d2", "5.5-d2", "5.6-d2", "5.7-d2",
    "5.8-d2",
)  # fmt: skip
@EVERY
async def test_endpoint_says_so_when_nothing_acceptable_can_be_given(
    standing: RunningHost, status: str, endpoint: Endpoint
) -> None:
    """406 for another version of TAXII and for what is no TAXII; nothing is deleted or stored then."""
    before = await standing.objects()
    for accept in ("application/vnd.oasis.taxii+json; version=2.0", "application/taxii+json;version=3.0", "text/html"):
        assert_error(
            await call(standing, endpoint, endpoint.path.format(status), headers={"Accept": accept}), 406, "not-acceptable"
        )
    assert await standing.objects() == before


@pytest.mark.clause(
    "3.1-y1", "3.6-t1", "4.2-d2", "4.3-d2", "4.3-m1", "5.1-d2", "5.2-d2", "5.3-d2", "5.4-d2", "5.5-d2", "5.6-d2", "5.7-d2",
    "5.8-d2",
)  # fmt: skip
@EVERY
async def test_endpoint_is_not_found_when_part_of_its_address_is_not_there(
    standing: RunningHost, status: str, endpoint: Endpoint
) -> None:
    """404 for an unknown root, collection, object or status."""
    for path in endpoint.absent:
        assert_error(await call(standing, endpoint, path.format(status)), 404, "not-found")


@pytest.mark.clause("3.1-m10", "3.4-m1", "5.3-d2", "5.4-d2", "5.6-d2", "5.7-d2", "5.8-d2")
@pytest.mark.parametrize("query", ["match[version]=newest", "match[version]=all,last", "match[version]=last&match[version]=last"])
@EVERY
async def test_endpoint_refuses_a_query_that_cannot_be_read(
    standing: RunningHost, status: str, endpoint: Endpoint, query: str
) -> None:
    """400 where the endpoint filters, and nothing is deleted; the others know no query."""
    reply = await call(standing, endpoint, f"{endpoint.path.format(status)}?{query}")
    if endpoint.filters:
        assert_error(reply, 400, "malformed-request")
    else:
        assert reply.status == endpoint.status
    assert ONE in [one["id"] for one in await standing.objects()]


@pytest.mark.clause("5.1-d2", "5.2-d2", "5.3-d2", "5.4-d2", "5.5-d2", "5.6-d2", "5.7-d2", "5.8-d2")
@pytest.mark.parametrize(
    "endpoint",
    [endpoint for endpoint in ENDPOINTS.values() if INDICATORS in endpoint.path],
    ids=lambda one: f"{one.method} {one.name}",
)
async def test_endpoint_is_not_found_when_the_collection_is_anothers(
    standing: RunningHost, status: str, endpoint: Endpoint
) -> None:
    """404 rather than 403, which would say that there is something."""
    path = endpoint.path.replace("regional-indicators", "team-srb-cert")
    assert_error(await call(standing, endpoint, path), 404, "not-found")


@pytest.mark.clause("5.5-d2", "5.7-d2", "5.2.1-t3")
async def test_endpoint_forbids_when_a_token_may_only_read(standing: RunningHost) -> None:
    """403: the collection is no secret to a consumer."""
    for name in ("adding", "deletion"):
        assert_error(await call(standing, ENDPOINTS[name], ENDPOINTS[name].path, role=Role.CONSUMER), 403, "forbidden")


@pytest.mark.clause("3.1-y1", "8.2.1-y2")
@pytest.mark.parametrize("path", ["/nowhere/", f"{OBJECTS}{NEVER}/", f"{OBJECTS}?limit=0"])
async def test_error_has_no_body_when_only_the_head_was_asked_for(standing: RunningHost, path: str) -> None:
    """The same status and type as for GET."""
    head, get = await ask(standing, "HEAD", path), await ask(standing, "GET", path)
    assert (head.status, head.headers["Content-Type"], head.body) == (get.status, TAXII, b"")


@pytest.mark.clause("1.6.9-t1", "8.2.2-y1", "8.2.2-y4")
async def test_no_address_of_taxii_opens_without_a_token(standing: RunningHost) -> None:
    """Every route that is entered, with every method it knows: a new one is not forgotten."""
    names = {"root": "western-balkans", "collection": "public", "object": ONE, "status": str(uuid.uuid4())}
    asked = 0
    for resource in standing.inside.app.router.resources():
        if not resource.canonical.startswith(("/taxii2", "/{root")):
            continue
        for route in resource:
            reply = await ask(standing, route.method, resource.canonical.format(**names), headers={"Authorization": ""})
            assert reply.status == 401, (route.method, resource.canonical)
            asked += 1
    assert asked >= 2 * (9 + 9 + 2)


@pytest.mark.clause("3.3-m2")
async def test_collections_stand_in_one_order_when_they_are_listed_again(standing: RunningHost) -> None:
    """Also for another team, as far as it sees the same."""
    lists = [
        (await ask(standing, "GET", f"{ROOT}/collections/", team=team)).json["collections"] for team in ("alcirt", "bih-cert") * 3
    ]
    titles = [[one["title"] for one in listed] for listed in lists]
    assert titles[0] == titles[2] == titles[4]
    shared = [title for title in titles[0] if title in titles[1]]
    assert len(shared) > 2
    assert shared == [title for title in titles[1] if title in titles[0]]


@pytest.mark.clause("4.2-y2")
async def test_token_opens_every_root_when_it_opens_one(standing: RunningHost) -> None:
    """One way of signing in for all of them."""
    bearer = {"Authorization": f"Bearer {await standing.token('alcirt')}"}
    for root in (await ask(standing, "GET", "/taxii2/", headers=bearer)).json["api_roots"]:
        assert (await ask(standing, "GET", f"{root}collections/", headers=bearer)).status == 200


@pytest.mark.clause("3.1-m3", "3.1-m9")
async def test_post_needs_no_accept_but_a_content_type(standing: RunningHost) -> None:
    """What is not said is taken as anything; what a body is has to be said."""
    reply = await ask(standing, "POST", OBJECTS, headers={"Accept": ""}, body=envelope(indicator()))
    assert reply.status == 202
    before = await standing.objects()
    assert_error(
        await ask(standing, "POST", OBJECTS, headers={"Content-Type": ""}, body=envelope(indicator())),
        415,
        "unsupported-media-type",
    )
    assert await standing.objects() == before


@pytest.mark.clause("4.2.1-m5")
async def test_body_is_measured_as_it_comes_and_as_it_unpacks(standing: RunningHost) -> None:
    """What is smaller than we say in both is taken; a body that unpacks to more is not, however small it came."""
    coded = {"Content-Encoding": "gzip"}
    small = envelope(indicator(description="x" * (MOST_BYTES // 2)))
    assert (await ask(standing, "POST", OBJECTS, headers=coded, body=gzip.compress(small))).status == 202
    large = envelope(indicator(description="x" * MOST_BYTES))
    assert_error(await ask(standing, "POST", OBJECTS, headers=coded, body=gzip.compress(large)), 413, "too-large")


@pytest.mark.clause("1.6.9-t2", "8.2.2-s3", "8.2.2-y2")
@pytest.mark.parametrize(
    "written",
    ["Basic {basic}", "basic {basic}", "BASIC {no_user}", "Bearer {token}", "bearer {token}", "Token {token}", "token {token}"],
)
async def test_token_is_known_when_it_comes_in_any_scheme(standing: RunningHost, written: str) -> None:
    """The scheme is compared without case; as a password it may stand behind any user name, and behind none."""
    token = await standing.token("alcirt")
    basic, no_user = (base64.b64encode(f"{user}:{token}".encode()).decode() for user in ("misp", ""))
    header = written.format(token=token, basic=basic, no_user=no_user)
    for path in ("/taxii2/", OBJECTS):
        assert (await ask(standing, "GET", path, headers={"Authorization": header})).status == 200


@pytest.mark.clause("3.1-m5", "3.1-m7")
async def test_accept_is_read_whole_when_it_comes_in_several_lines(standing: RunningHost) -> None:
    """What one line does not offer, another may."""
    lines = CIMultiDict([("Accept", "text/html"), ("Accept", TAXII), ("Accept", "application/vnd.oasis.taxii+json;version=2.0")])
    assert (await ask(standing, "GET", "/taxii2/", headers=lines)).status == 200
    lines = CIMultiDict([("Accept", "text/html"), ("Accept", "application/xml")])
    assert_error(await ask(standing, "GET", "/taxii2/", headers=lines), 406, "not-acceptable")


@pytest.mark.clause("5.5-m1")
async def test_nothing_is_stored_when_nobody_is_known_to_have_sent_it(standing: RunningHost) -> None:
    """Neither without a token nor with one that is none."""
    before = await standing.objects()
    for header in ("", "Bearer never"):
        reply = await ask(standing, "POST", OBJECTS, headers={"Authorization": header}, body=envelope(indicator()))
        assert_error(reply, 401, "unauthenticated")
    assert await standing.objects() == before
