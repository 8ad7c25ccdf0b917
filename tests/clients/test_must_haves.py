"""What real clients need of a server, one must-have after the other, with the clients that stand behind it.

Where a module of a client or of tests/wire goes deeper into one of them, it is named.
"""

import asyncio
from typing import Any

import pytest

from regcert.domain.principal import Role
from tests.clients.replay import (
    ADDRESS,
    DOMAIN,
    FIRST,
    LAST,
    Header,
    add,
    basic,
    bearer,
    bundle,
    dates,
    fill,
    ids,
    in_javascript,
    objects_at,
    open_collection,
    say,
)
from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import CREATED, envelope, indicator, sdo
from tests.wire.asking import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")
LATER = "2026-11-02T10:00:00.000Z"


async def get(host: RunningHost, target: str, client: str | None = None, team: str = "alcirt") -> Reply:
    token = await host.token(team, client=client) if client else await host.token(team)
    reply = await say(host, "GET", target, [("Accept", TAXII), bearer(token)])
    assert reply.status == 200, reply.body
    return reply


async def post(host: RunningHost, collection: str, body: bytes, *headers: Header) -> Reply:
    sent = [("Content-Type", TAXII), bearer(await host.token("alcirt")), *headers]
    return await say(host, "POST", objects_at(collection), dict(sent).items(), body)


async def test_1_next_is_a_place_in_a_list_and_nothing_else(standing: RunningHost) -> None:
    """Must-have 1 (OpenCTI, Elastic, taxii2-client): usable twice, with another limit, alone or beside its filters.

    That it survives a restart is in test_opencti_feed, that a foreign one begins the filtered list in test_taxii_reading.
    """
    collection, other = await open_collection(standing), await open_collection(standing)
    early = await fill(standing, collection, 3)
    after = (await dates(standing, collection))[-1]
    sent = await fill(standing, collection, 9)
    await add(standing, collection, sdo("malware", is_family=False, name="m"))
    await fill(standing, other, 2)
    asked = f"added_after={after}&match[type]=indicator"
    here = objects_at(collection)
    token = (await get(standing, f"{here}?{asked}&limit=2")).json["next"]
    for query in (f"next={token}", f"next={token}&{asked}", f"{asked}&next={token}", f"next={token}&added_after={after}"):
        for limit, expected in (("", sent[2:]), ("&limit=3", sent[2:5]), ("&limit=1", sent[2:3])):
            for _ in range(2):
                assert (await get(standing, f"{here}?{query}{limit}")).json["objects"] == expected, (query, limit)
    foreign = (await get(standing, f"{objects_at(other)}?limit=1")).json["next"]
    for unknown in (foreign, "x", token[:-2]):
        assert (await get(standing, f"{here}?{asked}&next={unknown}")).json["objects"] == sent
    assert len((await get(standing, f"{here}?next={foreign}")).json["objects"]) == len(early + sent) + 1


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7, 100])
@pytest.mark.parametrize("path", ["objects/", "manifest/", "versions/"])
async def test_2_more_and_next_stand_together(standing: RunningHost, path: str, limit: int) -> None:
    """Must-have 2 (Elastic, XSOAR, taxii2-client): `next` if and only if more, and no page with more is empty."""
    collection = await open_collection(standing)
    one = indicator()
    await add(standing, collection, *(one | {"modified": f"2026-11-02T10:00:0{number}.000Z"} for number in range(6)))
    target = (
        f"{objects_at(collection)}{one['id']}/versions/" if path == "versions/" else f"{ROOT}/collections/{collection}/{path}"
    )
    name, seen, query = ("versions" if path == "versions/" else "objects"), 0, f"?match[version]=all&limit={limit}"
    while True:
        page = (await get(standing, target + query)).json
        assert page["more"] is ("next" in page)
        assert 1 <= len(page[name]) <= limit
        seen += len(page[name])
        if not page["more"]:
            break
        query = f"?limit={limit}&next={page['next']}"
    assert seen == 6


@pytest.mark.parametrize(
    ("client", "body", "echoes"),
    [
        (None, b"{}", False),
        ("elastic", b'{"objects":[],"more":false}', True),
        ("opencti", b'{"objects":[],"more":false}', False),
        ("taxii2-client", b'{"objects":[],"more":false}', False),
        ("stix2", b'{"objects":[],"more":false}', False),
        ("xsoar", b'{"objects":[],"more":false}', False),
        ("misp", b"{}", False),
        ("sentinel", b"{}", False),
    ],
)
async def test_3_empty_answer_is_strict_by_default_and_kind_by_profile(
    standing: RunningHost, client: str | None, body: bytes, echoes: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """Must-have 3 (Elastic, OpenCTI as 2.0): the standard's `{}`, unless the token names a client that needs its list."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 1)
    asked = "2035-01-01T00:00:00.000001Z"
    here = f"{ROOT}/collections/{collection}"
    for path in ("/objects/", "/manifest/", f"/objects/{sent[0]['id']}/"):
        reply = await get(standing, f"{here}{path}?added_after={asked}", client)
        assert (reply.body, reply.headers.get(LAST)) == (body, asked if echoes else None), path
        assert FIRST not in reply.headers
    versions = await get(standing, f"{here}/objects/{sent[0]['id']}/versions/?added_after={asked}", client)
    assert versions.body == body.replace(b"objects", b"versions")
    assert (await get(standing, f"{here}/objects/", client)).json["objects"] == sent


async def test_4_date_added_is_unique_and_rises_in_the_order_of_commits(standing: RunningHost) -> None:
    """Must-have 4 (OpenCTI, Elastic, MineMeld): many writers at one moment of a clock that stands, then one that steps back."""
    collection = await open_collection(standing)
    await asyncio.gather(*(fill(standing, collection, 5) for _ in range(8)))
    standing.clock.at_us -= 1_000_000
    await fill(standing, collection, 2)
    standing.clock.at_us += 1_000_000
    added = await dates(standing, collection)
    assert len(added) == 42
    assert added == sorted(set(added))
    everything = await standing.objects(collection=collection)
    for number, after in enumerate(added):
        reply = await get(standing, f"{objects_at(collection)}?added_after={after}&limit=3")
        assert reply.json.get("objects", []) == everything[number + 1 : number + 4]
        if number < 41:
            assert (reply.headers[FIRST], reply.headers[LAST]) == (added[number + 1], added[min(number + 3, 41)])
    again = await get(standing, f"{objects_at(collection)}?added_after={in_javascript(added[-1])}")
    assert everything[-1] in again.json["objects"]


@pytest.mark.parametrize(
    "form", ["{0}Z", "{0}.0Z", "{0}.00000Z", "{0}.000000000Z", "{0}+00:00", "{0}%2B00:00", "{0}%2000:00", "{0}-00:00"]
)
async def test_5_time_is_an_instant_however_it_is_written(standing: RunningHost, form: str) -> None:
    """Must-have 5 (taxii2-client, Elastic, OpenCTI, Splunk): 0 to 9 decimals, `Z` or offset, a blank for `+`; text stays text."""
    collection = await open_collection(standing)
    odd = indicator(created="2026-11-01T10:00:00Z", modified="2026-11-01T10:00:00.00Z", valid_from="2026-11-01T10:00:00.000000Z")
    await add(standing, collection, odd)
    written = form.format("2026-11-01T10:00:00")
    assert (await get(standing, f"{objects_at(collection)}?match[version]={written}")).json["objects"] == [odd]
    assert (await get(standing, f"{objects_at(collection)}?added_after={written}")).json["objects"] == [odd]
    entry = (await get(standing, f"{ROOT}/collections/{collection}/manifest/")).json["objects"][0]
    assert entry["version"] == "2026-11-01T10:00:00.00Z"


async def test_6_page_is_as_large_as_may_be(standing: RunningHost) -> None:
    """Must-have 6 (IntelMQ, stix2, Trellix): 1000 without a limit, 10,000 when asked, a profile's own; bad ones are 400."""
    collection = await open_collection(standing)
    await fill(standing, collection, 10_001)
    sizes = {"": 1000, "?limit=5000": 5000, "?limit=10000": 10_000, "?limit=15000": 10_000, "?limit=99999999999999999999": 10_000}
    for query, expected in sizes.items():
        page = (await get(standing, f"{ROOT}/collections/{collection}/manifest/{query}")).json
        assert (len(page["objects"]), page["more"]) == (expected, True), query
    for query in ("", "?limit=10000"):
        assert len((await get(standing, f"{objects_at(collection)}{query}")).json["objects"]) == sizes[query]
    for client, expected in {"intelmq": 10_000, "wazuh-ti": 10_000, "elastic": 1000}.items():
        assert len((await get(standing, objects_at(collection), client)).json["objects"]) == expected, client
    for bad in ("0", "-1", "1.5", "many", ""):
        reply = await say(standing, "GET", f"{objects_at(collection)}?limit={bad}", [bearer(await standing.token("alcirt"))])
        assert reply.status == 400, bad


async def test_7_slash_at_the_end_is_free(standing: RunningHost) -> None:
    """Must-have 7 (MISP, Splunk, Elastic): served, not redirected, with query and credentials; deeper in test_taxii_media."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 3)
    here = f"{ROOT}/collections/{collection}"
    status = (await post(standing, collection, envelope(sent[0]))).json["id"]
    one = f"{here}/objects/{sent[0]['id']}"
    for path in ("/taxii2", ROOT, f"{ROOT}/collections", here, f"{here}/objects", f"{here}/manifest", one, f"{one}/versions"):
        assert (await get(standing, path)).body == (await get(standing, f"{path}/")).body, path
        assert (await get(standing, f"{path}?limit=1")).body == (await get(standing, f"{path}/?limit=1")).body, path
    assert (await get(standing, f"{ROOT}/status/{status}")).json["id"] == status
    writing = [("Content-Type", TAXII), bearer(await standing.token("alcirt"))]
    assert (await say(standing, "POST", f"{here}/objects", writing, envelope(sent[0]))).status == 202
    assert (await say(standing, "DELETE", one, writing)).status == 200


@pytest.mark.parametrize(
    "accept",
    [
        ("application/taxii+json;version=2.1",),
        ("application/taxii+json; version=2.1",),
        ("application/taxii+json",),
        ("*/*",),
        (),
        ("text/html, application/taxii+json;version=2.1;q=0.5, */*;q=0.1",),
        ("application/vnd.oasis.taxii+json;version=2.0", "application/taxii+json;version=2.1"),
    ],
)
async def test_8_client_is_answered_whatever_it_accepts(standing: RunningHost, accept: tuple[str, ...]) -> None:
    """Must-have 8 (OpenCTI, XSOAR, Elastic, scripts): lenient in, exact out, on errors too; repeated lines are one list."""
    authorization = bearer(await standing.token("alcirt"))
    headers = [*(("Accept", one) for one in accept), authorization]
    for target, status in (("/taxii2/", 200), (objects_at("regional-indicators"), 200), (objects_at("nowhere"), 404)):
        reply = await say(standing, "GET", target, headers)
        assert (reply.status, reply.headers["Content-Type"]) == (status, TAXII), target
    assert reply.json["http_status"] == "404"


@pytest.mark.parametrize("kind", ["application/taxii+json", "application/stix+json"])
@pytest.mark.parametrize("version", ["", ";version=2.1", "; version=2.1"])
async def test_9_body_is_an_envelope_or_a_bundle(standing: RunningHost, kind: str, version: str) -> None:
    """Must-have 9 (stix2, OpenCTI, MISP, Splunk): both frames under each media type; the same again; a bad object is an entry."""
    collection = await open_collection(standing)
    marking = {
        "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--34ed5bd3-98c6-4d1a-9a3b-1f2f3a4b5c6d",
        "created": CREATED, "definition_type": "statement", "definition": {"statement": "x"},
    }  # fmt: skip
    good = [indicator(x_mine={"a": [1, None]}), ADDRESS, marking, DOMAIN]
    as_bundle = standing.http.json_serialize(bundle(*good, {"type": "indicator"})).encode()
    for body in (envelope(*good, {"type": "indicator"}), as_bundle):
        reply = await post(standing, collection, body, ("Content-Type", kind + version))
        counts = [reply.json[name] for name in ("total_count", "success_count", "failure_count", "pending_count")]
        assert (reply.status, counts) == (202, [5, 4, 1, 0])
    assert await standing.objects(collection=collection, query="match[version]=all&") == good


async def test_10_status_is_complete_at_once_and_adds_up(standing: RunningHost) -> None:
    """Must-have 10 (taxii2-client, Splunk): at `<root>/status/<id>/`, lists as long as their counts, id and version in each."""
    collection = await open_collection(standing)
    objects: list[Any] = [indicator(), ADDRESS, indicator(pattern="no"), 7]
    told = (await post(standing, collection, envelope(*objects))).json
    assert told == (await get(standing, f"{ROOT}/status/{told['id']}/")).json
    assert told["status"] == "complete"
    assert told["total_count"] == told["success_count"] + told["failure_count"] + told["pending_count"] == 4
    assert (len(told["successes"]), len(told["failures"])) == (told["success_count"], told["failure_count"]) == (2, 2)
    assert all(one["id"] and one["version"] for one in told["successes"] + told["failures"])


async def test_11_discovery_and_roots_are_siblings_that_live(standing: RunningHost) -> None:
    """Must-have 11 (MISP, XSOAR, OpenCTI, Trellix): `/taxii2/`, roots of one segment without dots, titles that can be typed."""
    found = (await get(standing, "/taxii2/")).json
    assert found["default"] in found["api_roots"]
    titles: list[str] = []
    for root in found["api_roots"]:
        assert root.count("/") == 2
        assert "." not in root
        assert (await get(standing, root)).json["versions"] == [TAXII]
        titles += [one["title"] for one in (await get(standing, f"{root}collections/")).json.get("collections", [])]
    assert not [title for title in titles if "." in title or "," in title]
    assert len({title.casefold() for title in titles}) == len(titles)


async def test_12_token_is_taken_in_every_way_that_clients_write_it(standing: RunningHost) -> None:
    """Must-have 12 (MISP, Sumo Logic, XSOAR, OpenCTI, Elastic, CrowdSec): Basic in any case and for any user, Bearer, Token.

    A client whose header can be chosen is told to choose Authorization. No other header is read.
    """
    token = await standing.token("alcirt", Role.CONSUMER)
    good = [basic(user, token, scheme) for user in ("", "x", "käthe", "apikey") for scheme in ("Basic", "basic", "BASIC")]
    good += [bearer(token, scheme) for scheme in ("Bearer", "bearer", "Token", "token", "TOKEN")]
    for header in good:
        assert (await say(standing, "GET", "/taxii2/", [header])).status == 200, header
    for bad in (
        [],
        [("X-API-Key", token)],
        [basic(token, "")],
        [basic("x", "wrong")],
        [bearer("wrong")],
        [("Authorization", token)],
    ):
        reply = await say(standing, "GET", "/taxii2/", bad)
        assert (reply.status, reply.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
        assert reply.headers["Content-Type"] == TAXII


async def test_13_what_is_not_there_is_404_and_a_deletion_disturbs_no_page(standing: RunningHost) -> None:
    """Must-have 13 (stix2, XSOAR, OpenCTI): unknown object, collection, status; a walk goes on behind what was deleted."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 6)
    here, unknown = f"{ROOT}/collections/{collection}", f"indicator--{collection}"
    reading = [bearer(await standing.token("alcirt"))]
    missing = [
        f"{here}/objects/{unknown}/",
        f"{here}/objects/{unknown}/versions/",
        objects_at(unknown),
        f"{ROOT}/status/{collection}/",
    ]
    for target in missing:
        assert (await say(standing, "GET", target, reading)).status == 404
    pages = [f"{here}/{path}/?limit=2" for path in ("objects", "manifest")]
    tokens = [(await get(standing, page)).json["next"] for page in pages]
    for gone in (sent[0], sent[1], sent[3]):
        assert (await say(standing, "DELETE", f"{here}/objects/{gone['id']}/", reading)).status == 200
    for page, token in zip(pages, tokens, strict=True):
        assert ids((await get(standing, f"{page}&next={token}")).json["objects"]) == ids([sent[2], sent[4]])


async def test_14_first_page_is_the_oldest_of_a_large_collection(standing: RunningHost) -> None:
    """Must-have 14 (OpenCTI, which waits 30 s): whatever its size, the first page is right. How fast is measured elsewhere."""
    collection = await open_collection(standing)
    sent = await fill(standing, collection, 6000)
    page = (await get(standing, f"{objects_at(collection)}?limit=100")).json
    assert (page["objects"], page["more"]) == (sent[:100], True)
    chosen = ids(sent[::601])
    found = (await get(standing, f"{objects_at(collection)}?match[id]={','.join(chosen)}")).json
    assert (ids(found["objects"]), found["more"]) == (chosen, False)
