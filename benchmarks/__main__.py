"""`python -m benchmarks`: found a host on each database, the peer beside it, load both in turn, print the table."""

import argparse
import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from tests.postgres import postgres_server

from benchmarks.course import WORKS, Course
from benchmarks.limits import describe, insert_into_postgres, insert_into_sqlite, measure_machine
from benchmarks.loads import Scene
from benchmarks.machine import MemoryWatch
from benchmarks.marks import MEMORY_MB
from benchmarks.ours import serving_ours
from benchmarks.peer.environment import VERSIONS, PeerMissingError, prepare_environment
from benchmarks.peer.server import serving_peer
from benchmarks.players import Players
from benchmarks.report import Line, write_table
from benchmarks.scale import FULL, QUICK, Scale

_FEWEST_OBJECTS = 5_000
DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Results:
    """What one run of the program found."""

    machine: str
    limits: dict[str, int]
    peer: str | None
    lines: list[Line] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return all of it for a program to read."""
        lines = [line.as_record() for line in self.lines]
        return {"machine": self.machine, "limits": self.limits, "peer": self.peer, "peak_mb": self.peak_mb, "lines": lines}


def main() -> None:
    """Measure, and print."""
    options = _read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # what was started is then ended, too
    scale = QUICK if options.quick else FULL
    scale = scale.with_objects(options.objects) if options.objects else scale
    databases = options.database or DATABASES
    programs = None if options.no_peer else prepare_peer(options.peer_version)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="regcert-bench-")))
        players = stack.enter_context(Players())
        postgres = stack.enter_context(postgres_server(fsync=True))
        urls = {"sqlite": f"sqlite:///{folder}/{{name}}.db", "postgresql": postgres.replace("{database}", "{name}")}
        version = asyncio.run(_make_databases(postgres))
        results = Results(
            describe(version), _measure_limits(folder, scale, players, urls), options.peer_version if programs else None
        )
        print(_write_head(results), flush=True)
        for database in databases:
            _measure(results, database, urls[database], _Stage(folder / database, players, programs, scale, options.only or ()))
    print(write_table(results.lines))
    for database, peak_mb in results.peak_mb.items():
        reached = "reached" if peak_mb < MEMORY_MB else f"not under {MEMORY_MB} MB"
        print(f"memory of regcert on {database}, at most: {peak_mb:,.0f} MB; {reached}")
    if options.json:
        options.json.write_text(json.dumps(results.as_record(), indent=1))


@dataclass(frozen=True, slots=True)
class _Stage:
    folder: Path
    players: Players
    programs: Path | None
    scale: Scale
    only: tuple[str, ...]


def _measure(results: Results, database: str, url: str, stage: _Stage) -> None:
    """Put both servers on one database through all loads."""
    with ExitStack() as stack:
        homes = {name: stage.folder / name for name in ("ours", "peer")}
        for home in homes.values():
            home.mkdir(parents=True)
        target = stack.enter_context(serving_ours(homes["ours"], url.format(name="ours")))
        ours, peer = Scene(target, stage.players), None
        if stage.programs:
            other = stack.enter_context(serving_peer(stage.programs, homes["peer"], url.format(name="peer")))
            peer = Scene(other, stage.players)
        watch = stack.enter_context(MemoryWatch(target.pid))
        for line in Course(database, ours, peer, stage.scale, stage.only).lines():
            results.lines.append(line)
            print(f"{database}: {line.work} at {line.objects:,}: {line.ours.rate:,.0f} {line.unit}", file=sys.stderr)
    results.peak_mb[database] = watch.peak_mb


def _measure_limits(folder: Path, scale: Scale, players: Players, urls: dict[str, str]) -> dict[str, int]:
    limits = measure_machine(folder, scale.limits_s, players)
    for batch in scale.envelopes:
        limits[f"SQLite insert by {batch}, rows/s"] = insert_into_sqlite(folder, scale.rows, batch)
        copied = asyncio.run(insert_into_postgres(urls["postgresql"].format(name="ours"), scale.rows, batch))
        limits[f"PostgreSQL COPY by {batch}, rows/s"] = copied
    return limits


def prepare_peer(version: str) -> Path | None:
    """Return the folder of the peer's programs, or None where it cannot be installed here, which is said."""
    try:
        return prepare_environment(version)
    except PeerMissingError as error:
        print(f"OpenTAXII {version} could not be installed ({error}): only regcert is measured", flush=True)
        return None


async def _make_databases(server: str) -> str:
    """Make the databases that are measured, and return the server's version."""
    connection: Any = await asyncpg.connect(server.format(database="postgres"))
    try:
        for name in ("ours", "peer"):
            await connection.execute(f"CREATE DATABASE {name}")
        return str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()


def _write_head(results: Results) -> str:
    beside = f"beside OpenTAXII {results.peer}, gunicorn with 2 workers" if results.peer else "without the peer"
    limits = "\n".join(f"  {rate:>11,}  {name}" for name, rate in results.limits.items())
    return f"{results.machine}; {beside}\nphysical limits:\n{limits}"


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only prove that it runs: few objects, figures mean nothing")
    parser.add_argument("--database", choices=DATABASES, action="append", help="on this one only")
    parser.add_argument("--only", choices=WORKS, action="append", help="this kind of work only; may be said several times")
    parser.add_argument("--no-peer", action="store_true", help="do not install or measure OpenTAXII")
    parser.add_argument("--peer-version", choices=VERSIONS, default=VERSIONS[0], help="which OpenTAXII is measured")
    parser.add_argument("--objects", type=int, help="measure us at this size too, for example 1000000")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if options.objects is not None and options.objects < _FEWEST_OBJECTS:
        parser.error(f"--objects must be at least {_FEWEST_OBJECTS:,}, or pages cannot be full")
    return options


if __name__ == "__main__":
    main()
