"""Markings as a lattice: the strictest counts, what cannot be told is RED, and nothing is lowered but by whoever set it."""

import itertools
import random
import uuid
from dataclasses import replace
from typing import Any

import pytest

from regcert.domain.standing import Standing
from regcert.policy.lowering import is_bound, least_marking, mildest
from regcert.stix.tlp import MARKING_IDS, Tlp
from tests.made import indicator, sdo
from tests.policy.test_admission import STATEMENT, UNKNOWN, VENDOR, door, statement

WORLDS = 400


def oracle(refs: list[str], ceiling: Tlp) -> Tlp:
    """The rules again, one after the other: a step, or RED where none is known; a statement is none; without any, the ceiling."""
    steps = [MARKING_IDS.get(ref, Tlp.RED) for ref in refs if ref != STATEMENT]
    return max(steps) if steps else ceiling


@pytest.mark.parametrize("seed", range(4))
def test_marking_is_the_strictest_of_what_can_be_told(schemas, seed):
    """Any mixture of TLP 1, TLP 2, statements and unknown ids, for the whole and for parts, under every ceiling."""
    drawn = random.Random(seed)
    for _ in range(WORLDS // 4):
        whole: list[str] = drawn.sample([*MARKING_IDS, STATEMENT, UNKNOWN], drawn.randrange(4))
        parts: list[str] = drawn.sample([*MARKING_IDS, STATEMENT, UNKNOWN], drawn.randrange(3))
        properties: dict[str, Any] = {"object_marking_refs": whole} if whole else {}
        if parts:
            properties["granular_markings"] = [{"marking_ref": ref, "selectors": ["pattern", "created"]} for ref in parts]
        ceiling = drawn.choice(list(Tlp))
        admitted = door(schemas, statement(id=STATEMENT), indicator(**properties), ceiling=ceiling)
        expected = oracle(whole + parts, ceiling)
        shown = [one for one in admitted.objects if one.stix.type == "indicator"]
        assert [one.marking for one in shown] == ([expected] if expected <= ceiling else [])
        assert len(admitted.refused) == (expected > ceiling)


def test_order_of_markings_says_nothing(schemas):
    """Whatever the order, and however often one stands there."""
    for refs in itertools.permutations([*list(MARKING_IDS)[4:7], STATEMENT]):
        admitted = door(schemas, statement(id=STATEMENT), indicator(object_marking_refs=list(refs)))
        assert admitted.objects[-1].marking is Tlp.AMBER


@pytest.mark.parametrize("after", list(Tlp))
@pytest.mark.parametrize("before", list(Tlp))
def test_version_may_not_be_milder_than_the_newest_that_stands(schemas, before, after):
    """For every two steps: stricter and equal pass, milder does not; nor with an older version beside the newest."""
    marking_id = {step: marking for marking, step in MARKING_IDS.items()}[after]
    admitted = door(schemas, indicator(object_marking_refs=[marking_id]))
    (one,) = admitted.objects
    for others in ([], [Standing(5, Tlp.RED, 2, "identity--x", b"older")]):
        newest = Standing(10, before, 1, one.author, b"another")
        assert (one.marking >= least_marking(one, None, [*others, newest], admitted)) is (after >= before)
        assert (one.marking >= least_marking(one, newest, others, admitted)) is (after >= before)


@pytest.mark.parametrize(
    ("declassified", "team_id", "digest", "author", "least"),
    [
        (False, 1, b"other", "own", Tlp.RED),
        (True, 1, b"other", "own", Tlp.CLEAR),  # by whoever set it
        (True, 2, b"other", "own", Tlp.RED),  # and by nobody else
        (False, 1, None, "own", Tlp.CLEAR),  # the very same object, in a wider collection of its owner's choice
        (False, 2, None, VENDOR, Tlp.RED),  # a neighbour's, that looks the same and has another author
    ],
    ids=["not-declassified", "by-whoever-set-it", "by-nobody-else", "the-same-object", "another-author"],
)
def test_owner_alone_declassifies(schemas, declassified, team_id, digest, author, least):
    """The signature of the team that published it frees it; the same bytes by the same author were never lowered."""
    admitted = door(schemas, indicator())
    (one,) = admitted.objects
    author = one.author if author == "own" else author
    standing = Standing(1, Tlp.RED, team_id, author, digest or one.stix.digest)
    freed = frozenset({one.stix.stix_id}) if declassified else frozenset({f"indicator--{uuid.uuid4()}"})
    assert least_marking(one, None, [standing], replace(admitted, declassified=freed)) is least
    assert least_marking(one, standing, [], replace(admitted, declassified=freed)) is least


def test_stricter_copy_binds_nobody_whose_object_is_out_already(schemas):
    """A neighbour's stricter copy elsewhere does not stop an author's next version; the author's own newer one does."""
    admitted = door(schemas, indicator())
    (one,) = admitted.objects
    here = Standing(10, Tlp.GREEN, 1, one.author, b"here")
    copies = [Standing(at, Tlp.RED, 2, VENDOR, b"copy") for at in (5, 10, 99)]
    older = [Standing(at, Tlp.RED, 1, one.author, b"older") for at in (5, 10)]
    newer = Standing(11, Tlp.AMBER, 1, one.author, b"newer")
    assert least_marking(one, here, [*copies, *older], admitted) is Tlp.GREEN
    assert least_marking(one, here, [*copies, newer], admitted) is Tlp.AMBER
    assert least_marking(one, None, copies, admitted) is Tlp.RED


def test_words_and_values_are_bound_by_nothing(schemas):
    """A marking is a word of the language, and the id of a cyber-observable follows from its value: neither is a promise."""
    address = {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
        "value": "198.51.100.3",
    }
    admitted = door(schemas, statement(), address, indicator(), sdo("identity", name="x", identity_class="organization"))
    assert [is_bound(one) for one in admitted.objects] == [False, False, True, True]


def test_mildest_is_the_least_of_a_submission(schemas):
    """What nothing stricter can stand beside need not be looked up."""
    green = next(marking for marking, step in MARKING_IDS.items() if step is Tlp.GREEN)
    admitted = door(schemas, indicator(), indicator(object_marking_refs=[green]))
    assert mildest(admitted.objects) is Tlp.GREEN
    assert mildest(()) is Tlp.RED
