"""Several API roots from one service: every one that is named answers, and nothing of one is reached through another.

Spec: TAXII 2.1 §4.1, §4.2, §5.1
"""

import uuid

import pytest

from regcert.domain.collection import STIX_MEDIA_TYPE, ApiRoot, SignatureRule
from regcert.domain.principal import Role
from regcert.domain.region import RESERVED_SEGMENTS, Audience, CollectionEntry
from regcert.flows.add_api_root import add_api_root
from regcert.flows.add_collection import add_collection
from regcert.stix.tlp import Tlp
from tests.hosting import ROOT, RunningHost
from tests.made import envelope, indicator
from tests.wire.asking import JSON, REPORTS, ask

PUBLISHED = "/public/collections/published-indicators"
on_standing_host = pytest.mark.asyncio(loop_scope="module")
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def opened(host: RunningHost, slug: str, root: str, readers: Audience = "all", *media_types: str) -> str:
    types = (STIX_MEDIA_TYPE, *media_types)
    entry = CollectionEntry(
        slug, str(uuid.uuid4()), slug, "For a test.", Tlp.RED, SignatureRule.ACCEPTED, readers, readers, root, types
    )
    return (await add_collection(host.inside.database, host.clock, entry)).uuid


@pytest.mark.clause("4.1-y1", "4.1.1-m1", "4.2-y1", "8.2.1-y1")
async def test_discovery_names_every_root_in_its_order_when_one_is_added(host: RunningHost) -> None:
    """Also one that was added while the host serves; `default` is the first, letter for letter (§4.1)."""
    await add_api_root(host.inside.database, host.clock, ApiRoot("a-new-one", "A new one", "For a test."))
    _, found, _ = await host.get("//taxii2/")
    assert found["api_roots"] == ["/western-balkans/", "/public/", "/a-new-one/"]
    assert found["default"] == found["api_roots"][0]
    titles = []
    for root in found["api_roots"]:
        status, described, _ = await host.get("/" + root)
        assert status == 200
        titles.append(described["title"])
    assert titles == ["Western Balkans: indicators and sightings", "Public", "A new one"]


@on_standing_host
@pytest.mark.clause("4.2-d2", "5.1-d2")
async def test_root_is_absent_when_it_is_none(standing: RunningHost) -> None:
    """An unknown root is 404 on every address below it, and in the words of a root that is not there (§4.2, §5.1)."""
    known = (await ask(standing, "GET", f"{ROOT}/collections/regional-indicators/")).json["id"]
    for path in ("", "collections/", f"collections/{known}/", f"collections/{known}/objects/", f"status/{uuid.uuid4()}/"):
        reply = await ask(standing, "GET", f"/nowhere/{path}")
        assert (reply.status, reply.code) == (404, "not-found")
    posted = await ask(standing, "POST", f"/nowhere/collections/{known}/objects/", body=envelope(indicator()))
    assert (posted.status, posted.code) == (404, "not-found")


@on_standing_host
@pytest.mark.clause("4.2-y1", "5.2-d1", "5.2.1-t1")
async def test_collection_answers_only_under_its_own_root(standing: RunningHost) -> None:
    """By id and by alias, reading and writing; each root lists its own and no other."""
    lists = {
        root: {one["alias"]: one["id"] for one in (await ask(standing, "GET", f"{root}/collections/")).json["collections"]}
        for root in (ROOT, "/public")
    }
    assert list(lists["/public"]) == ["published-indicators"]
    assert "published-indicators" not in lists[ROOT]
    for root, other in ((ROOT, "/public"), ("/public", ROOT)):
        alias, identifier = next(iter(lists[root].items()))
        for name in (alias, identifier):
            assert (await ask(standing, "GET", f"{root}/collections/{name}/")).status == 200
            for path in ("", "objects/", "manifest/"):
                assert (await ask(standing, "GET", f"{other}/collections/{name}/{path}")).status == 404
            wrong = await ask(standing, "POST", f"{other}/collections/{name}/objects/", body=envelope(indicator()))
            assert wrong.status == 404


@on_standing_host
@pytest.mark.clause("2-m6", "4.1.1-y2", "5-y1", "5.1.1-m1")
async def test_root_says_nothing_when_nothing_in_it_exists_for_a_team(standing: RunningHost) -> None:
    """A root carries no secret; its list of collections is left out rather than empty (§2, §5.1)."""
    await add_api_root(standing.inside.database, standing.clock, ApiRoot("partners", "Partners", "For a test."))
    await opened(standing, "partners-only", "partners", ("srb-cert",))
    listed = {}
    for team in ("alcirt", "srb-cert"):
        assert (await ask(standing, "GET", "/partners/", team=team)).status == 200
        listed[team] = (await ask(standing, "GET", "/partners/collections/", team=team)).json
    assert listed["alcirt"] == {}
    assert [one["alias"] for one in listed["srb-cert"]["collections"]] == ["partners-only"]
    assert (await ask(standing, "GET", "/partners/collections/partners-only/")).status == 404


@on_standing_host
@pytest.mark.clause("2-m5", "5.1.1-m1")
async def test_list_is_written_out_for_a_client_that_needs_it(standing: RunningHost) -> None:
    """By its token's profile, and for no other token (docs/clients.md)."""
    await add_api_root(standing.inside.database, standing.clock, ApiRoot("bare", "Bare", "For a test."))
    kind = {"Authorization": f"Bearer {await standing.token('alcirt', client='taxii2-client')}"}
    assert (await ask(standing, "GET", "/bare/collections/", headers=kind)).json == {"collections": []}
    assert (await ask(standing, "GET", "/bare/collections/")).json == {}
    full = (await ask(standing, "GET", "/public/collections/", headers=kind)).json
    assert full == (await ask(standing, "GET", "/public/collections/")).json
    assert full["collections"]


@on_standing_host
async def test_list_is_not_sent_again_while_it_stands(standing: RunningHost) -> None:
    """Its tag is answered with 304, until a collection is added."""
    await add_api_root(standing.inside.database, standing.clock, ApiRoot("growing", "Growing", "For a test."))
    await opened(standing, "first-there", "growing")
    tag = {"If-None-Match": (await ask(standing, "GET", "/growing/collections/")).headers["ETag"]}
    again = await ask(standing, "GET", "/growing/collections/", headers=tag)
    assert (again.status, again.body) == (304, b"")
    await opened(standing, "second-there", "growing")
    assert len((await ask(standing, "GET", "/growing/collections/", headers=tag)).json["collections"]) == 2


@on_standing_host
@pytest.mark.clause("4.3-m1")
async def test_status_stands_in_the_root_that_was_posted_to(standing: RunningHost) -> None:
    """And in no other (§4.3)."""
    posted = await ask(standing, "POST", f"{PUBLISHED}/objects/", body=envelope(sent := indicator()))
    assert (posted.status, posted.json["success_count"]) == (202, 1)
    status = posted.json["id"]
    assert (await ask(standing, "GET", f"/public/status/{status}/")).json == posted.json
    assert (await ask(standing, "GET", f"{ROOT}/status/{status}/")).status == 404
    polled = (await ask(standing, "GET", f"{PUBLISHED}/objects/", team="sample-bank", role=Role.CONSUMER)).json
    assert sent["id"] in [one["id"] for one in polled["objects"]]


@on_standing_host
@pytest.mark.clause("5.2.1-t3", "5.5-m2")
async def test_only_those_who_check_publish_to_the_public_root(standing: RunningHost) -> None:
    """Everybody reads it; the national teams and the centre write it (deploy/regions)."""
    writes = {
        team: (await ask(standing, "GET", f"{PUBLISHED}/", team=team)).json["can_write"]
        for team in ("alcirt", "bih-cert", "regional-centre", "sample-bank", "amres-csirt")
    }
    assert writes == {"alcirt": True, "bih-cert": True, "regional-centre": True, "sample-bank": False, "amres-csirt": False}
    refused = await ask(standing, "POST", f"{PUBLISHED}/objects/", team="sample-bank", body=envelope(indicator()))
    assert (refused.status, refused.code) == (403, "forbidden")


@on_standing_host
@pytest.mark.clause("5.2.1-m2", "5.3.1-m4")
async def test_collection_names_its_own_media_types(standing: RunningHost) -> None:
    """STIX first, then what else the region says; a manifest still says what is there, which is STIX (§5.2, §5.3)."""
    await opened(standing, "with-papers", "public", "all", "application/pdf", "text/plain;charset=utf-8")
    path = "/public/collections/with-papers"
    expected = [STIX_MEDIA_TYPE, "application/pdf", "text/plain;charset=utf-8"]
    listed = (await ask(standing, "GET", "/public/collections/")).json["collections"]
    assert {one["alias"]: one["media_types"] for one in listed}["with-papers"] == expected
    assert (await ask(standing, "GET", f"{path}/")).json["media_types"] == expected
    assert (await ask(standing, "GET", f"{PUBLISHED}/")).json["media_types"] == [STIX_MEDIA_TYPE]
    assert (await ask(standing, "POST", f"{path}/objects/", body=envelope(indicator()))).status == 202
    manifest = (await ask(standing, "GET", f"{path}/manifest/")).json["objects"]
    assert {one["media_type"] for one in manifest} == {STIX_MEDIA_TYPE}


@on_sqlite
async def test_sighting_is_filed_under_a_collection_of_any_root(host: RunningHost) -> None:
    """By alias and by id; one that exists for the team nowhere is refused."""
    identifier = await opened(host, "seen-in-public", "public")
    await add_api_root(host.inside.database, host.clock, ApiRoot("closed", "Closed", "For a test."))
    await opened(host, "closed-to-others", "closed", ("srb-cert",))
    reports = [
        {"value": f"{uuid.uuid4().hex}.top", "collection": name}
        for name in ("seen-in-public", identifier, "regional-indicators", "closed-to-others", "nowhere")
    ]
    reply = await ask(host, "POST", REPORTS, headers=JSON, body=host.http.json_serialize({"sightings": reports}).encode())
    assert reply.json["accepted"] == 3
    assert [(one["index"], one["code"]) for one in reply.json["refused"]] == [(3, "invalid-sighting"), (4, "invalid-sighting")]


@on_standing_host
@pytest.mark.clause("4.2-m1", "8.2.1-y2")
async def test_no_root_can_be_named_like_another_address(standing: RunningHost) -> None:
    """What an address of the host begins with is reserved: a root of that name could be entered and never reached."""
    paths = {resource.canonical.strip("/").partition("/")[0] for resource in standing.inside.app.router.resources()}
    assert {path for path in paths if path and not path.startswith("{")} <= set(RESERVED_SEGMENTS)
