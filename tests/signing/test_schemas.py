"""The schemas of what is signed: they take every good vector, and say no to what has other members or types."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from regcert.domain.publication import EXTENSION_ID, MANIFEST_TYPE
from regcert.errors import Code, Refusal
from regcert.stix.schema import SchemaSet
from tests.signing.making_vectors import read_vectors
from tests.signing.scene import ADDRESS, INDICATOR, manifest, payload_of

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
STIX = {file.stem: json.loads(file.read_text("utf-8")) for file in (SCHEMAS / "stix-2.1").glob("*.json")}
SET = SchemaSet(STIX)
# The steps whose rules a schema can express; order, hashes and what repeats what it cannot.
BY_SCHEMA = ("without", "with ", "more", "is null", "is true", "is an object", "is a float")


def compiled(name: str) -> Any:
    return jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8")))


def manifests(expect: str) -> list[tuple[str, Any]]:
    found = []
    for vector in read_vectors("publications"):
        if vector["expect"] == expect and "envelope" in vector:
            try:
                objects = json.loads(vector["envelope"])["objects"]
            except (ValueError, KeyError):
                continue
            found += [(vector["name"], one) for one in objects if one.get("type") == MANIFEST_TYPE]
    return found


def test_extension_definition_describes_the_type_and_carries_its_schema() -> None:
    """Who finds a manifest and nothing else finds out what it is: the object is valid STIX, and has the very schema in it."""
    definition = json.loads((SCHEMAS / "extension-definition.json").read_text("utf-8"))
    SET.require_valid(definition)
    assert definition["id"] == EXTENSION_ID
    assert definition["extension_types"] == ["new-sdo"]
    assert json.loads(definition["schema"]) == STIX[MANIFEST_TYPE]


def test_schema_of_the_manifest_takes_every_good_one() -> None:
    good = manifests("ok")
    assert len(good) > 20
    for _, one in good:
        SET.require_valid(one)


def test_schema_of_the_manifest_is_exact() -> None:
    """A property more, one less, another type: each refused, and the sentence tells which one."""
    tried = 0
    for name, one in manifests("invalid-manifest"):
        if name.startswith(("M3", "E1", "E4")) and not name.endswith(("unused bits", "without object_marking_refs")):
            tried += 1
            with pytest.raises(Refusal) as refused:
                SET.require_valid(one)
            assert refused.value.code is Code.INVALID_STIX
            assert refused.value.message.startswith(MANIFEST_TYPE)
    assert tried > 60


def test_schema_of_the_publication_takes_and_refuses() -> None:
    schema = compiled("publication")
    for _, one in manifests("ok"):
        assert schema.is_valid(json.loads(payload_of(one["dsse"])))
    payload = json.loads(payload_of(manifest(INDICATOR, ADDRESS)["dsse"]))
    refused = [
        one for name, one in manifests("invalid-manifest") if name.startswith("M5") and any(way in name for way in BY_SCHEMA)
    ]
    assert len(refused) > 40
    for one in refused:
        try:
            said = json.loads(payload_of(one["dsse"]))
        except ValueError:
            continue
        if said not in (payload, payload | {"v": True}):
            assert not schema.is_valid(said), said


def test_schema_of_the_key_list_takes_and_refuses() -> None:
    schema, tried = compiled("key-list"), 0
    for vector in read_vectors("key-lists"):
        if vector["expect"] == "ok" or (
            any(way in vector["name"] for way in BY_SCHEMA)
            and vector["name"].startswith("L2")
            and "without prev" not in vector["name"]
        ):
            said = json.loads(payload_of(json.loads(vector["envelopes"][-1])))
            tried += 1
            assert schema.is_valid(said) == (vector["expect"] == "ok"), vector["name"]
    assert tried > 60
