"""Blind matches: what is compared and what never is, who is told, when it opens and ends; on both databases."""

import uuid
from typing import Any

import pytest

from regcert.clock import DAY_US
from regcert.domain import blind_match
from regcert.domain.blind_match import Deed, Seen
from regcert.domain.collection import SignatureRule
from regcert.domain.principal import Principal, Role
from regcert.domain.region import CollectionEntry
from regcert.errors import Code, Refusal
from regcert.flows.add_collection import add_collection
from regcert.flows.answer_blind_match import answer_blind_match
from regcert.flows.list_blind_matches import Facts, Page, get_blind_match, page_blind_matches
from regcert.flows.set_blind_matching import set_blind_matching
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import MARKING_IDS, Tlp
from tests.made import indicator
from tests.store.acting import Acting

HOUR_US = 3_600_000_000
# Who reads which circle; nobody reads two of them.
CIRCLES = {"north": ("hr-cert", "bih-cert"), "south": ("alcirt", "mkd-cert"), "east": ("srb-cert", "kos-cert")}
MARKS = {step: marking_id for marking_id, step in MARKING_IDS.items()}
BROKER = "regional-centre"


@pytest.fixture
async def circles(acting: Acting) -> Acting:
    """A host with three circles that take part; the clock stands at the beginning of a day."""
    acting.clock.at_us = acting.clock.at_us // DAY_US * DAY_US + 1
    for slug, teams in CIRCLES.items():
        await open_circle(acting, slug, teams, Tlp.AMBER if slug == "east" else Tlp.RED)
    return acting


async def open_circle(
    acting: Acting, slug: str, teams: tuple[str, ...], ceiling: Tlp = Tlp.RED, *, takes_part: bool = True
) -> None:
    entry = CollectionEntry(
        slug, str(uuid.uuid4()), f"Circle {slug}", "For a test.", ceiling, SignatureRule.ACCEPTED, teams, teams,
        blind_matching=takes_part,
    )  # fmt: skip
    await add_collection(acting.database, acting.clock, entry)


def naming(value: str, step: Tlp = Tlp.AMBER, **properties: Any) -> dict[str, Any]:
    return indicator(f"[domain-name:value = '{value}']", object_marking_refs=[MARKS[step]]) | properties


async def hold(acting: Acting, circle: str, value: str, step: Tlp = Tlp.AMBER, *, team: str = "", **properties: Any) -> str:
    """Publish a value in a circle as its first team, or another, and let correlation read it; return the object's id."""
    one = naming(value, step, **properties)
    status = await acting.publish(one, team=team or CIRCLES[circle][0], collection=circle)
    assert not status["failure_count"], status
    await acting.catch_up()
    return str(one["id"])


async def principal(acting: Acting, team: str) -> Principal:
    role = Role.COORDINATOR if team == BROKER else Role.ANALYST
    return await acting.principal(team, role=role)


async def listed(acting: Acting, team: str) -> Page:
    return await page_blind_matches(acting.database, await principal(acting, team), acting.clock.now_us(), limit=100)


async def told(acting: Acting, team: str) -> dict[str, Seen]:
    """What a team was told of, by value."""
    return {seen.match.observable.value: seen for seen, _ in (await listed(acting, team)).matches}


async def look(acting: Acting, team: str, seen: Seen) -> Facts:
    return await get_blind_match(acting.database, await principal(acting, team), acting.clock.now_us(), seen.match.match_id)


async def act(acting: Acting, team: str, seen: Seen, deed: Deed, note: str = "", objects: Any = None) -> str:
    who = await principal(acting, team)
    return await answer_blind_match(acting.database, who, seen.match.match_id, deed, note=note, objects=objects)


async def refused(acting: Acting, team: str, seen: Seen, deed: Deed, note: str = "", objects: Any = None) -> Code:
    with pytest.raises(Refusal) as refusal:
        await act(acting, team, seen, deed, note, objects)
    return refusal.value.code


async def test_those_who_hold_it_are_told_the_next_day_and_nobody_else(circles):
    """Each side learns the class of the others, and one circle or more; bystanders in the same circle learn nothing."""
    await hold(circles, "north", "two.example", Tlp.GREEN)
    circles.clock.at_us += 13 * HOUR_US
    for circle in CIRCLES:
        await hold(circles, circle, "three.example", Tlp.GREEN)
    await hold(circles, "south", "two.example", Tlp.AMBER)
    assert await told(circles, "hr-cert") == await told(circles, "alcirt") == {}
    circles.clock.at_us += DAY_US
    north, south = await told(circles, "hr-cert"), await told(circles, "alcirt")
    assert {value: {one.marking for one in seen.others} for value, seen in north.items()} == {
        "two.example": {Tlp.AMBER}, "three.example": {Tlp.GREEN},
    }  # fmt: skip
    assert {one.marking for one in south["two.example"].others} == {Tlp.GREEN}
    assert [len({one.scope for one in north[value].others}) for value in ("two.example", "three.example")] == [1, 2]
    assert {seen.told_us % DAY_US for seen in (*north.values(), *south.values())} == {0}
    for bystander in ("bih-cert", "mkd-cert", BROKER):
        assert await told(circles, bystander) == {}
        with pytest.raises(Refusal, match="no such blind match"):
            await look(circles, bystander, north["two.example"])
    narrow = await circles.principal("hr-cert", "regional-indicators")
    assert not (await page_blind_matches(circles.database, narrow, circles.clock.now_us(), limit=9)).matches


async def test_nothing_is_matched_without_agreement_or_above_amber(circles):
    """Each value has one thing about it that is not as it must be; the last one has none, and is the only one that is told."""
    await open_circle(circles, "half", ("cirt-me",))  # `team-cirt-me` has the same reader and does not take part
    await open_circle(circles, "off", ("cirt-me", "sample-isp"), takes_part=False)
    await open_circle(circles, "north-too", ("hr-cert", "zsis-cert"))
    await hold(circles, "half", "half.example", team="cirt-me")
    await hold(circles, "off", "off.example", team="cirt-me")
    await hold(circles, "south", "strict.example", Tlp.AMBER_STRICT)
    await hold(circles, "south", "red-too.example")
    await circles.sight({"value": "red-too.example", "collection": "south"}, team="alcirt")  # unmarked: as its collection, RED
    await hold(circles, "south", "relayed.example", created_by_ref=f"identity--{uuid.uuid4()}")
    await hold(circles, "east", "doubted.example")
    await circles.sight({"value": "doubted.example", "kind": "false-positive", "collection": "east"}, team="srb-cert")
    await hold(circles, "north-too", "reads-the-other.example", team="hr-cert")
    await hold(circles, "north", "is-read-by-the-other.example", team="bih-cert")
    await hold(circles, "south", "www.derived.example")
    await hold(circles, "south", "as-it-must-be.example")
    await circles.catch_up()
    assert await circles.rows("blind_matches") == []
    for value in ("half", "off", "strict", "red-too", "relayed", "doubted", "derived", "as-it-must-be"):
        await hold(circles, "north", f"{value}.example")
    await hold(circles, "north", "reads-the-other.example", team="bih-cert")
    await hold(circles, "north-too", "is-read-by-the-other.example", team="hr-cert")
    circles.clock.at_us += DAY_US
    assert (await told(circles, "hr-cert")).keys() == {"as-it-must-be.example"}
    for team in ("bih-cert", "cirt-me", "zsis-cert"):
        assert await told(circles, team) == {}


async def test_identity_is_told_when_both_agreed_and_a_coordinator_forwarded_it(circles):
    """Ask, forward, agree; before the last of these neither side can read who the other is, nor what it says."""
    mine, theirs = await hold(circles, "north", "x.example"), await hold(circles, "south", "x.example", Tlp.GREEN)
    second = await hold(circles, "north", "x.example")
    circles.clock.at_us += DAY_US
    match = (await told(circles, "hr-cert"))["x.example"]
    assert await refused(circles, "hr-cert", match, Deed.AGREE) is Code.BLIND_MATCH_CLOSED
    assert await refused(circles, "hr-cert", match, Deed.ASK, " ") is Code.MALFORMED_REQUEST
    assert await refused(circles, "hr-cert", match, Deed.ASK, "a\x00b") is Code.MALFORMED_REQUEST
    assert await refused(circles, "hr-cert", match, Deed.ASK, "why", [theirs]) is Code.MALFORMED_REQUEST
    assert await refused(circles, BROKER, match, Deed.FORWARD) is Code.NOT_FOUND  # nobody has asked
    before = await look(circles, "alcirt", match)
    assert await act(circles, "hr-cert", match, Deed.ASK, "ours", [mine]) == "asked"
    during = await look(circles, "alcirt", match)
    assert (during.seen.state, during.may, during.steps) == (before.seen.state, before.may, ())
    brokered = await look(circles, BROKER, match)
    assert [(side.team, side.stance.value) for side in brokered.seen.match.sides] == [("alcirt", "silent"), ("hr-cert", "asked")]
    assert (brokered.may, [step.note for step in brokered.steps]) == (frozenset({"forward", "close"}), ["ours"])
    assert await refused(circles, "hr-cert", match, Deed.FORWARD) is Code.FORBIDDEN
    assert await act(circles, BROKER, match, Deed.FORWARD, "please") == "forwarded"
    forwarded, waiting = await look(circles, "alcirt", match), await look(circles, "hr-cert", match)
    assert (forwarded.seen.state, forwarded.may, forwarded.seen.opened) == ("forwarded", frozenset({"agree", "refuse"}), ())
    assert (waiting.seen.state, waiting.may, waiting.seen.opened) == ("waiting", frozenset({"refuse"}), ())
    assert [step.note for step in forwarded.steps] == ["please"]
    assert await act(circles, "alcirt", match, Deed.AGREE, "theirs") == "opened"
    for team, other, objects in (("hr-cert", "alcirt", (theirs,)), ("alcirt", "hr-cert", (mine,))):
        shown = await look(circles, team, match)
        assert [(side.team, side.objects) for side in shown.seen.opened] == [(other, objects)]
        assert [step.note for step in shown.steps] == ["ours", "please", "theirs"]
        assert shown.may == set()
    assert second not in {one for side in shown.seen.match.sides for one in side.objects}
    deeds = ["tell", "ask", "forward", "agree"]
    assert [row["deed"] for row in await circles.rows("blind_steps")] == deeds
    audited = [row["action"] for row in await circles.rows("audit")]
    assert [one for one in audited if one.startswith("blind-")] == [f"blind-{deed}" for deed in deeds]


async def test_who_refuses_is_never_named_and_a_coordinator_ends_what_was_asked(circles):
    """The asker learns that it was refused; the third side, which agrees, is named; the one that refused is not."""
    for value, count in (("pair.example", 2), ("three.example", 3)):
        for circle in list(CIRCLES)[:count]:
            await hold(circles, circle, value)
    circles.clock.at_us += DAY_US
    for value, state in (("pair.example", "refused"), ("three.example", "opened")):
        match = (await told(circles, "hr-cert"))[value]
        await act(circles, "hr-cert", match, Deed.ASK, "who?")
        await act(circles, BROKER, match, Deed.FORWARD)
        assert await act(circles, "alcirt", match, Deed.REFUSE, "never") == "refused"
        if value == "three.example":
            assert (await look(circles, "hr-cert", match)).seen.state == "waiting"
            await act(circles, "srb-cert", match, Deed.AGREE)
        shown = await look(circles, "hr-cert", match)
        assert (shown.seen.state, [one.team for one in shown.seen.opened]) == (state, ["srb-cert"] if state == "opened" else [])
        assert "never" not in {step.note for step in shown.steps}
        assert (await look(circles, "alcirt", match)).seen.opened == ()
    await hold(circles, "north", "both-ask.example")
    await hold(circles, "south", "both-ask.example")
    circles.clock.at_us += DAY_US
    both = (await told(circles, "hr-cert"))["both-ask.example"]
    for team in ("hr-cert", "alcirt"):
        assert await act(circles, team, both, Deed.ASK, "who?") == "asked"
    assert (await look(circles, "hr-cert", both)).seen.opened == ()
    assert await act(circles, BROKER, both, Deed.FORWARD) == "opened"
    assert await act(circles, BROKER, match, Deed.CLOSE, "enough") == "closed"
    for team in ("hr-cert", "alcirt", BROKER):
        assert (await look(circles, team, match)).may == set()
    assert await refused(circles, "srb-cert", match, Deed.REFUSE) is Code.BLIND_MATCH_CLOSED


async def test_match_ends_at_midnight_when_it_is_not_held_any_more(circles):
    """Revoked, deleted, marked up, called harmless, circle opted out: over for both, and not in the same hour."""
    ways = ("revoked", "deleted", "marked-up", "harmless", "still-held")
    mine = {way: await hold(circles, "north", f"{way}.example") for way in ways}
    for way in ways:
        await hold(circles, "south", f"{way}.example")
    await hold(circles, "east", "opted-out.example")
    await hold(circles, "south", "opted-out.example")
    circles.clock.at_us += DAY_US
    before = await told(circles, "alcirt")
    assert len(before) == 6
    later = write_timestamp(circles.clock.at_us)
    await hold(circles, "north", "revoked.example", id=mine["revoked"], modified=later, revoked=True)
    await hold(circles, "north", "marked-up.example", Tlp.AMBER_STRICT, id=mine["marked-up"], modified=later)
    await circles.delete(mine["deleted"], team="hr-cert", collection="north")
    false = {"value": "harmless.example", "kind": "false-positive", "collection": "north"}
    await circles.sight(false, team="hr-cert")
    await circles.catch_up()
    await set_blind_matching(circles.database, circles.clock, "east", on=False)
    after = await told(circles, "alcirt")
    assert {value: (seen.state, seen.ends_us) for value, seen in after.items()} == {
        value: (seen.state, seen.ends_us) for value, seen in before.items()
    }
    assert await refused(circles, "hr-cert", after["revoked.example"], Deed.ASK, "why") is Code.BLIND_MATCH_CLOSED
    circles.clock.at_us += DAY_US
    states = {value: seen.state for value, seen in (await told(circles, "alcirt")).items()}
    held = {"still-held.example": "told"}
    assert states == dict.fromkeys(before, "withdrawn") | held
    circles.clock.at_us += 30 * DAY_US
    assert (await told(circles, "alcirt"))["still-held.example"].state == "expired"


async def test_guesses_are_bounded_by_team_and_day_whether_they_hit_or_miss(circles, monkeypatch):
    """Beyond its bound a team learns nothing more that day; its victim is told as well; a value counts once in 30 days."""
    monkeypatch.setattr("regcert.flows.match_blindly.MOST_COMPARED_A_DAY", 4)
    monkeypatch.setattr("regcert.flows.match_blindly.MOST_TOLD_A_DAY", 2)
    values = [f"held{number}.example" for number in range(4)]
    await circles.publish(*map(naming, values), team="alcirt", collection="south")
    await circles.catch_up()
    await hold(circles, "north", "flapping.example", id="indicator--11111111-1111-4111-8111-111111111111")
    circles.clock.at_us += DAY_US
    for value in values:
        await hold(circles, "north", value)
    for hour in (1, 2):
        again = write_timestamp(circles.clock.at_us + hour)
        flapping: dict[str, Any] = {
            "id": "indicator--11111111-1111-4111-8111-111111111111",
            "modified": again,
            "revoked": hour == 1,
        }
        await hold(circles, "north", "flapping.example", **flapping)
    await hold(circles, "south", "flapping.example")  # the victim's own bound is untouched
    circles.clock.at_us += DAY_US
    assert len((await told(circles, "hr-cert")).keys() & set(values)) == 2
    assert (await told(circles, "alcirt")).keys() == (await told(circles, "hr-cert")).keys() >= {"flapping.example"}
    counted = (await listed(circles, BROKER)).tried
    assert {one.team: (one.compared, one.told) for one in counted} == {"hr-cert": (2, 2), "alcirt": (1, 1)}
    misses = [naming(f"miss{number}.example") for number in range(9)]
    await circles.publish(*misses, team="hr-cert", collection="north")
    await circles.catch_up()
    assert (await listed(circles, BROKER)).tried == counted  # of today nothing is told
    circles.clock.at_us += DAY_US
    assert {one.team: (one.compared, one.told) for one in (await listed(circles, BROKER)).tried}["hr-cert"] == (4, 0)


def test_constants_are_those_of_the_record():
    """docs/decisions/0021 promises these bounds."""
    assert (blind_match.MOST_COMPARED_A_DAY, blind_match.MOST_TOLD_A_DAY) == (1000, 50)
    assert (blind_match.STRICTEST, blind_match.OPEN_FOR_US) == (Tlp.AMBER, 30 * DAY_US)
