"""The PostgreSQL that other tests stand on starts, serves and leaves nothing behind."""

import asyncio
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from tests.postgres import fresh_database, postgres_server


@pytest.fixture(scope="module")
def server():
    with postgres_server() as address:
        yield address


async def ask(address: str, question: str) -> object:
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_server_answers_in_utf8(server):
    """A fresh database is there, empty, and speaks UTF-8."""
    async with fresh_database(server) as address:
        assert await ask(address, "SELECT 1") == 1
        assert await ask(address, "SHOW server_encoding") == "UTF8"
        assert await ask(address, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_server_listens_on_no_port(server):
    """Two workers never fight for a port, and nobody else can connect."""
    assert await ask(server.format(database="postgres"), "SHOW listen_addresses") == ""


async def test_databases_do_not_see_each_other(server):
    """What one test writes, another never finds; a template's tables are copied."""
    async with fresh_database(server) as one:
        await ask(one, "CREATE TABLE thing (id int)")
        async with fresh_database(server) as two, fresh_database(server, one.split("@/")[1].split("?")[0]) as three:
            assert await ask(two, "SELECT to_regclass('thing')::text") is None
            assert await ask(three, "SELECT to_regclass('thing')::text") == "thing"


async def test_database_is_dropped_when_somebody_is_still_connected(server):
    """A test that leaks a connection does not break the next one."""
    async with fresh_database(server) as address:
        connection = await asyncpg.connect(address)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(address)
    connection.terminate()


@pytest.mark.parametrize("fsync", [False, True])
def test_server_leaves_nothing_behind_when_it_stops(fsync):
    """The process and its folder are gone after the run, also when the test failed."""
    with suppress(LookupError), postgres_server(fsync=fsync) as address:
        home = Path(address.partition("host=")[2])
        process = Path("/proc", (home / "data/postmaster.pid").read_text().split()[0])
        assert process.exists()
        assert asyncio.run(ask(address.format(database="postgres"), "SHOW fsync")) == ("on" if fsync else "off")
        raise LookupError("the test failed")
    assert not home.exists()
    assert not process.exists()
