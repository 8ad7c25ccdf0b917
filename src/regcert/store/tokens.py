"""Tokens and console sessions: who is asking."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal, Role
from regcert.store.database import Tx
from regcert.store.programs import Program, Statement
from regcert.store.tables import SessionRow, TeamRow, TokenCollectionRow, TokenRow, table
from regcert.store.teams import read_team

_TOKENS = table(TokenRow)
_NARROWED = table(TokenCollectionRow)
_SESSIONS = table(SessionRow)
_TEAMS = table(TeamRow)


async def add_token(  # noqa: PLR0913 - one for each column that its owner decides on
    tx: Tx,
    digest: bytes,
    *,
    team_id: int,
    role: Role,
    name: str,
    collection_ids: frozenset[int],
    created_us: int,
    expires_us: int | None,
    client: str | None = None,
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
        client: the profile of the software that will show it, or None.
    """
    row = {
        "digest": digest, "team_id": team_id, "role": role.value, "name": name,
        "created_us": created_us, "expires_us": expires_us, "client": client,
    }  # fmt: skip
    token_id: int = (await tx.connection.execute(insert(_TOKENS).values(row).returning(_TOKENS.c.token_id))).scalar_one()
    if collection_ids:
        narrowed = [{"token_id": token_id, "collection_id": one} for one in sorted(collection_ids)]
        await tx.connection.execute(insert(_NARROWED), narrowed)
    return token_id


_JOINED = (
    select(_TOKENS.c.token_id, _TOKENS.c.role, _TOKENS.c.client, _TOKENS.c.expires_us, _NARROWED.c.collection_id, *_TEAMS.c)
    .join(_TEAMS, _TEAMS.c.team_id == _TOKENS.c.team_id)
    .outerjoin(_NARROWED, _NARROWED.c.token_id == _TOKENS.c.token_id)
)
_LIVING = _JOINED.where(_TOKENS.c.revoked_us.is_(None))
_BY_DIGEST = Statement(lambda _: _LIVING.where(_TOKENS.c.digest == bindparam("digest")))
_BY_ID = _LIVING.where(_TOKENS.c.token_id == bindparam("token_id"))
_EVER = Statement(lambda _: _JOINED.where(_TOKENS.c.token_id == bindparam("token_id")))


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a token speaks for.

    Args:
        principal: who.
        expires_us: from when on it does not, or None.
    """

    principal: Principal
    expires_us: int | None

    def at(self, now_us: int) -> Principal | None:
        """Return the principal; None where the token has expired."""
        return self.principal if self.expires_us is None or self.expires_us > now_us else None


def _read_known(rows: Sequence[Any]) -> Known | None:
    """Read a token's rows: one, or one for each collection that it is narrowed to."""
    if not rows:
        return None
    ids = frozenset(row[4] for row in rows if row[4] is not None)
    token_id, role, client, expires_us, _, *team = rows[0]
    columns = dict(zip(_TEAMS.c.keys(), team, strict=True))
    return Known(Principal(read_team(columns), Role(role), token_id, ids or None, client), expires_us)


def find_known(digest: bytes) -> Program[Known | None]:
    """Find whom a token speaks for; None where it is unknown or revoked.

    The digest of 256 random bits is looked up by index: nothing about the token can be learned from how long that takes.
    """
    rows = yield _BY_DIGEST, {"digest": digest}
    return _read_known(rows)


def get_sender(token_id: int) -> Program[Principal]:
    """Get whom a token spoke for when it was used, whether or not it does so now."""
    rows = yield _EVER, {"token_id": token_id}
    known = _read_known(rows)
    if known is None:
        raise LookupError("a token is gone that something was sent with")
    return known.principal


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
    known = _read_known((await connection.execute(_BY_ID, {"token_id": session.token_id})).all())
    principal = known.at(now_us) if known else None
    return None if principal is None else (principal, session.csrf)


async def delete_session(tx: Tx, digest: bytes) -> None:
    """End a session."""
    await tx.connection.execute(delete(_SESSIONS).where(_SESSIONS.c.digest == digest))
