"""Give somebody a token: who they are, to this host."""

from collections.abc import Sequence
from dataclasses import dataclass

from regcert.clock import Clock
from regcert.domain.principal import Role
from regcert.domain.team import Team
from regcert.errors import Code, Refusal
from regcert.flows.load_profiles import load_profiles
from regcert.identity.tokens import new_token, token_digest
from regcert.store.collections import get_collection_ids
from regcert.store.database import Database, Tx
from regcert.store.submissions import add_audit
from regcert.store.teams import find_team, touch_rights
from regcert.store.tokens import add_token
from regcert.taxii.profiles import require_profile


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """What a new token shall be good for.

    Args:
        role: what it may do.
        name: what people call it, to know later which one to revoke.
        collections: slugs of the only collections it opens; empty for all of its team's.
        valid_us: how long it is good for, or None for ever.
        client: the name of the profile of the software that will show it, or None for what the standard says.
    """

    role: Role
    name: str
    collections: Sequence[str] = ()
    valid_us: int | None = None
    client: str | None = None


async def create_token(database: Database, clock: Clock, team_slug: str, order: TokenOrder) -> str:
    """Make a token for a team.

    Returns:
        The token; it can be shown now and never again, because only its digest is kept.

    Raises:
        Refusal: NOT_FOUND for a team, a collection or a client profile that does not exist.
    """
    if order.client is not None:
        require_profile(load_profiles(), order.client)

    async def work(tx: Tx) -> str:
        team = await find_team(tx.connection, team_slug)
        if team is None:
            raise Refusal(Code.NOT_FOUND, "there is no such team; 'regcert team list' shows them")
        return await enter_token(tx, clock.now_us(), team, order)

    return await database.write(work)


async def enter_token(tx: Tx, at_us: int, team: Team, order: TokenOrder) -> str:
    """Make a token within a transaction that may hold more; return it.

    Raises:
        Refusal: NOT_FOUND for a collection that does not exist.
    """
    await touch_rights(tx)
    token = new_token()
    token_id = await add_token(
        tx,
        token_digest(token),
        team_id=team.team_id,
        role=order.role,
        name=order.name,
        collection_ids=await get_collection_ids(tx.connection, order.collections),
        created_us=at_us,
        expires_us=None if order.valid_us is None else at_us + order.valid_us,
        client=order.client,
    )
    await add_audit(tx, None, at_us, "token-create", f"{team.slug} {order.role} {token_id}")
    return token
