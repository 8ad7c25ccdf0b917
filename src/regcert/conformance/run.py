"""Running the suite: one check after the other, whatever becomes of each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regcert.conformance.check import Check, Keyword
from regcert.conformance.peer import Peer
from regcert.conformance.verdict import Broken, NotOffered, Skipped, Verdict, inert

_MOST_S = 300.0
# What a check that takes an answer for what it should be runs into where it is something else.
_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one check.

    Args:
        check: which.
        verdict: passed, failed, skipped or not applicable.
        seen: what was seen, or why it was not looked at; one printable line, cut.
    """

    check: Check
    verdict: Verdict
    seen: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What became of all.

    Args:
        findings: one for each check, in their order.
        left_behind: how many objects of ours the server would not let us delete.
    """

    findings: tuple[Finding, ...]
    left_behind: int

    def count(self, verdict: Verdict, keyword: Keyword | None = None) -> int:
        """Count the checks of a verdict, or those of a keyword among them."""
        return sum(one.verdict is verdict and keyword in {None, one.check.keyword} for one in self.findings)

    @property
    def conforms(self) -> bool:
        """Whether nothing failed that a server must keep."""
        return self.count(Verdict.FAILED, Keyword.MUST) == 0


async def run_checks(peer: Peer, checks: Sequence[Check], tell: Callable[[Finding], None] = lambda _: None) -> Findings:
    """Run checks, and take away what they posted.

    Args:
        peer: the server under test.
        checks: which, in which order.
        tell: called after each.
    """
    findings: list[Finding] = []
    try:
        for check in checks:
            finding = await _judge(peer, check)
            findings.append(finding)
            tell(finding)
    finally:
        # Also when whoever runs it has had enough: what was posted is nobody's but ours.
        left_behind = await peer.clean_up()
    return Findings(tuple(findings), left_behind)


async def _judge(peer: Peer, check: Check) -> Finding:
    try:
        async with asyncio.timeout(_MOST_S):
            await check.judge(peer)
    except Broken as broken:
        return Finding(check, Verdict.FAILED, inert(str(broken)))
    except Skipped as skipped:
        return Finding(check, Verdict.SKIPPED, inert(str(skipped)))
    except NotOffered as reason:
        return Finding(check, Verdict.NOT_APPLICABLE, inert(str(reason)))
    except TimeoutError:
        return Finding(check, Verdict.FAILED, f"it came to no end in {_MOST_S:.0f} s")
    except _MISSHAPEN as error:
        return Finding(
            check, Verdict.FAILED, inert(f"an answer is not of the shape that TAXII gives it ({type(error).__name__}: {error})")
        )
    return Finding(check, Verdict.PASSED, "")
