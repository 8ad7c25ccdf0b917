"""Enter a collection: who reads it, who writes it, how sensitive it may be."""

import hashlib
import secrets
from dataclasses import replace

from regcert.clock import Clock
from regcert.domain.collection import Collection
from regcert.domain.principal import Role
from regcert.domain.region import Audience, CollectionEntry, require_publishable
from regcert.errors import Code, Refusal
from regcert.flows.create_token import get_team
from regcert.store import collections
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.outgoing import appoint, list_targets, note_all
from regcert.store.teams import read_facts, touch_rights
from regcert.store.tokens import add_token


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
        blind_matching=entry.blind_matching,
    )
    added = await collections.add_collection(tx, collection, await _ids(tx, entry.read), await _ids(tx, entry.write))
    await add_audit(tx, None, at_us, "collection-add", entry.slug)
    return added if entry.centre is None else await _appoint(tx, at_us, entry, added)


async def _appoint(tx: Tx, at_us: int, entry: CollectionEntry, collection: Collection) -> Collection:
    """Let the host publish in a collection, as the centre, what crosses borders among its readers.

    It does so by a token that nobody holds and that opens this collection alone; who revokes it ends that.

    Raises:
        Refusal: INVALID_REGION, NOT_FOUND for the team, ALREADY_EXISTS where it publishes for the same readers already.
    """
    require_publishable(entry)
    team = await get_team(tx, entry.centre or "")
    if collection.scope in await tx.run(list_targets()):
        raise Refusal(Code.ALREADY_EXISTS, "for these readers incidents are published in another collection already")
    token_id = await add_token(
        tx,
        secrets.token_bytes(32),  # no token has this digest
        team_id=team.team_id,
        role=Role.ANALYST,
        name=f"incidents in {collection.slug}",
        collection_ids=frozenset((collection.collection_id,)),
        created_us=at_us,
        expires_us=None,
    )
    await tx.run(appoint(collection.collection_id, token_id))
    await tx.run(note_all(collection.scope))
    await add_audit(tx, None, at_us, "token-create", f"{team.slug} {Role.ANALYST} {token_id}")
    return replace(collection, centre_token=token_id)


def scope_of(readers: Audience) -> str:
    """Name a set of readers, so that collections with the same readers, and only those, share a scope.

    The name follows from the set alone: a collection made next year joins the scope of one made today.
    """
    if readers == "all":
        return "all"
    return "teams-" + hashlib.sha256("\n".join(sorted(readers)).encode()).hexdigest()[:16]


async def _ids(tx: Tx, audience: Audience) -> frozenset[int] | None:
    return None if audience == "all" else await collections.get_team_ids(tx.connection, audience)
