"""Let a collection take part in blind matching, or no longer: what its readers agreed on, the operator enters."""

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.flows.match_blindly import end_unheld
from regcert.store.audit import note_deed
from regcert.store.blind_comparing import load_circles
from regcert.store.blind_comparing import set_blind_matching as enter
from regcert.store.blind_matches import find_keys_in_circle
from regcert.store.database import Database, Tx
from regcert.store.programs import Program
from regcert.store.teams import touch_rights


async def set_blind_matching(database: Database, clock: Clock, slug: str, *, on: bool) -> None:
    """Turn blind matching on or off for a collection; what is matched already ends at the next midnight when it is off.

    What lies in the collection is compared from now on as somebody brings it, and not gone through.

    Args:
        database: of an initialised host.
        clock: for the audit.
        slug: which collection.
        on: whether it takes part.

    Raises:
        Refusal: NOT_FOUND; INVALID_REGION for one that everybody reads.
    """
    now_us = clock.now_us()

    async def work(tx: Tx) -> None:
        await touch_rights(tx)
        await tx.run(_set(slug, on=on, now_us=now_us))

    await database.write(work)


def _set(slug: str, *, on: bool, now_us: int) -> Program[None]:
    found = yield from enter(slug, on=on)
    if found is None:
        raise Refusal(Code.NOT_FOUND, f"there is no collection called {slug}")
    scope, is_read_by_all = found
    if on and is_read_by_all:
        raise Refusal(Code.INVALID_REGION, f"everybody reads {slug}, so there is nobody to match it with")
    if not on:
        yield from end_unheld((yield from find_keys_in_circle(scope, now_us)), (yield from load_circles()), now_us)
    yield from note_deed(None, now_us, "collection-blind-matching", f"{slug} {'on' if on else 'off'}")
