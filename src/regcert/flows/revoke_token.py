"""Take a token back: from the commit on it is worth nothing, in every process, and whoever waits with it is sent away."""

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.sessions import end_sessions_of
from regcert.store.teams import touch_rights
from regcert.store.tokens import revoke_token as revoke


async def revoke_token(database: Database, clock: Clock, token_id: int) -> None:
    """Revoke any token of the host; for its operator.

    Raises:
        Refusal: NOT_FOUND where there is none, or it was revoked before.
    """
    await _revoke(database, clock, token_id, None)


async def revoke_own_token(database: Database, clock: Clock, principal: Principal, token_id: int) -> None:
    """Revoke a token of the principal's own team; another team's is answered as one that is not there.

    Raises:
        Refusal: FORBIDDEN, NOT_FOUND.
    """
    require(principal, Permission.MANAGE_TOKENS)
    await _revoke(database, clock, token_id, principal)


async def _revoke(database: Database, clock: Clock, token_id: int, principal: Principal | None) -> None:
    async def work(tx: Tx) -> None:
        await touch_rights(tx)
        await end_token(tx, clock.now_us(), token_id, principal)

    await database.write(work)


async def end_token(tx: Tx, now_us: int, token_id: int, principal: Principal | None) -> None:
    """Revoke a token within a transaction that called `touch_rights`, with every session that it opened.

    Args:
        tx: the transaction.
        now_us: now.
        token_id: which.
        principal: on whose behalf: then only of its team; None for the host's operator.

    Raises:
        Refusal: NOT_FOUND.
    """
    # What does not fit the column is nobody's token: no number that somebody thinks of may be a fault of the database.
    known = 0 < token_id < 1 << 31
    if not known or not await tx.run(revoke(token_id, now_us, principal.team.team_id if principal else None)):
        raise Refusal(Code.NOT_FOUND, "there is no such token, or it was revoked before")
    await tx.run(end_sessions_of(token_id))
    await add_audit(tx, principal, now_us, "token-revoke", str(token_id))
