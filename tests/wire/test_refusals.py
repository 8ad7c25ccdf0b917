"""Every reason for which a host says no over HTTP: its status, its code, nothing stored, nothing echoed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.web.problems import STATUS
from tests.hosting import ROOT, RunningHost
from tests.made import envelope, indicator, sdo
from tests.wire.asking import FORM, INCIDENTS, JSON, OBJECTS, REPORTS, Reply, ask
from tests.wire.conftest import MOST_BYTES

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Said by commands on the machine itself or by clients; no request over HTTP is answered with them.
LOCAL = {
    Code.INVALID_REGION, Code.INVALID_SETTING, Code.INVALID_GUARD_LIST, Code.ALREADY_EXISTS, Code.NOT_INITIALISED,
    Code.UNSAFE_DATABASE, Code.AUDIT_BROKEN, Code.INVALID_PROOF, Code.INVALID_POLICY, Code.LOG_FORK, Code.UNREACHABLE,
    Code.REFUSED_BY_SERVER, Code.MISSING_EXTRA,
}  # fmt: skip
# Every reader of a timestamp says what it is the timestamp of: as INVALID_STIX, INVALID_SIGHTING or MALFORMED_REQUEST.
REWORDED = {Code.INVALID_TIMESTAMP}
EVIL = "<script>alert('zły')</script>"
SERBIA = "identity--f2f9f96f-6ede-4717-aa13-93255cb41a11"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


@dataclass(frozen=True)
class Case:
    """A request that is refused as a whole."""

    code: Code
    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    role: Role = Role.ANALYST


def deep(levels: int, kind: str = "list") -> bytes:
    return b"[" * levels + b"]" * levels if kind == "list" else b'{"a":' * levels + b"1" + b"}" * levels


HUGE = b'{"objects":[],"x":"' + b"x" * MOST_BYTES + b'"}'
WHOLE = {
    "not JSON": Case(Code.MALFORMED_JSON, "POST", OBJECTS, EVIL.encode()),
    "text behind": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b'{"objects":[]} {}'),
    "UTF-16": Case(Code.MALFORMED_JSON, "POST", OBJECTS, '{"objects":[]}'.encode("utf-16")),
    "byte order mark": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b"\xef\xbb\xbf" + b'{"objects":[]}'),
    "overlong UTF-8": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b'{"objects":[],"x":"\xc0\xaf"}'),
    "escape cut off": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b'{"objects":[],"x":"\\ud8'),
    "a list": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b"[]"),
    "trailing comma": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b'{"objects":[{},]}'),
    "objects is no list": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b'{"objects":{}}'),
    "no body": Case(Code.MALFORMED_JSON, "POST", OBJECTS, b""),
    "frame too deep": Case(Code.TOO_DEEP, "POST", OBJECTS, b'{"x":' + deep(30_000) + b',"objects":[]}'),
    "objects too deep": Case(Code.TOO_DEEP, "POST", OBJECTS, b'{"objects":[' + deep(7_000, "dict") + b"]}"),
    "frame twice": Case(Code.DUPLICATE_KEY, "POST", OBJECTS, b'{"objects":[],"objects":[]}'),
    "frame twice, escaped": Case(Code.DUPLICATE_KEY, "POST", OBJECTS, b'{"objects":[],"\\u006fbjects":[]}'),
    "report not JSON": Case(Code.MALFORMED_JSON, "POST", REPORTS, EVIL.encode(), JSON),
    "report too deep": Case(Code.TOO_DEEP, "POST", REPORTS, deep(65), JSON),
    "report far too deep": Case(Code.TOO_DEEP, "POST", REPORTS, deep(100_000), JSON),
    "report key twice": Case(Code.DUPLICATE_KEY, "POST", REPORTS, b'{"value":"a.example","value":"b.example"}', JSON),
    "report number": Case(Code.UNSAFE_NUMBER, "POST", REPORTS, b'{"value":"a.example","count":1e400}', JSON),
    "report integer": Case(Code.UNSAFE_NUMBER, "POST", REPORTS, b'{"value":"a.example","count":' + b"9" * 5000 + b"}", JSON),
    "report NaN": Case(Code.UNSAFE_NUMBER, "POST", REPORTS, b'{"value":"a.example","count":NaN}', JSON),
    "report surrogate": Case(Code.UNSAFE_TEXT, "POST", REPORTS, b'{"value":"a.example","sector":"\\ud800"}', JSON),
    "reports no list": Case(Code.MALFORMED_REQUEST, "POST", REPORTS, b'{"sightings":{"value":"a.example"}}', JSON),
    "limit": Case(Code.MALFORMED_REQUEST, "GET", f"{OBJECTS}?limit=%3Cscript%3E"),
    "next of incidents": Case(Code.MALFORMED_REQUEST, "GET", f"{INCIDENTS}?next=%3Cscript%3E"),
    "NUL": Case(Code.MALFORMED_REQUEST, "GET", f"{OBJECTS}%00%3Cscript%3E/"),
    "envelope too large": Case(Code.TOO_LARGE, "POST", OBJECTS, HUGE),
    "form too large": Case(Code.TOO_LARGE, "POST", "/console/sign-in", b"token=" + b"x" * 9000, FORM),
    "too many reports": Case(Code.TOO_LARGE, "POST", REPORTS, b'{"sightings":[' + b"1," * 10_000 + b"1]}", JSON),
    "coded body": Case(Code.UNSUPPORTED_MEDIA_TYPE, "POST", OBJECTS, b"\x1f\x8b", {"Content-Encoding": "br"}),
    "unknown coding": Case(Code.UNSUPPORTED_MEDIA_TYPE, "POST", REPORTS, b"{}", JSON | {"Content-Encoding": "gzip, gzip"}),
    "media type": Case(Code.UNSUPPORTED_MEDIA_TYPE, "POST", OBJECTS, envelope(), {"Content-Type": EVIL[:8]}),
    "report media type": Case(Code.UNSUPPORTED_MEDIA_TYPE, "POST", REPORTS, b"{}"),
    "form media type": Case(Code.UNSUPPORTED_MEDIA_TYPE, "POST", "/console/sign-in", b"{}", JSON),
    "accept": Case(Code.NOT_ACCEPTABLE, "POST", OBJECTS, envelope(), {"Accept": "text/html"}),
    "method": Case(Code.METHOD_NOT_ALLOWED, "PUT", OBJECTS, EVIL.encode()),
    "no token": Case(Code.UNAUTHENTICATED, "POST", OBJECTS, envelope(), {"Authorization": ""}),
    "unknown token": Case(Code.UNAUTHENTICATED, "POST", OBJECTS, envelope(), {"Authorization": "Bearer <script>"}),
    "consumer posts": Case(Code.FORBIDDEN, "POST", OBJECTS, envelope(), role=Role.CONSUMER),
    "admin reports": Case(Code.FORBIDDEN, "POST", REPORTS, b'{"value":"a.example"}', JSON, role=Role.ADMIN),
    "other site's form": Case(Code.FORBIDDEN, "POST", "/console/sign-in", b"token=x", FORM | {"Origin": "http://evil.example"}),
    "no such collection": Case(Code.NOT_FOUND, "POST", f"{ROOT}/collections/%3Cscript%3E/objects/", envelope()),
    "nothing there": Case(Code.NOT_FOUND, "GET", "/api/v1/%3Cscript%3E"),
}  # fmt: skip


def raw(text: str) -> bytes:
    """An indicator whose properties end with some text as it stands."""
    return b'{"objects":[' + orjson.dumps(indicator())[:-1] + f",{text}}}]}}".encode("utf-8", "surrogatepass")


ONE_OBJECT: dict[str, tuple[Code, bytes]] = {
    "list too deep": (Code.TOO_DEEP, raw('"x_a":' + deep(64).decode())),
    "object too deep": (Code.TOO_DEEP, raw('"x_a":' + deep(600, "dict").decode())),
    "id twice": (Code.DUPLICATE_KEY, raw('"id":"x"')),
    "id twice, escaped": (Code.DUPLICATE_KEY, raw('"\\u0069d":"x"')),
    "nested key twice": (Code.DUPLICATE_KEY, raw('"x_hashes":{"MD5":"a","MD5":"b"}')),
    "infinity": (Code.UNSAFE_NUMBER, raw('"x_a":Infinity')),
    "minus infinity": (Code.UNSAFE_NUMBER, raw('"x_a":-Infinity')),
    "NaN": (Code.UNSAFE_NUMBER, raw('"x_a":[NaN]')),
    "1e400": (Code.UNSAFE_NUMBER, raw('"x_a":1e400')),
    "2^53+1": (Code.UNSAFE_NUMBER, raw('"x_a":9007199254740993')),
    "2^53": (Code.UNSAFE_NUMBER, raw('"x_a":9007199254740992')),
    "2^64": (Code.UNSAFE_NUMBER, raw('"x_a":18446744073709551616')),
    "5,000 digits": (Code.UNSAFE_NUMBER, raw('"x_a":' + "9" * 5000)),
    "half a pair": (Code.UNSAFE_TEXT, raw('"name":"\\ud800"')),
    "the other half": (Code.UNSAFE_TEXT, raw('"name":"\\udc00\\ud800"')),
    "half a pair as key": (Code.UNSAFE_TEXT, raw('"\\ud800":1')),
    "confidence 1e2": (Code.INVALID_STIX, raw('"confidence":1.5e2')),
    "count true": (Code.INVALID_STIX, raw('"confidence":true')),
    "no STIX": (Code.INVALID_STIX, envelope({"type": EVIL})),
    "bad reference": (Code.INVALID_STIX, envelope(indicator(object_marking_refs=[EVIL]))),
    "pattern": (Code.INVALID_PATTERN, envelope(indicator(f"[{EVIL}"))),
    "nested pattern": (Code.INVALID_PATTERN, envelope(indicator("(" * 500 + "[a:b = 1]" + ")" * 500))),
    "marking": (Code.MARKING_ABOVE_CEILING, envelope(indicator(object_marking_refs=[RED]))),
    "unknown marking": (Code.MARKING_ABOVE_CEILING, envelope(indicator(object_marking_refs=[RED[:-4] + "0000"]))),
    "granular marking": (
        Code.MARKING_ABOVE_CEILING,
        envelope(indicator(granular_markings=[{"marking_ref": RED, "selectors": ["nowhere"]}])),
    ),
    "another's name": (Code.SPEAKS_FOR_ANOTHER_TEAM, envelope(indicator(created_by_ref=SERBIA))),
    "another's identity": (
        Code.SPEAKS_FOR_ANOTHER_TEAM,
        envelope(sdo("identity", id=SERBIA, name=EVIL)),
    ),
}
ONE_REPORT: dict[str, tuple[Code, Any]] = {
    "no report": (Code.INVALID_SIGHTING, EVIL),
    "unknown property": (Code.INVALID_SIGHTING, {"value": "a.example", "note": EVIL}),
    "kind": (Code.INVALID_SIGHTING, {"value": "a.example", "kind": EVIL}),
    "count": (Code.INVALID_SIGHTING, {"value": "a.example", "count": 10**9 + 1}),
    "count true": (Code.INVALID_SIGHTING, {"value": "a.example", "count": True}),
    "backwards": (
        Code.INVALID_SIGHTING,
        {"value": "a.example", "first_seen": "2026-11-02T00:00:00Z", "last_seen": "2026-11-01T00:00:00Z"},
    ),
    "before the calendar": (
        Code.INVALID_SIGHTING,
        {"value": "a.example", "first_seen": "0001-01-01T00:00:00+14:00", "last_seen": "2026-11-01T00:00:00Z"},
    ),
    "time": (Code.INVALID_SIGHTING, {"value": "a.example", "first_seen": EVIL}),
    "collection": (Code.INVALID_SIGHTING, {"value": "a.example", "collection": EVIL}),
    "collection with NUL": (Code.INVALID_SIGHTING, {"value": "a.example", "collection": "\0" + EVIL}),
    "collection is a number": (Code.INVALID_SIGHTING, {"value": "a.example", "collection": 7}),
    "indicator": (Code.UNKNOWN_INDICATOR, {"indicator": "indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0"}),
    "observable": (Code.INVALID_OBSERVABLE, {"value": EVIL}),
    "observable with NUL": (Code.INVALID_OBSERVABLE, {"value": "a\0.example"}),
}
TESTED = {case.code for case in WHOLE.values()} | {code for code, _ in [*ONE_OBJECT.values(), *ONE_REPORT.values()]}
FURTHER = {
    Code.BUSY,
    Code.SECOND_PERSON_REQUIRED,
    Code.PROPOSAL_CLOSED,
    Code.TOO_MANY_ATTEMPTS,  # in tests/web/test_sign_in_people.py
    Code.SIGNATURE_REQUIRED,
    Code.VERSION_CONFLICT,
    Code.NOT_THE_AUTHOR,
}  # each has a test of its own, here or in test_taxii_posting

# These have tests in files of their own, which name them.
ELSEWHERE = {
    "flows/test_signed_publish.py": {
        Code.INVALID_MANIFEST, Code.BAD_SIGNATURE, Code.UNKNOWN_KEY, Code.KEY_NOT_ACTIVE, Code.WRONG_BINDING,
        Code.MANIFEST_MISMATCH, Code.OUT_OF_SEQUENCE, Code.PUBLICATION_REFUSED, Code.SIGNED_OBJECT,
    },
    "flows/test_keys.py": {Code.UNSAFE_KEY, Code.INVALID_KEY_LIST, Code.KEY_LIST_CONFLICT, Code.POSSESSION_NOT_PROVEN},
    "flows/test_log_cosign.py": {Code.INVALID_CHECKPOINT, Code.INVALID_COSIGNATURE},
    "flows/test_lowering.py": {Code.MARKING_LOWERED},
    "flows/test_decisions.py": {Code.INVALID_DECISION},
    "flows/test_guards_change.py": {Code.INVALID_PROTECTED},
    "flows/test_blind_matches.py": {Code.BLIND_MATCH_CLOSED},
}  # fmt: skip


@pytest.mark.parametrize("file", ELSEWHERE)
async def test_code_is_named_where_it_is_said_to_be_tested(file: str) -> None:
    """The name of each stands in that file, as a code or as the word that clients see."""
    text = (Path(__file__).parents[1] / file).read_text("utf-8")
    assert [code for code in ELSEWHERE[file] if code.name not in text and code.value not in text] == []


@pytest.mark.clause("3.6-t1")
async def test_every_code_has_a_test_when_it_can_be_answered_over_http() -> None:
    """A code that is new must be given a row here, or be said to be of local commands."""
    assert set(Code) == (TESTED | FURTHER | LOCAL | REWORDED).union(*ELSEWHERE.values())
    assert not LOCAL & TESTED
    assert set(STATUS) >= set(Code) - LOCAL


def assert_silent(reply: Reply) -> None:
    """Nothing of what was sent comes back, in no form."""
    for word in (b"<script", b"z\xc5\x82y", b"evil.example"):
        assert word not in reply.body


@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE.keys())
@pytest.mark.clause("1.6.7-t1", "3.6-t1", "5.5-d2", "B-t3", "B-t4")
async def test_request_is_refused_as_a_whole_when_it_cannot_be_taken(standing: RunningHost, case: Case) -> None:
    """Status and code are those of the table, nothing is stored, nothing is echoed."""
    before = await standing.objects()
    reply = await ask(standing, case.method, case.path, body=case.body, headers=case.headers, role=case.role)
    assert reply.status == STATUS[case.code]
    if case.path.startswith("/console"):
        assert reply.headers["Content-Type"].startswith("text/html")
    else:
        assert reply.code == case.code
        kind = "application/problem+json" if case.path.startswith("/api/") else "application/taxii+json;version=2.1"
        assert reply.headers["Content-Type"] == kind
    if not case.path.startswith("/console"):
        assert_silent(reply)
    assert await standing.objects() == before


@pytest.mark.parametrize(("code", "body"), ONE_OBJECT.values(), ids=ONE_OBJECT.keys())
@pytest.mark.clause("2-t1", "3.7-m2", "5.5-d1", "B-t4")
async def test_object_is_refused_alone_when_it_cannot_be_taken(standing: RunningHost, code: Code, body: bytes) -> None:
    """The envelope is answered 202; the status names the code, the object is not stored, nothing is echoed."""
    before = await standing.objects()
    reply = await ask(standing, "POST", OBJECTS, body=body)
    assert (reply.status, reply.json["success_count"], reply.json["failure_count"]) == (202, 0, 1)
    assert reply.json["failures"][0]["message"].startswith(f"{code}: ")
    assert_silent(reply)
    assert await standing.objects() == before


@pytest.mark.parametrize(("code", "report"), ONE_REPORT.values(), ids=ONE_REPORT.keys())
async def test_report_is_refused_alone_when_it_cannot_be_taken(standing: RunningHost, code: Code, report: Any) -> None:
    """The call is 422 if nothing of it was taken, 200 otherwise; the verdict stands at the report's place."""
    for reports, status in (([report], 422), ([{"value": "good.example"}, report], 200)):
        reply = await ask(standing, "POST", REPORTS, headers=JSON, body=orjson.dumps({"sightings": reports}))
        assert reply.status == status
        assert [(one["index"], one["code"]) for one in reply.json["refused"]] == [(len(reports) - 1, code)]
        assert_silent(reply)


@pytest.mark.clause("5.5-d2")
async def test_host_says_when_to_come_back_when_it_is_busy(standing: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After, and nothing was stored."""
    before = await standing.objects()

    def full(_request: object) -> None:
        raise asyncio.QueueFull

    monkeypatch.setattr(standing.inside.database._requests, "put_nowait", full)
    reply = await ask(standing, "POST", OBJECTS, body=envelope(indicator()))
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "busy", "5")
    monkeypatch.undo()
    assert await standing.objects() == before


@pytest.mark.clause("5.5-d2")
async def test_signature_is_asked_for_when_a_collection_requires_it(
    standing: RunningHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal of a whole envelope that nobody signed reaches the client with its code."""

    def unsigned(*_: object, **__: object) -> None:
        raise Refusal(Code.SIGNATURE_REQUIRED, "sign it")

    monkeypatch.setattr("regcert.flows.publish.verify", unsigned)
    reply = await ask(standing, "POST", OBJECTS, body=envelope(indicator()))
    assert (reply.status, reply.code) == (422, "signature-required")
