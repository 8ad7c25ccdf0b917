"""A host is founded whole or not at all, and once."""

from dataclasses import replace

import pytest

from regcert.domain.principal import Role
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.add_collection import scope_of
from regcert.flows.authenticate import recognise
from regcert.flows.initialise import initialise, read_region_file
from regcert.share import share_dir
from regcert.signing.host_key import new_host_key
from regcert.store.collections import list_api_roots, list_collections
from regcert.store.database import open_database
from regcert.store.teams import list_teams, read_facts

REGION = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")


async def test_region_is_entered_when_host_is_founded(tmp_path, database_url, clock):
    """Teams, collections, facts and a working admin token stand after one transaction."""
    founded = await initialise(tmp_path / "host", database_url, clock, REGION)
    async with open_database(database_url, clock) as database:
        principal = (await recognise(database, clock, founded.token)).principal
        async with database.read() as connection:
            teams = await list_teams(connection)
            collections = await list_collections(connection)
            roots = await list_api_roots(connection)
            facts = await read_facts(connection)
    assert (principal.role, principal.team.slug) == (Role.ADMIN, founded.team)
    assert [team.identity_id for team in teams] == [team.identity_id for team in REGION.teams]
    assert [one.uuid for one in collections] == [one.uuid for one in REGION.collections]
    assert {one.slug: one.scope for one in collections}["regional-indicators"] == "all"
    assert tuple(roots) == REGION.api_roots
    assert [one.api_root for one in collections] == [one.api_root or REGION.slug for one in REGION.collections]
    assert facts["api_root"] == "western-balkans"
    assert facts["sightings_collection"] == "regional-sightings"


async def test_host_stays_as_it_is_when_founded_again(tmp_path, database_url, clock):
    """The second founding is refused and makes no token, no team and no key."""
    await initialise(tmp_path / "host", database_url, clock, REGION)
    key = (tmp_path / "host/host.key").read_bytes()
    with pytest.raises(Refusal) as refused:
        await initialise(tmp_path / "host", database_url, clock, replace(REGION, slug="another"))
    assert refused.value.code is Code.ALREADY_EXISTS
    assert (tmp_path / "host/host.key").read_bytes() == key
    async with open_database(database_url, clock) as database, database.read() as connection:
        assert (await read_facts(connection))["api_root"] == "western-balkans"


async def test_key_survives_when_founding_is_repeated_after_a_crash(tmp_path, clock):
    """A key that is there is never written over, whatever became of the rest."""
    before = new_host_key().write()
    (tmp_path / "host.key").write_bytes(before)
    await initialise(tmp_path, f"sqlite:///{tmp_path}/regcert.db", clock, REGION)
    assert (tmp_path / "host.key").read_bytes() == before


async def test_nothing_is_kept_when_founding_fails_halfway(tmp_path, clock):
    """A region whose last collection cannot be entered leaves no first team: one transaction or nothing."""
    url = f"sqlite:///{tmp_path}/regcert.db"
    broken = replace(REGION, collections=(*REGION.collections, replace(REGION.collections[-1], read=("nobody",))))
    with pytest.raises(Refusal):
        await initialise(tmp_path, url, clock, broken)
    async with open_database(url, clock) as database, database.read() as connection:
        assert await list_teams(connection) == []
    assert (await initialise(tmp_path, url, clock, REGION)).team == "regional-centre"


async def test_first_team_gets_the_token_when_there_is_no_coordination_team(tmp_path, clock):
    """A region without a centre can be founded as well."""
    teams = tuple(team for team in REGION.teams if team.kind is not TeamKind.COORDINATION)
    collections = tuple(one for one in REGION.collections if "regional-centre" not in (*one.read, *one.write))
    region = replace(REGION, teams=teams, collections=collections)
    assert (await initialise(tmp_path, f"sqlite:///{tmp_path}/r.db", clock, region)).team == teams[0].slug


async def test_region_is_refused_when_sightings_have_no_home(tmp_path, clock):
    """One-line sightings need a collection, so a region without it is not founded, and nothing is made."""
    region = replace(REGION, collections=tuple(one for one in REGION.collections if one.slug != "regional-sightings"))
    with pytest.raises(Refusal) as refused:
        await initialise(tmp_path / "host", f"sqlite:///{tmp_path}/r.db", clock, region)
    assert refused.value.code is Code.INVALID_REGION
    assert list(tmp_path.iterdir()) == []


def test_scope_is_the_same_when_readers_are_the_same():
    """A scope names a set: order says nothing, one team more or less says everything."""
    assert scope_of(("b", "a")) == scope_of(("a", "b")) != scope_of(("a",))
    assert scope_of("all") == "all"
    assert scope_of(("all",)) != "all"
    assert scope_of(("a-b",)) != scope_of(("a", "b"))
