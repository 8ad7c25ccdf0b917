"""Let somebody in no more: at once, also where they are signed in."""

from regcert.clock import Clock
from regcert.flows.reset_person import get_person
from regcert.store import people
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.sessions import end_sessions_of
from regcert.store.teams import touch_rights
from regcert.store.tokens import revoke_token


async def remove_person(database: Database, clock: Clock, login: str) -> None:
    """Remove somebody; the row of what they did stays.

    Raises:
        Refusal: NOT_FOUND.
    """

    async def work(tx: Tx) -> None:
        now_us = clock.now_us()
        await touch_rights(tx)
        person = await get_person(tx, login)
        await tx.run(people.remove_person(person.token_id))
        await tx.run(revoke_token(person.token_id, now_us))  # or it was revoked before
        await tx.run(end_sessions_of(person.token_id))
        await add_audit(tx, None, now_us, "person-remove", str(person.token_id))

    await database.write(work)
