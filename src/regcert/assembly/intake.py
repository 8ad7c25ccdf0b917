"""The process beside the one that answers: it takes publications, correlates them and signs the log."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from regcert.assembly.parts import open_founded, spare_collector, taking
from regcert.clock import SystemClock
from regcert.settings import Settings
from regcert.workers.intake import serve_intake


async def take_in(settings: Settings, descriptor: int) -> None:
    """Take what the service hands over, and correlate it, until the service is gone.

    Args:
        settings: what the operator decided.
        descriptor: of the socket whose other end the service holds.
    """
    clock = SystemClock()
    # Envelopes are parsed in threads, of which more than two would only share one lock, and keep memory each.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    async with open_founded(settings, clock) as founded, taking(settings, founded, clock) as at_work:
        spare_collector()
        await serve_intake(socket.socket(fileno=descriptor), at_work.publish, at_work.wake)
