"""Say which tokens there are, and never what they are."""

from regcert.domain.principal import Principal
from regcert.domain.token import TokenRecord
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.store import tokens
from regcert.store.database import Database
from regcert.store.teams import find_team


async def list_tokens(database: Database, team_slug: str | None = None) -> list[TokenRecord]:
    """List all tokens of the host, or of one team; for its operator.

    Raises:
        Refusal: NOT_FOUND for a team that does not exist.
    """
    team_id = None
    if team_slug is not None:
        async with database.read() as connection:
            team = await find_team(connection, team_slug)
        if team is None:
            raise Refusal(Code.NOT_FOUND, "there is no such team; 'regcert team list' shows them")
        team_id = team.team_id
    listed: list[TokenRecord] = []
    while page := await database.run(tokens.list_tokens(team_id, listed[-1].token_id if listed else 0)):
        listed += page
    return listed


async def page_own_tokens(database: Database, principal: Principal, after: int) -> tuple[list[TokenRecord], int | None]:
    """List a page of the tokens of the principal's own team.

    Args:
        database: where.
        principal: who asks.
        after: only those made after the one with this id; 0 for the first page.

    Returns:
        The tokens, and what to ask for next, or None where there are no more.

    Raises:
        Refusal: FORBIDDEN.
    """
    require(principal, Permission.MANAGE_TOKENS)
    page = await database.run(tokens.list_tokens(principal.team.team_id, after))
    return page, page[-1].token_id if len(page) == tokens.MOST_LISTED else None
