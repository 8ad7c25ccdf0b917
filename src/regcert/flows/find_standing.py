"""Find what is known here of a team that posts: by which keys it signs, and for which host."""

from regcert.domain.team import Team
from regcert.signing.verify import TeamStanding
from regcert.store.database import Database
from regcert.store.keys import find_key_list, is_suspended
from regcert.store.programs import Program
from regcert.store.teams import read_facts


async def find_standing(database: Database, team: Team) -> TeamStanding:
    """Find what a team's signature is held against; it is remembered as long as no team, key or right changes.

    Args:
        database: where from.
        team: which team.
    """
    heads = await database.look()
    key = ("standing", team.team_id)
    known: TeamStanding | None = database.memory.find(key, heads.rights)
    if known is None:
        known = await database.run(_read_standing(await _find_host(database), team.team_id))
        database.memory.keep(key, heads.rights, known)
    return known


async def _find_host(database: Database) -> str:
    """Find the origin of the host's log, which is made once and never changes."""
    known: str | None = database.memory.find("log_origin", 0)
    if known is None:
        async with database.read() as connection:
            known = str((await read_facts(connection)).get("log_origin", ""))
        if known:
            database.memory.keep("log_origin", 0, known)
    return known


def _read_standing(host: str, team_id: int) -> Program[TeamStanding]:
    key_list = yield from find_key_list(team_id)
    return TeamStanding(host, key_list, (yield from is_suspended(team_id)))
