"""Find out who is asking."""

from dataclasses import dataclass

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.identity.credentials import read_authorization
from regcert.identity.tokens import token_digest
from regcert.store.database import Database
from regcert.store.heads import Heads
from regcert.store.tokens import Known, find_known


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks something.

    Args:
        principal: who.
        heads: how far the host had come when they asked, or a little later.
    """

    principal: Principal
    heads: Heads


async def authenticate(database: Database, clock: Clock, authorization: str | None) -> Caller:
    """Turn an `Authorization` header into a principal.

    Unknown, expired and revoked tokens get the same answer.

    Args:
        database: where tokens are kept.
        clock: for their expiry.
        authorization: the header, or None.

    Raises:
        Refusal: UNAUTHENTICATED.
    """
    return await recognise(database, clock, read_authorization(authorization))


async def recognise(database: Database, clock: Clock, token: str) -> Caller:
    """Turn a token into a principal.

    Raises:
        Refusal: UNAUTHENTICATED.
    """
    digest = token_digest(token)
    heads = await database.look()
    known: Known | None = database.memory.find(digest, heads.rights)
    if known is None:
        known = await database.run(find_known(digest))
        if known is not None:  # an unknown token is not remembered: strangers can send any number of them
            database.memory.keep(digest, heads.rights, known)
    principal = known.at(clock.now_us()) if known else None
    if principal is None:
        raise Refusal(Code.UNAUTHENTICATED, "the token is not valid here; ask your coordinator for a new one")
    return Caller(principal, heads)
