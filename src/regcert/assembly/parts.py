"""The parts that both processes of a host are built of: its database and log, its key, what it knows, and the loops at work."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from regcert.clock import Clock
from regcert.correlation.guard_lists import GuardList
from regcert.correlation.guards import Guards
from regcert.domain.region import Country
from regcert.errors import Code, Refusal
from regcert.flows.load_guards import GuardFiles
from regcert.flows.open_log import lock_path, open_log
from regcert.flows.publish import publish
from regcert.flows.publish_incidents import Words
from regcert.flows.sign_log import HostLog
from regcert.settings import Settings
from regcert.share import share_dir
from regcert.signing.host_key import HostKey, read_host_key
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database, open_database
from regcert.store.schema_version import require_migrated
from regcert.store.teams import read_facts
from regcert.workers.centre import Centre
from regcert.workers.correlator import Correlator
from regcert.workers.guards import GuardWatch
from regcert.workers.intake import Publish
from regcert.workers.keeper import Keeper
from regcert.workers.log import LogSigner


@dataclass(frozen=True, slots=True)
class Founded:
    """What a founded host has.

    Args:
        database: open, and serving writes.
        facts: what it knows of its region and of itself.
        key: the host's.
        log: continues what was signed.
    """

    database: Database
    facts: Mapping[str, Any]
    key: HostKey
    log: HostLog


@dataclass(frozen=True, slots=True)
class Taking:
    """What takes publications.

    Args:
        publish: takes one.
        wake: says that something was written which correlation, the log or the keeper should look at.
        correlator: at work.
    """

    publish: Publish
    wake: Callable[[], None]
    correlator: Correlator


@asynccontextmanager
async def open_founded(settings: Settings, clock: Clock) -> AsyncIterator[Founded]:
    """Open the database and the log of a host that was founded, and read what it knows of its region.

    Raises:
        Refusal: NOT_INITIALISED, UNSAFE_DATABASE, INVALID_SETTING, LOG_FORK.
    """
    await require_migrated(settings.database_url)
    async with open_database(settings.database_url, clock) as database:
        async with database.read() as connection:
            facts = await read_facts(connection)
        if not facts:
            raise Refusal(Code.NOT_INITIALISED, "the database has no region yet; run 'regcert init'")
        key = load_host_key(settings)
        log = await open_log(database, clock, key, lock_path(settings.data_dir, settings.log_lock))
        yield Founded(database, {**facts, "log_origin": log.origin}, key, log)


@asynccontextmanager
async def taking(settings: Settings, founded: Founded, clock: Clock) -> AsyncIterator[Taking]:
    """Keep at work what takes publications, until the block ends.

    1. Schemas and guard lists.
    2. The loops: one correlates, one publishes what that found, one keeps what must not grow for ever, one signs the log, one
       looks after guard lists.
    """
    database = founded.database
    schemas = load_schemas()  # 1
    files = guard_files(settings)
    correlator = Correlator(database, Guards(files.load()))
    watch = GuardWatch(database, files, correlator)
    keeper = Keeper(database, schemas, clock)
    signer = LogSigner(database, clock, founded.log)
    centre = Centre(database, schemas, clock, read_words(founded.facts))

    def wake() -> None:
        for loop in (correlator, keeper, signer):
            loop.wake()

    async with AsyncExitStack() as stack:  # 2
        for work, name in (
            (correlator.run(), "correlator"),
            (centre.run(), "centre"),
            (keeper.run(), "keeper"),
            (signer.run(), "log"),
            (watch.run(), "guards"),
        ):
            await stack.enter_async_context(at_work(work, name))
        yield Taking(partial(publish, database, schemas), wake, correlator)


@asynccontextmanager
async def at_work(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Let a loop work until the block ends."""
    working = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


def spare_collector() -> None:
    """Keep the garbage collector away from what lives as long as the process, and from what dies with its request.

    One envelope makes tens of thousands of containers, none of them in a circle; at the thresholds that Python begins with,
    the collector would look through all of a host a dozen times a second for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def read_words(facts: Mapping[str, Any]) -> Words:
    """Read what the host and its region are called from what the host knows of them."""
    return Words(
        facts["log_origin"],
        {country["code"]: Country(**country) for country in facts["countries"]},
        {footnote["mark"]: footnote["text"] for footnote in facts["footnotes"]},
    )


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


def guard_files(settings: Settings) -> GuardFiles:
    """Name the guard lists that RegCERT ships, and those that the operator named or keeps in a folder."""
    shipped = sorted((share_dir() / "feeds" / "guards").glob("*.toml"))
    return GuardFiles(shipped, settings.guard_files, settings.guard_folder)


def load_guards(settings: Settings) -> list[GuardList]:
    """Read all guard lists."""
    return guard_files(settings).load()


def _read_json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return content
