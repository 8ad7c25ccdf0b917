"""The first code that looks at what a stranger sent: what it lets pass, what it keeps, what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix import reader as bounded
from regcert.stix.reader import MAX_OBJECT_BYTES, ReadObject, read_envelope, read_value
from tests.stix.examples import MINIMAL, RICH

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/data/stix21"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**52), 2.0**52, allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(texts, values, max_size=5)
layouts = st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 2}, {"separators": (" ,\t", "\n: ")}, {"sort_keys": True}])


def read(body: bytes | str) -> list[Any]:
    """Read an envelope to its end: objects, and refusals of objects."""
    return list(read_envelope(body if isinstance(body, bytes) else body.encode()))


def code_of(body: bytes | str) -> Code:
    """Why an envelope is refused as a whole, or else its only object."""
    try:
        [only] = read(body)
    except Refusal as refusal:
        return refusal.code
    assert isinstance(only, Refusal), only
    return only.code


def one(text: str) -> str:
    return '{"objects":[' + text + "]}"


@settings(max_examples=150)
@given(st.lists(objects, max_size=4), layouts)
def test_objects_are_read_back_when_json_wrote_them(written, layout):
    """Whatever json.dumps writes is read as the same values, and each object's bytes are exactly its own text."""
    bodies = [json.dumps(value, **layout).encode() for value in written]
    body = b' {\n"more" : true,"objects" :[' + b" ,\n".join(bodies) + b'],"next":"x"}\r\n'
    found = read(body)
    assert [one.value for one in found] == written
    assert [one.body for one in found] == bodies


@given(values, layouts)
def test_value_is_read_back_when_json_wrote_it(value, layout):
    """The same for a body that is no envelope."""
    assert read_value(json.dumps(value, **layout).encode()) == value


@given(objects, st.sampled_from([{}, {"ensure_ascii": False}]), st.data())
def test_digest_is_the_same_when_only_the_text_differs(value, layout, data):
    """Order of keys, blanks and escapes are no content: two texts of one value have one digest."""
    keys = data.draw(st.permutations(list(value)))
    [first] = read(one(json.dumps(value)))
    [second] = read(one(json.dumps({key: value[key] for key in keys}, indent=1, **layout)))
    assert first.digest == second.digest


@given(objects, objects)
def test_digest_differs_when_the_values_differ(left, right):
    """Other content has another digest: True is not 1, and "1" is neither."""
    [first], [second] = read(one(json.dumps(left))), read(one(json.dumps(right)))
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert same <= (first.digest == second.digest)
    if first.digest == second.digest:
        assert left == right


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ujectsob01.eE-+ \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(body):
    """No body, however broken, comes to more than a refusal."""
    allowed = {None, Code.MALFORMED_JSON, Code.TOO_DEEP, Code.DUPLICATE_KEY, Code.UNSAFE_NUMBER, Code.UNSAFE_TEXT}
    for reader in (read, read_value):
        code = None
        try:
            reader(body)
        except Refusal as refusal:
            code = refusal.code
        assert code in allowed


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [64, 1_024, 1_025, 100_000])
def test_nesting_is_refused_when_it_is_deep(opening, depth):
    """Neither the bound nor the interpreter's own recursion limit lets a tower in."""
    closing = "]" if opening == "[" else "}"
    tower = opening * depth + "1" + closing * depth
    assert code_of(one('{"x":' + tower + "}")) is Code.TOO_DEEP
    with pytest.raises(Refusal) as refused:
        read_value((opening + tower + closing).encode())
    assert refused.value.code is Code.TOO_DEEP


def test_nesting_is_taken_up_to_the_bound():
    """Sixty-four levels are read, one more is not; braces in strings are no levels."""
    assert isinstance(read(one('{"x":' + "[" * 63 + "]" * 63 + "}"))[0], ReadObject)
    assert code_of(one('{"x":' + "[" * 64 + "]" * 64 + "}")) is Code.TOO_DEEP
    assert isinstance(read(one(json.dumps({"x": "{[" * 200})))[0], ReadObject)


@pytest.mark.parametrize(
    "text", ['{"id":1,"id":1}', '{"type":"a","\\u0074ype":"b"}', '{"hashes":{"MD5":"a","MD5":"b"}}', '{"a":[{"b":1,"b":2}]}']
)
def test_key_is_refused_when_it_stands_twice(text):
    """Two readers of one text would see two objects; an escape hides nothing."""
    assert code_of(one(text)) is Code.DUPLICATE_KEY
    with pytest.raises(Refusal) as refused:
        read_value(text.encode())
    assert refused.value.code is Code.DUPLICATE_KEY


def test_envelope_is_refused_when_objects_stands_twice():
    """A second `objects` refuses the whole body, also when it comes behind a good one."""
    assert code_of('{"objects":[{}],"objects":[]}') is Code.DUPLICATE_KEY
    assert code_of('{"objects":[{}],"\\u006fbjects":[]}') is Code.DUPLICATE_KEY


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e999",
        "9007199254740993",
        "18446744073709551616",
        "1" * 5000,
        "-9007199254740993",
        "1e17",
    ],
)
def test_number_is_refused_when_readers_would_round_it(number):
    """Not finite, or beyond 2^53: readers disagree about what it is."""
    assert code_of(one('{"x":' + number + "}")) is Code.UNSAFE_NUMBER
    with pytest.raises(Refusal) as refused:
        read_value(f"[{number}]".encode())
    assert refused.value.code is Code.UNSAFE_NUMBER


@pytest.mark.parametrize("around", ["", "é", "\\u00e9"])
@pytest.mark.parametrize("number", [2**53, 2**53 - 1, -(2**53) + 1, -(2**53)])
def test_number_has_one_verdict_whatever_stands_beside_it(around, number):
    """An integer at the edge is judged by itself, not by which way of hashing its neighbours need."""
    [found] = read(one(f'{{"x":{number},"y":"{around}","z":1.5}}'))
    [plain] = read(one(f'{{"x":{number}}}'))
    expected = ReadObject if abs(number) < 2**53 else Refusal
    assert (type(found), type(plain)) == (expected, expected)
    if expected is Refusal:
        assert [found.code, plain.code] == [Code.UNSAFE_NUMBER] * 2


def test_fault_of_one_object_spares_the_others():
    """Where it ends is known, so the rest of the envelope is read; the fault does not stick to the next object."""
    found = read(one('{"a":1,"a":2},{"b":1},{"c":NaN},5,null,[],"x",{"d":"\\ud800"},{"e":1}'))
    codes = [item.code if isinstance(item, Refusal) else item.value for item in found]
    assert codes == [Code.DUPLICATE_KEY, {"b": 1}, Code.UNSAFE_NUMBER, *[Code.INVALID_STIX] * 4, Code.UNSAFE_TEXT, {"e": 1}]


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\udc00\\ud800"'])
def test_half_of_a_surrogate_pair_is_refused(text):
    """No UTF-8 text can hold it: it could be read and never written."""
    assert code_of(one('{"x":' + text + "}")) is Code.UNSAFE_TEXT
    assert code_of(one("{" + text + ":1}")) is Code.UNSAFE_TEXT
    with pytest.raises(Refusal) as refused:
        read_value(text.encode())
    assert refused.value.code is Code.UNSAFE_TEXT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b'"objects"',
        b"{",
        b'{"objects":',
        b'{"objects":[',
        b'{"objects":[{}',
        b'{"objects":[{},]}',
        b'{"objects":[,{}]}',
        b'{"objects":[{}]',
        b'{"objects":[{}]},',
        b'{"objects":[{}]}{}',
        b'{"objects":{}}',
        b'{"objects":null}',
        b"{1:2}",
        b'{"a" 1}',
        b'{"objects":[{}],}',
        b'\xef\xbb\xbf{"objects":[]}',
        '{"objects":[]}'.encode("utf-16"),
        b'{"objects":["\xc0\xaf"]}',
        b'{"objects":["\xed\xa0\x80"]}',
        b'{"objects":["\xff"]}',
        b'{"objects":["a\nb"]}',
        b'{"objects":["\\x41"]}',
        b'{"objects":["\\u12"]}',
        b"{'objects':[]}",
        b'{"objects":[]}//',
        b'{"objects":[01]}',
        b'{"objects":[+1]}',
        b'{"objects":[1.]}',
        b'{"objects":[.5]}',
    ],
)
def test_body_is_refused_whole_when_its_frame_is_broken(body):
    """Where an object ends is unknown: nothing of the body is taken."""
    with pytest.raises(Refusal) as refused:
        read(body)
    assert refused.value.code is Code.MALFORMED_JSON


@pytest.mark.parametrize(
    "body", [b"{}", b'{"objects":[]}', b' { "objects" : [ ] , "more" : false } ', b'{"type":"bundle","id":"x"}']
)
def test_empty_envelope_is_read_as_nothing(body):
    """Nothing to take is no fault."""
    assert read(body) == []


def test_object_is_refused_when_it_is_large():
    """The bound is the object's, so that a page of objects stays a page."""
    text = '{"x":"' + "a" * (MAX_OBJECT_BYTES - 8) + '"}'
    assert isinstance(read(one(text))[0], ReadObject)
    assert code_of(one(text.replace("a", "aa", 1))) is Code.TOO_LARGE


def test_refusal_repeats_nothing_of_the_content():
    """What was sent may be above TLP:CLEAR, and refusals go into logs."""
    for text in ('{"secret":1,"secret":2}', '{"secret":NaN}', '{"secret":"\\ud800"}', '"secret"', '{"secret"'):
        try:
            found = read(one(text))
        except Refusal as refusal:
            found = [refusal]
        assert "secret" not in str(found[0])


Told = tuple[str, ...] | tuple[str, bytes, bytes]


def told(body: bytes) -> list[Told]:
    """Everything that reading an envelope says: values with the types of their numbers, bytes, digests, refusals, the end."""
    said: list[Told] = []
    try:
        for found in read_envelope(body):
            if isinstance(found, Refusal):
                said.append(("refused", found.code, found.message))
            else:
                said.append((repr(found.value), found.body, found.digest))
    except Refusal as refusal:
        said.append(("ended", refusal.code, refusal.message))
    return said


def told_in_full(body: bytes) -> list[Told]:
    """The same, where nothing is taken at a glance: the decoder that sees every property judges every object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "_find_sound", lambda *_: None)
        return told(body)


# What makes an object unusual, to be put anywhere into its text: at the seams it makes another object, elsewhere no JSON.
ODDITIES = [
    *('"id":"x",', '"\\u0069d":1,', '"id" : "x" ,', '"":"",', '"a":{"b":1,"b":2},', '"a":[{"b":"","b":""}],', '"\\"":"\\"",'),
    *('"\\u0022":1,', '"q":"\\u0022",', '"f":1.5,', '"f":1e2,', '"f":-0,', '"f":-0.0,', '"f":1e400,', '"f":9007199254740992,'),
    *(
        '"f":' + "1" * 40 + ",",
        '"f":NaN,',
        '"f":-Infinity,',
        '"f":1.0,"f":1.00,',
        '"s":"\\ud800",',
        '"\\udc00":0,',
        '"s":"\U0001f600",',
    ),
    *(
        '"\ufb33":1,"\U0001f600":2,',
        '"s":"\\ud83d\\ude00",',
        '"s":"\\u00e9\x7f\\/\\u0001",',
        '"deep":' + "[" * 64 + "]" * 64 + ",",
    ),
    *(
        '"deep":' + "[" * 63 + "]" * 63 + ",",
        '"s":"[[{",',
        " ",
        "\n",
        "\t",
        "\x0b",
        "\ufeff",
        "\x00",
        "\\",
        '"',
        ",",
        ",]",
        "}",
        "{",
        "{}, ",
    ),
]
samples = objects | st.sampled_from([*MINIMAL.values(), *RICH.values()])


@settings(max_examples=500, deadline=None)
@given(st.lists(samples, min_size=1, max_size=3), layouts, st.data())
def test_quick_reading_says_what_full_reading_says_when_texts_are_odd(written, layout, data):
    """Taking an object at a glance is a shortcut, never another opinion: same objects, bytes, digests, refusals."""
    text = one(",".join(json.dumps(value, **layout) for value in written))
    for _ in range(data.draw(st.integers(0, 3))):
        seams = [at + 1 for at, character in enumerate(text) if character in "{,"]
        at = data.draw(st.sampled_from(seams) | st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(ODDITIES)) + text[at:]
    body = text.encode()
    if data.draw(st.integers(0, 9)) == 0:
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + data.draw(st.binary(max_size=2)) + body[at:]
    assert told(body) == told_in_full(body)


@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize(
    "around", ['{%s"type":"a","id":"y","x":[1]}', '{"x":{"b":"\\"",%s"c":1.5}}', '{"z":[{%s"id":""}], "y":"\u00e9"}']
)
def test_quick_reading_says_what_full_reading_says_when_one_thing_is_odd(oddity, around):
    """Each oddity by itself, first in an object, beside a float, in a nested one."""
    body = one('{"a":1},' + around % oddity + ',{"b":2}').encode()
    assert told(body) == told_in_full(body)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":"\\u0022\\u0022"}',  # the quotes of the lost key come back as quotes that were escaped by number
        '{"a":1234567,"a":1e15}',  # the characters of the lost property come back as digits of a float
        '{ "a":"\\"", "a":"\\\\" }',
        '{"\\u0061":1,"a":2}',
    ],
)
def test_key_that_stands_twice_is_seen_when_lengths_and_quotes_add_up(text):
    """Who knows how the short proof works can make either count come out even, but not so that it is believed."""
    assert code_of(one(text)) is Code.DUPLICATE_KEY


@pytest.mark.parametrize("path", sorted(PUBLISHED.rglob("*.json")), ids=lambda path: path.name)
def test_quick_reading_says_what_full_reading_says_when_bundles_are_published_ones(path):
    """What the field writes, in its own layout and in others."""
    bundle = json.loads(path.read_bytes())
    bundle = (
        bundle
        if isinstance(bundle, dict) and "objects" in bundle
        else {"objects": bundle if isinstance(bundle, list) else [bundle]}
    )
    for body in (
        path.read_bytes(),
        json.dumps(bundle).encode(),
        json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode(),
    ):
        assert told(body) == told_in_full(body)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"b","c":[1,{"d":null}]}',
        '{ "a" : "b" }',
        '{"a":"\\"\\u00e9\\n"}',
        '{"\u0161":"\u017e"}',
        '{"a":1.5}',
        '{"a":"\U0001f600"}',
        "{}",
    ],
)
def test_object_is_read_once_when_it_is_ordinary(text, monkeypatch):
    """The second decoder is for doubt: compact or with blanks, in any language, an ordinary object does not need it."""
    monkeypatch.setattr(bounded, "_judge", lambda *_: pytest.fail("it was read twice"))
    assert isinstance(read(one(text))[0], ReadObject)
