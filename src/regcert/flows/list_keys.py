"""Show the keys of a team to whoever asks: the region is small enough to look at each other's keys."""

from dataclasses import dataclass

from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.challenge_key import read_terms
from regcert.policy.permissions import Permission, require
from regcert.store.database import Database
from regcert.store.keys import EnteredList, is_suspended, list_key_lists
from regcert.store.programs import Program
from regcert.store.teams import find_team

MAX_LIMIT = 50


@dataclass(frozen=True, slots=True)
class KeyLists:
    """A page of the versions of a team's key list.

    Args:
        team: the team's identity.
        host: the origin of this host's log.
        suspended: whether the operator has stopped the team's publishing.
        lists: oldest first.
        following: the version to go on behind, or None where there is no more.
    """

    team: str
    host: str
    suspended: bool
    lists: list[EnteredList]
    following: int | None


async def list_keys(database: Database, principal: Principal, slug: str, *, after: int = 0, limit: int = MAX_LIMIT) -> KeyLists:
    """List the versions of a team's key list; a team that has entered none has an empty page.

    Args:
        database: where they are kept.
        principal: who asks.
        slug: whose.
        after: only versions behind this one.
        limit: at most this many, 1 to 50.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND for a team that does not exist; NOT_INITIALISED.
    """
    require(principal, Permission.SEE_KEYS)
    async with database.read() as connection:
        team = await find_team(connection, slug)
    if team is None:
        raise Refusal(Code.NOT_FOUND, "there is no such team")
    host, _ = await read_terms(database)
    lists, suspended = await database.run(_read(team.team_id, after, limit + 1))
    page = lists[:limit]
    following = page[-1].version if len(lists) > limit else None
    return KeyLists(team.identity_id, host, suspended, page, following)


def _read(team_id: int, after: int, most: int) -> Program[tuple[list[EnteredList], bool]]:
    lists = yield from list_key_lists(team_id, after, most)
    return lists, (yield from is_suspended(team_id))
