"""The peer as its own documentation runs it: gunicorn with two workers, on the loopback."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peer.environment import FOLDER
from benchmarks.peer.rows import fill_directly
from benchmarks.target import Target, find_free_port, wait_until_listening
from benchmarks.wire import Speech

_WORKERS = 2
_SETTINGS = """\
domain: "127.0.0.1:{port}"
support_basic_auth: yes
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "{database}", create_tables: yes, secret: of-one-run}}
taxii1: null
taxii2:
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters: {{db_connection: "{database}", create_tables: yes}}
  title: bench
  public_discovery: yes
  max_content_length: 209715200
logging: {{opentaxii: error, root: error}}
"""


@contextmanager
def serving_peer(programs: Path, folder: Path, database_url: str) -> Iterator[Target]:
    """Serve an empty collection until the block ends.

    Args:
        programs: of the peer's environment.
        folder: for its settings, its log and, on SQLite, its database.
        database_url: `sqlite:///path` or `postgresql://…`.
    """
    port = find_free_port()
    settings = folder / "opentaxii.yml"
    database = database_url.replace("postgresql://", "postgresql+psycopg2://")
    settings.write_text(_SETTINGS.format(port=port, database=database))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPENTAXII", "REGCERT"))}
    environment = kept | {"OPENTAXII_CONFIG": str(settings), "PYTHONWARNINGS": "ignore"}
    with (folder / "log").open("w") as log:
        prepare = [f"{programs}/python", str(FOLDER / "launcher.py")]
        done = subprocess.run(prepare, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=log, text=True)
        first = json.loads(done.stdout.splitlines()[-1])
        command = [f"{programs}/gunicorn", "--workers", str(_WORKERS), "--bind", f"127.0.0.1:{port}", "--timeout", "300"]
        command += ["--log-level", "error", "--pythonpath", str(FOLDER), "launcher:app"]
        process = subprocess.Popen(command, env=environment, cwd=folder, stderr=log)
        try:
            wait_until_listening(process, port, folder / "log")
            speech = Speech(first["path"], (f"Bearer {first['token']}",))
            yield Target(
                "opentaxii",
                process.pid,
                port,
                speech,
                False,
                lambda: 0.0,
                lambda envelopes: fill_directly(database_url, first["collection"], envelopes),
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
