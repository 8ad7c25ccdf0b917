"""Enter a collection: who reads it, who writes it, how sensitive it may be."""

import hashlib

from regcert.clock import Clock
from regcert.domain.collection import Collection
from regcert.domain.region import Audience, CollectionEntry
from regcert.errors import Code, Refusal
from regcert.store import collections
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.teams import read_facts, touch_rights


async def add_collection(database: Database, clock: Clock, entry: CollectionEntry) -> Collection:
    """Add a collection to the API root that it names, else to the region's own.

    Args:
        database: of an initialised host.
        clock: for the audit.
        entry: what the operator says it is.

    Raises:
        Refusal: NOT_INITIALISED; NOT_FOUND for an API root or a team that does not exist; ALREADY_EXISTS for an id, a slug or a
            title that is taken.
    """

    async def work(tx: Tx) -> Collection:
        facts = await read_facts(tx.connection)
        if not facts:
            raise Refusal(Code.NOT_INITIALISED, "this host has no region yet; run 'regcert init' first")
        return await enter_collection(tx, clock.now_us(), str(facts["api_root"]), entry)

    return await database.write(work)


async def enter_collection(tx: Tx, at_us: int, own_root: str, entry: CollectionEntry) -> Collection:
    """Add a collection within a transaction that may hold more.

    Args:
        tx: the transaction.
        at_us: now.
        own_root: the region's own API root, for an entry that names none.
        entry: what it is.

    Raises:
        Refusal: NOT_FOUND, ALREADY_EXISTS.
    """
    await touch_rights(tx)
    api_root = entry.api_root or own_root
    if await collections.find_api_root(tx.connection, api_root) is None:
        raise Refusal(Code.NOT_FOUND, f"there is no API root called {api_root}; 'regcert root list' shows them")
    collection = Collection(
        collection_id=0,  # given by the store
        uuid=entry.uuid,
        slug=entry.slug,
        api_root=api_root,
        title=entry.title,
        description=entry.description,
        ceiling=entry.ceiling,
        signature=entry.signature,
        scope=scope_of(entry.read),
        media_types=entry.media_types,
    )
    added = await collections.add_collection(tx, collection, await _ids(tx, entry.read), await _ids(tx, entry.write))
    await add_audit(tx, None, at_us, "collection-add", entry.slug)
    return added


def scope_of(readers: Audience) -> str:
    """Name a set of readers, so that collections with the same readers, and only those, share a scope.

    The name follows from the set alone: a collection made next year joins the scope of one made today.
    """
    if readers == "all":
        return "all"
    return "teams-" + hashlib.sha256("\n".join(sorted(readers)).encode()).hexdigest()[:16]


async def _ids(tx: Tx, audience: Audience) -> frozenset[int] | None:
    return None if audience == "all" else await collections.get_team_ids(tx.connection, audience)
