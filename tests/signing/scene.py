"""What the vectors are made of: a host, a team, its keys and a publication, the same each time."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from regcert.domain.key_list import KeyReason, KeyStatus, TeamKey, team_key
from regcert.domain.publication import EXTENSION_ID
from regcert.signing.dsse import KEY_LIST, PUBLICATION, Envelope, pae
from regcert.signing.key_list import seal_key_list
from regcert.signing.private_key import PrivateKey, private_key_of
from regcert.signing.publication import list_object, seal_publication
from regcert.stix.timestamps import read_timestamp

Json = dict[str, Any]


def seeded(name: str) -> bytes:
    """Make 32 bytes, the same each time."""
    return sha256(f"regcert test vector: {name}".encode()).digest()


def key_named(name: str) -> PrivateKey:
    """Make a private key, the same each time."""
    return private_key_of(seeded(name))


def an_id(kind: str, name: str = "") -> str:
    """Make a STIX id that looks random, the same each time."""
    digits = seeded(f"{kind} {name}").hex()
    return f"{kind}--{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


HOST = "regcert/balkan/0123456789abcdef"
COLLECTION = an_id("collection").removeprefix("collection--")
TEAM = an_id("identity", "alcirt")
ISSUED = "2026-11-21T19:55:39.123456Z"
ISSUED_US = read_timestamp(ISSUED)
NOW = "2026-11-21T19:56:00.000000Z"
DAY_US = 86_400_000_000
ROOT, KEY, OLD_KEY, STOLEN_KEY, OTHER_TEAM = (key_named(name) for name in ("root", "key", "old key", "stolen key", "other team"))
TLP_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"

KEYS = (
    team_key(KEY.public.raw),
    team_key(OLD_KEY.public.raw, KeyStatus.RETIRED, KeyReason.SUPERSEDED),
    team_key(STOLEN_KEY.public.raw, KeyStatus.REVOKED, KeyReason.COMPROMISED, ISSUED_US - 2 * DAY_US),
)

INDICATOR: Json = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": an_id("indicator", "one"),
    "created_by_ref": TEAM,
    "created": "2026-11-20T08:00:00.000Z",
    "modified": "2026-11-21T08:00:00.000Z",
    "name": "C2 of Bora",
    "pattern": "[domain-name:value = 'evil.example']",
    "pattern_type": "stix",
    "valid_from": "2026-11-20T08:00:00Z",
    "object_marking_refs": [TLP_GREEN],
}
ADDRESS: Json = {"type": "ipv4-addr", "spec_version": "2.1", "id": an_id("ipv4-addr", "one"), "value": "198.51.100.7"}


def key_list(**changes: Any) -> Envelope:
    """Make the team's first key list, or another one."""
    said: dict[str, Any] = {
        "team": TEAM,
        "version": 1,
        "prev": None,
        "issued_us": ISSUED_US - DAY_US,
        "expires_us": ISSUED_US + 100 * DAY_US,
        "keys": KEYS,
        "root": ROOT,
    }
    return seal_key_list(**said | changes)


def text_of(value: object) -> str:
    """Write JSON in a plain way that is not canonical."""
    return json.dumps(value, ensure_ascii=False)


KNOWN: Json = {
    "host": HOST,
    "collection": COLLECTION,
    "team": TEAM,
    "key_list": text_of(key_list().as_json()),
    "now": NOW,
    "seq": 4,
    "prev": seeded("publication 4").hex(),
}


def manifest(*objects: Json, key: PrivateKey = KEY, **changes: Any) -> Json:
    """Make the manifest of some objects, as the fifth publication of the team, or as another one."""
    said: dict[str, Any] = {
        "manifest_id": an_id("publication-manifest", "five"),
        "host": HOST,
        "collection": COLLECTION,
        "team": TEAM,
        "seq": 5,
        "prev": seeded("publication 4"),
        "issued_us": ISSUED_US,
        "nonce": seeded("nonce"),
        "markings": [TLP_GREEN],
        "objects": [list_object(value) for value in objects],
        "key": key,
    }
    return seal_publication(**said | changes)


def payload_of(envelope: Mapping[str, Any]) -> bytes:
    """Return the payload of a DSSE object."""
    return base64.b64decode(envelope["payload"])


def sealed(payload: bytes | Json, key: PrivateKey = KEY, kind: str = PUBLICATION, *more: PrivateKey) -> Json:
    """Sign any payload at all, as the holder of a key can; a dict in the canonical form of what is ASCII."""
    data = payload
    if not isinstance(data, bytes):
        data = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    signatures = sorted((one.public.key_id, one.sign(pae(kind, data))) for one in (key, *more))
    return {
        "payloadType": kind,
        "payload": base64.b64encode(data).decode(),
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()} for key_id, signature in signatures],
    }


def sealed_list(payload: bytes | Json, *roots: PrivateKey) -> str:
    """Sign anything as a key list."""
    first, *others = roots or (ROOT,)
    return text_of(sealed(payload, first, KEY_LIST, *others))


def manifest_around(payload: bytes | Json, key: PrivateKey = KEY) -> Json:
    """Put a manifest around any payload; its properties repeat the payload where they can."""
    envelope = sealed(payload, key)
    said: Any = payload if isinstance(payload, dict) else {}
    around = {
        "type": "publication-manifest",
        "spec_version": "2.1",
        "id": said.get("id", an_id("publication-manifest", "five")),
        "created": said.get("issued_at", ISSUED),
        "modified": said.get("issued_at", ISSUED),
        "created_by_ref": said.get("team", TEAM),
        "object_marking_refs": said.get("markings", [TLP_GREEN]),
        "extensions": {EXTENSION_ID: {"extension_type": "new-sdo"}},
        "dsse": envelope,
    }
    if around["object_marking_refs"] == []:
        del around["object_marking_refs"]
    return around


def envelope_text(*objects: Json) -> str:
    """Write a TAXII envelope."""
    return text_of({"objects": list(objects)})


def a_key(name: str, *rest: Any) -> TeamKey:
    """Make the entry of a key."""
    return team_key(key_named(name).public.raw, *rest)
