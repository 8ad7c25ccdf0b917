"""What a process must see to trust its memory: how far the host's order has come, and what changed where.

Everything that is remembered is remembered under one of these numbers, and every request looks at them first, after it came
in. So a process answers from memory only what the database would answer now, whoever wrote: itself, another process, a
command of the operator.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import select

from regcert.errors import Refusal
from regcert.store.programs import Program, Statement
from regcert.store.readers import Readers
from regcert.store.tables import CollectionRow, HostOrder, table

# Nobody who waits learns of another process's commit later than this, and a look.
LOOK_EVERY_S = 0.02
LOOK_AGAIN_S = 1.0
MOST_WAITING = 1000

_ORDER = table(HostOrder)
_COLLECTIONS = table(CollectionRow)
_HEAD = Statement(lambda _: select(_ORDER.c.position, _ORDER.c.rights, _ORDER.c.alerts).where(_ORDER.c.order_id == 1))
_CHANGED = Statement(lambda _: select(_COLLECTIONS.c.collection_id, _COLLECTIONS.c.changed).limit(10_000))


@dataclass(frozen=True, slots=True)
class Heads:
    """One state of the host, in numbers that only grow.

    Args:
        position: the last place given away.
        rights: how often teams, collections or tokens changed.
        alerts: the last number that an alert was given.
        changed: for each collection, by its key, the place of the last addition or deletion in it.
    """

    position: int = -1
    rights: int = -1
    alerts: int = -1
    changed: Mapping[int, int] = field(default_factory=dict)


class Lookout:
    """Looks at the heads, once for all who ask at the same time.

    Args:
        readers: connections to look through.
        number: moves whenever somebody writes; None where that cannot be known without looking.
    """

    def __init__(self, readers: Readers, number: Callable[[], int | None]) -> None:
        self._readers = readers
        self._number = number
        self._seen: int | None = None
        self._seen_at_s = 0.0
        self._looking = asyncio.Lock()
        self._next: asyncio.Task[Heads] | None = None
        self._last = Heads()
        self._moved = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._waiting = 0
        self._closed = False

    async def look(self) -> Heads:
        """Return a state that is no older than this call.

        Where nobody has written since the last look, that was good enough; but not for ever, because a process that is killed
        between its commit and its number leaves the number behind. A look that is under way may have missed what was committed
        since it began: whoever comes meanwhile shares the next.
        """
        number = self._number()
        if number is not None and number == self._seen and time.monotonic() - self._seen_at_s < LOOK_AGAIN_S:
            return self._last
        if self._next is None:
            self._next = asyncio.create_task(self._look())
        return await asyncio.shield(self._next)

    async def _look(self) -> Heads:
        async with self._looking:
            self._next = None
            number, began_at_s = self._number(), time.monotonic()
            before, self._last = self._last, await self._readers.run(_read_heads(self._last))
            self._seen, self._seen_at_s = number, began_at_s
        if self._last is not before:
            self._ring()
        return self._last

    async def wait_for_change(self, seen: Heads, collection_id: int, most_s: float) -> bool:
        """Wait until a collection has changed since it was seen.

        Args:
            seen: the state that it must differ from.
            collection_id: the collection's key.
            most_s: for how long at most.

        Returns:
            Whether it changed; False also where too many wait already, or the host is stopping.
        """
        since = seen.changed.get(collection_id, 0)
        return await self._wait(lambda heads: heads.changed.get(collection_id, 0) != since, most_s)

    async def wait_for_alerts(self, seen: Heads, most_s: float) -> bool:
        """Wait until any team was told anything since a state was seen; otherwise as `wait_for_change`."""
        return await self._wait(lambda heads: heads.alerts > seen.alerts, most_s)

    async def _wait(self, has_come: Callable[[Heads], bool], most_s: float) -> bool:
        """Wait until something can be seen, for at most so many seconds.

        Whoever looks sees for all who wait, and while somebody waits, we look every now and then ourselves: another process may
        have written.
        """
        if self._closed or self._waiting >= MOST_WAITING:
            return False
        ends_at = time.monotonic() + most_s
        self._waiting += 1
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_while_waited_for())
        try:
            while not has_come(self._last) and not self._closed:
                moved = self._moved
                with suppress(TimeoutError):
                    async with asyncio.timeout(ends_at - time.monotonic()):
                        await moved.wait()
                if time.monotonic() >= ends_at:
                    break
            return has_come(self._last)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let all who wait go."""
        self._closed = True
        self._ring()

    def _ring(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _look_while_waited_for(self) -> None:
        while self._waiting and not self._closed:
            await asyncio.sleep(LOOK_EVERY_S)
            with suppress(Refusal):  # a database that is gone: whoever asks learns it, this loop only has to go on
                await self.look()


def _read_heads(last: Heads) -> Program[Heads]:
    rows = yield _HEAD, {}
    position, rights, alerts = rows[0] if rows else (0, 0, 0)  # a host that is being founded has no order yet
    if (position, rights) == (last.position, last.rights):
        return last if alerts == last.alerts else replace(last, alerts=alerts)
    changed = yield _CHANGED, {}
    return Heads(position, rights, alerts, dict(changed))
