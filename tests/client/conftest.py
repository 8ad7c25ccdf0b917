"""Clients of other servers and of our own host, with a clock and a sleep that the test holds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from regcert.client import Bounds, Options, Patience, Refusal, Timing
from tests.client.other_server import OtherServer, listening_elsewhere
from tests.hosting import StillClock


@dataclass
class Slept:
    """Time that passes only by sleeping; it remembers each sleep."""

    naps: list[float] = field(default_factory=list)
    now_s: float = 0.0

    async def sleep(self, delay_s: float) -> None:
        self.naps.append(delay_s)
        self.now_s += delay_s

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: what a client sees does not depend on the engine, which other tests show."""
    return f"sqlite:///{tmp_path}/regcert.db"


@pytest.fixture
async def other() -> AsyncIterator[OtherServer]:
    """A server that somebody else wrote."""
    async with listening_elsewhere(OtherServer()) as server:
        yield server


@pytest.fixture
def slept() -> Slept:
    """How long the client slept."""
    return Slept()


@pytest.fixture
def options(slept: Slept) -> Options:
    """A client that sleeps in no time, draws the highest lot, and bears little."""
    timing = Timing(clock=StillClock(), monotonic=slept.monotonic, sleep=slept.sleep, chance=lambda: 1.0)
    return Options(
        bounds=Bounds(most_answer_bytes=1_000_000, connect_s=5, silence_s=5, total_s=20), patience=Patience(), timing=timing
    )


async def refused(work: Any) -> Refusal:
    """Run a coroutine, or read an iterator to its end, and return the refusal that it ends in."""
    with pytest.raises(Refusal) as caught:
        await (_to_the_end(work) if isinstance(work, AsyncIterator) else work)
    return caught.value


async def _to_the_end(items: AsyncIterator[Any]) -> None:
    async for _ in items:
        pass
