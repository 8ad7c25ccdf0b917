"""Find out who is asking."""

from dataclasses import dataclass

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.domain.whence import NOWHERE, Whence
from regcert.errors import Code, Refusal
from regcert.identity.credentials import read_authorization
from regcert.identity.networks import is_within
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


async def authenticate(database: Database, clock: Clock, authorization: str | None, whence: Whence = NOWHERE) -> Caller:
    """Turn an `Authorization` header into a principal.

    Unknown, expired and revoked tokens get the same answer, and so do those that are not good from where they are shown.

    Args:
        database: where tokens are kept.
        clock: for their expiry.
        authorization: the header, or None.
        whence: where it comes from.

    Raises:
        Refusal: UNAUTHENTICATED.
    """
    return await recognise(database, clock, read_authorization(authorization), whence)


async def recognise(database: Database, clock: Clock, token: str, whence: Whence = NOWHERE) -> Caller:
    """Turn a token into a principal.

    Args:
        database: where tokens are kept.
        clock: for their expiry.
        token: what was shown.
        whence: where it was shown; left out, nothing is known of it, and nothing that is held to a place is good.

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
    principal = find_principal(known, clock.now_us(), whence)
    if principal is None:
        raise Refusal(Code.UNAUTHENTICATED, "the token is not valid here; ask your coordinator for a new one")
    return Caller(principal, heads)


def find_principal(known: Known | None, now_us: int, whence: Whence) -> Principal | None:
    """Find whom a token speaks for now and from there; None where it is worth nothing, whatever the reason."""
    if known is None or (known.networks and not is_within(whence.address, known.networks)):
        return None
    if known.certificate is not None and known.certificate != whence.certificate:
        return None
    return known.at(now_us)
