"""The table of what each role may do. Anything that does not stand here is denied."""

from collections.abc import Mapping
from enum import Enum

from regcert.domain.principal import Principal, Role
from regcert.errors import Code, Refusal


class Permission(Enum):
    """Something that a principal may be allowed to try, in the collections that it can see."""

    READ = "read objects"
    PUBLISH = "publish and delete objects"
    REPORT = "report sightings"
    SEE_INCIDENTS = "see incidents"
    USE_CONSOLE = "sign in to the console"


ROLES: Mapping[Permission, frozenset[Role]] = {
    Permission.READ: frozenset(Role),
    Permission.PUBLISH: frozenset({Role.ANALYST, Role.COORDINATOR}),
    Permission.REPORT: frozenset({Role.ANALYST, Role.CONSUMER, Role.COORDINATOR}),
    Permission.SEE_INCIDENTS: frozenset(Role),
    Permission.USE_CONSOLE: frozenset({Role.ANALYST, Role.COORDINATOR, Role.ADMIN}),
}


def may(principal: Principal, permission: Permission) -> bool:
    """Tell whether a principal's role allows something."""
    return principal.role in ROLES[permission]


def require(principal: Principal, permission: Permission) -> None:
    """Refuse what a principal's role does not allow.

    Raises:
        Refusal: FORBIDDEN.
    """
    if not may(principal, permission):
        raise Refusal(Code.FORBIDDEN, f"a token with the role {principal.role} may not {permission.value}")
