"""The statements, as the files beside this hold them.

An id is the section and, behind a hyphen, the letter of the keyword and a number: `5.4-m3`. It is for good: what is taken out
leaves a gap.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
FILES = ("section-1", "section-2", "section-3", "section-4", "section-5", "section-7", "section-8", "appendix-b")
# `table`: the definition of an endpoint, which section 3.1 calls normative; `text`: said without a keyword.
LETTERS = {
    "MUST": "m",
    "MUST NOT": "m",
    "SHOULD": "s",
    "SHOULD NOT": "s",
    "MAY": "y",
    "table": "d",
    "text": "t",
}
_ID = re.compile(r"(?P<section>[0-9]+(?:\.[0-9]+)*|B)-(?P<letter>[a-z])[1-9][0-9]*")
_NEEDED, _FREE = {"id", "keyword", "says", "we"}, ("client", "departs", "untested")


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement of the standard.

    Args:
        clause_id: for good.
        keyword: how binding it is, see `LETTERS`.
        says: what the standard asks, in our words.
        we: what this host does.
        client: whose needs decided where the standard leaves room; empty where nobody's did.
        departs: where and why the letter is not kept; empty where it is. The tests show what is done instead.
        untested: why no test can show it; empty where tests do.
    """

    clause_id: str
    keyword: str
    says: str
    we: str
    client: str
    departs: str
    untested: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the standard that holds statements."""

    number: str
    title: str
    clauses: tuple[Clause, ...]


class CatalogueError(Exception):
    """A file of statements says something that cannot be meant."""


def read_sections(folder: Path = FOLDER) -> tuple[Section, ...]:
    """Read all statements, in the order of the standard.

    Raises:
        CatalogueError: naming the entry at fault.
    """
    sections = [section for name in FILES for section in _read_file(folder / f"{name}.toml")]
    ids = [clause.clause_id for section in sections for clause in section.clauses]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise CatalogueError(f"{twice[0]} stands twice")
    return tuple(sections)


def _read_file(path: Path) -> Iterator[Section]:
    for section in tomllib.loads(path.read_text("utf-8"))["section"]:
        number = section["number"]
        yield Section(number, section["title"], tuple(_read_clause(number, entry) for entry in section["clause"]))


def _read_clause(number: str, entry: dict[str, Any]) -> Clause:
    name = entry.get("id", "")
    keys = entry.keys()
    if not keys >= _NEEDED or not keys <= _NEEDED.union(_FREE):
        raise CatalogueError(f"{number}, {name or 'an entry'}: the keys are {', '.join(sorted(_NEEDED.union(_FREE)))}")
    texts = {key: " ".join(text.split()) for key, text in entry.items()}
    parts = _ID.fullmatch(name)
    if parts is None or parts["section"] != number or parts["letter"] != LETTERS.get(texts["keyword"]):
        raise CatalogueError(f"{name} is no id of a {texts['keyword']} in section {number}")
    if "|" in "".join(texts.values()) or not all(texts.values()):
        raise CatalogueError(f"{name}: a text is empty, or holds the bar that parts the columns of a table")
    free = [texts.get(key, "") for key in _FREE]
    return Clause(name, texts["keyword"], texts["says"], texts["we"], *free)
