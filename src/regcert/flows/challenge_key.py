"""Give somebody something to sign, so that they can prove that they hold a key."""

import secrets
from dataclasses import dataclass

from regcert.clock import SECOND_US, Clock
from regcert.domain.principal import Principal
from regcert.domain.region import USUAL_KEY_APPROVALS
from regcert.errors import Code, Refusal
from regcert.policy.facts import Thing
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database
from regcert.store.keys import add_challenge
from regcert.store.teams import read_facts

GOOD_FOR_US = 600 * SECOND_US


@dataclass(frozen=True, slots=True)
class Challenge:
    """What has to be signed, and what for.

    Args:
        challenge: 32 random bytes.
        host: the origin of this host's log, which is its name in everything that is signed.
        team: the identity of the team whose key it is.
        expires_us: from when on it is worth nothing.
    """

    challenge: bytes
    host: str
    team: str
    expires_us: int


def require_own_keys(principal: Principal, slug: str) -> None:
    """Refuse whoever may not change the keys of a team; one that does not exist is answered like one that is another's.

    Raises:
        Refusal: FORBIDDEN.
    """
    team_id = principal.team.team_id if slug == principal.team.slug else None
    require(principal, Permission.MANAGE_OWN_KEYS, Thing(team_id=team_id))


async def read_terms(database: Database) -> tuple[str, int]:
    """Read what this host is called in all that is signed, and how many approvals it asks for.

    Raises:
        Refusal: NOT_INITIALISED where its log was never opened: a signature that names no host would be good on any.
    """
    async with database.read() as connection:
        facts = await read_facts(connection)
    origin, needs = facts.get("log_origin"), facts.get("key_approvals")
    if not isinstance(origin, str) or not origin:
        raise Refusal(Code.NOT_INITIALISED, "this host has no log yet; tell its operator to start it once")
    if not isinstance(needs, int) or isinstance(needs, bool) or needs < 0:
        needs = USUAL_KEY_APPROVALS  # what cannot be read asks for the usual number, not for none
    return origin, needs


async def challenge_key(database: Database, clock: Clock, principal: Principal, slug: str) -> Challenge:
    """Give a principal a challenge that is good once, for ten minutes, and for its own token only.

    Args:
        database: where it is kept.
        clock: for its expiry.
        principal: who has to bring it back.
        slug: the team, which must be the principal's own.

    Raises:
        Refusal: FORBIDDEN.
    """
    require_own_keys(principal, slug)
    host, _ = await read_terms(database)
    challenge, now_us = secrets.token_bytes(32), clock.now_us()
    expires_us = now_us + GOOD_FOR_US
    await database.apply(lambda _: add_challenge(challenge, principal.token_id, now_us, expires_us))
    return Challenge(challenge, host, principal.team.identity_id, expires_us)
