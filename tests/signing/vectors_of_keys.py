"""Vectors of canonical JSON, public keys, signatures, key lists, possessions and leaves."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256, sha512
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from regcert.signing.dsse import KEY_LIST, POSSESSION, PUBLICATION, Envelope, pae
from regcert.signing.possession import prove
from regcert.signing.private_key import PrivateKey
from regcert.signing.publication import commitment
from regcert.translog.leaf import KeyLeaf, PublicationLeaf, tag
from tests.signing.curve import BASE, encode, small_order_encodings
from tests.signing.scene import (
    ADDRESS,
    DAY_US,
    HOST,
    INDICATOR,
    ISSUED_US,
    KEY,
    OLD_KEY,
    OTHER_TEAM,
    ROOT,
    TEAM,
    Json,
    a_key,
    an_id,
    key_list,
    key_named,
    manifest,
    payload_of,
    sealed,
    sealed_list,
    seeded,
    text_of,
)
from tests.signing.vectors_of_publications import NUMBERS, ORDER

# What ECMAScript writes for these, from the appendix of RFC 8785 and from its rules.
WRITTEN = (
    ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("1.0", "1"), ("1e0", "1"), ("-1", "-1"), ("10e-1", "1"), ("1E3", "1000"),
    ("5e-324", "5e-324"), ("-5e-324", "-5e-324"), ("1e-400", "0"), ("4.9406564584124654e-324", "5e-324"),
    ("0.000001", "0.000001"), ("0.0000001", "1e-7"), ("1.5e-7", "1.5e-7"), ("0.00000123", "0.00000123"),
    ("123456789.125", "123456789.125"), ("0.30000000000000004", "0.30000000000000004"), ("0.1", "0.1"),
    ("0.10000000000000000555111512312578", "0.1"), ("333333333.3333332", "333333333.3333332"),
    ("333333333.33333325", "333333333.33333325"), ("9007199254740991", "9007199254740991"),
    ("9007199254740991.0", "9007199254740991"),
    ("1e15", "1000000000000000"), ("2.2250738585072014e-308", "2.2250738585072014e-308"),
    ("1.25e-10", "1.25e-10"), ("1.7976931348623157e-10", "1.7976931348623158e-10"),
    ("100e-2", "1"), ("4.50", "4.5"), ("2e-3", "0.002"),
    ("0.5e1", "5"), ("-0.000033333333333333333333", "-0.000033333333333333335"),
)  # fmt: skip


def canonical_vectors() -> Iterator[Json]:
    """Yield every vector of `canonical.jsonl`; what is expected is written by hand."""
    forms: list[tuple[str, str]] = [
        *WRITTEN,
        ("[]", "[]"), (" { } ", "{}"), ("null", "null"), ("[true,false]", "[true,false]"), ('""', '""'),
        ('{"b":1,"a":2}', '{"a":2,"b":1}'),
        ('{"\\ue000":1,"\\ud800\\udc00":2,"\\ud7ff":3}', '{"\ud7ff":3,"\U00010000":2,"\ue000":1}'),
        ('{"a":{"z":[{"y":1,"x":2}],"":0}}', '{"a":{"":0,"z":[{"x":2,"y":1}]}}'),
        ('"\\u0000\\u001f\\u007f\\u0080\\u2028"', '"\\u0000\\u001f\x7f\x80\u2028"'),
        ('"\\b\\t\\n\\f\\r\\"\\\\\\/\\u0041\\u000b"', '"\\b\\t\\n\\f\\r\\"\\\\/A\\u000b"'),
        ('{"\\u20ac":"Euro Sign","\\r":"CR","\\ufb33":"Dalet","1":"One","\\ud83d\\ude00":"Smile","\\u0080":"C1","\\u00f6":"o"}',
         '{"\\r":"CR","1":"One","\x80":"C1","\xf6":"o","\u20ac":"Euro Sign","\U0001f600":"Smile","\ufb33":"Dalet"}'),
        ('"e\\u0301"', '"e\u0301"'), ('{"1":1,"10":2,"2":3}', '{"1":1,"10":2,"2":3}'),
        ("[1 , 2\n,\t3]", "[1,2,3]"), ('{"A":1,"a":2,"_":3}', '{"A":1,"_":3,"a":2}'),
    ]  # fmt: skip
    for number, (text, form) in enumerate(forms, 1):
        yield {"name": f"form {number}", "text": text, "expect": "ok", "canonical": base64.b64encode(form.encode()).decode()}
    wrong = [
        "", "nul", "01", "1.", ".5", "+1", "1e", "0x1", "NaN", "-Infinity", "1e400", "9007199254740992", "-9007199254740992",
        "9007199254740991.5e1", "1e16", '"\\ud800"', '"\\udc00\\ud800"', '{"\\ud800":1}', '{"a":1,"a":1}', '{"a":1,"\\u0061":2}',
        "[1,]", '{"a":1,}', "[1] 2", "'a'", '"\n"', '"\\x41"', "{1:2}", "[" * 65 + "]" * 65, "\ufeff[]", "9" * 5000,
    ]  # fmt: skip
    for number, text in enumerate(wrong, 1):
        yield {"name": f"refused {number}", "text": text, "expect": "unreadable"}
    many = base64.b64encode(b"[0,0,0,1,1,1,0.1,0.000001,1e-7,1.5e-7,5e-324,123456789.125,9007199254740991,-1000000000000000,"
                            b"0.30000000000000004,1000]").decode()  # fmt: skip
    yield {"name": "many numbers", "text": NUMBERS, "expect": "ok", "canonical": many}


def key_vectors() -> Iterator[Json]:
    """Yield every vector of `public-keys.jsonl`."""
    prime = 2**255 - 19
    for name in ("root", "key", "old key", "one", "two", "three", "four", "five"):
        yield {"name": f"key {name}", "key": key_named(name).public.raw.hex(), "expect": "ok"}
    for number, raw in enumerate(sorted(small_order_encodings()), 1):
        yield {"name": f"K2 small order {number}", "key": raw.hex(), "expect": "unsafe-key"}
    for y in range(2, 19):
        for sign in (0, 2**255):
            raw = (prime + y | sign).to_bytes(32, "little")
            yield {"name": f"K3 p + {y}{', other sign' if sign else ''}", "key": raw.hex(), "expect": "unsafe-key"}
    for y in (2, 7, 8, 11):
        yield {"name": f"K4 y = {y} is on no point", "key": y.to_bytes(32, "little").hex(), "expect": "unsafe-key"}
    for y in (3, 4, 5, 6):
        yield {"name": f"y = {y}", "key": y.to_bytes(32, "little").hex(), "expect": "ok"}
    raw = KEY.public.raw
    for name, key in {"empty": b"", "31 bytes": raw[:31], "33 bytes": raw + b"\0", "64 bytes": raw + raw}.items():
        yield {"name": f"K1 {name}", "key": key.hex(), "expect": "unsafe-key"}


def signature_vectors() -> Iterator[Json]:
    """Yield every vector of `signatures.jsonl`."""

    def line(name: str, key: bytes, message: bytes, signature: bytes, expect: str) -> Json:
        return {"name": name, "key": key.hex(), "message": message.hex(), "signature": signature.hex(), "expect": expect}

    for length in (0, 1, 63, 64, 65, 500):
        message = bytes(range(250)) * 2
        yield line(f"{length} bytes", KEY.public.raw, message[:length], KEY.sign(message[:length]), "good")
    # RFC 8032 §7.1, test 2
    yield line(
        "RFC 8032 test 2",
        bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
        b"\x72",
        bytes.fromhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        "good",
    )
    message = b"message"
    good = KEY.sign(message)
    number = int.from_bytes(good[32:], "little")
    yield line("S1 empty", KEY.public.raw, message, b"", "bad")
    yield line("S1 63 bytes", KEY.public.raw, message, good[:63], "bad")
    yield line("S1 65 bytes", KEY.public.raw, message, good + b"\0", "bad")
    yield line("S1 two signatures", KEY.public.raw, message, good + good, "bad")
    yield line("S3 plus the order", KEY.public.raw, message, good[:32] + (number + ORDER).to_bytes(32, "little"), "bad")
    yield line("S3 is the order", KEY.public.raw, message, good[:32] + ORDER.to_bytes(32, "little"), "bad")
    yield line("S4 another message", KEY.public.raw, b"massage", good, "bad")
    yield line("S4 another key", OTHER_TEAM.public.raw, message, good, "bad")
    yield line("S4 key of 31 bytes", KEY.public.raw[:31], message, good, "bad")
    yield line("S4 key on no point", (2).to_bytes(32, "little"), message, good, "bad")
    for at in (0, 31, 32, 63):
        yield line(f"S4 bit in byte {at}", KEY.public.raw, message, good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], "bad")
    constant = encode(BASE) + (1).to_bytes(32, "little")  # R = B and S = 1: right wherever [k]A is nothing
    for key in sorted(small_order_encodings()):
        for message in forgeries(key, constant):
            yield line(f"S2 forged for {key.hex()[:8]}…{key.hex()[-2:]}, {message.decode()}", key, message, constant, "bad")
    # R of small order: the holder of a key can make these, for many messages with one nonce of nothing.
    for at in range(3):
        text = f"message {at}".encode()
        yield line(f"S2 R is the identity, {at}", KEY.public.raw, text, _with_identity(KEY, "key", text), "bad")


def forgeries(key: bytes, signature: bytes) -> list[bytes]:
    """List up to two messages of the first hundred that the bare library takes this signature for."""
    taken = []
    for number in range(100):
        message = f"message {number}".encode()
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except (InvalidSignature, ValueError):
            continue
        taken.append(message)
    return taken[:2]


def _with_identity(key: PrivateKey, seed_name: str, message: bytes) -> bytes:
    """Sign with a nonce of zero: R is the identity, and S = k a."""
    digest = bytearray(sha512(seeded(seed_name)).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    secret = int.from_bytes(digest, "little")
    identity = (1).to_bytes(32, "little")
    k = int.from_bytes(sha512(identity + key.public.raw + message).digest(), "little") % ORDER
    signature = identity + (k * secret % ORDER).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(key.public.raw).verify(signature, message)  # the bare library takes it
    return signature


def key_list_vectors() -> Iterator[Json]:
    """Yield every vector of `key-lists.jsonl`."""

    def line(name: str, expect: str, *texts: str) -> Json:
        return {"name": name, "expect": expect, "envelopes": list(texts)}

    first = key_list()
    text = text_of(first.as_json())
    said: Json = json.loads(first.payload)
    yield line("first", "ok", text)
    yield line("first without a key", "ok", text_of(key_list(keys=[]).as_json()))
    full = [a_key(str(number)) for number in range(100)]
    yield line("first with a hundred keys", "ok", text_of(key_list(keys=full).as_json()))
    yield line("longest life", "ok", text_of(key_list(expires_us=ISSUED_US + 399 * DAY_US).as_json()))
    for part in (_list_payloads(said), _list_envelopes(first.as_json(), said), _chains(first.payload, text)):
        for name, expect, *texts in part:
            yield line(name, expect, *texts)


def _list_payloads(said: Json) -> Iterator[tuple[str, ...]]:
    changes: dict[str, Json] = {"more": said | {"x": 1}, "version 2 without prev": said | {"version": 2}}
    for name in said:
        changes[f"without {name}"] = {key: value for key, value in said.items() if key != name}
        for what, value in {"true": True, "an object": {}, "a float": 1.5, "null": None}.items():
            if (name, what) != ("prev", "null"):
                changes[f"{name} is {what}"] = said | {name: value}
    keys: list[Json] = said["keys"]
    wrong: dict[str, list[Any]] = {
        "v": [0, 2], "team": ["", an_id("indicator"), TEAM.upper()], "version": [0, -1, 2**53, 2],
        "prev": ["", "0" * 64, "0" * 63], "root": ["", "0" * 62, said["root"].upper()],
        "issued_at": ["2026-11-21T19:55:39Z", "2099-01-01T00:00:00.000000Z", "2026-11-20T19:55:60.000000Z"],
        "expires_at": [
            said["issued_at"], "2026-11-20T19:55:39.123455Z", "2027-12-25T19:55:39.123457Z", "2099-01-01T00:00:00.000000Z",
        ],
        "keys": [keys[::-1], [keys[0], keys[0]], [keys[0]["key"]], [None], {"x": 1}],
    }  # fmt: skip
    for name, values in wrong.items():
        changes |= {f"{name}, {number}": said | {name: value} for number, value in enumerate(values, 1)}
    good = {"key": OLD_KEY.public.raw.hex(), "status": "active", "reason": "", "compromised_since": None}
    for name in good:
        changes[f"key without {name}"] = said | {"keys": [{key: value for key, value in good.items() if key != name}]}
    since = said["issued_at"]
    entries: list[Json] = [
        {"x": 1}, {"key": ROOT.public.raw.hex()}, {"key": ""}, {"key": OLD_KEY.public.raw.hex().upper()}, {"key": None},
        {"status": "pending"}, {"status": ""}, {"status": "ACTIVE"}, {"status": None}, {"reason": None}, {"reason": "lost"},
        {"reason": "superseded"}, {"reason": "compromised"}, {"compromised_since": since}, {"compromised_since": ""},
        {"status": "retired", "reason": "compromised"}, {"status": "retired", "compromised_since": since},
        {"status": "retired", "reason": "superseded", "compromised_since": since}, {"status": "revoked"},
        {"status": "revoked", "reason": "superseded", "compromised_since": since},
        {"status": "revoked", "reason": "compromised", "compromised_since": "2026-11-20T19:55:39.123457Z"},
        {"status": "revoked", "reason": "compromised", "compromised_since": "2026-11-19"},
        {"status": "revoked", "reason": "compromised", "compromised_since": 0},
    ]  # fmt: skip
    changes |= {f"key, {number}": said | {"keys": [good | entry]} for number, entry in enumerate(entries, 1)}
    crowd = sorted(key_named(str(number)).public.raw.hex() for number in range(101))
    changes["101 keys"] = said | {"keys": [good | {"key": key} for key in crowd]}
    for what, payload in changes.items():
        yield f"L2 {what}", "invalid-key-list", sealed_list(payload)
    data = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    for what, other in {
        "line break": data + b"\n",
        "blanks": text_of(said).encode(),
        "float": data.replace(b'"v":1', b'"v":1.0'),
        "escape": data.replace(b"identity", b"\\u0069dentity"),
        "twice": data.replace(b'"v":1', b'"v":1,"v":1'),
        "no JSON": b"x",
        "too long": data.replace(b'"v":1', b'"v":1' + b" " * 32768),
    }.items():
        yield f"L2 {what}", "invalid-key-list", sealed_list(other)
    for number, raw in enumerate(sorted(small_order_encodings()), 1):
        yield f"L3 key of small order {number}", "unsafe-key", sealed_list(said | {"keys": [good | {"key": raw.hex()}]})
        yield f"L3 root of small order {number}", "unsafe-key", sealed_list(said | {"keys": [], "root": raw.hex()})
    yield "L3 key on no point", "unsafe-key", sealed_list(said | {"keys": [good | {"key": "02" + "0" * 62}]})


def _list_envelopes(good: dict[str, Any], said: Json) -> Iterator[tuple[str, ...]]:
    one = good["signatures"][0]
    for what, envelope in {
        "no JSON": None,
        "E1 more": good | {"x": 1},
        "E2 type of a publication": sealed(said, ROOT, PUBLICATION),
        "E3 line break": good | {"payload": good["payload"] + "\n"},
        "E3 empty": good | {"payload": ""},
        "E4 no signature": good | {"signatures": []},
        "E4 more": good | {"signatures": [one | {"x": 1}]},
        "E5 twice": good | {"signatures": [one, one]},
        "L1 three signatures": sealed(said, ROOT, KEY_LIST, KEY, OTHER_TEAM),
        "a list": [good],
    }.items():
        yield what, "invalid-key-list", "{" if envelope is None else text_of(envelope)
    yield "L4 signed by a key", "bad-signature", sealed_list(said, KEY)
    yield "L4 signed by nobody we know", "bad-signature", sealed_list(said, OTHER_TEAM)
    yield "L4 signed over another type", "bad-signature", text_of(sealed(said, ROOT, PUBLICATION) | {"payloadType": KEY_LIST})
    yield (
        "L4 signature of another list",
        "bad-signature",
        text_of(sealed(said | {"keys": []}, ROOT, KEY_LIST) | {"payload": good["payload"]}),
    )
    yield "L7 signed by a key too", "bad-signature", sealed_list(said, ROOT, KEY)


def _chains(first: bytes, text: str) -> Iterator[tuple[str, ...]]:
    said: Json = json.loads(first)
    keys: list[Json] = said["keys"]
    next_said = said | {"version": 2, "prev": sha256(first).hexdigest()}
    new_root = key_named("new root")
    yield "second, the same keys", "ok", text, sealed_list(next_said)
    unchained: dict[str, Json] = {
        "version 1 again": {"version": 1, "prev": None},
        "version 3": {"version": 3},
        "another hash": {"prev": seeded("x").hex()},
    }
    for what, changes in unchained.items():
        yield f"L5 {what}", "key-list-conflict", text, sealed_list(next_said | changes)
    yield "L5 begins with version 2", "key-list-conflict", sealed_list(next_said)
    yield "L6 another team", "key-list-conflict", text, sealed_list(next_said | {"team": an_id("identity", "other")})
    earlier = {"issued_at": "2026-11-20T19:55:39.123455Z"}
    yield "L6 earlier", "key-list-conflict", text, sealed_list(next_said | earlier)
    rooted = next_said | {"root": new_root.public.raw.hex()}
    yield "new root, signed by both", "ok", text, sealed_list(rooted, new_root, ROOT)
    yield "L7 new root alone", "bad-signature", text, sealed_list(rooted, new_root)
    yield "L4 new root, signed by the old one", "bad-signature", text, sealed_list(rooted, ROOT)
    yield "L7 new root and a key", "bad-signature", text, sealed_list(rooted, new_root, KEY)
    yield "L7 old root signs again", "bad-signature", text, sealed_list(next_said, ROOT, new_root)
    both = json.loads(sealed_list(rooted, new_root, ROOT))
    for one in both["signatures"]:
        if one["keyid"] == ROOT.public.key_id:
            one["sig"] = base64.b64encode(ROOT.sign(pae(PUBLICATION, payload_of(both)))).decode()
    yield "L8 old root signed something else", "bad-signature", text, text_of(both)
    as_key = {"key": ROOT.public.raw.hex(), "status": "active", "reason": "", "compromised_since": None}
    listed = sorted([*keys, as_key], key=lambda key: str(key["key"]))
    yield "L9 root before becomes a key", "key-list-conflict", text, sealed_list(rooted | {"keys": listed}, new_root, ROOT)
    kept = [key for key in keys if key["key"] != KEY.public.raw.hex()]
    rooted_by_key = next_said | {"root": KEY.public.raw.hex(), "keys": kept}
    yield "L9 key becomes the root", "key-list-conflict", text, sealed_list(rooted_by_key, KEY, ROOT)
    for number in range(len(keys)):
        lost = [key for at, key in enumerate(keys) if at != number]
        yield f"L10 key {number} is lost", "key-list-conflict", text, sealed_list(next_said | {"keys": lost})
    yield from _changes()
    third = next_said | {"version": 3, "prev": _digest(next_said)}
    yield "three versions", "ok", text, sealed_list(next_said), sealed_list(third)
    yield (
        "L5 third names the first",
        "key-list-conflict",
        text,
        sealed_list(next_said),
        sealed_list(third | {"prev": sha256(first).hexdigest()}),
    )


def _digest(said: Json) -> str:
    return sha256(payload_of(sealed(said))).hexdigest()


T1, T2 = "2026-11-10T00:00:00.000000Z", "2026-11-11T00:00:00.000000Z"
STATES: dict[str, tuple[str, str, str | None]] = {
    "active": ("active", "", None),
    "retired": ("retired", "", None),
    "retired superseded": ("retired", "superseded", None),
    "superseded": ("revoked", "superseded", None),
    "compromised": ("revoked", "compromised", None),
    "compromised since 1": ("revoked", "compromised", T1),
    "compromised since 2": ("revoked", "compromised", T2),
}
MAY_FOLLOW = {
    "active": set(STATES),
    "retired": {"retired", "superseded", "compromised", "compromised since 1", "compromised since 2"},
    "retired superseded": {"retired superseded", "superseded", "compromised", "compromised since 1", "compromised since 2"},
    "superseded": {"superseded", "compromised", "compromised since 1", "compromised since 2"},
    "compromised": {"compromised", "compromised since 1", "compromised since 2"},
    "compromised since 1": {"compromised since 1"},
    "compromised since 2": {"compromised since 1", "compromised since 2"},
}


def _changes() -> Iterator[tuple[str, ...]]:
    """Every change from every state to every state."""
    base: Json = json.loads(key_list(keys=[]).payload)

    def with_key(said: Json, state: str) -> Json:
        status, reason, since = STATES[state]
        entry = {"key": KEY.public.raw.hex(), "status": status, "reason": reason, "compromised_since": since}
        return said | {"keys": [entry]}

    for before in STATES:
        first = with_key(base, before)
        for after in STATES:
            then = with_key(base | {"version": 2, "prev": _digest(first)}, after)
            expect = "ok" if after in MAY_FOLLOW[before] else "key-list-conflict"
            yield f"L10 {before}, then {after}", expect, sealed_list(first), sealed_list(then)


def possession_vectors() -> Iterator[Json]:
    """Yield every vector of `possessions.jsonl`."""
    challenge = seeded("challenge")
    asked = {"host": HOST, "team": TEAM, "challenge": challenge.hex(), "key": KEY.public.raw.hex()}
    good = prove(HOST, TEAM, challenge, KEY)
    said: Json = json.loads(good.payload)
    wrong = "possession-not-proven"

    def line(name: str, expect: str, envelope: object) -> Json:
        return {"name": name, "expect": expect, "envelope": text_of(envelope), "for": asked}

    yield line("good", "ok", good.as_json())
    for name in said:
        yield line(f"P2 without {name}", wrong, sealed({k: v for k, v in said.items() if k != name}, KEY, POSSESSION))
        yield line(f"P2 {name} is null", wrong, sealed(said | {name: None}, KEY, POSSESSION))
    yield line("P2 more", wrong, sealed(said | {"x": 1}, KEY, POSSESSION))
    yield line("P2 blanks", wrong, sealed(text_of(said).encode(), KEY, POSSESSION))
    yield line("P2 too long", wrong, sealed(good.payload + b" " * 1024, KEY, POSSESSION))
    yield line("P3 another host", wrong, prove(HOST + "x", TEAM, challenge, KEY).as_json())
    yield line("P3 another team", wrong, prove(HOST, an_id("identity", "other"), challenge, KEY).as_json())
    yield line("P3 another challenge", wrong, prove(HOST, TEAM, seeded("other"), KEY).as_json())
    yield line("P3 another key", wrong, prove(HOST, TEAM, challenge, OTHER_TEAM).as_json())
    yield line("P4 signed by another key", wrong, sealed(said, OTHER_TEAM, POSSESSION))
    forged = good.as_json() | {"signatures": [{"keyid": KEY.public.key_id, "sig": base64.b64encode(bytes(64)).decode()}]}
    yield line("P4 zeros", wrong, forged)
    named = good.as_json() | {"signatures": [{"keyid": OTHER_TEAM.public.key_id, "sig": _only_signature(good)}]}
    yield line("P4 under another key id", wrong, named)
    yield line("P1 signed twice", wrong, sealed(said, KEY, POSSESSION, OTHER_TEAM))
    yield line("P1 another type", wrong, sealed(said, KEY, PUBLICATION))
    yield line("P1 another type told", wrong, sealed(said, KEY, PUBLICATION) | {"payloadType": POSSESSION})
    yield line("P1 more", wrong, good.as_json() | {"x": 1})
    yield line("P1 null", wrong, None)


def _only_signature(envelope: Envelope) -> str:
    return base64.b64encode(envelope.signatures[0][1]).decode()


def leaf_vectors() -> Iterator[Json]:
    """Yield every vector of `leaves.jsonl`."""
    for number in (1, 2, 10, 2**53 - 1):
        made = manifest(INDICATOR, ADDRESS, nonce=seeded(f"nonce {number}"))
        payload, blind = payload_of(made["dsse"]), seeded("blind")
        nonce = bytes.fromhex(json.loads(payload)["nonce"])
        leaf = PublicationLeaf(commitment(nonce, sha256(payload).digest()), KEY.public.key_id, tag(blind, number))
        yield {
            "name": f"publication {number}",
            "payload": base64.b64encode(payload).decode(),
            "key": KEY.public.key_id,
            "blind": blind.hex(),
            "number": number,
            "expect": "ok",
            "leaf": base64.b64encode(leaf.write()).decode(),
        }
    yield {
        "name": "key list",
        "envelope": text_of(key_list().as_json()),
        "expect": "ok",
        "leaf": base64.b64encode(KeyLeaf(key_list().as_json()).write()).decode(),
    }
