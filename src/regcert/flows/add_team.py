"""Enter a team that joined after the region was set up."""

from regcert.clock import Clock
from regcert.domain.region import TeamEntry
from regcert.domain.team import Team
from regcert.errors import Code, Refusal
from regcert.store import teams
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx


async def add_team(database: Database, clock: Clock, entry: TeamEntry) -> Team:
    """Add a team.

    Args:
        database: of an initialised host.
        clock: for the audit.
        entry: what the operator says of it.

    Raises:
        Refusal: NOT_INITIALISED; ALREADY_EXISTS.
    """

    async def work(tx: Tx) -> Team:
        if not await teams.read_facts(tx.connection):
            raise Refusal(Code.NOT_INITIALISED, "this host has no region yet; run 'regcert init' first")
        return await enter_team(tx, clock.now_us(), entry)

    return await database.write(work)


async def enter_team(tx: Tx, at_us: int, entry: TeamEntry) -> Team:
    """Add a team within a transaction that may hold more.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    await teams.touch_rights(tx)
    newcomer = Team(0, entry.slug, entry.name, entry.country, entry.kind, entry.identity_id, entry.website)
    team = await teams.add_team(tx, newcomer)
    await add_audit(tx, None, at_us, "team-add", entry.slug)
    return team
