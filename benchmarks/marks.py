"""What each work ought to reach."""

from dataclasses import dataclass

from benchmarks.report import Figures

READER_P99_GROWTH = 2.0
SIGNED_SHARE = 0.8
MEMORY_MB = 300
_GROWTH = 1.2


@dataclass(frozen=True, slots=True)
class Mark:
    """What a work ought to reach.

    Args:
        ratio: our rate over the peer's, at least.
        rate: ours a second, at least.
        p99_ms: ours, below this.
    """

    ratio: float | None = None
    rate: float | None = None
    p99_ms: float | None = None

    def find_faults(self, ours: Figures, peer: Figures | None, growth: float | None) -> tuple[str, ...] | None:
        """Name what was not reached; None if there was nothing by which to judge.

        Args:
            ours: our figures.
            peer: the peer's in the same run; without them no ratio is judged.
            growth: our p50 over that at the smallest size, which may be 1.2 for every work.
        """
        ratio = ours.rate / peer.rate if peer and peer.rate and self.ratio is not None else None
        if ratio is growth is self.rate is self.p99_ms is None:
            return None
        faults = []
        if ratio is not None and self.ratio is not None and ratio < self.ratio:
            faults.append(f"{self.ratio:g}x")
        if self.rate is not None and ours.rate < self.rate:
            faults.append(f"{self.rate:,.0f}/s")
        if self.p99_ms is not None and ours.p99_ms >= self.p99_ms:
            faults.append(f"p99 under {self.p99_ms:g} ms")
        if growth is not None and growth > _GROWTH:
            faults.append(f"p50 within {_GROWTH:g}x")
        return tuple(faults)


INGEST = Mark(ratio=15, rate=12_000)
FULL_POLL = Mark(ratio=15, rate=300_000)
EMPTY = Mark(ratio=10, rate=5_000)
BY_ID = Mark(ratio=10)
GROWTH_ONLY = Mark()


def incremental(readers: int) -> Mark:
    """Return the mark of an incremental poll, which depends on how many readers there are."""
    return Mark(ratio=12, rate=2_500 if readers == 8 else None, p99_ms=40 if readers == 32 else None)
