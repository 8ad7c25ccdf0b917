"""What this machine could do if nothing but the step itself were to be done, measured in the same run.

The rows are comparable with what a TAXII server has to keep: a body of some 760 bytes, a place, and three indexes.
"""

import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import asyncpg
import orjson

from benchmarks.corpus import Corpus
from benchmarks.players import Players
from benchmarks.scripts import Repeat, Script
from benchmarks.target import find_free_port, wait_until_listening

_BLOCK = bytes(4096)
_HELLO_CLIENTS = 8
_TABLE = "CREATE TABLE raw (position {key} PRIMARY KEY, added_at BIGINT NOT NULL, stix_id TEXT, kind TEXT, body {bytes})"
_INDEXES = ("added_at", "stix_id, added_at", "kind, position")
_DEBIAN = Path("/usr/lib/postgresql")
_Row = tuple[int, int, str, str, bytes]


def describe(postgres: str) -> str:
    """Describe the machine in one line.

    Args:
        postgres: the server's version.
    """
    load = " ".join(f"{one:.2f}" for one in os.getloadavg())
    return (
        f"load average {load}; {os.cpu_count()} cores; Python {platform.python_version()}; SQLite {sqlite3.sqlite_version};"
        f" PostgreSQL {postgres}; every figure is a median"
    )


def measure_machine(folder: Path, for_s: float, players: Players) -> dict[str, int]:
    """Measure what does not depend on the server's database.

    Args:
        folder: where the databases will be.
        for_s: how long each step is tried.
        players: to play the clients.
    """
    [body] = Corpus().envelopes(1000, 1000)
    value = orjson.loads(body)
    found = {"fsyncs of 4 KiB a second": count_fsyncs(folder, for_s)}
    if for_s >= 1 and (synced := _pg_test_fsync(folder)):  # its shortest test takes a second
        found["pg_test_fsync, fdatasync a second"] = synced
    found["orjson.loads, obj/s"] = 1000 * _rate(lambda: orjson.loads(body), for_s)
    found["orjson.dumps, obj/s"] = 1000 * _rate(lambda: orjson.dumps(value), for_s)
    with _saying_hello() as port:
        for size, what in ((20, "hello"), (len(body) // 10, "a page of 100"), (len(body), "a page of 1000")):
            request = f"GET /{size}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
            scripts: list[Script] = [Repeat([request], 0, 200, for_s) for _ in range(_HELLO_CLIENTS)]
            [outcome] = players.play(port, [scripts], lambda: None)
            found[f"aiohttp, {what}, req/s"] = round(len(outcome.latencies_s) / outcome.taken_s)
    return found


def count_fsyncs(folder: Path, for_s: float) -> int:
    """Count how often in one second this file system says that 4 KiB are on disk."""
    with TemporaryFile(dir=folder) as file:

        def sync() -> None:
            file.write(_BLOCK)
            file.flush()
            os.fsync(file.fileno())

        return _rate(sync, for_s)


def insert_into_sqlite(folder: Path, rows: int, batch: int) -> int:
    """Return how many rows a second SQLite takes, `batch` in a durable transaction."""
    with TemporaryDirectory(dir=folder) as home, closing(sqlite3.connect(f"{home}/raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE.format(key="INTEGER", bytes="BLOB"))
        for columns in _INDEXES:
            connection.execute(f"CREATE INDEX {columns.replace(', ', '_')}_index ON raw ({columns})")
        made = _make_rows(rows)
        started = time.perf_counter()
        for at in range(0, rows, batch):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO raw VALUES (?, ?, ?, ?, ?)", made[at : at + batch])
            connection.execute("COMMIT")
        return round(rows / (time.perf_counter() - started))


async def insert_into_postgres(url: str, rows: int, batch: int) -> int:
    """Return how many rows a second PostgreSQL takes by COPY, `batch` in a durable transaction."""
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(_TABLE.format(key="BIGINT", bytes="BYTEA"))
        for columns in _INDEXES:
            await connection.execute(f"CREATE INDEX ON raw ({columns})")
        made = _make_rows(rows)
        started = time.perf_counter()
        for at in range(0, rows, batch):
            await connection.copy_records_to_table("raw", records=made[at : at + batch])
        taken_s = time.perf_counter() - started
        await connection.execute("DROP TABLE raw")
        return round(rows / taken_s)
    finally:
        await connection.close()


def _make_rows(count: int) -> list[_Row]:
    objects = [one for body in Corpus().envelopes(count, 100) for one in orjson.loads(body)["objects"]]
    return [(number, number, one["id"], one["type"], orjson.dumps(one)) for number, one in enumerate(objects)]


def _rate(step: Callable[[], object], for_s: float) -> int:
    """Return how often a step can be done in a second."""
    count, started = 0, time.perf_counter()
    while time.perf_counter() < started + for_s:
        step()
        count += 1
    return round(count / (time.perf_counter() - started))


@contextmanager
def _saying_hello() -> Iterator[int]:
    port = find_free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.hello", str(port)], cwd=Path(__file__).parents[1])
    try:
        wait_until_listening(process, port)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _pg_test_fsync(folder: Path) -> int | None:
    """Ask PostgreSQL's own program, where it is installed, how often a second `fdatasync` comes back."""
    found = shutil.which("pg_test_fsync") or next((str(one) for one in sorted(_DEBIAN.glob("*/bin/pg_test_fsync"))), None)
    if found is None:
        return None
    command = [found, "--secs-per-test=1", f"--filename={folder}/pg_test_fsync"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            words = line.split()
            if words[:1] == ["fdatasync"]:
                process.send_signal(signal.SIGINT)  # it removes its file; the other methods need half a minute more
                return round(float(words[1]))
    return None
