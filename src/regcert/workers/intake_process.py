"""Keeping the intake alive: it is begun with the service, begun anew where it ends, and ended with the service."""

import asyncio
import logging
import socket
import sys
from contextlib import suppress

from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.flows.publish import Receipt
from regcert.workers.intake import Intake

_AGAIN_AFTER_S = 1.0
_END_WITHIN_S = 15.0

_LOG = logging.getLogger("regcert.intake")


class IntakeProcess:
    """A process that takes publications; `run` begins it, and `publish` reaches whichever is alive."""

    def __init__(self) -> None:
        self._intake: Intake | None = None

    async def publish(self, received: Received) -> Receipt:
        """Let the intake publish an envelope.

        Raises:
            Refusal: what `flows.publish` refuses; BUSY where there is no intake at the moment.
        """
        if self._intake is None:
            raise Refusal(Code.BUSY, "the host is beginning its intake; send the same again in a few seconds")
        return await self._intake.publish(received)

    def wake(self) -> None:
        """Say that something was written that correlation should look at."""
        if self._intake is not None:
            self._intake.wake()

    async def run(self) -> None:
        """Keep an intake at work until cancelled; then let it end what it has begun."""
        while True:
            code = await self._serve_once()
            _LOG.error("the intake ended with %s; beginning it anew", code)
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _serve_once(self) -> int:
        ours, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C is for the service, which ends the intake when it has answered everybody.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "regcert",
                "intake",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._intake = Intake(ours)
        try:
            await self._intake.run()
        finally:
            self._intake.close()
            self._intake = None
            await _end(process)
        return process.returncode or 0


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for a process whose socket is closed; it ends by itself, or is ended."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_END_WITHIN_S):
            await process.wait()
        return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
