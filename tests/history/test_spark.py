"""Spark and DuckDB come to the same bytes, also when a machine of the cluster is lost in the middle of it."""

import importlib.util
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from regcert.history import engines
from tests.history.conftest import regrouped, tell

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        shutil.which("java") is None or importlib.util.find_spec("pyspark") is None, reason="needs Java and pyspark"
    ),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    # Spark leaves sockets to the interpreter.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
CLUSTER = "local-cluster[2,1,1024]"
WAIT_S = 120


async def test_spark_comes_to_the_same_bytes_when_an_executor_is_killed_in_mid_run(acting, tmp_path, monkeypatch):
    """Two executors, each a process; one is killed with SIGKILL while a stage runs, and the other does its work."""
    folder = tmp_path / "history"
    await tell(acting, folder)
    found = await regrouped(acting, folder)
    run = engines._Spark.run
    killed: list[int | None] = []

    def killing(self: Any, expression: Any) -> Any:
        thread = Thread(target=lambda: killed.extend([] if killed else [kill_one(self._session)]))
        thread.start()
        rows = list(run(self, expression))
        thread.join()
        return iter(rows)

    monkeypatch.setattr(engines._Spark, "run", killing)
    assert await regrouped(acting, folder, engine=CLUSTER) == found
    assert killed[0] is not None
    assert killed[0] not in executors()


def kill_one(session: Any) -> int | None:
    """Kill an executor while a stage runs."""
    tracker = session.sparkContext.statusTracker()
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        running = list(executors())
        if tracker.getActiveStageIds() and len(running) == 2:
            os.kill(running[0], signal.SIGKILL)
            return running[0]
        time.sleep(0.01)
    return None


def executors() -> Iterator[int]:
    """List the executors among our own descendants."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"CoarseGrainedExecutorBackend" in (folder / "cmdline").read_bytes() and is_ours(int(folder.name)):
                yield int(folder.name)
        except OSError:
            continue


def is_ours(pid: int) -> bool:
    while pid > 1:
        pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        if pid == os.getpid():
            return True
    return False
