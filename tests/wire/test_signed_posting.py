"""Signed publications over the wire: what a host answers to each that is wrong, and that it keeps nothing of it."""

import base64
import copy
import random
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import select

from regcert.domain.publication import MANIFEST_TYPE
from regcert.errors import Code
from regcert.store.tables import METADATA
from regcert.web.problems import STATUS
from tests.fuzz.spoiling import spoil_bytes, spoil_value
from tests.hosting import RunningHost
from tests.made import indicator
from tests.signers import Signer, enrol, state_of
from tests.wire.asking import OBJECTS, Reply, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
MUTATIONS = 150
# What the host does by itself meanwhile: it notes when a token was used, and signs the log.
USED = ("tokens", "log_checkpoints", "log_tiles")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signer(standing: RunningHost) -> Signer:
    """A team with an enrolled key; tokens are made before anybody looks what is stored."""
    for team in ("alcirt", "srb-cert"):
        await standing.token(team)
    return await enrol(standing.inside.database, standing.clock)


async def post(host: RunningHost, body: bytes, team: str = "alcirt", path: str = OBJECTS) -> Reply:
    return await ask(host, "POST", path, team=team, body=body)


def packed(*objects: Any) -> bytes:
    return orjson.dumps({"objects": list(objects)})


def payload_of(manifest: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(base64.b64decode(manifest["dsse"]["payload"]))
    return value


async def test_every_refusal_has_its_number_when_a_publication_is_wrong(standing: RunningHost, signer: Signer) -> None:
    """As TAXII's error resource, with our code; nothing is stored, whatever was wrong."""
    one = indicator()
    good = await signer.manifest([one])
    taken = await signer.manifest([one], seq=2, prev=b"x" * 32)
    spaced = copy.deepcopy(good)
    spaced["dsse"]["payload"] = base64.b64encode(base64.b64decode(good["dsse"]["payload"]) + b" ").decode()
    other = copy.deepcopy(good)
    other["dsse"]["payloadType"] = "application/vnd.regcert.key-list+json; v=1"
    zeros = copy.deepcopy(good)
    zeros["dsse"]["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    large = indicator(pattern="[file:name = '" + "x" * 40_000 + "']")
    cases: list[tuple[Code, bytes]] = [
        (Code.INVALID_MANIFEST, packed(one, good, good)),
        (Code.INVALID_MANIFEST, packed(one, spaced)),
        (Code.INVALID_MANIFEST, packed(one, other)),
        (Code.INVALID_MANIFEST, packed(one, good | {"x_more": 1})),
        (Code.BAD_SIGNATURE, packed(one, zeros)),
        (Code.UNKNOWN_KEY, packed(one, await signer.manifest([one], key=signer.root))),
        (Code.WRONG_BINDING, packed(one, await signer.manifest([one], host="regcert/elsewhere/0123456789abcdef"))),
        (Code.MANIFEST_MISMATCH, packed(good)),
        (Code.MANIFEST_MISMATCH, packed(one, indicator(), good)),
        (Code.MANIFEST_MISMATCH, packed(one, one, good)),
        (Code.OUT_OF_SEQUENCE, packed(one, taken)),
        (Code.PUBLICATION_REFUSED, packed(bad := indicator(pattern="["), await signer.manifest([bad]))),
        (Code.TOO_LARGE, packed(large, large, await signer.manifest([large]))),
    ]
    before = await state_of(standing.inside.database, *USED)
    for code, body in cases:
        reply = await post(standing, body)
        assert (reply.status, reply.json.get("error_code")) == (STATUS[code], code), reply.body
        assert reply.json["http_status"] == str(reply.status)
        assert ("details" in reply.json) == (code is Code.PUBLICATION_REFUSED)
    assert await state_of(standing.inside.database, *USED) == before


async def test_none_of_many_mutations_is_taken_when_a_publication_is_spoilt(standing: RunningHost, signer: Signer) -> None:
    """In one place of the manifest, of its payload, of an object, or of the bytes: refused with a code, and nothing is stored."""
    chance = random.Random(2026)
    objects = [indicator() for _ in range(3)]
    manifest = await signer.manifest(objects)
    right = packed(*objects, manifest)
    before = await state_of(standing.inside.database, *USED)
    codes: set[str] = set()
    for number in range(MUTATIONS):
        body = right
        while body == right or is_the_same(body, right):
            body = spoilt(chance, number, objects, manifest)
        reply = await post(standing, body)
        assert 400 <= reply.status < 500, (reply.status, reply.body, body)
        codes.add(reply.json["error_code"])
    assert await state_of(standing.inside.database, *USED) == before
    assert codes >= {"invalid-manifest", "bad-signature", "manifest-mismatch"}
    assert codes <= set(Code)
    assert (await post(standing, right)).status == 202
    signer.went(manifest)


def spoilt(chance: random.Random, number: int, objects: list[dict[str, Any]], manifest: dict[str, Any]) -> bytes:
    objects, manifest = copy.deepcopy(objects), copy.deepcopy(manifest)
    match number % 5:
        case 0:
            return packed(*objects, spoil_value(chance, manifest) | {"type": MANIFEST_TYPE})
        case 1:
            payload = spoil_value(chance, payload_of(manifest))
            manifest["dsse"]["payload"] = base64.b64encode(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).decode()
            return packed(*objects, manifest)
        case 2:
            objects[chance.randrange(3)]["name"] = str(chance.random())
            return packed(*objects, manifest)
        case 3:
            manifest["dsse"] = spoil_value(chance, manifest["dsse"])
            return packed(*objects, manifest)
        case _:
            # Within the manifest: what is spoilt so that nothing tells it from an attested envelope is another one.
            text = orjson.dumps(manifest)
            return packed(*objects)[:-2] + b"," + spoil_bytes(chance, text, 1.0) + b"]}"


def is_the_same(body: bytes, right: bytes) -> bool:
    """Tell whether a change says the same in other letters, or leaves no manifest: neither is a forgery."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return bool(value == orjson.loads(right)) or b'"publication-manifest' not in body


async def test_publication_is_worth_nothing_when_it_is_replayed_elsewhere(standing: RunningHost, signer: Signer) -> None:
    """Posted to another collection, or by a neighbour: refused; posted again where it belongs: the same answer."""
    one = indicator()
    body = await signer.envelope(one)
    first = await post(standing, body)
    assert first.status == 202
    before = await state_of(standing.inside.database, *USED)
    assert (await post(standing, body, path=OBJECTS.replace("indicators", "sightings"))).code == "wrong-binding"
    assert (await post(standing, body, team="srb-cert")).code == "wrong-binding"
    again = await post(standing, body)
    assert (again.status, again.json) == (202, first.json)
    assert await state_of(standing.inside.database, *USED) == before


async def test_signed_object_cannot_be_deleted_over_the_wire(standing: RunningHost, signer: Signer) -> None:
    """409 for the object and for its manifest; both stay."""
    one = indicator()
    manifest = await signer.manifest([one])
    assert (await post(standing, packed(one, manifest))).status == 202
    signer.went(manifest)
    for stix_id in (one["id"], manifest["id"]):
        reply = await ask(standing, "DELETE", f"{OBJECTS}{stix_id}/")
        assert (reply.status, reply.code) == (409, "signed-object")
        assert (await ask(standing, "GET", f"{OBJECTS}{stix_id}/")).json["objects"]


async def test_manifest_is_an_object_like_any_other_when_it_is_polled(standing: RunningHost, signer: Signer) -> None:
    """By its type, by its id, in the manifest of the collection; value for value, behind what it lists."""
    one = indicator()
    manifest = await signer.manifest([one])
    assert (await post(standing, packed(manifest, one))).status == 202
    signer.went(manifest)
    [*_, last] = await standing.objects(query=f"match[type]={MANIFEST_TYPE}&")
    assert last == manifest
    assert (await ask(standing, "GET", f"{OBJECTS}{manifest['id']}/")).json["objects"] == [manifest]
    both = [found["id"] for found in await standing.objects() if found["id"] in {one["id"], manifest["id"]}]
    assert both == [one["id"], manifest["id"]]


async def test_refused_signature_is_noted_when_somebody_tries(standing: RunningHost, signer: Signer) -> None:
    """Who, where, and which rule; nothing of what was posted."""
    one = indicator()
    body = packed(one, await signer.manifest([one], key=signer.root))
    assert (await post(standing, body)).code == "unknown-key"
    rows = METADATA.tables["audit"]
    async with standing.inside.database.read() as connection:
        last = (await connection.execute(select(rows).order_by(rows.c.audit_id.desc()).limit(1))).mappings().one()
    assert (last["action"], last["subject"]) == ("refuse-signature", "regional-indicators unknown-key")
    assert last["team_id"] == signer.team.team_id
