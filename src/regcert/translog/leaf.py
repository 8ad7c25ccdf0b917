"""What a leaf of the log says: that a key signed a publication, that a team's keys changed, how far the audit trail goes.

A leaf of a publication tells which key signed, and nothing else to whoever may not read the collection: neither what, nor where,
nor whether two leaves belong together. Whoever holds the publication knows its nonce and finds the leaf again; whoever reads the
collection knows its blind and can tell by the tags that no leaf of it was kept from him.

Entries are RFC 8785 JSON, and a reader takes no other text for the same leaf.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regcert.errors import Code, Refusal
from regcert.stix.canonical import canonical_bytes
from regcert.stix.reader import MAX_SAFE_INTEGER, read_value
from regcert.translog.tiles import MOST_ENTRY_BYTES

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DSSE_MEMBERS = {"payload", "payloadType", "signatures"}


@dataclass(frozen=True, slots=True)
class PublicationLeaf:
    """That a key signed a publication.

    Args:
        commitment: to the publication, 32 bytes: SHA-256 of its nonce and of the SHA-256 of its payload.
        key_id: of the key, so that a team sees every use of it; 64 hex digits.
        tag: of the publication's number in its collection, 32 bytes.
    """

    commitment: bytes
    key_id: str
    tag: bytes

    def write(self) -> bytes:
        """Write the entry."""
        return _write({"c": self.commitment.hex(), "k": self.key_id, "t": "pub", "v": 1, "x": self.tag.hex()})


@dataclass(frozen=True, slots=True)
class KeyLeaf:
    """A team's new key list, in clear: everybody has to know whom to believe.

    Args:
        envelope: the DSSE object that the team's root key signed; it is read and checked by `signing/key_list`.
    """

    envelope: Mapping[str, Any]

    def write(self) -> bytes:
        """Write the entry.

        Raises:
            Refusal: TOO_LARGE where it has more than 65,535 bytes, which no bundle of entries can hold.
        """
        return _write({"e": dict(self.envelope), "t": "key", "v": 1})


@dataclass(frozen=True, slots=True)
class AuditLeaf:
    """How far the host's audit trail goes.

    Args:
        audit_id: of its last row, 1 to 2^53 - 1.
        chain: that row's chain hash, 32 bytes.
    """

    audit_id: int
    chain: bytes

    def write(self) -> bytes:
        """Write the entry."""
        return _write({"h": self.chain.hex(), "n": self.audit_id, "t": "audit", "v": 1})


Leaf = PublicationLeaf | KeyLeaf | AuditLeaf


def read_leaf(entry: bytes) -> Leaf:
    """Read an entry of the log.

    Args:
        entry: at most 65,535 bytes; more are refused.

    Raises:
        Refusal: INVALID_PROOF for whatever is no leaf in its one exact form.
    """
    if len(entry) > MOST_ENTRY_BYTES:
        raise _unreadable()
    try:
        value = read_value(entry)
        same = canonical_bytes(value) == entry
    except Refusal as refusal:
        raise _unreadable() from refusal
    leaf = _find_leaf(value) if same and isinstance(value, dict) else None
    if leaf is None:
        raise _unreadable()
    return leaf


def tag(blind: bytes, number: int) -> bytes:
    """Tag a publication of a collection for those who may read it.

    Whoever knows the blind can compute the tag of every number and finds what is missing; to everybody else tags are noise.

    Args:
        blind: the collection's, 32 bytes.
        number: counts the collection's publications.

    Spec: RFC 2104 (HMAC)
    """
    return hmac.digest(blind, str(number).encode(), "sha256")


def _find_leaf(value: dict[str, Any]) -> Leaf | None:
    kind, version, members = value.get("t"), value.get("v"), value.keys() - {"t", "v"}
    if version != 1 or isinstance(version, bool):
        return None
    if kind == "pub" and members == {"c", "k", "x"} and all(_is_hash(value[name]) for name in members):
        return PublicationLeaf(bytes.fromhex(value["c"]), value["k"], bytes.fromhex(value["x"]))
    if kind == "key" and members == {"e"} and isinstance(value["e"], dict) and value["e"].keys() == _DSSE_MEMBERS:
        return KeyLeaf(value["e"])
    if kind == "audit" and members == {"h", "n"} and _is_hash(value["h"]) and _is_count(value["n"]):
        return AuditLeaf(value["n"], bytes.fromhex(value["h"]))
    return None


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_SAFE_INTEGER


def _write(value: dict[str, Any]) -> bytes:
    entry = canonical_bytes(value)
    if len(entry) > MOST_ENTRY_BYTES:
        raise Refusal(Code.TOO_LARGE, f"an entry of the log has at most {MOST_ENTRY_BYTES} bytes; leave out what is not needed")
    return entry


def _unreadable() -> Refusal:
    return Refusal(Code.INVALID_PROOF, "an entry of the log is none that this release knows; fetch it again, or update RegCERT")
