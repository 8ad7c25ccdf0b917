"""Law 5: visibility belongs to the collection, on every path; what may not be seen does not exist."""

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from regcert.domain.principal import Principal, Role
from regcert.domain.region import TeamEntry
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.add_team import add_team
from regcert.flows.authenticate import Caller, recognise
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.retrieve import Question, Shape, get_collection, retrieve
from regcert.store.pages import Stretch, has_object, list_entries, read_content
from regcert.store.sightings import find_places
from regcert.store.tables import TokenRow, table
from regcert.store.teams import touch_rights
from regcert.store.visibility import find_collection, find_collections, visible, visible_scopes, writable
from regcert.taxii.filters import Filters, Page
from tests.made import indicator
from tests.store.acting import KEY, ROOT, Acting

TEAMS = ("alcirt", "srb-cert", "mkd-cert")
AUDIENCES = ("all", *(some for size in (1, 2, 3) for some in itertools.combinations(TEAMS, size)))


@dataclass(frozen=True)
class Made:
    """A collection of the matrix, with one object in it."""

    collection_id: int
    slug: str
    uuid: str
    scope: str
    read: object
    write: object
    stix_id: str

    def opens(self, verb: str, team: str, narrowed: tuple[str, ...]) -> bool:
        audience = self.read if verb == "read" else self.write
        return (audience == "all" or team in audience) and (not narrowed or self.slug in narrowed)  # type: ignore[operator]


@pytest.fixture
async def matrix(acting) -> list[Made]:
    """Every audience as readers, each with three audiences as writers; collections of one scope come several times."""
    made = []
    for number, read in enumerate(AUDIENCES):
        for write in (AUDIENCES[number], AUDIENCES[(number * 3 + 1) % len(AUDIENCES)], ("hr-cert",)):
            slug = await acting.collection(read, write)
            found = indicator()
            await acting.publish(found, collection=slug)
            made.append((slug, read, write, found["id"]))
    rows = {row["slug"]: row for row in await acting.rows("collections")}
    return [
        Made(rows[slug]["collection_id"], slug, rows[slug]["uuid"], rows[slug]["scope"], read, write, stix_id)
        for slug, read, write, stix_id in made
    ]


async def ids(acting: Acting, query) -> set[Any]:
    async with acting.database.read() as connection:
        return set((await connection.execute(query)).scalars())


async def require_equal(acting: Acting, matrix: list[Made], principal: Principal, narrowed: tuple[str, ...]) -> None:
    """Every path that reads on somebody's behalf agrees with the model about every collection."""
    team = principal.team.slug
    mine = {one.collection_id for one in matrix}
    readable = {one.collection_id for one in matrix if one.opens("read", team, narrowed)}
    written = {one.collection_id for one in matrix if one.opens("write", team, narrowed)}
    assert await ids(acting, visible(principal)) & mine == readable
    assert await ids(acting, writable(principal)) & mine == written
    ask, joined = acting.database.run, acting.database.dialect == "sqlite"
    listed = await ask(find_collections(principal, ROOT))
    assert await ask(find_collections(principal, "elsewhere")) == []
    indicators = await ask(find_places(principal, [one.stix_id for one in matrix]))
    found = {one.collection_id: (can_read, can_write) for one, can_read, can_write in listed if one.collection_id in mine}
    assert found == {one: (one in readable, one in written) for one in readable | written}
    assert {one.stix_id for one in matrix if one.collection_id in readable} == set(indicators)
    for one in matrix:
        is_open = one.collection_id in readable
        for filters in (Filters(), Filters(types=("indicator", "malware")), Filters(ids=(one.stix_id,))):
            stretch = Stretch(one.collection_id, filters, 0, 10)
            assert bool((await ask(read_content(principal, stretch, joined=joined))).bodies) is is_open
            assert len(await ask(list_entries(principal, stretch))) == is_open
        assert await ask(has_object(principal, one.collection_id, one.stix_id)) is is_open
        for name in (one.slug, one.uuid):
            exists = await ask(find_collection(principal, ROOT, name))
            assert (exists is not None) is (one.collection_id in found)
    caller = Caller(principal, await acting.database.look())
    for one in matrix:
        for shape in Shape:
            question = Question(caller, ROOT, one.slug, shape, Filters(), Page(10, None), one.stix_id)
            if one.collection_id in readable:
                assert (await retrieve(acting.database, KEY, question)).first_us is not None
            else:
                with pytest.raises(Refusal) as refused:
                    await retrieve(acting.database, KEY, question)
                assert (refused.value.code, refused.value.message) == (Code.NOT_FOUND, "there is no such collection")
    whole = {one.scope for one in matrix} - {one.scope for one in matrix if one.collection_id not in readable}
    assert await ids(acting, visible_scopes(principal)) & {one.scope for one in matrix} == (
        whole - {"all"} if narrowed else whole
    )


async def test_every_path_equals_the_model_when_access_is_a_matrix(acting, matrix):
    """Readers, writers, outsiders, narrowed tokens: 24 collections, and every reading path asked about each."""
    slugs = [one.slug for one in matrix]
    for team in (*TEAMS, "kos-cert", "hr-cert"):
        for narrowed in ((), tuple(slugs[::5]), (slugs[3],)):
            await require_equal(acting, matrix, await acting.principal(team, *narrowed), narrowed)


async def test_role_shows_nothing_more(acting, matrix):
    """An admin and a coordinator read what their team reads."""
    for role in Role:
        acting.principals.clear()
        await require_equal(acting, matrix, await acting.principal("kos-cert", role=role), ())


async def test_team_that_joins_later_sees_what_is_open_to_all(acting, matrix):
    """`all` includes teams to come, a list of today's teams does not."""
    entry = TeamEntry("late-cert", "Late", "HR", TeamKind.SECTORAL, f"identity--{uuid.uuid4()}", "", "")
    await add_team(acting.database, acting.clock, entry)
    await require_equal(acting, matrix, await acting.principal("late-cert"), ())


@pytest.mark.parametrize("ended", ["revoked", "expired", "unknown"])
async def test_token_opens_nothing_when_it_has_ended(acting, clock, ended):
    """Revoked, expired and never made: one answer."""
    order = TokenOrder(Role.ANALYST, "test", (), 1_000_000)
    token = await create_token(acting.database, clock, "alcirt", order)
    principal = (await recognise(acting.database, clock, token)).principal
    if ended == "revoked":
        tokens = table(TokenRow)
        revoke = update(tokens).where(tokens.c.token_id == principal.token_id).values(revoked_us=clock.at_us)
        await acting.database.write(lambda tx: tx.connection.execute(revoke))
        await acting.database.write(touch_rights)
    elif ended == "expired":
        clock.at_us += 1_000_000  # the end itself is past
    else:
        token += "x"
    with pytest.raises(Refusal) as refused:
        await recognise(acting.database, clock, token)
    assert (refused.value.code, str(refused.value)) == (
        Code.UNAUTHENTICATED, "unauthenticated: the token is not valid here; ask your coordinator for a new one",
    )  # fmt: skip


async def test_token_is_good_until_its_last_microsecond(acting, clock):
    """It ends when it says, not before."""
    token = await create_token(acting.database, clock, "alcirt", TokenOrder(Role.ANALYST, "test", (), 1_000_000))
    clock.at_us += 999_999
    assert (await recognise(acting.database, clock, token)).principal.team.slug == "alcirt"


async def test_token_itself_is_nowhere_in_the_database(acting, clock):
    """What is stored of a token cannot be used as one."""
    token = await create_token(acting.database, clock, "alcirt", TokenOrder(Role.ANALYST, "test"))
    for name in ("tokens", "audit", "token_collections", "sessions"):
        assert token not in str(await acting.rows(name))


async def test_write_only_collection_exists_but_is_not_read(acting):
    """TAXII has collections that are only written: they are listed, and reading one is as reading none."""
    slug = await acting.collection(read=("srb-cert",), write=("alcirt",))
    caller = Caller(await acting.principal("alcirt"), await acting.database.look())
    _, can_read, can_write = await get_collection(acting.database, caller, ROOT, slug)
    assert (can_read, can_write) == (False, True)
