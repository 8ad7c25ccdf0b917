"""The loads, one function each; each returns what one run took."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.client import Client, post
from benchmarks.hosting import COLLECTION, Server
from benchmarks.machine import cpu_s


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one load.

    Args:
        amount: how many objects, or requests.
        taken_s: how long all of it took.
        latencies_s: how long each request took.
        cpu_s: processor time of the server, its database's processes left out.
        lag_s: for how long correlation was still reading afterwards.
    """

    amount: int
    taken_s: float
    latencies_s: list[float]
    cpu_s: float
    lag_s: float = 0.0


def ingest(server: Server, envelopes: Sequence[bytes], writers: int) -> Run:
    """Post envelopes, parted among some writers of alternating teams; each waits for its answer before the next."""

    def write(client: Client, number: int, latencies: list[float]) -> int:
        stored = 0
        for request in requests[number]:
            started = time.perf_counter()
            reply = client.send(request)
            latencies.append(time.perf_counter() - started)
            status: dict[str, Any] = orjson.loads(reply.body)
            if reply.status != 202 or status["failure_count"]:
                raise RuntimeError(f"refused: {bytes(reply.body[:1000])!r}")
            stored += status["success_count"]
        return stored

    tokens = server.tokens
    made = [post(tokens[turn % len(tokens)], COLLECTION, body) for turn, body in enumerate(envelopes)]
    requests = [made[number::writers] for number in range(writers)]
    run = _together(server, writers, write)
    return Run(run.amount, run.taken_s, run.latencies_s, run.cpu_s, server.wait_until_correlated())


def poll_all(server: Server, readers: int, expected: int) -> Run:
    """Read the whole collection in pages of 1000, as each of some readers."""

    def read(client: Client, _number: int, latencies: list[float]) -> int:
        pages, following = 0, ""
        while True:
            started = time.perf_counter()
            reply = client.get(f"limit=1000{following}")
            latencies.append(time.perf_counter() - started)
            _require_page(reply.status)
            pages += 1
            if reply.next is None:
                return (pages - 1) * 1000 + len(orjson.loads(reply.body).get("objects", ()))
            following = f"&next={reply.next}"

    run = _together(server, readers, read)
    if run.amount != readers * expected:
        raise RuntimeError(f"{run.amount} objects came back, {readers} x {expected} were published")
    return run


def ask(server: Server, query: str, times: int, expected: int) -> Run:
    """Ask the same question many times."""

    def read(client: Client, _number: int, latencies: list[float]) -> int:
        found = len(orjson.loads(client.get(query).body)["objects"])
        if found != expected:
            raise RuntimeError(f"{found} objects came back, {expected} were expected")
        for _ in range(times):
            started = time.perf_counter()
            reply = client.get(query)
            latencies.append(time.perf_counter() - started)
            _require_page(reply.status)
        return times

    return _together(server, 1, read)


def find_added_after(server: Server, behind: int, objects: int) -> str:
    """Find the time at which the object was added that `behind` others came after."""
    with Client(server.port, server.tokens[0], COLLECTION) as client:
        following, skipped = "", 0
        while True:
            reply = client.get(f"limit=1000{following}", resource="manifest")
            page: dict[str, Any] = orjson.loads(reply.body)
            wanted = objects - behind - 1 - skipped
            if wanted < len(page["objects"]):
                return str(page["objects"][wanted]["date_added"])
            skipped += len(page["objects"])
            following = f"&next={page['next']}"


def _together(server: Server, clients: int, work: Callable[[Client, int, list[float]], int]) -> Run:
    """Let some clients work at once, from one moment on."""
    latencies: list[list[float]] = [[] for _ in range(clients)]
    amounts = [0] * clients
    faults: list[Exception] = []
    ready = threading.Barrier(clients + 1)

    def play(number: int) -> None:
        try:
            with Client(server.port, server.tokens[number % len(server.tokens)], COLLECTION) as client:
                ready.wait()
                amounts[number] = work(client, number, latencies[number])
        except Exception as error:  # noqa: BLE001 - it is raised where somebody sees it
            faults.append(error)

    threads = [threading.Thread(target=play, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    started, used = time.perf_counter(), cpu_s(server.pid)
    for thread in threads:
        thread.join()
    taken_s = time.perf_counter() - started
    if faults:
        raise faults[0]
    return Run(sum(amounts), taken_s, [one for each in latencies for one in each], cpu_s(server.pid) - used)


def _require_page(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"a page was refused with {status}")
