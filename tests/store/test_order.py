"""Law 2: order is commit order, whoever writes, however slowly, whatever the clock says."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from regcert.domain.principal import Principal
from regcert.domain.submission import Admitted
from regcert.store import order
from regcert.store.database import Database, Tx, open_database
from regcert.store.objects import record_objects
from regcert.store.order import POSITION_STEP_US
from regcert.store.pages import Stretch, list_entries
from regcert.store.programs import Program, Rows
from regcert.taxii.filters import Filters
from tests.hosting import StillClock
from tests.made import indicator
from tests.store.acting import INDICATORS, Acting

WRITERS = 16
ROUNDS = 6
HOUR_US = 3_600_000_000
T = TypeVar("T")


class DoomedError(Exception):
    """A transaction that ends without a commit."""


def without_lock(program: Program[T], first: int) -> Program[T]:
    """The fault that law 2 forbids: positions taken before the transaction began, and no lock."""
    try:
        ask = next(program)
        while True:
            if ask[0] is order._LOCK:
                rows: Rows = [(first - order.POSITION_STEP_US,)]
            elif ask[0] is order._MOVE:
                rows = []
            else:
                rows = yield ask
            ask = program.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result


@dataclass
class Poller:
    """Somebody who asks again and again for what came behind the last item, one page at a time."""

    read: Callable[[int], Awaitable[list[tuple[int, str]]]]
    seen: list[tuple[int, str]] = field(default_factory=list)

    async def poll(self, done: asyncio.Event) -> None:
        while True:
            was_done = done.is_set()
            page = await self.read(self.seen[-1][0] if self.seen else 0)
            self.seen += page
            if was_done and not page:
                return
            await asyncio.sleep(0.001)


@dataclass
class Race:
    """Sixteen processes that publish, each with connections of its own, and what they committed."""

    acting: Acting
    url: str
    collection_id: int
    principal: Principal
    chance: random.Random
    early: bool = False
    committed: list[str] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1_795_000_000_000_000, 100))

    async def write(self, database: Database, clock: StillClock) -> None:
        for _ in range(ROUNDS):
            objects = [indicator() for _ in range(self.chance.randint(1, 3))]
            admitted = await self.acting.admitted(*objects)
            clock.at_us += self.chance.randint(-HOUR_US, HOUR_US)
            first, doomed = next(self.numbers), self.chance.random() < 0.2
            try:
                if self.early:
                    await asyncio.sleep(self.chance.random() * 0.02)
                await database.write(self.slow(admitted, first, doomed=doomed))
            except DoomedError:
                continue
            self.committed += [one["id"] for one in objects]

    def slow(self, admitted: Admitted, first: int, *, doomed: bool) -> Callable[[Tx], Awaitable[None]]:
        delay_s = self.chance.random() * 0.008

        async def work(tx: Tx) -> None:
            recording = record_objects(admitted, 0, tx.now_us())
            await tx.run(without_lock(recording, first) if self.early else recording)
            await asyncio.sleep(delay_s)
            if doomed:
                raise DoomedError

        return work

    def reader(self, limit: int, *, by_date: bool) -> Poller:
        async def read(behind: int) -> list[tuple[int, str]]:
            filters = Filters(added_after_us=behind) if by_date else Filters()
            stretch = Stretch(self.collection_id, filters, 0 if by_date else behind, limit)
            found = await self.acting.database.run(list_entries(self.principal, stretch))
            return [(position, stix_id) for position, stix_id, *_ in found[:limit]]

        return Poller(read)

    async def run(self) -> list[Poller]:
        pollers = [self.reader(7, by_date=False), self.reader(5, by_date=True), self.reader(1, by_date=False)]
        done = asyncio.Event()
        async with AsyncExitStack() as stack:
            clocks = [StillClock() for _ in range(WRITERS)]
            databases = [await stack.enter_async_context(open_database(self.url, clock, readers=1)) for clock in clocks]
            polling = [asyncio.create_task(poller.poll(done)) for poller in pollers]
            await asyncio.gather(*(self.write(database, clock) for database, clock in zip(databases, clocks, strict=True)))
            done.set()
            await asyncio.gather(*polling)
        return pollers


def require_exactly_once(pollers: list[Poller], committed: list[str]) -> None:
    """Nothing skipped, nothing doubled, nothing that was rolled back, and every position larger than the last."""
    assert len(committed) > WRITERS
    for poller in pollers:
        positions = [position for position, _ in poller.seen]
        assert all(earlier < later for earlier, later in itertools.pairwise(positions))
        assert sorted(stix_id for _, stix_id in poller.seen) == sorted(committed)


@pytest.fixture
async def race(acting: Acting, database_url: str) -> Race:
    """A race that has not begun."""
    principal = await acting.principal()
    return Race(acting, database_url, await acting.id_of(INDICATORS), principal, random.Random(20261121))


@pytest.mark.clause("3.3-m1")
async def test_pollers_see_each_object_once_when_slow_writers_compete(race):
    """Sixteen processes, delays before the commit, rollbacks and clocks that jump: no cursor steps over anything."""
    require_exactly_once(await race.run(), race.committed)


async def test_checker_detects_skipped_objects_when_positions_are_taken_early(race):
    """The same race with positions from before the transaction loses objects, and the test above would say so."""
    race.early = True
    for _ in range(3):  # on a busy machine a poller may come late enough to miss nothing
        pollers = await race.run()
        if any(len(poller.seen) < len(race.committed) for poller in pollers):
            break
    with pytest.raises(AssertionError):
        require_exactly_once(pollers, race.committed)


@pytest.mark.clause("3.3-m1")
async def test_positions_rise_when_the_clock_steps_back(acting, clock):
    """A position is the present time, or two microseconds behind the last position where the clock lies."""
    taken: list[int] = []
    for step_us in (0, -HOUR_US, 0, HOUR_US, -2 * HOUR_US, 1):
        clock.at_us += step_us
        taken += await acting.database.write(lambda tx: tx.take_positions(3))
    assert taken == sorted(set(taken))
    assert all(later - earlier >= POSITION_STEP_US for earlier, later in itertools.pairwise(taken))


async def test_position_is_given_again_when_its_transaction_rolled_back(acting, clock):
    """What was rolled back leaves no gap in time behind: the order lock and its number go back together."""
    before = await acting.rows("host_order")

    async def work(tx: Tx) -> None:
        await tx.take_positions(5)
        raise DoomedError

    with pytest.raises(DoomedError):
        await acting.database.write(work)
    assert await acting.rows("host_order") == before
