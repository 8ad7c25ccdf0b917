"""Running the suite against a server that listens on a socket."""

from collections.abc import Sequence
from dataclasses import dataclass

from regcert.conformance.asking import Terms
from regcert.conformance.catalogue import all_checks
from regcert.conformance.check import Check, Keyword
from regcert.conformance.peer import Peer
from regcert.conformance.reach import find_place
from regcert.conformance.run import Finding, Findings, run_checks
from regcert.conformance.verdict import Verdict
from regcert.outbound.wire import open_wire

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Run:
    """What a run of the suite found."""

    findings: Findings

    def failed(self, *keywords: Keyword) -> dict[str, str]:
        """What failed, and what was seen."""
        return {
            one.check.check_id: one.seen
            for one in self.findings.findings
            if one.verdict is Verdict.FAILED and (not keywords or one.check.keyword in keywords)
        }

    def of(self, verdict: Verdict) -> dict[str, str]:
        return {one.check.check_id: one.seen for one in self.findings.findings if one.verdict is verdict}

    def __getitem__(self, check_id: str) -> Finding:
        return next(one for one in self.findings.findings if one.check.check_id == check_id)


async def run(url: str, terms: Terms, *, collection: str | None = None, checks: Sequence[Check] | None = None) -> Run:
    """Find the way into a server and run checks there; all of them unless some are named."""
    async with open_wire(url, TIMEOUT_S) as wire:
        place = await find_place(wire, url, terms, collection)
        return Run(await run_checks(Peer(wire, place, terms), all_checks() if checks is None else checks))


def checks_named(*ids: str) -> list[Check]:
    """The checks of these ids; each must exist."""
    known = {one.check_id: one for one in all_checks()}
    return [known[one] for one in ids]
