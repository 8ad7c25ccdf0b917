"""The host that is measured: founded and served in processes of its own, with tokens for several teams."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from benchmarks.target import find_free_port, wait_until_listening
from benchmarks.wire import Exchange
from regcert.clock import SystemClock
from regcert.domain.principal import Role
from regcert.flows.create_token import TokenOrder, create_token
from regcert.store.database import open_database

TEAMS = ("alcirt", "srb-cert", "mkd-cert", "hr-cert")
_STUCK_S = 60.0
_BEHIND = "SELECT host_order.position - correlated.position FROM host_order, correlated"


@dataclass(frozen=True, slots=True)
class Served:
    """A running host.

    Args:
        pid: its process; what it starts belongs to it.
        port: of the loopback.
        database_url: where it keeps everything.
        tokens: of each team that talks to it.
    """

    pid: int
    port: int
    database_url: str
    tokens: dict[str, Sequence[str]]

    def post(self, reports: Sequence[dict[str, object]], token: str) -> bytes:
        """Write the POST of some reports as JSON Lines."""
        body = b"\n".join(map(orjson.dumps, reports))
        head = f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n"
        return self._request("POST", "/api/v1/sightings", token, head) + body

    def get(self, path: str, token: str) -> bytes:
        """Write a GET."""
        return self._request("GET", path, token)

    def read(self, path: str, token: str) -> Any:
        """Ask once, outside every measurement."""
        with Exchange(self.port) as exchange:
            if exchange.fetch(self.get(path, token)) != 200:
                raise RuntimeError(f"{path} was answered {exchange.status}: {bytes(exchange.body[:400])!r}")
            return orjson.loads(exchange.body)

    def settle(self) -> float:
        """Wait until correlation has read everything; return how long that took, in seconds.

        Raises:
            RuntimeError: it has not come on for a minute.
        """
        started = moved = time.perf_counter()
        left = self._ask(_BEHIND)
        while left:
            time.sleep(0.02)
            before, left = left, self._ask(_BEHIND)
            if before != left:
                moved = time.perf_counter()
            elif time.perf_counter() - moved > _STUCK_S:
                raise RuntimeError(f"correlation stands still with {left} places before it")
        return time.perf_counter() - started

    def size_bytes(self) -> int:
        """Tell how large the database is, all indexes included."""
        if self.database_url.startswith("sqlite"):
            return self._ask("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return self._ask("SELECT pg_database_size(current_database())")

    def _request(self, method: str, path: str, token: str, headers: str = "") -> bytes:
        return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{headers}\r\n".encode()

    def _ask(self, query: str) -> int:
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection:
                return int(connection.execute(query).fetchone()[0])
        return asyncio.run(_ask_postgres(self.database_url, query))


async def _ask_postgres(url: str, query: str) -> int:
    connection: Any = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


async def _make_tokens(url: str, flooding: int) -> dict[str, Sequence[str]]:
    clock, order = SystemClock(), TokenOrder(Role.ANALYST, "benchmark")
    async with open_database(url, clock) as database:
        return {
            team: [await create_token(database, clock, team, order) for _ in range(flooding if team == TEAMS[0] else 1)]
            for team in TEAMS
        }


@contextmanager
def served(folder: Path, database_url: str, flooding: int) -> Iterator[Served]:
    """Found a host, and serve it until the block ends.

    Args:
        folder: of its own.
        database_url: of an empty database.
        flooding: how many tokens the first team has.
    """
    environment = os.environ | {"REGCERT_DATA_DIR": f"{folder}/host", "REGCERT_DATABASE_URL": database_url}
    regcert = [sys.executable, "-m", "regcert"]

    subprocess.run([*regcert, "init"], env=environment, cwd=folder, check=True, capture_output=True)
    tokens = asyncio.run(_make_tokens(database_url, flooding))
    port = find_free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*regcert, "serve", "--port", str(port)], env=environment, cwd=folder, stderr=log)
        try:
            wait_until_listening(process, port, folder / "log")
            yield Served(process.pid, port, database_url, tokens)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
