"""What this host understands of one object."""

import json

import pytest

from regcert.errors import Code, Refusal
from regcert.stix.object import read_stix_object
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.reader import ReadObject, read_envelope
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp
from tests.stix.examples import CREATED, MINIMAL, Json

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


def posted(obj: Json) -> ReadObject:
    """The object as the bounded reader hands it on."""
    [read] = read_envelope(json.dumps({"objects": [obj]}).encode())
    assert isinstance(read, ReadObject)
    return read


def test_every_fact_is_in_its_place_when_an_indicator_is_read(schemas):
    """The fields are filled by position: each holds what its name says."""
    obj = MINIMAL["indicator"] | {
        "created": "2026-03-01T00:00:00Z",
        "modified": "2026-03-02T00:00:00.5Z",
        "valid_from": "2026-02-01T00:00:00Z",
        "pattern_type": "stix",
        "pattern": "[ipv4-addr:value = '198.51.100.7' AND file:name = 'a.exe']",
        "created_by_ref": "identity--7d4f6c1e-5f0b-4f5e-9d58-0a7c6f3f2b11",
        "revoked": True,
        "object_marking_refs": [GREEN],
        "granular_markings": [{"marking_ref": RED, "selectors": ["name"]}, {"lang": "sq", "selectors": ["name"]}],
    }
    read = posted(obj)
    stix = read_stix_object(read, schemas)
    assert (stix.stix_id, stix.type, stix.spec_version) == (obj["id"], "indicator", "2.1")
    assert (stix.version, stix.version_us) == ("2026-03-02T00:00:00.5Z", read_timestamp("2026-03-02T00:00:00.5Z"))
    assert (stix.created_by, stix.revoked, stix.marking_ids) == (obj["created_by_ref"], True, (GREEN, RED))
    assert (stix.is_marking, stix.defines, stix.ties, stix.claim) == (False, None, (), None)
    assert stix.observables == (Observable(ObservableKind.IPV4, "198.51.100.7"), Observable(ObservableKind.FILE_NAME, "a.exe"))
    assert stix.first_us == stix.last_us == read_timestamp("2026-02-01T00:00:00Z")
    assert (stix.body, stix.digest) == (read.body, read.digest)


def test_sighting_claims_what_it_says_and_its_span(schemas):
    """Two ends of one span, and the count, by their names."""
    span = {"first_seen": "2026-03-01T00:00:00Z", "last_seen": "2026-03-02T00:00:00Z", "count": 7}
    stix = read_stix_object(posted(MINIMAL["sighting"] | span), schemas)
    first_us, last_us = read_timestamp("2026-03-01T00:00:00Z"), read_timestamp("2026-03-02T00:00:00Z")
    assert (stix.first_us, stix.last_us) == (first_us, last_us)
    assert stix.claim is not None
    assert (stix.claim.subject, stix.claim.count) == (MINIMAL["sighting"]["sighting_of_ref"], 7)
    assert (stix.claim.first_us, stix.claim.last_us) == (first_us, last_us)


@pytest.mark.parametrize(
    ("times", "first", "last"),
    [
        ({"last_seen": "2026-03-02T00:00:00Z"}, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"),
        ({"first_seen": "2026-03-01T00:00:00Z"}, "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ({"first_seen": CREATED, "valid_from": "2026-01-01T00:00:00Z"}, CREATED, CREATED),
        ({}, MINIMAL["campaign"]["created"], MINIMAL["campaign"]["created"]),
    ],
)  # fmt: skip
def test_event_time_is_the_first_that_is_told(times, first, last, schemas):
    """One end stands for both; what was seen goes before what was written down."""
    stix = read_stix_object(posted(MINIMAL["campaign"] | times), schemas)
    assert (stix.first_us, stix.last_us) == (read_timestamp(first), read_timestamp(last))


def test_marking_and_tie_are_told_by_the_types_that_carry_them(schemas):
    """A definition says its step, a report ties its members, a relationship its source."""
    report = read_stix_object(posted(MINIMAL["report"]), schemas)
    assert report.ties == tuple((ref, report.stix_id) for ref in MINIMAL["report"]["object_refs"])
    marking = read_stix_object(posted(MINIMAL["marking-definition"]), schemas)
    assert marking.is_marking
    assert marking.defines in (None, *Tlp)


@pytest.mark.parametrize("name", ["first_seen", "last_seen", "last_observed", "valid_from", "created", "modified"])
@pytest.mark.parametrize("time", [5, 1.5, True, ["2026-03-01T00:00:00Z"], {"a": 1}])
def test_time_is_refused_when_it_is_no_text(name, time, schemas):
    """No schema judges the times of an IP address, for the standard knows none: still it is a refusal and no fault of ours."""
    with pytest.raises(Refusal) as refused:
        read_stix_object(posted(MINIMAL["ipv4-addr"] | {name: time}), schemas)
    assert refused.value.code is Code.INVALID_TIMESTAMP


@pytest.mark.parametrize("author", [["identity--a"], {}, 5, True])
def test_object_is_refused_when_its_author_is_no_id(schemas, author):
    """A cyber-observable has no author by the standard, so no schema looks at one; it must not become a key all the same."""
    observable = {"type": "ipv4-addr", "id": "ipv4-addr--efcd5e80-570d-4131-b213-62cb18eaa6a8", "value": "198.51.100.3"}
    with pytest.raises(Refusal) as refused:
        read_stix_object(posted({**observable, "created_by_ref": author}), schemas)
    assert refused.value.code is Code.INVALID_STIX
