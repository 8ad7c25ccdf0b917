"""A team's key list: which keys speak for it, signed by a root key that does nothing else and can stay in a safe.

Each version names the hash of the one before it, so a host that hides one cannot go on with the next.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import pairwise

import msgspec

from regcert.clock import DAY_US
from regcert.domain.key_list import KeyList, KeyReason, KeyStatus, TeamKey, team_key
from regcert.errors import Code, Refusal
from regcert.signing.dsse import KEY_LIST, Envelope, pae, require_signed, seal
from regcert.signing.payload import (
    NotExactError,
    read_hash,
    read_members,
    read_time,
    refusal_of,
    require_count,
    require_id,
    require_same,
    write_payload,
    write_time,
)
from regcert.signing.private_key import PrivateKey
from regcert.signing.public_key import PublicKey, read_public_key

MAX_KEYS = 100
MAX_LIFE_US = 400 * DAY_US
MAX_LIST_BYTES = 32 * 1024

_RANK = {KeyStatus.ACTIVE: 0, KeyStatus.RETIRED: 1, KeyStatus.REVOKED: 2}
# Which reasons a status can have: who revokes a key has to say whether somebody else may have had it.
_REASONS = {
    KeyStatus.ACTIVE: frozenset({KeyReason.NONE}),
    KeyStatus.RETIRED: frozenset({KeyReason.NONE, KeyReason.SUPERSEDED}),
    KeyStatus.REVOKED: frozenset({KeyReason.SUPERSEDED, KeyReason.COMPROMISED}),
}


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    status: KeyStatus
    reason: KeyReason
    compromised_since: str | None


class _Members(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    team: str
    version: int
    prev: str | None
    root: str
    issued_at: str
    expires_at: str
    keys: list[_Key]


def seal_key_list(
    *,
    team: str,
    version: int,
    prev: bytes | None,
    issued_us: int,
    expires_us: int,
    keys: Iterable[TeamKey],
    root: PrivateKey,
    old_root: PrivateKey | None = None,
) -> Envelope:
    """Sign a version of a team's key list.

    Args:
        team: its STIX identity.
        version: one more than the last, from 1.
        prev: hash of the last one's payload; None for the first.
        issued_us: the present, not before the last one's.
        expires_us: later than that, by at most 400 days.
        keys: at most 100, in any order; every key of the last list is among them.
        root: the key that signs it.
        old_root: the last list's root, where that was another: it signs too.

    Raises:
        Refusal: INVALID_KEY_LIST, UNSAFE_KEY where that is none that a host would take.
    """
    ordered = tuple(sorted(keys, key=lambda key: key.public))
    unsigned = KeyList(team, version, prev, root.public.raw, issued_us, expires_us, ordered, b"")
    try:
        payload = _write(unsigned)
    except NotExactError as why:
        raise refusal_of(Code.INVALID_KEY_LIST, "key list", why) from why
    envelope = seal(KEY_LIST, payload, [root] if old_root is None else [root, old_root])
    read_key_list(envelope)
    return envelope


def read_key_list(envelope: Envelope) -> KeyList:
    """Read a key list and check that its own root signed it; whether the root is the team's is asked elsewhere.

    Args:
        envelope: as `read_envelope` read it.

    Raises:
        Refusal: INVALID_KEY_LIST; UNSAFE_KEY for a root or key that anybody can sign for; BAD_SIGNATURE.
    """
    if envelope.payload_type != KEY_LIST or len(envelope.signatures) > 2:
        raise Refusal(Code.INVALID_KEY_LIST, "a key list is signed as one, by its root and at most the root before")
    try:
        key_list = _read(envelope.payload)
    except NotExactError as why:
        raise refusal_of(Code.INVALID_KEY_LIST, "key list", why) from why
    root = read_public_key(key_list.root)
    for key in key_list.keys:
        read_public_key(key.public)
    signature = dict(envelope.signatures).get(root.key_id)
    if signature is None or not root.verify(signature, pae(KEY_LIST, envelope.payload)):
        raise Refusal(Code.BAD_SIGNATURE, "the root key that the list names did not sign it; sign it again with that key")
    return key_list


def require_successor(before: KeyList | None, envelope: Envelope, after: KeyList) -> None:
    """Require that one list follows another.

    1. Version, hash and team lead on from the list before; time does not step back.
    2. Exactly its root signed it, and the root before where that was another.
    3. No key is lost, none becomes good again, none that signed publications becomes a root or the other way round.

    Args:
        before: the list before it; None where it must be the first.
        envelope: its signatures.
        after: what `read_key_list` read from the envelope.

    Raises:
        Refusal: KEY_LIST_CONFLICT, BAD_SIGNATURE.
    """
    _require_chained(before, after)  # 1
    roots = {key.key_id: key for key in map(PublicKey, {after.root, before.root if before else after.root})}
    if {key_id for key_id, _ in envelope.signatures} != roots.keys():  # 2
        raise Refusal(Code.BAD_SIGNATURE, "a key list is signed by its root, and by the root before where that was another")
    require_signed(envelope, KEY_LIST, roots)
    if before is not None:
        _require_kept(before, after)  # 3


def active_keys(key_list: KeyList) -> Mapping[str, PublicKey]:
    """Return the keys that may sign publications now, by key id; whether the list has expired is asked elsewhere."""
    return {key.key_id: PublicKey(key.public) for key in key_list.keys if key.status is KeyStatus.ACTIVE}


def _require_chained(before: KeyList | None, after: KeyList) -> None:
    version, prev = (before.version, before.digest) if before else (0, None)
    if after.version != version + 1 or after.prev != prev:
        raise Refusal(
            Code.KEY_LIST_CONFLICT, f"the next key list has version {version + 1} and names the hash of version {version}"
        )
    if before is not None and (after.team != before.team or after.issued_us < before.issued_us):
        raise Refusal(Code.KEY_LIST_CONFLICT, "the key list is of another team than the one before it, or was issued earlier")


def _require_kept(before: KeyList, after: KeyList) -> None:
    keys = {key.public: key for key in after.keys}
    if before.root in keys or any(key.public == after.root for key in before.keys):
        raise Refusal(Code.KEY_LIST_CONFLICT, "a root key only ever signs key lists; make a new key for the other purpose")
    for old in before.keys:
        new = keys.get(old.public)
        if new is None:
            raise Refusal(Code.KEY_LIST_CONFLICT, "a key of the list before is missing; retire or revoke it, and keep it listed")
        if not _may_become(old, new):
            raise Refusal(Code.KEY_LIST_CONFLICT, "a key becomes better than it was in the list before, which none ever does")


def _may_become(old: TeamKey, new: TeamKey) -> bool:
    """Tell whether a key can change so: only ever towards less trust, but for a time of compromise that becomes known."""
    if old.status is not KeyStatus.REVOKED or new.status is not KeyStatus.REVOKED:
        return _RANK[old.status] <= _RANK[new.status] and (old.status is not new.status or old == new)
    if old.reason is KeyReason.SUPERSEDED:
        return True
    since_us = old.compromised_since_us
    if new.reason is not KeyReason.COMPROMISED or since_us is None:
        return new.reason is KeyReason.COMPROMISED
    return new.compromised_since_us is not None and new.compromised_since_us <= since_us


def _write(key_list: KeyList) -> bytes:
    return write_payload(
        {
            "v": 1,
            "team": key_list.team,
            "version": key_list.version,
            "prev": key_list.prev.hex() if key_list.prev is not None else None,
            "root": key_list.root.hex(),
            "issued_at": write_time(key_list.issued_us),
            "expires_at": write_time(key_list.expires_us),
            "keys": [
                {
                    "key": key.public.hex(),
                    "status": key.status.value,
                    "reason": key.reason.value,
                    "compromised_since": None if key.compromised_since_us is None else write_time(key.compromised_since_us),
                }
                for key in key_list.keys
            ],
        }
    )


def _read(payload: bytes) -> KeyList:
    members = read_members(payload, MAX_LIST_BYTES, _Members)
    require_id(members.team, "identity")
    require_count(members.version)
    if (members.prev is None) != (members.version == 1):
        raise NotExactError("the first version, and only the first, has no 'prev'")
    prev = read_hash(members.prev) if members.prev is not None else None
    issued_us, expires_us = read_time(members.issued_at), read_time(members.expires_at)
    if not issued_us < expires_us <= issued_us + MAX_LIFE_US:
        raise NotExactError("'expires_at' is not after 'issued_at', or more than 400 days later")
    root = read_hash(members.root)
    keys = _read_keys(members.keys, root, issued_us)
    digest = sha256(payload).digest()
    key_list = KeyList(members.team, members.version, prev, root, issued_us, expires_us, keys, digest)
    require_same(payload, _write(key_list))
    return key_list


def _read_keys(rows: list[_Key], root: bytes, issued_us: int) -> tuple[TeamKey, ...]:
    if len(rows) > MAX_KEYS:
        raise NotExactError(f"a key list has at most {MAX_KEYS} keys")
    keys = tuple(_read_key(row, issued_us) for row in rows)
    if any(before.public >= after.public for before, after in pairwise(keys)):
        raise NotExactError("the keys do not ascend, or one stands there twice")
    if any(key.public == root for key in keys):
        raise NotExactError("the root key is among the keys; a root only signs key lists")
    return keys


def _read_key(row: _Key, issued_us: int) -> TeamKey:
    since_us = None if row.compromised_since is None else read_time(row.compromised_since)
    if row.reason not in _REASONS[row.status]:
        raise NotExactError("the reason of a key does not belong to its status")
    if since_us is not None and (row.reason is not KeyReason.COMPROMISED or since_us > issued_us):
        raise NotExactError("'compromised_since' belongs to compromised keys only, and is not after 'issued_at'")
    return team_key(read_hash(row.key), row.status, row.reason, since_us)
