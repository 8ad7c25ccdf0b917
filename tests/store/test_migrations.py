"""The migrations make the schema that the tables describe, on both databases, and can be run again."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.ext.asyncio import create_async_engine

from regcert.errors import Code, Refusal
from regcert.store import border_tables, incident_tables, trust_tables  # noqa: F401 - all of METADATA
from regcert.store import migrate as migrate_module
from regcert.store.database import async_url
from regcert.store.migrate import migrate
from regcert.store.schema_version import SCHEMA, require_migrated
from regcert.store.tables import METADATA


async def run(url: str, work):
    """Run something that Alembic offers synchronously on a connection of its own."""
    engine = create_async_engine(async_url(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def difference(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, METADATA))


def where(index: ReflectedIndex) -> str:
    """The condition of a partial index, which the two databases report under names of their own."""
    return " ".join(str(value) for key, value in index.get("dialect_options", {}).items() if key.endswith("_where"))


def shape(connection: Connection) -> dict[str, object]:
    """All that the database says of its schema: columns, keys, indexes with their conditions, checks."""
    looking = inspect(connection)
    return {
        name: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in looking.get_columns(name)),
            looking.get_pk_constraint(name),
            sorted(looking.get_foreign_keys(name), key=str),
            sorted(
                (*map(str, (index["name"], index["column_names"], index["unique"])), where(index))
                for index in looking.get_indexes(name)
            ),
            sorted(looking.get_unique_constraints(name), key=str),
            sorted(looking.get_check_constraints(name), key=str),
        )
        for name in looking.get_table_names()
        if name != "alembic_version"
    }


def downgrade(connection: Connection) -> None:
    config = migrate_module._config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


async def test_migrated_schema_is_the_one_the_tables_describe(database_url):
    """A fresh migration leaves nothing for autogenerate to find."""
    await migrate(database_url)
    assert await run(database_url, difference) == []


async def test_migrated_schema_has_the_same_checks_and_indexes_as_the_tables(database_url, tmp_path):
    """Autogenerate does not look at CHECKs and partial indexes: compare with what the tables make by themselves."""
    await migrate(database_url)
    migrated = await run(database_url, shape)
    await run(database_url, downgrade)
    await run(database_url, METADATA.create_all)
    assert await run(database_url, shape) == migrated


async def test_upgrade_changes_nothing_when_run_again(database_url):
    """'regcert init' and every start may migrate: an up-to-date schema stays as it is."""
    await migrate(database_url)
    before = await run(database_url, shape)
    await migrate(database_url)
    assert await run(database_url, shape) == before
    await require_migrated(database_url)


async def test_downgrade_leaves_nothing_and_upgrade_comes_back(database_url):
    """A downgrade removes all that the upgrade made, and the way up is open again."""
    await migrate(database_url)
    before = await run(database_url, shape)
    await run(database_url, downgrade)
    assert await run(database_url, shape) == {}
    with pytest.raises(Refusal) as refused:
        await require_migrated(database_url)
    assert refused.value.code is Code.NOT_INITIALISED
    await migrate(database_url)
    assert await run(database_url, shape) == before


async def test_database_is_refused_when_it_was_never_migrated(database_url):
    """An empty database is no host."""
    with pytest.raises(Refusal) as refused:
        await require_migrated(database_url)
    assert refused.value.code is Code.NOT_INITIALISED


def test_release_serves_the_newest_schema_when_one_is_added():
    """Whoever adds a migration is told here to say that this release needs it."""
    assert ScriptDirectory.from_config(migrate_module._config()).get_current_head() == SCHEMA
