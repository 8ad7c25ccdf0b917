"""Collections and who may read and write them; for the host's own commands, not on anybody's behalf."""

from collections.abc import Iterable

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.collection import Collection
from regcert.errors import Code, Refusal
from regcert.store.database import Tx
from regcert.store.tables import AccessRow, CollectionRow, TeamRow, table
from regcert.store.visibility import read_collection

_COLLECTIONS = table(CollectionRow)


async def add_collection(tx: Tx, collection: Collection, read: frozenset[int] | None, write: frozenset[int] | None) -> Collection:
    """Enter a collection.

    Args:
        tx: the transaction.
        collection: what it is; its `collection_id` is given here.
        read: the teams that read it, or None for all, also those to come.
        write: the same for writing.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    values = {
        "uuid": collection.uuid,
        "slug": collection.slug,
        "api_root": collection.api_root,
        "title": collection.title,
        "description": collection.description,
        "ceiling": int(collection.ceiling),
        "signature": collection.signature.value,
        "scope": collection.scope,
        "read_all": read is None,
        "write_all": write is None,
    }
    try:
        new = insert(_COLLECTIONS).values(values).returning(_COLLECTIONS.c.collection_id)
        collection_id: int = (await tx.connection.execute(new)).scalar_one()
    except IntegrityError as error:
        raise Refusal(Code.ALREADY_EXISTS, f"a collection called {collection.slug}, or with its id, exists already") from error
    access = [
        {
            "collection_id": collection_id,
            "team_id": team_id,
            "can_read": team_id in (read or ()),
            "can_write": team_id in (write or ()),
        }
        for team_id in sorted((read or frozenset()) | (write or frozenset()))
    ]
    if access:
        await tx.connection.execute(insert(table(AccessRow)), access)
    row = (
        await tx.connection.execute(select(_COLLECTIONS).where(_COLLECTIONS.c.collection_id == collection_id))
    ).mappings().one()  # fmt: skip
    return read_collection(row)


async def list_collections(connection: AsyncConnection) -> list[Collection]:
    """List every collection of the host, in the order in which they were made."""
    query = select(_COLLECTIONS).order_by(_COLLECTIONS.c.collection_id).limit(10_000)
    return [read_collection(row) for row in (await connection.execute(query)).mappings()]


async def get_collection_ids(connection: AsyncConnection, slugs: Iterable[str]) -> frozenset[int]:
    """Get the keys of collections by slug.

    Raises:
        Refusal: NOT_FOUND, naming the first that does not exist.
    """
    return await _ids_of(connection, CollectionRow, "collection_id", slugs, "collection")


async def get_team_ids(connection: AsyncConnection, slugs: Iterable[str]) -> frozenset[int]:
    """Get the keys of teams by slug.

    Raises:
        Refusal: NOT_FOUND, naming the first that does not exist.
    """
    return await _ids_of(connection, TeamRow, "team_id", slugs, "team")


async def _ids_of(
    connection: AsyncConnection, row: type[CollectionRow] | type[TeamRow], key: str, slugs: Iterable[str], noun: str
) -> frozenset[int]:
    wanted = sorted(set(slugs))
    rows = table(row)
    query = select(rows.c.slug, rows.c[key]).where(rows.c.slug.in_(wanted))
    found = dict((await connection.execute(query)).all())
    for slug in wanted:
        if slug not in found:
            raise Refusal(Code.NOT_FOUND, f"there is no {noun} called {slug}")
    return frozenset(found.values())
