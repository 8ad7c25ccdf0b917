"""The facts from which permissions are put together: each is one line about a principal and the thing that it asks for.

What is not known is false. So whoever asks about no thing at all is told only what a role allows anywhere, and a thing of which
somebody forgot to say whose it is opens to nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass

from regcert.domain.principal import Principal, Role
from regcert.domain.team import TeamKind


@dataclass(frozen=True, slots=True)
class Thing:
    """What somebody asks for, as far as a permission depends on it.

    Args:
        can_read: whether the collection that it stands in is open to the principal, as `store/visibility.py` found.
        can_write: whether the principal's team may write there.
        team_id: whose it is, or None where that is nobody's or not known.
        token_id: with which token it was made, or None.
    """

    can_read: bool = False
    can_write: bool = False
    team_id: int | None = None
    token_id: int | None = None


NOTHING = Thing()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is true or not.

    Args:
        name: as the table of permissions writes it.
        meaning: the same for people, behind "whoever".
        holds: tells.
    """

    name: str
    meaning: str
    holds: Callable[[Principal, Thing], bool]


def _has_role(role: Role) -> Fact:
    return Fact(f"is_{role}", f"shows a token with the role {role}", lambda principal, _: principal.role is role)


is_known = Fact("is_known", "shows a token that is good here", lambda _, __: True)
is_analyst = _has_role(Role.ANALYST)
is_consumer = _has_role(Role.CONSUMER)
is_coordinator = _has_role(Role.COORDINATOR)
is_admin = _has_role(Role.ADMIN)

reads_collection = Fact("reads_collection", "may read the collection", lambda _, thing: thing.can_read)
writes_collection = Fact("writes_collection", "is of a team that may write to the collection", lambda _, thing: thing.can_write)

is_own_team = Fact("is_own_team", "is of the team whose it is", lambda who, thing: thing.team_id == who.team.team_id)
is_other_team = Fact(
    "is_other_team",
    "is of another team than the one whose it is",
    lambda who, thing: thing.team_id not in {None, who.team.team_id},
)
is_coordination_team = Fact(
    "is_coordination_team", "is of the team that coordinates the region", lambda who, _: who.team.kind is TeamKind.COORDINATION
)
is_maker = Fact("is_maker", "made it with this token", lambda who, thing: thing.token_id == who.token_id)
is_not_maker = Fact(
    "is_not_maker", "did not make it with this token", lambda who, thing: thing.token_id not in {None, who.token_id}
)

FACTS = (
    is_known, is_analyst, is_consumer, is_coordinator, is_admin, reads_collection, writes_collection, is_own_team,
    is_other_team, is_coordination_team, is_maker, is_not_maker,
)  # fmt: skip
