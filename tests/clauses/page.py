"""docs/taxii-conformance.md, written from the statements and from the tests that name them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.clauses.catalogue import LETTERS, Clause, Section, read_sections
from tests.clauses.proofs import Proof, read_proofs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "taxii-conformance.md"
HEAD = """\
# TAXII 2.1, statement by statement

Every statement of the OASIS Standard of 10 June 2021 that concerns a server, in our own words; what RegCERT does; and the tests
that prove it, nearly all of them over a real socket. Where the standard leaves room, or real clients do otherwise, the line says
whose need decided. This page is written from `tests/clauses/` and from the markers of the tests by `make conformance-doc`, and
the suite fails when it is not what they say, when a statement has no test, or when a test names a statement that is not here.

Statements that bind a client are listed where a server has to answer one that does otherwise. Sections 8.4 and 8.5 bind clients
alone, section 6 is reserved, and section 1.6 is not normative. The keyword `table` is the definition of an endpoint, which
section 3.1 makes normative; `text` is what the standard says without a keyword. The numbers behind the letter are ours. Where
the letter is not kept, the line says **Departs** and why, and the tests show what is done instead.

What a token's client profile adds to the standard is in [clients.md](clients.md); the codes of refusals are in
[refusals.md](refusals.md).
"""


def write_page(sections: Sequence[Section], proofs: Mapping[str, Sequence[Proof]]) -> str:
    """Write the document."""
    parts = [HEAD, "\n".join(_summary([clause for section in sections for clause in section.clauses]))]
    for section in sections:
        rows = [_row(clause, proofs.get(clause.clause_id, ())) for clause in section.clauses]
        head = ["| id | keyword | the standard asks | what RegCERT does | proof |", "|---|---|---|---|---|"]
        title = f"## Appendix {section.number}" if section.number.isalpha() else f"## {section.number}"
        parts.append("\n".join([f"{title} {section.title}", "", *head, *rows]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def find_gaps(sections: Sequence[Section], proofs: Mapping[str, Sequence[Proof]]) -> list[str]:
    """Find what is wrong between statements and tests, in sentences; none where everything is as it should be."""
    clauses = {clause.clause_id: clause for section in sections for clause in section.clauses}
    strange = [(one, proof) for one in proofs.keys() - clauses for proof in proofs[one]]
    gaps = [f"{proof.path}::{proof.name} names {one}, no such statement" for one, proof in strange]
    for one, clause in clauses.items():
        is_proven = any(not proof.fails for proof in proofs.get(one, ()))
        if clause.untested and one in proofs:
            gaps.append(f"{one} has a test: take out why it has none")
        if not clause.untested and not is_proven:
            gaps.append(f"{one} has no test")
    return sorted(gaps)


def _summary(clauses: Sequence[Clause]) -> list[str]:
    stated = Counter(clause.keyword for clause in clauses)
    proven = Counter(clause.keyword for clause in clauses if not clause.untested)
    departed = Counter(clause.keyword for clause in clauses if clause.departs)
    rows = ["| keyword | statements | with a test | of these, departed from | not testable here |", "|---|---|---|---|---|"]
    rows += [f"| {one} | {stated[one]} | {proven[one]} | {departed[one]} | {stated[one] - proven[one]} |" for one in LETTERS]
    total, shown = stated.total(), proven.total()
    return [*rows, f"| all | {total} | {shown} | {departed.total()} | {total - shown} |"]


def _row(clause: Clause, proofs: Sequence[Proof]) -> str:
    does = clause.we
    does += f" **Departs:** {clause.departs}." if clause.departs else ""
    does += f" *For: {clause.client}.*" if clause.client else ""
    shown = f"not testable: {clause.untested}" if clause.untested else "<br>".join(map(_link, proofs))
    return f"| `{clause.clause_id}` | {clause.keyword} | {clause.says} | {does} | {shown} |"


def _link(proof: Proof) -> str:
    return f"[{proof.path}::{proof.name}](../tests/{proof.path})" + " **fails today**" * proof.fails


def main() -> None:
    """Write the document anew; refuse where statements and tests do not belong together."""
    sections, proofs = read_sections(), read_proofs()
    if gaps := find_gaps(sections, proofs):
        raise SystemExit("\n".join(gaps))
    PAGE.write_text(write_page(sections, proofs), "utf-8")


if __name__ == "__main__":
    main()
