"""Found a host: its folder, its key, its database, its region and the first token."""

import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from regcert.clock import Clock
from regcert.domain.principal import Role
from regcert.domain.region import Region, read_region
from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.add_api_root import enter_api_root
from regcert.flows.add_collection import enter_collection
from regcert.flows.add_team import enter_team
from regcert.flows.create_token import TokenOrder, enter_token
from regcert.flows.open_log import lock_path, open_log
from regcert.signing.host_key import new_host_key, read_host_key
from regcert.store.database import Database, Tx, open_database
from regcert.store.migrate import migrate
from regcert.store.teams import add_facts, begin_order, read_facts

HOST_KEY_FILE = "host.key"
SIGHTINGS_COLLECTION = "regional-sightings"


@dataclass(frozen=True, slots=True)
class Founded:
    """A host that was just founded.

    Args:
        token: of an admin; shown once.
        team: slug of the team whose token it is.
        api_root: the path segment of the region's API root.
    """

    token: str
    team: str
    api_root: str


async def initialise(data_dir: Path, database_url: str, clock: Clock, region: Region, log_lock: Path | None = None) -> Founded:
    """Found a host.

    1. Make the data folder, for the service's own user alone.
    2. Bring the database's schema up to date, and refuse a database that has a region.
    3. Make the host key, unless one is there.
    4. Enter the region and the first token in one transaction.
    5. Begin the transparency log. A host of an older release, which has none yet, gets it here, too.

    A crash before the end of 4 leaves a host that can be founded by running it again. Two at the same moment are kept apart
    by the primary keys of what 4 writes.

    Args:
        data_dir: where the host keeps what is not in the database.
        database_url: where the database is or shall be.
        clock: what time it is.
        region: who takes part.
        log_lock: where the log's lock file shall be; left out, in `data_dir`.

    Raises:
        Refusal: ALREADY_EXISTS, INVALID_REGION, INVALID_SETTING, UNSAFE_DATABASE, LOG_FORK.
    """
    if SIGHTINGS_COLLECTION not in {collection.slug for collection in region.collections}:
        raise Refusal(Code.INVALID_REGION, f"add a collection {SIGHTINGS_COLLECTION!r}: sightings that name no other go there")
    _make_private_folder(data_dir)  # 1
    await migrate(database_url)  # 2
    async with open_database(database_url, clock) as database:
        key = data_dir / HOST_KEY_FILE
        if await _is_founded(database):
            if key.exists():
                await open_log(database, clock, read_host_key(key.read_bytes()), lock_path(data_dir, log_lock))
            raise Refusal(Code.ALREADY_EXISTS, "this host has a region already, which stays as it is; its schema is up to date")
        _keep_host_key(key)  # 3
        founded = await database.write(lambda tx: _enter_region(tx, clock.now_us(), region))  # 4
        await open_log(database, clock, read_host_key(key.read_bytes()), lock_path(data_dir, log_lock))  # 5
        return founded


def read_region_file(path: Path) -> Region:
    """Read a region from its file.

    Raises:
        Refusal: INVALID_REGION, naming the file and what to do about it.
    """
    try:
        return read_region(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise Refusal(Code.INVALID_REGION, f"the region file {path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:  # of TOML and of UTF-8
        raise Refusal(Code.INVALID_REGION, f"the region file {path.name} is not TOML: {error}") from error


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"data_dir cannot be made: {error.strerror}; choose another") from error


async def _is_founded(database: Database) -> bool:
    async with database.read() as connection:
        return bool(await read_facts(connection))


def _keep_host_key(path: Path) -> None:
    """Write a new host key, 0600, unless there is one: what was sealed and signed with the old one would be lost.

    It gets its name when it is whole: a crash must not leave half a key under the name that is never overwritten.
    """
    if path.exists():
        return
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix="host.key.") as unfinished:  # 0600
            unfinished.write(new_host_key().write())
            unfinished.flush()
            os.fsync(unfinished.fileno())
            os.link(unfinished.name, path)  # unlike a rename, this fails where somebody was faster
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be written in data_dir: {error.strerror}") from error


async def _enter_region(tx: Tx, at_us: int, region: Region) -> Founded:
    await begin_order(tx)
    teams = [await enter_team(tx, at_us, entry) for entry in region.teams]
    admin = _founding_team(teams)
    token = await enter_token(tx, at_us, admin, TokenOrder(Role.ADMIN, "first admin"))
    for root in region.api_roots:  # the region's own first: it becomes the default
        await enter_api_root(tx, at_us, root)
    for entry in region.collections:
        await enter_collection(tx, at_us, region.slug, entry)
    await add_facts(
        tx,
        {
            "api_root": region.slug,
            "region_name": region.name,
            "footnotes": [asdict(footnote) for footnote in region.footnotes],
            "countries": [asdict(country) for country in region.countries],
            "sightings_collection": SIGHTINGS_COLLECTION,
            "second_person": region.second_person,
            "key_approvals": region.key_approvals,
        },
    )
    return Founded(token, admin.slug, region.slug)


def _founding_team(teams: list[Team]) -> Team:
    """Choose whose the first token is: the region's coordination team, else the first team."""
    return next((team for team in teams if team.kind is TeamKind.COORDINATION), teams[0])
