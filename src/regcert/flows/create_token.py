"""Give somebody a token: who they are, to this host."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regcert.clock import Clock
from regcert.domain.principal import Principal, Role
from regcert.domain.team import Team
from regcert.errors import Code, Refusal
from regcert.flows.load_profiles import load_profiles
from regcert.identity.certificates import read_fingerprint
from regcert.identity.networks import read_networks
from regcert.identity.tokens import new_token, token_digest
from regcert.policy.permissions import Permission, require
from regcert.store.audit import add_audit
from regcert.store.collections import get_collection_ids
from regcert.store.database import Database, Tx
from regcert.store.teams import find_team, touch_rights
from regcert.store.tokens import add_token, find_known_by_id, find_lineage
from regcert.store.visibility import get_existing_ids
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
        networks: the only ones that it is good from, as CIDR; empty for all.
        certificate: SHA-256 of the client certificate that it must come with, or None.
    """

    role: Role
    name: str
    collections: Sequence[str] = ()
    valid_us: int | None = None
    client: str | None = None
    networks: Sequence[str] = ()
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was just made.

    Args:
        token: to be shown now and never again, because only its digest is kept.
        token_id: by which it is listed and revoked.
    """

    token: str
    token_id: int


async def create_token(database: Database, clock: Clock, team_slug: str, order: TokenOrder) -> str:
    """Make a token for a team.

    Returns:
        The token; it can be shown now and never again, because only its digest is kept.

    Raises:
        Refusal: NOT_FOUND for a team, a collection or a client profile that does not exist; MALFORMED_REQUEST for what is
            no network or no certificate.
    """
    order = _read(order)

    async def work(tx: Tx) -> str:
        team = await get_team(tx, team_slug)
        return await enter_token(tx, clock.now_us(), team, order)

    return await database.write(work)


async def create_own_token(database: Database, clock: Clock, maker: Principal, order: TokenOrder) -> Made:
    """Make a token for the maker's own team; it opens no more, and no longer, than the token that it is made with.

    Who is a coordinator is for the host's operator to say: with that role people approve what other teams ask for.

    Raises:
        Refusal: FORBIDDEN, and what `create_token` refuses.
    """
    require(maker, Permission.MANAGE_TOKENS)
    if order.role is Role.COORDINATOR:
        raise Refusal(Code.FORBIDDEN, "the host's operator makes tokens of coordinators; ask there")
    order = _read(order)

    async def work(tx: Tx) -> Made:
        now_us = clock.now_us()
        opened = await get_existing_ids(tx.connection, maker, order.collections)
        if maker.collection_ids is not None and not opened:
            raise Refusal(Code.FORBIDDEN, "your token opens some collections only: name those that the new one shall open")
        mine = await tx.run(find_known_by_id(maker.token_id))
        ends_us = None if order.valid_us is None else now_us + order.valid_us
        if mine is None or (mine.expires_us is not None and (ends_us is None or ends_us > mine.expires_us)):
            raise Refusal(Code.FORBIDDEN, "your own token ends before that; choose an earlier end for the new one")
        return await _enter(tx, now_us, maker.team, order, opened, maker)

    return await database.write(work)


def _read(order: TokenOrder) -> TokenOrder:
    """Hold what was typed to its form, before anything is looked up."""
    if order.client is not None:
        require_profile(load_profiles(), order.client)
    certificate = None if order.certificate is None else read_fingerprint(order.certificate)
    return replace(order, networks=read_networks(order.networks), certificate=certificate)


async def get_team(tx: Tx, slug: str) -> Team:
    """Get a team by its short name.

    Raises:
        Refusal: NOT_FOUND.
    """
    team = await find_team(tx.connection, slug)
    if team is None:
        raise Refusal(Code.NOT_FOUND, "there is no such team; 'regcert team list' shows them")
    return team


async def enter_token(tx: Tx, at_us: int, team: Team, order: TokenOrder) -> str:
    """Make a token within a transaction that may hold more; return it.

    Raises:
        Refusal: NOT_FOUND for a collection that does not exist.
    """
    opened = await get_collection_ids(tx.connection, order.collections)
    return (await _enter(tx, at_us, team, order, opened, None)).token


async def _enter(tx: Tx, at_us: int, team: Team, order: TokenOrder, opened: frozenset[int], maker: Principal | None) -> Made:
    await touch_rights(tx)
    token = new_token()
    token_id = await add_token(
        tx,
        token_digest(token),
        team_id=team.team_id,
        role=order.role,
        name=order.name,
        collection_ids=opened,
        created_us=at_us,
        expires_us=None if order.valid_us is None else at_us + order.valid_us,
        client=order.client,
        networks=order.networks,
        certificate=order.certificate,
        made_by=None if maker is None else await tx.run(find_lineage(maker.token_id)),
    )
    await add_audit(tx, maker, at_us, "token-create", f"{team.slug} {order.role} {token_id}")
    return Made(token, token_id)
