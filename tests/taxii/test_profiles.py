"""A client profile is read whole or refused with a sentence that names the entry; each deviation says why it is there."""

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from regcert.errors import Code, Refusal
from regcert.flows.load_profiles import load_profiles
from regcert.taxii.profiles import STRICT, Deviation, Profile, profile_of, read_profile, require_profile

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((ROOT / "feeds" / "clients").glob("*.toml"))}
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "schemas" / "client-profile.schema.json").read_text("utf-8")))

WHOLE: dict[str, Any] = {
    "name": "some",
    "title": "Some client",
    "note": "For a test.",
    "deviations": [
        {"what": "empty-list", "reason": "It breaks."},
        {"what": "page-objects", "objects": 5000, "reason": "It does not page."},
    ],
}


def changed(*path_and_value: Any) -> dict[str, Any]:
    *path, last, value = path_and_value
    data = copy.deepcopy(WHOLE)
    target: Any = data
    for step in path:
        target = target[step]
    target[last] = value
    return data


def without(*path: Any) -> dict[str, Any]:
    data = copy.deepcopy(WHOLE)
    target: Any = data
    for step in path[:-1]:
        target = target[step]
    del target[path[-1]]
    return data


# Wrong in shape: the reader and the schema both say no.
MISSHAPEN: dict[str, tuple[dict[str, Any], str]] = {
    "no name": (without("name"), "some.toml: 'name'"),
    "name of the standard itself": (changed("name", "strict"), "some.toml: 'name'"),
    "name with a blank": (changed("name", "some client"), "some.toml: 'name'"),
    "name is a number": (changed("name", 7), "some.toml: 'name'"),
    "no title": (without("title"), "some.toml: 'title'"),
    "title of two lines": (changed("title", "a\nb"), "some.toml: 'title'"),
    "no note": (without("note"), "some.toml: 'note'"),
    "endless note": (changed("note", "x" * 401), "some.toml: 'note'"),
    "unknown key": (changed("colour", 1), "some.toml: remove or correct 'colour'"),
    "deviations as words": (changed("deviations", ["empty-list"]), "some.toml: write 'deviations'"),
    "deviations as one table": (changed("deviations", {"what": "empty-list"}), "some.toml: write 'deviations'"),
    "no deviations in a list": (changed("deviations", []), "some.toml: write 'deviations'"),
    "no deviation named": (without("deviations", 0, "what"), "some.toml, deviation 1: 'what' must be one of empty-list, "),
    "unknown deviation": (changed("deviations", 1, "what", "no-auth"), "some.toml, deviation 2: 'what' must be one of"),
    "no reason": (without("deviations", 0, "reason"), "some.toml, deviation 1: 'reason'"),
    "empty reason": (changed("deviations", 1, "reason", ""), "some.toml, deviation 2: 'reason'"),
    "objects of no page": (changed("deviations", 0, "objects", 500), "some.toml, deviation 1: remove or correct 'objects'"),
    "no objects on a page": (without("deviations", 1, "objects"), "some.toml, deviation 2: 'objects'"),
    "objects as text": (changed("deviations", 1, "objects", "5000"), "some.toml, deviation 2: 'objects'"),
    "objects true": (changed("deviations", 1, "objects", True), "some.toml, deviation 2: 'objects'"),
    "too few objects": (changed("deviations", 1, "objects", 99), "some.toml, deviation 2: 'objects'"),
    "too many objects": (changed("deviations", 1, "objects", 10_001), "some.toml, deviation 2: 'objects'"),
}


@pytest.mark.parametrize("name", MISSHAPEN)
def test_profile_is_refused_when_an_entry_is_misshapen(name):
    """What has the wrong shape is refused by the reader, which names the entry, and by the schema."""
    data, sentence = MISSHAPEN[name]
    assert not SCHEMA.is_valid(data)
    with pytest.raises(Refusal) as refused:
        read_profile("some.toml", data)
    assert refused.value.code is Code.INVALID_SETTING
    assert sentence in refused.value.message


def test_profile_is_refused_when_a_deviation_stands_twice():
    """Two reasons for one deviation would be one too many to take out."""
    data = changed("deviations", 1, {"what": "empty-list", "reason": "It breaks, too."})
    with pytest.raises(Refusal) as refused:
        read_profile("some.toml", data)
    assert refused.value.message == "the client profile some.toml: name each deviation once"


def test_profile_holds_what_the_file_says():
    """Each deviation that stands in the file is on, with its reason; no other is."""
    assert SCHEMA.is_valid(WHOLE)
    reasons = ((Deviation.EMPTY_LIST, "It breaks."), (Deviation.PAGE_OBJECTS, "It does not page."))
    assert read_profile("some.toml", WHOLE) == Profile(
        "some", "Some client", empty_list=True, page_objects=5000, reasons=reasons, note="For a test."
    )
    assert read_profile("some.toml", without("deviations")) == Profile("some", "Some client", note="For a test.")


def test_strict_deviates_in_nothing():
    """Without a profile, the standard."""
    assert (STRICT.empty_list, STRICT.echo_added_after, STRICT.page_objects, STRICT.reasons) == (False, False, None, ())


def test_token_is_answered_strictly_when_its_profile_has_gone():
    """A profile that a later release takes out, because its reason has gone, leaves the standard."""
    known = {"some": read_profile("some.toml", WHOLE)}
    assert profile_of(known, "some") is known["some"]
    assert profile_of(known, None) is profile_of(known, "gone") is STRICT


def test_name_is_refused_when_unknown_and_the_known_are_listed():
    """Whoever misspells a client is told what can be typed, to the last name."""
    with pytest.raises(Refusal) as refused:
        require_profile(load_profiles(), "elastik")
    assert refused.value.code is Code.NOT_FOUND
    assert refused.value.message.endswith("known are " + ", ".join(sorted(SHIPPED)))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profile_satisfies_the_schema(name):
    """The files we ship are right to an editor with the schema, and to the reader."""
    assert [error.message for error in SCHEMA.iter_errors(SHIPPED[name])] == []
    assert load_profiles()[name].name == name


def test_deviations_are_only_those_that_a_client_needs():
    """Who needs what; a deviation is added here together with its evidence."""
    needs = {name: {what.value for what, _ in one.reasons} for name, one in load_profiles().items() if one.reasons}
    assert needs == {
        "elastic": {"empty-list", "echo-added-after"},
        "intelmq": {"page-objects"},
        "opencti": {"empty-list"},
        "stix2": {"empty-list"},
        "taxii2-client": {"empty-list"},
        "wazuh-ti": {"page-objects"},
        "xsoar": {"empty-list"},
    }
    assert load_profiles()["intelmq"].page_objects == 10_000


def test_every_client_that_is_known_can_be_named():
    """An operator who has one of these types its name and is not refused, whether or not it needs anything."""
    assert set(SHIPPED) == {
        "anomali", "cabby", "crowdsec", "darktrace", "eclecticiq", "elastic", "exabeam", "fortigate", "insightidr", "intelmq",
        "minemeld", "misp", "opencti", "qradar", "secops", "sentinel", "servicenow", "splunk", "stix2", "sumologic",
        "taxii2-client", "trellix", "wazuh-ti", "xsoar",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name = ", "the client profile other.toml cannot be read"),
        ('name = "some"\ntitle = "t"\nnote = "n"', "the client profile other.toml: 'name' must be the name of the file"),
    ],
)
def test_folder_is_refused_when_a_file_in_it_is_wrong(tmp_path, content, sentence):
    """A profile is found by its file's name, so one that is called otherwise is never taken for another."""
    (tmp_path / "other.toml").write_text(content)
    with pytest.raises(Refusal) as refused:
        load_profiles(tmp_path)
    assert refused.value.code is Code.INVALID_SETTING
    assert sentence in refused.value.message
