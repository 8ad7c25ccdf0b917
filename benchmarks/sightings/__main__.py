"""`python -m benchmarks.sightings`: what a sighting costs a real host, over its sockets."""

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
from tests.postgres import postgres_server

from benchmarks.machine import MemoryWatch
from benchmarks.sightings.host import Served, served
from benchmarks.sightings.loads import flood, percentile_ms, tell, time_alerts, write_json

CALLS = ((10_000, 1), (10_000, 4), (100, 1), (100, 4))
TOKENS = 50


class _Told(dict[str, Any]):
    """Figures that are told as they come: what is interrupted was not in vain."""

    def __setitem__(self, name: str, value: Any) -> None:
        print(f"{name}: {value}", file=sys.stderr, flush=True)
        super().__setitem__(name, value)


def measure(host: Served, count: int, alerts: int, flooding: int) -> dict[str, Any]:
    """Do everything once; whatever is told is new to the host."""
    figures: dict[str, Any] = _Told({"load average before": round(os.getloadavg()[0], 1)})
    began_bytes, told = host.size_bytes(), 0
    settled_s = 0.0
    for seed, (batch, senders) in enumerate(CALLS, start=1):
        size = min(batch, count)
        one = tell(host, seed, count, size, senders)
        settled_s += host.settle()
        told += max(count // size // senders, 1) * senders * size
        figures[f"calls of {size}, {senders} senders"] = f"{one.rate:,.0f} reports/s; {one.cpu_us:.0f} us of processor time each"
    figures["bytes a sighting, correlated, all indexes"] = round((host.size_bytes() - began_bytes) / told)
    figures["correlated behind the last answers"] = f"{settled_s:.2f} s"
    took_s = time_alerts(host, 50, alerts)
    p50, p99 = (percentile_ms(took_s, percent) for percent in (50, 99))
    figures["second country's report to alert, at 500 reports/s"] = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms of {alerts}"
    flooded = flood(host, 100, flooding, 1000, 3.0)
    quiet, loud = (percentile_ms(some, 99) for some in (flooded.quiet_s, flooded.flooded_s))
    figures[f"flood of {flooding:,} with {TOKENS} tokens"] = f"{flooded.rate:,.0f} reports/s; {flooded.incidents} more incidents"
    figures["another team's p99"] = f"{quiet:.1f} ms quiet, {loud:.1f} ms flooded: {loud / quiet:.1f} times"
    figures["another team's p50"] = " and ".join(
        f"{percentile_ms(some, 50):.1f} ms" for some in (flooded.quiet_s, flooded.flooded_s)
    )
    return figures


async def _make_database(server: str) -> None:
    connection: Any = await asyncpg.connect(server.format(database="postgres"))
    await connection.execute("CREATE DATABASE sightings")
    await connection.close()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.sightings", description="What a sighting costs.")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--count", type=int, default=40_000, help="reports for each size of calls")
    parser.add_argument("--alerts", type=int, default=100, help="how many alerts are timed")
    parser.add_argument("--flood", type=int, default=100_000, help="how many reports the flood brings")
    parser.add_argument("--quick", action="store_true", help="only proves that it runs")
    options = parser.parse_args()
    if options.quick:
        options.count, options.alerts, options.flood = 400, 3, 1000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regcert-sightings-")))
        url = f"sqlite:///{folder}/regcert.db"
        if options.database == "postgresql":
            server = stack.enter_context(postgres_server(fsync=True))
            asyncio.run(_make_database(server))
            url = server.format(database="sightings")
        host = stack.enter_context(served(folder, url, TOKENS if not options.quick else 4))
        with MemoryWatch(host.pid) as memory:
            figures = measure(host, options.count, options.alerts, options.flood)
        figures["memory at most (Pss)"] = f"{memory.peak_mb:.0f} MB"
    print(write_json(figures))


if __name__ == "__main__":
    main()
