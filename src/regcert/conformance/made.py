"""The objects that the suite posts: valid, harmless, each its own, and recognisable by who cleans up behind it.

Names end in `.example` and addresses are from the ranges for documentation: nothing that is posted here may ever block anything.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

NOTE = "Posted by a conformance test of TAXII 2.1; may be deleted"
CREATED = "2026-01-10T10:00:00.000Z"
_OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1 §2.9


def new_id(kind: str) -> str:
    """Make an id that nobody has."""
    return f"{kind}--{uuid.uuid4()}"


def indicator(**properties: Any) -> Object:
    """Make an indicator for a name that does not exist."""
    name = f"{uuid.uuid4().hex[:12]}.conformance.example"
    return made("indicator") | {
        "name": NOTE,
        "pattern": f"[domain-name:value = '{name}']",
        "pattern_type": "stix",
        "valid_from": CREATED,
        **properties,
    }


def made(kind: str, **properties: Any) -> Object:
    """Make an object with the properties that every domain object has."""
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": new_id(kind),
        "created": CREATED,
        "modified": CREATED,
        **properties,
    }


def malware() -> Object:
    """Make a malware object."""
    return made("malware", name=NOTE, is_family=False)


def identity() -> Object:
    """Make an identity."""
    return made("identity", name=NOTE, identity_class="organization")


def marking() -> Object:
    """Make a marking, which has no `modified`."""
    one = made("marking-definition", definition_type="statement", definition={"statement": NOTE})
    del one["modified"]
    return one


def observable(**properties: str) -> Object:
    """Make a cyber-observable with nothing but what it needs: no spec_version, no created, no modified."""
    value = f"{uuid.uuid4().hex[:12]}.conformance.example"
    name = json.dumps({"value": value}, separators=(",", ":"))
    return {"type": "domain-name", "id": f"domain-name--{uuid.uuid5(_OBSERVABLES, name)}", "value": value, **properties}


def envelope(*objects: Mapping[str, Any]) -> bytes:
    """Write an envelope, as UTF-8."""
    return json.dumps({"objects": objects}, ensure_ascii=False, separators=(",", ":")).encode()


def bundle(*objects: Mapping[str, Any]) -> bytes:
    """Write a STIX bundle."""
    return json.dumps({"type": "bundle", "id": new_id("bundle"), "objects": objects}, separators=(",", ":")).encode()
