"""Engines: where the expression is counted. DuckDB runs within this process, Spark wherever its master is."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol
from warnings import catch_warnings, simplefilter

from regcert.errors import Code, Refusal
from regcert.history.extra import require_library

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from duckdb import DuckDBPyConnection
    from pyspark.sql import SparkSession

DUCKDB = "duckdb"
_SPARK = ("spark://", "local-cluster[", "local[")
_FETCHED_ROWS = 10_000

Rows = Iterator[tuple[Any, ...]]


class Engine(Protocol):
    """What counts."""

    def read(self, name: str, files: Sequence[str]) -> "ir.Table":
        """Name the table that some files make up; nothing is read yet."""

    def keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        """Count an expression once, for all that is built on it; what it comes to must be small."""

    def run(self, expression: "ir.Table") -> Rows:
        """Run an expression, and hand out its rows in no order."""


@contextmanager
def open_engine(name: str) -> Iterator[Engine]:
    """Open an engine.

    Args:
        name: `duckdb`, or the address of a Spark master: `spark://host:port`, `local-cluster[workers,cores,MiB]`, `local[cores]`.

    Raises:
        Refusal: MISSING_EXTRA; INVALID_SETTING for any other name.
    """
    if name != DUCKDB and not name.startswith(_SPARK):
        raise Refusal(Code.INVALID_SETTING, "--engine must be duckdb, spark://host:port or local-cluster[workers,cores,MiB]")
    with catch_warnings():
        # What these libraries tell each other about their future versions is nothing for an operator.
        for category in (DeprecationWarning, FutureWarning):
            simplefilter("ignore", category)
        with _open_duckdb() if name == DUCKDB else _open_spark(name) as engine:
            yield engine


class _DuckDb:
    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def read(self, name: str, files: Sequence[str]) -> "ir.Table":
        table: ir.Table = self._backend.read_parquet(list(files), table_name=name)
        return table

    def keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        self._backend.raw_sql(f"CREATE TEMP TABLE {name} AS {self._backend.compile(expression)}")
        table: ir.Table = self._backend.table(name)
        return table

    def run(self, expression: "ir.Table") -> Rows:
        cursor: DuckDBPyConnection = self._backend.raw_sql(self._backend.compile(expression))
        while rows := cursor.fetchmany(_FETCHED_ROWS):
            yield from rows


@contextmanager
def _open_duckdb() -> Iterator[Engine]:
    require_library("duckdb")
    ibis = require_library("ibis")
    # What does not fit into memory is written down for a while: where nobody else reads it, and not where we happen to be.
    with TemporaryDirectory(prefix="regcert-history-") as spill:
        # Nothing is fetched from outside, whatever a file asks for.
        backend = ibis.duckdb.connect(
            temp_directory=str(Path(spill)), autoinstall_known_extensions=False, preserve_insertion_order=False
        )
        try:
            yield _DuckDb(backend)
        finally:
            backend.disconnect()


class _Spark:
    def __init__(self, session: "SparkSession", backend: Any) -> None:
        self._session = session
        self._backend = backend

    def read(self, name: str, files: Sequence[str]) -> "ir.Table":
        self._session.read.parquet(*files).createOrReplaceTempView(name)
        table: ir.Table = self._backend.table(name)
        return table

    def keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        self._session.sql(self._backend.compile(expression)).cache().createOrReplaceTempView(name)
        table: ir.Table = self._backend.table(name)
        return table

    def run(self, expression: "ir.Table") -> Rows:
        rows = self._session.sql(self._backend.compile(expression)).toLocalIterator(prefetchPartitions=True)
        return (tuple(bytes(one) if isinstance(one, bytearray) else one for one in row) for row in rows)


@contextmanager
def _open_spark(master: str) -> Iterator[Engine]:
    require_library("pyspark", "spark")
    ibis, sql = require_library("ibis"), require_library("pyspark.sql")
    if master.startswith("local"):
        # Its processes talk to each other over sockets: none of them on the network.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (
        sql.SparkSession.builder.master(master)
        .appName("regcert-history")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "8" if master.startswith("local") else "200")  # one machine has few cores
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")  # what it logs besides is not ours to bound
        .getOrCreate()
    )
    try:
        yield _Spark(session, ibis.pyspark.connect(session))
    finally:
        session.stop()
