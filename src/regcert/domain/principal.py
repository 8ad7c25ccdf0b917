"""Who is asking: a person or a machine of a team, with a role."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.domain.team import Team


class Role(StrEnum):
    """What a principal is trusted to do; what it may see is its team's collections, whatever the role."""

    ANALYST = "analyst"
    CONSUMER = "consumer"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has shown a valid token.

    Args:
        team: whose member it is.
        role: what it may do.
        token_id: which token it showed; statuses and cursors belong to it.
        collection_ids: the only collections the token opens, or None where it opens all of the team's.
        client: the profile of the software that shows it, or None for what the standard says.
    """

    team: Team
    role: Role
    token_id: int
    collection_ids: frozenset[int] | None
    client: str | None = None
