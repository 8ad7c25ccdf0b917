"""What goes over the socket between the two processes, and what comes of it when one of them is gone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.principal import Principal, Role
from regcert.domain.submission import Received
from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.publish import Receipt
from regcert.stix.tlp import Tlp
from regcert.workers.intake import Intake, serve_intake

TEAM = Team(3, "alcirt", "AL-CSIRT", "AL", TeamKind.NATIONAL, "identity--x", "")
COLLECTION = Collection(1, "u", "s", "r", "t", "d", Tlp.AMBER_STRICT, SignatureRule.ACCEPTED, "all", ("application/x", "y"))


def received(body: bytes = b"{}", narrowed: frozenset[int] | None = None) -> Received:
    return Received(Principal(TEAM, Role.ANALYST, 7, narrowed, "elastic"), COLLECTION, body, 1_795_000_000_000_000)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    while not holds():  # noqa: ASYNC110 - it is another task's doing, which tells nobody
        await asyncio.sleep(0)


@asynccontextmanager
async def connected(publish, wake=lambda: None) -> AsyncIterator[tuple[Intake, "asyncio.Task[None]"]]:
    """Both ends, in one process."""
    ours, theirs = socket.socketpair()
    intake = Intake(ours)
    serving = asyncio.create_task(serve_intake(theirs, publish, wake))
    running = asyncio.create_task(intake.run())
    await until(lambda: intake._writer is not None)
    try:
        yield intake, serving
    finally:
        intake.close()
        for task in (running, serving):
            with suppress(asyncio.CancelledError):
                await task


async def test_what_is_taken_is_what_was_handed_over():
    """Every field of it, bodies of any size, each answer to its own question."""

    async def publish(one: Received) -> Receipt:
        seen.append(one)
        await asyncio.sleep(0.01 if len(one.body) < 10 else 0)  # the last is answered first
        return Receipt(one.body[-5:], len(one.body))

    seen: list[Received] = []
    sent = [received(bytes([65 + number]) * size, narrowed) for number, (size, narrowed) in enumerate(
        ((2, None), (3_000_000, frozenset({1, 5})), (70_000, None), (0, None))
    )]  # fmt: skip
    async with connected(publish) as (intake, _):
        receipts = await asyncio.gather(*(intake.publish(one) for one in sent))
    assert receipts == [Receipt(one.body[-5:], len(one.body)) for one in sent]
    assert sorted(seen, key=lambda one: one.body) == sorted(sent, key=lambda one: one.body)


async def test_refusal_is_the_same_when_it_comes_over_the_socket():
    """Its code, its sentence, and what it tells programs."""

    async def publish(_one: Received) -> Receipt:
        raise Refusal(Code.TOO_DEEP, "nest less", {"failures": [{"id": "x--1"}]})

    async with connected(publish) as (intake, _):
        with pytest.raises(Refusal) as refused:
            await intake.publish(received())
    assert (refused.value.code, refused.value.message) == (Code.TOO_DEEP, "nest less")
    assert refused.value.details == {"failures": [{"id": "x--1"}]}


async def test_fault_is_a_fault_and_no_more_when_it_comes_over_the_socket(caplog):
    """What broke stands in the intake's log, not in the answer."""

    async def publish(_one: Received) -> Receipt:
        raise ValueError("secret")

    async with connected(publish) as (intake, _):
        with pytest.raises(RuntimeError) as broken:
            await intake.publish(received())
        assert "secret" not in str(broken.value)


async def test_sender_is_told_to_come_again_when_the_intake_ends():
    """Who waits, and who comes later."""

    async def publish(_one: Received) -> Receipt:
        await asyncio.sleep(60)
        raise AssertionError

    ours, theirs = socket.socketpair()
    intake = Intake(ours)
    running = asyncio.create_task(intake.run())
    await until(lambda: intake._writer is not None)
    waiting = asyncio.create_task(intake.publish(received()))
    await asyncio.sleep(0.01)
    theirs.close()  # as a kill does
    await running
    for asked in (waiting, intake.publish(received())):
        with pytest.raises(Refusal) as refused:
            await asked
        assert refused.value.code is Code.BUSY


async def test_what_was_begun_is_answered_when_the_service_stops():
    """The intake ends when nobody is left to ask, and not before it has answered."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def publish(_one: Received) -> Receipt:
        begun.set()
        await go_on.wait()
        finished.append(True)
        return Receipt(b"", 1)

    finished: list[bool] = []
    async with connected(publish) as (intake, serving):
        asked = asyncio.create_task(intake.publish(received()))
        await begun.wait()
        intake.close()
        go_on.set()
        with suppress(Refusal):
            await asked
        await serving
    assert finished == [True]


async def test_correlation_is_woken_when_something_was_written_here_or_there():
    """After each publication, and when the other process says so."""
    woken: list[bool] = []

    async def publish(_one: Received) -> Receipt:
        return Receipt(b"", 1)

    async with connected(publish, lambda: woken.append(True)) as (intake, _):
        await intake.publish(received())
        assert len(woken) == 1
        intake.wake()
        await until(lambda: len(woken) == 2)
