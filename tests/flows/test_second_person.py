"""One person alone, or whoever stole one token, neither spreads what is RED nor takes back what a region defends itself with."""

import uuid
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from regcert.clock import HOUR_US
from regcert.domain.principal import Principal, Role
from regcert.domain.proposal import ProposalState
from regcert.errors import Code, Refusal
from regcert.flows.approve import approve
from regcert.flows.authenticate import recognise
from regcert.flows.create_token import TokenOrder, create_own_token, create_token
from regcert.flows.let_go import expire_proposals, refuse, withdraw_proposal
from regcert.flows.list_proposals import get_proposal, page_proposals, state_of
from regcert.flows.publish import publish
from regcert.flows.release import release
from regcert.flows.spool import spool
from regcert.flows.unspool import unspool
from regcert.stix.tlp import Tlp
from regcert.store.submissions import get_status
from tests.made import envelope, indicator
from tests.store.acting import ROOT, Acting

RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
LATER = "2026-11-02T10:00:00.000Z"


def red(**properties: Any) -> dict[str, Any]:
    return indicator(object_marking_refs=[RED], **properties)


def marking(kind: str) -> dict[str, Any]:
    """A marking definition of somebody's own."""
    says = {"statement": "Copyright"} if kind == "statement" else {"tlp": "red"}
    own = {"id": f"marking-definition--{uuid.uuid4()}", "type": "marking-definition", "spec_version": "2.1"}
    return own | {"created": "2026-11-01T10:00:00.000Z", "definition_type": kind, "definition": says}


def revoked(one: dict[str, Any]) -> dict[str, Any]:
    """The same object, taken back."""
    return one | {"modified": LATER, "revoked": True}


@pytest.fixture
async def shared(acting: Acting) -> str:
    """A collection that may hold RED, for three teams."""
    return await acting.collection(("alcirt", "mkd-cert", "srb-cert"), ("alcirt", "mkd-cert", "srb-cert"), Tlp.RED)


async def colleague(acting: Acting, team: str = "alcirt", role: Role = Role.ANALYST, *narrowed: str) -> Principal:
    """Somebody else of a team, with a token of the operator's making."""
    token = await create_token(acting.database, acting.clock, team, TokenOrder(role, "a colleague", narrowed))
    return (await recognise(acting.database, acting.clock, token)).principal


async def waiting(acting: Acting, principal: Principal) -> list[str]:
    """The ids of the proposals that somebody is shown."""
    page = await page_proposals(acting.database, principal, acting.clock.now_us(), limit=100, cursor=None)
    return [one.proposal_id for one in page.proposals]


async def told(acting: Acting, status_id: str, team: str = "alcirt") -> Any:
    """The TAXII status of a post, as its sender is told it."""
    return orjson.loads(await acting.database.run(get_status(await acting.principal(team), ROOT, status_id)))


async def held(acting: Acting, *objects: dict[str, Any], collection: str) -> tuple[str, str]:
    """Post something that is held; return the ids of its status and its proposal."""
    status = await acting.publish(*objects, collection=collection)
    assert status["status"] == "pending"
    assert (status["pending_count"], status["success_count"], status["failure_count"]) == (len(objects), 0, 0)
    (proposal_id,) = await waiting(acting, await acting.principal("alcirt"))
    return status["id"], proposal_id


async def refused_for(code: Code, attempt: Awaitable[object]) -> None:
    with pytest.raises(Refusal) as refusal:
        await attempt
    assert refusal.value.code is code


async def test_red_is_published_when_a_second_person_agreed_and_not_before(acting, shared):
    """Held, invisible to everybody, approved by somebody else of the team, then exactly as it was posted."""
    thing = red()
    status_id, proposal_id = await held(acting, thing, indicator(), collection=shared)
    assert await acting.poll(collection=shared) == []
    assert await approve(acting.database, await colleague(acting), proposal_id) is ProposalState.APPROVED
    assert await acting.poll(collection=shared) == []
    assert await release(acting.database, acting.schemas, acting.clock)
    assert not await release(acting.database, acting.schemas, acting.clock)
    assert (await acting.poll(collection=shared, team="mkd-cert"))[0] == thing
    status = await told(acting, status_id)
    assert (status["status"], status["success_count"]) == ("complete", 2)


async def test_nobody_approves_what_they_posted_themselves(acting, shared):
    """A stolen token cannot be its own second person, however often it asks."""
    _, proposal_id = await held(acting, red(), collection=shared)
    thief = await acting.principal("alcirt")
    for _ in range(3):
        await refused_for(Code.SECOND_PERSON_REQUIRED, approve(acting.database, thief, proposal_id))
    assert not await release(acting.database, acting.schemas, acting.clock)
    assert await acting.poll(collection=shared) == []


async def test_tokens_that_one_administrator_made_are_one_person(acting, shared):
    """Who stole an administrator's token makes two others with it, and then others with those: all of them are one person."""
    admin = await colleague(acting, "alcirt", Role.ADMIN)
    one, other = [
        (await recognise(acting.database, acting.clock, made.token)).principal
        for made in [await create_own_token(acting.database, acting.clock, admin, TokenOrder(Role.ANALYST, n)) for n in "ab"]
    ]
    received = await acting.received(envelope(red()), collection=shared)
    await publish(acting.database, acting.schemas, type(received)(one, received.collection, received.body, received.at_us))
    (proposal_id,) = await waiting(acting, one)
    await refused_for(Code.SECOND_PERSON_REQUIRED, approve(acting.database, other, proposal_id))
    second_admin = await create_own_token(acting.database, acting.clock, admin, TokenOrder(Role.ADMIN, "admin of an admin"))
    grandchild = await create_own_token(
        acting.database, acting.clock, (await recognise(acting.database, acting.clock, second_admin.token)).principal,
        TokenOrder(Role.ANALYST, "c"),
    )  # fmt: skip
    third = (await recognise(acting.database, acting.clock, grandchild.token)).principal
    await refused_for(Code.SECOND_PERSON_REQUIRED, approve(acting.database, third, proposal_id))
    assert await approve(acting.database, await colleague(acting), proposal_id) is ProposalState.APPROVED


@pytest.mark.parametrize(
    ("team", "role", "code"),
    [
        ("mkd-cert", Role.ANALYST, Code.NOT_FOUND),
        ("mkd-cert", Role.COORDINATOR, Code.NOT_FOUND),
        ("alcirt", Role.CONSUMER, Code.NOT_FOUND),
        ("alcirt", Role.ADMIN, Code.FORBIDDEN),
    ],
)
async def test_only_somebody_of_the_team_who_may_publish_approves_a_post(acting, shared, team, role, code):
    """Another team does not even learn that something waits; a machine that reads has no say, nor has an administrator."""
    _, proposal_id = await held(acting, red(), collection=shared)
    await refused_for(code, approve(acting.database, await colleague(acting, team, role), proposal_id))


async def test_token_that_may_not_write_there_does_not_approve(acting, shared):
    """A token narrowed to another collection could not have posted this: what waits there does not exist for it."""
    _, proposal_id = await held(acting, red(), collection=shared)
    narrowed = await colleague(acting, "alcirt", Role.ANALYST, "public")
    await refused_for(Code.NOT_FOUND, approve(acting.database, narrowed, proposal_id))
    await refused_for(Code.NOT_FOUND, get_proposal(acting.database, narrowed, acting.clock.at_us, proposal_id))
    assert (await page_proposals(acting.database, narrowed, acting.clock.at_us, limit=10, cursor=None)).proposals == ()


async def test_what_is_not_red_is_never_held(acting, shared):
    """AMBER+STRICT and below are published at once, whoever posts."""
    strict = indicator(object_marking_refs=["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"])
    assert (await acting.publish(strict, collection=shared))["status"] == "complete"


async def test_what_nobody_called_red_is_not_held(acting, shared):
    """Without a marking, or with a copyright statement alone, an object is bounded by its collection and is not held."""
    statement = marking("statement")
    objects = indicator(), statement, indicator(object_marking_refs=[statement["id"]])
    assert (await acting.publish(*objects, collection=shared))["status"] == "complete"
    later = indicator(object_marking_refs=[statement["id"]])
    assert (await acting.publish(later, collection=shared))["status"] == "complete"


@pytest.mark.parametrize("kind", ["tlp", "unknown", "part"])
async def test_red_is_held_in_whatever_words(acting, shared, kind):
    """A marking that calls itself TLP, one that nobody has explained, and one of a part of the object count as RED."""
    own = marking("tlp")
    await held(acting, *{
        "tlp": (own, indicator(object_marking_refs=[own["id"]])),
        "unknown": (indicator(object_marking_refs=[f"marking-definition--{uuid.uuid4()}"]),),
        "part": (indicator(granular_markings=[{"marking_ref": RED, "selectors": ["pattern"]}]),),
    }[kind], collection=shared)  # fmt: skip


async def test_teams_own_collection_holds_nothing_for_being_red(acting):
    """Where only the team itself reads, there is nobody to spread it to."""
    assert (await acting.publish(red(), collection="team-alcirt"))["status"] == "complete"


async def test_same_post_again_is_not_held_again(acting, shared):
    """Who retries after the approval is told what is here, and nobody has to approve it twice."""
    thing = red()
    _, proposal_id = await held(acting, thing, collection=shared)
    await approve(acting.database, await colleague(acting), proposal_id)
    await release(acting.database, acting.schemas, acting.clock)
    again = await acting.publish(thing, collection=shared)
    assert (again["status"], again["success_count"]) == ("complete", 1)


async def test_region_can_do_without_second_persons(acting, shared, database):
    """The region file decides; a host of an older release, whose region says nothing, wants them."""
    await database.write(lambda tx: tx.connection.execute(text("DELETE FROM host_facts WHERE name = 'second_person'")))
    await held(acting, red(), collection=shared)
    insert = text("INSERT INTO host_facts (name, value) VALUES ('second_person', 'false')")
    await database.write(lambda tx: tx.connection.execute(insert))
    assert (await acting.publish(red(), collection=shared))["status"] == "complete"


async def test_more_than_fifty_withdrawals_an_hour_wait(acting):
    """Fifty in an hour are work; the next one, in whatever post, is held, and the hour after is a new one."""
    things = [indicator(f"[domain-name:value = 'a{n}.example']") for n in range(1200)]
    await acting.publish(*things[:600])
    await acting.publish(*things[600:])
    for n in range(5):
        assert (await acting.publish(*map(revoked, things[n * 10 : n * 10 + 10])))["status"] == "complete"
    status = await acting.publish(revoked(things[50]))
    assert status["status"] == "pending"
    acting.clock.at_us += HOUR_US + 1_000_000
    assert (await acting.publish(revoked(things[51])))["status"] == "complete"


async def test_a_twentieth_of_what_a_team_has_waits_from_ten_on(acting):
    """A small team's ten of a hundred are its defence; nine are an afternoon's corrections."""
    things = [indicator(f"[domain-name:value = 'b{n}.example']") for n in range(100)]
    await acting.publish(*things)
    assert (await acting.publish(*map(revoked, things[:9])))["status"] == "complete"
    assert (await acting.publish(revoked(things[9])))["status"] == "pending"


async def test_withdrawals_are_counted_for_each_team_and_collection(acting):
    """What another team takes back, or the same one elsewhere, is another matter."""
    ours = [indicator(f"[domain-name:value = 'c{n}.example']") for n in range(20)]
    theirs = [indicator(f"[domain-name:value = 'd{n}.example']") for n in range(20)]
    await acting.publish(*ours)
    await acting.publish(*ours, collection="team-alcirt")
    await acting.publish(*theirs, team="mkd-cert")
    assert (await acting.publish(*map(revoked, ours[:9])))["status"] == "complete"
    assert (await acting.publish(*map(revoked, theirs[:9]), team="mkd-cert"))["status"] == "complete"
    assert (await acting.publish(*map(revoked, ours[:9]), collection="team-alcirt"))["status"] == "complete"


async def test_what_comes_revoked_takes_nothing_back(acting):
    """A feed that brings its own history along is not held: nothing of it was ever in force here."""
    things = [revoked(indicator(f"[domain-name:value = 'e{n}.example']")) for n in range(200)]
    assert (await acting.publish(*things))["status"] == "complete"
    assert (await acting.publish(indicator(), revoked(indicator())))["status"] == "complete"


async def test_deletions_count_as_withdrawals_and_are_refused_beyond_the_brake(acting):
    """DELETE and revocation share the brake: what one may not do, the other may not either."""
    things = [indicator(f"[domain-name:value = 'f{n}.example']") for n in range(30)]
    await acting.publish(*things)
    acting.clock.at_us += 2 * HOUR_US
    await acting.publish(*map(revoked, things[:5]))
    for one in things[5:9]:
        await acting.delete(one["id"])
    await refused_for(Code.SECOND_PERSON_REQUIRED, acting.delete(things[9]["id"]))
    assert (await acting.publish(revoked(things[9])))["status"] == "pending"
    assert len([one for one in await acting.poll() if one["id"] == things[9]["id"]]) == 1


async def test_what_the_same_token_posted_within_the_hour_is_deleted_freely(acting):
    """To undo one's own mistake takes nothing back from anybody; with another token, or an hour later, it does."""
    things = [indicator(f"[domain-name:value = 'g{n}.example']") for n in range(60)]
    await acting.publish(*things)
    for one in things[:30]:
        await acting.delete(one["id"])
    other = await colleague(acting)
    acting.principals["alcirt", ()] = other
    for one in things[30:39]:
        await acting.delete(one["id"])
    await refused_for(Code.SECOND_PERSON_REQUIRED, acting.delete(things[39]["id"]))
    fresh = indicator()
    await acting.publish(fresh)
    await acting.delete(fresh["id"])
    acting.clock.at_us += 2 * HOUR_US
    for one in things[40:49]:
        await acting.delete(one["id"])
    await refused_for(Code.SECOND_PERSON_REQUIRED, acting.delete(things[49]["id"]))


async def test_body_beyond_eight_mebibytes_is_no_way_around(acting, shared):
    """What is kept in pieces cannot be held, so what would be held is refused in it, with what to do instead."""
    received = await acting.received(b"", collection=shared)

    async def pieces() -> AsyncIterator[bytes]:
        yield envelope(red(), red())

    receipt = await spool(acting.database, received, pieces())
    while await unspool(acting.database, acting.schemas):
        pass
    status = await told(acting, orjson.loads(receipt.status)["id"])
    assert (status["status"], status["failure_count"]) == ("complete", 2)
    assert all(one["message"].startswith("second-person-required") for one in status["failures"])
    assert await acting.poll(collection=shared) == []


async def test_second_person_refuses_and_the_sender_is_told(acting, shared):
    """A refusal is for good: the status says so of every object, and the body is gone."""
    status_id, proposal_id = await held(acting, red(), red(), collection=shared)
    second = await colleague(acting)
    await refused_for(Code.SECOND_PERSON_REQUIRED, refuse(acting.database, await acting.principal("alcirt"), proposal_id))
    await refuse(acting.database, second, proposal_id)
    status = await told(acting, status_id)
    assert (status["status"], status["failure_count"]) == ("complete", 2)
    await refused_for(Code.PROPOSAL_CLOSED, approve(acting.database, await colleague(acting), proposal_id))
    assert [bytes(one["body"]) for one in await acting.rows("proposals")] == [b""]


async def test_sender_withdraws(acting, shared):
    """Who asked can take it back; a colleague who may not coordinate cannot, and another team never hears of it."""
    status_id, proposal_id = await held(acting, red(), collection=shared)
    await refused_for(Code.FORBIDDEN, withdraw_proposal(acting.database, await colleague(acting), proposal_id))
    await refused_for(Code.NOT_FOUND, withdraw_proposal(acting.database, await colleague(acting, "mkd-cert"), proposal_id))
    await withdraw_proposal(acting.database, await acting.principal("alcirt"), proposal_id)
    assert (await told(acting, status_id))["failure_count"] == 1


async def test_nobody_approves_after_seven_days(acting, shared):
    """What waited for a week is let go, and its sender is told; a day before, it still waits."""
    status_id, proposal_id = await held(acting, red(), collection=shared)
    acting.clock.at_us += 6 * 24 * HOUR_US
    assert await expire_proposals(acting.database, acting.clock) == 0
    acting.clock.at_us += 24 * HOUR_US
    second = await colleague(acting)
    await refused_for(Code.PROPOSAL_CLOSED, approve(acting.database, second, proposal_id))
    facts = await get_proposal(acting.database, second, acting.clock.now_us(), proposal_id)
    assert state_of(facts.proposal, acting.clock.now_us()) == "expired"
    assert facts.may == frozenset()
    assert await expire_proposals(acting.database, acting.clock) == 1
    assert await waiting(acting, second) == []
    assert "seven days" in (await told(acting, status_id))["failures"][0]["message"]


async def test_token_revoked_in_between_publishes_nothing(acting, shared, database):
    """Who finds out that a token was stolen revokes it: what came with it is then published by nobody's approval."""
    thief = await acting.principal("alcirt")
    status_id, proposal_id = await held(acting, red(), collection=shared)
    second = await colleague(acting)
    await approve(acting.database, second, proposal_id)
    revoke = text(f"UPDATE tokens SET revoked_us = 1 WHERE token_id = {thief.token_id}")
    await database.write(lambda tx: tx.connection.execute(revoke))
    assert await release(acting.database, acting.schemas, acting.clock)
    assert await acting.poll(collection=shared, team="mkd-cert") == []
    assert (await told(acting, status_id))["failure_count"] == 1


async def test_team_that_lost_its_place_publishes_nothing(acting, shared, database):
    """Between the post and the approval the collection was closed to the team."""
    _, proposal_id = await held(acting, red(), collection=shared)
    await approve(acting.database, await colleague(acting), proposal_id)
    await database.write(lambda tx: tx.connection.execute(text("UPDATE collection_access SET can_write = false")))
    assert await release(acting.database, acting.schemas, acting.clock)
    assert await acting.poll(collection=shared, team="mkd-cert") == []


async def test_number_of_waiting_posts_is_bounded(acting, shared):
    """Somebody with a stolen token cannot fill the disk with what waits."""
    for _ in range(50):
        await acting.publish(red(), collection=shared)
    await refused_for(Code.SECOND_PERSON_REQUIRED, acting.publish(red(), collection=shared))
    assert len(await acting.rows("submissions")) == 50


async def test_every_step_is_in_the_audit(acting, shared):
    """Who asked, who agreed, and that it was done."""
    _, proposal_id = await held(acting, red(), collection=shared)
    second = await colleague(acting)
    await approve(acting.database, second, proposal_id)
    await release(acting.database, acting.schemas, acting.clock)
    first = await acting.principal("alcirt")
    rows = [(row["action"], row["token_id"]) for row in await acting.rows("audit") if proposal_id in row["subject"]]
    assert rows == [("propose", first.token_id), ("approve", second.token_id), ("release", None)]
