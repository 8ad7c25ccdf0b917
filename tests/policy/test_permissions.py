"""The table of roles: what is not granted is denied."""

import pytest

from regcert.domain.principal import Principal, Role
from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal
from regcert.policy.permissions import ROLES, Permission, may, require

TEAM = Team(1, "alcirt", "AL-CSIRT", "AL", TeamKind.NATIONAL, "identity--x")
GRANTED = {
    Role.ANALYST: "READ PUBLISH REPORT SEE_INCIDENTS USE_CONSOLE",
    Role.CONSUMER: "READ REPORT SEE_INCIDENTS",
    Role.COORDINATOR: "READ PUBLISH REPORT SEE_INCIDENTS USE_CONSOLE",
    Role.ADMIN: "READ SEE_INCIDENTS USE_CONSOLE",
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", list(Permission))
def test_role_may_do_what_the_table_grants(role, permission):
    """Every role and every permission, against a list written down a second time."""
    principal = Principal(TEAM, role, 1, None)
    granted = permission.name in GRANTED[role].split()
    assert may(principal, permission) is granted
    if granted:
        require(principal, permission)
    else:
        with pytest.raises(Refusal) as refused:
            require(principal, permission)
        assert refused.value.code is Code.FORBIDDEN


def test_every_permission_stands_in_the_table():
    """A permission that nobody entered would fault at the first request."""
    assert set(ROLES) == set(Permission)
