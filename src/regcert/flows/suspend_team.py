"""Stop a team's publishing, or let it go on: what the operator can do at once when a team calls and says that a key is stolen."""

from regcert.clock import Clock
from regcert.errors import Code, Refusal
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.keys import set_suspended
from regcert.store.teams import find_team


async def suspend_team(database: Database, clock: Clock, slug: str, *, suspended: bool) -> None:
    """Refuse new publications that a team's keys sign, or take them again.

    It changes no verdict on what was signed before: that is for the team's root key to say.

    Args:
        database: where to.
        clock: for the audit.
        slug: the team.
        suspended: whether to stop it.

    Raises:
        Refusal: NOT_FOUND; ALREADY_EXISTS where that is how it is.
    """

    async def work(tx: Tx) -> None:
        team = await find_team(tx.connection, slug)
        if team is None:
            raise Refusal(Code.NOT_FOUND, "there is no such team; 'regcert team list' shows them")
        if not await tx.run(set_suspended(team.team_id, suspended=suspended)):
            words = "is suspended already" if suspended else "is not suspended"
            raise Refusal(Code.ALREADY_EXISTS, f"the team {words}; nothing was changed")
        await add_audit(tx, None, clock.now_us(), "key-suspend" if suspended else "key-resume", slug)

    await database.write(work)
