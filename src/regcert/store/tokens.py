"""Tokens and console sessions: who is asking."""

from sqlalchemy import Select, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal, Role
from regcert.store.database import Tx
from regcert.store.tables import SessionRow, TeamRow, TokenCollectionRow, TokenRow, table
from regcert.store.teams import read_team

_TOKENS = table(TokenRow)
_NARROWED = table(TokenCollectionRow)
_SESSIONS = table(SessionRow)
_TEAMS = table(TeamRow)


async def add_token(
    tx: Tx,
    digest: bytes,
    *,
    team_id: int,
    role: Role,
    name: str,
    collection_ids: frozenset[int],
    created_us: int,
    expires_us: int | None,
) -> int:
    """Enter a token by its digest, and return its key.

    Args:
        tx: the transaction.
        digest: SHA-256 of the token, 32 bytes.
        team_id: whose it is.
        role: what it may do.
        name: what people call it.
        collection_ids: what it is narrowed to; empty for all that the team has.
        created_us: now.
        expires_us: from when on it is worth nothing, or None.
    """
    row = {
        "digest": digest, "team_id": team_id, "role": role.value, "name": name,
        "created_us": created_us, "expires_us": expires_us,
    }  # fmt: skip
    token_id: int = (await tx.connection.execute(insert(_TOKENS).values(row).returning(_TOKENS.c.token_id))).scalar_one()
    if collection_ids:
        narrowed = [{"token_id": token_id, "collection_id": one} for one in sorted(collection_ids)]
        await tx.connection.execute(insert(_NARROWED), narrowed)
    return token_id


def _living(now_us: int) -> Select[int, str]:
    return (
        select(_TOKENS.c.token_id, _TOKENS.c.role, *_TEAMS.c)
        .join(_TEAMS, _TEAMS.c.team_id == _TOKENS.c.team_id)
        .where(_TOKENS.c.revoked_us.is_(None), or_(_TOKENS.c.expires_us.is_(None), _TOKENS.c.expires_us > now_us))
    )


async def _principal(connection: AsyncConnection, query: Select[int, str]) -> Principal | None:
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    narrowed = select(_NARROWED.c.collection_id).where(_NARROWED.c.token_id == row["token_id"]).limit(10_000)
    ids = frozenset((await connection.execute(narrowed)).scalars())
    return Principal(read_team(row), Role(row["role"]), row["token_id"], ids or None)


async def find_principal(connection: AsyncConnection, digest: bytes, now_us: int) -> Principal | None:
    """Find who a token speaks for; None where it is unknown, expired or revoked.

    The digest of 256 random bits is looked up by index: nothing about the token can be learned from how long that takes.
    """
    return await _principal(connection, _living(now_us).where(_TOKENS.c.digest == digest))


async def add_session(tx: Tx, digest: bytes, token_id: int, csrf: str, *, now_us: int, expires_us: int) -> None:
    """Open a console session, and clear away those that ended."""
    await tx.connection.execute(delete(_SESSIONS).where(_SESSIONS.c.expires_us <= now_us))
    row = {"digest": digest, "token_id": token_id, "csrf": csrf, "expires_us": expires_us}
    await tx.connection.execute(insert(_SESSIONS).values(row))


async def find_session(connection: AsyncConnection, digest: bytes, now_us: int) -> tuple[Principal, str] | None:
    """Find who is signed in, and the session's form token; None where either the session or its token has ended."""
    query = select(_SESSIONS.c.token_id, _SESSIONS.c.csrf).where(_SESSIONS.c.digest == digest, _SESSIONS.c.expires_us > now_us)
    session = (await connection.execute(query)).first()
    if session is None:
        return None
    principal = await _principal(connection, _living(now_us).where(_TOKENS.c.token_id == session.token_id))
    return None if principal is None else (principal, session.csrf)


async def delete_session(tx: Tx, digest: bytes) -> None:
    """End a session."""
    await tx.connection.execute(delete(_SESSIONS).where(_SESSIONS.c.digest == digest))
