"""The server that is measured: `regcert init` and `regcert serve`, in a folder and a process of their own."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.signing import enrol
from benchmarks.target import Target, find_free_port, wait_until_listening
from benchmarks.wire import Exchange, Speech

_COLLECTION = "/western-balkans/collections/regional-indicators/"
_TEAMS = ("alcirt", "srb-cert")  # of two countries
_SIGNERS = ("alcirt", "srb-cert", "hr-cert", "cirt-me")  # a writer each
_STUCK_S = 60.0
_BEHIND = "SELECT host_order.position - correlated.position FROM host_order, correlated"


@contextmanager
def serving_ours(folder: Path, database_url: str) -> Iterator[Target]:
    """Found a host in a folder, and serve it until the block ends."""
    environment = os.environ | {"REGCERT_DATA_DIR": f"{folder}/host", "REGCERT_DATABASE_URL": database_url}
    regcert = [sys.executable, "-m", "regcert"]

    def run(*arguments: str) -> str:
        done = subprocess.run([*regcert, *arguments], env=environment, cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run("init")
    tokens = (run("token", "create", "--team", team, "--role", "analyst") for team in _TEAMS)
    speech = Speech(_COLLECTION, tuple(f"Bearer {token}" for token in tokens))
    own = [Speech(_COLLECTION, (f"Bearer {run('token', 'create', '--team', team, '--role', 'analyst')}",)) for team in _SIGNERS]
    signers = list(zip(enrol(database_url, "regional-indicators", _SIGNERS), own, strict=True))
    port = find_free_port()

    def fill(envelopes: Sequence[bytes]) -> None:
        with Exchange(port) as exchange:
            for turn, body in enumerate(envelopes):
                if exchange.fetch(speech.post(body, turn)) != 202:
                    raise RuntimeError(f"refused: {bytes(exchange.body[:400])!r}")

    with (folder / "log").open("w") as log:
        command = [*regcert, "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=log)
        try:
            wait_until_listening(process, port, folder / "log")
            yield Target("regcert", process.pid, port, speech, True, lambda: _settle(database_url), fill, signers)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _settle(database_url: str) -> float:
    """Wait until correlation has read all that was published.

    Raises:
        RuntimeError: it has not come on for a minute.
    """
    started = moved = time.perf_counter()
    left = _count_behind(database_url)
    while left:
        time.sleep(0.02)
        before, left = left, _count_behind(database_url)
        if before != left:
            moved = time.perf_counter()
        elif time.perf_counter() - moved > _STUCK_S:
            raise RuntimeError(f"correlation stands still with {left} objects before it")
    return time.perf_counter() - started


def _count_behind(database_url: str) -> int:
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
            return int(connection.execute(_BEHIND).fetchone()[0])
    return asyncio.run(_ask_postgres(database_url))


async def _ask_postgres(url: str) -> int:
    connection: Any = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(_BEHIND))
    finally:
        await connection.close()
