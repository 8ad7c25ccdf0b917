"""The table of permissions: what is not granted is denied, and every line of it is one that somebody wrote down twice."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from regcert.domain.principal import Principal, Role
from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal
from regcert.policy import permissions
from regcert.policy.facts import FACTS, NOTHING, Fact, Thing
from regcert.policy.permissions import POLICY, Permission, may, require

TEAM = Team(1, "alcirt", "AL-CSIRT", "AL", TeamKind.NATIONAL, "identity--x")
OTHER_TEAM, TOKEN, OTHER_TOKEN = 2, 7, 8
# What a role may try wherever it is, and what it may do to a thing that opens itself to it in every way.
ANYWHERE = {
    Role.ANALYST: (
        "OPEN SEE_HOST READ PUBLISH REPORT SEE_INCIDENTS SEE_ALERTS MARK_ALERTS USE_CONSOLE SEE_KEYS SEE_PROPOSALS "
        "SEE_BLIND_MATCHES"
    ),
    Role.CONSUMER: "OPEN SEE_HOST READ REPORT SEE_INCIDENTS SEE_ALERTS MARK_ALERTS SEE_KEYS",
    Role.COORDINATOR: (
        "OPEN SEE_HOST READ PUBLISH REPORT SEE_INCIDENTS SEE_ALERTS MARK_ALERTS USE_CONSOLE SEE_KEYS SEE_PROPOSALS "
        "SEE_BLIND_MATCHES DECIDE"
    ),
    Role.ADMIN: "OPEN SEE_HOST READ SEE_INCIDENTS SEE_ALERTS USE_CONSOLE SEE_KEYS MANAGE_TOKENS SEE_PROPOSALS SEE_BLIND_MATCHES",
}
OWN = {
    Role.ANALYST: "READ_COLLECTION PUBLISH_HERE DELETE_HERE SEE_STATUS WITHDRAW_PROPOSAL ANSWER_BLIND_MATCH SEE_PROTECTED",
    Role.CONSUMER: "READ_COLLECTION SEE_STATUS WITHDRAW_PROPOSAL SEE_PROTECTED",
    Role.COORDINATOR: (
        "READ_COLLECTION PUBLISH_HERE DELETE_HERE SEE_STATUS MANAGE_OWN_KEYS WITHDRAW_PROPOSAL ANSWER_BLIND_MATCH PROTECT "
        "SEE_PROTECTED"
    ),
    Role.ADMIN: "READ_COLLECTION SEE_STATUS MANAGE_OWN_KEYS WITHDRAW_PROPOSAL PROTECT SEE_PROTECTED",
}


def principal(role: Role) -> Principal:
    return Principal(TEAM, role, TOKEN, None)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", list(Permission))
def test_role_may_do_what_the_table_grants(role, permission):
    """Every role and every permission, about nothing and about its own, against a list written down a second time."""
    own = Thing(can_read=True, can_write=True, team_id=TEAM.team_id, token_id=TOKEN)
    for thing, granted in ((NOTHING, ANYWHERE[role]), (own, f"{ANYWHERE[role]} {OWN[role]}")):
        assert may(principal(role), permission, thing) is (permission.name in granted.split())
        if permission.name in granted.split():
            require(principal(role), permission, thing)
        else:
            with pytest.raises(Refusal) as refused:
                require(principal(role), permission, thing)
            assert refused.value.code is Code.FORBIDDEN


def test_every_permission_stands_in_the_table():
    """A permission that nobody entered is denied to all, and that nobody entered it is a mistake."""
    assert set(POLICY) == set(Permission)


def test_permission_is_denied_when_the_table_does_not_know_it(monkeypatch):
    """Deny by default: not a fault at the first request, and not a way in."""
    monkeypatch.setattr(permissions, "POLICY", {})
    assert not any(may(principal(role), permission) for role in Role for permission in Permission)


@pytest.mark.parametrize("permission", list(Permission))
def test_line_needs_all_of_its_facts(permission, monkeypatch):
    """Each fact alone turned false closes the line that it stands in; any one line with all its facts true opens."""
    for line in POLICY[permission]:
        true = {fact.name: Fact(fact.name, fact.meaning, lambda _, __: True) for fact in line}
        monkeypatch.setattr(permissions, "POLICY", {permission: (tuple(true.values()),)})
        assert may(principal(Role.CONSUMER), permission)
        for name in true:
            broken = {**true, name: Fact(name, "", lambda _, __: False)}
            monkeypatch.setattr(permissions, "POLICY", {permission: (tuple(broken.values()),)})
            assert not may(principal(Role.CONSUMER), permission)


def test_nothing_is_gained_by_a_thing_that_says_less():
    """To know less of a thing never opens it: every subset of what is known about it grants at most the same."""
    full = Thing(can_read=True, can_write=True, team_id=TEAM.team_id, token_id=TOKEN)
    foreign = replace(full, team_id=OTHER_TEAM, token_id=OTHER_TOKEN)
    blank: dict[str, Any] = {"can_read": False, "can_write": False, "team_id": None, "token_id": None}
    for known, role, permission in itertools.product((full, foreign), Role, Permission):
        for size in range(len(blank) + 1):
            for forgotten in itertools.combinations(blank, size):
                less = replace(known, **{name: blank[name] for name in forgotten})
                assert may(principal(role), permission, known) or not may(principal(role), permission, less)


def test_approval_is_for_others():
    """Nobody approves what they asked for themselves, and no team its own key list."""
    theirs, ours = Thing(team_id=OTHER_TEAM, token_id=OTHER_TOKEN), Thing(team_id=TEAM.team_id, token_id=OTHER_TOKEN)
    mine = replace(ours, token_id=TOKEN)
    granted = {
        (thing, permission)
        for thing in (theirs, ours, mine)
        for permission in (Permission.APPROVE_KEY_LIST, Permission.APPROVE_POST)
        if may(principal(Role.COORDINATOR), permission, thing)
    }
    assert granted == {(theirs, Permission.APPROVE_KEY_LIST), (ours, Permission.APPROVE_POST)}


def test_facts_have_their_own_names():
    """The table is read by its names."""
    assert len({fact.name for fact in FACTS}) == len({fact.meaning for fact in FACTS}) == len(FACTS)
    assert {fact for lines in POLICY.values() for line in lines for fact in line} <= set(FACTS)
