"""What a server takes of this machine: processor time and memory of its process and of all that it started."""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_WATCH_EVERY_S = 0.5


def cpu_s(pid: int) -> float:
    """Return how much processor time a process and its descendants have used."""
    return sum(int(fields[11]) + int(fields[12]) for fields in _states(pid)) / _TICKS


def memory_mb(pid: int) -> float:
    """Return what a process and its descendants hold in memory, pages that they share counted once, in MB."""
    return sum(_held_kb(one) for one in _tree(pid)) / 1024


class MemoryWatch:
    """Looks at a server's memory while the block runs, and keeps the most that it held.

    Args:
        pid: of the server.
    """

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_WATCH_EVERY_S):
            self.peak_mb = max(self.peak_mb, memory_mb(self._pid))


def _held_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _states(pid: int) -> list[list[str]]:
    states = []
    for one in _tree(pid):
        try:
            states.append(_fields(one))
        except OSError:
            continue
    return states


def _tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_fields(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += children.get(one, ())
    return found


def _fields(pid: int) -> list[str]:
    """Return the fields of a process's state from the third one on; the second may hold blanks and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
