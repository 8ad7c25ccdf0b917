"""The suite itself: it finds its way in, and nothing that a server does stops it."""

import asyncio

import pytest

from regcert.conformance.asking import Terms
from regcert.conformance.catalogue import all_checks
from regcert.conformance.check import Keyword, each
from regcert.conformance.peer import Peer
from regcert.conformance.place import Place, path_of
from regcert.conformance.reach import find_place
from regcert.conformance.run import run_checks
from regcert.conformance.verdict import Verdict
from regcert.errors import Code, Refusal
from regcert.outbound import wire as wires
from regcert.outbound.wire import open_wire
from tests.conformance.asking import checks_named, run
from tests.conformance.faulty import ARCHIVE, INBOX, READER, WRITER, FaultyServer, answering_with, serving

TERMS = Terms(f"Bearer {WRITER}", f"Bearer {READER}")
PLACE = Place("/taxii2/", "/root/", {"id": INBOX, "can_read": True, "can_write": True, "alias": "inbox"}, roots=("/root/",))
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/taxii+json;version=2.1\r\nContent-Length: %d\r\n\r\n%b"


def answer(body: bytes) -> bytes:
    return JSON % (len(body), body)


@pytest.mark.parametrize("end", ["", "/", "/taxii2/", "/taxii2", "/root/", "/root"])
async def test_way_in_is_found_when_any_address_is_given(end: str) -> None:
    """Discovery, an API root or the server's own address all lead to the same place."""
    async with serving(FaultyServer()) as url, open_wire(url + end, 10) as wire:
        place = await find_place(wire, url + end, TERMS, None)
    assert (place.discovery, place.root, place.collection["id"]) == ("/taxii2/", "/root/", INBOX)


@pytest.mark.parametrize(("name", "found"), [("Inbox", INBOX), ("inbox", INBOX), (ARCHIVE, ARCHIVE)])
async def test_collection_is_chosen_when_it_is_named(name: str, found: str) -> None:
    """A collection is named by its id, alias or title; without a name it is one that can be read and written."""
    async with serving(FaultyServer()) as url, open_wire(url, 10) as wire:
        assert (await find_place(wire, url, TERMS, name)).collection["id"] == found


@pytest.mark.parametrize(
    ("authorization", "collection", "code"),
    [
        (None, None, Code.UNAUTHENTICATED),
        ("Bearer other", None, Code.UNAUTHENTICATED),
        (TERMS.authorization, "x", Code.NOT_FOUND),
    ],
)
async def test_suite_does_not_begin_when_it_is_let_in_nowhere(
    authorization: str | None, collection: str | None, code: Code
) -> None:
    """Wrong credentials and a collection that is not there are said at once, and not two hundred times."""
    async with serving(FaultyServer()) as url, open_wire(url, 10) as wire:
        with pytest.raises(Refusal) as refused:
            await find_place(wire, url, Terms(authorization), collection)
    assert refused.value.code is code


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", answer(b"[]")]
)
async def test_suite_does_not_begin_when_there_is_no_taxii(raw: bytes) -> None:
    """An address that speaks of no API root is refused with what was answered."""
    async with answering_with(raw) as url, open_wire(url, 10) as wire:
        with pytest.raises(Refusal) as refused:
            await find_place(wire, url, TERMS, None)
    assert refused.value.code is Code.REFUSED_BY_SERVER


async def test_unreachable_is_told_when_nobody_listens() -> None:
    """A server that does not answer at all is unreachable, not broken."""
    async with answering_with(b"") as url:
        pass
    async with open_wire(url, 5) as wire:
        with pytest.raises(Refusal) as refused:
            await find_place(wire, url, TERMS, None)
    assert refused.value.code is Code.UNREACHABLE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 301 Away\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        answer(b"{}"),
        answer(b"[]"),
        answer(b"null"),
        answer(b'{"objects":7,"collections":7,"versions":7,"api_roots":7,"id":{},"status":[],"title":[]}'),
        answer(b'{"objects":[{}],"collections":[{}],"more":true,"next":7,"status":"complete","success_count":1,"versions":[1]}'),
        answer(b'{"objects":[{"id":7,"date_added":7,"version":[]}],"more":true,"next":"x","failures":7,"successes":[7]}'),
        answer(b"[" * 5000),
        answer(b"\xff\xfe"),
    ],
    ids=range(13),
)
async def test_every_check_has_its_verdict_when_the_server_answers_nonsense(raw: bytes) -> None:
    """Whatever comes, each check ends in a verdict of its own, and nearly nothing passes."""
    async with answering_with(raw) as url, open_wire(url, 5) as wire:
        findings = await run_checks(Peer(wire, PLACE, TERMS), all_checks())
    assert len(findings.findings) == len(all_checks())
    assert not findings.conforms
    assert findings.count(Verdict.PASSED) < 80
    assert all(one.seen.isprintable() and len(one.seen) <= 240 for one in findings.findings)


async def test_check_fails_when_the_server_hangs() -> None:
    """A server that takes a request and says nothing fails this check, and the next is run."""
    checks = checks_named("4.1-discovery-answers", "4.2-root-answers")
    async with answering_with(None) as url, open_wire(url, 0.2) as wire:
        findings = await run_checks(Peer(wire, PLACE, TERMS), checks)
    assert [one.verdict for one in findings.findings] == [Verdict.FAILED] * 2
    assert "in time" in findings.findings[0].seen


async def test_nothing_is_written_when_it_is_read_only() -> None:
    """`--read-only` posts and deletes nothing; what needs it is skipped, what reads is looked at on what is there."""
    server = FaultyServer()
    async with serving(server) as url:
        async with open_wire(url, 10) as wire:
            place = await find_place(wire, url, TERMS, "Inbox")
            writer = Peer(wire, place, TERMS)
            await writer.five()
            before = [row.value for row in server.rows]
            findings = await run_checks(Peer(wire, place, Terms(TERMS.authorization, TERMS.second, read_only=True)), all_checks())
    assert [row.value for row in server.rows] == before
    assert len(server.statuses) == 1
    verdicts = {one.check.check_id: one.verdict for one in findings.findings}
    assert verdicts["3.5-next-can-be-used-twice"] is Verdict.PASSED
    assert verdicts["5.5-duplicate-is-no-failure"] is Verdict.SKIPPED
    assert findings.conforms


async def test_objects_are_counted_when_the_server_keeps_them() -> None:
    """What the server does not let us take away is told."""
    async with serving(FaultyServer({"delete-refused"})) as url:
        found = await run(url, TERMS, collection="Inbox", checks=checks_named("5.5-envelope-of-several-is-accepted"))
    assert found.findings.left_behind == 3


async def test_objects_are_taken_away_when_the_suite_is_stopped() -> None:
    """Whoever stops the suite half-way leaves nothing of it on the server."""
    server, posted = FaultyServer(), asyncio.Event()

    async def wait(peer: Peer) -> None:
        await peer.five()
        posted.set()
        await asyncio.Event().wait()

    check = each(Keyword.MUST, "5.4", "waits", "It waits for ever.", wait)
    async with serving(server) as url, open_wire(url, 10) as wire:
        running = asyncio.create_task(run_checks(Peer(wire, PLACE, TERMS), [check]))
        await posted.wait()
        assert len(server.rows) == 5
        running.cancel()
        await asyncio.wait([running])
    assert (running.cancelled(), server.rows) == (True, [])


async def test_suite_waits_when_the_server_asks_for_patience() -> None:
    """429 with Retry-After is not a verdict: the request is sent again."""
    server = FaultyServer()
    async with serving(server) as url, open_wire(url, 10) as wire:
        server.faults.add("too-many")
        findings = await run_checks(Peer(wire, PLACE, TERMS), checks_named("4.2-root-answers"))
    assert findings.findings[0].verdict is Verdict.PASSED
    assert not server.faults


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/root/", "/root/"),
        ("/root", "/root/"),
        ("https://elsewhere.example/root/", "/root/"),
        ("../root/", "/../root/"),
        ("root/", "/root/"),
        ("/", "/"),
        ("http://[", "/"),
        (7, "/"),
    ],
)
def test_root_stays_on_the_host_when_its_address_leads_away(address: object, path: str) -> None:
    """Whatever host an answer names, only its path is taken."""
    assert path_of(address, "/taxii2/") == path


async def test_wire_sends_what_it_is_told_when_asked() -> None:
    """No header is added that HTTP does not need, and the path goes out as it stands."""
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server, open_wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 10) as wire:
        answered = await wire.ask("GET", "/a%2f..%5B?x=[1]&y=%41", [("X-One", "1"), ("X-One", "2")])
        assert (answered.status, len(seen)) == (302, 1)  # and not followed
        lines = seen[0].decode().split("\r\n")
        assert lines[0] == "GET /a%2f..%5B?x=[1]&y=%41 HTTP/1.1"
        names = [line.partition(":")[0].lower() for line in lines[1:] if line]
        assert sorted(names) == ["connection", "host", "x-one", "x-one"]
        assert (await wire.ask("GET", "//elsewhere.example/")).status == 0
        assert len(seen) == 1


async def test_wire_stops_reading_when_an_answer_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not end is cut off."""
    monkeypatch.setattr(wires, "MOST_ANSWER_BYTES", 1000)
    async with answering_with(answer(b"x" * 5000)) as url, open_wire(url, 10) as wire:
        answered = await wire.ask("GET", "/")
    assert (answered.status, "larger" in answered.trouble) == (0, True)
