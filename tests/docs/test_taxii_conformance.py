"""docs/taxii-conformance.md is what the statements and the tests say, and every statement has its proof."""

from pathlib import Path

import pytest

from tests.clauses.catalogue import CatalogueError, read_sections
from tests.clauses.page import PAGE, find_gaps, write_page
from tests.clauses.proofs import MarkerError, Proof, read_proofs

SECTION = """
[[section]]
number = "9"
title = "A section"

[[section.clause]]
id = "9-m1"
keyword = "MUST"
says = "It is so."
we = "It is."
"""


def catalogue(folder: Path, text: str) -> Path:
    for name in ("section-1", "section-2", "section-3", "section-4", "section-5", "section-7", "section-8", "appendix-b"):
        (folder / f"{name}.toml").write_text("section = []\n" if name != "section-7" else text, "utf-8")
    return folder


def module(folder: Path, text: str) -> Path:
    (folder / "test_made.py").write_text(text, "utf-8")
    return folder


def test_page_is_what_statements_and_tests_say() -> None:
    """When this fails, `make conformance-doc` writes the page anew."""
    assert PAGE.read_text("utf-8") == write_page(read_sections(), read_proofs())


def test_every_statement_has_a_test_or_a_reason() -> None:
    """And no test names a statement that is not there."""
    assert find_gaps(read_sections(), read_proofs()) == []


def test_statements_cover_the_standard() -> None:
    """Every section that binds a server is there, in its order, and none has lost its statements."""
    sections = read_sections()
    assert [section.number for section in sections] == [
        "1.6.7", "1.6.8", "1.6.9", "1.6.11", "2", "3.1", "3.2", "3.3", "3.4", "3.4.1", "3.5", "3.6", "3.6.1", "3.7", "3.8", "3.9",
        "4.1", "4.1.1", "4.2", "4.2.1", "4.3", "4.3.1", "5", "5.1", "5.1.1", "5.2", "5.2.1", "5.3", "5.3.1", "5.4", "5.5", "5.6",
        "5.7", "5.8", "5.8.1", "7.1.1", "8.1.1", "8.1.2", "8.2.1", "8.2.2", "8.3.1", "B",
    ]  # fmt: skip
    assert all(section.clauses for section in sections)


def test_gap_is_found_when_statement_and_test_do_not_meet(tmp_path: Path) -> None:
    """A statement without a test, a test without a statement, and a test of what is said to have none."""
    sections = read_sections(catalogue(tmp_path, SECTION))
    proof = (Proof("wire/test_made.py", "test_it"),)
    assert find_gaps(sections, {"9-m1": proof}) == []
    assert find_gaps(sections, {}) == find_gaps(sections, {"9-m1": (Proof("x", "y", fails=True),)}) == ["9-m1 has no test"]
    assert find_gaps(sections, {"9-m1": proof, "9-m2": proof}) == ["wire/test_made.py::test_it names 9-m2, no such statement"]
    untested = read_sections(catalogue(tmp_path, SECTION + 'untested = "nobody can"\n'))
    assert find_gaps(untested, {}) == []
    assert find_gaps(untested, {"9-m1": proof}) == ["9-m1 has a test: take out why it has none"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"9-m1"', '"9-s1"'),
        ('"9-m1"', '"8-m1"'),
        ('"9-m1"', '"9-m"'),
        ('"MUST"', '"SHALL"'),
        ("It is.", ""),
        ("It is.", "It is. | No."),
        ("we =", "they ="),
        ("we =", 'note = "x"\nwe ='),
        ("we =", 'untested = ""\nwe ='),
    ],
)
def test_statement_is_refused_when_it_cannot_be_meant(tmp_path: Path, before: str, after: str) -> None:
    """A misspelt id, key or keyword would leave a hole in the page."""
    with pytest.raises(CatalogueError):
        read_sections(catalogue(tmp_path, SECTION.replace(before, after)))


def test_statement_is_refused_when_it_stands_twice(tmp_path: Path) -> None:
    """An id is one statement's."""
    with pytest.raises(CatalogueError):
        read_sections(catalogue(tmp_path, SECTION + SECTION))


def test_marker_is_found_wherever_it_stands_among_the_others(tmp_path: Path) -> None:
    """Each id that a test names, in the order of the tests, whichever other marks it has; one that fails is known as such."""
    text = (
        "@pytest.mark.clause('9-m1', '9-m2')\n@other\nasync def test_b(): ...\n@other\n@pytest.mark.clause('9-m1')\n"
        "def test_a(): ...\n@pytest.mark.xfail(strict=True)\n@pytest.mark.clause('9-m3')\ndef test_c(): ...\n"
    )
    assert read_proofs(module(tmp_path, text)) == {
        "9-m1": (Proof("test_made.py", "test_b"), Proof("test_made.py", "test_a")),
        "9-m2": (Proof("test_made.py", "test_b"),),
        "9-m3": (Proof("test_made.py", "test_c", fails=True),),
    }


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.clause(IDS)\ndef test_a(): ...",
        "@pytest.mark.clause()\ndef test_a(): ...",
        "@pytest.mark.clause('9-m1', why='x')\ndef test_a(): ...",
        "@pytest.mark.clause('9-m1', '9-m1')\ndef test_a(): ...",
        "@pytest.mark.clause('9-m1')\ndef helper(): ...",
        "pytestmark = pytest.mark.clause('9-m1')",
        "class TestIt:\n    @pytest.mark.clause('9-m1')\n    def test_a(self): ...",
    ],
)
def test_marker_is_refused_when_the_table_could_not_show_it(tmp_path: Path, text: str) -> None:
    """What pytest would count and the page would not, or the other way round."""
    with pytest.raises(MarkerError):
        read_proofs(module(tmp_path, text))
