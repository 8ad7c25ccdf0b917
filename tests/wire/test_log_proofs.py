"""What a reader is told of a publication proves itself, and who may not read it is told what he is told of nothing."""

import asyncio
import uuid
from typing import Any

import pytest

from regcert.domain.verifier_key import read_verifier_key
from regcert.flows.add_witness import add_witness
from regcert.signing.dsse import read_envelope
from regcert.signing.key_list import read_key_list
from regcert.signing.note import cosign, list_cosignatures, read_note, verify_note, witness_key
from regcert.signing.private_key import private_key_of
from regcert.signing.publication import commitment, read_manifest
from regcert.store.checkpoints import find_newest
from regcert.store.log import append_leaf, count_leaves
from regcert.translog.checkpoint import read_checkpoint
from regcert.translog.leaf import KeyLeaf, PublicationLeaf, tag
from regcert.translog.proof_file import read_proof_file
from regcert.translog.proofs import require_included
from regcert.translog.tree import leaf_hash
from tests.hosting import RunningHost
from tests.made import indicator
from tests.signers import Signer, enrol
from tests.wire.asking import OBJECTS, Reply, ask

SHARED, GROUP = "regional-indicators", "financial-sector-group"
KEYS = {name: private_key_of(name.encode() * 32) for name in "ab"}


async def publish(host: RunningHost, signer: Signer, slug: str = SHARED) -> dict[str, Any]:
    """Publish a new object, signed, and wait until the log is signed, too."""
    one = indicator()
    path = OBJECTS.replace(SHARED, slug)
    reply = await ask(host, "POST", path, team=signer.team.slug, body=await signer.envelope(one, slug=slug))
    assert reply.status == 202, reply.body
    await signed(host)
    return one


async def signed(host: RunningHost) -> None:
    database = host.inside.database
    async with asyncio.timeout(10):
        while (await database.run(find_newest())).size < await database.run(count_leaves()):  # type: ignore[union-attr] # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def proof_of(host: RunningHost, one: dict[str, Any], slug: str = SHARED, **asked: Any) -> Reply:
    path = f"/api/v1/objects/{one['id']}/{one['modified']}/proof?collection={slug}"
    return await ask(host, "GET", path, **({"headers": {"Accept": "application/json"}} | asked))


async def cosigned(host: RunningHost, name: str, time_s: int) -> int:
    """Let a witness cosign the newest checkpoint; returns its size."""
    note = read_note((await ask(host, "GET", "/log/checkpoint")).body)
    body = note.with_signature(cosign(note.text, KEYS[name], name, time_s)).write()
    reply = await ask(host, "POST", "/api/v1/log/cosignatures", headers={"Content-Type": "text/plain"}, body=body)
    assert reply.status == 201
    return read_checkpoint(note.text).size


async def require_proof(host: RunningHost, text: str, entry: bytes) -> int:
    """Check a tlog-proof as somebody does who knows the log's key and nothing else; returns the size that it is against."""
    proof = read_proof_file(text.encode())
    note = read_note(proof.note)
    verify_note(note, read_verifier_key((await ask(host, "GET", "/api/v1/log")).json["verifier"]))
    checkpoint = read_checkpoint(note.text)
    require_included(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint.size


async def test_publication_is_proven_when_it_was_signed(host):
    """Manifest, leaf, key list: each is in the log, and a verifier has all that it needs to see that."""
    signer = await enrol(host.inside.database, host.clock)
    one = await publish(host, signer)
    reply = await proof_of(host, one, team="kos-cert")
    told = reply.json
    assert (told["object"], told["version"], told["signature"]) == (one["id"], one["modified"], "signed")
    assert (told["team"], told["number"], told["key_id"]) == (signer.team.identity_id, 1, signer.key.public.key_id)
    _, publication = read_manifest(told["manifest"])
    assert one["id"] in {listed.stix_id for listed in publication.objects}
    leaf = PublicationLeaf(
        commitment(publication.nonce, publication.digest), told["key_id"], tag(bytes.fromhex(told["blind"]), told["number"])
    )
    await require_proof(host, told["proof"], leaf.write())
    (listed,) = told["key_lists"]
    assert read_key_list(read_envelope(listed["envelope"])).team == signer.team.identity_id
    await require_proof(host, listed["proof"], KeyLeaf(listed["envelope"]).write())
    assert listed["leaf_index"] < told["leaf_index"]
    alone = await proof_of(host, one, headers={"Accept": "text/plain"})
    assert (alone.headers["Content-Type"], alone.body.decode()) == ("text/plain; charset=utf-8", told["proof"])


async def test_proof_is_against_the_newest_witnessed_checkpoint_and_the_first_ones(host):
    """The newest that the most witnesses cosigned; and for each number of cosignatures the first, which tells the time."""
    signer = await enrol(host.inside.database, host.clock)
    for name, key in KEYS.items():
        await add_witness(host.inside.database, host.clock, name, witness_key(name, key).text, None)
    one = await publish(host, signer)
    assert (await proof_of(host, one)).json["first"] == []
    sizes = [await cosigned(host, "a", 100)]
    await publish(host, signer)
    sizes.append(await cosigned(host, "b", 200))
    await publish(host, signer)
    sizes += [await cosigned(host, "a", 301), await cosigned(host, "b", 300)][:1]
    await publish(host, signer)
    told = (await proof_of(host, one)).json
    _, publication = read_manifest(told["manifest"])
    leaf = PublicationLeaf(
        commitment(publication.nonce, publication.digest), told["key_id"], tag(bytes.fromhex(told["blind"]), told["number"])
    ).write()
    assert await require_proof(host, told["proof"], leaf) == sizes[2]
    assert [await require_proof(host, text, leaf) for text in told["first"]] == [sizes[0], sizes[2]]
    earliest = read_note(read_proof_file(told["first"][0].encode()).note)
    assert list_cosignatures(earliest, witness_key("a", KEYS["a"])) == [100]


async def test_object_is_attested_when_nobody_signed_it(host):
    """The poster is named, and there is nothing that could look like a proof."""
    one = indicator()
    await host.post([one])
    told = (await proof_of(host, one)).json
    assert (told["signature"], told["key_id"], told["number"], told["proof"]) == ("attested", None, None, None)
    assert (told["manifest"], told["key_lists"], told["first"], told["leaf_index"]) == (None, [], [], None)
    reply = await proof_of(host, one, headers={"Accept": "text/plain"})
    assert (reply.status, reply.code) == (404, "not-found")


async def test_object_is_signed_when_its_team_signs_for_it_later(host):
    """What was attested becomes signed for; what another team lists does not become that team's."""
    one, other = indicator(), indicator()
    await host.post([one, other])
    owner = await enrol(host.inside.database, host.clock)
    await ask(host, "POST", OBJECTS, body=await owner.envelope(one))
    born = await publish(host, owner)
    stranger = await enrol(host.inside.database, host.clock, "srb-cert")
    for listed in (one, other, born):
        await ask(host, "POST", OBJECTS, team="srb-cert", body=await stranger.envelope(listed))
    await signed(host)
    told = (await proof_of(host, one)).json
    assert (told["signature"], told["team"], told["number"]) == ("signed", owner.team.identity_id, 1)
    assert (await proof_of(host, other)).json["signature"] == "attested"
    told = (await proof_of(host, born)).json
    assert (told["signature"], told["team"], told["number"]) == ("signed", owner.team.identity_id, 2)


async def test_foreign_object_is_answered_as_an_absent_one(host):
    """Its proof, its collection's publications, and where its team's next one goes: byte for byte the same as of nothing."""
    signer = await enrol(host.inside.database, host.clock)
    one = await publish(host, signer, GROUP)
    outsiders = [await host.token("kos-cert"), await host.token("alcirt", collections=["public"])]
    absent = indicator()
    for token in outsiders:
        for hidden, nothing in (
            (await answer(host, token, proof_path(one, GROUP)), await answer(host, token, proof_path(absent, "no-such"))),
            (await answer(host, token, proof_path(one, "public")), await answer(host, token, proof_path(absent, "public"))),
            *[
                (
                    await answer(host, token, f"/api/v1/collections/{GROUP}/{what}"),
                    await answer(host, token, f"/api/v1/collections/{uuid.uuid4()}/{what}"),
                )
                for what in ("publications", "head")
            ],
        ):
            assert hidden == nothing
            assert hidden[0] == 404
    assert (await proof_of(host, one, GROUP)).status == 200


def proof_path(one: dict[str, Any], slug: str) -> str:
    return f"/api/v1/objects/{one['id']}/{one['modified']}/proof?collection={slug}"


async def answer(host: RunningHost, token: str, path: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    reply = await ask(host, "GET", path, headers=headers)
    return reply.status, reply.body.replace(reply.headers["X-Request-Id"].encode(), b"-")


async def test_publications_are_listed_by_their_numbers_and_continue(host):
    """Page by page; each team is told what its own next one continues, and where another team is, it is not told."""
    owner = await enrol(host.inside.database, host.clock)
    other = await enrol(host.inside.database, host.clock, "srb-cert")
    path = f"/api/v1/collections/{SHARED}"
    before = (await ask(host, "GET", f"{path}/head")).json
    assert before == {"team": owner.team.identity_id, "seq": 0, "prev": None}
    for signer in (owner, owner, other):
        await publish(host, signer)
    for signer in (owner, other):
        seq, prev = signer.heads[SHARED]
        assert prev is not None
        told = (await ask(host, "GET", f"{path}/head", team=signer.team.slug)).json
        assert told == {"team": signer.team.identity_id, "seq": seq, "prev": prev.hex()}
    assert (await ask(host, "GET", f"{path}/head", team="kos-cert")).json["seq"] == 0
    pages = [(await ask(host, "GET", f"{path}/publications?limit=2&after={after}")).json for after in (0, 2)]
    listed = [one for page in pages for one in page["publications"]]
    assert [(one["number"], one["seq"], one["team"]) for one in listed] == [
        (1, 1, owner.team.identity_id),
        (2, 2, owner.team.identity_id),
        (3, 1, other.team.identity_id),
    ]
    assert [page["more"] for page in pages] == [True, False]
    manifests = [one for one in await host.objects() if one["type"] == "publication-manifest"]
    assert [one["manifest"] for one in listed] == [one["id"] for one in manifests]
    bundle = (await ask(host, "GET", f"/log/tile/entries/000.p/{listed[-1]['leaf_index'] + 1}")).body
    for one in listed:
        assert tag(bytes.fromhex(pages[0]["blind"]), one["number"]).hex().encode() in bundle


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("objects/indicator--x/2026-01-01T00:00:00Z/proof", (400, "malformed-request")),
        ("objects/indicator--x/2026-01-01T00:00:00Z/proof?collection=", (400, "malformed-request")),
        ("objects/indicator--x/yesterday/proof?collection=public", (404, "not-found")),
        ("objects/indicator--x/2026-01-01T00:00:00Z/proof?collection=public", (404, "not-found")),
        ("collections/public/publications?after=-1", (400, "malformed-request")),
        ("collections/public/publications?after=1e3", (400, "malformed-request")),
        ("collections/public/publications?limit=0", (400, "malformed-request")),
        ("collections/public/publications?after=9999999999", (400, "malformed-request")),
        ("collections/public/publications?limit=999999&after=999999999", (200, "")),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_question_is_refused_when_it_cannot_be_meant(standing, path, expected):
    """Before anything is read."""
    reply = await ask(standing, "GET", f"/api/v1/{path}")
    assert (reply.status, reply.code if reply.status != 200 else "") == expected


async def test_proof_is_a_fault_of_ours_when_the_tiles_were_changed(host):
    """A proof that shows nothing would look as if the reader had been lied to."""
    signer = await enrol(host.inside.database, host.clock)
    one = await publish(host, signer)
    await publish(host, signer)

    async def flip(tx: Any) -> None:
        await tx.connection.exec_driver_sql("UPDATE log_tiles SET hashes = " + HASHES[host.inside.database.dialect])

    await host.inside.database.write(flip)
    assert (await proof_of(host, one)).status == 500


HASHES = {"sqlite": "zeroblob(96)", "postgresql": "decode(repeat('00', 96), 'hex')"}


async def test_proof_is_small_when_the_log_is_large(host):
    """Twenty hashes at a million entries, and the lines of five witnesses, are less than 2 kB."""
    signer = await enrol(host.inside.database, host.clock)
    one = await publish(host, signer)
    for number in range(2):
        await host.inside.database.write(lambda tx: tx.run(append_leaf(b"x%d" % number)))  # noqa: B023
    await signed(host)
    size = len((await proof_of(host, one)).json["proof"])
    line = len(cosign("x", KEYS["a"], "witness.cert.example", 1_795_000_000).line)
    assert size + (20 - 2) * 45 + 5 * line < 2048
