"""Let somebody begin anew: another password, another telephone, and no session of theirs goes on."""

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.flows.add_person import Enrolled, keep, new_code
from regcert.flows.sign_in_person import spell_login
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.people import Person, change_person, find_person
from regcert.store.sessions import end_sessions_of


async def reset_person(database: Database, clock: Clock, totp_key: bytes, login: str, password: str) -> Enrolled:
    """Give somebody a new password and a new secret for their codes, and let them try again.

    Raises:
        Refusal: MALFORMED_REQUEST, NOT_FOUND.
    """
    kept = await keep(password)

    async def work(tx: Tx) -> Enrolled:
        person = await get_person(tx, login)
        enrolled, sealed = new_code(totp_key, person.token_id, person.login)
        # The step stays: what was used is used, whatever the secret.
        await change_person(tx, person.token_id, password=kept, totp=sealed, failures=0, locked_until_us=0)
        await tx.run(end_sessions_of(person.token_id))
        await add_audit(tx, None, clock.now_us(), "person-reset", str(person.token_id))
        return enrolled

    return await database.write(work)


async def get_person(tx: Tx, login: str) -> Person:
    """Get somebody by name.

    Raises:
        Refusal: NOT_FOUND.
    """
    found = await tx.run(find_person(spell_login(login)))
    if found is None:
        raise Refusal(Code.NOT_FOUND, "nobody has this login; 'regcert person list' shows who is here")
    return found[0]
