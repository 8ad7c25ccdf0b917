"""How much of everything."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything.

    Args:
        sizes: objects in the collection, rising; latency at each is compared with the first.
        compared_at: at the largest size that is not beyond this, the peer does the same.
        envelopes: sizes of envelopes to post, the larger one last.
        posted: objects that one run of posting sends us; the peer gets a third, and everybody an envelope for each writer.
        runs: how often each load is run, our turn and the peer's alternating.
        asked_s: how long one run of a question lasts.
        walked_s: how long one run of reading everything may last.
        pushed_s: how long writers push while readers chase.
        page: objects in a page of a full poll.
        last: objects that an incremental poll returns.
        tail: the last objects, among whose places pollers stand.
        limits_s: how long each physical limit is tried.
        rows: inserted to learn what a database takes.
    """

    sizes: tuple[int, ...] = (10_000, 100_000)
    compared_at: int = 100_000
    envelopes: tuple[int, ...] = (100, 1000)
    posted: int = 6_000
    runs: int = 3
    asked_s: float = 0.8
    walked_s: float = 3.0
    pushed_s: float = 4.0
    page: int = 1000
    last: int = 100
    tail: int = 600
    limits_s: float = 1.0
    rows: int = 30_000

    def with_objects(self, objects: int) -> "Scale":
        """Return the same with another largest size."""
        between = tuple(size for size in self.sizes if size < objects)
        return replace(self, sizes=(*between, objects))


FULL = Scale()
QUICK = Scale(
    sizes=(400, 1_200),
    compared_at=1_200,
    envelopes=(20, 100),
    posted=100,
    runs=1,
    asked_s=0.05,
    walked_s=0.5,
    pushed_s=0.2,
    page=100,
    last=40,
    tail=100,
    limits_s=0.05,
    rows=500,
)
