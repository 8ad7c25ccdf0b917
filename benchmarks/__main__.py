"""`python -m benchmarks`: found a host on each database, load it, print the table."""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from tests.postgres import postgres_server

from benchmarks.corpus import Corpus
from benchmarks.hosting import Server, serving
from benchmarks.loads import Run, ask, find_added_after, ingest, poll_all
from benchmarks.machine import describe, memory_mb
from benchmarks.report import Line, write_table

DATABASES = ("sqlite", "postgresql")
LAST = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything.

    Args:
        small: objects in the collection where latency is first measured.
        large: objects where it is measured again, and the whole collection is read.
        envelopes: sizes of envelopes to post, the larger one last.
        posted: objects in one run of posting.
        runs: how often each load is run.
        asked: how often one question is asked in a run.
        page: objects in a page whose latency is measured.
    """

    small: int = 10_000
    large: int = 100_000
    envelopes: tuple[int, ...] = (100, 1000)
    posted: int = 5_000
    runs: int = 3
    asked: int = 300
    page: int = 1000


QUICK = Scale(small=400, large=1_200, envelopes=(20, 100), posted=200, runs=1, asked=5, page=100)


def measure(server: Server, database: str, scale: Scale) -> Iterator[Line]:
    """Put one host under every load, and yield a line for each.

    1. Fill it to the smaller size, and ask for pages.
    2. Post: every size of envelope, one writer and four.
    3. Fill it to the larger size, ask for the same pages again, and read all of it.
    """
    corpus = Corpus()

    def fill(objects: int) -> None:
        size = scale.envelopes[-1]
        for _ in range(0, objects, size):
            ingest(server, corpus.envelopes(size, size), 1)

    def line(work: str, unit: str, runs: list[Run]) -> Line:
        return Line(work, database, unit, runs, memory_mb(server.pid))

    fill(scale.small)  # 1
    yield from _ask_for_pages(server, database, scale, scale.small)
    stored = scale.small
    for size in scale.envelopes:  # 2
        for writers in (1, 4):
            runs = [ingest(server, corpus.envelopes(scale.posted, size), writers) for _ in range(scale.runs)]
            stored += sum(run.amount for run in runs)
            yield line(f"post envelopes of {size}, {writers} writer{'s' * (writers > 1)}", "obj/s", runs)
    fill(scale.large - stored)  # 3
    stored = max(stored, scale.large)
    yield from _ask_for_pages(server, database, scale, stored)
    for readers in (1, 4):
        runs = [poll_all(server, readers, stored) for _ in range(scale.runs)]
        yield line(f"poll all {stored:,} by 1000, {readers} reader{'s' * (readers > 1)}", "obj/s", runs)


def _ask_for_pages(server: Server, database: str, scale: Scale, objects: int) -> Iterator[Line]:
    """Ask for what came last, and for a page from the middle."""
    for work, behind, limit in (("poll the last", LAST, 1000), ("page from the middle, of", objects // 2, scale.page)):
        query = f"added_after={find_added_after(server, behind, objects)}&limit={limit}"
        expected = min(behind, limit)
        runs = [ask(server, query, scale.asked, expected) for _ in range(scale.runs)]
        yield Line(f"{work} {expected} at {objects:,}", database, "req/s", runs, memory_mb(server.pid))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only prove that it runs: few objects, figures mean nothing")
    parser.add_argument("--database", choices=DATABASES, action="append", help="on this one only")
    options = parser.parse_args()
    lines: list[Line] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="regcert-bench-")))
        postgres = stack.enter_context(postgres_server(fsync=True))
        print(describe(folder, asyncio.run(_prepare(postgres))), flush=True)
        for database in options.database or DATABASES:
            home = folder / database
            home.mkdir()
            url = postgres.format(database="bench") if database == "postgresql" else f"sqlite:///{home}/regcert.db"
            with serving(home, url) as server:
                lines += measure(server, database, QUICK if options.quick else Scale())
    print(write_table(lines))


async def _prepare(server: str) -> str:
    """Make the database that is measured, and return the server's version."""
    connection: Any = await asyncpg.connect(server.format(database="postgres"))
    try:
        await connection.execute("CREATE DATABASE bench")
        return str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
