"""Publishing under a team's signature: what goes out, in which order, and what is done with a host's no."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from regcert.client import AsyncClient, Client, Code, Published, Refusal, new_private_key, read_private_key
from regcert.client.signed import MOST_BYTES, signable, signed_batches
from regcert.client.wire import Ask, Reply
from regcert.outbound.batches import Written
from regcert.signing.publication import read_manifest
from tests.client.conftest import refused
from tests.hosting import RunningHost
from tests.made import indicator
from tests.signers import Signer, enrol, revoked

SHARED = "regional-indicators"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


@pytest.fixture
async def signer(host: RunningHost) -> Signer:
    """A team with an enrolled key."""
    return await enrol(host.inside.database, host.clock)


def manifests(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in objects if one["type"] == "publication-manifest"]


async def test_bytes_stay_what_they_are_when_they_are_signed(host: RunningHost, signer: Signer) -> None:
    """Any spelling of JSON: blanks, escapes, floats and the order of properties are the publisher's."""
    spaced = json.dumps(indicator(), indent=3)[:-1].encode() + b', "x_ratio": 1.10, "name": "\\u010da"}'
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        assert await client.publish_signed(SHARED, [spaced, indicator(name="č")], signer.key) == Published(accepted=2)
        got = [one async for one in client.objects(SHARED)]
    assert got[0].body == spaced
    _, publication = read_manifest(got[2].value)
    assert (publication.seq, publication.team, len(publication.objects)) == (1, signer.team.identity_id, 2)


async def test_publications_follow_each_other_when_there_are_many_objects(host: RunningHost, signer: Signer) -> None:
    """At most a thousand in one, each behind the one before; what another writer signed in between is no obstacle."""
    async with (
        AsyncClient(host.url, await host.token("alcirt")) as client,
        AsyncClient(host.url, await host.token("alcirt")) as other,
    ):
        objects = [indicator() for _ in range(1001)]
        first, second = await asyncio.gather(
            client.publish_signed(SHARED, objects, signer.key), other.publish_signed(SHARED, [indicator()], signer.key)
        )
    assert (first.accepted, second.accepted) == (1001, 1)
    read = [read_manifest(one)[1] for one in manifests(await host.objects())]
    assert [one.seq for one in read] == [1, 2, 3]
    assert [one.prev for one in read] == [None, read[0].digest, read[1].digest]
    assert sorted(len(one.objects) for one in read) == [1, 1, 1000]


async def test_the_rest_is_signed_again_when_the_host_refuses_some(host: RunningHost, signer: Signer) -> None:
    """What is refused is reported, in however many rounds the host names it; without leave to drop it, nothing is published."""
    bad = [indicator(pattern="[nonsense") for _ in range(120)]
    red = indicator(object_marking_refs=["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"])
    objects: list[Any] = [indicator(), *bad, red, indicator(), b'{"id":"x--1","id":"x--2"}']
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        refusal = await refused(client.publish_signed(SHARED, objects, signer.key))
        assert refusal.code is Code.REFUSED_BY_SERVER
        assert refusal.details is not None
        assert refusal.details["code"] == "publication-refused"
        assert {one["id"] for one in refusal.details["failures"]} <= {one["id"] for one in bad}
        assert await host.objects() == []
        published = await client.publish_signed(SHARED, objects, signer.key, drop_refused=True)
    assert published.accepted == 2
    assert {one.stix_id for one in published.failures} == {"unknown", red["id"], *(one["id"] for one in bad)}
    assert len(published.failures) == 122


async def test_object_is_signed_once_when_it_is_given_twice(host: RunningHost, signer: Signer) -> None:
    """With other content it is reported; a manifest that was read elsewhere is left out."""
    one = indicator()
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        await client.publish_signed(SHARED, [one, dict(one), one | {"name": "x"}], signer.key)
        got = [found async for found in client.objects(SHARED)]
        assert len(got) == 2
        assert await client.publish_signed(SHARED, got, signer.key) == Published(accepted=1)
    assert len(manifests(await host.objects())) == 2


async def test_refusal_is_told_when_the_key_is_not_good(host: RunningHost, signer: Signer) -> None:
    """The host's own code stands beside its words."""
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        unknown = await refused(client.publish_signed(SHARED, [indicator()], new_private_key()))
        await signer.set_keys(revoked(signer.key))
        inactive = await refused(client.publish_signed(SHARED, [indicator()], signer.key))
    assert unknown.details is not None
    assert inactive.details is not None
    assert (unknown.details["code"], inactive.details["code"]) == ("unknown-key", "key-not-active")
    assert await host.objects() == []


async def test_publication_is_stored_once_when_its_answer_was_lost(host: RunningHost, signer: Signer) -> None:
    """The connection breaks behind the commit: the same bytes are sent again, and answered as they were the first time."""
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        send = client._wire.ask
        lost: list[bytes] = []

        async def losing(ask: Ask) -> Reply:
            reply = await send(ask)
            if ask.method == "POST" and not lost:
                lost.append(reply.body)
                raise Refusal(Code.UNREACHABLE, "gone")
            return reply

        client._wire.ask = losing  # type: ignore[method-assign]
        assert await client.publish_signed(SHARED, [indicator()], signer.key) == Published(accepted=1)
        assert await client.publish_signed(SHARED, [indicator()], signer.key) == Published(accepted=1)
    assert [read_manifest(one)[1].seq for one in manifests(await host.objects())] == [1, 2]


async def test_client_without_asyncio_signs_when_it_is_given_a_key_file(
    host: RunningHost, signer: Signer, tmp_path: Path
) -> None:
    """The same verb, with a key that is read from its file under a passphrase."""
    (tmp_path / "key.pem").write_bytes(signer.key.write("secret"))
    token = await host.token("alcirt")

    def work() -> Published:
        key = read_private_key((tmp_path / "key.pem").read_bytes(), "secret")
        with Client(host.url, token) as client:
            return client.publish_signed(SHARED, [indicator()], key)

    assert await asyncio.to_thread(work) == Published(accepted=1)


async def test_manifest_is_marked_like_the_strictest_when_all_are_marked(host: RunningHost, signer: Signer) -> None:
    """It tells what they are about; where one is not marked, the collection decides for both; who knows better says so."""
    marked = [indicator(object_marking_refs=[one]) for one in (GREEN, AMBER, GREEN)]
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        await client.publish_signed(SHARED, marked, signer.key)
        await client.publish_signed(SHARED, [*marked, indicator()], signer.key)
        await client.publish_signed(SHARED, marked[:1], signer.key, markings=[AMBER])
    told = [one.get("object_marking_refs") for one in manifests(await host.objects())]
    assert told == [[AMBER], None, [AMBER]]


async def test_declassified_objects_are_named_when_they_are_in_the_publication(host: RunningHost, signer: Signer) -> None:
    """Each publication names those that it lists, and no other."""
    one, two = indicator(), indicator()
    async with AsyncClient(host.url, await host.token("alcirt")) as client:
        await client.publish_signed(SHARED, [one], signer.key, declassifies=[one["id"], two["id"]])
    [manifest] = manifests(await host.objects())
    assert read_manifest(manifest)[1].declassifies == {one["id"]}


def test_publication_fits_into_eight_mebibytes_when_its_objects_are_large() -> None:
    """With its manifest; a host would look at a larger one in pieces, of which no manifest can list all."""
    made = [Written("indicator", json.dumps(indicator(name="x" * 20_000)).encode()) for _ in range(900)]
    ready, failures = signable(made)
    sizes = [sum(one.needs_bytes for one in batch) for batch in signed_batches(ready, 100_000_000)]
    assert not failures
    assert len(sizes) == 3
    assert max(sizes) < MOST_BYTES
