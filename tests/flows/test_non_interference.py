"""What you may not see changes nothing that you can obtain.

A random week is played twice, on two hosts that are copies of each other: once with a thing in a restricted collection, once
without it. Then every byte is compared that somebody who may not see it can obtain: objects, manifests, versions, statuses,
headers, tags, cursors, errors, incidents, alerts, sightings, what is held back, what the centre publishes, and pages. Left out is
only what belongs to the single request and what the host draws by lot, and the public log, which says that something was
published, and to nobody what. Where circles agreed to blind matches, these are told, and are all that differs.
"""

import os
import uuid
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from regcert.assembly import parts
from regcert.clock import DAY_US
from regcert.domain.collection import SignatureRule
from regcert.domain.region import CollectionEntry
from regcert.flows.add_collection import add_collection
from regcert.flows.set_blind_matching import set_blind_matching
from regcert.stix.tlp import Tlp
from regcert.workers import centre, correlator
from tests.flows.worlds import BLIND, BLIND_VALUE, HIDDEN, ONLOOKERS, OUTSIDERS, Signing, Twin, Writer, found, look, play, twins
from tests.signers import Signer

WORLDS = int(os.environ.get("REGCERT_TEST_WORLDS", "24"))
# Twins are used for several worlds, one after the other: what was hidden in the first is still hidden in the last.
WORLDS_A_HOST = 12


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def founded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], Signer]:
    """A host that was founded, closed, and can be copied."""
    folder = tmp_path_factory.mktemp("founded")
    return folder, *await found(folder)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Correlation reads on, and the centre publishes, when the test says so: else that depends on how busy a host is."""

    async def nothing(*_args: object) -> bool:
        return False

    schemas = parts.load_schemas()
    monkeypatch.setattr(parts, "load_schemas", lambda: schemas)
    monkeypatch.setattr(correlator, "correlate", nothing)
    monkeypatch.setattr(centre, "publish_incidents", nothing)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("first", range(0, WORLDS, WORLDS_A_HOST))
async def test_nothing_differs_for_those_who_may_not_see_it(founded, by_hand, tmp_path, first):
    """With a restricted object or without it, an outsider obtains the same."""
    folder, tokens, signer = founded
    signing = Signing(signer)
    async with twins(folder, tokens, tmp_path) as (one, other):
        for seed in range(first, min(first + WORLDS_A_HOST, WORLDS)):
            world = Writer(seed, one.host.clock.at_us, signing).write()
            assert await play(world, one, hidden=True) == await play(world, other, hidden=False), seed
            who = list(ONLOOKERS)[seed % len(ONLOOKERS)]
            seen, expected = await look(world, one, who), await look(world, other, who)
            assert seen.keys() == expected.keys(), (seed, who)
            for path, answer in seen.items():
                assert answer == expected[path], (seed, who, path)


BEYOND = "beyond-group"
BEYOND_ID = str(uuid.uuid4())
TOLD_THE_NEXT_DAY = ("a neighbour", "a coordinator of the centre")
TOLD = {"circles": 1, "marking": "TLP:GREEN"}


@pytest.mark.asyncio(loop_scope="module")
async def test_blind_match_is_all_that_differs_where_both_circles_agreed_to_it(founded, by_hand, tmp_path):
    """With the other's object or without it: one match, of the declared fields, told to who holds the value, the next day."""
    folder, tokens, signer = founded
    async with twins(folder, tokens, tmp_path) as (one, other):
        for twin in (one, other):
            await let_take_part(twin)
        world = Writer(4711, one.host.clock.at_us, Signing(signer)).write_blind(HIDDEN[0], BEYOND)
        assert await play(world, one, hidden=True) == await play(world, other, hidden=False)
        for day, onlookers in enumerate((TOLD_THE_NEXT_DAY, ONLOOKERS)):
            for who in onlookers:
                seen, expected = await look(world, one, who), await look(world, other, who)
                differs = {path for path, answer in seen.items() if answer != expected[path]}
                assert differs <= (set(BLIND) if day and who in TOLD_THE_NEXT_DAY else set()), who
            for twin in (one, other):
                twin.host.clock.at_us = (twin.host.clock.at_us // DAY_US + 1) * DAY_US
        told = [orjson.loads((await twin.ask("a neighbour", "GET", BLIND[0]))[2]) for twin in (one, other)]
        assert told[1] == {"matches": [], "next": None}
        [match] = told[0].pop("matches")
        assert told[0] == {"next": None}
        assert match == {
            "id": match["id"], "state": "told", "told": match["told"], "ends": match["ends"], "may": ["ask", "refuse"],
            "value": {"kind": "domain", "value": BLIND_VALUE}, "others": TOLD,
        }  # fmt: skip
        assert [len(match[name]) for name in ("id", "told", "ends")] == [36, 10, 10]
        counted = [orjson.loads((await twin.ask("a coordinator of the centre", "GET", BLIND[0]))[2]) for twin in (one, other)]
        assert [page["matches"] for page in counted] == [[], []]  # nobody has asked
        assert [each["team"] for page in counted for each in page["compared"]] == ["alcirt", "hr-cert", "hr-cert"]


async def let_take_part(twin: Twin) -> None:
    """Let two circles agree to blind matches: that of the insiders, and a new one of the outsiders."""
    inside = twin.host.inside
    entry = CollectionEntry(
        BEYOND, BEYOND_ID, "Beyond", "For a test.", Tlp.AMBER, SignatureRule.ACCEPTED, OUTSIDERS, OUTSIDERS, blind_matching=True
    )
    await add_collection(inside.database, twin.host.clock, entry)
    await set_blind_matching(inside.database, twin.host.clock, HIDDEN[0], on=True)
