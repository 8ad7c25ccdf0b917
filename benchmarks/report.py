"""The table: plain text, one line a load, to be read by people and by diff."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.loads import Run

_HEAD = ("work", "database", "rate", "", "p50 ms", "p99 ms", "CPU us", "RSS MB", "peak MB", "correlated")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Args:
        work: what was done.
        database: on which.
        unit: what the rate counts.
        runs: the same load, several times.
        memory_mb: what the server held behind it, and at most until then.
    """

    work: str
    database: str
    unit: str
    runs: Sequence[Run]
    memory_mb: tuple[int, int]

    def cells(self) -> tuple[str, ...]:
        """Write the line's cells."""
        latencies = [one for run in self.runs for one in run.latencies_s]
        rate = median(run.amount / run.taken_s for run in self.runs)
        cpu_us = median(run.cpu_s / run.amount for run in self.runs) * 1e6
        both = median(run.amount / (run.taken_s + run.lag_s) for run in self.runs)
        late = f"{both:,.0f}/s" if any(run.lag_s for run in self.runs) else ""
        times = (f"{median(latencies) * 1e3:.1f}", f"{percentile(latencies, 99) * 1e3:.1f}", f"{cpu_us:,.0f}")
        return (self.work, self.database, f"{rate:,.0f}", self.unit, *times, *map(str, self.memory_mb), late)


def percentile(values: Sequence[float], rank: int) -> float:
    """Return the value below which `rank` in a hundred lie."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[rank - 1]


def write_table(lines: Sequence[Line]) -> str:
    """Lay out the lines below their head: words to the left, numbers to the right."""
    rows = [_HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    left = {0, 1, 3}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
