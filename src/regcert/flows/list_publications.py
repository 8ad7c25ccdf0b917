"""Tell a reader which publications a collection has, and a publisher where its next one goes."""

from dataclasses import dataclass

from regcert.domain.principal import Principal
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database
from regcert.store.programs import Program
from regcert.store.proofs import Listed, Readable, get_existing, get_readable
from regcert.store.proofs import list_publications as list_from
from regcert.store.publications import Head, find_head

MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class PublicationPage:
    """Some publications of a collection.

    Args:
        readable: the collection.
        publications: by their numbers, without a gap.
        more: whether others follow.
    """

    readable: Readable
    publications: tuple[Listed, ...]
    more: bool


async def list_publications(database: Database, principal: Principal, collection: str, after: int, limit: int) -> PublicationPage:
    """List publications of a collection that the principal may read.

    With the blind of the collection a reader finds their leaves in the log, and those that he is not shown.

    Args:
        database: where from.
        principal: who asks.
        collection: its id or alias.
        after: the number behind which to begin; 0 for all.
        limit: how many at most.

    Raises:
        Refusal: NOT_FOUND.
    """
    require(principal, Permission.READ)
    return await database.run(_list(principal, collection, after, limit))


async def get_head(database: Database, principal: Principal, collection: str) -> Head:
    """Get the number and the hash that the next publication of the principal's team in a collection continues.

    Args:
        database: where from.
        principal: who asks; its team may read the collection, or write to it.
        collection: its id or alias.

    Raises:
        Refusal: NOT_FOUND.
    """
    require(principal, Permission.READ)
    return await database.run(_find_head(principal, collection))


def _list(principal: Principal, collection: str, after: int, limit: int) -> Program[PublicationPage]:
    readable = yield from get_readable(principal, collection)
    found = yield from list_from(readable.collection_id, after, limit + 1)
    return PublicationPage(readable, tuple(found[:limit]), len(found) > limit)


def _find_head(principal: Principal, collection: str) -> Program[Head]:
    collection_id = yield from get_existing(principal, collection)
    return (yield from find_head(collection_id, principal.team.team_id))
