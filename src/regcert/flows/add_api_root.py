"""Enter an API root: one more address under which collections are grouped."""

from regcert.clock import Clock
from regcert.domain.collection import ApiRoot
from regcert.errors import Code, Refusal
from regcert.store import collections
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.teams import read_facts, touch_rights


async def add_api_root(database: Database, clock: Clock, root: ApiRoot) -> ApiRoot:
    """Add an API root behind those that are there; the region's own stays the default.

    Args:
        database: of an initialised host.
        clock: for the audit.
        root: what the operator says it is.

    Raises:
        Refusal: NOT_INITIALISED; ALREADY_EXISTS for a slug or a title that is taken.
    """

    async def work(tx: Tx) -> ApiRoot:
        if not await read_facts(tx.connection):
            raise Refusal(Code.NOT_INITIALISED, "this host has no region yet; run 'regcert init' first")
        return await enter_api_root(tx, clock.now_us(), root)

    return await database.write(work)


async def enter_api_root(tx: Tx, at_us: int, root: ApiRoot) -> ApiRoot:
    """Add an API root within a transaction that may hold more.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    await touch_rights(tx)
    await collections.add_api_root(tx, root)
    await add_audit(tx, None, at_us, "root-add", root.slug)
    return root
