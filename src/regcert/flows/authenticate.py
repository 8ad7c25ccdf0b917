"""Find out who is asking."""

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.identity.credentials import read_authorization
from regcert.identity.tokens import token_digest
from regcert.store.database import Database
from regcert.store.tokens import find_principal


async def authenticate(database: Database, clock: Clock, authorization: str | None) -> Principal:
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


async def recognise(database: Database, clock: Clock, token: str) -> Principal:
    """Turn a token into a principal.

    Raises:
        Refusal: UNAUTHENTICATED.
    """
    async with database.read() as connection:
        principal = await find_principal(connection, token_digest(token), clock.now_us())
    if principal is None:
        raise Refusal(Code.UNAUTHENTICATED, "the token is not valid here; ask your coordinator for a new one")
    return principal
