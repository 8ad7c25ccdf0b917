"""STIX patterns: the same language as the OASIS validator accepts, read in bounded time."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from stix2patterns.inspector import INDEX_STAR
from stix2patterns.v21.pattern import Pattern as OasisPattern
from stix2patterns.validator import validate

from regcert.errors import Code, Refusal
from regcert.stix.pattern import (
    ANY_INDEX,
    MAX_PATTERN_CHARACTERS,
    MAX_TERMS,
    Comparison,
    Operator,
    Pattern,
    Timestamp,
    _Reader,
    find_simple_comparisons,
    read_pattern,
)
from regcert.stix.pattern_tokens import KEYWORDS, Tokens

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/stix21"


def oasis_accepts(text: str) -> bool | None:
    """What the OASIS validator says about the language alone; None where it gives no answer.

    Three of its answers are not about the language and are set aside: its check of hash lengths (which takes `IN (...)` and
    `LIKE 'a%'` for malformed hashes), its guess that brackets are missing (which a leading comment misleads; where they are
    missing the grammar says so too), and its crashes: on a negative list index, on blank text and on deep nesting.
    """
    try:
        _, faults = validate(text, stix_version="2.1", ret_errs=True)
    except (AttributeError, UnboundLocalError, RecursionError):
        return None
    return not [fault for fault in faults if "missing square brackets" not in fault and "is not a valid" not in fault]


def accepts(text: str) -> bool:
    try:
        read_pattern(text)
    except Refusal as refusal:
        if refusal.code is not Code.INVALID_PATTERN:
            raise
        return False
    return True


def oasis_comparisons(text: str) -> dict[str, list[tuple[tuple[object, ...], str]]]:
    found = OasisPattern(text).inspect().comparisons
    return {
        object_type: [
            (tuple(ANY_INDEX if step is INDEX_STAR else step for step in path), op.replace("==", "=").replace("<>", "!="))
            for path, op, _ in tests
        ]
        for object_type, tests in found.items()
    }


def our_comparisons(text: str) -> dict[str, list[tuple[tuple[object, ...], str]]]:
    found: dict[str, list[tuple[tuple[object, ...], str]]] = {}
    for each in read_pattern(text).comparisons:
        if each.operator is not Operator.EXISTS:  # the OASIS inspector leaves these out
            op = ("NOT " if each.negated else "") + each.operator
            found.setdefault(each.object_type, []).append((each.path, op))
    return found


# ---- a generator of valid patterns

blank = st.sampled_from(["", " ", "\t", "\n", "\u00a0", "/* ] */", "// '\n"])
word = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,6}", fullmatch=True).filter(lambda text: text not in KEYWORDS)
type_name = st.one_of(word, st.sampled_from(["ipv4-addr", "domain-name", "x-usb-device", "t", "h", "b"]))
string = st.text(st.sampled_from('abZ09 .:/%[]()=é\u202e\n"*'), max_size=6).flatmap(
    lambda text: st.sampled_from([f"'{text}'", f"'{text}\\''", f"'\\\\{text}'"])
)
timestamp = st.sampled_from(["t'2014-01-13T07:03:17Z'", "t'2024-02-30T23:59:60.123456Z'"])
positive = st.sampled_from(["0", "7", "+5", "1800"])
orderable = st.one_of(
    string,
    timestamp,
    positive,
    st.sampled_from(["-0", "-17", ".5", "-1.50", "00.5", "h''", "h'ffD8'", "b'aGk='", "b'ab=='"]),
)
primitive = st.one_of(orderable, st.sampled_from(["true", "false"]))
step = st.one_of(
    word.map(".{}".format), string.map(".{}".format), st.sampled_from(["[*]", "[0]", "[ 12 ]", ".'SHA-256'", "._ref.value"])
)


@st.composite
def object_path(draw):
    first = draw(st.one_of(word, string))
    return f"{draw(type_name)}:{first}{''.join(draw(st.lists(step, max_size=2)))}"


@st.composite
def comparison(draw):
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(["EXISTS ", "NOT EXISTS "])) + draw(object_path())
    left, negation, gap = draw(object_path()), draw(st.sampled_from(["", " NOT"])), draw(blank)
    tail = draw(
        st.one_of(
            st.tuples(st.sampled_from(["=", "==", "!=", "<>"]), primitive),
            st.tuples(st.sampled_from(["<", "<=", ">", ">="]), orderable),
            st.tuples(st.sampled_from(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]), string),
            st.tuples(st.just("IN"), st.lists(primitive, max_size=3).map(lambda values: f"({','.join(values)})")),
        )
    )
    return f"{left}{negation} {tail[0]} {gap}{tail[1]}"


def joined(operators: st.SearchStrategy[str], operand: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    @st.composite
    def build(draw):
        text = draw(operand)
        for _ in range(draw(st.integers(0, 2))):
            text += f" {draw(operators)}{draw(blank)} {draw(operand)}"
        return text

    return build()


and_or = st.sampled_from(["AND", "OR"])
comparisons = st.recursive(comparison(), lambda inner: joined(and_or, inner).map(lambda t: f"({t})"), max_leaves=4)
qualifier = st.one_of(
    st.one_of(positive, st.just("1.5")).map(" WITHIN {} SECONDS".format),
    positive.map(" REPEATS {} TIMES".format),
    st.tuples(timestamp, timestamp).map(lambda ends: f" START {ends[0]} STOP {ends[1]}"),
)
observation = st.tuples(joined(and_or, comparisons), st.one_of(st.just(""), qualifier)).map(lambda t: f"[{t[0]}]{t[1]}")
observations = st.recursive(
    observation,
    lambda inner: st.tuples(joined(st.sampled_from(["AND", "OR", "FOLLOWEDBY"]), inner), st.lists(qualifier, max_size=2)).map(
        lambda t: f"({t[0]}){''.join(t[1])}"
    ),
    max_leaves=3,
)
patterns = joined(st.sampled_from(["AND", "OR", "FOLLOWEDBY"]), observations)

oracle = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@oracle
@given(patterns)
def test_comparisons_are_those_of_the_oasis_parser_when_the_pattern_is_valid(text):
    """What the standard's own parser accepts we accept, and we read the same comparisons out of it."""
    assert oasis_accepts(text)
    assert our_comparisons(text) == oasis_comparisons(text)


@oracle
@given(patterns, st.data())
def test_verdict_is_that_of_the_oasis_validator_when_one_character_changed(text, data):
    """A pattern broken in one place is refused by both or understood by both."""
    at = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from([*"'\\()[]:.,=<>!*/-+0aZ_ \"\n", "", "AND", "\u200b", "\x1c", "\u2028"]))
    changed = text[:at] + character + text[at + data.draw(st.integers(0, 1)) :]
    expected = oasis_accepts(changed)
    if expected is None:  # a crash of the oracle: we must only not crash ourselves
        accepts(changed)
    else:
        assert accepts(changed) == expected


def corpus() -> list[str]:
    if not SHARED.exists():
        pytest.skip("the shared corpus is not here")
    found = [
        each["pattern"]
        for path in sorted(SHARED.rglob("*.json"))
        for each in json.loads(path.read_bytes()).get("objects", [])
        if each.get("type") == "indicator" and each.get("pattern_type") == "stix"
    ]
    shapes = {re.sub(r"'(?:[^'\\]|\\.)*'", "''", text): text for text in found}
    return [*shapes.values(), *found[::25]]


def test_corpus_is_read_as_the_oasis_parser_reads_it_when_it_comes_from_the_field():
    """Every shape of pattern in the published bundles is read, with the same comparisons."""
    for text in corpus():
        assert oasis_accepts(text), text
        assert our_comparisons(text) == oasis_comparisons(text)


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("[a:b = 'it\\'s \\\\ ok']", [Comparison("a", ("b",), Operator.EQUAL, False, ("it's \\ ok",))]),
        ("[file:hashes.'SHA-256' == 'x']", [Comparison("file", ("hashes", "SHA-256"), Operator.EQUAL, False, ("x",))]),
        ("[a:b[*].c[3] NOT IN (1, -2.5, true, h'ff', b'aGk=', t'2020-01-01T00:00:00Z')]", [
            Comparison("a", ("b", ANY_INDEX, "c", 3), Operator.IN, True,
                       (1, -2.5, True, b"\xff", b"hi", Timestamp("2020-01-01T00:00:00Z"))),
        ]),
        ("[NOT EXISTS a:b]", [Comparison("a", ("b",), Operator.EXISTS, True, ())]),
        ("[a:b <> 1 OR (a:c LIKE 'x%')]", [
            Comparison("a", ("b",), Operator.NOT_EQUAL, False, (1,)),
            Comparison("a", ("c",), Operator.LIKE, False, ("x%",)),
        ]),
        ("// first\n([a-b:'c-d' = 1] REPEATS 2 TIMES FOLLOWEDBY [e:f IN ()]) WITHIN 1.5 SECONDS WITHIN 2 SECONDS /**/", [
            Comparison("a-b", ("c-d",), Operator.EQUAL, False, (1,)),
            Comparison("e", ("f",), Operator.IN, False, ()),
        ]),
    ],
)  # fmt: skip
def test_comparisons_are_exact_when_every_literal_occurs(text, comparisons):
    """Literals become Python values, escapes are undone, NOT is kept."""
    assert read_pattern(text) == Pattern(tuple(comparisons))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a", "[]",
        "()", "[a:b]", "[a:b=]", "[a=1]", "[a:b=1", "[a:b=1]]", "([a:b=1]", "[(a:b=1]", "[a:b=1)]", "([a:b=1)]",
        "[a:b=01]", "[a:b=1.]", "[a:b=1e5]", "[a:b=- 5]", "[a:b=True]", "[a:b=LAST]", "[a:b > true]", "[a:b LIKE 5]",
        "[a:b='x\\n']", "[a:b='x]", "[a:b=h'abc']", "[a:b=b'']", "[a:b=b'abc']", "[a:b=t'2020-13-01T00:00:00Z']",
        "[a:c-d=1]", "['a':b=1]", "[AND:b=1]", "[a:IN=1]", "[a:b[-1]=1]", "[a:b[x]=1]", "[a:b.0=1]", "[NOT a:b=1]",
        "[a:b NOT EXISTS]", "[a:b IN 1]", "[a:b IN (1,)]", "[a:b=1] and [a:c=1]", "[a:b=1] x", "[a:b=1] WITHIN -5 SECONDS",
        "[a:b=1] REPEATS 1.5 TIMES", "[a:b=1] START '2020-01-01T00:00:00Z' STOP '2020-01-01T00:00:00Z'", "[a:b=1]/* c",
        "[a:b=1] WITHIN 5 SECONDS REPEATS 2 TIMES WITHIN 5 SECONDS", "\ufeff[a:b=1]", "[a\u200b:b=1]",
    ],
)  # fmt: skip
def test_pattern_is_refused_when_it_is_not_of_the_language(text):
    """What the grammar does not allow is refused, by both readers of it."""
    assert not accepts(text)
    assert not oasis_accepts(text)


near_simple = st.builds(
    "[{}{}:{}{}={}{}]".format,
    st.sampled_from(["", " ", "  ", "\n"]),
    st.one_of(type_name, st.sampled_from(sorted(KEYWORDS))),
    st.one_of(word, string, st.sampled_from(sorted(KEYWORDS))),
    st.lists(st.one_of(step, st.sampled_from([".AND", ".'AND'", ".'a.b'", ".''"])), max_size=3).map("".join),
    blank,
    st.one_of(string, st.text(max_size=8).map("'{}'".format)),
)


@settings(max_examples=400)
@given(near_simple)
@example("[a:b='']")
def test_fast_reader_agrees_with_the_parser_when_it_answers(text):
    """The reader for the common shape is a shortcut, never another opinion."""
    fast = find_simple_comparisons(text)
    if fast:
        assert _Reader(Tokens(text)).read() == fast


def test_fast_reader_answers_when_the_shape_is_the_common_one():
    """The shortcut is taken for what nine indicators in ten look like."""
    assert find_simple_comparisons("[ipv4-addr:value = '198.51.100.1']")
    assert find_simple_comparisons("[file:hashes.'SHA-256'='00']")
    assert len(find_simple_comparisons("[file:name = 'AND x:y = ' AND file:hashes.MD5 = '00' OR a:b='']")) == 3


near_term = st.builds(
    "{}:{}{}{}={}{}".format,
    st.one_of(type_name, st.sampled_from(["AND", "IN", "file"])),
    st.one_of(word, st.sampled_from(["OR", "hashes"])),
    st.sampled_from(["", ".'SHA-256'", ".AND", ".'AND'", "[0]", "." * 2, ".b" * 40]),
    st.sampled_from(["", " ", "  ", "\t", " NOT "]),
    st.sampled_from(["", " "]),
    st.one_of(string, st.sampled_from(["'x'", "''", "' AND a:b = '", "'] OR [a:b='"]), st.text(max_size=6).map("'{}'".format)),
)
near_simple_many = st.builds(
    "[{}{}{}]{}".format,
    st.sampled_from(["", " ", "("]),
    st.lists(st.tuples(near_term, st.sampled_from([" AND ", " OR ", "  AND  ", "AND", "\nOR ", " and "])), min_size=1)
    .map(lambda terms: "".join(term + joint for term, joint in terms[:-1]) + terms[-1][0]),
    st.sampled_from(["", " ", ")"]),
    st.sampled_from(["", "", "", " ", "\n", " OR [a:b='c']"]),
)  # fmt: skip


@settings(max_examples=500)
@given(near_simple_many)
def test_fast_reader_agrees_with_the_parser_when_there_are_several_comparisons(text):
    """The same for what is joined by AND and OR: what it takes the parser takes, and reads alike."""
    fast = find_simple_comparisons(text)
    if fast:
        assert _Reader(Tokens(text)).read() == fast


def test_fast_reader_leaves_it_to_the_parser_when_there_are_too_many_comparisons():
    """The bound on the number of values is the parser's, and holds on the short way too."""
    most = ["a:b='c'"] * MAX_TERMS
    assert len(read_pattern("[" + " OR ".join(most) + "]").comparisons) == MAX_TERMS
    assert find_simple_comparisons("[" + " OR ".join([*most, "a:b='c'"]) + "]") == ()


def test_fast_reader_agrees_with_the_parser_when_patterns_are_published_ones():
    """Every pattern of the shared corpus, read both ways."""
    if not SHARED.exists():
        pytest.skip("the shared corpus is not here")
    seen = fast = 0
    for path in sorted(SHARED.rglob("*.json")):
        bundle = json.loads(path.read_text())
        for obj in bundle.get("objects", ()) if isinstance(bundle, dict) else bundle:
            if obj.get("pattern_type") == "stix":
                seen, found = seen + 1, find_simple_comparisons(obj["pattern"])
                if found:
                    fast += 1
                    assert _Reader(Tokens(obj["pattern"])).read() == found
    assert fast > 0.8 * seen > 1000


@pytest.mark.parametrize(
    "text",
    [
        "(" * 65 + "[a:b=1]" + ")" * 65,
        "[" + "(" * 65 + "a:b=1" + ")" * 65 + "]",
        "(" * 33 + "[" + "(" * 33 + "a:b=1" + ")" * 33 + "]" + ")" * 33,
        "(" * 250_000,
        "[" + " OR ".join(["a:b=1"] * 20_001) + "]",
        "[a:b IN (" + ",".join(["1"] * 20_001) + ")]",
        "[a:b=" + "9" * 65 + "]",
        "[a:b='" + "x" * MAX_PATTERN_CHARACTERS + "']",
        "[a:b=1]" + "/*" * 100_000,
        "[a:b=" + "0" * 200_000,
        "[a:b='" + "\\'" * 100_000,
        "[a:b" + "[*]" * 50_000,
    ],
)  # fmt: skip
def test_pattern_is_refused_when_it_exceeds_a_bound_or_never_ends(text):
    """Depth, number of values, length of numbers and of the whole are bounded."""
    assert not accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 64 + "[a:b=1]" + ")" * 64,
        "[" + " OR ".join(f"ipv4-addr:value='10.0.{i // 256}.{i % 256}'" for i in range(6000)) + "]",
    ],
)
def test_pattern_is_read_when_it_is_large_but_honest(text):
    """Sixty-four groups and a list of thousands of addresses are no attack."""
    assert accepts(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[a:b='x' SECRET]", "at character 10:"),
        ("[a:b='SECRET]", "at character 6:"),
        ("[a:b='x'] /* SECRET", "at character 11:"),
        ("[SECRET-SECRET:SECRET-x=1]", "at character 16:"),
        ("[a:b='SECRET'", "at its end:"),
    ],
)
def test_refusal_names_the_place_and_not_the_content_when_a_pattern_is_broken(text, place):
    """A refusal ends up in other people's logs: it carries a position, never what was written."""
    with pytest.raises(Refusal) as caught:
        read_pattern(text)
    assert "SECRET" not in caught.value.message
    assert place in caught.value.message
