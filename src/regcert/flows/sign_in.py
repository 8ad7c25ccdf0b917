"""Let people into the console: whoever shows who they are gets a session, which ends with what they showed.

A session is a row of ours and a secret in a cookie. It begins anew with every sign-in, whatever the browser brought along, so
that nobody can be made to work in a session that somebody else knows.
"""

import secrets
from dataclasses import dataclass

from regcert.clock import SECOND_US, Clock
from regcert.domain.principal import Principal
from regcert.domain.whence import NOWHERE, Whence
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import find_principal, recognise
from regcert.flows.list_alerts import count_new
from regcert.identity.tokens import token_digest
from regcert.policy.permissions import Permission, require
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.sessions import add_session, end_session, find_session, see_session

SESSION_S = 8 * 3600
IDLE_S = 30 * 60
_SEEN_EVERY_US = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in.

    Args:
        principal: who.
        csrf: what each of their forms must carry.
        unseen: how many alerts nobody of their team has seen, up to 100.
    """

    principal: Principal
    csrf: str
    unseen: int = 0


async def sign_in(database: Database, clock: Clock, token: str, whence: Whence = NOWHERE, before: str | None = None) -> str:
    """Open a session for whoever holds a token.

    Args:
        database: where.
        clock: what time it is.
        token: what was typed.
        whence: where from.
        before: the secret of the session that the browser has already, which ends; None where it has none.

    Returns:
        The session's secret, for the cookie; only its digest is kept.

    Raises:
        Refusal: UNAUTHENTICATED; FORBIDDEN for the token of a machine.
    """
    principal = (await recognise(database, clock, token, whence)).principal
    require(principal, Permission.USE_CONSOLE)
    return await database.write(lambda tx: open_session(tx, clock.now_us(), principal, before))


async def open_session(tx: Tx, now_us: int, principal: Principal, before: str | None) -> str:
    """Open a session within a transaction that may hold more; return its secret."""
    secret = secrets.token_urlsafe(32)
    if before is not None:
        await tx.run(end_session(token_digest(before)))
    expires_us = now_us + SESSION_S * SECOND_US
    csrf = secrets.token_urlsafe(32)
    await tx.run(add_session(token_digest(secret), principal.token_id, csrf, now_us=now_us, expires_us=expires_us))
    await add_audit(tx, principal, now_us, "sign-in", principal.team.slug)
    return secret


async def resume(database: Database, clock: Clock, secret: str, whence: Whence = NOWHERE) -> Session | None:
    """Find the session behind a cookie; None where it, or what it was opened with, has ended, or is not good from there."""
    now_us, digest = clock.now_us(), token_digest(secret)
    found = await database.run(find_session(digest, now_us, now_us - IDLE_S * SECOND_US))
    if found is None:
        return None
    known, csrf, seen_us = found
    principal = find_principal(known, now_us, whence)
    if principal is None:
        return None
    if now_us - seen_us >= _SEEN_EVERY_US:
        await database.apply(lambda _: see_session(digest, now_us))
    return Session(principal, csrf, await count_new(database, principal))


def require_form(session: Session, csrf: str) -> None:
    """Refuse a form that does not carry the session's token: another site sent it.

    Raises:
        Refusal: FORBIDDEN.
    """
    if not secrets.compare_digest(session.csrf.encode(), csrf.encode("utf-8", "replace")):
        raise Refusal(Code.FORBIDDEN, "the form was not ours; open the console and use its own")


async def sign_out(database: Database, session: Session, secret: str, csrf: str) -> None:
    """End a session.

    Raises:
        Refusal: FORBIDDEN where the form does not carry the session's token: another site sent it.
    """
    require_form(session, csrf)
    await database.apply(lambda _: end_session(token_digest(secret)))
