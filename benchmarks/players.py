"""Processes that play the clients: no lock of the program that measures, or of the server, is theirs.

One player drives its connections with one `epoll` loop, which costs less than a thread a connection and never waits for a lock.
"""

import multiprocessing
import select
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from benchmarks.scripts import Script
from benchmarks.wire import Exchange


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one player saw.

    Args:
        scripts: as they ended.
        latencies_s: how long each request took.
        taken_s: from the first request to the last answer.
        cpu_s: the player's own processor time meanwhile.
        received_bytes: of bodies.
    """

    scripts: Sequence[Script]
    latencies_s: "array[float]"
    taken_s: float
    cpu_s: float
    received_bytes: int


class Players:
    """Some processes that wait to be told what to play.

    Args:
        count: of processes.
    """

    def __init__(self, count: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self._lines: list[Connection[Any, Any]] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            self._lines.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.join()

    def play(
        self, port: int, parts: Sequence[Sequence[Script]], on_start: Callable[[], None], *, ends_first: bool = False
    ) -> list[Outcome]:
        """Let each part be played by a player of its own, all from one moment on.

        Args:
            port: of the server.
            parts: the scripts of each player.
            on_start: called when every connection stands and none has asked.
            ends_first: the load is over when the first part has ended; the others are told.
        """
        lines = self._lines[: len(parts)]
        for line, scripts in zip(lines, parts, strict=True):
            line.send((port, scripts))
        for line in lines:
            _receive(line)
        on_start()
        for line in lines:
            line.send("go")
        first = _receive(lines[0])
        if ends_first:
            for line in lines[1:]:
                line.send("over")
        return [first, *(_receive(line) for line in lines[1:])]


def _receive(line: "Connection[Any, Any]") -> Any:
    said = line.recv()
    if isinstance(said, Exception):
        raise said
    return said


def _serve(line: "Connection[Any, Any]") -> None:
    """Play what comes over the line until it is closed."""
    while True:
        try:
            said = line.recv()
        except EOFError:
            return
        if said == "over":  # of a load that had ended by itself
            continue
        port, scripts = said
        try:
            line.send(_play(line, port, scripts))
        except Exception as error:  # noqa: BLE001 - it is raised where somebody sees it
            line.send(RuntimeError(repr(error)))


def _play(line: "Connection[Any, Any]", port: int, scripts: Sequence[Script]) -> Outcome:
    exchanges = [Exchange(port) for _ in scripts]
    line.send("ready")
    line.recv()
    over = False

    def is_over() -> bool:
        nonlocal over
        if not over and line.poll():
            over = line.recv() == "over"
        return over

    latencies: array[float] = array("d")
    cpu_s, started = time.process_time(), time.perf_counter()
    received = _drive(scripts, exchanges, latencies, is_over)
    taken_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    for script, exchange in zip(scripts, exchanges, strict=True):
        script.close(exchange)
        exchange.close()
        if isinstance(getattr(script, "requests", None), Sequence):
            script.requests = ()  # type: ignore[attr-defined]  # large, and known where it came from
    return Outcome(scripts, latencies, taken_s, cpu_s, received)


def _drive(
    scripts: Sequence[Script], exchanges: Sequence[Exchange], latencies: "array[float]", is_over: Callable[[], bool]
) -> int:
    """Ask and read on all connections until every script has ended; return how many bytes of bodies came."""
    poll = select.epoll()
    clock = time.perf_counter
    begun = clock()
    asked: dict[int, float] = {}
    by_number: dict[int, tuple[Script, Exchange]] = {}

    def ask(script: Script, exchange: Exchange, request: bytes) -> None:
        started = clock()
        wanted = select.EPOLLIN if exchange.ask(request) else select.EPOLLIN | select.EPOLLOUT
        number = exchange.fileno()
        by_number[number], asked[number] = (script, exchange), started
        try:
            poll.modify(number, wanted)
        except FileNotFoundError:  # a new connection; epoll forgets closed ones by itself
            poll.register(number, wanted)

    for script, exchange in zip(scripts, exchanges, strict=True):
        ask(script, exchange, script.first())
    received = 0
    while by_number:
        for number, event in poll.poll():
            script, exchange = by_number[number]
            if event & select.EPOLLOUT and exchange.push():
                poll.modify(number, select.EPOLLIN)
            if not event & ~select.EPOLLOUT or not exchange.pull():
                continue
            now = clock()
            latencies.append(now - asked[number])
            received += exchange.size_bytes
            request = script.after(exchange, now - begun, is_over)
            del by_number[number]
            if request is not None:
                ask(script, exchange, request)
            elif exchange.fileno() == number:
                poll.unregister(number)
    poll.close()
    return received
