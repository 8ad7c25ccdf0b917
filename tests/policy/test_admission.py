"""What may stand in a collection: under its ceiling, and in nobody else's voice."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.principal import Principal, Role
from regcert.domain.submission import Admitted, Received, parse
from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal
from regcert.policy.admission import admit, unknown_markings
from regcert.signing.verify import TeamStanding, verify
from regcert.stix.tlp import MARKING_IDS, Tlp
from tests.made import CREATED, envelope, indicator, sdo

OWN = f"identity--{uuid.uuid4()}"
NEIGHBOUR = f"identity--{uuid.uuid4()}"
VENDOR = f"identity--{uuid.uuid4()}"
STATEMENT = f"marking-definition--{uuid.uuid4()}"
UNKNOWN = f"marking-definition--{uuid.uuid4()}"
TEAM = Team(1, "alcirt", "AL-CSIRT", "AL", TeamKind.NATIONAL, OWN)


def collection(ceiling: Tlp) -> Collection:
    return Collection(1, str(uuid.uuid4()), "some", "root", "Some", "Some", ceiling, SignatureRule.ACCEPTED, "all")


def door(schemas, *objects, ceiling=Tlp.RED, stored=None) -> Admitted:
    """Bring objects to the door of a collection."""
    received = Received(Principal(TEAM, Role.ANALYST, 1, None), collection(ceiling), envelope(*objects), 1_795_000_000_000_000)
    parsed = parse(received, schemas)
    assert not parsed.refused, parsed.refused
    return admit(verify(parsed, TeamStanding("")), neighbours=frozenset({NEIGHBOUR}), stored=stored or {})


def marked(*marking_ids: str) -> dict[str, Any]:
    return indicator(object_marking_refs=list(marking_ids)) if marking_ids else indicator()


def granular(marking_id: str) -> dict[str, Any]:
    return indicator(granular_markings=[{"marking_ref": marking_id, "selectors": ["pattern"]}])


def statement(**properties) -> dict[str, Any]:
    made = sdo("marking-definition", definition_type="statement", definition={"statement": "Copyright"}) | properties
    return {name: value for name, value in made.items() if name != "modified"}


def outcome(admitted: Admitted, place: int = 0) -> Tlp | Code:
    """The marking under which an object was admitted, or why it was not."""
    if admitted.refused:
        return admitted.refused[0].refusal.code
    return admitted.objects[place].marking


def expected(marking: Tlp, ceiling: Tlp) -> Tlp | Code:
    return marking if marking <= ceiling else Code.MARKING_ABOVE_CEILING


@pytest.mark.parametrize("ceiling", list(Tlp))
@pytest.mark.parametrize(("marking_id", "step"), MARKING_IDS.items())
def test_marking_is_held_against_the_ceiling(schemas, ceiling, marking_id, step):
    """Every step of TLP 1 and TLP 2, for the whole object or a part of it, under every ceiling."""
    assert outcome(door(schemas, marked(marking_id), ceiling=ceiling)) == expected(step, ceiling)
    assert outcome(door(schemas, granular(marking_id), ceiling=ceiling)) == expected(step, ceiling)


@pytest.mark.parametrize("ceiling", list(Tlp))
@pytest.mark.parametrize("one", list(MARKING_IDS.items())[4:])
@pytest.mark.parametrize("other", list(MARKING_IDS.items())[4:])
def test_strictest_decides_when_there_are_several_markings(schemas, ceiling, one, other):
    """Two markings, in either place: the stricter of the two is the object's."""
    both = [marked(one[0], other[0]), granular(one[0]) | {"object_marking_refs": [other[0]]}]
    for made in both:
        assert outcome(door(schemas, made, ceiling=ceiling)) == expected(max(one[1], other[1]), ceiling)


@pytest.mark.parametrize("ceiling", list(Tlp))
def test_ceiling_stands_in_when_an_object_is_unmarked(schemas, ceiling):
    """What says nothing about its sensitivity is as sensitive as its collection may be."""
    assert outcome(door(schemas, marked(), ceiling=ceiling)) == ceiling


@pytest.mark.parametrize("ceiling", list(Tlp))
@pytest.mark.parametrize("make", [marked, granular])
def test_unknown_marking_counts_as_red(schemas, ceiling, make):
    """The host does not guess downwards; the refusal says what to send first."""
    admitted = door(schemas, make(UNKNOWN), ceiling=ceiling)
    assert outcome(admitted) == expected(Tlp.RED, ceiling)
    if admitted.refused:
        assert "send the marking-definition first" in admitted.refused[0].refusal.message
        assert UNKNOWN not in admitted.refused[0].refusal.message


@pytest.mark.parametrize("ceiling", list(Tlp))
def test_statement_restricts_nothing_wherever_it_is_defined(schemas, ceiling):
    """A copyright is no TLP: alone, the ceiling stands in; beside a step, the step decides."""
    green = next(marking_id for marking_id, step in MARKING_IDS.items() if step is Tlp.GREEN)
    for stored, extra in (({STATEMENT: None}, ()), ({}, (statement(id=STATEMENT),))):
        assert outcome(door(schemas, marked(STATEMENT), *extra, ceiling=ceiling, stored=stored)) == ceiling
        both = door(schemas, marked(STATEMENT, green), *extra, ceiling=max(ceiling, Tlp.GREEN), stored=stored)
        assert outcome(both) == Tlp.GREEN


@pytest.mark.parametrize("order", [1, -1])
def test_definition_counts_when_it_comes_in_the_same_envelope(schemas, order):
    """In front of the object or behind it."""
    objects = [statement(id=STATEMENT), marked(STATEMENT)][::order]
    admitted = door(schemas, *objects, ceiling=Tlp.GREEN)
    assert not admitted.refused
    assert {one.marking for one in admitted.objects} == {Tlp.GREEN}


def test_definition_opens_no_door_when_it_borrows_a_name_or_an_id(schemas):
    """Names are free, ids are not: what the host read as RED stays RED, and no content under a TLP id makes it another step."""
    assert outcome(door(schemas, marked(UNKNOWN), ceiling=Tlp.AMBER, stored={UNKNOWN: Tlp.RED})) is Code.MARKING_ABOVE_CEILING
    red = next(marking_id for marking_id, step in MARKING_IDS.items() if step is Tlp.RED)
    for stored in ({red: None}, {red: Tlp.CLEAR}):
        assert outcome(door(schemas, marked(red), ceiling=Tlp.AMBER, stored=stored)) is Code.MARKING_ABOVE_CEILING


def test_unknown_markings_are_those_that_nothing_explains(schemas):
    """What is looked up in the store is neither TLP nor defined beside the object."""
    tlp = next(iter(MARKING_IDS))
    received = Received(
        Principal(TEAM, Role.ANALYST, 1, None),
        collection(Tlp.RED),
        envelope(marked(tlp, UNKNOWN), granular(STATEMENT), statement(id=STATEMENT)),
        0,
    )
    assert unknown_markings(parse(received, schemas).objects) == {UNKNOWN}


def test_object_is_refused_when_it_speaks_for_another_team(schemas):
    """Neither as the author of anything, nor as the identity itself; the rest of the envelope is taken."""
    theirs = [
        indicator(created_by_ref=NEIGHBOUR),
        sdo("identity", id=NEIGHBOUR, name="Them", identity_class="organization"),
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": STATEMENT,
            "created": CREATED,
            "created_by_ref": NEIGHBOUR,
            "definition_type": "statement",
            "definition": {"statement": "x"},
        },
    ]
    admitted = door(schemas, *theirs, indicator())
    assert [one.refusal.code for one in admitted.refused] == [Code.SPEAKS_FOR_ANOTHER_TEAM] * 3
    assert len(admitted.objects) == 1


def test_author_is_kept_when_a_third_party_is_relayed(schemas):
    """Who relays a vendor's word does not become its author; who says nothing speaks for itself."""
    admitted = door(schemas, indicator(created_by_ref=VENDOR), indicator(), indicator(created_by_ref=OWN))
    assert [one.author for one in admitted.objects] == [VENDOR, OWN, OWN]


def test_refusals_of_earlier_steps_are_kept(schemas):
    """Nothing is refused silently: what parsing refused stands in the final list."""
    received = Received(
        Principal(TEAM, Role.ANALYST, 1, None), collection(Tlp.RED), envelope({"type": "indicator"}, indicator()), 0
    )
    parsed = parse(received, schemas)
    assert len(parsed.refused) == 1
    admitted = admit(verify(parsed, TeamStanding("")), neighbours=frozenset(), stored={})
    assert admitted.refused == parsed.refused
    assert len(admitted.objects) == 1


def test_signature_rule_refuses_when_signatures_are_required(schemas):
    """A check that is not made must not look as if it had been: 'required' takes nothing in this release."""
    required = replace(collection(Tlp.RED), signature=SignatureRule.REQUIRED)
    received = Received(Principal(TEAM, Role.ANALYST, 1, None), required, envelope(indicator()), 0)
    with pytest.raises(Refusal, match="signed publications only") as refused:
        verify(parse(received, schemas), TeamStanding(""))
    assert refused.value.code is Code.SIGNATURE_REQUIRED
