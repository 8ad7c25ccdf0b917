"""An incident in STIX: the same words for the same incident, new versions only for what says something else."""

import json
import uuid

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from regcert.correlation.assess import assess
from regcert.domain.holding import Holding
from regcert.domain.incident import Incident
from regcert.domain.issued import Issued
from regcert.domain.region import Country
from regcert.domain.team import Team, TeamKind
from regcert.exports.incident_stix import Groups, Teller, describe_incident
from regcert.exports.issued_stix import next_generations, revise, write_envelope
from regcert.stix.object import read_stix_object
from regcert.stix.observable import canonical
from regcert.stix.reader import ReadObject, read_envelope
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import MARKING_IDS, Tlp
from tests.stix.test_pattern_text import VALUES

ONE = "3f0c6a52-2a0e-4a3e-8f57-0a3c6b1d9f10"
NOW_US = 1_795_000_000_000_000
HOUR_US = 3_600_000_000
COUNTRIES = {
    "AL": Country("AL", "Albania", "", 4, 2),
    "XK": Country("XK", "Kosovo", "*", 3, 3),
    "RS": Country("RS", "Serbia", "", 2, 3),
}
TEAMS = [
    Team(number, f"team-{code.lower()}", f"CERT {code}", code, TeamKind.NATIONAL, f"identity--{uuid.UUID(int=number, version=4)}")
    for number, code in enumerate(COUNTRIES, 1)
]
CENTRE = Team(9, "centre", "Regional centre", "ZZ", TeamKind.COORDINATION, f"identity--{uuid.UUID(int=9, version=4)}")


def holding(team: Team, hours: int, positives: int = 0, marking: Tlp = Tlp.GREEN) -> Holding:
    at_us = NOW_US - hours * HOUR_US
    return Holding(team, team.identity_id, at_us, at_us + positives * HOUR_US, True, positives, 0, False, marking, False)


def sample(counts: tuple[int, ...] = (0, 4, 2)) -> tuple[Incident, Groups]:
    """An incident of a value of each kind, in three countries, of which one has a footnote."""
    members = {
        canonical(kind, value): [
            holding(team, 50 - 10 * place, count) for place, (team, count) in enumerate(zip(TEAMS, counts, strict=True))
        ]
        for kind, value in VALUES.items()
    }
    return assess(ONE, "all", members), {number.to_bytes(16, "big"): group for number, group in enumerate(members.items())}


def tell(former: dict[str, Issued], now_us: int = NOW_US, *, is_report: bool = False, marking: Tlp | None = None, **of):
    """Say the sample anew; return the objects that had to be made, and what stands then."""
    incident, groups = sample(**of)
    teller = Teller(
        CENTRE, "host.example/log", "c" * 36, COUNTRIES, {"*": "Without prejudice."}, next_generations(former.values())
    )
    drafts = describe_incident(incident, groups, teller, is_report=is_report)
    revision = revise(drafts, former, teller, ONE, incident.marking if marking is None else marking, now_us)
    return revision.objects, former | {one.handle: one for one in revision.issued}


@pytest.mark.parametrize("is_report", [False, True], ids=["grouping", "report"])
def test_every_object_is_stix_for_us_and_for_others(schemas, is_report):
    """Our own schemas take it, and the stix2 library parses it; references lead to what stands before them."""
    objects, _ = tell({}, is_report=is_report)
    known: set[str] = set()
    for read, made in zip(read_envelope(write_envelope(objects)), objects, strict=True):
        assert isinstance(read, ReadObject)
        assert read_stix_object(read, schemas).stix_id == made["id"]
        assert stix2.parse(made, allow_custom=False).id == made["id"]
        refs = [made.get(f"{end}_ref") for end in ("sighting_of", "source", "target")]
        refs += [*made.get("where_sighted_refs", ()), *made.get("object_refs", ())]
        assert set(refs) - {None} <= known
        known.add(made["id"])
    types = [one["type"] for one in objects]
    assert types.count("indicator") == len(VALUES)
    assert types.count("sighting") == 2 * len(VALUES)
    assert types[-2:] == ["report" if is_report else "grouping", "note"]


def test_same_incident_is_the_same_bytes_and_a_second_look_makes_nothing():
    """Ids follow from what objects stand for; the clock alone changes nothing."""
    objects, issued = tell({})
    assert write_envelope(objects) == write_envelope(tell({})[0])
    assert tell(issued, NOW_US + HOUR_US) == ((), issued)


def test_sightings_are_summed_up_by_country():
    """Counts are added, times span all of them, and a country stands for its teams; a footnote stands where its mark does."""
    objects, _ = tell({})
    [value, *_] = [one["id"] for one in objects if one["type"] == "indicator"]
    named = {one["id"]: one["name"] for one in objects if one["type"] == "identity"}
    sightings = [one for one in objects if one.get("sighting_of_ref") == value]
    told = [(named[one["where_sighted_refs"][0]], one["count"], one["first_seen"], one["last_seen"]) for one in sightings]
    times = [write_timestamp(NOW_US - hours * HOUR_US) for hours in (30, 28, 40, 36)]
    assert told == [("Teams in Serbia", 2, *times[:2]), ("Teams in Kosovo*", 4, *times[2:])]
    countries = {one["country"]: one["name"] for one in objects if one["type"] == "location"}
    assert countries == {"RS": "Serbia", "XK": "Kosovo*"}
    for one in objects:
        assert ("Kosovo*" in json.dumps(one)) == ("Without prejudice." in json.dumps(one))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5), st.integers(-9, 9))
def test_version_moves_exactly_when_something_else_is_said(steps, hours):
    """Whatever happens, and wherever the clock goes: versions of one object rise, `created` stays, equal content makes none."""
    issued: dict[str, Issued] = {}
    last: dict[str, dict[str, str]] = {}
    for number, counts in enumerate(steps):
        objects, issued = tell(issued, NOW_US + number * hours * HOUR_US, counts=counts)
        for one in objects:
            if (before := last.get(one["id"])) is not None:
                assert one["created"] == before["created"]
                assert one["modified"] > before["modified"]
                assert {**one, "modified": ""} != {**before, "modified": ""}
            last[one["id"]] = one


def test_marking_follows_the_incident_and_is_never_lowered():
    """A stricter part makes all of it stricter; what was told under a promise stays under it when that part goes."""
    steps = {step: [stix_id for stix_id, of in MARKING_IDS.items() if of is step][-1] for step in Tlp}
    _, issued = tell({})
    objects, issued = tell(issued, marking=Tlp.AMBER)
    assert {one["type"] for one in objects} == {"indicator", "sighting", "grouping", "note"}
    assert {tuple(one["object_marking_refs"]) for one in objects} == {(steps[Tlp.AMBER],)}
    assert tell(issued, marking=Tlp.GREEN)[0] == ()


def test_ids_of_one_collection_say_nothing_about_another():
    """The same value in two circles is two indicators: whoever reads one cannot tell that the other exists."""
    tellers = [Teller(CENTRE, "host.example/log", collection, {}, {}, {}) for collection in ("a", "b")]
    assert len({teller.id_of("indicator 00") for teller in tellers}) == 2
    assert len({teller.id_of("identity centre") for teller in tellers}) == 1
