"""TLP as a scale, its ids, its spellings, and definitions that only look like it."""

import itertools

import pytest
from stix2 import TLP_AMBER, TLP_GREEN, TLP_RED, TLP_WHITE

from regcert.stix.tlp import MARKING_IDS, Tlp, definition_tlp, read_tlp


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


@pytest.mark.parametrize(("marking_id", "step"), MARKING_IDS.items())
def test_id_decides_whatever_a_definition_says(marking_id, step):
    """Ids are not free: other content under a TLP id is still that step."""
    for extra in (
        {},
        {"definition_type": "statement"},
        {"definition_type": "tlp", "definition": {"tlp": "white"}},
        {"name": "TLP:CLEAR"},
    ):
        assert definition_tlp({"id": marking_id} | extra) is step


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
