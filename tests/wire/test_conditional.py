"""Asking again: an answer has a tag, and whoever brings it is told that nothing has changed."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard

from regcert.domain.principal import Role
from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import envelope, indicator
from tests.wire.asking import INDICATORS, OBJECTS, ask, ask_raw

MANIFEST = f"{INDICATORS}/manifest/"
COLLECTIONS = f"{ROOT}/collections/"
TAGGED = (OBJECTS, MANIFEST, COLLECTIONS, f"{INDICATORS}/", "/taxii2/", f"{ROOT}/")


@pytest.mark.parametrize("path", TAGGED)
async def test_nothing_is_sent_when_the_client_has_it(host: RunningHost, path: str) -> None:
    """A strong tag on every resource, and 304 without a body for whoever brings it; for a HEAD, too."""
    await host.post([indicator() for _ in range(3)])
    first = await ask(host, "GET", path)
    tag = first.headers["ETag"]
    assert tag[0] == tag[-1] == '"'
    for sent in (tag, f'"other", {tag}', f"W/{tag}"):
        for method in ("GET", "HEAD"):
            again = await ask(host, method, path, headers={"If-None-Match": sent})
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
            assert "Content-Type" not in again.headers
    other = await ask(host, "GET", path, headers={"If-None-Match": '"other", junk, "'})
    assert (other.status, other.body) == (200, first.body)


@pytest.mark.parametrize("change", ["post", "delete", "other version"])
async def test_answer_is_sent_when_the_collection_has_changed(host: RunningHost, change: str) -> None:
    """Whatever changes in a collection changes the tag of its pages."""
    one = indicator()
    await host.post([one])
    tags = {path: (await ask(host, "GET", path)).headers["ETag"] for path in (OBJECTS, MANIFEST)}
    if change == "post":
        await host.post([indicator()])
    elif change == "delete":
        assert (await ask(host, "DELETE", f"{OBJECTS}{one['id']}/")).status == 200
    else:
        await host.post([one | {"modified": "2026-11-02T10:00:00.000Z"}])
    for path, tag in tags.items():
        answer = await ask(host, "GET", path, headers={"If-None-Match": tag})
        assert answer.status == 200
        assert answer.headers["ETag"] != tag


async def test_tag_stands_when_another_collection_changes(host: RunningHost) -> None:
    """What happens elsewhere does not make anybody fetch again what they have."""
    await host.post([indicator()])
    tag = (await ask(host, "GET", OBJECTS)).headers["ETag"]
    await host.post([indicator()], collection="national-certs")
    assert (await ask(host, "GET", OBJECTS, headers={"If-None-Match": tag})).status == 304


async def test_tag_is_worth_nothing_when_another_question_is_asked(host: RunningHost) -> None:
    """A tag names an answer to one question, of one team, in one coding."""
    await host.post([indicator() for _ in range(3)])
    tag = (await ask(host, "GET", OBJECTS)).headers["ETag"]
    for path in (
        f"{OBJECTS}?limit=2",
        f"{OBJECTS}?match[type]=indicator",
        MANIFEST,
        f"{OBJECTS}?added_after=2020-01-01T00:00:00Z",
    ):
        assert (await ask(host, "GET", path, headers={"If-None-Match": tag})).status == 200
    assert (await ask(host, "GET", OBJECTS, team="srb-cert", headers={"If-None-Match": tag})).status == 200


async def test_absence_is_told_when_a_tag_is_brought(host: RunningHost) -> None:
    """A tag opens nothing: what is not there is not there."""
    answer = await ask(host, "GET", f"{OBJECTS}{indicator()['id']}/", headers={"If-None-Match": '"any"'})
    assert answer.status == 404


async def test_nothing_that_is_private_is_kept_when_it_passes_a_cache(host: RunningHost) -> None:
    """A client may keep an answer and must ask before it uses it again; nobody between may; refusals are not kept."""
    await host.post([indicator()])
    kept = await ask(host, "GET", OBJECTS)
    assert kept.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Accept", "Accept-Encoding"} <= set(kept.headers["Vary"].split(", "))
    refused = await ask(host, "GET", f"{ROOT}/collections/absent/objects/")
    assert refused.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "sent", ["gzip", "zstd", "br, gzip;q=0.5", "GZIP", "*", "identity;q=0.1, gzip", "x-gzip", "deflate, zstd;q=1.0"]
)
async def test_answer_is_coded_when_the_client_asks(host: RunningHost, sent: str) -> None:
    """gzip and zstd unpack to the very bytes of the plain answer."""
    await host.post([indicator() for _ in range(20)])
    plain = await ask(host, "GET", OBJECTS, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    coded = await raw_get(host, OBJECTS, sent)
    head, _, body = coded.partition(b"\r\n\r\n")
    unpacked = gzip.decompress(body) if b"Content-Encoding: gzip" in head else zstandard.ZstdDecompressor().decompress(body)
    assert unpacked == plain.body
    assert len(body) < len(plain.body) / 2
    assert plain.headers["ETag"].strip('"').encode() + b"-" in head


@pytest.mark.parametrize(
    "sent", ["", "identity", "br", "gzip;q=0", "gzip;q=0, zstd;q=0, *;q=0.5", "identity, gzip;q=0.5", "junk;q=x"]
)
async def test_answer_is_plain_when_the_client_does_not_ask(host: RunningHost, sent: str) -> None:
    """No coding that a client did not ask for, or asked not to have."""
    await host.post([indicator() for _ in range(20)])
    answer = await raw_get(host, OBJECTS, sent)
    assert b"Content-Encoding" not in answer.partition(b"\r\n\r\n")[0]


async def test_coded_answer_is_known_when_its_tag_is_brought(host: RunningHost) -> None:
    """The tag of a coded answer serves for any coding: the client unpacked it."""
    await host.post([indicator() for _ in range(20)])
    tag = (await ask(host, "GET", OBJECTS, headers={"Accept-Encoding": "gzip"})).headers["ETag"]
    assert tag.endswith('-gzip"')
    again = await ask(host, "GET", OBJECTS, headers={"Accept-Encoding": "gzip", "If-None-Match": tag})
    assert again.status == 304


async def raw_get(host: RunningHost, path: str, accept_encoding: str) -> bytes:
    token = await host.token("alcirt")
    coding = f"Accept-Encoding: {accept_encoding}\r\n" if accept_encoding else ""
    head = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAccept: {TAXII}\r\n{coding}Connection: close\r\n\r\n"
    )
    return await ask_raw(host, head.encode())


async def test_body_is_taken_when_it_is_packed(host: RunningHost) -> None:
    """A gzip body is what it unpacks to, also in pieces."""
    sent = [indicator() for _ in range(500)]
    packed = gzip.compress(envelope(*sent))
    answer = await ask(host, "POST", OBJECTS, headers={"Content-Encoding": "gzip"}, body=packed)
    assert (answer.status, answer.json["success_count"]) == (202, 500)

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(packed), 997):
            yield packed[start : start + 997]

    answer = await ask(host, "POST", OBJECTS, headers={"Content-Encoding": "x-gzip"}, body=slowly())
    assert answer.json["success_count"] == 500
    assert len(await host.objects()) == 500


BOMB = gzip.compress(bytes(40_000_000), 9)
PACKED = gzip.compress(envelope(indicator()))


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", BOMB, 413),
        ("gzip", PACKED[:-9], 400),
        ("gzip", PACKED + b"x", 400),
        ("gzip", PACKED + PACKED, 400),
        ("gzip", b"", 400),
        ("gzip", envelope(indicator()), 400),
        ("gzip", zlib.compress(envelope(indicator())), 400),
        ("gzip, gzip", gzip.compress(PACKED), 415),
        ("br", PACKED, 415),
        ("deflate", zlib.compress(envelope(indicator())), 415),
        ("zstd", PACKED, 415),
    ],
    ids=["bomb", "cut", "trailing", "two members", "empty", "plain", "zlib", "twice", "br", "deflate", "zstd"],
)  # fmt: skip
async def test_body_is_refused_when_its_coding_is_a_trick(host: RunningHost, coding: str, body: bytes, status: int) -> None:
    """Bombs, halves, tails and codings that are not taken: the right 4xx, and nothing is stored."""
    answer = await ask(host, "POST", OBJECTS, headers={"Content-Encoding": coding}, body=body)
    assert answer.status == status
    assert (await ask(host, "GET", OBJECTS)).body == b"{}"


async def test_client_is_answered_when_something_new_comes(host: RunningHost) -> None:
    """`Prefer: wait` keeps a client waiting while there is nothing, and answers as soon as there is."""
    await host.post([indicator()])
    last = (await ask(host, "GET", OBJECTS)).headers["X-TAXII-Date-Added-Last"]
    waiting = asyncio.create_task(ask(host, "GET", f"{OBJECTS}?added_after={last}", headers={"Prefer": "wait=30"}))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    new = indicator()
    await host.post([new])
    answer = await asyncio.wait_for(waiting, 10)
    assert (answer.status, answer.json["objects"], answer.headers["Preference-Applied"]) == (200, [new], "wait=30")


async def test_client_is_answered_at_once_when_there_is_something_or_it_does_not_wait(host: RunningHost) -> None:
    """Nobody waits who did not ask to, or for whom there is something already."""
    await host.post([indicator()])
    for headers, path in (({}, f"{OBJECTS}?added_after=2030-01-01T00:00:00Z"), ({"Prefer": "wait=30"}, OBJECTS)):
        answer = await asyncio.wait_for(ask(host, "GET", path, headers=headers), 10)
        assert answer.status == 200
    answer = await asyncio.wait_for(ask(host, "GET", MANIFEST, headers={"Prefer": "wait=0, return=minimal"}), 10)
    assert "Preference-Applied" not in answer.headers


async def test_client_waits_on_when_what_came_is_not_for_it(host: RunningHost) -> None:
    """What the filter leaves out, or another collection got, is nothing new; at the end the answer is what it would have been."""
    path = f"{OBJECTS}?match[type]=malware"
    waiting = asyncio.create_task(ask(host, "GET", path, headers={"Prefer": "wait=2"}))
    await asyncio.sleep(0.1)
    await host.post([indicator()])
    await host.post([indicator()], collection="national-certs")
    answer = await asyncio.wait_for(waiting, 20)
    assert (answer.status, answer.body) == (200, b"{}")


async def test_client_is_let_go_when_its_token_ends_while_it_waits(host: RunningHost) -> None:
    """Who waits is asked again who they are before they are told anything."""
    token = await host.token("alcirt", valid_us=1_000_000)
    headers = {"Prefer": "wait=30", "Authorization": f"Bearer {token}"}
    waiting = asyncio.create_task(ask(host, "GET", OBJECTS, headers=headers))
    await asyncio.sleep(0.2)
    host.clock.at_us += 2_000_000
    await host.post([indicator()], team="srb-cert")
    assert (await asyncio.wait_for(waiting, 10)).status == 401


async def test_consumer_waits_as_well_when_it_may_only_read(host: RunningHost) -> None:
    """Waiting is reading."""
    waiting = asyncio.create_task(ask(host, "GET", OBJECTS, team="srb-cert", role=Role.CONSUMER, headers={"Prefer": "wait=30"}))
    await asyncio.sleep(0.1)
    await host.post([indicator()])
    assert len((await asyncio.wait_for(waiting, 10)).json["objects"]) == 1
