"""STIX patterns, read into the comparisons they make.

We read what a pattern mentions; we never match it against traffic. So neither precedence nor the tree is kept: groups are a
depth counter, and nothing here recurses. Deliberately not checked: whether a `MATCHES` expression compiles (compiling a
stranger's expression is an attack surface), whether a hash has the length of its name, whether START lies before STOP.
"""

import base64
import re
from enum import StrEnum
from functools import lru_cache

import msgspec

from regcert.errors import Code, Refusal
from regcert.stix.pattern_tokens import KEYWORDS, Tokens

MAX_PATTERN_CHARACTERS = 256 * 1024
MAX_DEPTH = 64
MAX_TERMS = 20_000
MAX_NUMBER_CHARACTERS = 64  # int() refuses thousands of digits with an exception of its own
ANY_INDEX = -1


class Operator(StrEnum):
    """How a comparison compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    IN = "IN"
    LIKE = "LIKE"
    MATCHES = "MATCHES"
    IS_SUBSET = "ISSUBSET"
    IS_SUPERSET = "ISSUPERSET"
    EXISTS = "EXISTS"

    __hash__ = str.__hash__  # an operator equals its text; and sets of operators are asked for every comparison


class Timestamp(msgspec.Struct, frozen=True, gc=False):
    """A `t'...'` literal, as it was written; the day may not exist in the calendar."""

    text: str


Value = str | int | float | bool | bytes | Timestamp
PathStep = str | int


class Comparison(msgspec.Struct, frozen=True, gc=False):
    """One comparison of a pattern.

    Args:
        object_type: before the colon, for example `file`.
        path: after the colon: keys without their quotes, list indexes as integers, ANY_INDEX for `[*]`.
        operator: how it compares.
        negated: whether NOT stands before the operator.
        values: what it compares with: one for most operators, any number for IN, none for EXISTS.
    """

    object_type: str
    path: tuple[PathStep, ...]
    operator: Operator
    negated: bool
    values: tuple[Value, ...]


class Pattern(msgspec.Struct, frozen=True, gc=False):
    """What a pattern compares, in the order written."""

    comparisons: tuple[Comparison, ...]


def read_pattern(text: str) -> Pattern:
    """Read a STIX pattern.

    Args:
        text: at most 256 Ki characters, 64 groups deep, 20,000 values in all, 64 characters a number.

    Raises:
        Refusal: INVALID_PATTERN, with the character where reading stopped.

    Spec: STIX 2.1 §9
    """
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise Refusal(Code.INVALID_PATTERN, "the STIX pattern is longer than 262144 characters: split it over several indicators")
    return Pattern(find_simple_comparisons(text) or _Reader(Tokens(text)).read())


_WORD = r"[A-Za-z_][A-Za-z0-9_]*+"
_TERM = rf"([A-Za-z_][A-Za-z0-9_-]*+:{_WORD}(?:\.(?:{_WORD}|'[A-Za-z0-9_-]++'))*+) *= *'([^'\\]*+)'"
_ONE = re.compile(rf"\[ *{_TERM} *\]")
_FIRST = re.compile(rf"\[ *{_TERM}")
_NEXT = re.compile(rf" ++(?:AND|OR) ++{_TERM}")
_LAST = re.compile(r" *\]")
_LONGEST_SIMPLE_PATH = 80


def find_simple_comparisons(text: str) -> tuple[Comparison, ...]:
    """Read `[type:path = 'value']`, or several of them with AND or OR between, without the full parser.

    That is the shape of nearly every indicator.

    Returns:
        Exactly what the full parser would say, or nothing where the shape is another.
    """
    match = _ONE.fullmatch(text)
    if match is not None:
        comparison = _equality(*match.groups())
        return () if comparison is None else (comparison,)
    comparisons: list[Comparison] = []
    match = _FIRST.match(text)
    while match is not None and len(comparisons) < MAX_TERMS:
        comparison = _equality(*match.groups())
        if comparison is None:
            return ()
        comparisons.append(comparison)
        end = match.end()
        match = _NEXT.match(text, end)
        if match is None:
            return tuple(comparisons) if _LAST.fullmatch(text, end) else ()
    return ()


def _equality(path: str, value: str) -> Comparison | None:
    """Say what `type:path = 'value'` compares; None where the path may not be written so."""
    named = _simple_path(path) if len(path) <= _LONGEST_SIMPLE_PATH else None
    return None if named is None else Comparison(*named, Operator.EQUAL, False, (value,))


@lru_cache(maxsize=1024)  # a few dozen paths are all that is ever written; their length is bounded by the caller
def _simple_path(text: str) -> tuple[str, tuple[PathStep, ...]] | None:
    """Take `type:key.'quoted key'` apart; None where one of the words means something else in a pattern."""
    object_type, _, path = text.partition(":")
    steps = path.split(".")
    if object_type in KEYWORDS or not KEYWORDS.isdisjoint(steps):
        return None
    return object_type, tuple(step.strip("'") for step in steps)


_OPERATORS = {operator.value: operator for operator in Operator if operator is not Operator.EXISTS}
_OPERATORS |= {"==": Operator.EQUAL, "<>": Operator.NOT_EQUAL}
_TAKES_A_STRING = frozenset((Operator.LIKE, Operator.MATCHES, Operator.IS_SUBSET, Operator.IS_SUPERSET))
_TAKES_A_BOOLEAN = frozenset((Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN))
_ESCAPE = re.compile(r"\\(['\\])")


class _Reader:
    """The full parser: one pass, one token in sight."""

    __slots__ = ("comparisons", "depth", "terms", "tokens")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.comparisons: list[Comparison] = []
        self.depth = 0
        self.terms = 0

    def read(self) -> tuple[Comparison, ...]:
        """Read observation expressions up to the end of the text."""
        tokens = self.tokens
        while True:
            self.open_groups()
            self.observation()
            while self.depth and tokens.skip(")"):
                self.depth -= 1
                while self.find_qualifier():
                    pass
            if tokens.kind not in ("AND", "OR", "FOLLOWEDBY"):
                break
            tokens.advance()
        if self.depth:
            tokens.refuse("a closing parenthesis is missing")
        tokens.take("end", "AND, OR, FOLLOWEDBY or the end")
        return tuple(self.comparisons)

    def open_groups(self) -> None:
        while self.tokens.skip("("):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.tokens.refuse("parentheses are nested deeper than 64")

    def observation(self) -> None:
        """Read `[...]` and its qualifiers; each kind of qualifier once (a group may repeat them)."""
        self.tokens.take("[", "an opening square bracket")
        self.comparison_expression()
        self.tokens.take("]", "AND, OR or a closing square bracket")
        seen: set[str] = set()
        while qualifier := self.find_qualifier():
            if qualifier in seen:
                self.tokens.refuse("the same kind of qualifier stands twice after one observation")
            seen.add(qualifier)

    def find_qualifier(self) -> str | None:
        tokens = self.tokens
        kind = tokens.kind
        if kind == "WITHIN":
            tokens.advance()
            self.positive_number(whole=False)
            tokens.take("SECONDS", "SECONDS")
        elif kind == "REPEATS":
            tokens.advance()
            self.positive_number(whole=True)
            tokens.take("TIMES", "TIMES")
        elif kind == "START":
            tokens.advance()
            tokens.take("timestamp", "a timestamp such as t'2026-01-01T00:00:00Z'")
            tokens.take("STOP", "STOP")
            tokens.take("timestamp", "a timestamp such as t'2026-01-01T00:00:00Z'")
        else:
            return None
        return kind

    def comparison_expression(self) -> None:
        tokens, outer = self.tokens, self.depth
        while True:
            self.open_groups()
            self.comparison()
            while self.depth > outer and tokens.skip(")"):
                self.depth -= 1
            if tokens.kind not in ("AND", "OR"):
                break
            tokens.advance()
        if self.depth > outer:
            tokens.refuse("a closing parenthesis is missing")

    def comparison(self) -> None:
        tokens = self.tokens
        negated = tokens.skip("NOT")
        if negated or tokens.kind == "EXISTS":
            tokens.take("EXISTS", "EXISTS")
            object_type, path = self.object_path()
            self.count_term()
            self.comparisons.append(Comparison(object_type, path, Operator.EXISTS, negated, ()))
            return
        object_type, path = self.object_path()
        negated = tokens.skip("NOT")
        operator = _OPERATORS.get(tokens.kind)
        if operator is None:
            tokens.refuse("a comparison operator is missing")
        tokens.advance()
        values = self.set_of_values() if operator is Operator.IN else (self.value(operator),)
        self.comparisons.append(Comparison(object_type, path, operator, negated, values))

    def object_path(self) -> tuple[str, tuple[PathStep, ...]]:
        """Read `type:key.'quoted key'[*].key`; only the type may hold a hyphen outside quotes."""
        tokens = self.tokens
        object_type = tokens.take("word", "an object type such as file")
        tokens.take(":", "a colon after the object type")
        path: list[PathStep] = [self.key()]
        while True:
            if tokens.skip("."):
                path.append(self.key())
            elif tokens.skip("["):
                path.append(ANY_INDEX if tokens.skip("*") else self.positive_number(whole=True))
                tokens.take("]", "a closing square bracket after the list index")
            else:
                return object_type, tuple(path)

    def key(self) -> str:
        tokens = self.tokens
        if tokens.kind == "string":
            return self.string()
        if "-" in tokens.text:
            tokens.refuse("a property name with a hyphen must stand in single quotes")
        return tokens.take("word", "a property name")

    def set_of_values(self) -> tuple[Value, ...]:
        tokens = self.tokens
        tokens.take("(", "an opening parenthesis after IN")
        values: list[Value] = []
        if not tokens.skip(")"):
            values.append(self.value(Operator.IN))
            while tokens.skip(","):
                values.append(self.value(Operator.IN))
            tokens.take(")", "a comma or a closing parenthesis")
        return tuple(values)

    def value(self, operator: Operator) -> Value:
        tokens = self.tokens
        self.count_term()
        if tokens.kind == "string":
            return self.string()
        if operator in _TAKES_A_STRING:
            tokens.refuse("a text in single quotes is missing")
        if operator in _TAKES_A_BOOLEAN and tokens.kind in ("true", "false"):
            return tokens.take(tokens.kind, "a boolean") == "true"
        if tokens.kind == "number":
            return self.number()
        return self.quoted_value()

    def quoted_value(self) -> Value:
        tokens = self.tokens
        kind, content = tokens.kind, tokens.text[2:-1]
        if kind not in ("hex", "binary", "timestamp"):
            tokens.refuse("a value is missing: text stands in single quotes")
        tokens.advance()
        if kind == "timestamp":
            return Timestamp(content)
        return bytes.fromhex(content) if kind == "hex" else base64.b64decode(content)

    def string(self) -> str:
        content = self.tokens.take("string", "a text in single quotes")[1:-1]
        return _ESCAPE.sub(r"\1", content) if "\\" in content else content

    def number(self) -> int | float:
        tokens = self.tokens
        text = tokens.text
        if len(text) > MAX_NUMBER_CHARACTERS:
            tokens.refuse("a number has more than 64 characters")
        digits = text.lstrip("+-")
        if "." not in digits and len(digits) > 1 and digits[0] == "0":
            tokens.refuse("a whole number begins with zero")
        tokens.advance()
        return float(text) if "." in digits else int(text)

    def positive_number(self, *, whole: bool) -> int:
        tokens = self.tokens
        if tokens.kind != "number" or tokens.text[0] == "-" or (whole and "." in tokens.text):
            tokens.refuse("a whole number is missing" if whole else "a number of seconds is missing")
        return int(self.number())

    def count_term(self) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.tokens.refuse("it compares with more than 20000 values: split it over several indicators")
