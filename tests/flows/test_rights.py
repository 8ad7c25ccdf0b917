"""Whoever changes who may what says so: processes that remember principals and collections look at that number first."""

import uuid
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import func, select

from regcert.domain.collection import STIX_MEDIA_TYPE, ApiRoot, SignatureRule
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry, TeamEntry
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.add_api_root import add_api_root
from regcert.flows.add_collection import add_collection
from regcert.flows.add_team import add_team
from regcert.flows.create_token import TokenOrder, create_token
from regcert.stix.tlp import Tlp
from regcert.store.collections import find_api_root, list_api_roots, list_collections
from regcert.store.database import Database
from regcert.store.tables import METADATA
from tests.hosting import StillClock

Change = Callable[[Database, StillClock], Awaitable[object]]

TABLES = ("teams", "api_roots", "collections", "collection_access", "tokens", "token_collections")


def collection(slug: str = "grid", title: str | None = None, root: str | None = None, *media_types: str) -> CollectionEntry:
    types = (STIX_MEDIA_TYPE, *media_types)
    return CollectionEntry(
        slug, str(uuid.uuid4()), title or slug, "For a test.", Tlp.RED, SignatureRule.ACCEPTED, ("alcirt",), "all", root, types
    )


def newcomer(slug: str = "grid-cert") -> TeamEntry:
    return TeamEntry(slug, slug, "XK", TeamKind.SECTORAL, f"identity--{uuid.uuid4()}", "", "")


CHANGES: dict[str, Change] = {
    "a team": lambda database, clock: add_team(database, clock, newcomer()),
    "an API root": lambda database, clock: add_api_root(database, clock, ApiRoot("grid", "Grid", "For a test.")),
    "a collection": lambda database, clock: add_collection(database, clock, collection()),
    "a token": lambda database, clock: create_token(database, clock, "alcirt", TokenOrder(Role.ANALYST, "test")),
    "a narrowed token": lambda database, clock: create_token(
        database, clock, "alcirt", TokenOrder(Role.ANALYST, "test", ("public",))
    ),
}
REFUSED: dict[str, tuple[Change, Code]] = {
    "a team that is there": (lambda database, clock: add_team(database, clock, newcomer("alcirt")), Code.ALREADY_EXISTS),
    "an API root that is there": (
        lambda database, clock: add_api_root(database, clock, ApiRoot("public", "Other", "For a test.")),
        Code.ALREADY_EXISTS,
    ),
    "a title of another API root": (
        lambda database, clock: add_api_root(database, clock, ApiRoot("other", "pUBLIC", "For a test.")),
        Code.ALREADY_EXISTS,
    ),
    "a collection that is there": (
        lambda database, clock: add_collection(database, clock, collection("public", "Other")),
        Code.ALREADY_EXISTS,
    ),
    "a title of another collection": (
        lambda database, clock: add_collection(database, clock, collection("other", "PUBLISHED indicators")),
        Code.ALREADY_EXISTS,
    ),
    "a collection of no API root": (
        lambda database, clock: add_collection(database, clock, collection(root="nowhere")),
        Code.NOT_FOUND,
    ),
    "a token for no client": (
        lambda database, clock: create_token(database, clock, "alcirt", TokenOrder(Role.ANALYST, "test", client="nobody")),
        Code.NOT_FOUND,
    ),
}


async def state(database: Database) -> tuple[int, list[int]]:
    """The number, and how many rows the tables that it stands for have."""
    async with database.read() as connection:
        rights = (await connection.execute(select(METADATA.tables["host_order"].c.rights))).scalar_one()
        sizes = [
            (await connection.execute(select(func.count()).select_from(METADATA.tables[name]))).scalar_one() for name in TABLES
        ]
    return int(rights), sizes


@pytest.mark.parametrize("name", CHANGES)
async def test_number_rises_when_rights_change(database, clock, name):
    """With each change that somebody may remember, in the transaction of the change."""
    before, rows = await state(database)
    await CHANGES[name](database, clock)
    after, more_rows = await state(database)
    assert sum(more_rows) > sum(rows)
    assert after > before


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.clause("4.2-m1", "5.2.1-m1")
async def test_number_stands_when_a_change_is_refused(database, clock, name):
    """What is refused leaves nothing behind, and makes nobody forget what still holds."""
    change, code = REFUSED[name]
    before = await state(database)
    with pytest.raises(Refusal) as refused:
        await change(database, clock)
    assert refused.value.code is code
    assert await state(database) == before


async def test_roots_stand_in_the_order_of_the_file_and_new_ones_behind(database, clock):
    """The first is the default of discovery, and stays it."""
    await add_api_root(database, clock, ApiRoot("a-new-one", "A new one", "For a test."))
    async with database.read() as connection:
        assert [root.slug for root in await list_api_roots(connection)] == ["western-balkans", "public", "a-new-one"]
        assert await find_api_root(connection, "a-new-one") == ApiRoot("a-new-one", "A new one", "For a test.")
        assert await find_api_root(connection, "nowhere") is None


async def test_collection_stands_in_the_root_that_it_names(database, clock):
    """Else in the region's own; its media types are kept in their order."""
    await add_collection(database, clock, collection("one", None, "public", "application/pdf", "text/plain"))
    await add_collection(database, clock, collection("two"))
    async with database.read() as connection:
        found = {one.slug: (one.api_root, one.media_types) for one in await list_collections(connection)}
    assert found["one"] == ("public", (STIX_MEDIA_TYPE, "application/pdf", "text/plain"))
    assert found["two"] == ("western-balkans", (STIX_MEDIA_TYPE,))
    assert found["published-indicators"] == ("public", (STIX_MEDIA_TYPE,))


async def test_client_is_kept_with_its_token(database, clock):
    """The profile is the token's own, under the name that was given."""
    await create_token(database, clock, "alcirt", TokenOrder(Role.CONSUMER, "elk", client="elastic"))
    await create_token(database, clock, "alcirt", TokenOrder(Role.CONSUMER, "plain"))
    tokens = METADATA.tables["tokens"]
    async with database.read() as connection:
        rows = await connection.execute(select(tokens.c.name, tokens.c.client).where(tokens.c.name.in_(["elk", "plain"])))
    assert dict(rows.all()) == {"elk": "elastic", "plain": None}
