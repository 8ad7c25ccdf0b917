"""No marking is lowered behind the back of whoever set it, in one collection or in the next; on both databases."""

import asyncio
from typing import Any

import orjson
import pytest

from regcert.flows.publish import publish
from regcert.stix.tlp import MARKING_IDS, Tlp
from tests.made import indicator
from tests.signers import enrol
from tests.store.acting import INDICATORS, Acting

_IDS = {step: marking_id for marking_id, step in MARKING_IDS.items()}
GROUP, OWN, OPEN = "financial-sector-group", "team-alcirt", "public"
LATER = {"modified": "2026-11-05T10:00:00.000Z"}


def marked(step: Tlp | None, **properties: Any) -> dict[str, Any]:
    made = indicator(**properties)
    return made if step is None else made | {"object_marking_refs": [_IDS[step]]}


def remarked(one: dict[str, Any], step: Tlp | None, **properties: Any) -> dict[str, Any]:
    """The next version, with another marking or none."""
    kept = {name: value for name, value in one.items() if name != "object_marking_refs"}
    return kept | LATER | ({} if step is None else {"object_marking_refs": [_IDS[step]]}) | properties


def codes(status: dict[str, Any]) -> list[str]:
    return [one["message"].partition(":")[0] for one in status.get("failures", [])]


async def test_version_is_refused_when_it_is_marked_more_mildly(acting: Acting):
    """In the same collection: AMBER stays AMBER or becomes stricter; and an unmarked one stands as strict as its collection."""
    for before, after, fits in (
        (Tlp.AMBER, Tlp.GREEN, False),
        (Tlp.AMBER, Tlp.AMBER, True),
        (Tlp.GREEN, Tlp.AMBER, True),
        (Tlp.GREEN, None, True),
        (None, Tlp.GREEN, False),
        (None, Tlp.AMBER, True),
    ):
        one = marked(before)
        await acting.publish(one)
        status = await acting.publish(remarked(one, after))
        assert codes(status) == ([] if fits else ["marking-lowered"]), (before, after)
        assert len(await acting.poll()) >= 1


async def test_same_object_again_is_not_lowered(acting: Acting):
    """Whoever sends again what is here is told that it is here, also when a stricter version came since."""
    one = marked(Tlp.GREEN)
    await acting.publish(one)
    await acting.publish(remarked(one, Tlp.AMBER))
    assert (await acting.publish(one))["success_count"] == 1
    assert codes(await acting.publish(remarked(one, Tlp.GREEN, modified="2026-11-03T10:00:00.000Z"))) == ["marking-lowered"]


async def test_object_is_refused_elsewhere_when_it_stands_more_strictly_where_its_sender_reads(acting: Acting):
    """A neighbour's promise holds in every collection: stripped of its marking, back-dated or renamed, it is refused."""
    one = marked(Tlp.AMBER_STRICT)
    await acting.publish(one, team="srb-cert", collection=GROUP)
    for bad in (
        remarked(one, Tlp.GREEN),
        remarked(one, None),
        remarked(one, Tlp.CLEAR, modified=one["created"], name="Same version"),
        remarked(one, Tlp.CLEAR, created="2026-01-01T00:00:00.000Z", modified="2026-01-01T00:00:00.000Z"),
    ):
        status = await acting.publish(bad, indicator(), team="alcirt")
        assert codes(status) == ["marking-lowered"]
        assert status["success_count"] == 1
    assert one["id"] not in str(await acting.poll(team="hr-cert"))


async def test_nothing_is_confirmed_to_whoever_may_not_see_it(acting: Acting):
    """Outside its circle, and for a token narrowed to elsewhere, a stricter one does not exist."""
    one = marked(Tlp.AMBER_STRICT)
    await acting.publish(one, team="srb-cert", collection=GROUP)
    assert codes(await acting.publish(remarked(one, Tlp.GREEN), team="hr-cert", collection=INDICATORS)) == []
    narrowed = await acting.principal("mkd-cert", OPEN)
    acting.principals["mkd-cert", ()] = narrowed
    assert codes(await acting.publish(remarked(one, Tlp.CLEAR), team="mkd-cert", collection=OPEN)) == []


async def test_nothing_is_confirmed_to_whoever_only_writes(acting: Acting):
    """A collection that a team writes and does not read: only what the team put there itself binds it."""
    letter_box = await acting.collection(("alcirt",), ("alcirt", "hr-cert"), Tlp.AMBER)
    vendor = {"created_by_ref": "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}
    theirs, ours = marked(Tlp.AMBER, **vendor), marked(Tlp.AMBER)
    await acting.publish(theirs, team="alcirt", collection=letter_box)
    await acting.publish(ours, team="hr-cert", collection=letter_box)
    assert codes(await acting.publish(remarked(theirs, Tlp.GREEN), team="hr-cert", collection=letter_box)) == []
    assert codes(await acting.publish(remarked(ours, Tlp.GREEN), team="hr-cert", collection=letter_box)) == ["marking-lowered"]


async def test_same_bytes_may_stand_in_several_collections(acting: Acting):
    """What carries no marking and was first tried in a team's own collection is shared by posting it again as it is."""
    one = marked(None)
    await acting.publish(one, collection=OWN)
    assert codes(await acting.publish(one, collection=INDICATORS)) == []
    vendor = marked(None, created_by_ref="identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
    await acting.publish(vendor, team="srb-cert", collection=GROUP)
    assert codes(await acting.publish(vendor, collection=INDICATORS)) == []
    await acting.publish(theirs := marked(None), team="srb-cert", collection=GROUP)
    assert codes(await acting.publish(theirs, collection=INDICATORS)) == ["marking-lowered"]


async def test_stricter_copy_stops_nobody_whose_object_is_out(acting: Acting):
    """A neighbour copies it into a closed circle with a stricter marking: its author goes on publishing it as before."""
    one = marked(Tlp.GREEN)
    await acting.publish(one)
    await acting.publish(remarked(one, Tlp.AMBER_STRICT, modified="2026-11-04T10:00:00.000Z"), team="srb-cert", collection=GROUP)
    assert codes(await acting.publish(remarked(one, Tlp.GREEN))) == []


@pytest.mark.parametrize("declassifies", [True, False])
async def test_owner_declassifies_over_its_signature(acting, declassifies):
    """The team that published it lowers it in a signed publication that says so; without the word, nothing of it is taken."""
    signer = await enrol(acting.database, acting.clock)
    one = marked(Tlp.AMBER)
    await acting.publish(one)
    lowered = remarked(one, Tlp.GREEN)
    body = await signer.envelope(lowered, declassifies=[one["id"]] if declassifies else [])
    received = await acting.received(body)
    if not declassifies:
        with pytest.raises(Exception, match="publication-refused"):
            await publish(acting.database, acting.schemas, received)
        return
    receipt = await publish(acting.database, acting.schemas, received)
    assert orjson.loads(receipt.status)["failure_count"] == 0
    assert codes(await acting.publish(remarked(one, Tlp.GREEN, modified="2026-11-09T10:00:00.000Z"))) == []


async def test_neighbours_marking_is_not_declassified_by_another(acting: Acting):
    """A signature frees only what its own team published."""
    signer = await enrol(acting.database, acting.clock)
    vendor = marked(Tlp.AMBER_STRICT, created_by_ref="identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
    await acting.publish(vendor, team="srb-cert", collection=GROUP)
    body = await signer.envelope(remarked(vendor, Tlp.GREEN), declassifies=[vendor["id"]])
    with pytest.raises(Exception, match="publication-refused"):
        await publish(acting.database, acting.schemas, await acting.received(body))


async def test_markings_hold_when_two_post_at_once(acting: Acting):
    """Whichever comes first, the milder one is not taken behind the stricter: it is looked up under the order lock."""
    ones = [marked(Tlp.AMBER) for _ in range(5)]
    await acting.publish(indicator(), collection=GROUP)  # or nobody would look there
    await asyncio.gather(
        *(acting.publish(one | {"object_marking_refs": [_IDS[Tlp.AMBER_STRICT]]}, collection=GROUP) for one in ones),
        *(acting.publish(remarked(one, Tlp.GREEN), collection=INDICATORS) for one in ones),
    )
    rows = await acting.rows("objects")
    for one in ones:
        placed = sorted((row["position"], row["marking"]) for row in rows if row["stix_id"] == one["id"])
        assert [marking for _, marking in placed] in ([Tlp.AMBER_STRICT], [Tlp.GREEN, Tlp.AMBER_STRICT])
