"""The one place that builds the parts of a host and hands them to each other.

Whoever wants to know what a running RegCERT consists of reads `open_host` from top to bottom.
"""

import asyncio
import gc
import json
import logging
import signal
import socket
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from regcert.clock import Clock, SystemClock
from regcert.correlation.guard_lists import GuardList, read_guard_list, read_warninglist
from regcert.correlation.guards import Guards
from regcert.domain.region import Country, Footnote
from regcert.errors import Code, Refusal
from regcert.flows.load_profiles import load_profiles
from regcert.flows.publish import publish
from regcert.settings import Settings
from regcert.share import share_dir
from regcert.signing.host_key import HostKey, read_host_key
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database, open_database
from regcert.store.migrate import require_migrated
from regcert.store.teams import read_facts
from regcert.web.app import create_app
from regcert.web.services import Services
from regcert.workers.correlator import Correlator
from regcert.workers.intake import Publish, serve_intake
from regcert.workers.intake_process import IntakeProcess
from regcert.workers.keeper import Keeper

_LOG = logging.getLogger("regcert")


@dataclass(frozen=True, slots=True)
class Host:
    """A running host without its socket.

    Args:
        app: the web application.
        database: open.
        correlator: at work.
    """

    app: web.Application
    database: Database
    correlator: Correlator


@asynccontextmanager
async def open_host(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Host]:
    """Build a whole host in this process and keep it at work until the block ends.

    1. The database: of this release's schema, with settings under which nothing acknowledged can be lost.
    2. The host's key, and what the host knows of its region.
    3. Schemas and guard lists, read once.
    4. The correlator, and the application around all of it.

    Args:
        settings: what the operator decided.
        clock: what time it is; the machine's, unless a test says otherwise.

    Raises:
        Refusal: NOT_INITIALISED, UNSAFE_DATABASE, INVALID_SETTING, INVALID_GUARD_LIST.
    """
    clock = clock or SystemClock()
    async with _open_founded(settings, clock) as (database, facts):  # 1
        key = load_host_key(settings)  # 2
        schemas = load_schemas()  # 3
        correlator = Correlator(database, Guards(load_guards(settings)))  # 4
        keeper = Keeper(database, schemas, clock)
        wake = _both(correlator.wake, keeper.wake)
        services = _services(settings, facts, key, database, clock, partial(publish, database, schemas), wake)
        async with _at_work(correlator.run(), "correlator"), _at_work(keeper.run(), "keeper"):
            yield Host(create_app(services), database, correlator)


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until told to stop: this process answers, and a second one takes what is published and correlates it.

    Args:
        settings: what the operator decided.
        host: the address to listen on.
        port: the port; 0 for any free one.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    clock, intake = SystemClock(), IntakeProcess()
    async with _open_founded(settings, clock) as (database, facts):
        key = load_host_key(settings)
        services = _services(settings, facts, key, database, clock, intake.publish, intake.wake)
        async with _at_work(intake.run(), "intake"), listening(create_app(services), host, port) as bound:
            _LOG.info("serving on http://%s:%d/", host, bound)
            _spare_collector()
            await stop.wait()
            _LOG.info("stopping")


async def take_in(settings: Settings, descriptor: int) -> None:
    """Take what the service hands over, and correlate it, until the service is gone.

    Args:
        settings: what the operator decided.
        descriptor: of the socket whose other end the service holds.
    """
    clock = SystemClock()
    # Envelopes are parsed in threads, of which more than two would only share one lock, and keep memory each.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    async with _open_founded(settings, clock) as (database, _):
        schemas = load_schemas()
        correlator = Correlator(database, Guards(load_guards(settings)))
        keeper = Keeper(database, schemas, clock)
        wake = _both(correlator.wake, keeper.wake)
        async with _at_work(correlator.run(), "correlator"), _at_work(keeper.run(), "keeper"):
            _spare_collector()
            await serve_intake(socket.socket(fileno=descriptor), partial(publish, database, schemas), wake)


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def wake() -> None:
        one()
        other()

    return wake


@asynccontextmanager
async def _open_founded(settings: Settings, clock: Clock) -> AsyncIterator[tuple[Database, Mapping[str, Any]]]:
    """Open the database of a host that was founded, and read what it knows of its region."""
    await require_migrated(settings.database_url)
    async with open_database(settings.database_url, clock) as database:
        async with database.read() as connection:
            facts = await read_facts(connection)
        if not facts:
            raise Refusal(Code.NOT_INITIALISED, "the database has no region yet; run 'regcert init'")
        yield database, facts


@asynccontextmanager
async def _at_work(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Let a loop work until the block ends."""
    working = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


def _spare_collector() -> None:
    """Keep the garbage collector away from what lives as long as the process, and from what dies with its request.

    One envelope makes tens of thousands of containers, none of them in a circle; at the thresholds that Python begins with,
    the collector would look through all of a host a dozen times a second for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen with an application until the block ends; yields the port."""
    # Whole requests that are under way are answered before the socket closes.
    # No coded body is taken, so nothing unpacks one: a bomb would be unpacked even while it is thrown away.
    # A cursor carries its filters: a thousand ids make a long line, and it must be possible to follow it.
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=10.0,
        handler_cancellation=False,
        auto_decompress=False,
        max_line_size=131_072,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def load_host_key(settings: Settings) -> HostKey:
    """Read the host's key from its data directory.

    Raises:
        Refusal: NOT_INITIALISED, INVALID_SETTING.
    """
    path = settings.data_dir / "host.key"
    try:
        return read_host_key(path.read_bytes())
    except FileNotFoundError as error:
        raise Refusal(Code.NOT_INITIALISED, "there is no host key; run 'regcert init', or restore it from your backup") from error


def load_schemas() -> SchemaSet:
    """Compile the schemas of every STIX type."""
    return SchemaSet({path.stem: _read_json(path) for path in sorted((share_dir() / "schemas" / "stix-2.1").glob("*.json"))})


def load_guards(settings: Settings) -> list[GuardList]:
    """Read the guard lists that RegCERT ships, and those that the operator named."""
    shipped = sorted((share_dir() / "feeds" / "guards").glob("*.toml"))
    return list(_read_guards([*shipped, *settings.guard_files]))


def _read_guards(paths: Iterable[Path]) -> Iterable[GuardList]:
    for path in paths:
        try:
            if path.suffix == ".toml":
                yield read_guard_list(tomllib.loads(path.read_text("utf-8")))
            else:
                yield read_warninglist(_read_json(path))
        except (OSError, ValueError) as error:
            raise Refusal(Code.INVALID_GUARD_LIST, f"the guard list {path} cannot be read; correct or remove it") from error


def _read_json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _services(
    settings: Settings,
    facts: Mapping[str, Any],
    key: HostKey,
    database: Database,
    clock: Clock,
    publish: Publish,
    wake: Callable[[], None],
) -> Services:
    return Services(
        database=database,
        clock=clock,
        cursor_key=key.derive("cursor"),
        api_root=facts["api_root"],
        region_name=facts["region_name"],
        countries=tuple(Country(**country) for country in facts["countries"]),
        footnotes=tuple(Footnote(**note) for note in facts["footnotes"]),
        max_content_bytes=settings.max_content_bytes,
        profiles=load_profiles(),
        publish=publish,
        wake=wake,
    )
