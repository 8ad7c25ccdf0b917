"""Bytes that no honest client sends: broken frames, headers, tokens, and two thousand requests made of noise."""

import asyncio
import random
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest

from tests.fuzz.talking import talk
from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import envelope, indicator, sdo
from tests.wire.asking import FORM, INCIDENTS, INDICATORS, JSON, OBJECTS, REPORTS, ask, ask_raw

pytestmark = pytest.mark.asyncio(loop_scope="module")
HANG_S = 20  # not a promise of speed: what has not been answered by then never will be
SECRET = b"regcert_SecretInABadHeader"
START = b"GET /taxii2/ HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
POST = f"POST {REPORTS} HTTP/1.1\r\n".encode() + HOST
BODY = b"5\r\nhello\r\n0\r\n\r\n"
FRAMES = {
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "length is no number": POST + b"Content-Length: +5\r\n\r\nhello",
    "length is negative": POST + b"Content-Length: -5\r\n\r\nhello",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + BODY,
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\nhello",
    "chunk size is none": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "blank before the colon": START + HOST + b"Authorization : Bearer " + SECRET + b"\r\n\r\n",
    "folded header": START + HOST + b"Authorization: Bearer\r\n " + SECRET + b"\r\n\r\n",
    "NUL in a header": START + HOST + b"Authorization: Bearer \x00" + SECRET + b"\r\n\r\n",
    "carriage return alone": START + HOST + b"Authorization: Bearer " + SECRET + b"\rX: y\r\n\r\n",
    "header without a colon": START + HOST + b"Authorization Bearer " + SECRET + b"\r\n\r\n",
    "header too long": START + HOST + b"Authorization: Bearer " + b"x" * 20_000 + b"\r\n\r\n",
    "too many headers": START + HOST + b"".join(b"X-%d: 1\r\n" % number for number in range(300)) + b"\r\n",
    "request line too long": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the path": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "two hosts": START + HOST + b"Host: y\r\n\r\n",
    "line feeds alone": b"GET /taxii2/ HTTP/1.1\nHost: x\nConnection: close\n\n",
    "blanks in the request line": b"GET  /taxii2/  HTTP/1.1\r\n" + HOST + b"\r\n",
    "tab before the length": POST + b"Content-Length\t: 5\r\n\r\nhello",
    "length is hexadecimal": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "length in Arabic digits": POST + "Content-Length: \u0665\r\n\r\nhello".encode(),
    "length beyond all": POST + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "two lengths in one": POST + b"Content-Length: 5, 6\r\n\r\nhello",
    "coding that is none": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY,
    "coding in two headers": POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
    "chunk size beyond all": POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "chunk longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "chunk size is negative": POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "trailers without end": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
    "129 headers": START + HOST + b"".join(b"X-%d: 1\r\n" % number for number in range(129)) + b"\r\n",
    "header of 8,191 bytes": START + HOST + b"X: " + b"y" * 8191 + b"\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500 + b"\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", FRAMES.values(), ids=FRAMES.keys())
async def test_connection_ends_with_a_refusal_when_its_frame_is_broken(standing: RunningHost, request_bytes: bytes) -> None:
    """400 or 401, never 2xx, never a fault; the connection is closed, so that nothing behind it is read as a request."""
    async with asyncio.timeout(HANG_S):
        answer = await ask_raw(standing, request_bytes.replace(HOST, HOST + b"Connection: close\r\n"))
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ", b"HTTP/1.1 401 ", b"HTTP/1.0 401 ")), answer[:200]
    assert answer.count(b"\nDate: ") == 1
    assert (await ask(standing, "GET", "/healthz")).body == b"ok\n"


async def test_second_request_is_not_smuggled_when_two_frames_disagree(standing: RunningHost) -> None:
    """What stands behind a body that two headers frame differently is never answered as a request of its own."""
    token = (await standing.token("alcirt")).encode()
    inner = b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + b"\r\nConnection: close\r\n\r\n"
    outer = POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(inner)) + inner
    async with asyncio.timeout(HANG_S):
        answer = await ask_raw(standing, outer)
    assert answer.count(b"\nDate: ") == 1
    assert b"api_roots" not in answer


async def test_host_hangs_up_when_headers_never_end(standing: RunningHost) -> None:
    """A token of a megabyte and ten thousand headers: 400 or nothing, never let in, and others are answered."""
    address = urlsplit(standing.url)
    for flood in (b"Authorization: Bearer " + b"x" * 1_000_000, b"".join(b"X-%d: y\r\n" % number for number in range(10_000))):
        answers = await talk(address.hostname or "", address.port or 0, ["GET"], [START + HOST + flood + b"\r\n\r\n"])
        assert all(answer.status == 400 for answer in answers)
        assert (await ask(standing, "GET", "/healthz")).body == b"ok\n"


SHORT = envelope(indicator(name="x" * 200))
LIES = {
    "longer": b"Content-Length: %d\r\n\r\n%b" % (len(SHORT) + 1, SHORT),
    "far longer": b"Content-Length: 60000\r\n\r\n" + SHORT,
    "shorter": b"Content-Length: %d\r\n\r\n%b" % (len(SHORT) - 1, SHORT),
    "nothing": b"Content-Length: 0\r\n\r\n" + SHORT,
    "chunks without end": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(SHORT), SHORT),
    "chunk that is short": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b" % (len(SHORT) + 9, SHORT),
    "length and chunks": b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n%b" % (len(SHORT), SHORT),
}


@pytest.mark.parametrize("framed", LIES.values(), ids=LIES.keys())
async def test_nothing_is_stored_when_a_body_lies_about_its_length(standing: RunningHost, framed: bytes) -> None:
    """Too short, too long, never ended: whatever is answered, it is not that something was taken."""
    before = await standing.objects()
    token = (await standing.token("alcirt")).encode()
    head = f"POST {OBJECTS} HTTP/1.1\r\nHost: x\r\nContent-Type: {TAXII}\r\n".encode() + b"Authorization: Bearer " + token
    address = urlsplit(standing.url)
    answers = await talk(address.hostname or "", address.port or 0, ["POST", "GET"], [head + b"\r\n" + framed], ends=True)
    assert all(400 <= answer.status < 500 for answer in answers), answers
    assert await standing.objects() == before


@pytest.mark.xfail(strict=True, reason="aiohttp answers an unknown expectation itself: it repeats it, and names its version")
async def test_expectation_is_not_repeated_when_nobody_knows_it(standing: RunningHost) -> None:
    """`Expect` with anything but 100-continue needs no answer of its own, and never one that holds what was sent."""
    async with asyncio.timeout(HANG_S):
        answer = await ask_raw(standing, START + HOST + b"Connection: close\r\nExpect: " + SECRET + b"\r\n\r\n")
    assert SECRET not in answer
    assert b"aiohttp" not in answer
    assert b"X-Request-Id: " in answer


AUTHORIZATIONS = {
    "empty": "", "scheme alone": "Bearer", "blank": "Bearer  ", "large": "Bearer " + "x" * 7000, "unknown scheme": "Digest x",
    "no base64": "Basic %%%", "no colon": "Basic eA==", "empty password": "Basic eDo=", "two tokens": "Bearer a b",
    "not UTF-8": "Basic /v8=", "beyond ASCII": "Bearer тајна", "NUL": "Basic AAA6AAA=",
}  # fmt: skip


@pytest.mark.parametrize("header", AUTHORIZATIONS.values(), ids=AUTHORIZATIONS.keys())
async def test_nobody_is_let_in_when_the_credentials_are_none(standing: RunningHost, header: str) -> None:
    """Every way of being nobody gets the same 401 (hostile input 25)."""
    for path in ("/taxii2/", OBJECTS, INCIDENTS):
        reply = await ask(standing, "GET", path, headers={"Authorization": header})
        assert (reply.status, reply.code) == (401, "unauthenticated")


async def test_nobody_is_let_in_when_there_are_two_headers_or_a_token_in_the_query(standing: RunningHost) -> None:
    """Two Authorization headers are as good as none, and an address is no place for a token."""
    token = await standing.token("alcirt")
    twice = f"Authorization: Bearer {token}\r\n".encode() * 2
    async with asyncio.timeout(HANG_S):
        answer = await ask_raw(standing, START + HOST + b"Connection: close\r\n" + twice + b"\r\n")
    assert answer.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 400 "))
    for query in (f"token={token}", f"access_token={token}", f"Authorization=Bearer%20{token}"):
        assert (await ask(standing, "GET", f"{OBJECTS}?{query}", headers={"Authorization": ""})).status == 401


async def test_token_is_worth_nothing_when_it_has_expired(standing: RunningHost) -> None:
    """An expired token gets the answer of one that never was, from its last microsecond on."""
    token = await standing.token("alcirt", valid_us=1_000_000)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await ask(standing, "GET", "/taxii2/", headers=bearer)).status == 200
    standing.clock.at_us += 1_000_000
    expired = await ask(standing, "GET", "/taxii2/", headers=bearer)
    standing.clock.at_us -= 1_000_000
    never = await ask(standing, "GET", "/taxii2/", headers={"Authorization": "Bearer never"})
    assert (expired.status, expired.json["description"]) == (401, never.json["description"])


@pytest.mark.parametrize("body", [b"token=\xff\xfe", b"token=%ff%00", b"token=a&token=b", b"&&==&", b"%", b"token[]=1", b""])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=klingon"])
async def test_form_is_answered_when_its_text_is_broken(standing: RunningHost, body: bytes, kind: str) -> None:
    """A form that is no text, or says it is in an encoding that nobody knows, signs nobody in and breaks nothing."""
    reply = await ask(standing, "POST", "/console/sign-in", headers={"Content-Type": kind}, body=body)
    assert reply.status == 401


@pytest.mark.parametrize("origin", ["http://[", "null", "http://", "://", "x", "http://evil.example", "http://127.0.0.1:1"])
async def test_form_is_refused_when_its_origin_is_not_ours(standing: RunningHost, origin: str) -> None:
    """Another site, nobody, or no address at all."""
    reply = await ask(standing, "POST", "/console/sign-in", headers=FORM | {"Origin": origin}, body=b"token=x")
    assert reply.status == 403


async def test_text_is_kept_when_it_would_trick_a_reader(standing: RunningHost) -> None:
    """Overrides, invisible characters and floods of marks are content: they come back as they came (hostile input 7, 20, 21)."""
    own = f"indicator--{'5a6e590a-8533-48ba-9b80-621c3ddef001'}"
    sent = [
        sdo("malware", is_family=False, name="a\u202eb\u200b\U000e0041" + "\u0301" * 10_000),
        indicator(id=own, object_marking_refs=["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]),
        sdo("relationship", relationship_type="related-to", source_ref=own, target_ref=own),
        sdo("report", name="r", published="2026-11-01T10:00:00Z", object_refs=[own] * 500),
    ]
    _, status = await standing.post(sent)
    assert status["success_count"] == len(sent), status
    found = await standing.objects()
    assert all(one in found for one in sent)


async def test_reference_tells_nothing_when_it_names_what_the_sender_may_not_see(standing: RunningHost) -> None:
    """A reference to a hidden object is answered like one to an object that never was (no oracle)."""
    hidden = indicator()
    await standing.post([hidden], team="srb-cert", collection="team-srb-cert")
    answers = []
    for target in (hidden["id"], indicator()["id"]):
        note = sdo("note", content="x", object_refs=[target])
        _, status = await standing.post([note])
        answers.append((status["success_count"], status["failure_count"]))
        reply = await ask(standing, "POST", REPORTS, headers=JSON, body=orjson.dumps({"indicator": target}))
        answers.append((reply.status, reply.json["refused"]))
    assert answers[:2] == answers[2:]


PATHS = ["/", "/taxii2/", ROOT, f"{ROOT}/collections/", INDICATORS, OBJECTS, f"{INDICATORS}/manifest", f"{ROOT}/status/", REPORTS,
         INCIDENTS, "/console/", "/console/sign-in", "/console/sign-out", "/console/incidents/", "/console/static/", "/healthz",
         "/readyz", f"{ROOT}/collections/public/objects/", f"{ROOT}/collections/team-srb-cert/objects/"]  # fmt: skip
PIECES = [
    "",
    "/",
    "..",
    "%2e%2e%2f",
    "%ff",
    "%F0%9F%98%80",
    "%ED%A0%80",
    "%00",
    "indicator--x",
    "{id}",
    "x" * 500,
    "versions/",
    ";a=b",
    "*",
]
FIELDS = [
    "limit",
    "next",
    "added_after",
    "match[id]",
    "match[type]",
    "match[version]",
    "match[spec_version]",
    "match[",
    "%00",
    "q",
]
VALUES = ["", "1", "-1", "0000000001", "9" * 30, "1e3", "%D9%A1", "%00", "%ff", "2026-11-21T00:00:00Z", ",,,", "A" * 300,
          "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "all", "first,last", "indicator", "W251bGwsbnVsbF0",
          "WzFlOTk5LCJ4Il0", "bnVsbA", "WyJuYW4iLCJ4Il0", "%F0%9F%98%80"]  # fmt: skip
HEADERS = {
    "Accept": ["", "*/*", "text/html", "application/taxii+json;version=" + "9" * 50, ",,;;", "\u00ff"],
    "Content-Type": ["", "application/json", "application/stix+json", "application/x-www-form-urlencoded; charset=x",
                     "multipart/form-data",
                     "application/taxii+json;version=2.1", ";;", "\u00ff/\u00ff"],
    "Content-Encoding": ["gzip", "br", "identity", "x, y", "deflate"],
    "Origin": ["null", "http://[", "http://evil.example"],
    "Cookie": ["regcert=x", "regcert=" + "y" * 2000, '=;;"', "regcert=\u00ff; regcert=2", "__Host-regcert=x"],
    "X-Forwarded-Proto": ["https", "\u00ff"],
    "X-Forwarded-For": ["' OR 1=1 --"],
    "Authorization": ["", "Basic", "Basic \u00ff", "Bearer \u00ff", "Token  "],
    "Range": ["bytes=0-1", "x"],
    "If-None-Match": ['"x"', "*"],
    "Sec-Fetch-Site": ["cross-site"],
    "Host": ["[", "x:y:z", "\u00ff"],
}  # fmt: skip
SCRAPS: list[Any] = [None, True, 0, -1, 2**53, 1.5, "", "x" * 300, "\0", "\ud7ff\u202e", [], {}, "indicator", "[a:b = 1]", "::",
                     "2026-11-01T00:00:00Z", "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "198.51.100.3/33",
                     "hxxp://[.]"]  # fmt: skip
NAMES = ["type", "id", "created", "modified", "pattern", "spec_version", "object_marking_refs", "granular_markings",
         "sightings", "value", "indicator", "kind", "count", "first_seen", "last_seen", "sector", "report_id", "collection",
         "created_by_ref", "hashes", "definition", "source_ref", "target_ref", "sighting_of_ref"]  # fmt: skip


def noise(chance: random.Random, depth: int = 0) -> Any:
    """Make JSON that is nearly what we expect."""
    if depth > 3 or chance.random() < 0.4:
        return chance.choice(SCRAPS)
    if chance.random() < 0.3:
        return [noise(chance, depth + 1) for _ in range(chance.randrange(4))]
    whole: dict[str, Any] = chance.choice([{}, indicator(), sdo("malware", is_family=False, name="m"), {"value": "a.example"}])
    for _ in range(chance.randrange(4)):
        whole[chance.choice(NAMES)] = noise(chance, depth + 1)
    return whole


def noisy_body(chance: random.Random) -> bytes:
    body = chance.choice([envelope, lambda one: orjson.dumps({"sightings": [one]}), orjson.dumps])(noise(chance))
    if chance.random() < 0.3 and body:
        place = chance.randrange(len(body))
        body = body[:place] + chance.choice([b"", b"\xff", b"\\ud800", b'"', b"\x00", b"NaN", b"1e999"]) + body[place + 1 :]
    return body


@pytest.mark.parametrize("seed", range(20))
async def test_host_never_breaks_when_requests_are_noise(standing: RunningHost, seed: int) -> None:
    """A hundred requests a seed, of paths, queries, headers and bodies at random: none is answered with 5xx."""
    chance = random.Random(seed)
    for number in range(100):
        path = chance.choice(PATHS) + "".join(chance.choice(PIECES) for _ in range(chance.randrange(3)))
        query = "&".join(f"{chance.choice(FIELDS)}={chance.choice(VALUES)}" for _ in range(chance.randrange(4)))
        method = chance.choice(["GET", "GET", "POST", "POST", "DELETE", "HEAD", "PUT", "OPTIONS", "QUERY"])
        headers = {name: chance.choice(values) for name, values in HEADERS.items() if chance.random() < 0.15}
        if method == "POST" and chance.random() < 0.7:
            headers["Content-Type"] = "application/json" if path.startswith("/api") else "application/taxii+json"
        body = noisy_body(chance) if method in {"POST", "PUT"} else None
        try:
            reply = await ask(standing, method, f"{path}?{query}", headers=headers, body=body)
        except aiohttp.ClientError:
            continue  # the host closed the connection on a broken frame, before our client had sent all of it
        assert reply.status < 500, (seed, number, method, path, query, headers, body)
    assert (await ask(standing, "GET", OBJECTS)).status == 200
    await standing.caught_up()
    assert (await ask(standing, "GET", INCIDENTS)).status == 200
