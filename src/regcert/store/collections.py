"""API roots, collections, and who may read and write them; for the host's own commands, not on anybody's behalf."""

from collections.abc import Iterable

from sqlalchemy import Table, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.collection import ApiRoot, Collection
from regcert.errors import Code, Refusal
from regcert.store.database import Tx
from regcert.store.tables import AccessRow, ApiRootRow, CollectionRow, TeamRow, table
from regcert.store.visibility import read_collection

_COLLECTIONS = table(CollectionRow)
_ROOTS = table(ApiRootRow)


async def add_api_root(tx: Tx, root: ApiRoot) -> None:
    """Enter an API root behind those that are there; the first of a host stays its default.

    Args:
        tx: the transaction; it must hold the order lock (`touch_rights`), which keeps titles and places apart.
        root: what it is.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    await _require_new_title(tx, _ROOTS, root.title, "an API root")
    place = ((await tx.connection.execute(select(func.max(_ROOTS.c.place)))).scalar_one() or 0) + 1
    values = {"slug": root.slug, "place": place, "title": root.title, "description": root.description}
    try:
        await tx.connection.execute(insert(_ROOTS).values(values))
    except IntegrityError as error:
        raise Refusal(Code.ALREADY_EXISTS, f"an API root called {root.slug} exists already") from error


async def list_api_roots(connection: AsyncConnection) -> list[ApiRoot]:
    """List the host's API roots in their order; the first is the default."""
    query = select(_ROOTS.c.slug, _ROOTS.c.title, _ROOTS.c.description).order_by(_ROOTS.c.place).limit(10_000)
    return [ApiRoot(*row) for row in await connection.execute(query)]


async def find_api_root(connection: AsyncConnection, slug: str) -> ApiRoot | None:
    """Find an API root by its path segment."""
    query = select(_ROOTS.c.slug, _ROOTS.c.title, _ROOTS.c.description).where(_ROOTS.c.slug == slug)
    row = (await connection.execute(query)).first()
    return None if row is None else ApiRoot(*row)


async def add_collection(tx: Tx, collection: Collection, read: frozenset[int] | None, write: frozenset[int] | None) -> Collection:
    """Enter a collection.

    Args:
        tx: the transaction; it must hold the order lock (`touch_rights`), which keeps titles apart.
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
        "media_types": ",".join(collection.media_types),
        "blind_matching": collection.blind_matching,
    }
    await _require_new_title(tx, _COLLECTIONS, collection.title, "a collection")
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


async def _require_new_title(tx: Tx, rows: Table, title: str, noun: str) -> None:
    """Refuse a title that is taken, in whatever case: people and OpenCTI choose by it."""
    titles = await tx.connection.execute(select(rows.c.title).limit(10_000))
    if title.casefold() in {other.casefold() for other in titles.scalars()}:
        raise Refusal(Code.ALREADY_EXISTS, f"{noun} with the title {title!r} exists already; choose another title")


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
