"""Tokens: who is asking, what they are good for, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, func, insert, select, update

from regcert.domain.principal import Principal, Role
from regcert.domain.token import TokenRecord
from regcert.store.database import Tx
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, TeamRow, TokenCollectionRow, TokenRow, table
from regcert.store.teams import read_team
from regcert.store.trust_tables import PersonRow

_TOKENS = table(TokenRow)
_NARROWED = table(TokenCollectionRow)
_TEAMS = table(TeamRow)
_COLLECTIONS = table(CollectionRow)
_PEOPLE = table(PersonRow)

MOST_LISTED = 200


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
    networks: Sequence[str] = (),
    certificate: str | None = None,
    made_by: int | None = None,
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
        networks: the only ones that it is good from, each in the spelling of `identity/networks`; empty for all.
        certificate: SHA-256 of the client certificate that it must come with, in lower-case hexadecimal, or None.
        made_by: `find_lineage` of the token that it is made with; None where the host's operator makes it.
    """
    row = {
        "digest": digest, "team_id": team_id, "role": role.value, "name": name,
        "created_us": created_us, "expires_us": expires_us, "client": client,
        "networks": ",".join(networks) or None, "certificate": certificate,
        "made_by": made_by,
    }  # fmt: skip
    token_id: int = (await tx.connection.execute(insert(_TOKENS).values(row).returning(_TOKENS.c.token_id))).scalar_one()
    if collection_ids:
        narrowed = [{"token_id": token_id, "collection_id": one} for one in sorted(collection_ids)]
        await tx.connection.execute(insert(_NARROWED), narrowed)
    return token_id


_OWN = [_TOKENS.c[name] for name in ("token_id", "role", "client", "expires_us", "networks", "certificate")]
_JOINED = (
    select(*_OWN, _NARROWED.c.collection_id, *_TEAMS.c)
    .join(_TEAMS, _TEAMS.c.team_id == _TOKENS.c.team_id)
    .outerjoin(_NARROWED, _NARROWED.c.token_id == _TOKENS.c.token_id)
)
_LIVING = _JOINED.where(_TOKENS.c.revoked_us.is_(None))
_BY_DIGEST = Statement(lambda _: _LIVING.where(_TOKENS.c.digest == bindparam("digest")))
_BY_ID = Statement(lambda _: _LIVING.where(_TOKENS.c.token_id == bindparam("token_id")))
_EVER = Statement(lambda _: _JOINED.where(_TOKENS.c.token_id == bindparam("token_id")))
_LINEAGE = Statement(
    lambda _: select(func.coalesce(_TOKENS.c.made_by, _TOKENS.c.token_id)).where(_TOKENS.c.token_id == bindparam("token_id"))
)
_SHOWN = ("token_id", "role", "name", "networks", "certificate", "created_us", "expires_us", "used_us", "revoked_us", "client")


def _listing(*, of_team: bool) -> Statement:
    query = (
        select(*(_TOKENS.c[name] for name in _SHOWN), _TEAMS.c.slug, _PEOPLE.c.login)
        .join(_TEAMS, _TEAMS.c.team_id == _TOKENS.c.team_id)
        .outerjoin(_PEOPLE, _PEOPLE.c.token_id == _TOKENS.c.token_id)
        .where(_TOKENS.c.token_id > bindparam("after", type_=Integer))
        .order_by(_TOKENS.c.token_id)
        .limit(MOST_LISTED)
    )
    return Statement(lambda _: query.where(_TOKENS.c.team_id == bindparam("team_id")) if of_team else query)


_LISTED = _listing(of_team=False)
_LISTED_OF_TEAM = _listing(of_team=True)
_OPENED = Statement(
    lambda _: (
        select(_NARROWED.c.token_id, _COLLECTIONS.c.slug)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _NARROWED.c.collection_id)
        .where(_NARROWED.c.token_id.between(bindparam("first"), bindparam("last")))
        .order_by(_NARROWED.c.token_id, _COLLECTIONS.c.slug)
        .limit(100_000)
    )
)
_ALIVE = update(_TOKENS).where(_TOKENS.c.token_id == bindparam("which"), _TOKENS.c.revoked_us.is_(None))
_REVOKED = _ALIVE.values(revoked_us=bindparam("now", type_=BigInteger)).returning(_TOKENS.c.team_id)
_REVOKE = Statement(lambda _: _REVOKED)
_REVOKE_OF_TEAM = Statement(lambda _: _REVOKED.where(_TOKENS.c.team_id == bindparam("team")))
_USED = Statement(
    lambda _: update(_TOKENS).where(_TOKENS.c.token_id == bindparam("which")).values(used_us=bindparam("now", type_=BigInteger))
)


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a token speaks for.

    Args:
        principal: who.
        expires_us: from when on it does not, or None.
        networks: the only ones that it is good from; empty for all.
        certificate: the client certificate that it must come with, or None.
    """

    principal: Principal
    expires_us: int | None
    networks: tuple[str, ...] = ()
    certificate: str | None = None

    def at(self, now_us: int) -> Principal | None:
        """Return the principal; None where the token has expired."""
        return self.principal if self.expires_us is None or self.expires_us > now_us else None


def _read_known(rows: Sequence[Any]) -> Known | None:
    """Read a token's rows: one, or one for each collection that it is narrowed to."""
    if not rows:
        return None
    ids = frozenset(row[6] for row in rows if row[6] is not None)
    token_id, role, client, expires_us, networks, certificate, _, *team = rows[0]
    columns = dict(zip(_TEAMS.c.keys(), team, strict=True))
    principal = Principal(read_team(columns), Role(role), token_id, ids or None, client)
    return Known(principal, expires_us, read_list(networks), certificate)


def read_list(kept: str | None) -> tuple[str, ...]:
    """Read what is kept parted by commas."""
    return tuple(kept.split(",")) if kept else ()


def find_known(digest: bytes) -> Program[Known | None]:
    """Find whom a token speaks for; None where it is unknown or revoked.

    The digest of 256 random bits is looked up by index: nothing about the token can be learned from how long that takes.
    """
    rows = yield _BY_DIGEST, {"digest": digest}
    return _read_known(rows)


def find_known_by_id(token_id: int) -> Program[Known | None]:
    """Find whom a token speaks for, by its key; None where it is unknown or revoked."""
    rows = yield _BY_ID, {"token_id": token_id}
    return _read_known(rows)


def find_lineage(token_id: int) -> Program[int]:
    """Find the token of the operator's making that a token goes back to; itself, where the operator made it."""
    rows = yield _LINEAGE, {"token_id": token_id}
    return int(rows[0][0]) if rows else token_id


def get_sender(token_id: int) -> Program[Principal]:
    """Get whom a token spoke for when it was used, whether or not it does so now."""
    rows = yield _EVER, {"token_id": token_id}
    known = _read_known(rows)
    if known is None:
        raise LookupError("a token is gone that something was sent with")
    return known.principal


def list_tokens(team_id: int | None, after: int = 0) -> Program[list[TokenRecord]]:
    """List tokens in the order in which they were made, at most 200 at a time.

    Args:
        team_id: only this team's; None for all.
        after: only those made after the one with this key.
    """
    listing = _LISTED if team_id is None else _LISTED_OF_TEAM
    rows = yield listing, {"after": after} | ({} if team_id is None else {"team_id": team_id})
    opened: dict[int, list[str]] = {}
    if rows:
        for token_id, slug in (yield _OPENED, {"first": rows[0][0], "last": rows[-1][0]}):
            opened.setdefault(token_id, []).append(slug)
    return [_read_record(row, tuple(opened.get(row[0], ()))) for row in rows]


def _read_record(row: Sequence[Any], collections: tuple[str, ...]) -> TokenRecord:
    token_id, role, name, networks, certificate, created_us, expires_us, used_us, revoked_us, client, team, login = row
    return TokenRecord(
        token_id, team, Role(role), name, login, read_list(networks), certificate, collections,
        created_us, expires_us, used_us, revoked_us, client,
    )  # fmt: skip


def revoke_token(token_id: int, now_us: int, team_id: int | None = None) -> Program[bool]:
    """Revoke a token; it is worth nothing from the commit on, and whoever changes this calls `touch_rights` first.

    Args:
        token_id: which.
        now_us: now.
        team_id: only if it is this team's; None for any.

    Returns:
        Whether there was such a token, and it was good until now.
    """
    what = {"which": token_id, "now": now_us}
    rows = yield (_REVOKE, what) if team_id is None else (_REVOKE_OF_TEAM, what | {"team": team_id})
    return bool(rows)


def note_uses(uses: Mapping[int, int]) -> Program[None]:
    """Write down when tokens were last used; nobody's rights change by it.

    Args:
        uses: for each token, by its key, when.
    """
    for token_id, used_us in uses.items():
        yield _USED, {"which": token_id, "now": used_us}
