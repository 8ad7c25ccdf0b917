"""TLP as a scale, its ids, its spellings, and definitions that only look like it."""

import itertools
import json
from typing import Any

import pytest
from stix2 import TLP_AMBER, TLP_GREEN, TLP_RED, TLP_WHITE

from regcert.errors import Code, Refusal
from regcert.stix.tlp import MARKING_IDS, Tlp, definition_tlp, read_tlp

EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"


def test_scale_is_in_the_order_of_first():
    """CLEAR, GREEN, AMBER, AMBER+STRICT, RED: each stricter than the one before."""
    labels = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
    assert [step.label for step in Tlp] == labels
    assert all(milder < stricter for milder, stricter in itertools.pairwise(Tlp))


def test_every_step_has_its_ids():
    """TLP 2.0 names five steps, TLP 1.x the four without +STRICT."""
    counted = {step: sum(1 for one in MARKING_IDS.values() if one is step) for step in Tlp}
    assert counted == {Tlp.CLEAR: 2, Tlp.GREEN: 2, Tlp.AMBER: 2, Tlp.AMBER_STRICT: 1, Tlp.RED: 2}


def test_ids_are_those_that_the_library_publishes():
    """The TLP 1.x ids of STIX 2.1 §7.2.1.4, against an independent copy."""
    published = {TLP_WHITE.id: Tlp.CLEAR, TLP_GREEN.id: Tlp.GREEN, TLP_AMBER.id: Tlp.AMBER, TLP_RED.id: Tlp.RED}
    assert {marking_id: MARKING_IDS[marking_id] for marking_id in published} == published


@pytest.mark.parametrize("step", list(Tlp))
def test_label_is_read_in_every_spelling(step):
    """With and without TLP:, in any case, with +, -, _ or a blank."""
    name = step.label.removeprefix("TLP:")
    for text in (
        step.label,
        name,
        name.lower(),
        f" tlp:{name.lower()} ",
        name.replace("+", "-"),
        name.replace("+", " "),
        step.name,
    ):
        assert read_tlp(text) is step


@pytest.mark.parametrize("text", ["", "TLP:", "purple", "TLP:REDD", "AMBER+", "TLP:TLP:RED", "0", "RED\x00"])
def test_label_is_none_when_it_names_no_step(text):
    """What is no step is not guessed at."""
    assert read_tlp(text) is None


def test_white_is_clear():
    """TLP 1.x called it WHITE."""
    assert read_tlp("tlp:white") is Tlp.CLEAR


def tlp_2(step: Tlp) -> dict[str, object]:
    return {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": step.label.removeprefix("TLP:").lower()}}


@pytest.mark.parametrize(("marking_id", "step"), MARKING_IDS.items())
def test_id_is_its_step_when_the_content_says_so(marking_id, step):
    """In the words of TLP 1, of TLP 2, of both, with a name or without."""
    old = {"definition_type": "tlp", "definition": {"tlp": step.name.lower()}}
    new = {"extensions": tlp_2(step)}
    for extra in (old, new, old | new, new | {"name": step.label}, old | {"name": "Whatever we call it"}):
        assert definition_tlp({"id": marking_id} | extra) is step


@pytest.mark.parametrize(("marking_id", "step"), MARKING_IDS.items())
def test_definition_is_refused_when_it_says_something_else_under_the_id_of_a_step(marking_id, step):
    """Ids are not free: who reads it here would believe that RED is CLEAR, or that a copyright is a step."""
    true, other = {"extensions": tlp_2(step)}, Tlp.CLEAR if step is not Tlp.CLEAR else Tlp.RED
    extra: Any
    for extra in (
        {},
        {"definition_type": "statement", "definition": {"statement": "Copyright"}},
        true | {"definition_type": "statement", "definition": {"statement": "Copyright"}},
        {"definition_type": "tlp", "definition": {"tlp": other.name.lower()}},
        {"definition_type": "tlp", "definition": {"tlp": ["red"]}},
        {"definition_type": "tlp", "definition": {}},
        {"extensions": tlp_2(other)},
        {"extensions": {EXTENSION: {"tlp_2_0": None}}},
        {"extensions": {EXTENSION: {}}},
        true | {"name": other.label},
        {"definition_type": "tlp", "definition": {"tlp": step.name.lower()}, "extensions": tlp_2(other)},
    ):
        with pytest.raises(Refusal) as refused:
            definition_tlp({"id": marking_id} | extra)
        assert refused.value.code is Code.INVALID_STIX


def test_definitions_of_the_library_are_taken():
    """The four of TLP 1.x, as everybody's tools write them."""
    for one, step in ((TLP_WHITE, Tlp.CLEAR), (TLP_GREEN, Tlp.GREEN), (TLP_AMBER, Tlp.AMBER), (TLP_RED, Tlp.RED)):
        assert definition_tlp(json.loads(one.serialize())) is step


@pytest.mark.parametrize(
    ("definition", "step"),
    [
        ({"definition_type": "statement"}, None),
        ({"definition_type": "tlp", "definition": {"tlp": "white"}}, Tlp.RED),
        ({"name": "TLP:CLEAR"}, Tlp.RED),
        ({}, Tlp.RED),
        ({"definition_type": "STATEMENT"}, Tlp.RED),
        ({"definition_type": "iep"}, Tlp.RED),
        ({"definition_type": ["statement"]}, Tlp.RED),
        ({"id": None, "definition_type": "statement"}, None),
    ],
)
def test_definition_is_red_when_it_cannot_be_told(definition, step):
    """Names are free: who calls himself TLP under another id is RED; a statement restricts nothing."""
    assert definition_tlp({"id": "marking-definition--1"} | definition) is step
