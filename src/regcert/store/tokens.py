"""Tokens and console sessions: who is asking."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, bindparam, delete, insert, or_, select
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


# Built once: every request asks this first, and building costs as much as asking.
_LIVING = (
    select(_TOKENS.c.token_id, _TOKENS.c.role, _NARROWED.c.collection_id, *_TEAMS.c)
    .join(_TEAMS, _TEAMS.c.team_id == _TOKENS.c.team_id)
    .outerjoin(_NARROWED, _NARROWED.c.token_id == _TOKENS.c.token_id)
    .where(_TOKENS.c.revoked_us.is_(None), or_(_TOKENS.c.expires_us.is_(None), _TOKENS.c.expires_us > bindparam("now_us")))
)
_BY_DIGEST = _LIVING.where(_TOKENS.c.digest == bindparam("digest"))
_BY_ID = _LIVING.where(_TOKENS.c.token_id == bindparam("token_id"))


def _read_principal(rows: Sequence[RowMapping]) -> Principal | None:
    """Read a token's rows: one, or one for each collection that it is narrowed to."""
    if not rows:
        return None
    ids = frozenset(row["collection_id"] for row in rows if row["collection_id"] is not None)
    return Principal(read_team(rows[0]), Role(rows[0]["role"]), rows[0]["token_id"], ids or None)


async def find_principal(connection: AsyncConnection, digest: bytes, now_us: int) -> Principal | None:
    """Find who a token speaks for; None where it is unknown, expired or revoked.

    The digest of 256 random bits is looked up by index: nothing about the token can be learned from how long that takes.
    """
    rows = await connection.execute(_BY_DIGEST, {"digest": digest, "now_us": now_us})
    return _read_principal(rows.mappings().all())


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
    rows = await connection.execute(_BY_ID, {"token_id": session.token_id, "now_us": now_us})
    principal = _read_principal(rows.mappings().all())
    return None if principal is None else (principal, session.csrf)


async def delete_session(tx: Tx, digest: bytes) -> None:
    """End a session."""
    await tx.connection.execute(delete(_SESSIONS).where(_SESSIONS.c.digest == digest))
