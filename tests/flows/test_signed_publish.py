"""Signed publications: taken whole and in their order or not at all, on both databases."""

import asyncio
import base64
import uuid
from typing import Any

import orjson
import pytest

from regcert.clock import DAY_US
from regcert.domain.collection import SignatureRule
from regcert.domain.key_list import team_key
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry
from regcert.errors import Code, Refusal
from regcert.flows.add_collection import add_collection
from regcert.flows.approve import approve
from regcert.flows.authenticate import recognise
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.expire_statuses import expire_statuses
from regcert.flows.publish import look_into, publish, record
from regcert.flows.release import release
from regcert.signing.private_key import new_private_key
from regcert.signing.publication import commitment, read_manifest
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp
from regcert.store.keys import set_suspended
from regcert.taxii.filters import Filters, Versions
from regcert.translog.leaf import PublicationLeaf, read_leaf, tag
from tests.made import indicator, sdo
from tests.signers import Signer, enrol, retired, revoked, state_of
from tests.store.acting import INDICATORS, Acting

OTHER = "regional-sightings"
# What is decided before the database is asked is decided alike on both.
DECIDED_BEFORE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


@pytest.fixture
async def signer(acting: Acting) -> Signer:
    """A team with an enrolled key."""
    return await enrol(acting.database, acting.clock)


async def post(acting: Acting, body: bytes, team: str = "alcirt", collection: str = INDICATORS) -> dict[str, Any]:
    receipt = await publish(acting.database, acting.schemas, await acting.received(body, team, collection))
    status: dict[str, Any] = orjson.loads(receipt.status)
    return status


async def refusal_of(acting: Acting, body: bytes, team: str = "alcirt", collection: str = INDICATORS) -> Refusal:
    """Post, be refused, and find nothing stored."""
    received = await acting.received(body, team, collection)
    before = await state_of(acting.database)
    with pytest.raises(Refusal) as caught:
        await publish(acting.database, acting.schemas, received)
    assert await state_of(acting.database) == before
    return caught.value


def packed(*objects: Any) -> bytes:
    return orjson.dumps({"objects": list(objects)})


async def vouched(acting: Acting) -> dict[str, str]:
    return {row["stix_id"]: row["vouched"] for row in await acting.rows("objects")}


async def test_publication_is_stored_behind_its_objects_when_it_is_signed(acting: Acting, signer: Signer) -> None:
    """Objects, manifest, publication and leaf in one transaction; whoever holds the manifest has what it lists."""
    objects = [indicator(), indicator(), sdo("identity", name="x")]
    manifest = await signer.manifest(objects)
    status = await post(acting, packed(manifest, *objects))
    assert (status["success_count"], status["failure_count"]) == (4, 0)
    rows = {row["stix_id"]: row for row in await acting.rows("objects")}
    assert {row["vouched"] for row in rows.values()} == {"signed"}
    assert max(rows, key=lambda one: rows[one]["position"]) == manifest["id"]
    assert [one["id"] for one in await acting.poll()] == [*(one["id"] for one in objects), manifest["id"]]
    [row] = await acting.rows("publications")
    _, publication = read_manifest(manifest)
    assert (row["number"], row["seq"], row["digest"]) == (1, 1, publication.digest)
    assert (row["key_id"], row["position"]) == (signer.key.public.key_id, rows[manifest["id"]]["position"])
    entries = {one["leaf_index"]: one["entry"] for one in await acting.rows("log_leaves")}
    [collection] = [one for one in await acting.rows("collections") if one["slug"] == INDICATORS]
    expected = PublicationLeaf(commitment(publication.nonce, publication.digest), row["key_id"], tag(collection["blind"], 1))
    assert read_leaf(entries[row["leaf_index"]]) == expected


async def test_numbers_have_no_gap_when_teams_publish_in_turn(acting: Acting, signer: Signer) -> None:
    """Each team counts its own, in each collection; the collection counts all of its publications."""
    neighbour = await enrol(acting.database, acting.clock, "srb-cert")
    for who in (signer, neighbour, signer):
        await post(acting, await who.envelope(indicator()), who.team.slug)
    await post(acting, await signer.envelope(indicator(), slug=OTHER), collection=OTHER)
    rows = sorted((row["collection_id"], row["number"], row["team_id"], row["seq"]) for row in await acting.rows("publications"))
    here, there = await acting.id_of(INDICATORS), await acting.id_of(OTHER)
    mine, theirs = signer.team.team_id, neighbour.team.team_id
    assert rows == sorted([(here, 1, mine, 1), (here, 2, theirs, 1), (here, 3, mine, 2), (there, 1, mine, 1)])
    blinds = {row["blind"] for row in await acting.rows("collections") if row["blind"]}
    assert len(blinds) == 2


async def test_first_status_is_answered_when_the_same_is_posted_again(acting: Acting, signer: Signer) -> None:
    """Also when other objects have changed since, and when the status was forgotten; nothing more is stored."""
    one = indicator()
    body = await signer.envelope(one)
    status = await post(acting, body)
    newer = one | {"modified": "2026-11-02T10:00:00.000Z"}
    await post(acting, await signer.envelope(newer))
    before = await state_of(acting.database)
    assert await post(acting, body) == status
    assert await state_of(acting.database) == before
    acting.clock.at_us += 40 * DAY_US
    while await expire_statuses(acting.database, acting.clock):
        pass
    await post(acting, packed(indicator()))  # on SQLite, it would be given the key of a submission that has been forgotten
    before = await state_of(acting.database)
    again = await post(acting, body)
    assert again != status
    assert (again["success_count"], again["failure_count"], again["successes"]) == (2, 0, status["successes"])
    assert await state_of(acting.database, "submissions", "host_order") == {
        name: rows for name, rows in before.items() if name not in {"submissions", "host_order"}
    }


async def test_one_of_many_is_stored_when_the_same_is_posted_at_once(acting: Acting, signer: Signer) -> None:
    """Everybody is told the same."""
    body = await signer.envelope(indicator())
    answers = await asyncio.gather(*(post(acting, body) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await acting.rows("publications")) == 1


async def test_one_writer_wins_when_two_sign_for_one_place(acting: Acting, signer: Signer) -> None:
    """The other is told the number to take, and takes it."""
    a, b = indicator(name="a"), indicator(name="b")
    first, second = await signer.manifest([a]), await signer.manifest([b])
    found = await asyncio.gather(post(acting, packed(a, first)), post(acting, packed(b, second)), return_exceptions=True)
    lost = [one for one in found if isinstance(one, Refusal)]
    assert len(lost) == 1
    assert lost[0].code is Code.OUT_OF_SEQUENCE
    assert "number 2" in lost[0].message
    signer.went(first if isinstance(found[1], Refusal) else second)
    left = b if isinstance(found[1], Refusal) else a
    assert (await post(acting, await signer.envelope(left)))["failure_count"] == 0
    assert len(await acting.rows("objects")) == 4


async def test_publication_is_out_of_sequence_when_it_is_not_the_next(acting: Acting, signer: Signer) -> None:
    """Skipped, repeated, at the end of all numbers, or behind something else."""
    await post(acting, await signer.envelope(indicator()))
    last, one = signer.heads[INDICATORS][1], indicator()
    for seq, prev in ((3, last), (2, b"x" * 32), (1, None), (2**53 - 1, last)):
        manifest = await signer.manifest([one], seq=seq, prev=prev)
        assert (await refusal_of(acting, packed(one, manifest))).code is Code.OUT_OF_SEQUENCE


@DECIDED_BEFORE
async def test_publication_is_refused_when_it_was_signed_for_something_else(acting: Acting, signer: Signer) -> None:
    """Another host, another collection, by another team: replayed, it is worth nothing, and it is noted."""
    neighbour = await enrol(acting.database, acting.clock, "srb-cert")
    one = indicator()
    elsewhere = packed(one, await signer.manifest([one], host="regcert/another/0123456789abcdef"))
    here = packed(one, await signer.manifest([one]))
    for body, team, collection in (
        (elsewhere, "alcirt", INDICATORS),
        (here, "alcirt", OTHER),
        (here, "srb-cert", INDICATORS),
        (packed(one, await neighbour.manifest([one])), "alcirt", INDICATORS),
    ):
        assert (await refusal_of(acting, body, team, collection)).code is Code.WRONG_BINDING
    noted = [row["subject"] for row in await acting.rows("audit") if row["action"] == "refuse-signature"]
    assert noted.count(f"{INDICATORS} wrong-binding") == 3
    assert noted.count(f"{OTHER} wrong-binding") == 1


@DECIDED_BEFORE
async def test_publication_is_refused_when_its_key_is_not_good(acting: Acting, signer: Signer) -> None:
    """A key that nobody knows, a neighbour's under our name, the root, a retired one, a revoked one, an expired list."""
    neighbour = await enrol(acting.database, acting.clock, "srb-cert")
    one, old = indicator(), signer.key

    async def refused(key: Any) -> Code:
        return (await refusal_of(acting, packed(one, await signer.manifest([one], key=key)))).code

    assert await refused(new_private_key()) is Code.UNKNOWN_KEY
    assert await refused(neighbour.key) is Code.UNKNOWN_KEY
    assert await refused(signer.root) is Code.UNKNOWN_KEY
    signer.key = new_private_key()
    await signer.set_keys(retired(old), team_key(signer.key.public.raw))
    assert await refused(old) is Code.KEY_NOT_ACTIVE
    await signer.set_keys(revoked(old), team_key(signer.key.public.raw))
    assert await refused(old) is Code.KEY_NOT_ACTIVE
    acting.clock.at_us += 300 * DAY_US
    assert await refused(signer.key) is Code.KEY_NOT_ACTIVE
    assert {row["subject"] for row in await acting.rows("audit") if row["action"] == "refuse-signature"} == {
        f"{INDICATORS} unknown-key",
        f"{INDICATORS} key-not-active",
    }


@DECIDED_BEFORE
async def test_publication_is_refused_when_its_signature_is_of_something_else(acting: Acting, signer: Signer) -> None:
    """Zeros, another manifest's, the number of the signature moved by the order of the group."""
    one = indicator()
    manifest, other = await signer.manifest([one]), await signer.manifest([one])
    [signature] = manifest["dsse"]["signatures"]
    raw = base64.b64decode(signature["sig"])
    order = 2**252 + 27742317777372353535851937790883648493
    moved = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    for forged in (bytes(64), base64.b64decode(other["dsse"]["signatures"][0]["sig"]), moved):
        signature["sig"] = base64.b64encode(forged).decode()
        assert (await refusal_of(acting, packed(one, manifest))).code is Code.BAD_SIGNATURE


@DECIDED_BEFORE
async def test_publication_is_refused_when_it_does_not_list_what_came(acting: Acting, signer: Signer) -> None:
    """Missing, extra, twice, changed, of another version, two manifests."""
    one, two = indicator(), indicator()
    manifest = await signer.manifest([one, two])
    for objects in ([one], [one, two, indicator()], [one, one, two], [one, two | {"name": "x"}]):
        assert (await refusal_of(acting, packed(manifest, *objects))).code is Code.MANIFEST_MISMATCH
    unversioned = await signer.manifest([one | {"modified": "2026-11-01T10:00:00Z"}])
    assert (await refusal_of(acting, packed(one, unversioned))).code is Code.MANIFEST_MISMATCH
    assert (await refusal_of(acting, packed(manifest, one, two, await signer.manifest([one])))).code is Code.INVALID_MANIFEST
    assert (await refusal_of(acting, packed(manifest, manifest, one, two))).code is Code.INVALID_MANIFEST


async def test_publication_is_refused_whole_when_one_object_cannot_be_taken(acting: Acting, signer: Signer) -> None:
    """Not STIX, for a neighbour, above the ceiling, with other content than here, somebody else's; each is named."""
    await post(acting, packed(mine := indicator(), theirs := indicator(created_by_ref=f"identity--{uuid.uuid4()}")))
    good = indicator()
    neighbour = (await enrol(acting.database, acting.clock, "srb-cert")).team.identity_id
    for bad, code in (
        (indicator(pattern="[nonsense"), Code.INVALID_PATTERN),
        (indicator(created_by_ref=neighbour), Code.SPEAKS_FOR_ANOTHER_TEAM),
        (indicator(object_marking_refs=["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]), Code.MARKING_ABOVE_CEILING),
        (mine | {"name": "other"}, Code.VERSION_CONFLICT),
        (theirs | {"created_by_ref": f"identity--{uuid.uuid4()}", "modified": "2026-11-09T10:00:00.000Z"}, Code.NOT_THE_AUTHOR),
    ):
        refusal = await refusal_of(acting, packed(good, bad, await signer.manifest([good, bad])))
        assert refusal.code is Code.PUBLICATION_REFUSED
        assert bad["id"] in refusal.message
        assert refusal.details is not None
        [failure] = refusal.details["failures"]
        assert (failure["id"], failure["version"]) == (bad["id"], bad["modified"])
        assert failure["message"].startswith(f"{code}: ")


@DECIDED_BEFORE
async def test_a_hundred_are_named_when_all_are_refused(acting: Acting, signer: Signer) -> None:
    """Three in the sentence, a hundred for a program, and how many there are."""
    bad = [indicator(pattern="[nonsense") for _ in range(120)]
    refusal = await refusal_of(acting, packed(*bad, await signer.manifest(bad)))
    assert "and 117 more" in refusal.message
    assert refusal.details is not None
    assert (len(refusal.details["failures"]), refusal.details["failure_count"]) == (100, 120)


@DECIDED_BEFORE
async def test_unsigned_post_is_refused_when_the_collection_wants_signatures(acting: Acting, signer: Signer) -> None:
    """Also one whose manifest cannot be read; a signed one is taken."""
    entry = CollectionEntry("signed", str(uuid.uuid4()), "signed", "", Tlp.GREEN, SignatureRule.REQUIRED, "all", "all")
    await add_collection(acting.database, acting.clock, entry)
    one = indicator()
    assert (await refusal_of(acting, packed(one), collection="signed")).code is Code.SIGNATURE_REQUIRED
    spoilt = await signer.manifest([one], "signed") | {"type": "publication-manifes"}
    assert (await refusal_of(acting, packed(one, spoilt), collection="signed")).code is Code.INVALID_MANIFEST
    status = await post(acting, await signer.envelope(one, slug="signed"), collection="signed")
    assert status["success_count"] == 2


@DECIDED_BEFORE
async def test_objects_are_not_taken_as_attested_when_their_manifest_is_spoilt(acting: Acting, signer: Signer) -> None:
    """Who signs and errs is told so, and does not find his objects published under nobody's name."""
    one = indicator()
    manifest = await signer.manifest([one])
    spoilt: tuple[dict[str, Any], ...] = ({"id": "x"}, {"type": "x"}, {"spec_version": 2}, {"created": "yesterday"}, {"dsse": []})
    for spoil in spoilt:
        assert (await refusal_of(acting, packed(one, manifest | spoil))).code is Code.INVALID_MANIFEST
    twice = packed(one, manifest).replace(b'"dsse":', b'"dsse":1,"dsse":')
    assert (await refusal_of(acting, twice)).code is Code.INVALID_MANIFEST


@DECIDED_BEFORE
async def test_nothing_is_taken_when_the_team_is_suspended(acting: Acting, signer: Signer) -> None:
    """Neither signed nor attested, until it goes on."""
    await acting.database.write(lambda tx: tx.run(set_suspended(signer.team.team_id, suspended=True)))
    one = indicator()
    body = packed(one, await signer.manifest([one]))
    assert (await refusal_of(acting, body)).code is Code.FORBIDDEN
    assert (await refusal_of(acting, packed(one))).code is Code.FORBIDDEN
    await acting.database.write(lambda tx: tx.run(set_suspended(signer.team.team_id, suspended=False)))
    assert (await post(acting, body))["success_count"] == 2


async def test_object_becomes_signed_when_its_team_signs_for_it_later(acting: Acting, signer: Signer) -> None:
    """The object that is here stays in its place; the newest publication that lists it is named beside it."""
    one, two = indicator(), indicator()
    await post(acting, packed(one, two))
    places = {row["stix_id"]: row["position"] for row in await acting.rows("objects")}
    await post(acting, await signer.envelope(one))
    assert (await vouched(acting))[one["id"]] == "signed"
    assert (await vouched(acting))[two["id"]] == "attested"
    await post(acting, await signer.envelope(one, two))
    assert set((await vouched(acting)).values()) == {"signed"}
    rows = await acting.rows("signed_objects")
    assert {(row["position"], row["number"]) for row in rows} == {(places[one["id"]], 2), (places[two["id"]], 2)}


async def test_holding_is_signed_when_its_object_is(acting: Acting, signer: Signer) -> None:
    """Also when the signature came after the object, before or behind its correlation; not when a newer version has none."""
    one, two, three = (indicator(f"[domain-name:value = '{name}.example']") for name in ("one", "two", "three"))

    async def signed() -> list[bool]:
        await acting.catch_up()
        keys = {row["value"]: row["key"] for row in await acting.rows("observables")}
        told = {row["key"]: bool(row["signed"]) for row in await acting.rows("holdings") if row["team_id"] == signer.team.team_id}
        return [told[keys[f"{name}.example"]] for name in ("one", "two", "three")]

    await post(acting, packed(one, two))
    await post(acting, await signer.envelope(three))
    assert await signed() == [False, False, True]
    await post(acting, await signer.envelope(one))
    assert await signed() == [True, False, True]
    newer = [found | {"modified": "2026-11-03T10:00:00.000Z"} for found in (two, three)]
    await post(acting, packed(*newer))
    await post(acting, await signer.envelope(newer[0]))
    assert await signed() == [True, True, False]


async def test_object_stays_attested_when_another_team_signs_for_it(acting: Acting, signer: Signer) -> None:
    """Who relays what a neighbour relayed speaks for himself; but the neighbour cannot make that a lie by deleting it."""
    vendor = f"identity--{uuid.uuid4()}"
    one = indicator(created_by_ref=vendor)
    await post(acting, packed(one), "srb-cert")
    await post(acting, await signer.envelope(one))
    assert (await vouched(acting))[one["id"]] == "attested"
    with pytest.raises(Refusal) as caught:
        await acting.delete(one["id"], team="srb-cert")
    assert caught.value.code is Code.SIGNED_OBJECT
    neighbour = await enrol(acting.database, acting.clock, "srb-cert")
    await post(acting, await neighbour.envelope(one), "srb-cert")
    assert (await vouched(acting))[one["id"]] == "signed"
    [row] = await acting.rows("signed_objects")
    assert row["number"] == 2


async def test_signed_object_is_not_deleted_but_withdrawn(acting: Acting, signer: Signer) -> None:
    """Neither an object that was signed for, nor the manifest; a signed version with `revoked` takes it back."""
    one = indicator()
    manifest = await signer.manifest([one])
    await post(acting, packed(one, manifest))
    signer.went(manifest)
    for stix_id in (one["id"], manifest["id"]):
        before = await state_of(acting.database)
        with pytest.raises(Refusal) as caught:
            await acting.delete(stix_id)
        assert caught.value.code is Code.SIGNED_OBJECT
        assert await state_of(acting.database) == before
    with pytest.raises(Refusal) as foreign:
        await acting.delete(one["id"], team="srb-cert")
    assert foreign.value.code is Code.FORBIDDEN
    gone = one | {"modified": "2026-11-03T10:00:00.000Z", "revoked": True}
    await post(acting, await signer.envelope(gone))
    assert [found.get("revoked") for found in await acting.poll() if found["id"] == one["id"]] == [True]


async def test_listing_follows_its_object_when_it_is_put_in_force_again(acting: Acting, signer: Signer) -> None:
    """A newer version that nobody signed is deleted; the signed one that is left gets a new place, and stays signed."""
    one = indicator()
    await post(acting, packed(one))
    await post(acting, await signer.envelope(one))
    newer = one | {"modified": "2026-11-03T10:00:00.000Z"}
    await post(acting, packed(newer))
    at_us = read_timestamp(newer["modified"])
    await acting.delete(one["id"], Filters(versions=Versions(latest=False, exact_us=(at_us,))))
    [row] = [row for row in await acting.rows("objects") if row["stix_id"] == one["id"]]
    assert [listed["position"] for listed in await acting.rows("signed_objects")] == [row["position"]]


async def test_key_that_was_revoked_signs_nothing_when_it_was_verified_before(acting: Acting, signer: Signer) -> None:
    """Between the signature's check and the transaction a key list may come; the transaction asks again."""
    one = indicator()
    admitted = await look_into(acting.database, acting.schemas, await acting.received(await signer.envelope(one)))
    await signer.set_keys(revoked(signer.key))
    with pytest.raises(Refusal) as caught:
        await acting.database.write(lambda tx: tx.run(record(admitted, 1, "x", tx.now_us())))
    assert caught.value.code is Code.KEY_NOT_ACTIVE
    assert not await acting.rows("objects")


async def test_held_publication_is_signed_for_when_a_second_person_agreed(acting: Acting, signer: Signer) -> None:
    """Verified when it came and when it is released; until then it has no number, and what is out of sequence is not held."""
    shared = await acting.collection(("alcirt", "srb-cert"), ("alcirt", "srb-cert"), Tlp.RED)
    one = indicator(object_marking_refs=[RED])
    body = packed(one, await signer.manifest([one], shared, markings=[RED]))
    wrong = packed(one, await signer.manifest([one], shared, markings=[RED], seq=7, prev=b"x" * 32))
    assert (await refusal_of(acting, wrong, collection=shared)).code is Code.OUT_OF_SEQUENCE
    assert (await post(acting, body, collection=shared))["status"] == "pending"
    assert not await acting.rows("publications")
    [proposal] = await acting.rows("proposals")
    token = await create_token(acting.database, acting.clock, "alcirt", TokenOrder(Role.ANALYST, "a colleague"))
    colleague = (await recognise(acting.database, acting.clock, token)).principal
    await approve(acting.database, colleague, proposal["proposal_id"])
    assert await release(acting.database, acting.schemas, acting.clock)
    assert [(row["number"], row["seq"]) for row in await acting.rows("publications")] == [(1, 1)]
    assert set((await vouched(acting)).values()) == {"signed"}
    assert (await post(acting, body, collection=shared))["status"] == "complete"


@DECIDED_BEFORE
async def test_marking_is_lowered_when_its_team_signs_for_that(acting: Acting, signer: Signer) -> None:
    """A signature alone does not lower it, nor does a post without one."""
    one = indicator(object_marking_refs=[AMBER])
    await post(acting, await signer.envelope(one))
    milder = one | {"modified": "2026-11-03T10:00:00.000Z", "object_marking_refs": [GREEN]}
    status = await post(acting, packed(milder))
    assert status["failures"][0]["message"].startswith("marking-lowered: ")
    assert (await refusal_of(acting, packed(milder, await signer.manifest([milder])))).code is Code.PUBLICATION_REFUSED
    assert (await post(acting, await signer.envelope(milder, declassifies=[one["id"]])))["failure_count"] == 0


@DECIDED_BEFORE
async def test_observables_without_versions_are_signed_for_when_they_stand_in_an_envelope(acting: Acting, signer: Signer) -> None:
    """What has no version is listed without one."""
    seen = {"type": "ipv4-addr", "spec_version": "2.1", "id": f"ipv4-addr--{uuid.uuid4()}", "value": "203.0.113.7"}
    status = await post(acting, await signer.envelope(seen, indicator()))
    assert status["success_count"] == 3
