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


def found_template(folder: Path, database_url: str, *, create: str = "") -> Path:
    """Found the host that others are copies of, and return its data folder.

    It is done in a thread, with a loop of its own: whoever asks for it may be in the midst of another.

    Args:
        folder: for its data.
        database_url: where; it is empty, or not there yet.
        create: the server on which the database is made first.
    """

    async def found() -> None:
        if create:
            connection = await asyncpg.connect(create.format(database="postgres"))
            await connection.execute(f'CREATE DATABASE "{_TEMPLATE}"')
            await connection.close()
        await initialise(folder, database_url, StillClock(), read_region_file(REGION_FILE))

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, found()).result()
    return folder


class Templates:
    """The founded hosts of one process.

    Args:
        folder: where to keep them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sqlite: Path | None = None
        self._postgresql: Path | None = None

    def found_on_postgresql(self, server: str) -> str:
        """Return the database of this process's only server that databases of hosts are made from.

        Args:
            server: what `postgres_server` yields.
        """
        if self._postgresql is None:
            self._postgresql = found_template(self._folder / "postgresql", server.format(database=_TEMPLATE), create=server)
        return _TEMPLATE

    def copy(self, data_dir: Path, database_url: str) -> Settings:
        """Make a copy.

        Args:
            data_dir: must not be there yet.
            database_url: of a file that is not there yet, or of a database that was made from `found_on_postgresql`.
        """
        template = self._postgresql
        if database_url.startswith("sqlite"):
            template = self._sqlite = self._sqlite or self._found_on_sqlite()
            shutil.copyfile(template.parent / "regcert.db", database_url.removeprefix("sqlite:///"))
        assert template is not None
        shutil.copytree(template, data_dir)
        return Settings(data_dir=data_dir, database_url=database_url)

    def _found_on_sqlite(self) -> Path:
        folder = self._folder / "sqlite"
        folder.mkdir()
        return found_template(folder / "host", f"sqlite:///{folder}/regcert.db")
