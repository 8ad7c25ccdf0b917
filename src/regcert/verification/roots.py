"""Whom a reader believes: his policy, and the root key that he has pinned for each team.

A root key is agreed on between people. Everything else that speaks for a team is signed by it, or by what it signed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import orjson

from regcert.errors import Code, Refusal
from regcert.signing.public_key import read_public_key
from regcert.stix.identifier import is_stix_id
from regcert.stix.reader import read_value
from regcert.translog.policy import Policy

MOST_ROOTS_BYTES = 1024 * 1024
DEFAULT_FRESH_S = 600.0
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a reader believes before he has read anything.

    Args:
        policy: which logs and witnesses.
        roots: the raw root public key of each team, by the team's identity.
        fresh_s: how long ago a quorum of witnesses may have seen the log, seconds; None where that is not asked.
    """

    policy: Policy
    roots: Mapping[str, bytes]
    fresh_s: float | None = DEFAULT_FRESH_S


def read_roots(data: bytes) -> dict[str, bytes]:
    """Read a roots file: a JSON object from team identities to root public keys, 64 hex digits each.

    Args:
        data: at most 1 MiB.

    Raises:
        Refusal: INVALID_SETTING, with the team whose root cannot be one.
    """
    if len(data) > MOST_ROOTS_BYTES:
        raise Refusal(Code.INVALID_SETTING, f"a roots file has at most {MOST_ROOTS_BYTES} bytes; this is something else")
    try:
        value = read_value(data)
    except Refusal as refusal:
        raise Refusal(Code.INVALID_SETTING, f"the roots file cannot be read: {refusal.message}") from refusal
    if not isinstance(value, dict):
        raise Refusal(Code.INVALID_SETTING, 'a roots file is a JSON object such as {"identity--…": "<64 hex digits>"}')
    roots: dict[str, bytes] = {}
    for team, root in value.items():
        if not is_stix_id(team) or not isinstance(root, str) or _HEX.fullmatch(root) is None:
            raise Refusal(Code.INVALID_SETTING, "a line of the roots file is no identity with 64 hex digits of its root")
        try:
            roots[team] = read_public_key(bytes.fromhex(root)).raw
        except Refusal as refusal:
            raise Refusal(Code.INVALID_SETTING, f"the root of {team} in the roots file is no safe key") from refusal
    return roots


def write_roots(roots: Mapping[str, bytes]) -> bytes:
    """Write a roots file."""
    told = {team: root.hex() for team, root in sorted(roots.items())}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n"


def fingerprint(root: bytes) -> str:
    """Return the key id of a root: what people read to each other."""
    return sha256(root).hexdigest()
