"""A team's keys: who may bring a list, what a list must be, what has to be proven, and who has to agree."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select

from regcert.clock import DAY_US, SECOND_US
from regcert.domain.key_list import KeyList, KeyReason, KeyStatus, TeamKey, team_key
from regcert.domain.principal import Principal, Role
from regcert.domain.region import TeamEntry
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.flows.add_team import add_team
from regcert.flows.approve import approve
from regcert.flows.authenticate import recognise
from regcert.flows.challenge_key import GOOD_FOR_US, challenge_key, read_terms
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.enrol_keys import Brought, Waiting, enrol_keys
from regcert.flows.enter_key_list import InForce
from regcert.flows.initialise import initialise, read_region_file
from regcert.flows.list_keys import list_keys
from regcert.flows.suspend_team import suspend_team
from regcert.share import share_dir
from regcert.signing.dsse import KEY_LIST, Envelope, pae, read_envelope, seal
from regcert.signing.key_list import active_keys, read_key_list, seal_key_list
from regcert.signing.possession import prove
from regcert.signing.private_key import PrivateKey, new_private_key
from regcert.signing.public_key import SMALL_ORDER
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx, open_database
from regcert.store.keys import MOST_CHALLENGES, find_key_list, is_suspended, list_newest, take_challenge
from regcert.store.tables import METADATA
from regcert.store.teams import add_facts
from regcert.translog.leaf import KeyLeaf, read_leaf
from tests.hosting import StillClock
from tests.postgres import fresh_database

pytestmark = pytest.mark.asyncio(loop_scope="module")
FACTS, AUDIT = METADATA.tables["host_facts"], METADATA.tables["audit"]
KEPT = ("key_lists", "log_leaves", "proposals", "challenges", "audit")


@dataclass
class Safe:
    """A team's private keys, and a person who brings its lists."""

    database: Database
    clock: StillClock
    principal: Principal
    host: str
    root: PrivateKey = field(default_factory=new_private_key)
    keys: list[PrivateKey] = field(default_factory=lambda: [new_private_key()])
    last: KeyList | None = None

    @property
    def team(self) -> str:
        return self.principal.team.identity_id

    @property
    def slug(self) -> str:
        return self.principal.team.slug

    def seal(self, *, root: PrivateKey | None = None, old_root: PrivateKey | None = None, **changed: Any) -> Envelope:
        """Sign the next list; what is given replaces what would be right."""
        words: dict[str, Any] = {
            "team": self.team,
            "version": self.last.version + 1 if self.last else 1,
            "prev": self.last.digest if self.last else None,
            "issued_us": self.clock.at_us,
            "expires_us": self.clock.at_us + 365 * DAY_US,
            "keys": [team_key(key.public.raw) for key in self.keys],
        }
        return seal_key_list(**(words | changed), root=root or self.root, old_root=old_root)

    async def challenge(self) -> bytes:
        return (await challenge_key(self.database, self.clock, self.principal, self.slug)).challenge

    async def bring(self, envelope: Envelope, *proving: PrivateKey, challenge: bytes | None = None) -> InForce | Waiting:
        """Send a list, with a proof of each key that is named, over a challenge of its own."""
        if challenge is None and proving:
            challenge = await self.challenge()
        proofs = [prove(self.host, self.team, challenge or b"", key) for key in proving]
        return await self.bring_with(envelope, challenge, proofs)

    async def propose(self) -> str:
        """Send a first list that others have to agree to, and return the proposal."""
        waiting = await self.bring(self.seal(), self.root, *self.keys)
        assert isinstance(waiting, Waiting)
        return waiting.proposal_id

    async def bring_with(self, envelope: Envelope, challenge: bytes | None, proofs: Iterable[Envelope]) -> InForce | Waiting:
        brought = Brought(envelope.as_json(), challenge, [proof.as_json() for proof in proofs])
        return await enrol_keys(self.database, self.clock, self.principal, self.slug, brought)

    async def enrol(self) -> InForce:
        """Have the first list in force, where nobody has to agree."""
        envelope = self.seal()
        entered = await self.bring(envelope, self.root, *self.keys)
        assert isinstance(entered, InForce)
        self.last = read_key_list(envelope)
        return entered


Sign = Callable[..., Awaitable[Principal]]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def founded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """A founded host on either database, for a whole module: each test brings a team of its own."""
    folder, clock = tmp_path_factory.mktemp("keys"), StillClock()
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    async with AsyncExitStack() as stack:
        url = f"sqlite:///{folder}/regcert.db"
        if request.param == "postgresql":
            url = await stack.enter_async_context(fresh_database(request.getfixturevalue("postgres")))
        await initialise(folder / "host", url, clock, region)
        yield await stack.enter_async_context(open_database(url, clock))


@pytest.fixture
def database(founded: Database) -> Database:
    return founded


@pytest.fixture
def clock(founded: Database) -> StillClock:
    """The host's own, put back to where it began."""
    clock = founded._clock
    assert isinstance(clock, StillClock)
    clock.at_us = StillClock().at_us
    return clock


@pytest.fixture
def sign_in(database: Database, clock: StillClock) -> Sign:
    """Make a token for somebody, and sign in with it."""

    async def work(team: str, role: Role = Role.COORDINATOR) -> Principal:
        token = await create_token(database, clock, team, TokenOrder(role, "test"))
        return (await recognise(database, clock, token)).principal

    return work


async def say(database: Database, fact: str, value: object) -> None:
    """Let the host know something of itself; None lets it forget that."""

    async def work(tx: Tx) -> None:
        await tx.connection.execute(delete(FACTS).where(FACTS.c.name == fact))
        if value is not None:
            await add_facts(tx, {fact: value})

    await database.write(work)


async def join(database: Database, clock: StillClock, sign_in: Sign) -> Safe:
    """Let a team join that nobody has seen before, with its keys."""
    slug = f"t-{uuid.uuid4().hex[:12]}"
    entry = TeamEntry(slug, slug, "XK", TeamKind.SECTORAL, f"identity--{uuid.uuid4()}", "", "")
    await add_team(database, clock, entry)
    host, _ = await read_terms(database)
    return Safe(database, clock, await sign_in(slug), host)


@pytest_asyncio.fixture(loop_scope="module")
async def safe(database: Database, clock: StillClock, sign_in: Sign) -> Safe:
    """A team on a host that asks nobody else."""
    await say(database, "key_approvals", 0)
    return await join(database, clock, sign_in)


@pytest_asyncio.fixture(loop_scope="module")
async def asking(database: Database, clock: StillClock, sign_in: Sign) -> Safe:
    """A team on a host as the region file leaves it: two others have to agree."""
    await say(database, "key_approvals", None)
    return await join(database, clock, sign_in)


@pytest_asyncio.fixture(loop_scope="module")
async def other(database: Database, clock: StillClock, sign_in: Sign) -> Safe:
    """Another team."""
    return await join(database, clock, sign_in)


async def state(database: Database) -> dict[str, int]:
    """All that a refusal must leave as it was."""
    async with database.read() as connection:
        counted = {
            name: (await connection.execute(select(func.count()).select_from(METADATA.tables[name]))).scalar_one()
            for name in KEPT
        }
        told = select(func.count()).where(AUDIT.c.action == "refuse-key-list")  # that it was refused, and nothing else
        counted["audit"] -= (await connection.execute(told)).scalar_one()
        rights = (await connection.execute(select(METADATA.tables["host_order"].c.rights))).scalar_one()
    return counted | {"rights": rights}


async def refused(work: Awaitable[object], code: Code, database: Database) -> None:
    """Hold that something is refused with a code and leaves nothing behind."""
    before = await state(database)
    with pytest.raises(Refusal) as caught:
        await work
    assert caught.value.code is code, caught.value
    left = await state(database)
    assert left | {"challenges": 0} == before | {"challenges": 0}  # the one that it was brought with was given out meanwhile


async def leaves(database: Database) -> list[bytes]:
    async with database.read() as connection:
        table = METADATA.tables["log_leaves"]
        return [bytes(row[0]) for row in await connection.execute(select(table.c.entry).order_by(table.c.leaf_index))]


def raw_list(safe: Safe, **changed: Any) -> Envelope:
    """Sign members that our own writer would refuse."""
    written = orjson.loads(safe.seal().payload)
    return seal(KEY_LIST, orjson.dumps(written | changed, option=orjson.OPT_SORT_KEYS), [safe.root])


# what a list does


async def test_list_is_in_force_with_its_leaf_and_audit_when_nobody_has_to_agree(safe, database):
    """One transaction: the list, its entry in the log, the audit, and the number under which keys are remembered."""
    envelope, before = safe.seal(), await state(database)
    entered = await safe.bring(envelope, safe.root, *safe.keys)
    assert entered == InForce(1, read_key_list(envelope).digest, before["log_leaves"])
    after = await state(database)
    assert after["key_lists"] - before["key_lists"] == after["audit"] - before["audit"] == 1
    assert after["rights"] > before["rights"]
    leaf = read_leaf((await leaves(database))[entered.leaf_index])
    assert isinstance(leaf, KeyLeaf)
    assert read_envelope(leaf.envelope) == envelope
    found = await database.run(find_key_list(safe.principal.team.team_id))
    assert found == read_key_list(envelope)
    assert set(active_keys(found)) == {safe.keys[0].public.key_id}
    assert after["challenges"] == before["challenges"]


async def test_list_of_the_standing_root_is_in_force_at_once_when_others_had_to_agree_to_the_first(asking, database, sign_in):
    """Rotation, retirement and revocation wait for nobody: the root is the team."""
    envelope = asking.seal()
    waiting = await asking.bring(envelope, asking.root, *asking.keys)
    for team in ("srb-cert", "kos-cert"):
        await approve(database, await sign_in(team), waiting.proposal_id)
    asking.last = read_key_list(envelope)
    old, new = asking.keys[0], new_private_key()
    steps: list[tuple[list[TeamKey], tuple[PrivateKey, ...]]] = [
        ([team_key(old.public.raw), team_key(new.public.raw)], (new,)),
        ([team_key(old.public.raw, KeyStatus.RETIRED, KeyReason.SUPERSEDED), team_key(new.public.raw)], ()),
        (
            [
                team_key(old.public.raw, KeyStatus.REVOKED, KeyReason.COMPROMISED, asking.clock.at_us - DAY_US),
                team_key(new.public.raw),
            ],
            (),
        ),
    ]
    for version, (keys, proving) in enumerate(steps, 2):
        envelope = asking.seal(keys=keys)
        entered = await asking.bring(envelope, *proving)
        assert isinstance(entered, InForce)
        assert entered.version == version
        asking.last = read_key_list(envelope)
    found = await database.run(find_key_list(asking.principal.team.team_id))
    assert found == asking.last
    assert set(active_keys(found)) == {new.public.key_id}


async def test_first_list_waits_for_two_other_teams_when_the_region_file_says_nothing(asking, database, sign_in):
    """With one approval nothing is in force; with the second it is, in the transaction of that approval."""
    waiting = await asking.bring(asking.seal(), asking.root, *asking.keys)
    assert isinstance(waiting, Waiting)
    assert (waiting.version, waiting.needs) == (1, 2)
    team_id = asking.principal.team.team_id
    assert await database.run(find_key_list(team_id)) is None
    await approve(database, await sign_in("srb-cert"), waiting.proposal_id)
    assert await database.run(find_key_list(team_id)) is None
    last, before = await sign_in("kos-cert"), await state(database)
    await approve(database, last, waiting.proposal_id)
    assert (await database.run(find_key_list(team_id))).version == 1
    after = await state(database)
    assert after["log_leaves"] == before["log_leaves"] + 1
    assert after["rights"] > before["rights"]


async def test_approval_counts_when_it_is_of_a_coordinator_of_yet_another_team_only(asking, database, sign_in):
    """Not one's own, not one's own team's, not two of one team, not an analyst's, not an admin's."""
    waiting = await asking.bring(asking.seal(), asking.root, *asking.keys)
    first = await sign_in("srb-cert")
    await approve(database, first, waiting.proposal_id)
    for team, role, code in (
        (asking.slug, Role.COORDINATOR, Code.FORBIDDEN),
        ("srb-cert", Role.COORDINATOR, Code.SECOND_PERSON_REQUIRED),
        ("kos-cert", Role.ANALYST, Code.NOT_FOUND),
        ("kos-cert", Role.ADMIN, Code.NOT_FOUND),
    ):
        other = await sign_in(team, role)
        await refused(approve(database, other, waiting.proposal_id), code, database)
    await refused(approve(database, first, waiting.proposal_id), Code.SECOND_PERSON_REQUIRED, database)
    await refused(approve(database, asking.principal, waiting.proposal_id), Code.SECOND_PERSON_REQUIRED, database)
    assert await database.run(find_key_list(asking.principal.team.team_id)) is None


async def test_changed_root_waits_as_the_first_list_did(asking, database, sign_in):
    """Both roots sign, and who holds a stolen one alone cannot hand the team over."""
    envelope = asking.seal()
    waiting = await asking.bring(envelope, asking.root, *asking.keys)
    others = [await sign_in("srb-cert"), await sign_in("kos-cert")]
    for one in others:
        await approve(database, one, waiting.proposal_id)
    asking.last = read_key_list(envelope)
    new = new_private_key()
    await refused(asking.bring(asking.seal(root=new), new), Code.BAD_SIGNATURE, database)  # a foreign root
    await refused(asking.bring(asking.seal(root=new, old_root=asking.root)), Code.POSSESSION_NOT_PROVEN, database)
    handed = asking.seal(root=new, old_root=asking.root)
    waiting = await asking.bring(handed, new)
    assert isinstance(waiting, Waiting)
    for one in others:
        await approve(database, one, waiting.proposal_id)
    found = await database.run(find_key_list(asking.principal.team.team_id))
    assert found is not None
    assert (found.version, found.root) == (2, new.public.raw)


# who may


@pytest.mark.parametrize("role", [Role.ANALYST, Role.CONSUMER])
async def test_list_is_refused_when_somebody_else_of_the_team_brings_it(safe, database, sign_in, role):
    """Keys are the coordinator's and the admin's matter."""
    envelope, safe.principal = safe.seal(), await sign_in(safe.slug, role)
    await refused(safe.challenge(), Code.FORBIDDEN, database)
    await refused(safe.bring_with(envelope, None, []), Code.FORBIDDEN, database)


async def test_another_team_is_answered_like_none_when_somebody_brings_its_list(safe, database, sign_in):
    """Nobody makes keys for a neighbour, and the refusal says nothing about which teams there are."""
    said = set()
    for slug in ("srb-cert", "no-such-team"):
        for work in (
            challenge_key(database, safe.clock, safe.principal, slug),
            enrol_keys(database, safe.clock, safe.principal, slug, Brought(safe.seal().as_json(), None, [])),
        ):
            with pytest.raises(Refusal) as caught:
                await work
            said.add(str(caught.value))
    assert len(said) == 1
    assert said.pop().startswith("forbidden")


async def test_list_is_refused_when_it_is_made_for_another_team(safe, database, sign_in):
    """Whatever its address says: the identity that is signed is the one that counts."""
    other = (await sign_in("srb-cert")).team.identity_id
    await refused(safe.bring(safe.seal(team=other), safe.root, *safe.keys), Code.WRONG_BINDING, database)


async def test_refusal_of_a_list_is_in_the_audit_with_its_code(safe, database, sign_in):
    """Somebody with a token of the team tried; whoever may not try at all leaves no row."""

    async def told() -> list[tuple[int, str]]:
        rows = select(AUDIT.c.token_id, AUDIT.c.subject).where(AUDIT.c.action == "refuse-key-list").order_by(AUDIT.c.audit_id)
        async with database.read() as connection:
            return [(row.token_id, row.subject) for row in await connection.execute(rows)]

    before = await told()
    await refused(safe.bring(safe.seal()), Code.POSSESSION_NOT_PROVEN, database)
    late = safe.seal(issued_us=safe.clock.at_us - 10 * DAY_US, expires_us=safe.clock.at_us)
    await refused(safe.bring(late), Code.INVALID_KEY_LIST, database)
    analyst = replace(safe, principal=await sign_in(safe.slug, Role.ANALYST))
    await refused(analyst.bring(safe.seal()), Code.FORBIDDEN, database)
    token_id = safe.principal.token_id
    rows = [(token_id, f"{safe.slug} possession-not-proven"), (token_id, f"{safe.slug} invalid-key-list")]
    assert (await told())[len(before) :] == rows


# which keys


@pytest.mark.parametrize("key", sorted(SMALL_ORDER)[::4], ids=lambda key: key.hex()[:8])
async def test_key_is_refused_when_anybody_can_sign_for_it(safe, database, key):
    """As a key and as a root, whatever is proven of it."""
    row = {"key": key.hex(), "status": "active", "reason": "", "compromised_since": None}
    await refused(safe.bring(raw_list(safe, keys=[row]), safe.root), Code.UNSAFE_KEY, database)
    await refused(safe.bring(raw_list(safe, root=key.hex()), safe.root), Code.UNSAFE_KEY, database)


@pytest.mark.parametrize("key", [b"\xee" + b"\xff" * 30 + b"\x7f", b"\x02" + bytes(31)], ids=["not canonical", "off the curve"])
async def test_key_is_refused_when_it_is_no_key(safe, database, key):
    """A second spelling of a key would be a second key id."""
    row = {"key": key.hex(), "status": "active", "reason": "", "compromised_since": None}
    await refused(safe.bring(raw_list(safe, keys=[row]), safe.root), Code.UNSAFE_KEY, database)


@pytest.mark.parametrize("taken", ["key", "root", "root as key"])
async def test_key_is_refused_when_another_team_has_it(safe, other, database, taken):
    """Whoever signs is one team: also where somebody holds the private key of another's."""
    await safe.enrol()
    thief = other
    if taken == "root":
        thief.root = safe.root
    else:
        thief.keys = [safe.root if taken == "root as key" else safe.keys[0]]
    await refused(thief.bring(thief.seal(), thief.root, *thief.keys), Code.UNSAFE_KEY, database)


# which list


@pytest.mark.parametrize("value", [None, [], {}, "x", {"payloadType": KEY_LIST, "payload": "e30=", "signatures": []}])
async def test_list_is_refused_when_it_is_no_envelope(safe, database, value):
    """Whatever JSON it is."""
    brought = Brought(value, None, [])
    await refused(enrol_keys(database, safe.clock, safe.principal, safe.slug, brought), Code.INVALID_KEY_LIST, database)


async def test_list_is_refused_when_its_time_is_not_now(safe, database):
    """Expired before it begins, or from further ahead than clocks differ."""
    now = safe.clock.at_us
    for words in (
        {"issued_us": now - 10 * DAY_US, "expires_us": now},
        {"issued_us": now + 601 * SECOND_US},
    ):
        await refused(safe.bring(safe.seal(**words), safe.root, *safe.keys), Code.INVALID_KEY_LIST, database)


async def test_list_is_refused_when_a_member_is_not_as_it_must_be(safe, database):
    """One more, one less, another type, another form: the bytes must be the only ones for what they say."""
    now = orjson.loads(safe.seal().payload)
    lenient = seal(KEY_LIST, orjson.dumps(now, option=orjson.OPT_INDENT_2), [safe.root])
    for envelope in (raw_list(safe, more=1), raw_list(safe, v=2), raw_list(safe, version="1"), lenient):
        await refused(safe.bring(envelope, safe.root, *safe.keys), Code.INVALID_KEY_LIST, database)


async def test_list_is_refused_when_it_is_signed_by_another_key(safe, database):
    """By one of its own keys instead of its root, by a root that it does not name, or not over these bytes."""
    envelope = safe.seal()
    message = pae(KEY_LIST, envelope.payload)
    stranger = new_private_key()
    forged = [
        replace(envelope, signatures=((safe.keys[0].public.key_id, safe.keys[0].sign(message)),)),
        replace(envelope, signatures=((safe.root.public.key_id, stranger.sign(message)),)),
        replace(envelope, payload=envelope.payload.replace(b'"version":1', b'"version":2')),
    ]
    for one, code in zip(forged, (Code.BAD_SIGNATURE, Code.BAD_SIGNATURE, Code.INVALID_KEY_LIST), strict=True):
        await refused(safe.bring(one, safe.root, *safe.keys), code, database)


async def test_list_is_refused_when_it_does_not_follow_the_newest(safe, database):
    """A gap, the same number again, a roll-back, another history, a key that vanished or came back."""
    await safe.enrol()
    first = safe.last
    assert first is not None
    new = new_private_key()
    revoked = [team_key(safe.keys[0].public.raw, KeyStatus.REVOKED, KeyReason.COMPROMISED), team_key(new.public.raw)]
    second = safe.seal(keys=revoked)
    await safe.bring(second, new)
    safe.last = read_key_list(second)
    both = [*safe.keys, new]
    keys = [team_key(key.public.raw) for key in both]
    for words in (
        {"version": 4, "keys": revoked},
        {"version": 2, "prev": first.digest, "keys": revoked},
        {"version": 1, "prev": None, "keys": revoked},
        {"prev": first.digest, "keys": revoked},
        {"prev": bytes(32), "keys": revoked},
        {"keys": keys},
        {"keys": revoked[1:]},
        {"issued_us": safe.clock.at_us - SECOND_US, "keys": revoked},
    ):
        await refused(safe.bring(safe.seal(**words)), Code.KEY_LIST_CONFLICT, database)
    await refused(safe.bring(second), Code.KEY_LIST_CONFLICT, database)  # the very same once more
    assert isinstance(await safe.bring(safe.seal(keys=revoked)), InForce)


async def test_list_is_refused_when_another_root_signs_it_alone(safe, database):
    """Who holds a coordinator's token, and not the root, changes nothing."""
    await safe.enrol()
    await refused(safe.bring(safe.seal(root=(foreign := new_private_key())), foreign), Code.BAD_SIGNATURE, database)


async def test_one_list_is_in_force_when_two_are_brought_at_once(safe, database, clock):
    """Whichever comes first; the other is told that it does not follow."""
    other = Safe(database, clock, safe.principal, safe.host)
    challenges, before = [await safe.challenge(), await other.challenge()], await state(database)
    done = await asyncio.gather(
        *(
            one.bring(one.seal(), one.root, *one.keys, challenge=given)
            for one, given in zip((safe, other), challenges, strict=True)
        ),
        return_exceptions=True,
    )
    won, lost = sorted(done, key=lambda one: isinstance(one, Refusal))
    assert isinstance(won, InForce)
    assert isinstance(lost, Refusal)
    assert lost.code is Code.KEY_LIST_CONFLICT
    after = await state(database)
    assert after["key_lists"] - before["key_lists"] == after["log_leaves"] - before["log_leaves"] == 1


async def test_second_proposal_is_refused_at_its_last_approval_when_the_first_is_in_force(asking, database, clock, sign_in):
    """What was true when it was proposed is looked at again when it is entered."""
    rival = Safe(database, clock, asking.principal, asking.host)
    waiting = [await one.propose() for one in (asking, rival)]
    others = [await sign_in("srb-cert"), await sign_in("kos-cert")]
    for one in others:
        await approve(database, one, waiting[0])
    await approve(database, others[0], waiting[1])
    await refused(approve(database, others[1], waiting[1]), Code.KEY_LIST_CONFLICT, database)


async def test_proposal_is_refused_at_its_last_approval_when_another_team_has_the_key_by_then(asking, other, database, sign_in):
    """Of two teams that list the same key, the one that is entered first has it."""
    thief = replace(other, keys=asking.keys)
    waiting = [await one.propose() for one in (thief, asking)]
    others = [await sign_in("srb-cert"), await sign_in("kos-cert")]
    for one in others:
        await approve(database, one, waiting[0])
    await approve(database, others[0], waiting[1])
    await refused(approve(database, others[1], waiting[1]), Code.UNSAFE_KEY, database)


# what has to be proven


async def test_list_is_refused_when_a_new_key_or_root_is_not_proven(safe, database):
    """Each of them, and over one challenge of this token's own."""
    envelope = safe.seal()
    for proving in ((), (safe.root,), tuple(safe.keys)):
        await refused(safe.bring(envelope, *proving, challenge=await safe.challenge()), Code.POSSESSION_NOT_PROVEN, database)
    await safe.enrol()
    late = [*safe.keys, new_private_key()]
    keys = [team_key(key.public.raw) for key in late]
    challenge = await safe.challenge()
    await refused(safe.bring(safe.seal(keys=keys), challenge=challenge), Code.POSSESSION_NOT_PROVEN, database)
    assert isinstance(await safe.bring(safe.seal(keys=keys), late[-1], challenge=challenge), InForce)


Proofs = Callable[[Safe, bytes], list[Envelope]]
WRONG: dict[str, Proofs] = {
    "other challenge": lambda safe, _: [prove(safe.host, safe.team, b"c" * 32, key) for key in (safe.root, *safe.keys)],
    "other team": lambda safe, given: [
        prove(safe.host, f"identity--{uuid.uuid4()}", given, key) for key in (safe.root, *safe.keys)
    ],
    "other host": lambda safe, given: [prove(safe.host + "0", safe.team, given, key) for key in (safe.root, *safe.keys)],
    "other key": lambda safe, given: [prove(safe.host, safe.team, given, key) for key in (safe.root, new_private_key())],
    "one key for the other": lambda safe, given: [
        prove(safe.host, safe.team, given, safe.root),
        replace(
            prove(safe.host, safe.team, given, safe.root), signatures=prove(safe.host, safe.team, given, safe.keys[0]).signatures
        ),
    ],
    "a key list for a proof": lambda safe, _: [seal(KEY_LIST, safe.seal().payload, [key]) for key in (safe.root, *safe.keys)],
    "twice the root": lambda safe, given: [prove(safe.host, safe.team, given, safe.root)] * 2,
}


@pytest.mark.parametrize("name", WRONG)
async def test_list_is_refused_when_a_proof_is_not_what_it_must_be(safe, database, name):
    """A proof is good for one host, one team, one challenge and one key."""
    challenge = await safe.challenge()
    proofs = WRONG[name](safe, challenge)
    await refused(safe.bring_with(safe.seal(), challenge, proofs), Code.POSSESSION_NOT_PROVEN, database)


async def test_challenge_is_worth_nothing_when_it_was_never_given(safe, database):
    """Also where every key signed it."""
    await refused(safe.bring(safe.seal(), safe.root, *safe.keys, challenge=b"c" * 32), Code.POSSESSION_NOT_PROVEN, database)
    proofs = [prove(safe.host, safe.team, await safe.challenge(), key) for key in (safe.root, *safe.keys)]
    await refused(safe.bring_with(safe.seal(), None, proofs), Code.POSSESSION_NOT_PROVEN, database)


async def test_challenge_is_worth_nothing_when_it_has_expired(safe, database):
    """After ten minutes, to the microsecond."""
    challenge = await safe.challenge()
    safe.clock.at_us += GOOD_FOR_US
    await refused(safe.bring(safe.seal(), safe.root, *safe.keys, challenge=challenge), Code.POSSESSION_NOT_PROVEN, database)
    safe.clock.at_us -= 1
    assert isinstance(await safe.bring(safe.seal(), safe.root, *safe.keys, challenge=challenge), InForce)


async def test_challenge_is_worth_nothing_when_it_was_used(safe, database):
    """Once a list came with it, the next needs another."""
    challenge = await safe.challenge()
    envelope = safe.seal()
    await safe.bring(envelope, safe.root, *safe.keys, challenge=challenge)
    safe.last = read_key_list(envelope)
    late = new_private_key()
    following = safe.seal(keys=[team_key(key.public.raw) for key in (*safe.keys, late)])
    await refused(safe.bring(following, late, challenge=challenge), Code.POSSESSION_NOT_PROVEN, database)
    assert isinstance(await safe.bring(following, late), InForce)


async def test_challenge_is_worth_nothing_when_another_token_was_given_it(safe, database, clock, sign_in):
    """Not even to somebody of the same team; and whoever tries does not use it up."""
    challenge = await safe.challenge()
    colleague = replace(safe, principal=await sign_in(safe.slug, Role.ADMIN))
    proving = (safe.root, *safe.keys)
    await refused(colleague.bring(safe.seal(), *proving, challenge=challenge), Code.POSSESSION_NOT_PROVEN, database)
    assert isinstance(await safe.bring(safe.seal(), *proving, challenge=challenge), InForce)


async def test_oldest_challenge_is_forgotten_when_a_token_has_more_than_eight(safe, database, sign_in):
    """Nobody is locked out, nothing grows without a bound, and nobody else's is touched."""
    other = await sign_in("srb-cert")
    theirs = (await challenge_key(database, safe.clock, other, "srb-cert")).challenge
    given, before = [], await state(database)
    for _ in range(MOST_CHALLENGES + 1):
        safe.clock.at_us += 1
        given.append(await safe.challenge())
    assert (await state(database))["challenges"] == before["challenges"] + MOST_CHALLENGES

    async def take(challenge: bytes, principal: Principal) -> bool:
        program = take_challenge(challenge, principal.token_id, safe.clock.at_us)
        taken: bool = await database.write(lambda tx: tx.run(program))
        return taken

    assert not await take(given[0], safe.principal)
    assert await take(given[1], safe.principal)
    assert not await take(given[1], safe.principal)
    assert not await take(theirs, safe.principal)
    assert await take(theirs, other)


async def test_expired_challenges_go_when_the_next_is_given(safe, database):
    """Whoever they were given to."""
    for _ in range(3):
        safe.clock.at_us += 2 * GOOD_FOR_US
        await safe.challenge()
        assert (await state(database))["challenges"] == 1


# what others see


async def test_all_versions_are_listed_page_by_page(safe, database):
    """As they were signed, with their places; the newest of every team is found by itself."""
    assert (await list_keys(database, safe.principal, safe.slug)).lists == []
    envelopes, begun = [], (await state(database))["log_leaves"]
    for _ in range(5):
        envelopes.append(safe.seal())
        await safe.bring(envelopes[-1], *((safe.root, *safe.keys) if safe.last is None else ()))
        await database.write(lambda tx: add_audit(tx, None, safe.clock.at_us, "other", "something else"))
        safe.last = read_key_list(envelopes[-1])
    found, after = [], 0
    while True:
        page = await list_keys(database, safe.principal, safe.slug, after=after, limit=2)
        assert (page.team, page.host, page.suspended) == (safe.team, safe.host, False)
        found += page.lists
        if page.following is None:
            break
        after = page.following
    assert [read_envelope(orjson.loads(one.envelope)) for one in found] == envelopes
    assert [one.version for one in found] == [1, 2, 3, 4, 5]
    assert [one.leaf_index for one in found] == list(range(begun, begun + 5))
    assert (await database.run(list_newest()))[safe.principal.team.team_id] == safe.last
    await refused(list_keys(database, safe.principal, "no-such-team"), Code.NOT_FOUND, database)


async def test_team_is_suspended_until_the_operator_says_otherwise(safe, database):
    """It says which team, is in the audit, moves the number that memory stands under, and touches no list."""
    await safe.enrol()
    team_id, before = safe.principal.team.team_id, await state(database)
    assert not await database.run(is_suspended(team_id))
    await suspend_team(database, safe.clock, safe.slug, suspended=True)
    assert await database.run(is_suspended(team_id))
    assert not await database.run(is_suspended(team_id + 1))
    assert (await list_keys(database, safe.principal, safe.slug)).suspended
    after = await state(database)
    assert after["rights"] > before["rights"]
    assert after["audit"] == before["audit"] + 1
    assert after["key_lists"] == before["key_lists"]
    await refused(suspend_team(database, safe.clock, safe.slug, suspended=True), Code.ALREADY_EXISTS, database)
    await suspend_team(database, safe.clock, safe.slug, suspended=False)
    assert not await database.run(is_suspended(team_id))
    await refused(suspend_team(database, safe.clock, safe.slug, suspended=False), Code.ALREADY_EXISTS, database)
    await refused(suspend_team(database, safe.clock, "nobody", suspended=True), Code.NOT_FOUND, database)


async def test_nothing_is_signed_for_a_host_without_a_name(safe, database):
    """A proof that names no host would be good on any."""
    envelope = safe.seal()
    await say(database, "log_origin", None)
    try:
        await refused(safe.challenge(), Code.NOT_INITIALISED, database)
        await refused(safe.bring_with(envelope, None, []), Code.NOT_INITIALISED, database)
    finally:
        await say(database, "log_origin", safe.host)
