"""A host as it is run: `regcert serve`, which is two processes, on a port of the loopback; it may be killed and begun again."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regcert.settings import Settings


class Served:
    """The processes of one `regcert serve`.

    Args:
        process: the one that was begun, which answers; it begins the intake itself.
        url: where it answers.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process, self.url = process, url

    def list_intakes(self) -> list[int]:
        """Return the process ids of the intake: one, or none while it is begun anew."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with suppress(OSError):
            return [int(pid) for pid in children.read_text().split()]
        return []

    def kill_intake(self) -> None:
        """Kill the process that takes publications; the other lives on."""
        for pid in self.list_intakes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """Kill both at the same moment, as a power cut does."""
        intakes = self.list_intakes()
        self._process.kill()
        for pid in intakes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def serve(settings: Settings, folder: Path, log: Path) -> Iterator[Served]:
    """Serve from processes of their own, and kill them at the end whatever happened.

    Args:
        settings: of a host that was founded.
        folder: where to run; it holds no regcert.toml.
        log: what they say; a file, because nobody reads a pipe while the test is at work.
    """
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "REGCERT_DATA_DIR": str(settings.data_dir),
        "REGCERT_DATABASE_URL": settings.database_url,
    }
    command = [sys.executable, "-m", "regcert", "serve", "--port", "0"]
    with log.open("w") as sink, subprocess.Popen(command, cwd=folder, env=environment, stderr=sink, text=True) as process:
        served = Served(process, "")
        try:
            served.url = _wait_for_address(process, log)
            yield served
        finally:
            served.kill()


def _wait_for_address(process: subprocess.Popen[str], log: Path) -> str:
    """Read the log until it says where it serves; the process either comes to that or ends."""
    while True:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            raise RuntimeError(log.read_text())
