"""The table: plain text, one line a load, to be read by people and by diff; and the same for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from benchmarks.loads import Run

_HEAD = (
    *("work", "database", "at", "rate", "", "p50 ms", "p99 ms", "CPU us", "client us", "MB"),
    *("peer", "p50 ms", "p99 ms", "CPU us", "ratio", "growth", "mark", ""),
)
_LEFT = frozenset({0, 1, 4, 16, 17})


@dataclass(frozen=True, slots=True)
class Figures:
    """One server's figures for one load.

    Args:
        rate: objects or requests a second, the median over the runs.
        p50_ms, p99_ms: of a request, over all runs.
        server_cpu_us: the server's processor time for one object or request, the median over the runs.
        client_cpu_us: that of those who asked.
        refused: answers other than the wanted one.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    client_cpu_us: float
    refused: int

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Figures":
        """Put together some runs of the same load."""
        latencies = [one for run in runs for one in run.latencies_s]
        return cls(
            median(run.amount / run.taken_s for run in runs),
            median(latencies) * 1e3,
            percentile(latencies, 99) * 1e3,
            median(run.server_cpu_s / max(run.amount, 1) for run in runs) * 1e6,
            median(run.client_cpu_s / max(run.amount, 1) for run in runs) * 1e6,
            sum(run.refused for run in runs),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Args:
        work: what was done.
        database: on which.
        objects: in the collection.
        unit: what the rate counts.
        ours: our figures.
        peer: the peer's, where it did the same.
        held_mb: what our server held in memory behind it.
        growth: our p50 over that at the smallest size.
        faults: what was to be reached and was not; None if there was nothing by which to judge.
        notes: what numbers do not say.
    """

    work: str
    database: str
    objects: int
    unit: str
    ours: Figures
    peer: Figures | None
    held_mb: float
    growth: float | None
    faults: tuple[str, ...] | None
    notes: tuple[str, ...]

    @property
    def ratio(self) -> float | None:
        """Our rate over the peer's."""
        return self.ours.rate / self.peer.rate if self.peer and self.peer.rate else None

    def cells(self) -> tuple[str, ...]:
        """Write the line's cells."""
        ours, peer = self.ours, self.peer
        theirs = ("",) * 4
        if peer:
            theirs = (f"{peer.rate:,.0f}", f"{peer.p50_ms:.1f}", f"{peer.p99_ms:.1f}", f"{peer.server_cpu_us:,.0f}")
        return (
            *(self.work, self.database, f"{self.objects:,}", f"{ours.rate:,.0f}", self.unit),
            *(f"{ours.p50_ms:.2f}", f"{ours.p99_ms:.2f}", f"{ours.server_cpu_us:,.0f}", f"{ours.client_cpu_us:,.0f}"),
            *(f"{self.held_mb:,.0f}", *theirs),
            f"{self.ratio:.1f}x" if self.ratio else "",
            f"{self.growth:.2f}" if self.growth else "",
            "" if self.faults is None else f"not {', '.join(self.faults)}" if self.faults else "reached",
            "; ".join(self.notes),
        )

    def as_record(self) -> dict[str, Any]:
        """Return the line for a program to read."""
        return asdict(self) | {"ratio": self.ratio}


def percentile(values: Sequence[float], rank: int) -> float:
    """Return the value below which `rank` in a hundred lie."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[rank - 1]


def write_table(lines: Sequence[Line]) -> str:
    """Lay out the lines below their head: words to the left, numbers to the right."""
    rows = [_HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in _LEFT else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
