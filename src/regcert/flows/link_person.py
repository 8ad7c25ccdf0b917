"""Let an account elsewhere open somebody's login here."""

from regcert.clock import Clock
from regcert.flows.reset_person import get_person
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.people import change_person


async def link_person(database: Database, clock: Clock, login: str, subject: str | None) -> None:
    """Say which account of the OpenID provider signs somebody in.

    Args:
        database: where.
        clock: what time it is.
        login: who.
        subject: the account, as `identity/id_tokens.account` writes it; None to take it away.

    Raises:
        Refusal: NOT_FOUND, ALREADY_EXISTS.
    """

    async def work(tx: Tx) -> None:
        person = await get_person(tx, login)
        await change_person(tx, person.token_id, oidc_subject=subject)
        await add_audit(tx, None, clock.now_us(), "person-link" if subject else "person-unlink", str(person.token_id))

    await database.write(work)
