"""A verifier that a stranger could have written: from docs/signing.md and docs/transparency-log.md alone.

One file, the standard library and cryptography, nothing of RegCERT: not its canonical form, not its JSON reader, not its words.
It shares no code with what it checks, so that a mistake has to be made twice to go unnoticed. `No` is its word for a refusal.
"""

import base64
import functools
import hashlib
import hmac
import itertools
import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BIGGEST = 2**53 - 1
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STIX = "--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
MANIFEST = "publication-manifest"
EXTENSION = "extension-definition--7d5b1a2e-3c44-4c0e-9f4b-5e6a0c8d2b17"
KIND = "application/vnd.regcert.%s+json; v=1"
TORSION = {
    bytes.fromhex(line)
    for line in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
}


class No(Exception):  # noqa: N818
    """Refused; the argument is the code."""


def must(condition: Any, code: Any) -> Any:
    if not condition:
        raise No(code)


# --- §2.1 JSON that is read


def parse(data: Any, levels: Any = 64) -> Any:
    """Read JSON as §2.1 says, but for the size, which belongs to single objects."""

    def pairs(members: Any) -> Any:
        must(len({name for name, _ in members}) == len(members), "unreadable")
        return dict(members)

    def number(text: Any) -> Any:
        value = float(text)
        must(math.isfinite(value) and abs(value) <= BIGGEST, "unreadable")
        if "." in text or "e" in text or "E" in text:
            return value
        must(abs(int(text)) <= BIGGEST, "unreadable")
        return int(text)

    def constant(_: Any) -> Any:
        raise No("unreadable")

    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=constant
        )
    except (ValueError, RecursionError):
        raise No("unreadable") from None
    whole(value, levels)
    return value


def whole(value: Any, levels: Any) -> Any:
    """Refuse half of a surrogate pair, and what nests too deep."""
    must(levels > 0 or not isinstance(value, (list, dict)), "unreadable")
    if isinstance(value, str):
        must(re.search("[\ud800-\udfff]", value) is None, "unreadable")
    elif isinstance(value, list):
        for item in value:
            whole(item, levels - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            whole(name, levels)
            whole(item, levels - 1)


# --- §2.2 canonical JSON

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def canonical(value: Any) -> Any:
    return write(value).encode("utf-8")


def write(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + re.sub('[\x00-\x1f"\\\\]', lambda c: SHORT.get(c[0]) or f"\\u{ord(c[0]):04x}", value) + '"'
    if isinstance(value, list):
        return "[" + ",".join([write(item) for item in value]) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join([write(name) + ":" + write(value[name]) for name in names]) + "}"
    return write_number(float(value))


def write_number(value: Any) -> Any:
    if value == 0:
        return "0"
    if value < 0:
        return "-" + write_number(-value)
    mantissa, _, exponent = repr(value).partition("e")
    before, _, after = mantissa.partition(".")
    n = len(before) + int(exponent or 0)
    digits = before + after
    n -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    k = len(digits)
    if k <= n <= 21:
        return digits + "0" * (n - k)
    if 0 < n <= 21:
        return digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return "0." + "0" * -n + digits
    head = digits if k == 1 else digits[0] + "." + digits[1:]
    return f"{head}e{'+' if n > 0 else '-'}{abs(n - 1)}"


def sha256(data: Any) -> Any:
    return hashlib.sha256(data).digest()


def unbase64(text: Any, code: Any) -> Any:
    must(isinstance(text, str), code)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise No(code) from None
    must(base64.b64encode(data).decode() == text, code)
    return data


# --- §2.3 payloads: each member has a check; what is written again must be the same bytes


def is_text(pattern: Any) -> Any:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


is_hash = is_text("[0-9a-f]{64}")
is_host = is_text("[!-*,-~]{1,200}")
is_collection = is_text(UUID)
is_identity = is_text("identity" + STIX)


def is_count(value: Any) -> Any:
    return type(value) is int and 1 <= value <= BIGGEST


def is_one(value: Any) -> Any:
    return type(value) is int and value == 1


def is_prev(value: Any) -> Any:
    return value is None or is_hash(value)


def is_time(value: Any) -> Any:
    if not is_text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")(value):
        return False
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return value[17:19] != "60" and value[17:19] != "61"


def micros(value: Any) -> Any:
    since = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def ascends(values: Any) -> Any:
    return all(a < b for a, b in itertools.pairwise(values))


def payload_of(data: Any, most: Any, members: Any, code: Any) -> Any:
    must(len(data) <= most, code)
    try:
        value = parse(data)
    except No:
        raise No(code) from None
    must(isinstance(value, dict) and value.keys() == members.keys(), code)
    must(all(check(value[name]) for name, check in members.items()), code)
    must(canonical(value) == data, code)
    return value


# --- §3 keys and signatures


def check_key(key: Any) -> Any:
    must(len(key) == 32, "unsafe-key")  # K1
    must(key not in TORSION, "unsafe-key")  # K2
    y = int.from_bytes(key, "little") % 2**255
    must(y < P, "unsafe-key")  # K3
    d = -121665 * pow(121666, P - 2, P)
    x2 = (y * y - 1) * pow(d * y * y + 1, P - 2, P) % P
    must(pow(x2, (P - 1) // 2, P) in (0, 1), "unsafe-key")  # K4


def is_good(key: Any, message: Any, signature: Any) -> Any:
    if len(signature) != 64 or key in TORSION or signature[:32] in TORSION:  # S1, S2
        return False
    if int.from_bytes(signature[32:], "little") >= L:  # S3
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)  # S4
    except (InvalidSignature, ValueError):
        return False
    return True


def pae(kind: Any, payload: Any) -> Any:
    return b" ".join([b"DSSEv1", str(len(kind.encode())).encode(), kind.encode(), str(len(payload)).encode(), payload])


def dsse(value: Any, kind: Any, most: Any, code: Any) -> Any:
    """Return payload and signatures, E1 to E5; `most` signatures."""
    must(isinstance(value, dict) and value.keys() == {"payloadType", "payload", "signatures"}, code)
    must(value["payloadType"] == KIND % kind, code)
    payload = unbase64(value["payload"], code)
    must(1 <= len(payload) <= 2097152, code)
    signatures = value["signatures"]
    must(isinstance(signatures, list) and 1 <= len(signatures) <= most, code)
    read = []
    for one in signatures:
        must(isinstance(one, dict) and one.keys() == {"keyid", "sig"} and is_hash(one["keyid"]), code)
        signature = unbase64(one["sig"], code)
        must(len(signature) == 64, code)
        read.append((one["keyid"], signature))
    must(ascends([key_id for key_id, _ in read]), code)
    return payload, read


# --- §4 publications


def is_entry(value: Any) -> Any:
    if not isinstance(value, list) or len(value) != 3:
        return False
    stix_id, version, digest = value
    return (
        is_text("[a-z][a-z0-9-]{2,249}" + STIX)(stix_id)
        and not stix_id.startswith(MANIFEST + "--")
        and (version is None or is_text("[0-9TtZz:.+ -]{1,64}")(version))
        and is_hash(digest)
    )


def is_list_of(check: Any, most: Any, least: Any = 0) -> Any:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(check, value))


PUBLICATION = {
    "v": is_one,
    "id": is_text(MANIFEST + "--[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "host": is_host,
    "collection": is_collection,
    "team": is_identity,
    "seq": is_count,
    "prev": is_prev,
    "issued_at": is_time,
    "nonce": is_hash,
    "markings": is_list_of(is_text("marking-definition" + STIX), 20),
    "objects": is_list_of(is_entry, 10_000, 1),
    "declassifies": is_list_of(lambda value: isinstance(value, str), 10_000),
}


def read_manifest(value: Any) -> Any:
    """M3 to M6. Return the payload's members, its bytes, and the one signature."""
    no = "invalid-manifest"
    must(isinstance(value, dict), no)
    payload, signatures = dsse(value.get("dsse"), "publication", 1, no)
    said = payload_of(payload, 2097152, PUBLICATION, no)
    must((said["prev"] is None) == (said["seq"] == 1), no)
    places = [(stix_id.encode(), (version or "").encode()) for stix_id, version, _ in said["objects"]]
    must(ascends(places) and ascends(said["markings"]) and ascends(said["declassifies"]), no)
    must(set(said["declassifies"]) <= {stix_id for stix_id, _, _ in said["objects"]}, no)
    expected = {
        "type": MANIFEST,
        "spec_version": "2.1",
        "id": said["id"],
        "created": said["issued_at"],
        "modified": said["issued_at"],
        "created_by_ref": said["team"],
        "extensions": {EXTENSION: {"extension_type": "new-sdo"}},
        "dsse": value["dsse"],
    }
    if said["markings"]:
        expected["object_marking_refs"] = said["markings"]
    must(value == expected, no)
    return said, payload, signatures[0]


def version_of(value: Any) -> Any:
    for name in ("modified", "created"):
        if isinstance(value.get(name), str) and value[name]:
            return value[name]
    return None


def entry_of(value: Any) -> Any:
    return [value.get("id"), version_of(value), sha256(canonical(value)).hex()]


def check_publication(text: Any, known: Any) -> Any:
    """M1 to M12. Return what the manifest says, and its payload's hash."""
    frame = parse(text, 2 + 64)  # M1: the frame and its list, and an object
    must(isinstance(frame, dict) and isinstance(frame.get("objects", []), list), "unreadable")
    objects = frame.get("objects", [])
    must(all(isinstance(value, dict) for value in objects), "unreadable")
    manifests = [value for value in objects if value.get("type") == MANIFEST]
    must(len(manifests) == 1, "invalid-manifest")  # M2
    said, payload, (key_id, signature) = read_manifest(manifests[0])
    bound = [said[name] == known[name] for name in ("host", "collection", "team")]
    must(all(bound), "wrong-binding")  # M7
    key_list = newest_list(known["key_list"])
    keys = {sha256(bytes.fromhex(key["key"])).hex(): key for key in key_list["keys"]}
    must(key_id in keys, "unknown-key")  # M8
    must(keys[key_id]["status"] == "active" and known["now"] < key_list["expires_at"], "key-not-active")  # M9
    message = pae(KIND % "publication", payload)
    must(is_good(bytes.fromhex(keys[key_id]["key"]), message, signature), "bad-signature")  # M10
    there = [entry_of(value) for value in objects if value is not manifests[0]]
    order = lambda entry: (str(entry[0]), entry[1] or "")  # noqa: E731
    must(sorted(there, key=order) == said["objects"], "manifest-mismatch")  # M11
    must((said["seq"], said["prev"]) == (known["seq"] + 1, known["prev"]), "out-of-sequence")  # M12
    return said, sha256(payload)


# --- §5 key lists


def is_key(value: Any) -> Any:
    if not isinstance(value, dict) or value.keys() != {"key", "status", "reason", "compromised_since"}:
        return False
    reasons = {"active": {""}, "retired": {"", "superseded"}, "revoked": {"superseded", "compromised"}}
    since = value["compromised_since"]
    return (
        is_hash(value["key"])
        and isinstance(value["status"], str)
        and isinstance(value["reason"], str)
        and value["reason"] in reasons.get(value["status"], ())
        and (since is None or (value["reason"] == "compromised" and is_time(since)))
    )


KEY_LIST = {
    "v": is_one,
    "team": is_identity,
    "version": is_count,
    "prev": is_prev,
    "root": is_hash,
    "issued_at": is_time,
    "expires_at": is_time,
    "keys": is_list_of(is_key, 100),
}


def read_key_list(value: Any) -> Any:
    """L1 to L4. Return the payload's members, its bytes, and the signatures."""
    no = "invalid-key-list"
    payload, signatures = dsse(value, "key-list", 2, no)  # L1
    said = payload_of(payload, 32768, KEY_LIST, no)  # L2
    must((said["prev"] is None) == (said["version"] == 1), no)
    must(0 < micros(said["expires_at"]) - micros(said["issued_at"]) <= 400 * 86400 * 10**6, no)
    must(ascends([key["key"] for key in said["keys"]]), no)
    for key in said["keys"]:
        must(key["key"] != said["root"] and (key["compromised_since"] or "") <= said["issued_at"], no)
    for key in [said["root"], *[key["key"] for key in said["keys"]]]:  # L3
        check_key(bytes.fromhex(key))
    require_signed_by(said["root"], payload, signatures)  # L4
    return said, payload, signatures


def require_signed_by(key: Any, payload: Any, signatures: Any) -> Any:
    raw = bytes.fromhex(key)
    signature = dict(signatures).get(sha256(raw).hex(), b"")
    must(is_good(raw, pae(KIND % "key-list", payload), signature), "bad-signature")


def check_key_lists(texts: Any) -> Any:
    """L1 to L10 for a chain from version 1; return the last list."""
    before, prev = None, None
    for text in texts:
        try:
            value = parse(text.encode())
        except No:
            raise No("invalid-key-list") from None
        said, payload, signatures = read_key_list(value)
        conflict = "key-list-conflict"
        must((said["version"], said["prev"]) == ((before["version"] if before else 0) + 1, prev), conflict)  # L5
        if before:
            must(said["team"] == before["team"] and said["issued_at"] >= before["issued_at"], conflict)  # L6
        roots = {said["root"], before["root"] if before else said["root"]}
        must({key_id for key_id, _ in signatures} == {sha256(bytes.fromhex(root)).hex() for root in roots}, "bad-signature")  # L7
        for root in roots:
            require_signed_by(root, payload, signatures)  # L8
        if before:
            keys = {key["key"]: key for key in said["keys"]}
            must(before["root"] not in keys, conflict)  # L9
            must(said["root"] not in {key["key"] for key in before["keys"]}, conflict)
            for old in before["keys"]:
                must(old["key"] in keys and may_follow(old, keys[old["key"]]), conflict)  # L10
        before, prev = said, sha256(payload).hex()
    return before


@functools.cache
def newest_list(text: Any) -> Any:
    """Read a list that is known from before; it does not change between two publications."""
    return check_key_lists([text])


def may_follow(old: Any, new: Any) -> Any:
    if old["status"] == "active":
        return True
    if old["status"] == "retired":
        return new == old or new["status"] == "revoked"
    if new["status"] != "revoked":
        return False
    if old["reason"] == "superseded":
        return True
    if new["reason"] != "compromised":
        return False
    if old["compromised_since"] is None:
        return True
    return new["compromised_since"] is not None and new["compromised_since"] <= old["compromised_since"]


# --- §6 possession

POSSESSION = {"v": is_one, "host": is_host, "team": is_identity, "challenge": is_hash, "key": is_hash}


def check_possession(text: Any, asked: Any) -> Any:
    no = "possession-not-proven"
    try:
        value = parse(text.encode())
    except No:
        raise No(no) from None
    payload, signatures = dsse(value, "possession", 1, no)  # P1
    said = payload_of(payload, 1024, POSSESSION, no)  # P2
    must(all(said[name] == asked[name] for name in ("host", "team", "challenge", "key")), no)  # P3
    key = bytes.fromhex(said["key"])
    key_id, signature = signatures[0]
    must(key_id == sha256(key).hex() and is_good(key, pae(KIND % "possession", payload), signature), no)  # P4


# --- §7 leaves


def publication_leaf(payload: Any, key_id: Any, blind: Any, number: Any) -> Any:
    nonce = bytes.fromhex(json.loads(payload)["nonce"])
    tag = hmac.new(blind, str(number).encode(), "sha256").hexdigest()
    return canonical({"c": sha256(nonce + sha256(payload)).hex(), "k": key_id, "t": "pub", "v": 1, "x": tag})


# --- §8.2 the table, row by row


def verdict(facts: Any) -> Any:
    """Return the row and the verdict.

    `history` is a list of {"leaf", "expires", "keys": {key id: [status, reason, since]}} in the order of versions; `leaf` and
    `time` place the publication, or are None.
    """
    history, key, leaf = facts["history"], facts["key"], facts["leaf"]
    time = facts["time"] if leaf is not None else None
    then = [one for one in history if leaf is not None and one["leaf"] < leaf]
    was = then[-1]["keys"].get(key) if then else None
    now = history[-1]["keys"].get(key) if history else None
    stolen = now is None or now[1] == "compromised"
    since = now[2] if now else None
    rows = [
        ("A1", "FORK", facts["forked"]),
        ("A2", "UNSIGNED", facts["listing"] == "absent"),
        ("A3", "BAD_HASH", facts["listing"] == "other-hash"),
        ("A4", "INVALID", not facts["sound"]),
        ("A5", "UNKNOWN_KEY", not any(key in one["keys"] for one in history)),
        ("A6", "INVALID", not facts["signed"]),
        ("K1", "INVALID", leaf is not None and was is None),
        ("K2", "INVALID", leaf is not None and was is not None and was[0] != "active"),
        ("K3", "INVALID", stolen and leaf is None),
        ("K4", "SUSPECT", stolen and since is None),
        ("K3", "INVALID", stolen and time is None),
        ("K5", "INVALID", stolen and time is not None and since is not None and time >= since),
        ("K6", "UNWITNESSED", time is None),
        ("K7", "STALE", facts["stale"] or (bool(history) and history[-1]["expires"] <= facts["now"])),
        ("K8", "VALID", stolen),
        ("K9", "VALID_RETIRED", now is not None and now[0] != "active"),
        ("K10", "VALID", True),
    ]
    return next((row, answer) for row, answer, fits in rows if fits)


# --- docs/transparency-log.md: policy, proof file, checkpoint, cosignatures, inclusion


def read_vkey(text: Any, kind: Any) -> Any:
    name, _, rest = text.partition("+")
    told, _, encoded = rest.partition("+")
    data = unbase64(encoded, "invalid-policy")
    must(len(data) == 33 and data[0] == kind and is_text("[0-9a-f]{8}")(told), "invalid-policy")
    must(sha256(name.encode() + b"\n" + data)[:4].hex() == told, "invalid-policy")
    return name, bytes.fromhex(told), data[1:]


def read_policy(text: Any) -> Any:
    logs: Any = []
    witnesses: Any = {}
    groups: Any = {}
    members: Any = set()
    quorum = None
    no = "invalid-policy"
    for line in text.split("\n"):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        kind, *rest = words
        if kind == "log" and 1 <= len(rest) <= 2:
            logs.append(read_vkey(rest[0], 1))
        elif kind == "witness" and 2 <= len(rest) <= 3:
            must(rest[0] not in {"none", *witnesses, *groups}, no)
            witnesses[rest[0]] = read_vkey(rest[1], 4)
        elif kind == "group" and len(rest) >= 3:
            must(rest[0] not in {"none", *witnesses, *groups}, no)
            must(all(one in witnesses or one in groups for one in rest[2:]), no)
            must(len(set(rest[2:])) == len(rest[2:]) and not members & set(rest[2:]), no)
            members |= set(rest[2:])
            many = {"any": "1", "all": str(len(rest[2:]))}.get(rest[1], rest[1])
            must(is_text("[1-9][0-9]*")(many) and int(many) <= len(rest[2:]), no)
            groups[rest[0]] = (int(many), rest[2:])
        else:
            must(kind == "quorum" and len(rest) == 1 and quorum is None and rest[0] in {"none", *witnesses, *groups}, no)
            quorum = rest[0]
    must(quorum is not None, no)
    for keys in ([key for _, _, key in logs], [key for _, _, key in witnesses.values()]):
        must(len(set(keys)) == len(keys), no)
    return logs, witnesses, groups, quorum


def quorum_time(policy: Any, times: Any) -> Any:
    """The k-th smallest time, group by group; infinity where there are not enough, None where none is asked for."""
    _, _, groups, quorum = policy

    def of(name: Any) -> Any:
        if name not in groups:
            return times.get(name, math.inf)
        threshold, members = groups[name]
        return sorted(map(of, members))[threshold - 1]

    return None if quorum == "none" else of(quorum)


def read_note(data: Any) -> Any:
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        raise No("invalid-checkpoint") from None
    must(len(data) <= 2**20 and content.endswith("\n") and "\n\n" in content, "invalid-checkpoint")
    must(not any(c < " " and c != "\n" for c in content), "invalid-checkpoint")
    text, _, signatures = content.rpartition("\n\n")
    found = signatures[:-1].split("\n")
    must(len(found) <= 64, "invalid-checkpoint")
    lines = []
    for line in found:
        dash, name, encoded = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        value = unbase64(encoded, "invalid-checkpoint")
        good = dash == "\u2014" and name and "+" not in name and not any(map(str.isspace, name))
        must(good and len(value) > 4, "invalid-checkpoint")
        lines.append((name, value[:4], value[4:]))
    return text + "\n", lines


def check_checkpoint(data: Any, policy: Any) -> Any:
    """Return size, root and the time of the quorum (or None)."""
    logs, witnesses, _, _ = policy
    text, lines = read_note(data)
    known = [log for log in logs if any((name, hint) == log[:2] for name, hint, _ in lines)]
    must(known, "invalid-checkpoint")
    for name, hint, key in known:
        good = [is_good(key, text.encode(), value) for n, h, value in lines if (n, h) == (name, hint)]
        must(all(good), "invalid-checkpoint")
    times: Any = {}
    for title, (name, hint, key) in witnesses.items():
        for value in [value for n, h, value in lines if (n, h) == (name, hint)]:
            time = int.from_bytes(value[:8], "big")
            must(len(value) == 72 and time < 2**63, "invalid-cosignature")
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            must(is_good(key, message, value[8:]), "invalid-cosignature")
            times[title] = min(time, times.get(title, math.inf))
    parts = text.split("\n")
    must(len(parts) == 4 and parts[3] == "" and is_text("0|[1-9][0-9]*")(parts[1]), "invalid-checkpoint")
    must(parts[0] == known[0][0], "invalid-checkpoint")
    root = unbase64(parts[2], "invalid-checkpoint")
    must(len(root) == 32, "invalid-checkpoint")
    time = quorum_time(policy, times)
    return int(parts[1]), root, None if time is None or time == math.inf else time


def root_from(leaf: Any, index: Any, size: Any, proof: Any) -> Any:
    """RFC 6962 §2.1.1, by recursion over the tree: what the root must be if the proof is right."""
    if size == 1:
        must(index == 0 and not proof, "invalid-proof")
        return leaf
    must(proof, "invalid-proof")
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return sha256(b"\x01" + root_from(leaf, index, split, proof[:-1]) + proof[-1])
    return sha256(b"\x01" + proof[-1] + root_from(leaf, index - split, size - split, proof[:-1]))


def check_proof(policy: Any, data: Any, entry: Any) -> Any:
    """Return leaf index and trusted time of an entry that is in the log."""
    head, _, note = data.partition(b"\n\n")
    lines = head.decode().split("\n")
    must(lines.pop(0) == "c2sp.org/tlog-proof@v1", "invalid-proof")
    if lines and lines[0].startswith("extra "):
        unbase64(lines.pop(0)[6:], "invalid-proof")
    must(lines and re.fullmatch("index (0|[1-9][0-9]*)", lines[0]), "invalid-proof")
    index = int(lines.pop(0)[6:])
    proof = [unbase64(line, "invalid-proof") for line in lines]
    must(len(proof) <= 63 and all(len(one) == 32 for one in proof), "invalid-proof")
    size, root, time = check_checkpoint(note, read_policy(policy))
    must(index < size and root_from(sha256(b"\x00" + entry), index, size, proof) == root, "invalid-proof")
    return index, time
