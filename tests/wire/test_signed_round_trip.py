"""What is signed here and read by plain clients elsewhere: each object still has the hash that its team signed."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest
import stix2
from stix2.serialization import serialize
from taxii2client.v21 import Collection, as_pages

from regcert.client import AsyncClient
from regcert.domain.collection import SignatureRule
from regcert.domain.publication import MANIFEST_TYPE
from regcert.domain.region import CollectionEntry
from regcert.errors import Code
from regcert.flows import spool as spooling
from regcert.flows.add_collection import add_collection
from regcert.flows.initialise import initialise, read_region_file
from regcert.flows.unspool import unspool
from regcert.settings import Settings
from regcert.share import share_dir
from regcert.signing.publication import list_object, read_manifest
from regcert.stix.reader import ReadObject, read_envelope
from regcert.stix.schema import SchemaSet
from regcert.stix.tlp import Tlp
from regcert.web.taxii import objects as handlers
from tests.hosting import ROOT, RunningHost, StillClock, run_host
from tests.made import indicator
from tests.signers import enrol, state_of

SHARED = "regional-indicators"
DERIVED = ("tokens", "log_checkpoints", "log_tiles", "host_facts")  # a host that begins notes by which lists it judged


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: what a client sees does not depend on the engine, which other tests show."""
    return f"sqlite:///{tmp_path}/regcert.db"


def read_all(path: Path) -> list[bytes]:
    """The objects of a bundle, each as the bytes that stand in the file."""
    return [read.body for read in read_envelope(path.read_bytes()) if isinstance(read, ReadObject)]


def pull(url: str, token: str, per_request: int) -> list[dict[str, Any]]:
    """Pull everything as a program of somebody else does."""
    with Collection(url, user="x", password=token) as opened:
        pages = as_pages(opened.get_objects, per_request=per_request, version="all")
        return [one for page in pages for one in page.get("objects", [])]


def in_other_letters(one: dict[str, Any]) -> Any:
    """Write an object as other programs do: other order, other blanks, escapes for what is not ASCII."""
    return json.loads(json.dumps(one, sort_keys=True, indent=2, separators=(" , ", " : ")))


def through_stix2(one: dict[str, Any]) -> Any:
    """Read and write an object with OASIS's own library."""
    return json.loads(serialize(stix2.parse(one, allow_custom=True)))


async def new_collection(host: RunningHost, slug: str) -> str:
    entry = CollectionEntry(slug, str(uuid.uuid4()), slug, "", Tlp.AMBER_STRICT, SignatureRule.REQUIRED, "all", "all")
    return (await add_collection(host.inside.database, host.clock, entry)).uuid


@pytest.mark.parametrize(("folder", "per_post"), [("amnesty", 1000), ("from-misp", 100), ("oasis-examples", 1000)])
async def test_hash_is_the_signed_one_when_a_plain_client_wrote_it_anew(
    host: RunningHost, shared_data: Path, folder: str, per_post: int
) -> None:
    """Real bundles, signed, pulled through taxii2-client in pages of 100 and 1000, written anew: every hash is in a manifest."""
    signer = await enrol(host.inside.database, host.clock)
    collection = await new_collection(host, "signed")
    token, sent, refused = await host.token("alcirt"), 0, set()
    async with AsyncClient(host.url, token) as client:
        for path in sorted((shared_data / "stix21" / folder).glob("*.json")):
            bodies = read_all(path)
            for start in range(0, len(bodies), per_post):
                some = bodies[start : start + per_post]
                told = await client.publish_signed("signed", some, signer.key, drop_refused=True)
                sent += told.accepted
                refused |= {one.message.partition(":")[0] for one in told.failures}
    assert refused <= set(Code)
    url = f"{host.url}{ROOT}/collections/{collection}/"
    pulled = [await asyncio.to_thread(pull, url, token, size) for size in (100, 1000)]
    assert pulled[0] == pulled[1]
    publications = [read_manifest(one)[1] for one in pulled[0] if one["type"] == MANIFEST_TYPE]
    assert [one.seq for one in publications] == list(range(1, len(publications) + 1))
    signed = {listed.digest for one in publications for listed in one.objects}
    objects = [one for one in pulled[0] if one["type"] != MANIFEST_TYPE]
    assert sent >= len(objects) > 30
    assert len(signed) == len(objects)
    assert {list_object(in_other_letters(one)).digest for one in objects} == signed
    for one in objects[::25]:
        other = through_stix2(one)
        # It adds this one to indicators that have none: an object with something added is another object.
        assert list_object(other).digest in signed or other == one | {"pattern_version": "2.1"}, other


async def test_publication_is_worth_nothing_when_it_is_posted_to_another_host(host: RunningHost, tmp_path: Path) -> None:
    """The same region founded twice, the same team with the same key: what was signed for one is refused by the other."""
    clock = StillClock()
    settings = Settings(data_dir=tmp_path / "other", database_url=f"sqlite:///{tmp_path}/other.db")
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    await initialise(settings.data_dir, settings.database_url, clock, region)
    signer = await enrol(host.inside.database, host.clock)
    async with run_host(settings, clock) as other:
        there = await enrol(other.inside.database, clock)
        one = indicator()
        bound: dict[str, Any] = {"collection": await there.collection(SHARED), "key": there.key, "team": there.team.identity_id}
        body = orjson.dumps({"objects": [one, await signer.manifest([one], **bound)]})
        await other.token("alcirt")
        before = await state_of(other.inside.database, *DERIVED)
        status, error = await other.post(body)
        assert (status, error["error_code"]) == (422, "wrong-binding")
        assert "another host" in error["description"]
        assert await state_of(other.inside.database, *DERIVED) == before


async def test_signed_body_is_refused_when_it_is_too_large_to_be_looked_at_whole(
    host: RunningHost, schemas: SchemaSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the manifest stands in it, and however it spells its type: nothing of it is kept or published."""
    monkeypatch.setattr(handlers, "LARGE_BYTES", 4096)
    monkeypatch.setattr(spooling, "PIECE_OBJECTS", 5)
    signer = await enrol(host.inside.database, host.clock)
    objects = [indicator() for _ in range(40)]
    manifest = await signer.manifest(objects)
    before = await state_of(host.inside.database, *DERIVED)
    for listed in ([manifest, *objects], [*objects, manifest], [*objects[:20], manifest, *objects[20:]]):
        await host.token("alcirt")
        status, error = await host.post(orjson.dumps({"objects": listed}))
        assert (status, error["error_code"]) == (413, "too-large")
        assert "split it" in error["description"]
    after = await state_of(host.inside.database, *DERIVED)
    assert {name: rows for name, rows in after.items() if rows != before[name]}.keys() <= {"host_order"}
    hidden = orjson.dumps({"objects": [manifest, *objects]}).replace(b'"publication-manifest', b'"publication\\u002dmanifest')
    status, told = await host.post(hidden)
    assert status == 202
    while await unspool(host.inside.database, schemas):
        pass
    _, told, _ = await host.get(f"/status/{told['id']}/")
    assert told["status"] == "complete"
    assert "too-large" in {one["message"].partition(":")[0] for one in told["failures"]}
    assert all(one["type"] != MANIFEST_TYPE for one in await host.objects())


async def test_unsigned_body_is_refused_when_it_is_large_and_the_collection_wants_signatures(
    host: RunningHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any of it is kept."""
    monkeypatch.setattr(handlers, "LARGE_BYTES", 4096)
    await new_collection(host, "signed")
    await host.token("alcirt")
    before = await state_of(host.inside.database, *DERIVED)
    status, error = await host.post([indicator() for _ in range(40)], collection="signed")
    assert (status, error["error_code"]) == (422, "signature-required")
    assert await state_of(host.inside.database, *DERIVED) == before
