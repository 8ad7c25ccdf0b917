"""STIX objects for tests: small, valid, and each its own."""

import uuid
from typing import Any

import orjson

CREATED = "2026-11-01T10:00:00.000Z"


def envelope(*objects: Any) -> bytes:
    """Wrap objects as TAXII does."""
    return orjson.dumps({"objects": list(objects)})


def indicator(pattern: str = "[domain-name:value = 'evil.example']", **properties: Any) -> dict[str, Any]:
    """Make an indicator; a new id unless one is given."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": CREATED,
        "modified": CREATED,
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": CREATED,
    } | properties


def sdo(kind: str, **properties: Any) -> dict[str, Any]:
    """Make an object of any type that has the common properties."""
    common = {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid4()}", "created": CREATED, "modified": CREATED}
    return common | properties
