"""Every resource of TAXII 2.1 held against its table in the standard: which properties, of which type, with which values.

Spec: TAXII 2.1 §2, §3.6.1, §3.7, §3.8, §4.1.1, §4.2.1, §4.3.1, §5.1.1, §5.2.1, §5.3.1, §5.8.1
"""

import copy
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
import pytest_asyncio

from tests.hosting import ROOT, TAXII, RunningHost
from tests.made import envelope, indicator, sdo
from tests.wire.asking import INDICATORS, OBJECTS, Reply, ask
from tests.wire.conftest import MOST_BYTES

pytestmark = pytest.mark.asyncio(loop_scope="module")
Rule = Callable[[Any], bool]
ONE = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
ADDRESS = {"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"}
STIX = "application/stix+json;version=2.1"


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def boolean(value: Any) -> bool:
    return value is True or value is False


def timestamp(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value) is not None


def identifier(value: Any) -> bool:
    return (
        isinstance(value, str)
        and re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", value) is not None
    )


def some(rule: Rule) -> Rule:
    return lambda values: isinstance(values, list) and values != [] and all(map(rule, values))


def one_of(*words: str) -> Rule:
    return lambda value: value in words


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule]) -> Rule:
    """Make the rule for a resource: what it must have, what it may have, and nothing else."""
    known = {**required, **optional}

    def holds(found: Any) -> bool:
        return (
            isinstance(found, dict)
            and required.keys() <= found.keys() <= known.keys()
            and all(known[name](value) for name, value in found.items())
        )

    return holds


# The way on is ours: the standard has none for these two (cti-taxii2 #110).
CUSTOM = {"next": text}
DETAILS = some(shape({"id": text, "version": text}, {"message": text}))
RECORD = shape({"id": text, "date_added": timestamp, "version": text}, {"media_type": one_of(STIX)})
COLLECTION = shape(
    {"id": identifier, "title": text, "can_read": boolean, "can_write": boolean},
    {"description": text, "alias": text, "media_types": some(text)},
)
SHAPES: dict[str, Rule] = {
    "discovery": shape({"title": text}, {"description": text, "contact": text, "default": text, "api_roots": some(text)}),
    "api-root": shape({"title": text, "versions": some(one_of(TAXII)), "max_content_length": number}, {"description": text}),
    "collections": shape({}, {"collections": some(COLLECTION)}),
    "collection": COLLECTION,
    "manifest": shape({}, {"more": boolean, "objects": some(RECORD), **CUSTOM}),
    "objects": shape({}, {"more": boolean, "next": text, "objects": some(lambda one: text(one["type"]) and text(one["id"]))}),
    "versions": shape({}, {"more": boolean, "versions": some(text), **CUSTOM}),
    "status": shape(
        {
            "id": identifier,
            "status": one_of("complete", "pending"),
            "total_count": number,
            "success_count": number,
            "failure_count": number,
            "pending_count": number,
        },
        {"request_timestamp": timestamp, "successes": DETAILS, "failures": DETAILS, "pendings": DETAILS},
    ),
    "error": shape(
        {"title": text},
        dict.fromkeys(("description", "error_id", "error_code", "http_status", "external_details"), text)
        | {"details": lambda value: isinstance(value, dict)},
    ),
}
ADDRESSES: dict[str, tuple[str, str]] = {
    "discovery": ("discovery", "/taxii2/"),
    "api-root": ("api-root", f"{ROOT}/"),
    "the other api-root": ("api-root", "/public/"),
    "collections": ("collections", f"{ROOT}/collections/"),
    "collection": ("collection", f"{INDICATORS}/"),
    "manifest": ("manifest", f"{INDICATORS}/manifest/"),
    "manifest of which there is more": ("manifest", f"{INDICATORS}/manifest/?limit=1"),
    "manifest without lines": ("manifest", f"{INDICATORS}/manifest/?match[type]=malware"),
    "objects": ("objects", OBJECTS),
    "objects of which there are more": ("objects", f"{OBJECTS}?limit=1"),
    "objects of which there are none": ("objects", f"{OBJECTS}?match[type]=malware"),
    "objects of one id": ("objects", f"{OBJECTS}{ONE}/"),
    "versions": ("versions", f"{OBJECTS}{ONE}/versions/"),
    "versions of which there are more": ("versions", f"{OBJECTS}{ONE}/versions/?limit=1"),
    "versions of which there are none": ("versions", f"{OBJECTS}{ONE}/versions/?match[spec_version]=2.0"),
    "error 400": ("error", f"{OBJECTS}?limit=0"),
    "error 404": ("error", "/nowhere/"),
    "error 406": ("error", "/taxii2/"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(standing: RunningHost) -> tuple[RunningHost, Reply]:
    """A host that holds something of everything, and the status of the post that put it there."""
    one = indicator(id=ONE, name="Ћ\U0001f600")
    sent = [one, one | {"modified": "2026-11-02T10:00:00.1Z"}, ADDRESS, sdo("tool", name="t"), indicator(pattern_type=7), 7]
    return standing, await ask(standing, "POST", OBJECTS, body=envelope(*sent))


async def reply_to(standing: RunningHost, name: str) -> Reply:
    headers = {"Accept": "text/html"} if name == "error 406" else {}
    return await ask(standing, "GET", ADDRESSES[name][1], headers=headers)


@pytest.mark.clause(
    "2-m1", "2-m3", "2-m4", "2-m5", "2-m6", "2-m7", "2-m8", "2-m9", "2-m10", "2-m11", "3.8-m1", "3.8-m2", "4.2.1-m1", "4.2.1-m2",
    "4.2.1-m3", "4.2.1-m4", "7.1.1-y1", "7.1.1-s1", "7.1.1-m5", "7.1.1-s2", "8.1.2-m2", "8.2.1-m4", "8.2.1-m5",
)  # fmt: skip
@pytest.mark.parametrize("name", ADDRESSES)
async def test_resource_is_what_its_table_says_when_it_is_answered(told: tuple[RunningHost, Reply], name: str) -> None:
    """All that is required, nothing that is unknown, every value of its type, no list empty."""
    found = (await reply_to(told[0], name)).json
    assert SHAPES[ADDRESSES[name][0]](found), found


@pytest.mark.clause("3.8-m2", "4.3.1-m1", "4.3.1-m2", "4.3.1-m3", "4.3.1-m4", "4.3.1-m5", "4.3.1-y1", "4.3.1-y4", "8.2.1-m5")
async def test_status_is_what_its_table_says_when_some_of_it_failed(told: tuple[RunningHost, Reply]) -> None:
    """In the answer to the post; the lists are as long as their counts, and what has no id is named all the same."""
    status = told[1].json
    assert SHAPES["status"](status), status
    assert (status["total_count"], status["success_count"], status["failure_count"], status["pending_count"]) == (6, 4, 2, 0)
    assert (len(status["successes"]), len(status["failures"]), status["status"]) == (4, 2, "complete")
    assert status["failures"][1]["id"] == "unknown"


@pytest.mark.clause("2-m6", "4.3.1-m2", "4.3.1-m3")
async def test_status_is_what_its_table_says_when_nothing_was_posted(standing: RunningHost) -> None:
    """Counts of zero and no lists."""
    status = (await ask(standing, "POST", OBJECTS, body=b"{}")).json
    assert SHAPES["status"](status), status
    assert not {"successes", "failures", "pendings"} & status.keys()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("discovery", {"title": None}),
        ("discovery", {"api_roots": []}),
        ("discovery", {"Default": "/public/"}),
        ("api-root", {"versions": ["application/taxii+json"]}),
        ("api-root", {"max_content_length": "65536"}),
        ("api-root", {"max_content_length": 2**53}),
        ("collection", {"can_read": "true"}),
        ("collection", {"can_write": 1}),
        ("collection", {"id": "regional-indicators"}),
        ("collection", {"id": str(uuid.uuid1())}),
        ("manifest", {"objects": []}),
        ("manifest", {"objects": [{"id": ONE, "date_added": "2026-11-01T10:00:00Z", "version": "x"}]}),
        ("manifest", {"objects": [{"id": ONE, "date_added": "2026-11-01T10:00:00.000000+00:00", "version": "x"}]}),
        ("objects", {"more": 0}),
        ("versions", {"versions": [1]}),
    ],
)
async def test_shape_says_no_when_a_resource_is_wrong(told: tuple[RunningHost, Reply], kind: str, change: dict[str, Any]) -> None:
    """The rules above find what a broken host would answer."""
    found = copy.deepcopy((await reply_to(told[0], kind)).json)
    assert SHAPES[kind](found)
    changed = {name: value for name, value in (found | change).items() if value is not None}
    assert not SHAPES[kind](changed)


@pytest.mark.clause("2-m2", "5.2.1-t1")
async def test_identifier_is_random_when_the_host_makes_one(standing: RunningHost) -> None:
    """Version 4 of RFC 4122's variant, another one each time; those of collections are each their own."""
    found = {(await ask(standing, "POST", OBJECTS, body=b"{}")).json["id"] for _ in range(50)}
    for root in (ROOT, "/public"):
        found |= {one["id"] for one in (await ask(standing, "GET", f"{root}/collections/")).json["collections"]}
    assert len(found) == 50 + 6 + 1
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in found} == {(4, uuid.RFC_4122)}


@pytest.mark.clause("7.1.1-m1", "7.1.1-m2", "7.1.1-m3", "7.1.1-m4", "7.1.1-y1")
async def test_custom_name_is_one_that_is_allowed() -> None:
    """Lower case, digits and underscores, 3 to 250 of them."""
    assert all(re.fullmatch(r"[a-z0-9_]{3,250}", name) for name in CUSTOM)


@pytest.mark.clause("1.6.7-t1", "2-t1")
async def test_answer_is_json_in_utf_8_when_its_content_is_not_ascii(told: tuple[RunningHost, Reply]) -> None:
    """No byte order mark, no escapes where none were sent, and the bytes are those that came."""
    body = (await ask(told[0], "GET", f"{OBJECTS}{ONE}/?match[version]=first")).body
    assert "Ћ\U0001f600".encode() in body
    assert orjson.loads(body.decode("utf-8", "strict"))["objects"][0]["name"] == "Ћ\U0001f600"


@pytest.mark.clause("4.2.1-m4")
async def test_largest_body_is_named_as_the_operator_set_it(standing: RunningHost) -> None:
    """In every root."""
    for root in (ROOT, "/public"):
        assert (await ask(standing, "GET", f"{root}/")).json["max_content_length"] == MOST_BYTES


@pytest.mark.clause("4.1.1-m2", "4.1.1-m3", "4.1.1-m4", "4.1.1-m5", "8.2.1-m3")
async def test_root_is_a_plain_relative_address_when_discovery_names_it(standing: RunningHost) -> None:
    """One slash, one segment, one slash: no other server, no climbing, no query, no dot (MISP, XSOAR)."""
    roots = (await ask(standing, "GET", "/taxii2/")).json["api_roots"]
    assert roots
    assert all(re.fullmatch(r"/[a-z0-9][a-z0-9-]*/", root) for root in roots)


@pytest.mark.clause("4.1.1-y2")
async def test_discovery_is_the_same_when_another_team_asks(standing: RunningHost) -> None:
    """A root carries no secret."""
    asked = [(await ask(standing, "GET", "/taxii2/", team=team)).body for team in ("alcirt", "srb-cert", "sample-bank")]
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.clause("2-m6", "3.7-t2", "5.3.1-m1", "5.4-m3", "5.6-m4", "5.8.1-m1")
@pytest.mark.parametrize("path", [OBJECTS, f"{INDICATORS}/manifest/", f"{OBJECTS}{ONE}/", f"{OBJECTS}{ONE}/versions/"])
@pytest.mark.parametrize("query", ["added_after=2100-01-01T00:00:00Z", "match[spec_version]=2.0"])
async def test_list_is_left_out_when_nothing_matches(told: tuple[RunningHost, Reply], path: str, query: str) -> None:
    """The answer is an empty object, with 200: neither an empty list nor an error."""
    reply = await ask(told[0], "GET", f"{path}?{query}")
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"{}", TAXII)


@pytest.mark.clause("4.1.1-y1", "4.1.1-m1")
async def test_default_is_the_first_root_when_discovery_names_them(standing: RunningHost) -> None:
    """The region's own, letter for letter as it stands among the others, so that a client can begin there."""
    found = (await ask(standing, "GET", "/taxii2/")).json
    assert found["default"] == found["api_roots"][0] == f"{ROOT}/"
    assert (await ask(standing, "GET", found["default"])).status == 200
