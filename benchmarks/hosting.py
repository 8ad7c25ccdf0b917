"""The server that is measured: `regcert init` and `regcert serve`, in a folder and a process of their own."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

COLLECTION = "/western-balkans/collections/regional-indicators/"
TEAMS = ("alcirt", "srb-cert")  # of two countries
_BEHIND = "SELECT host_order.position - correlated.position FROM host_order, correlated"


@dataclass(frozen=True, slots=True)
class Server:
    """A running host.

    Args:
        pid: its process.
        port: of the loopback.
        tokens: an analyst's of each team.
        database_url: where its database is.
    """

    pid: int
    port: int
    tokens: tuple[str, ...]
    database_url: str

    def wait_until_correlated(self) -> float:
        """Wait until correlation has read all that was published; return for how long, in seconds."""
        started = time.perf_counter()
        while self._behind():
            time.sleep(0.02)
        return time.perf_counter() - started

    def _behind(self) -> int:
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection:
                return int(connection.execute(_BEHIND).fetchone()[0])
        return asyncio.run(_ask_postgres(self.database_url, _BEHIND))


async def _ask_postgres(url: str, query: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


@contextmanager
def serving(folder: Path, database_url: str) -> Iterator[Server]:
    """Found a host in a folder, and serve it until the block ends."""
    environment = os.environ | {"REGCERT_DATA_DIR": f"{folder}/host", "REGCERT_DATABASE_URL": database_url}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "regcert", *arguments],
            env=environment,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    run("init")
    tokens = tuple(run("token", "create", "--team", team, "--role", "analyst") for team in TEAMS)
    port = _free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "regcert", "serve", "--port", str(port)], env=environment, cwd=folder, stderr=log
        )
        try:
            _wait_until_listening(process, port)
            yield Server(process.pid, port, tokens, database_url)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(process: "subprocess.Popen[bytes]", port: int) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start; its log is above")
