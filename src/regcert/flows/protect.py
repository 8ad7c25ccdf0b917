"""See and change what a team protects: its own networks and domains, which are held back and never a reason to block."""

from collections.abc import Sequence

from regcert.correlation.protected import read_protected
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.facts import Thing
from regcert.policy.permissions import Permission, require
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.order import take_positions
from regcert.store.programs import Program
from regcert.store.protected import find_protected, replace_protected


async def list_protected(database: Database, principal: Principal, slug: str) -> tuple[str, ...]:
    """List what a team protects; only the team itself is told.

    Args:
        database: where from.
        principal: who asks.
        slug: which team.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND.
    """
    _require_own(principal, slug, Permission.SEE_PROTECTED)
    return await database.run(find_protected(principal.team.team_id))


async def protect(database: Database, principal: Principal, slug: str, entries: Sequence[object]) -> tuple[str, ...]:
    """Put a list in the place of the one that a team had; what it changes is judged anew within seconds.

    Args:
        database: where.
        principal: who says so.
        slug: which team.
        entries: networks, addresses and domains, at most 1,000.

    Returns:
        The list as it stands, in canonical form.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND; INVALID_PROTECTED.
    """
    _require_own(principal, slug, Permission.PROTECT)
    read = read_protected(entries)

    def write(now_us: int) -> Program[None]:
        [position] = yield from take_positions(1, now_us)
        yield from replace_protected(principal.team.team_id, read, position)
        yield from note_deed(principal, now_us, "protect", slug)

    await database.apply(write)
    return read


def _require_own(principal: Principal, slug: str, permission: Permission) -> None:
    """Refuse the list of another team, whether or not there is such a team, and what the role may not do."""
    if slug != principal.team.slug:
        raise Refusal(Code.NOT_FOUND, "there is no such list; a team sees what it protects, and nobody else does")
    require(principal, permission, Thing(team_id=principal.team.team_id))
