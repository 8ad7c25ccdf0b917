"""How a right value is made wrong in one place: a value in a tree of JSON, or a byte in a text."""

import random
from typing import Any

SCRAPS: tuple[Any, ...] = (
    None, True, 0, -1, 2**53, 2**63, 1.5, "", "x" * 300, "\0", "\u202e\U000e0041", "\u0301" * 500, [], {}, "indicator",
    "[a:b = 1]", "::",
    "2026-11-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:60+14:00",
    "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
    "198.51.100.3/33", "hxxp://[.]", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "{{7*7}}", "'; --",
    [[[[]]]], {"": {"": ""}},
    "identity--f2f9f96f-6ede-4717-aa13-93255cb41a11", "[file:name MATCHES '(a+)+$']", "xn--\u00df", "../../x", "٣",
)  # fmt: skip
_NAMES = (
    "type", "pattern", "pattern_type", "spec_version", "object_marking_refs", "granular_markings", "value", "indicator",
    "kind", "count",
    "first_seen", "last_seen", "sector", "report_id", "collection", "created_by_ref", "hashes", "definition", "source_ref",
    "target_ref",
    "sighting_of_ref", "object_refs", "valid_from", "revoked", "extensions", "labels", "confidence", "lang",
    "external_references", "id",
    "created", "modified", "where_sighted_refs", "observed_data_refs", "published", "name",
)  # fmt: skip
# What is not UTF-8 JSON any more, or what two readers would read differently.
_SPLINTERS = (
    b"", b"\xff", b"\\ud800", b'"', b"\x00", b"NaN", b"1e999", b"-", b"{", b"[", b"]", b"}", b",", b"\\", b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"9" * 400, b"[" * 200, b'{"a":' * 200, b'"id":"x",', b'"\\u0069d":1,', b"/*", b"\r\n\r\n", b" " * 1000,
)  # fmt: skip


def spoil_value(chance: random.Random, value: Any) -> Any:
    """Change one to three places of a JSON object."""
    if not isinstance(value, dict):
        return chance.choice(SCRAPS)
    spoilt = dict(value)
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice([*spoilt, *_NAMES])
        way = chance.random()
        if way < 0.15:
            spoilt.pop(name, None)
        elif way < 0.3:
            spoilt[name] = [chance.choice(SCRAPS), spoilt.get(name)]
        elif way < 0.4:
            spoilt[name] = {chance.choice(_NAMES): chance.choice(SCRAPS)}
        else:
            spoilt[name] = chance.choice(SCRAPS)
    return spoilt


def spoil_bytes(chance: random.Random, text: bytes, likelihood: float) -> bytes:
    """Cut, change or lengthen a text in one place, or leave it as it is."""
    if not text or chance.random() > likelihood:
        return text
    place = chance.randrange(len(text))
    way = chance.random()
    if way < 0.2:
        return text[:place]
    if way < 0.4:
        return text[:place] + bytes([text[place] ^ (1 << chance.randrange(8))]) + text[place + 1 :]
    if way < 0.5:
        return text + chance.choice(_SPLINTERS)
    return text[:place] + chance.choice(_SPLINTERS) + text[place + chance.randrange(2) :]
