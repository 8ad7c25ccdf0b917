"""Let people into the console: a token opens a session, and the session ends when the token does."""

import secrets
from dataclasses import dataclass

from regcert.clock import SECOND_US, Clock
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import recognise
from regcert.identity.tokens import token_digest
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database, Tx
from regcert.store.submissions import add_audit
from regcert.store.tokens import add_session, delete_session, find_session

SESSION_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in.

    Args:
        principal: who.
        csrf: what each of their forms must carry.
    """

    principal: Principal
    csrf: str


async def sign_in(database: Database, clock: Clock, token: str) -> str:
    """Open a session for whoever holds a token.

    Returns:
        The session's secret, for the cookie; only its digest is kept.

    Raises:
        Refusal: UNAUTHENTICATED; FORBIDDEN for the token of a machine.
    """
    principal = (await recognise(database, clock, token)).principal
    require(principal, Permission.USE_CONSOLE)
    secret = secrets.token_urlsafe(32)
    now_us = clock.now_us()

    async def work(tx: Tx) -> None:
        csrf = secrets.token_urlsafe(32)
        expires_us = now_us + SESSION_S * SECOND_US
        await add_session(tx, token_digest(secret), principal.token_id, csrf, now_us=now_us, expires_us=expires_us)
        await add_audit(tx, principal, now_us, "sign-in", principal.team.slug)

    await database.write(work)
    return secret


async def resume(database: Database, clock: Clock, secret: str) -> Session | None:
    """Find the session behind a cookie; None where it, or its token, has ended."""
    async with database.read() as connection:
        found = await find_session(connection, token_digest(secret), clock.now_us())
    return None if found is None else Session(*found)


async def sign_out(database: Database, session: Session, secret: str, csrf: str) -> None:
    """End a session.

    Raises:
        Refusal: FORBIDDEN where the form does not carry the session's token: another site sent it.
    """
    if not secrets.compare_digest(session.csrf.encode(), csrf.encode()):
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the console and sign out there")
    await database.write(lambda tx: delete_session(tx, token_digest(secret)))
