"""Publishing: objects as they are, in as many requests as the server's bounds ask for, and what became of each.

Spec: TAXII 2.1 §5.4, §4.3
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from regcert.client.options import Timing
from regcert.client.reading import read_object
from regcert.client.resources import Failure, Object, Status
from regcert.errors import Code, Refusal
from regcert.outbound.batches import Written, in_order

Publishable = bytes | Object | Mapping[str, Any]

_FIRST_POLL_S = 0.25
_MOST_POLL_S = 10.0


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication.

    Args:
        accepted: how many objects the server took, those that it had already included.
        failures: those that it did not take, with its reasons.
        pending: how many it had not looked at when patience was over; it may still take them.
    """

    accepted: int = 0
    failures: tuple[Failure, ...] = ()
    pending: int = 0

    def plus(self, status: Status, sent: int) -> "Published":
        """Add what became of one more request; a server cannot take, refuse or keep waiting more than it was given."""
        return replace(
            self,
            accepted=self.accepted + _within(status.success_count, sent),
            failures=self.failures + status.failures[:sent],
            pending=self.pending + (0 if status.is_complete else _within(status.pending_count, sent)),
        )


def written(objects: Iterable[Publishable]) -> list[Written]:
    """Put objects in order, each as the bytes that are sent.

    Raises:
        Refusal: MALFORMED_JSON where bytes are no JSON object with an id. Nothing was sent yet.
    """
    return in_order(_written(one) for one in objects)


async def await_complete(status: Status, ask_again: Callable[[], Awaitable[Status]], timing: Timing, patience_s: float) -> Status:
    """Ask for a status until it is complete, or patience is over.

    Args:
        status: as it was answered to the POST.
        ask_again: fetches it once more.
        timing: how to wait.
        patience_s: how long, seconds.
    """
    until = timing.monotonic() + patience_s
    delay_s = _FIRST_POLL_S
    while not status.is_complete and timing.monotonic() + delay_s <= until:
        await timing.sleep(delay_s)
        delay_s = min(2 * delay_s, _MOST_POLL_S)
        status = await ask_again()
    return status


def _written(one: Publishable) -> Written:
    if isinstance(one, Object):
        return Written(one.type, one.body)
    if isinstance(one, bytes):
        try:
            return Written(read_object(one).type, one)
        except Refusal as refusal:
            raise Refusal(Code.MALFORMED_JSON, "what is published must be JSON objects, each with an id") from refusal
    return Written(str(one.get("type", "")), json.dumps(one, ensure_ascii=False).encode())


def _within(count: int, most: int) -> int:
    return min(max(count, 0), most)
