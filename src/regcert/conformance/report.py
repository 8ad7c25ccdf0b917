"""Findings as a table by section, as lines about what failed, and as a document for machines."""

from collections.abc import Iterator, Sequence
from typing import Any

from regcert.conformance.catalogue import SECTIONS
from regcert.conformance.check import Keyword
from regcert.conformance.place import Place
from regcert.conformance.run import Finding, Findings
from regcert.conformance.verdict import Verdict, inert

HEADINGS = ("section", "", ">passed", ">failed", ">skipped", ">n/a")
_VERDICTS = (Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED, Verdict.NOT_APPLICABLE)
_MOST_SKIPS = 12


def section_rows(findings: Findings) -> Iterator[tuple[str, ...]]:
    """Count verdicts by section; the last rows are the sums by keyword."""
    for section, name in SECTIONS.items():
        of_section = [one for one in findings.findings if one.check.section == section]
        if of_section:
            yield (section, name, *_counts(of_section))
    for keyword in Keyword:
        of_keyword = [one for one in findings.findings if one.check.keyword is keyword]
        yield (keyword.value, "what clients need beyond it" if keyword is Keyword.CLIENT else "", *_counts(of_keyword))
    yield ("all", "", *_counts(findings.findings))


def failure_rows(findings: Findings) -> Iterator[tuple[str, ...]]:
    """List what failed, what weighs most first: keyword, id, rule, what was seen."""
    order = list(Keyword)
    failed = [one for one in findings.findings if one.verdict is Verdict.FAILED]
    for one in sorted(failed, key=lambda finding: order.index(finding.check.keyword)):
        yield (keyword_of(one), one.check.check_id, one.check.rule, one.seen)


def skip_rows(findings: Findings) -> Iterator[tuple[str, str]]:
    """List why checks were skipped, and how many for each reason, the most frequent first."""
    reasons: dict[str, int] = {}
    for one in findings.findings:
        if one.verdict is Verdict.SKIPPED:
            reasons[one.seen] = reasons.get(one.seen, 0) + 1
    for reason, times in sorted(reasons.items(), key=lambda item: -item[1])[:_MOST_SKIPS]:
        yield (str(times), reason)


def keyword_of(finding: Finding) -> str:
    """Say how much a rule weighs, and for a client's need, which client."""
    check = finding.check
    return f"{check.keyword.value} ({check.client})" if check.client else check.keyword.value


def document(findings: Findings, place: Place, server: str) -> dict[str, Any]:
    """Describe everything for a machine; docs/conformance.md documents it."""
    return {
        "server": server,
        "discovery": place.discovery,
        "api_root": inert(place.root),
        "collection": inert(str(place.collection.get("id"))) if place.collection else None,
        "conforms": findings.conforms,
        "left_behind": findings.left_behind,
        "counts": {
            keyword.value: {verdict.value: findings.count(verdict, keyword) for verdict in _VERDICTS} for keyword in Keyword
        },
        "checks": [
            {
                "id": one.check.check_id,
                "section": one.check.section,
                "keyword": one.check.keyword.value,
                "client": one.check.client or None,
                "rule": one.check.rule,
                "verdict": one.verdict.value,
                "seen": one.seen or None,
            }
            for one in findings.findings
        ],
    }


def _counts(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(str(sum(one.verdict is verdict for one in findings)) for verdict in _VERDICTS)
