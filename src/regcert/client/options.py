"""How a client behaves: what it bears, and the clock, sleep and chance that tests replace."""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from regcert.clock import Clock, SystemClock
from regcert.outbound.patience import Patience


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may take.

    Args:
        most_answer_bytes: of an answer, on the wire as well as inflated.
        connect_s: until the connection stands, seconds.
        silence_s: between two pieces of an answer, seconds; a long poll adds what it waits.
        total_s: for all of one answer, seconds; a long poll adds what it waits.
    """

    most_answer_bytes: int = 256 * 1024 * 1024
    connect_s: float = 10.0
    silence_s: float = 60.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, as arguments.

    Args:
        clock: tells the date, for a Retry-After that names one.
        monotonic: counts seconds.
        sleep: waits so many seconds.
        chance: returns a number from 0 up to 1.
    """

    clock: Clock = field(default_factory=SystemClock)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Options:
    """All that may be decided about a client beyond its server and its credentials.

    Args:
        bounds: of one request.
        patience: with a server that is busy or away.
        timing: time and chance.
        scheme: the word before a token in the Authorization header; `Bearer`, or `Token` for some servers.
        tls: the context for https, or None for the machine's own trust store.
        proxies_from_environment: whether HTTPS_PROXY, HTTP_PROXY and NO_PROXY are followed.
    """

    bounds: Bounds = field(default_factory=Bounds)
    patience: Patience = field(default_factory=Patience)
    timing: Timing = field(default_factory=Timing)
    scheme: str = "Bearer"
    tls: ssl.SSLContext | None = None
    proxies_from_environment: bool = False
