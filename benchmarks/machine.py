"""What else is going on here: figures without it cannot be compared."""

import os
import platform
import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryFile

_PAGE = bytes(4096)


def describe(folder: Path, postgres: str) -> str:
    """Describe the machine in one paragraph.

    Args:
        folder: where the databases will be.
        postgres: the server's version.
    """
    load = " ".join(f"{one:.2f}" for one in os.getloadavg())
    return (
        f"load average {load}; {os.cpu_count()} cores; Python {platform.python_version()}; SQLite {sqlite3.sqlite_version};"
        f" PostgreSQL {postgres}; {fsyncs_a_second(folder):,} fsyncs of 4 KiB a second; every figure is a median"
    )


def fsyncs_a_second(folder: Path) -> int:
    """Count how often in one second this file system says that 4 KiB are on disk."""
    count = 0
    with TemporaryFile(dir=folder) as file:
        end = time.perf_counter() + 1.0
        while time.perf_counter() < end:
            file.write(_PAGE)
            file.flush()
            os.fsync(file.fileno())
            count += 1
    return count


def memory_mb(pid: int) -> tuple[int, int]:
    """Return what a process holds in memory now and at most so far, in MB."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) // 1024, int(fields["VmHWM"].split()[0]) // 1024


def cpu_s(pid: int) -> float:
    """Return how much processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
