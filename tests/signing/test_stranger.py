"""The verifier that shares no code with RegCERT agrees with it on whatever comes, and neither takes what was changed."""

import ast
import json
import random
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.signing.verdict import Finding
from regcert.stix.canonical import canonical_bytes
from tests.signing import ours, stranger
from tests.signing.scene import INDICATOR, KNOWN, an_id, envelope_text, manifest

MUTATIONS = 10_000
PAGE = Path(__file__).resolve().parents[2] / "docs" / "transparency-log.md"
NOTED = {"type": "x-note", "id": an_id("x-note"), "n": 0.25, "list": [1, True, None, "a", {"b": []}], "\u00e9": '\U0001f30d \\ "'}


def test_stranger_is_one_file_that_needs_nothing_of_ours() -> None:
    """The standard library and cryptography; with our canonical form or our JSON reader it would be no second opinion."""
    tree = ast.parse(Path(stranger.__file__).read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    standard = {"base64", "datetime", "functools", "hashlib", "hmac", "itertools", "json", "math", "re", "typing"}
    assert {name for name in names if not name.startswith("cryptography.")} == standard


# --- 10,000 changes to one good publication


def meaning(value: Any) -> Any:
    """Return what a JSON value means, in a form that can be compared: numbers by value, true apart from one, names in order."""
    if isinstance(value, dict):
        return "object", tuple(sorted((name, meaning(item)) for name, item in value.items()))
    if isinstance(value, list):
        return "list", tuple(meaning(item) for item in value)
    if isinstance(value, bool) or value is None:
        return "word", str(value)
    return ("text", value) if isinstance(value, str) else ("number", str(float(value)).replace("-0.0", "0.0"))


def objects_in(text: bytes) -> Any:
    """Return what the objects of an envelope mean, in whatever order they stand; None where that cannot be told."""
    try:
        frame = json.loads(text)
        return sorted(map(repr, map(meaning, frame["objects"])))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def change_bytes(text: bytes, chance: random.Random) -> bytes:
    """Change the text somewhere: a bit, a byte more or less, a stretch twice or somewhere else."""
    at, to = sorted(chance.randrange(len(text)) for _ in range(2))
    stretch = text[at : min(to, at + chance.choice((1, 2, 8, 64)))]
    match chance.randrange(7):
        case 0:
            return text[:at] + bytes([text[at] ^ 1 << chance.randrange(8)]) + text[at + 1 :]
        case 1:
            return text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :]
        case 2:
            return text[:at] + bytes([chance.choice(b'"\\{}[],:0123456789 tfn.-+eE/=')]) + text[at:]
        case 3:
            return text[:at] + text[at + 1 :]
        case 4:
            return text[:at] + stretch + text[at:]
        case 5:
            return text[:at] + stretch[::-1] + text[at + len(stretch) :]
        case _:
            return text[:at] + text[at + len(stretch) :]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to every value within."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def change_structure(text: bytes, chance: random.Random) -> bytes:
    """Change what the objects say: a value is gone, another one, of another type, twice, or exchanged with a neighbour."""
    frame = json.loads(text)
    *way, last = chance.choice([path for path in places(frame["objects"]) if path])
    holder = frame["objects"]
    for step in way:
        holder = holder[step]
    old = holder[last]
    match chance.randrange(6):
        case 0:
            del holder[last]
        case 1:
            holder[last] = chance.choice((None, True, 0, "", [], {}, 1.5, "x", -1, [old], {"x": old}))
        case 2:
            holder[last] = old[:-1] if isinstance(old, str | list) else 1
        case 3 if isinstance(old, str):
            holder[last] = chance.choice((old.upper(), old + " ", old + "\u0301", old[::-1], old + old))
        case 4 if isinstance(holder, list):
            holder.insert(last, chance.choice((old, None, {})))
        case 4:
            holder[chance.choice(("x", last + "x", last.upper()))] = old
        case _:
            other = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            holder[last], holder[other] = holder[other], old
    return json.dumps(frame).encode()


def said_by_stranger(text: bytes) -> str:
    try:
        stranger.check_publication(text, KNOWN)
    except stranger.No as no:
        return str(no.args[0])
    return "ok"


def test_no_change_of_a_publication_is_taken() -> None:
    """Ten thousand changes of the text and of what it says: none passes either verifier, and they say no for the same reason."""
    chance = random.Random(20261121)
    good = envelope_text(INDICATOR, NOTED, manifest(INDICATOR, NOTED)).encode()
    assert ours.check_publication(good, KNOWN)[1] == "ok"
    meant, tried, told = objects_in(good), 0, set()
    while tried < MUTATIONS:
        change = change_bytes if tried % 2 else change_structure
        changed = change(good, chance)
        if objects_in(changed) == meant:
            continue
        tried += 1
        _, one = ours.check_publication(changed, KNOWN)
        assert one != "ok", changed
        assert said_by_stranger(changed) == one, changed
        told.add(one)
    assert told >= {"unreadable", "invalid-manifest", "manifest-mismatch", "bad-signature", "unknown-key"}


def test_change_that_means_the_same_is_taken() -> None:
    """The test above looks at meaning: another order, blanks, escapes and spellings of a number are no change."""
    frame = json.loads(envelope_text(INDICATOR, NOTED, manifest(INDICATOR, NOTED)))
    for text in (
        json.dumps(frame, indent=7, sort_keys=True),
        json.dumps({"objects": frame["objects"][::-1]}, ensure_ascii=False),
        json.dumps(frame).replace("0.25", "2.5e-1").replace('"x-note"', '"\\u0078-note"'),
    ):
        assert ours.check_publication(text.encode(), KNOWN)[1] == "ok"
        stranger.check_publication(text.encode(), KNOWN)


# --- the canonical form, and the verdict, on whatever comes

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_canonical_form_is_the_same_by_two_hands(value: Any) -> None:
    assert stranger.canonical(value) == canonical_bytes(value)
    assert meaning(stranger.parse(stranger.canonical(value))) == meaning(value)


@settings(max_examples=300, deadline=None)
@given(st.floats(min_value=0, max_value=2.0**53 - 1) | st.floats(min_value=0, max_value=1e-4))
def test_number_is_written_the_same_by_two_hands(value: float) -> None:
    written = stranger.write_number(value)
    assert written.encode() == canonical_bytes(value)
    assert float(written) == value


ENTRIES: list[list[Any]] = [
    ["active", "", None], ["active", "", None], ["active", "", None], ["retired", "", None], ["retired", "superseded", None],
    ["revoked", "superseded", None], ["revoked", "compromised", None], *(["revoked", "compromised", time] for time in range(8)),
]  # fmt: skip


def some_facts(chance: random.Random) -> dict[str, Any]:
    """Make facts of every sort, most of them such that the keys decide."""

    def rarely() -> bool:
        return chance.random() < 0.05

    def key_list() -> dict[str, Any]:
        keys = {key: chance.choice(ENTRIES) for key in "kl" if not rarely()}
        return {"leaf": chance.randrange(12), "expires": chance.choice((3, 5, 50)), "keys": keys}

    lists = [key_list() for _ in range(chance.randrange(4))]
    return {
        "listing": "listed" if not rarely() else chance.choice(["absent", "other-hash"]),
        "sound": not rarely(), "signed": not rarely(), "stale": rarely(), "forked": rarely(), "key": "k",
        "history": lists if rarely() else sorted(lists, key=lambda one: int(one["leaf"])),
        "leaf": chance.choice([None, *range(13)]), "time": chance.choice([None, *range(13)]), "now": chance.randrange(10),
    }  # fmt: skip


def test_verdict_is_the_same_by_two_hands() -> None:
    """The code goes from question to question, the stranger down the table: whatever the facts, they meet in one row."""
    chance = random.Random(20261121)
    rows = set()
    for _ in range(20_000):
        facts = some_facts(chance)
        finding = ours.finding(facts)
        assert (finding.row, finding.verdict) == stranger.verdict(facts), facts
        rows.add(finding)
    assert rows == set(Finding)


def test_example_of_the_page_about_the_log_is_verified() -> None:
    """What docs/transparency-log.md shows is a proof that a stranger finds good."""
    blocks = [block.partition("\n")[2] for block in PAGE.read_text("utf-8").split("## 13.")[1].split("```")[1::2]]
    entry = next(block for block in blocks if '"t":"pub"' in block).rstrip("\n").encode()
    proof = next(block for block in blocks if block.startswith("c2sp.org/tlog-proof@v1"))
    policy = next(block for block in blocks if block.startswith("log "))
    assert stranger.check_proof(policy, proof.encode(), entry) == (1, 1795000000)
    assert ours.check_proof(policy.encode(), proof.encode(), entry) == (1, 1795000000)
