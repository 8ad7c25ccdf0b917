"""Hosts for tests: one of each kind is founded once a process, and every test is given a copy of it.

To found a host is to run every migration and to enter a region; to copy one is to copy a few files, or a database within its
server. Tests of the founding itself found their own.
"""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg

from regcert.flows.initialise import initialise, read_region_file
from regcert.settings import Settings
from regcert.share import share_dir
from tests.hosting import StillClock

REGION_FILE = share_dir() / "deploy" / "regions" / "western-balkans.toml"
_TEMPLATE = "founded"


def found_template(folder: Path, database_url: str) -> Path:
    """Found the host that others are copies of, and return its data folder; its database must be empty.

    It is done in a thread, with a loop of its own: whoever asks for it may be in the midst of another.
    """
    founding = initialise(folder, database_url, StillClock(), read_region_file(REGION_FILE))
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, founding).result()
    return folder


class Templates:
    """The founded hosts of one process.

    Args:
        folder: where to keep them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sqlite: Path | None = None
        self._postgresql: dict[str, Path] = {}

    async def copy(self, data_dir: Path, database_url: str) -> Settings:
        """Make a copy: its data folder and its database.

        Args:
            data_dir: must not be there yet.
            database_url: of a file that is not there yet, or of a database that is empty.
        """
        if database_url.startswith("sqlite"):
            template = self._sqlite = self._sqlite or self._found_on_sqlite()
            shutil.copyfile(template.parent / "regcert.db", database_url.removeprefix("sqlite:///"))
        else:
            template = await self._copy_on_postgresql(database_url)
        shutil.copytree(template, data_dir)
        return Settings(data_dir=data_dir, database_url=database_url)

    def _found_on_sqlite(self) -> Path:
        folder = self._folder / "sqlite"
        folder.mkdir()
        return found_template(folder / "host", f"sqlite:///{folder}/regcert.db")

    async def _copy_on_postgresql(self, database_url: str) -> Path:
        address, _, socket = database_url.partition("?")
        server, _, name = address.rpartition("/")
        connection = await asyncpg.connect(f"{server}/postgres?{socket}")
        try:
            if socket not in self._postgresql:
                await connection.execute(f'CREATE DATABASE "{_TEMPLATE}"')
                folder = self._folder / f"postgresql-{len(self._postgresql)}"
                self._postgresql[socket] = found_template(folder, f"{server}/{_TEMPLATE}?{socket}")
            await connection.execute(f'DROP DATABASE "{name}"')
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
        finally:
            await connection.close()
        return self._postgresql[socket]
