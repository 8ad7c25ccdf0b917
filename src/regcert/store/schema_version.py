"""Which schema a database has. Apart from `migrate`, because a host that serves has no use for the machinery that migrates."""

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from regcert.errors import Code, Refusal
from regcert.store.database import async_url

SCHEMA = "0010"
"""The newest of `migrations/versions`, which this release was written for."""


async def require_migrated(url: str) -> None:
    """Refuse a database that was never initialised, or whose schema is not the one this release was written for.

    Args:
        url: `sqlite:///path` or `postgresql://…`.

    Raises:
        Refusal: NOT_INITIALISED.
    """
    engine = create_async_engine(async_url(url), hide_parameters=True)
    try:
        async with engine.connect() as connection:
            version = await connection.run_sync(_version)
    finally:
        await engine.dispose()
    if version != SCHEMA:
        raise Refusal(Code.NOT_INITIALISED, "the database holds no RegCERT of this release; run 'regcert init' first")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version
