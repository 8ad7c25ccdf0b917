"""Bringing a database to the present schema; Alembic's work, run on the asynchronous drivers that everything else uses."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from regcert.errors import Code, Refusal
from regcert.store.database import async_url

_MIGRATIONS = Path(__file__).parent / "migrations"


async def migrate(url: str) -> None:
    """Create the schema, or bring an older one up to date.

    Args:
        url: `sqlite:///path` or `postgresql://…`.
    """
    engine = create_async_engine(async_url(url), hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def require_migrated(url: str) -> None:
    """Refuse a database that was never initialised, or whose schema is not the one this release was written for.

    Raises:
        Refusal: NOT_INITIALISED.
    """
    engine = create_async_engine(async_url(url), hide_parameters=True)
    try:
        async with engine.connect() as connection:
            version = await connection.run_sync(_version)
    finally:
        await engine.dispose()
    if version != ScriptDirectory.from_config(_config()).get_current_head():
        raise Refusal(Code.NOT_INITIALISED, "the database holds no RegCERT of this release; run 'regcert init' first")


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
