"""Vectors of publications: a few good ones in many shapes, and hundreds that are wrong in one way each."""

import base64
import json
import unicodedata
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import sha256
from typing import Any

from regcert.signing.dsse import KEY_LIST, POSSESSION, PUBLICATION, pae
from regcert.signing.publication import list_object
from regcert.stix.canonical import canonical_bytes
from tests.signing.scene import (
    ADDRESS,
    COLLECTION,
    HOST,
    INDICATOR,
    ISSUED,
    KEY,
    OLD_KEY,
    OTHER_TEAM,
    ROOT,
    STOLEN_KEY,
    TEAM,
    TLP_GREEN,
    Json,
    an_id,
    envelope_text,
    key_list,
    key_named,
    manifest,
    manifest_around,
    payload_of,
    sealed,
    seeded,
    text_of,
)

ORDER = 2**252 + 27742317777372353535851937790883648493
WIDE: Json = {  # U+10000 sorts before U+E000 by UTF-16 units, and behind it by code points
    "type": "x-wide",
    "id": an_id("x-wide"),
    "\ue000": 1,
    "\U00010000": 2,
    "\ud7ff": 3,
    "name": 'quote " backslash \\ slash / tab \t line \n unit \x1f del \x7f sep \u2028 \U0001f30d',
}
OTHER_TYPES: Json = {"null": None, "number": 1, "list": [], "object": {}, "text": "x"}
NUMBERS = "[0,-0,-0.0,1.0,1e0,10e-1,0.1,1e-6,1e-7,1.5e-7,5e-324,123456789.125,9007199254740991,-1e15,0.30000000000000004,1E3]"


def vectors() -> Iterator[Json]:
    """Yield every vector of `publications.jsonl`."""
    for name, text, known in _good():
        yield _line(name, text, "ok", known)
    for part in (_unreadable, _misbuilt, _enveloped, _payloads, _texts, _bound, _signed, _incomplete, _out_of_order):
        yield from part()


def _line(name: str, text: str | bytes, expect: str, known: Json | None = None) -> Json:
    line: Json = {"name": name, "expect": expect}
    if isinstance(text, str):
        line["envelope"] = text
    else:
        line["envelope_base64"] = base64.b64encode(text).decode()
    return line | ({"for": known} if known else {})


def _both() -> Json:
    return manifest(INDICATOR, ADDRESS)


def _good() -> Iterator[tuple[str, str | bytes, Json | None]]:
    yield "two objects", envelope_text(INDICATOR, ADDRESS, _both()), None
    yield "manifest first", envelope_text(_both(), ADDRESS, INDICATOR), None
    yield "manifest in the middle", envelope_text(ADDRESS, _both(), INDICATOR), None
    yield "bundle", text_of({"type": "bundle", "id": an_id("bundle"), "objects": [INDICATOR, ADDRESS, _both()]}), None
    yield "frame with more and next", text_of({"more": True, "next": "x", "objects": [INDICATOR, ADDRESS, _both()]}), None
    relayed = {"objects": [dict(reversed(one.items())) for one in (INDICATOR, ADDRESS, _both())]}
    yield "properties in another order", text_of(relayed), None
    yield "indented", json.dumps(relayed, indent=3), None
    yield "one observable without a version", envelope_text(ADDRESS, manifest(ADDRESS)), None
    created = ADDRESS | {"created": "2026-11-01T10:00:00+02:00"}
    yield "observable with a version of its own", envelope_text(created, manifest(created)), None
    empty = ADDRESS | {"modified": "", "created": "2026-11-01T10:00:00Z"}
    yield "empty modified", envelope_text(empty, manifest(empty)), None
    older = INDICATOR | {"modified": INDICATOR["created"]}
    yield "two versions of one id", envelope_text(INDICATOR, older, manifest(INDICATOR, older)), None
    yield "wide characters in names and values", envelope_text(WIDE, manifest(WIDE)), None
    yield "the same, escaped", json.dumps({"objects": [WIDE, manifest(WIDE)]}), None
    floats = {"type": "x-floats", "id": an_id("x-floats"), "numbers": json.loads(NUMBERS)}
    yield "floats", envelope_text(floats, manifest(floats)), None
    spelled = text_of({"objects": [floats, manifest(floats)]}).replace(text_of(json.loads(NUMBERS)), NUMBERS)
    yield "floats in other spellings", spelled, None
    markings = [an_id("marking-definition", name) for name in "abc"]
    yield "no markings", envelope_text(INDICATOR, manifest(INDICATOR, markings=[])), None
    yield "three markings", envelope_text(INDICATOR, manifest(INDICATOR, markings=markings)), None
    lowered = manifest(INDICATOR, ADDRESS, declassifies=[INDICATOR["id"]])
    yield "declassified", envelope_text(INDICATOR, ADDRESS, lowered), None
    first = manifest(INDICATOR, seq=1, prev=None)
    yield "first of the team", envelope_text(INDICATOR, first), {"seq": 0, "prev": None}
    last = manifest(INDICATOR, seq=2**53 - 1)
    yield "highest number", envelope_text(INDICATOR, last), {"seq": 2**53 - 2}
    deep: Any = 0
    for _ in range(63):
        deep = [deep]
    deepest = {"type": "x-deep", "id": an_id("x-deep"), "deep": deep}
    yield "64 levels", envelope_text(deepest, manifest(deepest)), None
    many = [ADDRESS | {"id": an_id("ipv4-addr", str(number)), "value": f"203.0.113.{number}"} for number in range(100)]
    yield "a hundred objects", envelope_text(*many, manifest(*many)), None
    proto = {
        "type": "x-proto",
        "id": an_id("x-proto"),
        "__proto__": {"constructor": None},
        "": [],
        "true": True,
        "deep": {"": {}},
    }
    yield "odd names", envelope_text(proto, manifest(proto)), None


def _unreadable() -> Iterator[Json]:
    text = envelope_text(INDICATOR, ADDRESS, _both())
    name = '"name": "C2 of Bora"'
    assert name in text
    wrong: dict[str, str | bytes] = {
        "no JSON": "nothing",
        "empty": "",
        "a list": text_of([INDICATOR]),
        "cut": text[:-1],
        "something behind": text + "x",
        "two values": text + text,
        "comma at the end": text[:-2] + ",]}",
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "overlong UTF-8": text.replace("Bora", "B@ra").encode().replace(b"@", b"\xc0\xaf"),
        "lone byte": text.replace("Bora", "B@ra").encode().replace(b"@", b"\xff"),
        "half of a surrogate pair": text.replace("Bora", "\\ud800"),
        "the other half": text.replace("Bora", "\\udc00x"),
        "surrogates in UTF-8": text.replace("Bora", "B@ra").encode().replace(b"@", b"\xed\xa0\x80"),
        "property twice": text.replace(name, f"{name}, {name}"),
        "property twice with another value": text.replace(name, f'{name}, "name": "x"'),
        "property twice, escaped": text.replace(name, f'{name}, "n\\u0061me": "x"'),
        "id twice": text.replace('"id"', '"id": "x", "id"', 1),
        "objects twice": text[:-1] + ', "objects": []}',
        "member of dsse twice": text.replace('"payloadType"', '"payloadType": "x", "payloadType"'),
        "NaN": text.replace(name, f'{name}, "x": NaN'),
        "infinity": text.replace(name, f'{name}, "x": -Infinity'),
        "1e400": text.replace(name, f'{name}, "x": 1e400'),
        "2^53": text.replace(name, f'{name}, "x": 9007199254740992'),
        "-2^53": text.replace(name, f'{name}, "x": -9007199254740992'),
        "2^53 as a float": text.replace(name, f'{name}, "x": 9007199254740992.0'),
        "hundred digits": text.replace(name, f'{name}, "x": {"1" * 100}'),
        "leading zero": text.replace(name, f'{name}, "x": 01'),
        "hexadecimal": text.replace(name, f'{name}, "x": 0x1'),
        "raw line break in a text": text.replace("Bora", "Bo\nra"),
        "raw zero in a text": text.replace("Bora", "Bo\0ra"),
        "unknown escape": text.replace("Bora", "Bo\\qra"),
        "single quotes": text.replace('"type"', "'type'", 1),
        "comment": text.replace("{", "{/* */", 1),
        "65 levels": text.replace(name, f'{name}, "x": {"[" * 64}{"]" * 64}'),
        "65 levels of objects": text.replace(name, f'{name}, "x": ' + '{"a":' * 64 + "1" + "}" * 64),
        "an element that is no object": text.replace("[", "[1, ", 1),
        "objects is no list": text_of({"objects": INDICATOR}),
    }
    for what, body in wrong.items():
        yield _line(f"M1 {what}", body, "unreadable")


def _misbuilt() -> Iterator[Json]:
    two = _both()
    other = manifest(INDICATOR, ADDRESS, manifest_id=an_id("publication-manifest", "other"))
    invalid = "invalid-manifest"
    yield _line("M2 no manifest", envelope_text(INDICATOR, ADDRESS), invalid)
    yield _line("M2 no objects", "{}", invalid)
    yield _line("M2 empty list of objects", '{"objects": []}', invalid)
    yield _line("M2 two manifests", envelope_text(INDICATOR, ADDRESS, two, other), invalid)
    yield _line("M2 the same manifest twice", envelope_text(INDICATOR, ADDRESS, two, two), invalid)
    for name in two:
        without = {key: value for key, value in two.items() if key != name}
        yield _line(f"M3 without {name}", envelope_text(INDICATOR, ADDRESS, without), invalid)
        if name != "type":
            for what, value in OTHER_TYPES.items():
                yield _line(f"M3 {name} is {what}", envelope_text(INDICATOR, ADDRESS, two | {name: value}), invalid)
    more: dict[str, Any] = {
        "revoked": False, "name": "x", "confidence": 50, "x_note": "x", "lang": "en", "labels": ["x"], "defanged": False,
    }  # fmt: skip
    for name, value in more.items():
        yield _line(f"M3 with {name}", envelope_text(INDICATOR, ADDRESS, two | {name: value}), invalid)
    changed: dict[str, Json] = {
        "spec_version": {"spec_version": "2.0"},
        "id": {"id": an_id("publication-manifest", "other")},
        "created": {"created": "2026-11-21T19:55:39.123457Z"},
        "created in another spelling": {"created": "2026-11-21T19:55:39.123456000Z"},
        "modified": {"modified": "2026-11-21T19:55:40.123456Z"},
        "team": {"created_by_ref": an_id("identity", "other")},
        "marking": {"object_marking_refs": [an_id("marking-definition")]},
        "marking twice": {"object_marking_refs": [TLP_GREEN, TLP_GREEN]},
        "extension type": {"extensions": {next(iter(two["extensions"])): {"extension_type": "new-sco"}}},
        "extension with more": {"extensions": {next(iter(two["extensions"])): {"extension_type": "new-sdo", "x": 1}}},
        "another extension": {"extensions": {an_id("extension-definition"): {"extension_type": "new-sdo"}}},
        "two extensions": {"extensions": two["extensions"] | {an_id("extension-definition"): {"extension_type": "new-sdo"}}},
    }
    for what, value in changed.items():
        yield _line(f"M6 another {what}", envelope_text(INDICATOR, ADDRESS, two | value), invalid)
    upper = {"TYPE" if name == "type" else name: value for name, value in two.items()}
    yield _line("M2 type in capitals", envelope_text(INDICATOR, ADDRESS, upper), invalid)


def _enveloped() -> Iterator[Json]:
    """E1 to E5: each envelope says the same, or nothing, in a way that is not the one."""
    two = _both()
    good: Json = two["dsse"]
    one: Json = good["signatures"][0]
    payload: str = good["payload"]
    again = sealed(payload_of(good), OLD_KEY)["signatures"][0]
    pair = sorted([one, again], key=lambda signature: str(signature["keyid"]))
    wrong: dict[str, Json] = {
        "E1 more": good | {"x": 1},
        "E1 no payload type": {name: value for name, value in good.items() if name != "payloadType"},
        "E1 no payload": {name: value for name, value in good.items() if name != "payload"},
        "E1 no signatures": {name: value for name, value in good.items() if name != "signatures"},
        "E2 type of a key list": good | {"payloadType": KEY_LIST},
        "E2 type of a possession": good | {"payloadType": POSSESSION},
        "E2 type without a blank": good | {"payloadType": PUBLICATION.replace(" ", "")},
        "E2 type in capitals": good | {"payloadType": PUBLICATION.upper()},
        "E2 type of the next version": good | {"payloadType": PUBLICATION.replace("1", "2")},
        "E2 type of in-toto": good | {"payloadType": "application/vnd.in-toto+json"},
        "E2 empty type": good | {"payloadType": ""},
        "E2 type is null": good | {"payloadType": None},
        "E3 empty payload": good | {"payload": ""},
        "E3 payload is null": good | {"payload": None},
        "E3 payload as an object": good | {"payload": json.loads(payload_of(good))},
        "E3 payload in clear": good | {"payload": payload_of(good).decode()},
        "E3 line break": good | {"payload": payload[:76] + "\n" + payload[76:]},
        "E3 line break at the end": good | {"payload": payload + "\n"},
        "E3 blank in front": good | {"payload": " " + payload},
        "E3 padding too much": good | {"payload": payload + "="},
        "E3 padding within": good | {"payload": "YQ==" + payload},
        "E3 one character less": good | {"payload": payload[:-1]},
        "E3 no base64": good | {"payload": "*" + payload[1:]},
        "E3 letters beyond ASCII": good | {"payload": "\u0661" + payload[1:]},
        "E4 no signature": good | {"signatures": []},
        "E4 signatures is an object": good | {"signatures": one},
        "E4 signature is null": good | {"signatures": [None]},
        "E4 signature with more": good | {"signatures": [one | {"x": 1}]},
        "E4 signature with an algorithm": good | {"signatures": [one | {"alg": "none"}]},
        "E4 no key id": good | {"signatures": [{"sig": one["sig"]}]},
        "E4 no sig": good | {"signatures": [{"keyid": one["keyid"]}]},
        "E4 key id in capitals": good | {"signatures": [one | {"keyid": one["keyid"].upper()}]},
        "E4 short key id": good | {"signatures": [one | {"keyid": one["keyid"][:16]}]},
        "E4 empty key id": good | {"signatures": [one | {"keyid": ""}]},
        "E4 key id with a line break": good | {"signatures": [one | {"keyid": one["keyid"] + "\n"}]},
        "E4 key id is a number": good | {"signatures": [one | {"keyid": 0}]},
        "E4 sig without padding": good | {"signatures": [one | {"sig": one["sig"].rstrip("=")}]},
        "E4 sig in hexadecimal": good | {"signatures": [one | {"sig": base64.b64decode(one["sig"]).hex()}]},
        "E4 sig of 63 bytes": good
        | {"signatures": [one | {"sig": base64.b64encode(base64.b64decode(one["sig"])[:63]).decode()}]},
        "E4 sig of 65 bytes": good
        | {"signatures": [one | {"sig": base64.b64encode(base64.b64decode(one["sig"]) + b"x").decode()}]},
        "E4 sig is null": good | {"signatures": [one | {"sig": None}]},
        "E5 the same signature twice": good | {"signatures": [one, one]},
        "E5 two in the wrong order": good | {"signatures": pair[::-1]},
        "M4 two signatures": good | {"signatures": pair},
        "M4 nine signatures": good | {"signatures": [one | {"keyid": seeded(str(number)).hex()} for number in range(9)]},
    }
    loose = base64.b64encode(base64.b64decode(one["sig"])).decode()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = loose[:-3] + letters[letters.index(loose[-3]) + 1] + "=="
    wrong["E4 sig with unused bits"] = good | {"signatures": [one | {"sig": loose}]}
    # This payload has two kinds of base64, and one byte behind the last three.
    odd = manifest_around(json.loads(payload_of(good)) | {"host": "regcert/~~~???>>>"})["dsse"]
    wrong["E3 the other alphabet"] = odd | {"payload": odd["payload"].replace("+", "-").replace("/", "_")}
    for what, envelope in wrong.items():
        yield _line(what, envelope_text(INDICATOR, ADDRESS, two | {"dsse": envelope}), "invalid-manifest")


def _said() -> Json:
    return dict(json.loads(payload_of(_both()["dsse"])))


def _row(at: int, value: Any) -> Json:
    """Say something else of the one object that is listed."""
    said = _said()
    row = [*said["objects"][0]]
    row[at] = value
    return said | {"objects": [row]}


def _payloads() -> Iterator[Json]:
    """M5: payloads that hold what they must not, each signed well."""
    said = _said()
    rows: list[Any] = said["objects"]
    names = [an_id("marking-definition", f"{number:03}") for number in range(21)]
    changes: dict[str, Json] = {}
    for name in said:
        changes[f"without {name}"] = {key: value for key, value in said.items() if key != name}
        for what, value in {"true": True, "an object": {}, "a float": 1.5}.items():
            changes[f"{name} is {what}"] = said | {name: value}
        if name != "prev":
            changes[f"{name} is null"] = said | {name: None}
    wrong: dict[str, list[Any]] = {
        "v": [0, 2, "1"],
        "id": ["", said["id"].upper(), an_id("indicator"), said["id"] + "\n", said["id"].replace("-4", "-1", 1), "x"],
        "host": ["", "a b", "a+b", "x" * 201, "caf\u00e9", HOST + "\n"],
        "collection": ["", COLLECTION.upper(), "{" + COLLECTION + "}", COLLECTION.replace("-", ""), "indicators"],
        "team": ["", "identity--x", an_id("indicator"), TEAM.upper(), TEAM + " "],
        "seq": [0, -1, 2**53, 1, "5"],
        "prev": [None, "", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 62 + " 0"],
        "issued_at": [
            "", "2026-11-21T19:55:39Z", "2026-11-21T19:55:39.123Z", "2026-11-21T19:55:39.1234567Z",
            "2026-11-21T19:55:39.123456+00:00",
            "2026-11-21t19:55:39.123456z", "2026-02-30T19:55:39.123456Z", "2026-11-21T24:00:00.000000Z",
            "2026-11-21T23:59:60.000000Z",
            "0000-01-01T00:00:00.000000Z", "2026-11-21 19:55:39.123456Z", "12026-11-21T19:55:39.123456Z",
            "\u0662026-11-21T19:55:39.123456Z",
        ],
        "nonce": ["", "0" * 62, "0" * 66, "F" * 64, said["nonce"][:-1] + "\n"],
        "markings": [[1], ["x"], [an_id("indicator")], [TLP_GREEN, TLP_GREEN], sorted(names[:3])[::-1], sorted(names)],
        "objects": [[], [[]], rows[0], [rows[0], rows[0]], rows[::-1], [rows[0][:2], rows[1]], [[*rows[0], 1], rows[1]]],
        "declassifies": [
            [1], ["x"], [an_id("indicator", "two")], [INDICATOR["id"], INDICATOR["id"]], [ADDRESS["id"], INDICATOR["id"]],
            [said["id"]],
        ],
    }  # fmt: skip
    for name, values in wrong.items():
        changes |= {f"{name}, {number}": said | {name: value} for number, value in enumerate(values, 1)}
    ids = [
        None,
        1,
        "",
        "x",
        "Indicator--" + INDICATOR["id"][11:],
        INDICATOR["id"].upper(),
        said["id"],
        an_id("x" * 251),
        "a--" + TEAM[10:],
    ]
    changes |= {f"id of an object, {number}": _row(0, value) for number, value in enumerate(ids, 1)}
    versions = [1, "", "yesterday", "2" * 65, "2026-11-21T08:00:00.000Z\n", ["2026"], False, "\u0662026"]
    changes |= {f"version of an object, {number}": _row(1, value) for number, value in enumerate(versions, 1)}
    hashes = [None, 1, "", rows[0][2].upper(), rows[0][2][:-1], rows[0][2] + "0", base64.b64encode(bytes(32)).decode()]
    changes |= {f"hash of an object, {number}": _row(2, value) for number, value in enumerate(hashes, 1)}
    for what, listed in {"itself": said["id"], "another manifest": an_id("publication-manifest", "other")}.items():
        changes[f"lists {what}"] = said | {"objects": [*rows, [listed, ISSUED, rows[0][2]]]}
    changes["more"] = said | {"x": 1}
    changes["first has a hash before it"] = said | {"seq": 1}
    for what, payload in changes.items():
        yield _line(f"M5 {what}", envelope_text(INDICATOR, ADDRESS, manifest_around(payload)), "invalid-manifest")


def _texts() -> Iterator[Json]:
    """M5: payloads that say what they should, in other bytes than the canonical ones."""
    data = payload_of(_both()["dsse"])
    text = data.decode()
    other: dict[str, bytes] = {
        "blank at the end": data + b" ",
        "line break at the end": data + b"\n",
        "blank in front": b" " + data,
        "byte order mark": b"\xef\xbb\xbf" + data,
        "blanks between": text_of(json.loads(text)).encode(),
        "another order": json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")).encode(),
        "number with a point": data.replace(b'"v":1', b'"v":1.0'),
        "number with an exponent": data.replace(b'"v":1', b'"v":1e0'),
        "sequence with a point": data.replace(b'"seq":5', b'"seq":5.0'),
        "escaped letter": data.replace(b"indicator", b"\\u0069ndicator", 1),
        "escaped slash": data.replace(b"regcert/", b"regcert\\/"),
        "escaped name": data.replace(b'"seq"', b'"s\\u0065q"'),
        "member twice": data.replace(b'"seq":5', b'"seq":5,"seq":5'),
        "member twice, another first": data.replace(b'"seq":5', b'"seq":4,"seq":5'),
        "zero byte at the end": data + b"\0",
        "twice": data + data,
        "UTF-16": text.encode("utf-16"),
        "not UTF-8": data.replace(b"regcert/", b"regcert\xff"),
        "no JSON": b"x",
        "null": b"null",
        "a list": b"[" + data + b"]",
        "a text": canonical_bytes(text),
        "deep": b"[" * 100_000,
        "deep member": data.replace(b'"v":1', b'"v":' + b"[" * 5000 + b"]" * 5000),
        "true for one": data.replace(b'"v":1', b'"v":true'),
    }
    for what, payload in other.items():
        if what != "deep":  # 100,000 brackets would be most of the file
            around = manifest_around(json.loads(text)) | {"dsse": sealed(payload)}
            yield _line(f"M5 {what}", envelope_text(INDICATOR, ADDRESS, around), "invalid-manifest")


def _bound() -> Iterator[Json]:
    elsewhere: dict[str, Json] = {
        "host": {"host": "regcert/balkan/fedcba9876543210"},
        "host in capitals": {"host": HOST.upper()},
        "collection": {"collection": an_id("collection", "other").removeprefix("collection--")},
        "team": {"team": an_id("identity", "other")},
    }
    for what, changes in elsewhere.items():
        yield _line(
            f"M7 another {what}", envelope_text(INDICATOR, ADDRESS, manifest(INDICATOR, ADDRESS, **changes)), "wrong-binding"
        )
    text = envelope_text(INDICATOR, ADDRESS, _both())
    for what, known in elsewhere.items():
        yield _line(f"M7 shown to another {what}", text, "wrong-binding", known)


def _signed() -> Iterator[Json]:
    def line(name: str, expect: str, made: Json, known: Json | None = None) -> Json:
        return _line(name, envelope_text(INDICATOR, ADDRESS, made), expect, known)

    for name, key in {"another team": OTHER_TEAM, "the root": ROOT, "nobody": key_named("nobody")}.items():
        yield line(f"M8 signed by {name}", "unknown-key", manifest(INDICATOR, ADDRESS, key=key))
    yield line("M9 signed by a retired key", "key-not-active", manifest(INDICATOR, ADDRESS, key=OLD_KEY))
    yield line("M9 signed by a revoked key", "key-not-active", manifest(INDICATOR, ADDRESS, key=STOLEN_KEY))
    two = _both()
    late = {"now": "2027-03-01T19:55:39.123456Z"}
    yield line("M9 the list expires now", "key-not-active", two, late)
    yield line("M9 the list has expired", "key-not-active", two, {"now": "2036-01-01T00:00:00.000000Z"})
    yield line("M9 the list expires in a microsecond", "ok", two, {"now": "2027-03-01T19:55:39.123455Z"})
    nobody = text_of(key_list(keys=[]).as_json())
    yield line("M8 the team has no key", "unknown-key", two, {"key_list": nobody})
    payload = payload_of(two["dsse"])
    message = pae(PUBLICATION, payload)
    good = KEY.sign(message)
    number = int.from_bytes(good[32:], "little")
    forged: dict[str, bytes] = {
        "of zeros": bytes(64),
        "of ones": b"\xff" * 64,
        "by another key": OTHER_TEAM.sign(message),
        "of the payload alone": KEY.sign(payload),
        "of the payload in base64": KEY.sign(base64.b64encode(payload)),
        "for a key list": KEY.sign(pae(KEY_LIST, payload)),
        "for a possession": KEY.sign(pae(POSSESSION, payload)),
        "of another payload": KEY.sign(pae(PUBLICATION, payload + b" ")),
        "of the hash of the payload": KEY.sign(pae(PUBLICATION, seeded("x"))),
        "plus the order": good[:32] + (number + ORDER).to_bytes(32, "little"),
        "minus the order": good[:32] + ((ORDER - number) % ORDER).to_bytes(32, "little"),
        "with the halves swapped": good[32:] + good[:32],
        "with R of order one": bytes([1]) + bytes(31) + good[32:],
        "with R of zeros": bytes(32) + good[32:],
        "with the sign of R changed": good[:31] + bytes([good[31] ^ 0x80]) + good[32:],
        "with a high bit in S": good[:63] + bytes([good[63] | 0x80]),
    }
    for at in range(0, 64, 8):
        forged[f"with a bit changed in byte {at}"] = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    for what, signature in forged.items():
        changed = deepcopy(two)
        changed["dsse"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
        yield line(f"M10 signature {what}", "bad-signature", changed)
    # Another payload under the old signature, everything else made to fit.
    for what, changes in {
        "nonce": {"nonce": seeded("other").hex()},
        "sequence": {"seq": 6},
        "objects": {"objects": json.loads(payload)["objects"][:1]},
        "time": {"issued_at": "2026-11-21T19:55:39.123457Z"},
        "declassification": {"declassifies": [INDICATOR["id"]]},
        "marking": {"markings": []},
    }.items():
        changed = manifest_around(json.loads(payload) | changes)
        changed["dsse"]["signatures"] = two["dsse"]["signatures"]
        yield line(f"M10 another {what} under the signature", "bad-signature", changed)


def _incomplete() -> Iterator[Json]:
    two = _both()
    wrong: dict[str, list[Json]] = {
        "indicator missing": [ADDRESS],
        "address missing": [INDICATOR],
        "all missing": [],
        "one more": [INDICATOR, ADDRESS, WIDE],
        "one twice": [INDICATOR, ADDRESS, ADDRESS],
        "one instead of another": [INDICATOR, INDICATOR],
        "another address": [INDICATOR, ADDRESS | {"value": "198.51.100.8"}],
        "another id": [INDICATOR, ADDRESS | {"id": an_id("ipv4-addr", "two")}],
        "id exchanged": [INDICATOR | {"id": ADDRESS["id"]}, ADDRESS | {"id": INDICATOR["id"]}],
    }
    changes: dict[str, Callable[[Json], Json]] = {
        "version": lambda one: one | {"modified": "2026-11-21T08:00:01.000Z"},
        "version in another spelling": lambda one: one | {"modified": "2026-11-21T08:00:00Z"},
        "version of before": lambda one: one | {"modified": one["created"]},
        "no version": lambda one: {key: value for key, value in one.items() if key != "modified"},
        "name": lambda one: one | {"name": "C2 of Boras"},
        "name in another case": lambda one: one | {"name": "c2 of Bora"},
        "name with a blank": lambda one: one | {"name": "C2 of Bora "},
        "pattern": lambda one: one | {"pattern": "[domain-name:value = 'bank.example']"},
        "marking": lambda one: one | {"object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]},
        "no marking": lambda one: {key: value for key, value in one.items() if key != "object_marking_refs"},
        "author": lambda one: one | {"created_by_ref": an_id("identity", "other")},
        "revoked": lambda one: one | {"revoked": True},
        "not revoked": lambda one: one | {"revoked": False},
        "confidence": lambda one: one | {"confidence": 0},
        "property of the host": lambda one: one | {"x_date_added": "2026-11-21T19:56:00Z"},
        "null": lambda one: one | {"description": None},
    }
    for what, change in changes.items():
        wrong[f"changed {what}"] = [change(INDICATOR), ADDRESS]
    for what, objects in wrong.items():
        yield _line(f"M11 {what}", envelope_text(*objects, two), "manifest-mismatch")
    yield from _different_values()


def _different_values() -> Iterator[Json]:
    """Values that some readers take for the same, and that are not."""
    pairs: dict[str, tuple[Any, Any]] = {
        "one and true": (1, True),
        "zero and false": (0, False),
        "null and false": (None, False),
        "one and its text": (1, "1"),
        "0.1 and the next double": (0.1, 0.10000000000000002),
        "2^53 - 1 and 2^53 - 2": (2**53 - 1, 2**53 - 2),
        "composed and decomposed": (unicodedata.normalize("NFC", "\u00e9"), unicodedata.normalize("NFD", "\u00e9")),
        "Latin and Cyrillic": ("a", "\u0430"),
        "empty list and object": ([], {}),
        "order of a list": ([1, 2], [2, 1]),
        "nested list": ([[1], 2], [1, [2]]),
        "line ends": ("a\nb", "a\r\nb"),
        "zero at the end": ("a", "a\0"),
        "escape and its letters": ("\n", "\\n"),
    }
    for what, (signed, shown) in pairs.items():
        one, other = ({"type": "x-value", "id": an_id("x-value"), "value": value} for value in (signed, shown))
        yield _line(f"M11 {what}", envelope_text(other, manifest(one)), "manifest-mismatch")
    renamed = {"type": "x-value", "id": an_id("x-value"), "Value": 1}
    signed = {"type": "x-value", "id": an_id("x-value"), "value": 1}
    yield _line("M11 name in another case", envelope_text(renamed, manifest(signed)), "manifest-mismatch")
    naive = list_object(WIDE)
    by_code_point = json.dumps(WIDE, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    wrong = type(naive)(naive.stix_id, naive.version, sha256(by_code_point).digest())
    yield _line("M11 hash over keys by code point", envelope_text(WIDE, manifest(objects=[wrong])), "manifest-mismatch")
    as_sent = type(naive)(ADDRESS["id"], None, sha256(text_of(ADDRESS).encode()).digest())
    yield _line("M11 hash of the bytes that were sent", envelope_text(ADDRESS, manifest(objects=[as_sent])), "manifest-mismatch")


def _out_of_order() -> Iterator[Json]:
    text = envelope_text(INDICATOR, ADDRESS, _both())
    known_otherwise: dict[str, Json] = {
        "skips one": {"seq": 3},
        "repeats the last": {"seq": 5},
        "is long gone": {"seq": 1000},
        "is first nowhere": {"seq": 0, "prev": None},
        "follows another": {"prev": seeded("another").hex()},
        "follows nothing": {"prev": None},
    }
    for what, known in known_otherwise.items():
        yield _line(f"M12 {what}", text, "out-of-sequence", known)
    far = manifest(INDICATOR, seq=2**53 - 1)
    yield _line("M12 jumps to the end", envelope_text(INDICATOR, far), "out-of-sequence")
    first = manifest(INDICATOR, seq=1, prev=None)
    yield _line("M12 begins again", envelope_text(INDICATOR, first), "out-of-sequence")
    own = manifest(INDICATOR, seq=6, prev=seeded("publication 4"))
    yield _line("M12 skips one and names the last", envelope_text(INDICATOR, own), "out-of-sequence")
