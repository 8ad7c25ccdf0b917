"""The whole policy as one table: each permission, and the facts of which it needs all in at least one of its lines.

What does not stand here is denied. `policy/facts.py` says what each fact means, `policy/routes.py` which address needs which
permission, and `docs/policy.md` shows all three to people.

A permission without a fact about a thing says what a role may try anywhere. Which things there are for a principal at all is
asked of `store/visibility.py` first: what is not visible is answered as what is not there, and is never refused here.
"""

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.facts import (
    NOTHING,
    Fact,
    Thing,
    is_admin,
    is_analyst,
    is_consumer,
    is_coordination_team,
    is_coordinator,
    is_known,
    is_maker,
    is_not_maker,
    is_other_team,
    is_own_team,
    reads_collection,
    writes_collection,
)


class Permission(Enum):
    """Something that a principal may be allowed to do; the value ends the sentence "a token may not"."""

    OPEN = "see what is open to anybody"
    """The doors, the style sheets, whether the host is well: they say nothing that must be kept."""
    SEE_HOST = "see which API roots, collections and teams there are"
    READ = "read objects"
    READ_COLLECTION = "read this collection"
    PUBLISH = "publish and delete objects"
    PUBLISH_HERE = "publish in this collection"
    DELETE_HERE = "delete this object"
    SEE_STATUS = "see what became of this publication"
    REPORT = "report sightings"
    SEE_INCIDENTS = "see incidents"
    DECIDE = "decide about incidents and values"
    PROTECT = "change what this team protects"
    SEE_PROTECTED = "see what this team protects"
    SEE_ALERTS = "see what its team was told"
    MARK_ALERTS = "mark alerts as seen"
    USE_CONSOLE = "sign in to the console"
    SEE_KEYS = "see the keys of teams"
    MANAGE_OWN_KEYS = "change the keys of this team"
    MANAGE_TOKENS = "make, list and revoke the tokens of a team"
    SEE_PROPOSALS = "see what waits for a second person"
    APPROVE_KEY_LIST = "approve this key list"
    APPROVE_POST = "approve this publication"
    WITHDRAW_PROPOSAL = "withdraw this proposal"
    SEE_BLIND_MATCHES = "see blind matches"
    ANSWER_BLIND_MATCH = "ask, agree or refuse in this blind match"
    BROKER_BLIND_MATCH = "forward or close blind matches"


# Any of these lines, and all of each: ((a, b), (c,)) reads "a and b, or else c".
Lines: TypeAlias = tuple[tuple[Fact, ...], ...]

POLICY: Mapping[Permission, Lines] = {
    Permission.OPEN: ((),),
    Permission.SEE_HOST: ((is_known,),),
    Permission.READ: ((is_known,),),
    Permission.READ_COLLECTION: ((is_known, reads_collection),),
    Permission.PUBLISH: ((is_analyst,), (is_coordinator,)),
    Permission.PUBLISH_HERE: ((is_analyst, writes_collection), (is_coordinator, writes_collection)),
    Permission.DELETE_HERE: (
        (is_analyst, reads_collection, writes_collection, is_own_team),
        (is_coordinator, reads_collection, writes_collection, is_own_team),
    ),
    Permission.SEE_STATUS: ((is_maker,),),
    Permission.REPORT: ((is_analyst,), (is_consumer,), (is_coordinator,)),
    Permission.SEE_INCIDENTS: ((is_known,),),
    Permission.DECIDE: ((is_coordinator,),),
    Permission.PROTECT: ((is_coordinator, is_own_team), (is_admin, is_own_team)),
    Permission.SEE_PROTECTED: ((is_known, is_own_team),),
    Permission.SEE_ALERTS: ((is_known,),),
    Permission.MARK_ALERTS: ((is_analyst,), (is_consumer,), (is_coordinator,)),
    Permission.USE_CONSOLE: ((is_analyst,), (is_coordinator,), (is_admin,)),
    Permission.SEE_KEYS: ((is_known,),),
    Permission.MANAGE_OWN_KEYS: ((is_coordinator, is_own_team), (is_admin, is_own_team)),
    Permission.MANAGE_TOKENS: ((is_admin,),),
    Permission.SEE_PROPOSALS: ((is_analyst,), (is_coordinator,), (is_admin,)),
    Permission.APPROVE_KEY_LIST: ((is_coordinator, is_other_team, is_not_maker),),
    Permission.APPROVE_POST: ((is_analyst, is_own_team, is_not_maker), (is_coordinator, is_own_team, is_not_maker)),
    Permission.WITHDRAW_PROPOSAL: ((is_maker,), (is_coordinator, is_own_team)),
    Permission.SEE_BLIND_MATCHES: ((is_analyst,), (is_coordinator,), (is_admin,)),
    Permission.ANSWER_BLIND_MATCH: ((is_analyst, is_own_team), (is_coordinator, is_own_team)),
    Permission.BROKER_BLIND_MATCH: ((is_coordinator, is_coordination_team),),
}


def may(principal: Principal, permission: Permission, thing: Thing = NOTHING) -> bool:
    """Tell whether a principal may do something.

    Args:
        principal: who.
        permission: what.
        thing: to what; left out where the permission does not depend on one.
    """
    lines = POLICY.get(permission, ())
    return any(all(fact.holds(principal, thing) for fact in line) for line in lines)


def require(principal: Principal, permission: Permission, thing: Thing = NOTHING) -> None:
    """Refuse what a principal may not do.

    Raises:
        Refusal: FORBIDDEN.
    """
    if not may(principal, permission, thing):
        raise Refusal(Code.FORBIDDEN, f"a token with the role {principal.role} may not {permission.value}")
