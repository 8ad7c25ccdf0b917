"""The stage: a host that belongs to the demo alone, put up in a folder of its own and taken down again by its pid."""

import asyncio
import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from regcert.cli.week.script import Week
from regcert.clock import SystemClock
from regcert.domain.principal import Role
from regcert.domain.region import Region
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.initialise import initialise
from regcert.store.database import open_database

MARKER = "made-by-regcert-demo"
_LOG = "serve.log"
_ADDRESS = "127.0.0.1"
_PREFIX = "REGCERT_"
_START_S = 60.0
_LOOK_EVERY_S = 0.1
_STOP_S = 15.0
_LAST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Passes:
    """The tokens of the demo: one a role at the centre, and those of the teams by slug."""

    admin: str
    coordinator: str
    analysts: Mapping[str, str]
    sensors: Mapping[str, str]


@contextmanager
def clear_folder(folder: Path) -> Iterator[None]:
    """Clear a folder that is the demo's own, and keep it from other demos until the block ends.

    Raises:
        Refusal: ALREADY_EXISTS where the folder holds what the demo did not make; BUSY where a demo runs in it.
    """
    if folder.is_symlink() or (folder.exists() and not (folder / MARKER).is_file() and any(folder.iterdir())):
        raise Refusal(
            Code.ALREADY_EXISTS, f"{folder} was not made by the demo, which clears its folder; move it away, or work elsewhere"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / MARKER).open("a") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refusal(Code.BUSY, f"another demo runs in {folder}; end it first, or work elsewhere") from error
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != MARKER:
                entry.unlink()
        yield


def found_host(folder: Path, region: Region, week: Week) -> Passes:
    """Found the demo's host, and give everybody who appears a token."""
    return asyncio.run(_found_host(folder, region, week))


async def _found_host(folder: Path, region: Region, week: Week) -> Passes:
    database_url, clock = f"sqlite:///{folder}/regcert.db", SystemClock()
    founded = await initialise(folder, database_url, clock, region)
    centre = next((team.slug for team in region.teams if team.kind is TeamKind.COORDINATION), founded.team)
    async with open_database(database_url, clock) as database:

        async def give(team: str, role: Role) -> str:
            return await create_token(database, clock, team, TokenOrder(role, "demo"))

        return Passes(
            admin=founded.token,
            coordinator=await give(centre, Role.COORDINATOR),
            analysts={team: await give(team, Role.ANALYST) for team in sorted(week.publishers)},
            sensors={team: await give(team, Role.CONSUMER) for team in sorted(week.sensors)},
        )


def choose_port(port: int) -> int:
    """Return the port, or a free one for 0.

    Raises:
        Refusal: INVALID_SETTING where somebody listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what just ended there does not count
        try:
            probe.bind((_ADDRESS, port))
        except (OSError, OverflowError) as error:
            raise Refusal(Code.INVALID_SETTING, f"port {port} cannot be used; choose another with --port") from error
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the demo's host as a process of its own until the block ends, however it ends.

    Raises:
        Refusal: UNREACHABLE where it does not come up, with its last words.
    """
    with (folder / _LOG).open("wb") as log, _ended_by_signals():
        command = [sys.executable, "-m", "regcert", "serve", "--host", _ADDRESS, "--port", str(port)]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
            command,
            cwd=folder,  # another host's regcert.toml is none of ours
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we end the host when we are done with it
        )
        try:
            _wait_until_ready(process, folder, port)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return our environment without any setting: a REGCERT_DATABASE_URL would lead the demo into somebody's real host."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
    return others | {"REGCERT_DATA_DIR": str(folder)}


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(_LOOK_EVERY_S)
    words = (folder / _LOG).read_text("utf-8", "replace")[-_LAST_WORDS:]
    raise Refusal(Code.UNREACHABLE, f"the demo's host did not start; its last words: {words or 'none'}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(_ADDRESS, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end us as Ctrl-C does, so that no host is left behind."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
