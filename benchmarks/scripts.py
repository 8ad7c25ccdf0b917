"""What one client says: each script hands out the next request, given the answer to the last one.

Answers are counted, not parsed: what a client does between two requests is time in which the server waits for it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from benchmarks.wire import Exchange

_NEXT = re.compile(rb'"next": ?"([^"]+)"')
_ID = re.compile(rb'"id": ?"([a-z0-9-]+--[0-9a-f-]{36})"')
_SUCCESSES = re.compile(rb'"success_count": ?(\d+)')
_FAILURES = re.compile(rb'"failure_count": ?(\d+)')
_ENDS_BYTES = 2048
_LAST_ADDED = b"x-taxii-date-added-last"
_COMPLAINT_BYTES = 400


class Script(Protocol):
    """One client's part in a load.

    Attributes:
        amount: objects or requests that were dealt with.
        refused: answers other than the wanted one.
        complaint: the beginning of the first of those.
        found: what the load wants to know afterwards.
    """

    amount: int
    refused: int
    complaint: bytes
    found: Any

    def first(self) -> bytes:
        """Return the first request."""

    def after(self, reply: Exchange, elapsed_s: float, is_over: Callable[[], bool]) -> bytes | None:
        """Look at an answer and return the next request, or None if this was the last.

        Args:
            reply: the answer; gone with the next request.
            elapsed_s: since the load began.
            is_over: asks whether the load was ended from outside.
        """

    def close(self, reply: Exchange) -> None:
        """Look at the last answer at leisure, when no clock runs."""


@dataclass(slots=True)
class Repeat:
    """Ask prepared questions in turn, for some seconds.

    Args:
        requests: asked from `at` on, in a circle.
        at: where this client begins.
        wanted: the status of every answer.
        for_s: how long.
    """

    requests: Sequence[bytes]
    at: int
    wanted: int
    for_s: float
    amount: int = 0
    refused: int = 0
    complaint: bytes = b""
    found: Any = None

    def first(self) -> bytes:
        self.at %= len(self.requests)
        return self.requests[self.at]

    def after(self, reply: Exchange, elapsed_s: float, _is_over: Callable[[], bool]) -> bytes | None:
        if reply.status == self.wanted:
            self.amount += 1
        else:
            _refuse(self, reply)
        if elapsed_s >= self.for_s:
            return None
        self.at = (self.at + 1) % len(self.requests)
        return self.requests[self.at]

    def close(self, reply: Exchange) -> None:
        """Keep how many objects the last answer held."""
        self.found = _count_objects(reply)


@dataclass(slots=True)
class Write:
    """Post envelopes, one after the other, for some seconds at most.

    Args:
        requests: the posts.
        for_s: no post begins later than this.
    """

    requests: Sequence[bytes]
    for_s: float
    amount: int = 0
    refused: int = 0
    complaint: bytes = b""
    found: Any = field(default_factory=list)
    _at: int = 0

    def first(self) -> bytes:
        return self.requests[0]

    def after(self, reply: Exchange, elapsed_s: float, _is_over: Callable[[], bool]) -> bytes | None:
        """Count what was stored, and keep the numbers of the envelopes that were acknowledged."""
        body = reply.body
        stored, failed = _SUCCESSES.search(body), _FAILURES.search(body)
        if reply.status == 202 and stored and not (failed and int(failed[1])):
            self.amount += int(stored[1])
            self.found.append(self._at)
        else:
            _refuse(self, reply)
        self._at += 1
        return self.requests[self._at] if self._at < len(self.requests) and elapsed_s < self.for_s else None

    def close(self, reply: Exchange) -> None:
        """Nothing is left to look at."""


@dataclass(slots=True)
class Walk:
    """Read a collection from its beginning by `next`, to its end or for some seconds.

    Args:
        request: a GET in two parts.
        page: the limit that it names.
        for_s: no page is asked for later than this.
    """

    request: tuple[bytes, bytes]
    page: int
    for_s: float
    amount: int = 0
    refused: int = 0
    complaint: bytes = b""
    found: Any = False
    _is_at_end: bool = False

    def first(self) -> bytes:
        return b"".join(self.request)

    def after(self, reply: Exchange, elapsed_s: float, _is_over: Callable[[], bool]) -> bytes | None:
        if reply.status != 200:
            _refuse(self, reply)
            return None
        following = _find_next(reply)
        if following is None:
            self._is_at_end = True
            return None
        self.amount += self.page  # a page that says there is more is full; the sum is checked at the end
        return b"".join((self.request[0], b"&next=", following, self.request[1])) if elapsed_s < self.for_s else None

    def close(self, reply: Exchange) -> None:
        """Count the last page, and keep whether the end was reached."""
        if self._is_at_end:
            self.amount += _count_objects(reply) or 0
        self.found = self._is_at_end


@dataclass(slots=True)
class Chase:
    """Read what is new, again and again, until the load is over and nothing new comes.

    Args:
        request: a GET in two parts, without `added_after`.
        place: where to begin: the `added_after` of the first request.
        by_next: follow `next` where an answer has one; else only `X-TAXII-Date-Added-Last`.
        for_s: the last moment; what is still unread then counts as missed.
    """

    request: tuple[bytes, bytes]
    place: str
    by_next: bool
    for_s: float
    amount: int = 0
    refused: int = 0
    complaint: bytes = b""
    found: Any = field(default_factory=list)
    _was_over: bool = False

    def first(self) -> bytes:
        return self._onward(None)

    def after(self, reply: Exchange, elapsed_s: float, is_over: Callable[[], bool]) -> bytes | None:
        if elapsed_s >= self.for_s:
            return None
        if reply.status != 200:
            _refuse(self, reply)
            return self._onward(None)
        self.amount += 1
        ids = _ID.findall(reply.body)
        self.found += ids
        self.place = reply.header(_LAST_ADDED) or self.place
        if not ids:
            if self._was_over:  # this question was asked when all was written
                return None
            self._was_over = is_over()
        return self._onward(_find_next(reply) if self.by_next else None)

    def close(self, reply: Exchange) -> None:
        """Nothing is left to look at."""

    def _onward(self, following: bytes | None) -> bytes:
        place = b"&added_after=" + self.place.encode() if following is None else b"&next=" + following
        return b"".join((self.request[0], place, self.request[1]))


def _find_next(reply: Exchange) -> bytes | None:
    """Find the cursor near either end of the body, ready for a query."""
    head, tail = reply.ends(_ENDS_BYTES)
    found = _NEXT.search(tail) or _NEXT.search(head)
    return quote(bytes(found[1]), safe="").encode() if found else None


def _count_objects(reply: Exchange) -> int | None:
    if reply.status != 200:
        return None
    return len(orjson.loads(reply.body).get("objects", ()))


def _refuse(script: Script, reply: Exchange) -> None:
    script.refused += 1
    script.complaint = script.complaint or f"{reply.status} ".encode() + bytes(reply.body[:_COMPLAINT_BYTES])
