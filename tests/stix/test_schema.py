"""The schemas against the `stix2` library: real objects, examples of every type, and thousands of broken ones.

Where the two disagree, a table says so and why; nothing else may.
"""

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix.schema import SchemaSet
from regcert.stix.timestamps import read_timestamp
from tests.stix.examples import CREATED, EXTENSION, LATER, MINIMAL, RICH, Json, an_id

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {file.stem: json.loads(file.read_text()) for file in (ROOT / "schemas/stix-2.1").glob("*.json")}
REAL = ROOT / "../shared/data/stix21"
SET = SchemaSet(SCHEMAS)
OURS = "publication-manifest"  # an extension's type, which is signed and thus closed: tests/signing/test_schemas.py
KINDS = sorted(MINIMAL)
TLP_CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
TLP_1_IDS = {
    "white": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "red": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
TLP_1: Json = {"definition_type": "tlp", "created": "2017-01-20T00:00:00.000Z"}
MARK = "SECRET"  # stands in every wrong text, and must stand in no refusal


def refusal_of(obj: Json) -> str | None:
    """Return the sentence of the refusal, or None where the object is accepted."""
    try:
        SET.require_valid(obj)
    except Refusal as refusal:
        code, sentence = refusal.code, refusal.message
    else:
        return None
    assert code is Code.INVALID_STIX
    assert MARK not in sentence
    assert all(" " <= char <= "~" for char in sentence)
    return sentence


def stix2_accepts(obj: Json) -> bool:
    """Ask the oracle, with a copy: it changes what it is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            stix2.parse(json.loads(json.dumps(obj)), allow_custom=True)
        except Exception:  # noqa: BLE001 - it refuses with AttributeError and TypeError too
            return False
    return True


def changed(obj: Json, path: tuple[Any, ...], value: Any) -> Json:
    """Return a copy in which the value at the path is another."""
    copy = deepcopy(obj)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


def with_changes(kind: str, changes: Json, base: dict[str, Json] = MINIMAL) -> Json:
    """Return an example with other properties; None takes one away."""
    merged = {**deepcopy(base[kind]), **changes}
    return {name: value for name, value in merged.items() if value is not None}


# --- what is accepted


def test_examples_exist_for_every_schema() -> None:
    """Each object type of the standard has a schema, and each schema examples."""
    assert set(MINIMAL) == set(RICH) == set(SCHEMAS) - {"common", "custom", OURS}
    assert len(MINIMAL) == 19 + 2 + 18 + 3


@pytest.mark.parametrize("kind", KINDS)
def test_valid_object_is_accepted_when_minimal_or_rich(kind: str) -> None:
    """What the standard allows is accepted, by us and by the oracle."""
    for example in (MINIMAL[kind], RICH[kind]):
        assert refusal_of(example) is None
        assert stix2_accepts(example)


def test_real_objects_are_judged_as_the_oracle_does() -> None:
    """Every published object we hold is accepted; so says the oracle, asked about a sample of the common types."""
    if not REAL.is_dir():
        pytest.skip("no real data beside the repository")
    seen: Counter[str] = Counter()
    for file in sorted(REAL.rglob("*.json")):
        for obj in json.loads(file.read_text())["objects"]:
            kind = obj["type"]
            seen[kind] += 1
            assert refusal_of(obj) is None, obj["id"]
            if seen[kind] <= 150 or seen[kind] % 20 == 0:
                assert stix2_accepts(obj), obj["id"]
    assert seen.total() > 10_000
    assert len(seen) > 25


@pytest.mark.parametrize("kind", ["x-acme-thing", "publication-manifesto", "cryptocurrency-wallet"])
def test_custom_object_is_accepted_when_it_has_type_and_id(kind: str) -> None:
    """Types that the standard does not define are kept without interpretation."""
    assert refusal_of({"type": kind, "id": an_id(kind), "anything": [None, {}, 1.5]}) is None


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("grouping", {"object_refs": [an_id("url"), an_id("relationship"), an_id("x-thing"), an_id("language-content")]}),
        ("observed-data", {"object_refs": [an_id("url"), an_id("relationship"), an_id("x-thing")]}),
        ("sighting", {"sighting_of_ref": an_id("x-thing")}),
        ("sighting", {"sighting_of_ref": an_id("malware")}),
        ("relationship", {"source_ref": an_id("x-thing"), "target_ref": an_id("url")}),
        ("file", {"contains_refs": [an_id("x-thing")]}),
        ("email-message", {"is_multipart": False, "body": "Hello"}),
        ("email-message", {"additional_header_fields": {"X-Mailer": "as MISP writes it", "Reply-To": ["a", "b"]}}),
        ("malware", {"is_family": True, "name": "Wiper"}),
        ("location", {"country": None, "region": "europe"}),
        ("location", {"country": None, "latitude": -90, "longitude": 180}),
        ("artifact", {"payload_bin": None, "url": "http://bad.example/a", "hashes": {"MD5": "0" * 32}}),
        ("network-traffic", {"start": CREATED, "end": CREATED, "is_active": False}),
        ("campaign", {"first_seen": CREATED, "last_seen": CREATED}),
        ("indicator", {"extensions": {"acme-ext": {"a": 1}}}),
        (
            "indicator",
            {"granular_markings": [{"lang": "en", "selectors": ["pattern", "id", "labels.[0]"]}], "labels": ["a"]},
        ),
        *(
            ("marking-definition", {"id": marking_id, **TLP_1, "definition": {"tlp": color}})
            for color, marking_id in TLP_1_IDS.items()
        ),
    ],
)
def test_object_is_accepted_when_it_uses_what_the_standard_leaves_open(kind: str, changes: Json) -> None:
    """The other branch of every choice is open too."""
    assert refusal_of(with_changes(kind, changes)) is None
    assert stix2_accepts(with_changes(kind, changes))


@pytest.mark.parametrize("version", "1345678")
def test_id_is_accepted_when_its_uuid_is_of_any_version(version: str) -> None:
    """Producers make ids in every way that RFC 4122 and its successor know."""
    ident = f"url--00abedb4-aa42-{version}66c-9c01-fed23315a9b7"
    assert refusal_of(with_changes("url", {"id": ident})) is None


def test_schemas_are_schemas_and_forbid_no_unknown_property() -> None:
    """Custom properties survive everywhere: no schema closes an object, but for the one that is ours."""
    for stem, schema in SCHEMAS.items():
        jsonschema_rs.meta.validate(schema)
        if stem == OURS:
            continue
        assert '"additionalProperties": false' not in json.dumps(schema)
        assert "unevaluatedProperties" not in json.dumps(schema)


# --- what is refused: a property is missing

STIX2_DOES_NOT_MISS = {
    **dict.fromkeys(("id", "created", "modified", "spec_version", "valid_from"), "stix2 makes one up"),
    **dict.fromkeys(("key", "user_id"), "stix2 does not ask for at least one property of its own"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_object_is_refused_when_a_required_property_is_missing(kind: str) -> None:
    """Without any one of its minimal properties an object is refused."""
    for name in MINIMAL[kind]:
        broken = with_changes(kind, {name: None})
        assert refusal_of(broken), name
        if name not in STIX2_DOES_NOT_MISS:
            assert not stix2_accepts(broken), name


# --- what is refused: a value is of the wrong shape

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT.*Z")
IDENTIFIER = re.compile(r"[a-z0-9-]+--[0-9a-f-]{36}")
WRONG_TEXT = [
    ("number for text", 5),
    ("null", None),
    ("object for text", {MARK: MARK}),
]
WRONG_TIMESTAMP = [
    ("word for time", MARK),
    ("day that is not", "2026-02-30T00:00:00Z"),
    ("offset", "2026-11-21T19:55:39+01:00"),
    ("blank", "2026-11-21 19:55:39Z"),
]
WRONG_ID = [
    ("word for id", MARK),
    ("no uuid", f"url--{MARK}"),
    ("foreign uuid", "url--00abedb4-aa42-466c-1c01-fed23315a9b7"),
    ("bundle", an_id("bundle")),
]
# What stix2 lets pass because it converts, drops, or does not look.
STIX2_IS_LENIENT = {
    "number for text": "str() makes text of anything",
    "object for text": "str() makes text of anything",
    "null": "a property that is null is dropped",
    "fraction": "int() cuts it off",
    "digits for number": "int() reads them",
    "empty list": "an optional property that is an empty list is dropped",
    "text for list": "it is taken as a list of one",
    "object for list": "its keys are taken as the list",
    "empty object": "not every dictionary is checked for being empty",
}
STIX2_DOES_NOT_KNOW = {
    ("extension-definition", "confidence"): "not in its table of properties, so taken as custom",
    ("language-content", "contents"): "the translations are not looked at",
    **dict.fromkeys(
        [
            *((kind, "object_refs") for kind in ("grouping", "note", "observed-data", "opinion", "report")),
            ("malware-analysis", "analysis_sco_refs"),
            ("malware-analysis", "sample_ref"),
            ("sighting", "sighting_of_ref"),
            ("language-content", "object_ref"),
            ("file", "contains_refs"),
        ],
        "with custom objects allowed, a reference to what it does not know passes",
    ),
}
# What the standard leaves open, and so do we.
OPEN = {
    EXTENSION, "x_regcert_note", "document_info_dict", "exif_tags", "ipfix", "environment_variables", "startup_info",
    "additional_header_fields", "request_header", "sq",
}  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Walk every value of an object, but for what stands inside of open dictionaries."""
    if path:
        yield path, value
    if path and path[-1] in OPEN:
        return
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


def wrong_values(value: Any) -> list[tuple[str, Any]]:
    """Name what is surely wrong in the place of a right value."""
    match value:
        case bool():
            return [("word for flag", MARK), ("number for flag", 7)]
        case int():
            return [("word for number", MARK), ("digits for number", str(value)), ("fraction", value + 0.5)]
        case float():
            return [("word for number", MARK)]
        case list():
            return [("empty list", []), ("text for list", MARK), ("object for list", {MARK: 1})]
        case dict():
            return [("empty object", {}), ("text for object", MARK), ("list for object", [1])]
        case str() if TIMESTAMP.fullmatch(value):
            return WRONG_TEXT + WRONG_TIMESTAMP
        case str() if IDENTIFIER.fullmatch(value):
            return WRONG_TEXT + WRONG_ID
        case _:
            return WRONG_TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_object_is_refused_when_any_value_is_of_the_wrong_shape(kind: str) -> None:
    """Each value of the rich example, replaced by each wrong one, is refused, and the sentence names the place."""
    tried = 0
    for path, value in places(RICH[kind]):
        if path[0] == "x_regcert_note":
            continue
        for name, wrong in wrong_values(value):
            tried += 1
            broken = changed(RICH[kind], path, wrong)
            sentence = refusal_of(broken)
            assert sentence, (path, name)
            assert path == ("type",) or sentence.startswith((f"{kind}.{path[0]}", f"{kind}: ")), sentence
            assert "is not as STIX" not in sentence, (path, name)
            if name not in STIX2_IS_LENIENT and (kind, path[0]) not in STIX2_DOES_NOT_KNOW:
                assert not stix2_accepts(broken), (path, name)
    assert tried > 40


CLOSED_LISTS = [
    ("opinion", ("opinion",)),
    ("artifact", ("encryption_algorithm",)),
    ("extension-definition", ("extension_types", 0)),
    ("windows-registry-key", ("values", 0, "data_type")),
    ("network-traffic", ("extensions", "socket-ext", "address_family")),
    ("network-traffic", ("extensions", "socket-ext", "socket_type")),
    ("process", ("extensions", "windows-process-ext", "integrity_level")),
    ("process", ("extensions", "windows-service-ext", "start_type")),
    ("process", ("extensions", "windows-service-ext", "service_type")),
    ("process", ("extensions", "windows-service-ext", "service_status")),
]


@pytest.mark.parametrize(("kind", "path"), CLOSED_LISTS)
def test_object_is_refused_when_a_word_is_not_of_a_closed_list(kind: str, path: tuple[Any, ...]) -> None:
    """Closed vocabularies are closed."""
    broken = changed(RICH[kind], path, MARK)
    assert "must be one of " in (refusal_of(broken) or "")
    assert not stix2_accepts(broken)


COUNT = re.compile(r"size|size_of_.*|number_of_(sections|symbols)|.*_(count|packets|port)|count|socket_descriptor|precision")


@pytest.mark.parametrize("kind", KINDS)
def test_object_is_refused_when_a_count_is_negative(kind: str) -> None:
    """Sizes, ports and counts begin at nought."""
    for path, _ in places(RICH[kind]):
        if COUNT.fullmatch(str(path[-1])):
            broken = changed(RICH[kind], path, -1)
            assert refusal_of(broken), path
            assert "alternate_data_streams" in path or not stix2_accepts(broken), path  # of these stix2 does not ask it


# --- what is refused: properties that do not go together

TOGETHER: list[tuple[str, Json]] = [
    ("observed-data", {"objects": {"0": {"type": "url", "value": "http://bad.example/"}}}),
    ("observed-data", {"object_refs": None}),
    ("observed-data", {"object_refs": None, "objects": {}}),
    ("observed-data", {"object_refs": None, "objects": MARK}),
    ("observed-data", {"object_refs": None, "objects": {"0": MARK}}),
    ("observed-data", {"object_refs": None, "objects": {"0": {"value": "http://bad.example/"}}}),
    ("observed-data", {"number_observed": 0}),
    ("observed-data", {"number_observed": 1_000_000_000}),
    ("observed-data", {"last_observed": "2026-11-21T19:55:39.122Z"}),
    ("sighting", {"count": -1}),
    ("sighting", {"count": 1_000_000_000}),
    ("sighting", {"where_sighted_refs": [an_id("malware")]}),
    ("sighting", {"observed_data_refs": [an_id("indicator")]}),
    ("sighting", {"sighting_of_ref": an_id("url")}),
    ("sighting", {"sighting_of_ref": an_id("relationship")}),
    ("sighting", {"first_seen": LATER, "last_seen": CREATED}),
    ("relationship", {"source_ref": an_id("sighting")}),
    ("relationship", {"target_ref": an_id("marking-definition")}),
    ("relationship", {"start_time": CREATED, "stop_time": CREATED}),
    ("indicator", {"created_by_ref": an_id("threat-actor")}),
    ("indicator", {"object_marking_refs": [an_id("identity")]}),
    ("indicator", {"id": an_id("url")}),
    ("indicator", {"spec_version": "2.0"}),
    ("indicator", {"valid_until": CREATED}),
    ("indicator", {"valid_from": f"2026-11-21T19:55:39.{'0' * 64}Z"}),
    ("indicator", {"pattern": ""}),
    ("indicator", {"valid_from": "0000-01-01T00:00:00Z"}),
    ("indicator", {"external_references": [{"source_name": "cve"}]}),
    ("indicator", {"kill_chain_phases": [{"phase_name": "impact"}]}),
    ("indicator", {"granular_markings": [{"selectors": ["type"]}]}),
    ("indicator", {"granular_markings": [{"selectors": ["type", "a b"], "lang": "en"}]}),
    ("indicator", {"granular_markings": [{"lang": "en"}]}),
    ("indicator", {"external_references": [{"url": "https://cert.example/"}]}),
    ("indicator", {"extensions": {"extension-definition--1": {"extension_type": "new-sdo"}}}),
    ("indicator", {"granular_markings": [{"selectors": ["type"], "lang": "en", "marking_ref": TLP_CLEAR}]}),
    ("malware", {"is_family": True}),
    ("malware", {"sample_refs": [an_id("url")]}),
    ("malware-analysis", {"result": None}),
    ("location", {"country": None}),
    ("location", {"country": None, "city": "Bar"}),
    ("location", {"latitude": 42.1}),
    ("location", {"longitude": 19.1}),
    ("location", {"precision": 10}),
    ("location", {"latitude": 90.1, "longitude": 0}),
    ("location", {"latitude": 0, "longitude": -180.1}),
    ("location", {"latitude": -90.1, "longitude": 0}),
    ("location", {"latitude": 0, "longitude": 180.1}),
    ("artifact", {"payload_bin": None}),
    ("artifact", {"url": "http://bad.example/a", "hashes": {"MD5": "0" * 32}}),
    ("artifact", {"payload_bin": None, "url": "http://bad.example/a"}),
    ("artifact", {"payload_bin": "VGh"}),
    ("email-message", {"body": "Hello"}),
    ("email-message", {"is_multipart": False, "body_multipart": [{"body": "Hello"}]}),
    ("email-message", {"body_multipart": [{"content_type": "text/plain"}]}),
    ("file", {"hashes": None, "size": 1}),
    ("file", {"size": -1}),
    ("file", {"magic_number_hex": "4d5"}),
    ("file", {"extensions": {"archive-ext": {"comment": "c"}}}),
    *(("file", {"hashes": {name: "0" * 31}}) for name in ("MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512")),
    ("file", {"hashes": {"MD5": "g" * 32}}),
    ("file", {"hashes": {"MD 5": "0" * 32}}),
    ("network-traffic", {"src_ref": None}),
    ("network-traffic", {"src_port": 65_536}),
    ("network-traffic", {"dst_port": 65_536}),
    ("network-traffic", {"extensions": {"socket-ext": {"address_family": "AF_INET", "options": {"KEEPALIVE": 1}}}}),
    ("network-traffic", {"end": LATER}),
    ("network-traffic", {"end": LATER, "is_active": True}),
    ("network-traffic", {"start": LATER, "end": CREATED, "is_active": False}),
    ("process", {"pid": None, "x_pid": 1}),
    ("process", {"environment_variables": {"ProgramFiles(x86)": "C:"}}),
    ("x509-certificate", {"serial_number": None, "defanged": True}),
    ("marking-definition", {"definition": None, "definition_type": None}),
    ("marking-definition", {"definition_type": "tlp", "definition": {"tlp": "white"}}),
    ("marking-definition", {"definition_type": "tlp", "definition": {"tlp": "clear"}, "id": TLP_1_IDS["white"]}),
    ("marking-definition", {"definition_type": "tlp", "definition": {"colour": "white"}, "id": TLP_1_IDS["white"]}),
    ("marking-definition", {"definition": {"tlp": "white"}}),
    ("marking-definition", {"definition": {}}),
    ("marking-definition", {"definition": MARK}),
    ("marking-definition", {"definition_type": 5}),
    *(
        ("marking-definition", {**TLP_1, "definition": {"tlp": color}, "id": marking_id})
        for color, marking_id in zip(TLP_1_IDS, reversed(TLP_1_IDS.values()), strict=True)
    ),
    *(
        (kind, {"first_seen": LATER, "last_seen": CREATED})
        for kind in ("campaign", "infrastructure", "intrusion-set", "malware", "threat-actor")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes"), TOGETHER)
def test_object_is_refused_when_a_rule_between_properties_is_broken(kind: str, changes: Json) -> None:
    """Both we and the oracle refuse it, and we say it in words."""
    broken = with_changes(kind, changes)
    assert "is not" not in (refusal_of(broken) or "is not refused").replace("that is not", "")
    assert not stix2_accepts(broken)


# --- where we and the oracle disagree

WE_ARE_STRICTER: list[tuple[str, Json, str]] = [
    ("indicator", {"modified": "2026-11-21T19:55:39.122Z"}, "§3.2: modified is not earlier than created"),
    ("indicator", {"confidence": 101}, "§3.2: confidence is 0 to 100"),
    ("indicator", {"confidence": -1}, "§3.2: confidence is 0 to 100"),
    ("indicator", {"id": an_id("indicator").upper().replace("INDICATOR", "indicator")}, "§2.9: ids are compared as text"),
    ("indicator", {"pattern_type": ""}, "an empty word names no pattern language"),
    ("indicator", {"extensions": {EXTENSION: {"sector": "energy"}}}, "§3.2: who uses the facility names its extension_type"),
    ("indicator", {"extensions": {EXTENSION: {"extension_type": MARK}}}, "§10: extension-type-enum is closed"),
    ("indicator", {"lang": ""}, "§3.2: a language code"),
    ("indicator", {"extensions": {"acme ext": {}}}, "§2.3: keys of a dictionary"),
    ("relationship", {"relationship_type": "Indicates"}, "§5.1: lower case letters, digits and hyphens"),
    ("mac-addr", {"value": "D2-FB-49-24-37-18"}, "§6.10: lower case, with colons"),
    ("marking-definition", {"definition": {"statement": 5}}, "§7.2.1.3: a statement is text"),
    ("ipv4-addr", {"value": ""}, "§6.8: an address or a network"),
    ("ipv6-addr", {"value": ""}, "§6.9: an address or a network"),
    ("domain-name", {"value": ""}, "§6.4: a domain name"),
    ("email-addr", {"value": ""}, "§6.5: an address"),
    ("url", {"value": ""}, "§6.15: a URL"),
    ("file", {"hashes": {"SSDEEP-2": ""}}, "an empty hash"),
    ("email-message", {"additional_header_fields": {"X-Mailer": []}}, "§2.12: lists are not empty"),
    ("email-message", {"additional_header_fields": {"X-Mailer": [1]}}, "§6.6: header values are strings"),
    ("email-message", {"additional_header_fields": {"X-Mailer": 1}}, "§6.6: header values are strings"),
    ("extension-definition", {"schema": ""}, "§7.3: where the schema is"),
    ("extension-definition", {"version": ""}, "§7.3: a version"),
    ("language-content", {"contents": {"sr_Latn": {"name": "Era"}}}, "§7.1: language codes have hyphens"),
    ("user-account", {"user_id": None}, "§6.16: at least one property"),
    ("windows-registry-key", {"key": None}, "§6.17: at least one property"),
    ("windows-registry-key", {"values": [{}]}, "§6.17.2: at least one property"),
]
WE_ARE_LOOSER: list[tuple[str, Json, str]] = [
    ("indicator", {"valid_from": "2026-11-21T19:55:39.1234567Z"}, "§2.16 sets no bound to decimals; strptime stops at six"),
    ("indicator", {"valid_from": "2016-12-31T23:59:60Z"}, "RFC 3339 has leap seconds"),
    ("indicator", {"granular_markings": [{"lang": "en", "selectors": ["name"]}]}, "what selectors find is not judged here"),
    ("indicator", {"pattern": "[not a pattern"}, "patterns have their own reader"),
    ("indicator", {"external_references": [{"source_name": "a", "url": "b", "hashes": {"x": "1"}}]}, "hash names are open"),
    ("indicator", {"X_Own": 1}, "names of properties that we do not know are none of our business"),
    ("file", {"hashes": {"TLSH": "T1" + "0" * 70}}, "TLSH has had a version prefix since 2021"),
    ("observed-data", {"object_refs": None, "objects": {"0": {"type": "url"}}}, "what is deprecated is not interpreted"),
    ("marking-definition", {"definition_type": "x-own", "definition": {"own": 1}}, "§7.2.1: SHOULD NOT is not MUST NOT"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes", "reason"), WE_ARE_STRICTER)
def test_object_is_refused_when_only_the_standard_says_so(kind: str, changes: Json, reason: str) -> None:
    """The standard asks for more than the oracle looks at."""
    broken = with_changes(kind, changes)
    assert refusal_of(broken), reason
    assert stix2_accepts(broken), "the oracle has learned: move this to TOGETHER"


@pytest.mark.parametrize(("kind", "changes", "reason"), WE_ARE_LOOSER)
def test_object_is_accepted_when_only_the_oracle_refuses(kind: str, changes: Json, reason: str) -> None:
    """What the standard allows, or what another room judges, passes."""
    unusual = with_changes(kind, changes)
    assert refusal_of(unusual) is None, reason
    assert not stix2_accepts(unusual), "the oracle has learned: drop this line"


# --- custom objects


@pytest.mark.parametrize(
    "changes",
    [
        {"type": None},
        {"id": None},
        {"id": an_id("x-other")},
        {"id": f"x-thing--{MARK}"},
        {"type": "bundle", "id": an_id("bundle")},
        {"type": "X-Thing"},
        {"type": "x"},
        {"type": ["x-thing"]},
        {"type": 1},
        {"type": "x-\n"},
        {"spec_version": "2.0"},
        {"created": LATER, "modified": CREATED},
        {"created": "today"},
        {"confidence": 101},
        {"labels": []},
        {"lang": ""},
        {"revoked": "yes"},
        {"modified": "now"},
        {"external_references": [{}]},
        {"granular_markings": [{}]},
        {"extensions": {}},
        {"created_by_ref": an_id("malware")},
        {"object_marking_refs": []},
    ],
)
def test_custom_object_is_refused_when_a_shared_property_is_wrong(changes: Json) -> None:
    """What every STIX object shares is judged in custom ones too."""
    merged = {"type": "x-thing", "id": an_id("x-thing"), **changes}
    assert refusal_of({name: value for name, value in merged.items() if value is not None})


# --- time


@given(
    st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32), st.integers(0, 25), st.integers(0, 61), st.integers(0, 59)
)  # fmt: skip
def test_timestamp_is_accepted_exactly_when_the_moment_exists(
    y: int, m: int, d: int, hour: int, minute: int, second: int
) -> None:
    """No date that is not in the calendar passes, and none that is fails."""
    text = f"{y:04}-{m:02}-{d:02}T{hour:02}:{minute:02}:{second:02}Z"
    try:
        datetime(y, m, d, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        exists = False
    else:
        exists = True
    assert (refusal_of(with_changes("report", {"published": text})) is None) is exists


@given(st.integers(1, 9999))
def test_leap_day_is_accepted_exactly_in_leap_years(year: int) -> None:
    """The 29th of February exists every fourth year, but for three centuries in four."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    assert (refusal_of(with_changes("report", {"published": f"{year:04}-02-29T00:00:00Z"})) is None) is leap


SOME_TIMES = st.builds(
    "2026-11-{:02}T00:00:{:02}{}Z".format,
    st.integers(1, 3),
    st.integers(0, 2),
    st.sampled_from(["", ".0", ".000", ".1", ".10", ".01", ".9", ".099999", ".1000001", ".000000"]),
)


@given(SOME_TIMES, SOME_TIMES)
def test_order_of_times_agrees_with_their_parsed_values(first: str, last: str) -> None:
    """Times compared as text come out as times compared as numbers, where the numbers can tell them apart."""
    begin, end = read_timestamp(first), read_timestamp(last)
    seen = refusal_of(with_changes("campaign", {"first_seen": first, "last_seen": last}))
    valid = refusal_of(with_changes("indicator", {"valid_from": first, "valid_until": last}))
    if begin != end:
        assert (seen is None) is (valid is None) is (begin < end)
    elif ".1000001" not in first + last:
        assert seen is None
        assert valid == "indicator.valid_until: must be later than 'valid_from'"


# --- what the refusal says


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("indicator", {"valid_from": None}, "indicator: 'valid_from' is missing"),
        ("indicator", {"confidence": 101}, "indicator.confidence: must be a whole number from 0 to 100"),
        ("indicator", {"labels": []}, "indicator.labels: must not be empty"),
        ("indicator", {"labels": [1]}, "indicator.labels[0]: must be text"),
        ("indicator", {"revoked": "yes"}, "indicator.revoked: must be true or false"),
        ("indicator", {"spec_version": "2.0"}, "indicator.spec_version: must be 2.1"),
        ("indicator", {"id": an_id("url")}, "indicator.id: must be indicator-- and a UUID in lower case"),
        (
            "indicator",
            {"valid_from": "2026-02-30T00:00:00Z"},
            "indicator.valid_from: must be a date and time that exists, in UTC, such as 2026-11-21T19:55:39.123Z",
        ),
        (
            "indicator",
            {"external_references": [{"source_name": "cve"}]},
            "indicator.external_references[0]: must have a 'description', a 'url' or an 'external_id'",
        ),
        ("indicator", {"modified": "2026-01-01T00:00:00Z"}, "indicator.modified: must not be earlier than 'created'"),
        (
            "opinion",
            {"opinion": "yes"},
            "opinion.opinion: must be one of strongly-disagree, disagree, neutral, agree, strongly-agree",
        ),
        ("file", {"size": -1}, "file.size: must be 0 or more"),
        ("file", {"hashes": {"MD5": "1"}}, "file.hashes.MD5: must be 32 hexadecimal digits"),
        (
            "file",
            {"hashes": {MARK + "!": "1"}},
            "file.hashes: has a key that is not 1 to 250 letters, digits, hyphens and underscores",
        ),
        ("file", {"hashes": {"SSDEEP": 1}}, "file.hashes.SSDEEP: must be text"),
        ("network-traffic", {"src_ref": None}, "network-traffic: must have a 'src_ref' or a 'dst_ref'"),
        (
            "network-traffic",
            {"src_ref": an_id("file")},
            "network-traffic.src_ref: must be the id of an ipv4-addr, an ipv6-addr, a mac-addr or a domain-name",
        ),
        ("url", {"type": None}, "object: 'type' is missing"),
    ],
)
def test_refusal_names_the_property_and_what_is_expected(kind: str, changes: Json, sentence: str) -> None:
    """A tired analyst reads where it is wrong and what belongs there."""
    assert refusal_of(with_changes(kind, changes)) == sentence


def test_refusal_cuts_and_cleans_names_when_they_come_from_outside() -> None:
    """Names of custom properties are shown, but neither at any length nor with anything but printable ASCII."""
    for name in ("x_\u202e\x1b[31m\n", "x" * 1000):
        sentence = refusal_of(with_changes("indicator", {"extensions": {"acme": {}, name: 1}})) or ""
        assert sentence.startswith("indicator.extensions")
        assert len(sentence.partition(":")[0]) <= 80


def test_object_is_refused_when_the_wrong_value_nests_deeply() -> None:
    """The validator cannot put such a value into an error; that is not our fault, so it is no fault of ours."""
    deep: Json = {}
    for _ in range(2000):
        deep = {"a": deep}
    assert refusal_of(with_changes("indicator", {"name": deep})) == "indicator: is not a valid STIX 2.1 object"
