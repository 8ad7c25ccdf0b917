"""Input that somebody made to hurt, case by case, on both databases: the right refusal in its form, and nothing kept of it.

What the tests of the wire try already (`tests/wire/test_refusals.py`, `test_conditional.py`, `test_hostile.py`) is not tried
again.
"""

import gzip
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import pytest

from regcert.errors import Code
from regcert.web.problems import STATUS
from tests.fuzz.talking import Answer, talk
from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import CREATED, envelope, indicator, sdo
from tests.wire.asking import INDICATORS, OBJECTS, REPORTS

pytestmark = pytest.mark.asyncio(loop_scope="module")
CANARY = "zqx-canary"
CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
OWN_RED = "marking-definition--7e8a7a0c-6f4c-4a51-9d53-0c9a4be0a001"
NEVER = "indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0"


async def ask_twice(
    host: RunningHost, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """Ask, with a second request behind on the same connection that must be answered as if nothing had happened."""
    sent = await host.headers("alcirt") | {"Host": "x"} | dict(headers or {})
    lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in sent.items() if value]
    length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
    first = f"{method} {target} HTTP/1.1\r\n".encode() + b"".join(lines) + length + b"\r\n" + (body or b"")
    address = urlsplit(host.url)
    second = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer, after = await talk(address.hostname or "", address.port or 0, [method, "GET"], [first, second])
    assert (after.status, after.body) == (200, b"ok\n")
    return answer


def assert_refused(answer: Answer, code: Code) -> None:
    """A TAXII error resource says so, and says nothing of what was sent."""
    assert (answer.status, answer.headers["content-type"]) == (STATUS[code], TAXII)
    assert answer.json.keys() == {"title", "description", "error_id", "error_code", "http_status"}
    assert all(answer.json.values())
    assert (answer.json["http_status"], answer.json["error_code"]) == (str(STATUS[code]), code)
    assert answer.json["error_id"] == answer.headers["x-request-id"]
    assert CANARY.encode() not in answer.head + answer.body


async def stored(host: RunningHost) -> bytes:
    return (await ask_twice(host, "GET", f"{OBJECTS}?limit=10000")).body


def deep(levels: int, opening: bytes, closing: bytes) -> bytes:
    return b'{"objects":[{"x":' + opening * levels + b"1" + closing * levels + b"}]}"


def raw(text: str, base: Any = None) -> bytes:
    """An envelope with an object whose properties end with some text as it stands."""
    return b'{"objects":[' + orjson.dumps(base or indicator(name=CANARY))[:-1] + f",{text}}}]}}".encode("utf-8", "surrogatepass")


WHOLE: dict[str, tuple[Code, bytes, dict[str, str]]] = {
    "100,000 lists": (Code.TOO_DEEP, deep(100_000, b"[", b"]"), {}),
    "100,000 objects": (Code.TOO_DEEP, deep(100_000, b'{"a":', b"}"), {}),
    "100,000 lists never closed": (Code.TOO_DEEP, b'{"objects":[' + b"[" * 100_000, {}),
    "a deep list, packed": (Code.TOO_DEEP, gzip.compress(deep(100_000, b"[", b"]"), 1), {"Content-Encoding": "gzip"}),
    "U+FFFE as mark of byte order": (Code.MALFORMED_JSON, b"\xfe\xff" + '{"objects":[]}'.encode("utf-16-be"), {}),
    "surrogate as UTF-8": (Code.MALFORMED_JSON, b'{"objects":[{"name":"\xed\xa0\x80' + CANARY.encode() + b'"}]}', {}),
    "text cut in a character": (Code.MALFORMED_JSON, '{"objects":[{"name":"ч'.encode()[:-1], {}),
    "ends in a backslash": (Code.MALFORMED_JSON, b'{"objects":[{"name":"' + CANARY.encode() + b"\\", {}),
    "control character in a string": (Code.MALFORMED_JSON, b'{"objects":[{"name":"a\nb\x00"}]}', {}),
    "YAML": (Code.MALFORMED_JSON, b"objects:\n  - type: " + CANARY.encode(), {}),
    "XML": (Code.MALFORMED_JSON, b"<?xml version='1.0'?><objects/>", {}),
    "zip": (Code.MALFORMED_JSON, b"PK\x03\x04" + bytes(60), {}),
    "comment": (Code.MALFORMED_JSON, b'{"objects":[]/**/}', {}),
    "single quotes": (Code.MALFORMED_JSON, b"{'objects':[]}", {}),
    "two envelopes": (Code.MALFORMED_JSON, envelope() + envelope(), {}),
    "JSON Lines": (Code.MALFORMED_JSON, envelope() + b"\n" + envelope() + b"\n", {}),
    "says JSON of another kind": (Code.UNSUPPORTED_MEDIA_TYPE, envelope(), {"Content-Type": f"application/{CANARY}+json"}),
    "version 9": (Code.UNSUPPORTED_MEDIA_TYPE, envelope(), {"Content-Type": "application/taxii+json;version=9"}),
    "gzip that is none": (Code.MALFORMED_REQUEST, envelope(indicator(name=CANARY)), {"Content-Encoding": "gzip"}),
    "gzip head only": (Code.MALFORMED_REQUEST, gzip.compress(envelope())[:10], {"Content-Encoding": "gzip"}),
    "gzip with a wrong sum": (Code.MALFORMED_REQUEST, gzip.compress(envelope())[:-8] + bytes(8), {"Content-Encoding": "gzip"}),
    "gzip within gzip": (Code.MALFORMED_JSON, gzip.compress(gzip.compress(envelope())), {"Content-Encoding": "gzip"}),
    "coding of no name": (Code.UNSUPPORTED_MEDIA_TYPE, envelope(), {"Content-Encoding": "x" * 5000}),
    "no token": (Code.UNAUTHENTICATED, envelope(indicator()), {"Authorization": ""}),
}  # fmt: skip


@pytest.mark.parametrize(("code", "body", "headers"), WHOLE.values(), ids=WHOLE.keys())
async def test_body_is_refused_whole_when_it_is_made_to_hurt(
    both: RunningHost, code: Code, body: bytes, headers: dict[str, str]
) -> None:
    """An error resource, nothing stored, and the connection goes on (hostile input 2 to 6)."""
    before = await stored(both)
    assert_refused(await ask_twice(both, "POST", OBJECTS, headers=headers, body=body), code)
    assert await stored(both) == before


OR_CHAIN = "[" + " OR ".join(f"domain-name:value = 'a{number}.example'" for number in range(25_000)) + "]"
SLOW = "(" * 63 + "[a:b = 1" + " AND (a:b = 1 OR a:b IN (1, 2))" * 5 + "]" + ")" * 63 + " REPEATS 5 TIMES"
ONE: dict[str, tuple[Code | None, bytes]] = {
    "33 lists": (None, raw('"x_a":' + "[" * 33 + "]" * 33)),
    "65 lists": (Code.TOO_DEEP, raw('"x_a":' + "[" * 64 + "]" * 64)),
    "type twice": (Code.DUPLICATE_KEY, raw('"type":"malware"')),
    "hashes twice, escaped": (Code.DUPLICATE_KEY, raw('"x_h":{"MD5":"a","\\u004dD5":"b"}')),
    "the same value twice": (Code.DUPLICATE_KEY, raw('"x_a":1,"x_a":1')),
    "minus nothing": (None, raw('"x_a":-0')),
    "minus nothing, broken": (None, raw('"x_a":-0.0')),
    "least of numbers": (None, raw('"x_a":5e-324')),
    "-2^53": (Code.UNSAFE_NUMBER, raw('"x_a":-9007199254740992')),
    "2^53 as a fraction": (Code.UNSAFE_NUMBER, raw('"x_a":9007199254740992.0')),
    "2^53 as a power": (Code.UNSAFE_NUMBER, raw('"x_a":1e16')),
    "100,000 decimals": (None, raw('"x_a":0.' + "1" * 100_000)),
    "count true": (Code.INVALID_STIX, raw('"count":true', sdo("sighting", sighting_of_ref=NEVER))),
    "count below nothing": (Code.INVALID_STIX, raw('"count":-1', sdo("sighting", sighting_of_ref=NEVER))),
    "pair the wrong way round": (Code.UNSAFE_TEXT, raw('"x_a":"\\udc00\\ud800"')),
    "half a pair, deep": (Code.UNSAFE_TEXT, raw('"x_a":[{"b":["\\ud800"]}]')),
    "U+FFFE and U+FFFF": (None, raw('"x_a":"\\ufffe\uffff"')),
    "a million values compared": (Code.INVALID_PATTERN, envelope(indicator(OR_CHAIN))),
    "quotes never closed": (Code.INVALID_PATTERN, envelope(indicator("[domain-name:value = 'a" + "\\'" * 5000))),
    "parentheses, as many as may be": (None, envelope(indicator("(" * 60 + "[a:b = 1]" + ")" * 60))),
    "one kind of qualifier on every level": (None, envelope(indicator(SLOW.replace("(" * 63, "(" * 30).replace(")" * 63,
                                             ")" * 30)))),
    "an expression that explodes": (None, envelope(indicator("[file:name MATCHES '(a+)+$']"))),
    "pattern of brackets": (Code.INVALID_PATTERN, envelope(indicator("[" * 100_000))),
    "pattern of NOT": (Code.INVALID_PATTERN, envelope(indicator("[" + "NOT " * 20_000 + "a:b = 1]"))),
    "two colours": (Code.MARKING_ABOVE_CEILING, envelope(indicator(object_marking_refs=[CLEAR, RED]))),
    "TLP 1.0 red": (
        Code.MARKING_ABOVE_CEILING,
        envelope(indicator(object_marking_refs=["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"])),
    ),
    "marking by another kind of id": (Code.INVALID_STIX, envelope(indicator(object_marking_refs=[NEVER]))),
    "reference of another type": (Code.INVALID_STIX, envelope(indicator(created_by_ref=NEVER))),
    "100,000 references": (
        Code.TOO_LARGE, envelope(sdo("report", name="r", published=CREATED, object_refs=[NEVER] * 100_000)),
    ),
    "refers to itself": (
        None, envelope(sdo("report", id=f"report--{NEVER[11:]}", name="r", published=CREATED,
        object_refs=[f"report--{NEVER[11:]}"])),
    ),
    "properties of the language below": (None, raw('"x_a":{"__proto__":1,"constructor":2,"__class__":3,"toString":4}')),
    "a name of 64 KiB": (None, raw('"' + "x" * 65_536 + '":1')),
    "id in capitals": (Code.INVALID_STIX, envelope(indicator(id=NEVER.upper()))),
    "id in braces": (Code.INVALID_STIX, envelope(indicator(id="indicator--{" + NEVER[11:] + "}"))),
    "id of another type": (Code.INVALID_STIX, envelope(indicator(id="malware--" + NEVER[11:]))),
}  # fmt: skip


@pytest.mark.parametrize(("code", "body"), ONE.values(), ids=ONE.keys())
async def test_object_is_judged_by_itself_when_it_is_made_to_hurt(both: RunningHost, code: Code | None, body: bytes) -> None:
    """Refused with its code and not stored, or stored and given back as it came (hostile input 3 to 6, 10, 18 to 21)."""
    before = await stored(both)
    answer = await ask_twice(both, "POST", OBJECTS, body=body)
    assert (answer.status, answer.json["total_count"]) == (202, 1)
    assert CANARY.encode() not in answer.body
    if code is not None:
        assert answer.json["failures"][0]["message"].startswith(f"{code}: ")
        assert await stored(both) == before
        return
    assert answer.json["success_count"] == 1, answer.json
    given = (await ask_twice(both, "GET", f"{OBJECTS}{answer.json['successes'][0]['id']}/")).body
    assert given.removeprefix(b'{"objects":[').removesuffix(b'],"more":false}') == body.removeprefix(
        b'{"objects":['
    ).removesuffix(b"]}")
    assert await stored(both) != before


@pytest.mark.parametrize("levels", [65, 500, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
async def test_object_is_refused_when_it_nests_too_deep_for_any_decoder(
    both: RunningHost, opening: str, closing: str, levels: int
) -> None:
    """Alone as far as a decoder can follow it, and beyond that with its whole envelope; never a fault (hostile input 3)."""
    before = await stored(both)
    answer = await ask_twice(both, "POST", OBJECTS, body=raw('"x_a":' + opening * levels + "1" + closing * levels))
    if answer.status == 202:
        assert answer.json["failures"][0]["message"].startswith(f"{Code.TOO_DEEP}: ")
    else:
        assert_refused(answer, Code.TOO_DEEP)
    assert await stored(both) == before


async def test_nul_is_kept_or_refused_alike_when_it_stands_in_a_text(both: RunningHost) -> None:
    """PostgreSQL stores no NUL in a text column: an object with one is judged the same as on SQLite, in content or in its id."""
    _, inside = await both.post(raw('"x_a":"a\\u0000b"'))
    assert (inside["success_count"], inside["failure_count"]) == (1, 0)
    _, refused = await both.post([indicator(id=NEVER + "\0"), indicator(type="x\0"), indicator(created_by_ref="identity--\0")])
    assert (refused["success_count"], refused["failure_count"]) == (0, 3)


async def test_definition_is_what_its_id_says_when_its_content_says_otherwise(both: RunningHost) -> None:
    """Nobody makes TLP:RED mean nothing by defining it anew, nor a colour under an id of their own (hostile input 20)."""
    base = {"type": "marking-definition", "spec_version": "2.1", "created": CREATED}
    for stix_id, content in (
        (RED, {"definition_type": "statement", "definition": {"statement": "free for all"}}),
        (OWN_RED, {"definition_type": "tlp", "definition": {"tlp": "white"}}),
    ):
        marked = indicator(object_marking_refs=[stix_id])
        _, status = await both.post([base | content | {"id": stix_id}, marked])
        assert [one for one in status.get("successes", []) if one["id"] == marked["id"]] == []
        assert f"{Code.MARKING_ABOVE_CEILING}: " in orjson.dumps(status["failures"]).decode()


async def test_cycle_does_no_harm_when_objects_refer_to_each_other(both: RunningHost) -> None:
    """Relationships in a ring are stored, and correlation comes to its end (hostile input 21)."""
    ends = [sdo("malware", is_family=False, name="m") for _ in range(3)]
    ring = [
        sdo("relationship", relationship_type="related-to", source_ref=one["id"], target_ref=ends[(place + 1) % 3]["id"])
        for place, one in enumerate(ends)
    ]
    status, told = await both.post([*ends, *ring])
    assert (status, told["success_count"]) == (202, 6)
    await both.caught_up()


# A number of more than 4,300 digits is none to int(), however many of them are leading zeros.
NUMBERS = {"0": False, "-1": False, "+1": False, "1e3": False, "%D9%A1": False, "%EF%BC%91": False, "1,2": False, "0x10": False,
           "NaN": False, "1%00": False, "9" * 5000: True, "1000000000": True}  # fmt: skip
LISTS = (OBJECTS, f"{INDICATORS}/manifest/", f"{OBJECTS}{NEVER}/", f"{OBJECTS}{NEVER}/versions/")


@pytest.mark.parametrize(
    ("limit", "taken"),
    [*NUMBERS.items(), ("0" * 5000 + "1", True)],
    ids=[*(f"{number:.10}-{len(number)}" for number in NUMBERS), "leading zeros"],
)
async def test_limit_is_a_plain_number_when_it_is_taken(both: RunningHost, limit: str, taken: bool) -> None:  # noqa: FBT001
    """Nothing but ASCII digits that are no zero; as large as they like (hostile input 22)."""
    for path in LISTS:
        answer = await ask_twice(both, "GET", f"{path}?limit={limit}")
        if taken:
            assert answer.status == (404 if NEVER in path else 200)
        else:
            assert_refused(answer, Code.MALFORMED_REQUEST)


TEN_THOUSAND = ",".join(f"v{number}" for number in range(10_000))
QUERIES: dict[str, Code | None] = {
    **{f"match[{name}]={TEN_THOUSAND}": Code.MALFORMED_REQUEST for name in ("id", "type", "version", "spec_version")},
    f"match[id]={CANARY}&match[id]={CANARY}": Code.MALFORMED_REQUEST,
    f"match[id]={CANARY}&match%5bid%5d={CANARY}": Code.MALFORMED_REQUEST,
    "limit=1&%6cimit=1": Code.MALFORMED_REQUEST,
    f"match[version]={CANARY}": Code.MALFORMED_REQUEST,
    "added_after=9999-12-31T23:59:59.999999Z": None,
    "added_after=2026-11-21T00:00:00Z": None,
    "added_after=2026-11-21T00:00:00.001Z": None,
    "added_after=2026-11-21T00:00:00+00:00": None,
    "added_after=2026-11-21T00:00:00": Code.MALFORMED_REQUEST,
    "added_after=2026-11-21T00:00:00Z%00": Code.MALFORMED_REQUEST,
    f"added_after={CANARY}": Code.MALFORMED_REQUEST,
    "added_after=%D9%A2026-11-21T00:00:00Z": Code.MALFORMED_REQUEST,
    f"match[{CANARY}]=1&{CANARY}=2&{CANARY}=3": None,
    "&".join(f"q{number}=1" for number in range(9000)): None,
    "match[id]=" + "x" * 100_000: None,
    "match[type]=" + "%F0%9F%98%80" * 100: None,
    "match[id]=%ED%A0%80": None,
    "match[spec_version]=%FF": None,
    "match[id]=%27%20OR%201%3D1%20--": None,
    "match[id]=%25": None,
    "match[type]=_____": None,
    "next=" + "A" * 100_000: None,
    "next=%00": Code.MALFORMED_REQUEST,
    "next=%F0%9F%98%80": None,
}  # fmt: skip


@pytest.mark.parametrize(("query", "code"), QUERIES.items(), ids=[f"{query:.32}-{len(query)}" for query in QUERIES])
async def test_query_is_answered_when_it_is_made_to_hurt(both: RunningHost, query: str, code: Code | None) -> None:
    """Refused in its form, or answered; a filter that fits nothing finds nothing (hostile input 22)."""
    for path in LISTS[:2]:
        answer = await ask_twice(both, "GET", f"{path}?{query}")
        if code is not None:
            assert_refused(answer, code)
            continue
        assert answer.status == 200
        if query.startswith(("match[id]", "match[type]", "match[spec")):
            assert answer.body == b"{}"


IDS = ("..%2f..%2f", "..%2F" * 50 + "etc%2fpasswd", "%2e%2e%2f", "%252e%252e%252f", "a%2fb", "%5c..%5c", "x" * 100_000,
"%0d%0aX:%20y",
       "%E2%80%AE", "%ED%A0%80", "%FF%FE", ";jsessionid=1", "$%7B7*7%7D", "%7B%7B7*7%7D%7D", "con", "%25%30%30", CANARY,
       quote("' OR 1=1 --"))  # fmt: skip


@pytest.mark.parametrize("name", IDS, ids=[f"{name:.20}-{len(name)}" for name in IDS])
async def test_nothing_is_there_when_an_id_is_a_trick(both: RunningHost, name: str) -> None:
    """404 as for whatever is not there, on every address that holds an id; no second decoding, no step up (hostile input 26)."""
    for method, path in (
        ("GET", f"{OBJECTS}{name}/"), ("GET", f"{OBJECTS}{name}/versions/"), ("DELETE", f"{OBJECTS}{name}/"),
        ("GET", f"{ROOT}/status/{name}/"), ("GET", f"{ROOT}/collections/{name}/"), ("GET", f"{ROOT}/collections/{name}/objects/"),
        ("GET", f"/{name}/collections/"),
    ):  # fmt: skip
        assert_refused(await ask_twice(both, method, path), Code.NOT_FOUND)
    for path in (f"{OBJECTS}a%00{name}/", f"{ROOT}/collections/%00{name}/", f"{ROOT}/status/{name}%00"):
        assert_refused(await ask_twice(both, "GET", path), Code.MALFORMED_REQUEST)


async def test_list_begins_anew_when_any_character_of_next_is_changed(both: RunningHost) -> None:
    """Seal, position, filters: wherever it was changed, cut or lengthened, a cursor says nothing, and no page is lost by it."""
    await both.post([indicator() for _ in range(4)])
    for path in (f"{OBJECTS}?limit=2", f"{INDICATORS}/manifest/?limit=2", f"{OBJECTS}?limit=2&match[type]=indicator"):
        page = (await ask_twice(both, "GET", path)).json
        own, beginning = page["next"], page["objects"]
        changed = [own[:place] + ("A" if own[place] != "A" else "B") + own[place + 1 :] for place in range(len(own))]
        changed += [own[:place] for place in range(1, len(own), 7)] + [own + "A" * 4, "A" * 4 + own, own * 2]
        for cursor in changed:
            answer = await ask_twice(both, "GET", f"{path}&next={cursor}")
            # The last characters of base64 may hold bits that mean nothing: then it is the same cursor.
            if answer.json["objects"] != beginning:
                assert cursor[:-1] == own[:-1], cursor
        assert (await ask_twice(both, "GET", f"{path}&next={own}")).json["objects"] != beginning


AUTHORIZATIONS = {
    "Basic with two colons": "Basic OjpyZWc=", "Basic with the token as the name": "Basic cmVnY2VydF94Og==",
    "Basic of blanks": "Basic ICAgOiAgIA==", "Basic without padding": "Basic eDp5eg",
    "Basic with a line break": "Basic eDp5\teg==",
    "Bearer of bytes": "Bearer \xff\xfe", "Bearer with a comma": "Bearer a, Basic eDp5", "scheme of bytes": "\xff x",
    "1,000 parameters": "Digest " + ",".join(f"a{n}=1" for n in range(1000)), "blanks": "    ", "colon": ":",
    "name of ours": "Bearer regcert_", "SQL": "Bearer ' OR 1=1 --",
}  # fmt: skip


@pytest.mark.parametrize("value", AUTHORIZATIONS.values(), ids=AUTHORIZATIONS.keys())
async def test_caller_is_nobody_when_the_credentials_are_made_to_hurt(both: RunningHost, value: str) -> None:
    """401 in its form and with its challenge, on a read, on a post, and for an object that does not exist (hostile input 25)."""
    before = await stored(both)
    for method, path, body in (
        ("GET", OBJECTS, None),
        ("POST", OBJECTS, envelope(indicator())),
        ("GET", f"{OBJECTS}{NEVER}/", None),
    ):
        answer = await ask_twice(both, method, path, headers={"Authorization": value}, body=body)
        assert_refused(answer, Code.UNAUTHENTICATED)
        assert "Bearer" in answer.headers["www-authenticate"]
    assert await stored(both) == before


async def test_accept_is_read_when_it_has_a_thousand_parameters(both: RunningHost) -> None:
    """A thousand offers or parameters: taken where the first is ours, refused where none is (hostile input 25)."""
    parameters = ";".join(f"p{number}=1" for number in range(1000))
    taken = await ask_twice(both, "GET", OBJECTS, headers={"Accept": f"{TAXII};{parameters}"})
    assert taken.status == 200
    offers = ",".join(f"a/{number}" for number in range(1000))
    for refused in (f"application/{CANARY};{parameters}", offers, ";" * 8000, "," * 8000):
        assert_refused(await ask_twice(both, "GET", OBJECTS, headers={"Accept": refused}), Code.NOT_ACCEPTABLE)


async def test_report_is_refused_when_it_is_made_to_hurt(both: RunningHost) -> None:
    """The same bounds on our own API, in its own form: a problem whose status is the answer's."""
    for body, code in (
        (deep(100_000, b"[", b"]"), Code.TOO_DEEP), (b'{"value":"a.example","count":1e999}', Code.UNSAFE_NUMBER),
        (b'{"value":"a.example","\\u0076alue":"b.example"}', Code.DUPLICATE_KEY), (b"\xef\xbb\xbf{}", Code.MALFORMED_JSON),
        (b'{"value":"\\ud800"}', Code.UNSAFE_TEXT), (b'{"sightings":{}}', Code.MALFORMED_REQUEST),
    ):  # fmt: skip
        answer = await ask_twice(both, "POST", REPORTS, headers={"Content-Type": "application/json"}, body=body)
        assert (answer.status, answer.headers["content-type"]) == (STATUS[code], "application/problem+json")
        assert (answer.json["status"], answer.json["code"]) == (STATUS[code], code)
