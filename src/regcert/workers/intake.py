"""The intake: a process of its own that takes publications, so that those who read never wait for those who post.

To read an envelope is computation, and Python computes one thing at a time in a process. The web process counts a body and
hands it on through a socket that only these two hold; the intake parses, admits and stores it and hands back the receipt. What
it is given is what a flow would be given, and what it answers is what that flow answered: with one process or with two, the way
of a post is the same.

If the intake ends, whoever waits is told to send the same again, and it is begun anew. Nothing is acknowledged before its commit,
so nothing that was acknowledged can be lost by that.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

import msgspec

from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.flows.publish import Receipt

Publish: TypeAlias = Callable[[Received], Awaitable[Receipt]]

_LENGTH_BYTES = 4
_LOG = logging.getLogger("regcert.intake")


class _Order(msgspec.Struct, frozen=True, array_like=True):
    """Publish this; without it, only look whether there is something to correlate."""

    number: int = 0
    received: Received | None = None


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    number: int
    receipt: Receipt | None = None
    code: str = ""
    message: str = ""
    details: dict[str, Any] | None = None


class Intake:
    """The web process's end.

    Args:
        ours: the socket whose other end the intake holds.
    """

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._waiting: dict[int, asyncio.Future[Receipt]] = {}
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._sending = asyncio.Lock()

    async def publish(self, received: Received) -> Receipt:
        """Let the intake publish an envelope.

        Raises:
            Refusal: what `flows.publish` refuses; BUSY where the intake has ended.
        """
        if self._writer is None:
            raise _ended()
        self._number += 1
        number = self._number
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting[number] = done
        try:
            async with self._sending:
                await _send(self._writer, _Order(number, received))
            return await done
        except OSError as error:
            raise _ended() from error
        finally:
            self._waiting.pop(number, None)

    def wake(self) -> None:
        """Say that something was written that correlation should look at."""
        if self._writer is not None and not self._sending.locked():  # who is sending wakes it, too
            packed = msgspec.msgpack.encode(_Order())
            self._writer.write(len(packed).to_bytes(_LENGTH_BYTES, "big") + packed)

    async def run(self) -> None:
        """Hand out answers until the intake ends."""
        reader, self._writer = await asyncio.open_connection(sock=self._socket)
        decoder = msgspec.msgpack.Decoder(_Answer)
        try:
            while (message := await _receive(reader)) is not None:
                answer = decoder.decode(message)
                done = self._waiting.get(answer.number)
                if done is None or done.done():
                    continue
                if answer.receipt is not None:
                    done.set_result(answer.receipt)
                elif answer.code:
                    done.set_exception(Refusal(Code(answer.code), answer.message, answer.details))
                else:
                    done.set_exception(RuntimeError("a fault in the intake, which its log tells"))
        finally:
            self._writer.close()
            self._writer = None
            for done in self._waiting.values():
                if not done.done():
                    done.set_exception(_ended())

    def close(self) -> None:
        """Say that nothing more will come: the intake ends when it has answered what it has."""
        if self._writer is not None:
            self._writer.close()


async def serve_intake(theirs: socket.socket, publish: Publish, wake: Callable[[], None]) -> None:
    """Answer orders until the other end is closed; the intake process's end.

    Args:
        theirs: the socket whose other end the web process holds.
        publish: what to do with each.
        wake: called when something was written, here or there.
    """
    reader, writer = await asyncio.open_connection(sock=theirs)
    decoder = msgspec.msgpack.Decoder(_Order)
    sending = asyncio.Lock()
    at_work: set[asyncio.Task[None]] = set()

    async def work(number: int, received: Received) -> None:
        answer = await _answer(number, received, publish)
        wake()
        with suppress(OSError):  # nobody is left to hear it; what was stored is stored
            async with sending:
                await _send(writer, answer)

    while (message := await _receive(reader)) is not None:
        order = decoder.decode(message)
        if order.received is None:
            wake()
            continue
        task = asyncio.create_task(work(order.number, order.received))
        at_work.add(task)
        task.add_done_callback(at_work.discard)
    await asyncio.gather(*at_work)
    writer.close()


async def _answer(number: int, received: Received, publish: Publish) -> _Answer:
    try:
        return _Answer(number, await publish(received))
    except Refusal as refusal:
        details = None if refusal.details is None else dict(refusal.details)
        return _Answer(number, code=refusal.code, message=refusal.message, details=details)
    except Exception:  # noqa: BLE001 - the web process answers a fault; here is where it can be told
        _LOG.exception("fault in the intake")
        return _Answer(number)


async def _send(writer: asyncio.StreamWriter, message: object) -> None:
    packed = msgspec.msgpack.encode(message)
    writer.write(len(packed).to_bytes(_LENGTH_BYTES, "big"))
    writer.write(packed)
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> bytes | None:
    """Receive one message; None where the other end was closed."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        return None


def _ended() -> Refusal:
    return Refusal(Code.BUSY, "the host is beginning its intake anew; send the same again, nothing is stored twice")
