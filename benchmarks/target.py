"""A server that is measured, and the folder, processes and port that it has."""

import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.signing import Signer
from benchmarks.wire import Exchange, Speech


@dataclass(frozen=True, slots=True)
class Target:
    """A running server.

    Args:
        name: as the table calls it.
        pid: its process; what it starts belongs to it.
        port: of the loopback.
        speech: how requests to it are written.
        is_strict: an answer other than the wanted one ends the benchmark; else it is counted.
        settle: waits until it has done what it does behind its answers, and says for how long, in seconds.
        fill: stores envelopes in whatever way is fastest; is not measured.
        signers: teams that sign, each with the way its posts are written; none where nothing is signed.
    """

    name: str
    pid: int
    port: int
    speech: Speech
    is_strict: bool
    settle: Callable[[], float]
    fill: Callable[[Sequence[bytes]], None]
    signers: Sequence[tuple[Signer, Speech]] = ()

    def fetch(self, request: bytes) -> Exchange:
        """Ask once, outside every measurement; the connection is closed, the answer can be read.

        Raises:
            RuntimeError: the answer is not a success.
        """
        with Exchange(self.port) as exchange:
            if not 200 <= exchange.fetch(request) < 300:
                raise RuntimeError(f"{self.name} answered {exchange.status}: {bytes(exchange.body[:400])!r}")
        return exchange


def find_free_port() -> int:
    """Find a port of the loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_listening(process: "subprocess.Popen[bytes]", port: int, log: Path | None = None) -> None:
    """Wait until a server takes connections.

    Args:
        process: the server.
        port: on which it is to listen.
        log: what it wrote.

    Raises:
        RuntimeError: it ended instead; with the end of its log.
    """
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:] if log else ''}")
