"""What is done to the host, and what of it is measured."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import quantiles

import orjson

from benchmarks.machine import cpu_s
from benchmarks.sightings.host import TEAMS, Served
from benchmarks.wire import Exchange

REPORTS_A_VALUE = 5
SHARED_ONE_IN = 100
BACKGROUND_A_S = 500
_CALLS_A_S = 10
_POLL_S = 0.01
_STUCK_S = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """How quickly reports were taken.

    Args:
        rate: reports a second, until the last answer.
        cpu_us: processor time of the host's processes for each, until then.
    """

    rate: float
    cpu_us: float


class Reports:
    """Reports that never end, the same in every run: each value is named about five times, one in a hundred by every team."""

    def __init__(self, seed: int, count: int, sender: int = 0) -> None:
        self._random = random.Random(seed * 100 + sender)
        self._values = max(count // REPORTS_A_VALUE, 1)
        self._seed = seed
        self._sender = sender
        self._number = 0

    def take(self, count: int) -> list[dict[str, object]]:
        """Take the next of them."""
        return [self._one() for _ in range(count)]

    def _one(self) -> dict[str, object]:
        self._number += 1
        value, hour = self._random.randrange(self._values), self._random.randrange(24)
        whose = f"t{self._sender}" if value % SHARED_ONE_IN else "all"
        return {
            "value": f"h{value:07x}.{whose}.s{self._seed}.example",
            "count": self._random.randrange(1, 50),
            "first_seen": f"2026-11-0{self._random.randrange(1, 8)}T{hour:02}:{self._random.randrange(60):02}:00Z",
            "report_id": f"fw-{self._seed:03}-{self._number:09}",
        }


def tell(served: Served, seed: int, count: int, batch: int, senders: int) -> Told:
    """Send reports in calls of one size, by so many teams at a time; each waits for its answer."""
    requests = []
    for sender in range(senders):
        told, token = Reports(seed, count // senders, sender), served.tokens[TEAMS[sender]][0]
        requests.append([served.post(told.take(batch), token) for _ in range(max(count // batch // senders, 1))])
    began_cpu_s, began_s = cpu_s(served.pid), time.perf_counter()
    _send_all(served.port, requests)
    took_s, total = time.perf_counter() - began_s, batch * sum(map(len, requests))
    return Told(total / took_s, (cpu_s(served.pid) - began_cpu_s) / total * 1e6)


def _send(port: int, requests: Sequence[bytes]) -> None:
    with Exchange(port) as exchange:
        for request in requests:
            if exchange.fetch(request) != 200:
                raise RuntimeError(f"refused: {bytes(exchange.body[:400])!r}")


def _send_all(port: int, requests: Sequence[Sequence[bytes]]) -> None:
    with ThreadPoolExecutor(len(requests)) as threads:
        list(threads.map(lambda own: _send(port, own), requests))


def time_alerts(served: Served, seed: int, times: int) -> list[float]:
    """Time how long it takes from the second country's report until the first is told, in seconds, while others report on."""
    first, second, other = (served.tokens[team][0] for team in TEAMS[:3])
    took_s: list[float] = []
    after = served.read("/api/v1/alerts?limit=1", first)["next"]
    noise = _beside(lambda over: _murmur(served, seed, other, over))
    with noise, Exchange(served.port) as telling, Exchange(served.port) as asking:
        for number in range(times):
            value = f"alert-{seed}-{number}.example"
            telling.fetch(served.post([{"value": value, "first_seen": "2026-11-08T10:00:00Z"}], first))
            time.sleep(0.1)
            began_s = time.perf_counter()
            telling.fetch(served.post([{"value": value, "first_seen": "2026-11-08T11:00:00Z"}], second))
            after = _wait_for(asking, served, first, after, value.encode(), began_s)
            took_s.append(time.perf_counter() - began_s)
    return took_s


@contextmanager
def _beside(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Let something be done until the block ends, which it is told."""
    is_over = threading.Event()
    thread = threading.Thread(target=work, args=(is_over,))
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _wait_for(asking: Exchange, served: Served, token: str, after: int, value: bytes, began_s: float) -> int:
    """Read on in a team's alerts until one names a value; return where to read on from."""
    while time.perf_counter() - began_s < _STUCK_S:
        if asking.fetch(served.get(f"/api/v1/alerts?limit=200&after={after}", token)) != 200:
            raise RuntimeError(f"answered {asking.status}: {bytes(asking.body[:400])!r}")
        after = orjson.loads(asking.body)["next"]
        if value in asking.body:
            return after
        time.sleep(_POLL_S)
    raise RuntimeError("nobody was told")


def _murmur(served: Served, seed: int, token: str, is_over: threading.Event) -> None:
    """Report 500 values a second, in calls of 50."""
    told = Reports(seed + 500, 100_000, 2)
    with Exchange(served.port) as exchange:
        due_s = time.perf_counter()
        while not is_over.is_set():
            exchange.fetch(served.post(told.take(BACKGROUND_A_S // _CALLS_A_S), token))
            due_s += 1 / _CALLS_A_S
            time.sleep(max(0.0, due_s - time.perf_counter()))


@dataclass(frozen=True, slots=True)
class Flooded:
    """What a flood from one team did to another, while a third reports 500 values a second.

    Args:
        quiet_s, flooded_s: how long each of the other team's requests took, without and with it.
        rate: reports a second that the flood brought in.
        incidents: how many there were more behind it.
    """

    quiet_s: Sequence[float]
    flooded_s: Sequence[float]
    rate: float
    incidents: int


def flood(served: Served, seed: int, count: int, batch: int, quiet_s: float) -> Flooded:
    """Let one team report with all its tokens at once, and time what another team does meanwhile."""
    tokens, other = served.tokens[TEAMS[0]], served.tokens[TEAMS[1]][0]
    before = len(served.read("/api/v1/incidents?limit=200", other)["incidents"])
    told = Reports(seed, count)
    calls = [told.take(batch) for _ in range(max(count // batch, len(tokens)))]
    requests = [[served.post(call, token) for call in calls[at :: len(tokens)]] for at, token in enumerate(tokens)]
    with _beside(lambda over: _murmur(served, seed + 2, served.tokens[TEAMS[2]][0], over)):
        quiet, flooded = list[float](), list[float]()
        with _beside(lambda over: quiet.extend(_work(served, seed, other, over))):
            time.sleep(quiet_s)
        with _beside(lambda over: flooded.extend(_work(served, seed + 1, other, over))):
            # In a process of its own: its threads would otherwise keep the clock of those who are timed waiting.
            flooding = get_context("fork").Process(target=_send_all, args=(served.port, requests))
            began_s = time.perf_counter()
            flooding.start()
            flooding.join()
            took_s = time.perf_counter() - began_s
    if flooding.exitcode:
        raise RuntimeError("a call of the flood was refused")
    served.settle()
    behind = len(served.read("/api/v1/incidents?limit=200", other)["incidents"])
    return Flooded(quiet, flooded, len(calls) * batch / took_s, behind - before)


def _work(served: Served, seed: int, token: str, is_over: threading.Event) -> Iterator[float]:
    """Report one value and read the incidents, in turn, fifty times a second; how long each took."""
    read = served.get("/api/v1/incidents?limit=20", token)
    number = 0
    with Exchange(served.port) as exchange:
        while not is_over.is_set():
            number += 1
            one: list[dict[str, object]] = [{"value": f"own-{seed}-{number}.example"}]
            began_s = time.perf_counter()
            exchange.fetch(served.post(one, token) if number % 2 else read)
            yield time.perf_counter() - began_s
            time.sleep(0.02)


def percentile_ms(took_s: Sequence[float], percent: int) -> float:
    """Return a percentile, in milliseconds."""
    return quantiles(took_s, n=100, method="inclusive")[percent - 1] * 1e3


def write_json(figures: dict[str, object]) -> str:
    """Write figures for a program."""
    return orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode()
