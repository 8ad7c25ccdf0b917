"""What you may not see changes nothing that you can obtain.

A random week is played twice, on two hosts that are copies of each other: once with a thing in a restricted collection, once
without it. Then every byte is compared that somebody who may not see it can obtain: objects, manifests, versions, statuses,
headers, tags, cursors, errors, incidents and pages. Left out are only what belongs to the single request and what the host draws
by lot, and the public log, which says that something was published, and to nobody what.
"""

import os
from pathlib import Path

import pytest
import pytest_asyncio

from regcert.assembly import parts
from regcert.workers import correlator
from tests.flows.worlds import ONLOOKERS, Signing, Writer, found, look, play, twins
from tests.signers import Signer

WORLDS = int(os.environ.get("REGCERT_TEST_WORLDS", "40"))
# Twins are used for several worlds, one after the other: what was hidden in the first is still hidden in the last.
WORLDS_A_HOST = 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def founded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], Signer]:
    """A host that was founded, closed, and can be copied."""
    folder = tmp_path_factory.mktemp("founded")
    return folder, *await found(folder)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Correlation reads on when the test says so: how often it does in between may depend on how busy a host is."""

    async def nothing(*_args: object) -> bool:
        return False

    schemas = parts.load_schemas()
    monkeypatch.setattr(parts, "load_schemas", lambda: schemas)
    monkeypatch.setattr(correlator, "correlate", nothing)


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
