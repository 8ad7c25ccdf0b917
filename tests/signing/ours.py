"""What RegCERT itself says of a test vector: its own steps, in the order in which host and reader take them."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from regcert.domain.key_list import KeyList, KeyReason, KeyStatus, TeamKey
from regcert.domain.publication import MANIFEST_TYPE, Publication
from regcert.errors import Code, Refusal
from regcert.signing.dsse import PUBLICATION, read_envelope, require_signed
from regcert.signing.key_list import active_keys, read_key_list, require_successor
from regcert.signing.note import list_cosignatures, read_note, verify_note
from regcert.signing.possession import require_possession
from regcert.signing.public_key import PublicKey, read_public_key
from regcert.signing.publication import (
    list_object,
    read_manifest,
    require_bound,
    require_complete,
    require_next,
)
from regcert.signing.verdict import Facts, Finding, Listing, LoggedList, Placed, judge
from regcert.signing.verify import require_active
from regcert.stix.canonical import canonical_bytes
from regcert.stix.reader import read_envelope as read_objects
from regcert.stix.reader import read_value
from regcert.stix.timestamps import read_timestamp
from regcert.translog.checkpoint import read_checkpoint
from regcert.translog.policy import read_policy
from regcert.translog.proof_file import read_proof_file
from regcert.translog.proofs import require_included
from regcert.translog.tree import leaf_hash

UNREADABLE = "unreadable"


def canonical(text: bytes) -> bytes | str:
    """Write JSON in canonical form, or say that it cannot be read."""
    try:
        return canonical_bytes(read_value(text))
    except Refusal:
        return UNREADABLE


def check_publication(text: bytes, known: Mapping[str, Any]) -> tuple[Publication | None, str]:
    """Return the publication and `ok`, or the code by which it is refused; M1 to M12."""
    try:
        read = list(read_objects(text))
    except Refusal:
        return None, UNREADABLE
    objects = [one.value for one in read if not isinstance(one, Refusal)]
    if len(objects) != len(read):
        return None, UNREADABLE
    try:
        return _require_publication(objects, known), "ok"
    except Refusal as refusal:
        return None, str(refusal.code)


def _require_publication(objects: list[dict[str, Any]], known: Mapping[str, Any]) -> Publication:
    manifests = [value for value in objects if value.get("type") == MANIFEST_TYPE]
    if len(manifests) != 1:
        raise Refusal(Code.INVALID_MANIFEST, "one manifest an envelope")
    envelope, publication = read_manifest(manifests[0])
    require_bound(publication, host=known["host"], collection=known["collection"], team=known["team"])
    key_list = _newest_list(known["key_list"])
    assert key_list is not None
    require_active(key_list, [key_id for key_id, _ in envelope.signatures], read_timestamp(known["now"]))
    require_signed(envelope, PUBLICATION, active_keys(key_list))
    if not all(isinstance(value.get("id"), str) for value in objects):
        raise Refusal(Code.MANIFEST_MISMATCH, "no STIX: a host refuses it before it compares, and no list can name it")
    require_complete(publication, [list_object(value) for value in objects if value is not manifests[0]])
    require_next(publication, known["seq"], bytes.fromhex(known["prev"]) if known["prev"] else None)
    return publication


def check_key_lists(texts: Sequence[str]) -> str:
    """Return `ok`, or the code by which one of a chain of lists is refused; L1 to L10."""
    try:
        read_chain(texts)
    except Refusal as refusal:
        return str(refusal.code)
    return "ok"


def read_chain(texts: Sequence[str]) -> KeyList | None:
    """Return the last of a chain of key lists."""
    last: KeyList | None = None
    for text in texts:
        try:
            value = read_value(text.encode())
        except Refusal as refusal:
            raise Refusal(Code.INVALID_KEY_LIST, "no JSON") from refusal
        envelope = read_envelope(value, Code.INVALID_KEY_LIST)
        key_list = read_key_list(envelope)
        require_successor(last, envelope, key_list)
        last = key_list
    return last


@functools.cache
def _newest_list(text: str) -> KeyList | None:
    return read_chain([text])


def check_possession(text: str, asked: Mapping[str, str]) -> str:
    """Return `ok`, or the code by which a proof of possession is refused; P1 to P4."""
    try:
        value = read_value(text.encode())
    except Refusal:
        return str(Code.POSSESSION_NOT_PROVEN)
    challenge, public = bytes.fromhex(asked["challenge"]), read_public_key(bytes.fromhex(asked["key"]))
    try:
        envelope = read_envelope(value, Code.POSSESSION_NOT_PROVEN)
        require_possession(envelope, host=asked["host"], team=asked["team"], challenge=challenge, public=public)
    except Refusal as refusal:
        return str(refusal.code)
    return "ok"


def check_key(raw: bytes) -> str:
    """Return `ok`, or the code by which a public key is refused; K1 to K4."""
    try:
        read_public_key(raw)
    except Refusal as refusal:
        return str(refusal.code)
    return "ok"


def is_good(raw: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is good; S1 to S4."""
    return PublicKey(raw).verify(signature, message)


def finding(facts: Mapping[str, Any]) -> Finding:
    """Judge facts that are written as the vectors have them."""
    history = [
        LoggedList(
            KeyList(
                "identity--x", number, None, b"", 0, one["expires"], tuple(_key(*entry) for entry in one["keys"].items()), b""
            ),
            one["leaf"],
        )
        for number, one in enumerate(facts["history"], 1)
    ]
    return judge(
        Facts(
            listing=Listing(facts["listing"]),
            sound=facts["sound"],
            signed=facts["signed"],
            key_id=facts["key"],
            history=history,
            placed=Placed(facts["leaf"], facts["time"]),
            now_us=facts["now"],
            stale=facts["stale"],
            forked=facts["forked"],
        )
    )


def _key(key_id: str, entry: tuple[str, str, int | None]) -> TeamKey:
    status, reason, since_us = entry
    return TeamKey(b"", key_id, KeyStatus(status), KeyReason(reason), since_us)


def check_proof(policy: bytes, proof: bytes, entry: bytes) -> tuple[int, int | None]:
    """Return the place of an entry and its trusted time in seconds, as a reader finds them.

    Raises:
        Refusal: whatever is wrong.
    """
    rules, file = read_policy(policy), read_proof_file(proof)
    note = read_note(file.note)
    logs = [log for log in rules.logs if any((one.name, one.key_hash) == (log.name, log.key_hash) for one in note.signatures)]
    if not logs:
        raise Refusal(Code.INVALID_CHECKPOINT, "of no known log")
    for log in logs:
        verify_note(note, log)
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != logs[0].name:
        raise Refusal(Code.INVALID_CHECKPOINT, "of another log")
    times = {name: found[0] for name, key in rules.witnesses.items() if (found := list_cosignatures(note, key))}
    require_included(leaf_hash(entry), file.index, checkpoint.size, file.hashes, checkpoint.root)
    return file.index, rules.find_trusted_time_s(times)
