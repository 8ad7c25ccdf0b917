"""The words of the STIX patterning language: one compiled expression cuts a pattern into tokens, one at a time.

Every repeat in the expression is possessive: it never takes back what it took, so that reading is linear in the length of
the text, whatever the text.
"""

import re
from typing import NoReturn

from regcert.errors import Code, Refusal

KEYWORDS = frozenset(
    "AND OR NOT FOLLOWEDBY LIKE MATCHES ISSUPERSET ISSUBSET EXISTS LAST IN START STOP SECONDS true false "  # noqa: SIM905
    "WITHIN REPEATS TIMES".split()
)

# The grammar's own list of blanks: Python's \s has others.
_BLANK = r"[ \t\r\n\v\f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_SKIPPED = re.compile(rf"(?:{_BLANK}++|/\*(?s:.*?)\*/|//[^\r\n]*+)*+")
_TOKEN = re.compile(
    r"""
      (?P<string>    '(?:[^'\\]++|\\['\\])*+' )
    | (?P<hex>       h'(?:[0-9A-Fa-f]{2})*+' )
    | (?P<binary>    b'(?!')(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?' )
    | (?P<timestamp> t'[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])
                     T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]++)?Z' )
    | (?P<word>      [A-Za-z_][A-Za-z0-9_-]*+ )
    | (?P<number>    [+-]?(?:[0-9]++(?:\.[0-9]++)?|\.[0-9]++) )
    | (?P<symbol>    ==|!=|<>|<=|>=|[=<>:.,()\[\]*] )
    """,
    re.VERBOSE,
)


class Tokens:
    """Walk over the tokens of one pattern, the current one in sight.

    Attributes:
        kind: `string`, `hex`, `binary`, `timestamp`, `number`, `word`, `end`; a keyword or symbol is its own kind.
        text: the token as it was written.
        at: where it begins, in characters from 0.
    """

    __slots__ = ("_next", "_pattern", "at", "kind", "text")

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._next = 0
        self.advance()

    def advance(self) -> None:
        """Move on to the next token.

        Raises:
            Refusal: INVALID_PATTERN where no token begins.
        """
        skipped = _SKIPPED.match(self._pattern, self._next)
        self.at = skipped.end() if skipped else self._next
        match = _TOKEN.match(self._pattern, self.at)
        if match is None:
            if self.at < len(self._pattern):
                self.refuse("something that is not part of the language, or a quote or comment without its end")
            self.kind = self.text = "end"
            return
        self._next = match.end()
        self.text = text = match[0]
        kind = match.lastgroup or ""
        self.kind = text if kind == "symbol" or text in KEYWORDS else kind

    def skip(self, kind: str) -> bool:
        """Move past the current token if it is of this kind; tell whether it was."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def take(self, kind: str, expected: str) -> str:
        """Return the current token's text and move on.

        Args:
            kind: what it must be.
            expected: what was hoped for, in words.

        Raises:
            Refusal: INVALID_PATTERN where it is of another kind.
        """
        if self.kind != kind:
            self.refuse(f"{expected} is missing")
        text = self.text
        if kind != "end":
            self.advance()
        return text

    def refuse(self, fault: str) -> NoReturn:
        """Refuse the pattern at the current token; the sentence names the place, never the content."""
        place = "at its end" if self.at >= len(self._pattern) else f"at character {self.at + 1}"
        raise Refusal(Code.INVALID_PATTERN, f"the STIX pattern cannot be read {place}: {fault}")
