"""Which loads, in which order, and what each ought to reach.

Our turn and the peer's alternate run by run, so that what else goes on in this machine hits both.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median

from benchmarks.corpus import Corpus
from benchmarks.loads import Run, Scene
from benchmarks.machine import memory_mb
from benchmarks.marks import FULL_POLL, GROWTH_ONLY, INGEST, READER_P99_GROWTH, SIGNED_SHARE, Mark
from benchmarks.questions import CONDITION, Question, count, list_questions
from benchmarks.report import Figures, Line, percentile
from benchmarks.scale import Scale

WORKS = ("ingest", "signed", "poll", "page", "incremental", "empty", "etag", "object", "match", "chase")
_PUSHED_BY_US = 7
_OTHER_SEED = 2027  # what chasing leaves unposted must not be asked for later


class Course:
    """One database's way through all loads.

    Args:
        database: as the table calls it.
        ours: our server.
        peer: the other one, if it is here.
        scale: how much of everything.
        only: kinds of work to do.
    """

    def __init__(self, database: str, ours: Scene, peer: Scene | None, scale: Scale, only: Sequence[str]) -> None:
        self._database = database
        self._ours = ours
        self._peer = peer
        self._scale = scale
        self._only = only
        self._first: dict[str, float] = {}
        compared = [size for size in scale.sizes if size <= scale.compared_at]
        self._compared_at = compared[-1] if compared else 0

    def lines(self) -> Iterator[Line]:
        """Do all of it, and yield a line for each load.

        1. Fill to a size, and ask, by ourselves or side by side.
        2. Post: every size of envelope, one writer and four; side by side at the first size.
        3. The same at the next size.
        4. Let readers chase writers, at the size where both stand.
        5. Last, post again, signed and unsigned in turn.
        """
        scale = self._scale
        for size in scale.sizes:
            asked = self._scenes(with_peer=size == self._compared_at)
            for scene in self._scenes(with_peer=size <= self._compared_at):
                scene.fill(size, scale.tail)  # 1
            for question in list_questions(scale):
                if self._wants(question.kind):
                    yield from self._ask(question, asked, size)
            if self._wants("poll"):
                for readers in (1, 4):
                    yield self._walk(asked, readers, size)
            if self._wants("ingest"):
                yield from self._ingest(self._scenes(with_peer=size == scale.sizes[0]), size)  # 2
            if size == self._compared_at and self._wants("chase"):
                yield self._chase(size)  # 4
        if self._wants("signed"):
            yield from self._ingest_signed(scale.sizes[-1])  # 5: many objects, which would fill the next size before its time

    def _scenes(self, *, with_peer: bool) -> list[Scene]:
        return [self._ours, self._peer] if with_peer and self._peer else [self._ours]

    def _wants(self, kind: str) -> bool:
        return not self._only or kind in self._only

    def _ask(self, question: Question, scenes: Sequence[Scene], size: int) -> Iterator[Line]:
        def run(scene: Scene) -> Run:
            requests = question.requests(scene, self._scale)
            wanted = 304 if CONDITION in requests[0] else 200
            return scene.ask(requests, question.clients, self._scale.asked_s, wanted=wanted, objects=question.objects)

        notes = []
        if question.kind == "etag":
            untagged = [one.target.name for one in scenes if CONDITION not in question.requests(one, self._scale)[0]]
            notes = [f"{name} sends no ETag: whole answers" for name in untagged]
        yield self._line(question.work, "req/s", size, _alternate(scenes, self._scale.runs, run), question.mark, notes)

    def _walk(self, scenes: Sequence[Scene], readers: int, size: int) -> Line:
        scale = self._scale
        runs = _alternate(scenes, scale.runs, lambda scene: scene.walk(readers, scale.page, scale.walked_s))
        return self._line(f"full poll by {scale.page}, {count(readers, 'reader')}", "obj/s", size, runs, FULL_POLL)

    def _ingest(self, scenes: Sequence[Scene], size: int) -> Iterator[Line]:
        for objects in self._scale.envelopes:
            for writers in (1, 4):

                def run(scene: Scene, objects: int = objects, writers: int = writers) -> Run:
                    posted = max(self._scale.posted // (1 if scene is self._ours else 3), writers * objects)
                    return scene.ingest(scene.corpus.envelopes(posted // objects * objects, objects), writers)

                runs = _alternate(scenes, self._scale.runs, run)
                both = median(one.amount / (one.taken_s + one.lag_s) for one in runs[0])
                notes = [f"{both:,.0f} obj/s until correlated"]
                work = f"envelopes of {objects}, {count(writers, 'writer')}"
                yield self._line(work, "obj/s", size, runs, INGEST, notes)

    def _ingest_signed(self, size: int) -> Iterator[Line]:
        """Post unsigned and signed in turn: what the signatures cost is told beside the rate."""
        scene = self._ours
        for objects in self._scale.envelopes:
            for writers in (1, 4):
                posted = max(self._scale.posted, writers * objects) // objects * objects

                def run(*, signed: bool, objects: int = objects, posted: int = posted, writers: int = writers) -> Run:
                    envelopes = scene.corpus.envelopes(posted, objects)
                    return scene.ingest_signed(envelopes, writers) if signed else scene.ingest(envelopes, writers)

                both = [(run(signed=False), run(signed=True)) for _ in range(self._scale.runs)]
                plain, signed = [one for one, _ in both], [one for _, one in both]
                share = median(_rate(one) for one in signed) / median(_rate(one) for one in plain)
                work = f"signed envelopes of {objects}, {count(writers, 'writer')}"
                line = self._line(work, "obj/s", size, [signed], GROWTH_ONLY, [f"{share:.0%} of unsigned"])
                missed = [f"{SIGNED_SHARE:.0%} of unsigned"] if share < SIGNED_SHARE else []
                yield replace(line, faults=(*(line.faults or ()), *missed))

    def _chase(self, size: int) -> Line:
        """Let readers chase writers; what nobody may lose is said in words, for ours and for the peer."""
        scale, notes, faults = self._scale, [], []
        runs: list[list[Run]] = []
        for scene in self._scenes(with_peer=True):
            pushed = scale.posted * (_PUSHED_BY_US if scene is self._ours else 1)
            envelopes = Corpus(_OTHER_SEED).envelopes(pushed, scale.envelopes[0])
            chased = scene.chase(envelopes, scale.pushed_s, scale.last)
            growth = percentile(chased.pushed.latencies_s, 99) / percentile(chased.quiet.latencies_s, 99)
            notes.append(
                f"{scene.target.name}: {chased.missed} missed, {chased.doubled} doubled of {chased.acknowledged:,},"
                f" p99 {growth:.1f}x of quiet"
            )
            if scene is self._ours:
                faults = ["missed or doubled"] * bool(chased.missed + chased.doubled)
                faults += [f"p99 {growth:.1f}x"] * (growth >= READER_P99_GROWTH)
            runs.append([chased.pushed])
        work = f"8 readers by {scale.last} while 2 writers push"
        line = self._line(work, "req/s", size, runs, None, notes)
        return replace(line, faults=tuple(faults))

    def _line(
        self, work: str, unit: str, size: int, runs: Sequence[Sequence[Run]], mark: Mark | None, notes: Sequence[str] = ()
    ) -> Line:
        ours, *theirs = (Figures.of(one) for one in runs)
        growth = ours.p50_ms / self._first[work] if work in self._first else None
        self._first.setdefault(work, ours.p50_ms)
        refused = [f"{theirs[0].refused} answers of the peer were errors"] if theirs and theirs[0].refused else []
        held_mb = memory_mb(self._ours.target.pid)
        peer = theirs[0] if theirs else None
        faults = mark.find_faults(ours, peer, growth) if mark else None
        return Line(work, self._database, size, unit, ours, peer, held_mb, growth, faults, (*notes, *refused))


def _rate(run: Run) -> float:
    return run.amount / run.taken_s


def _alternate(scenes: Sequence[Scene], runs: int, run: Callable[[Scene], Run]) -> list[list[Run]]:
    """Run a load some times on each server in turn; the first list is ours."""
    done: list[list[Run]] = [[] for _ in scenes]
    for _ in range(runs):
        for kept, scene in zip(done, scenes, strict=True):
            kept.append(run(scene))
    return done
