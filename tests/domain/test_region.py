"""A region file is read whole or refused with a sentence that names the entry."""

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from regcert.domain.collection import STIX_MEDIA_TYPE, ApiRoot, SignatureRule
from regcert.domain.region import RESERVED_SEGMENTS, Region, read_region
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.stix.tlp import Tlp

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = tomllib.loads((ROOT / "deploy/regions/western-balkans.toml").read_text(encoding="utf-8"))
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "schemas/region.schema.json").read_text(encoding="utf-8")))

Breakage = Callable[[dict[str, Any]], object]


def put(*path_and_value: Any) -> Breakage:
    """Set the value at a path of keys and positions."""
    *path, last, value = path_and_value

    def change(data: dict[str, Any]) -> None:
        target: Any = data
        for step in path:
            target = target[step]
        target[last] = value

    return change


def drop(*path: Any) -> Breakage:
    """Remove what stands at a path."""

    def change(data: dict[str, Any]) -> None:
        target: Any = data
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return change


UUID1 = "d9b2d63d-a233-1123-847a-54e9c0a1b2c3"

# Wrong in shape: the reader and the schema both say no.
MISSHAPEN: dict[str, tuple[Breakage, str]] = {
    "no region slug": (drop("slug"), "the region file: add 'slug'"),
    "no countries": (drop("countries"), "the region file: add 'countries'"),
    "no rule for team collections": (drop("team_collections"), "the region file: add 'team_collections'"),
    "unknown key in file": (put("colour", 1), "the region file: remove or correct 'colour'"),
    "unknown key in footnote": (put("footnotes", 0, "x", 1), "footnote number 1: remove or correct 'x'"),
    "unknown key in country": (put("countries", 0, "x", 1), "country 'HR': remove or correct 'x'"),
    "unknown key in team": (put("teams", 0, "email", "a"), "team 'alcirt': remove or correct 'email'"),
    "unknown key in collection": (put("collections", 2, "x", 1), "collection 'public': remove or correct 'x'"),
    "unknown key in rule": (put("team_collections", "x", 1), "[team_collections]: remove or correct 'x'"),
    "a centre of one word": (put("centre", "regional-centre"), "write 'centre' as one table, [centre]"),
    "a centre without collections": (drop("centre", "collections"), "[centre]: add 'collections'"),
    "unknown key in centre": (put("centre", "x", 1), "[centre]: remove or correct 'x'"),
    "a centre with no collection": (put("centre", "collections", []), "[centre]: 'collections' must be"),
    "a second person in words": (put("second_person", "yes"), "the region file: 'second_person' must be true or false"),
    "too many approvals": (put("key_approvals", 6), "the region file: 'key_approvals' must be a whole number from 0 to 5"),
    "fewer approvals than none": (put("key_approvals", -1), "the region file: 'key_approvals'"),
    "approvals in words": (put("key_approvals", True), "the region file: 'key_approvals'"),
    "dotted region slug": (put("slug", "western.balkans"), "the region file: 'slug'"),
    "region slug of two segments": (put("slug", "western/balkans"), "the region file: 'slug'"),
    "empty region slug": (put("slug", ""), "the region file: 'slug'"),
    "region name is a number": (put("name", 7), "the region file: 'name'"),
    "empty teams": (put("teams", []), "'teams' must hold 1 to 1000 entries"),
    "empty countries": (put("countries", []), "'countries' must hold 1 to 1000 entries"),
    "empty collections": (put("collections", []), "'collections' must hold 1 to 1000 entries"),
    "empty footnotes": (put("footnotes", []), "'footnotes' must hold 1 to 1000 entries"),
    "too many teams": (lambda data: data["teams"].extend(data["teams"] * 70), "'teams' must hold 1 to 1000"),
    "teams as one table": (put("teams", {}), "write 'teams' as a list of tables, [[teams]]"),
    "teams as words": (put("teams", ["alcirt"]), "write 'teams' as a list of tables, [[teams]]"),
    "rule as a list": (put("team_collections", []), "write 'team_collections' as one table"),
    "no footnote text": (put("footnotes", 0, "text", ""), "footnote number 1: 'text'"),
    "unknown footnote mark": (put("footnotes", 0, "mark", "**"), "footnote number 1: 'mark'"),
    "small country code": (put("countries", 0, "code", "hr"), "country 'hr': 'code'"),
    "country ZZ": (put("countries", 0, "code", "ZZ"), "country 'ZZ': remove it"),
    "no country name": (drop("countries", 0, "name"), "country 'HR': add 'name'"),
    "unknown country mark": (put("countries", 0, "mark", "!"), "country 'HR': 'mark'"),
    "row zero": (put("countries", 0, "row", 0), "country 'HR': 'row'"),
    "column too far": (put("countries", 0, "column", 21), "country 'HR': 'column'"),
    "row is true": (put("countries", 0, "row", True), "country 'HR': 'row'"),
    "row as text": (put("countries", 0, "row", "1"), "country 'HR': 'row'"),
    "capital team slug": (put("teams", 0, "slug", "ALCIRT"), "team 'ALCIRT': 'slug'"),
    "team slug from hyphen": (put("teams", 0, "slug", "-alcirt"), "team '-alcirt': 'slug'"),
    "team slug of 41": (put("teams", 0, "slug", "a" * 41), "'slug' must be lower case"),
    "team slug is a number": (put("teams", 0, "slug", 1), "team number 1: 'slug'"),
    "team slug with newline": (put("teams", 0, "slug", "alcirt\n"), "'slug' must be lower case"),
    "team name of two lines": (put("teams", 0, "name", "AL\nCSIRT"), "team 'alcirt': 'name'"),
    "blank team name": (put("teams", 0, "name", "  "), "team 'alcirt': 'name'"),
    "endless team name": (put("teams", 0, "name", "x" * 101), "team 'alcirt': 'name'"),
    "team country in words": (put("teams", 0, "country", "Albania"), "team 'alcirt': 'country'"),
    "unknown kind": (put("teams", 0, "kind", "military"), "team 'alcirt': 'kind' must be one of national, "),
    "identity without type": (put("teams", 0, "identity", UUID1), "team 'alcirt': 'identity'"),
    "identity is no uuid": (put("teams", 0, "identity", "identity--alcirt"), "team 'alcirt': 'identity'"),
    "no own collection": (drop("teams", 0, "collection"), "team 'alcirt': add 'collection'"),
    "own collection not v4": (put("teams", 0, "collection", UUID1), "team 'alcirt': 'collection'"),
    "website without tls": (put("teams", 0, "website", "http://aksk.gov.al"), "team 'alcirt': 'website'"),
    "website is a script": (put("teams", 0, "website", "javascript:alert(1)"), "team 'alcirt': 'website'"),
    "empty note": (put("teams", 0, "note", ""), "team 'alcirt': 'note'"),
    "capital collection slug": (put("collections", 0, "slug", "X"), "collection 'X': 'slug'"),
    "collection uuid not v4": (put("collections", 2, "uuid", UUID1), "collection 'public': 'uuid'"),
    "collection uuid in capitals": (
        lambda data: data["collections"][2].update(uuid=data["collections"][2]["uuid"].upper()),
        "collection 'public': 'uuid'",
    ),
    "title with a dot": (put("collections", 2, "title", "Public v1.0"), "collection 'public': 'title'"),
    "title with a comma": (put("collections", 2, "title", "Public, open"), "collection 'public': 'title'"),
    "empty title": (put("collections", 2, "title", ""), "collection 'public': 'title'"),
    "endless description": (put("collections", 2, "description", "x" * 401), "collection 'public': 'description'"),
    "unknown ceiling": (put("collections", 2, "ceiling", "PURPLE"), "collection 'public': 'ceiling' must be one of CLEAR"),
    "unknown signature rule": (put("collections", 2, "signature", "never"), "collection 'public': 'signature'"),
    "blind matching in words": (put("collections", 3, "blind_matching", "yes"), "'blind_matching' must be true or false"),
    "blind matching of what all read": (put("collections", 2, "blind_matching", True), "collection 'public': leave out"),
    "signature rule as a list": (put("collections", 2, "signature", ["required"]), "collection 'public': 'signature'"),
    "audience is one team": (put("collections", 2, "read", "alcirt"), "collection 'public': 'read'"),
    "nobody reads": (put("collections", 2, "read", []), "collection 'public': 'read'"),
    "nobody writes": (put("collections", 2, "write", []), "collection 'public': 'write'"),
    "a reader twice": (put("collections", 2, "read", ["alcirt", "alcirt"]), "collection 'public': 'read' must name"),
    "a reader is a number": (put("collections", 2, "read", [7]), "collection 'public': 'read' must name"),
    "API roots as one table": (put("api_roots", {}), "write 'api_roots' as a list of tables, [[api_roots]]"),
    "empty API roots": (put("api_roots", []), "'api_roots' must hold 1 to 1000 entries"),
    "unknown key in API root": (put("api_roots", 0, "x", 1), "API root 'public': remove or correct 'x'"),
    "no API root title": (drop("api_roots", 0, "title"), "API root 'public': add 'title'"),
    "dotted API root": (put("api_roots", 0, "slug", "v2.1"), "API root 'v2.1': 'slug' must be lower case"),
    "API root of two segments": (put("api_roots", 0, "slug", "a/b"), "API root 'a/b': 'slug' must be lower case"),
    "API root title with a comma": (put("api_roots", 0, "title", "Public, open"), "API root 'public': 'title'"),
    "API root of another address": (put("api_roots", 0, "slug", "taxii2"), "API root 'taxii2': 'slug' must be lower case"),
    "region slug of another address": (put("slug", "api"), "the region file: 'slug' must be lower case"),
    "API root of a collection misspelt": (put("collections", 4, "api_root", "Public"), "'published-indicators': 'api_root'"),
    "collection slug like a uuid": (
        put("collections", 2, "slug", UUID1),
        "collection 'd9b2d63d-a233-1123-847a-54e9c0a1b2c3': 'slug'",
    ),
    "media types as one": (put("collections", 2, "media_types", STIX_MEDIA_TYPE), "collection 'public': 'media_types'"),
    "no media type": (put("collections", 2, "media_types", []), "collection 'public': 'media_types' must be a list of 1 to 20"),
    "too many media types": (put("collections", 2, "media_types", [f"a/{n}" for n in range(21)]), "'media_types' must be a list"),
    "media type without subtype": (put("collections", 2, "media_types", ["application"]), "'media_types' must name every"),
    "media type with a comma": (put("collections", 2, "media_types", ["a/b,c/d"]), "'media_types' must name every"),
    "media type with a blank": (put("collections", 2, "media_types", ["a/b; c=d"]), "'media_types' must name every"),
    "media type is a number": (put("collections", 2, "media_types", [7]), "'media_types' must name every"),
    "media type twice": (put("collections", 2, "media_types", ["a/b", "a/b"]), "'media_types' must name every"),
    "rule title for all alike": (put("team_collections", "title", "Own"), "[team_collections]: 'title'"),
    "rule title with a dot": (put("team_collections", "title", "{team}."), "[team_collections]: 'title'"),
    "rule ceiling unknown": (put("team_collections", "ceiling", "red"), "[team_collections]: 'ceiling'"),
}

# Each entry is well shaped, together they are wrong: only the reader can tell.
INCOHERENT: dict[str, tuple[Breakage, str]] = {
    "footnote twice": (lambda data: data["footnotes"].extend(data["footnotes"]), "footnote mark '*' stands 2 times"),
    "country twice": (put("countries", 0, "code", "RS"), "country code 'RS' stands 2 times"),
    "two countries on one tile": (
        lambda data: data["countries"][0].update(row=4, column=3),
        "tile (row, column) '4, 3' stands 2 times",
    ),
    "team slug twice": (put("teams", 0, "slug", "hr-cert"), "team slug 'hr-cert' stands 2 times"),
    "team name twice": (put("teams", 0, "name", "cert.HR"), "team name 'cert.hr' stands 2 times"),
    "identity twice": (
        lambda data: data["teams"][0].update(identity=data["teams"][1]["identity"]),
        "team identity 'identity--",
    ),
    "collection slug twice": (put("collections", 0, "slug", "public"), "collection slug 'public' stands 2 times"),
    "collection slug of a team's own": (put("collections", 0, "slug", "team-alcirt"), "collection slug 'team-alcirt'"),
    "collection title twice": (put("collections", 0, "title", "public"), "collection title 'public' stands 2 times"),
    "collection title of a team's own": (put("collections", 0, "title", "Only alcirt"), "collection title 'only alcirt'"),
    "API root twice": (put("api_roots", 0, "slug", "western-balkans"), "API root slug 'western-balkans' stands 2 times"),
    "API root title of the region's own": (
        lambda data: data.update(name="Wide", api_roots=[data["api_roots"][0] | {"title": "wide: Indicators and sightings"}]),
        "API root title 'wide: indicators and sightings' stands 2 times",
    ),
    "an unlisted API root": (put("collections", 4, "api_root", "private"), "'published-indicators': add its API root"),
    "uuid shared and own": (
        lambda data: data["teams"][0].update(collection=data["collections"][0]["uuid"]),
        "collection uuid 'a6df37a9",
    ),
    "mark without footnote": (drop("footnotes"), "country 'XK': add a footnote"),
    "team of an unlisted country": (put("teams", 0, "country", "SI"), "team 'alcirt': add its country"),
    "a centre of another kind": (put("centre", "team", "alcirt"), "[centre]: 'team' must be"),
    "an unlisted collection of the centre": (put("centre", "collections", ["x"]), "[centre]: 'collections' must be a list"),
    "incidents twice for the same readers": (
        put("centre", "collections", ["regional-incidents", "published-indicators"]),
        "[centre]: two of its collections have the same readers",
    ),
    "a centre that may not write": (put("collections", 5, "write", ["alcirt"]), "'regional-incidents': the centre publishes"),
    "a centre that would have to sign": (put("collections", 5, "signature", "required"), "'regional-incidents': no team signs"),
    "an unlisted reader": (put("collections", 0, "read", ["nobody"]), "collection 'regional-indicators': its audience"),
    "an unlisted writer": (put("collections", 0, "write", ["alcirt", "nobody"]), "'regional-indicators': its audience"),
}

TEAMS = {
    "alcirt": ("AL", TeamKind.NATIONAL),
    "bih-cert": ("BA", TeamKind.NATIONAL),
    "hr-cert": ("HR", TeamKind.NATIONAL),
    "kos-cert": ("XK", TeamKind.NATIONAL),
    "cirt-me": ("ME", TeamKind.NATIONAL),
    "mkd-cert": ("MK", TeamKind.NATIONAL),
    "srb-cert": ("RS", TeamKind.NATIONAL),
    "zsis-cert": ("HR", TeamKind.GOVERNMENT),
    "mup-cert": ("RS", TeamKind.GOVERNMENT),
    "cert-rs": ("BA", TeamKind.GOVERNMENT),
    "amres-csirt": ("RS", TeamKind.ACADEMIC),
    "rnids-cert": ("RS", TeamKind.SECTORAL),
    "regional-centre": ("ZZ", TeamKind.COORDINATION),
    "sample-bank": ("AL", TeamKind.CONSTITUENT),
    "sample-isp": ("RS", TeamKind.CONSTITUENT),
}


@pytest.fixture(scope="module")
def region() -> Region:
    return read_region(SHIPPED)


def broken(breakage: Breakage) -> dict[str, Any]:
    data = copy.deepcopy(SHIPPED)
    breakage(data)
    return data


def test_shipped_file_satisfies_the_schema():
    """The file we ship is one an editor with the schema calls right."""
    assert [error.message for error in SCHEMA.iter_errors(SHIPPED)] == []


def test_shipped_file_names_every_team(region):
    """Each CERT of the region stands in the file, with its country and kind."""
    assert {team.slug: (team.country, team.kind) for team in region.teams} == TEAMS


def test_every_country_has_its_national_team(region):
    """Seven neighbours, seven national teams."""
    national = {team.country for team in region.teams if team.kind is TeamKind.NATIONAL}
    assert {country.code for country in region.countries} == national
    assert len(national) == 7


def test_kosovo_carries_its_footnote(region):
    """The name Kosovo is never shown without the mark, nor the mark without its text."""
    (kosovo,) = (country for country in region.countries if country.code == "XK")
    assert kosovo.label == "Kosovo*"
    (text,) = (footnote.text for footnote in region.footnotes if footnote.mark == kosovo.mark)
    assert text == (
        "This designation is without prejudice to positions on status, and is in line with UNSCR 1244/1999 and "
        "the ICJ Opinion on the Kosovo declaration of independence."
    )
    assert {country.mark for country in region.countries if country is not kosovo} == {""}


def test_team_in_formation_says_so(region):
    """A team that does not serve yet is not shown as if it did."""
    (bih_cert,) = (team for team in region.teams if team.slug == "bih-cert")
    assert bih_cert.note.startswith("In formation")


def test_shared_collections_are_as_agreed(region):
    """Who reads, who writes, how sensitive and whether signed, for each shared collection."""
    group = ("alcirt", "mkd-cert", "srb-cert")
    checking = ("alcirt", "bih-cert", "hr-cert", "kos-cert", "cirt-me", "mkd-cert", "srb-cert", "regional-centre")
    shared = [(c.slug, c.read, c.write, c.ceiling, c.signature) for c in region.collections[:6]]
    assert shared == [
        ("regional-indicators", "all", "all", Tlp.AMBER, SignatureRule.ACCEPTED),
        ("regional-sightings", "all", "all", Tlp.AMBER, SignatureRule.ACCEPTED),
        ("public", "all", "all", Tlp.CLEAR, SignatureRule.ACCEPTED),
        ("financial-sector-group", group, group, Tlp.AMBER_STRICT, SignatureRule.ACCEPTED),
        ("published-indicators", "all", checking, Tlp.CLEAR, SignatureRule.ACCEPTED),
        ("regional-incidents", "all", ("regional-centre",), Tlp.AMBER, SignatureRule.ACCEPTED),
    ]
    assert {c.slug: c.centre for c in region.collections if c.centre} == {"regional-incidents": "regional-centre"}


def test_host_publishes_no_incidents_when_the_file_names_no_centre():
    """A region may come without; what is published nowhere goes nowhere."""
    assert not any(collection.centre for collection in read_region(broken(drop("centre"))).collections)


def test_public_root_holds_nothing_that_may_not_be_passed_on(region):
    """Whoever is given the address of the public root only, meets nothing above CLEAR there."""
    assert [root.slug for root in region.api_roots] == ["western-balkans", "public"]
    assert {c.slug: c.ceiling for c in region.collections if c.api_root == "public"} == {"published-indicators": Tlp.CLEAR}


def test_regions_own_root_comes_first_and_holds_what_names_no_root(region):
    """The first root is the default of discovery, so a client that does not choose gets the region's own."""
    own = ApiRoot("western-balkans", "Western Balkans: indicators and sightings", "What the region's teams share")
    assert region.api_roots[0] == own
    assert {c.api_root for c in region.collections if c.slug != "published-indicators"} == {None}
    assert read_region(broken(lambda data: (data.pop("api_roots"), data["collections"].pop(4)))).api_roots == (own,)


@pytest.mark.parametrize(
    ("named", "read"),
    [
        (None, (STIX_MEDIA_TYPE,)),
        ([STIX_MEDIA_TYPE], (STIX_MEDIA_TYPE,)),
        (["application/pdf", "text/plain;charset=utf-8"], (STIX_MEDIA_TYPE, "application/pdf", "text/plain;charset=utf-8")),
        (["application/pdf", STIX_MEDIA_TYPE], (STIX_MEDIA_TYPE, "application/pdf")),
    ],
)
def test_stix_is_always_the_first_media_type(named, read):
    """A collection holds STIX 2.1 whatever else it names: what is posted there is STIX either way."""
    data = broken(lambda data: named and data["collections"][2].update(media_types=named))
    assert SCHEMA.is_valid(data)
    assert read_region(data).collections[2].media_types == read


def test_every_reserved_word_is_known_to_the_schema():
    """Reader and schema refuse the same words for an API root."""
    schema = json.loads((ROOT / "schemas/region.schema.json").read_text(encoding="utf-8"))
    assert tuple(schema["$defs"]["root_slug"]["not"]["enum"]) == RESERVED_SEGMENTS


def test_every_team_has_a_collection_of_its_own(region):
    """One rule makes one collection per team that this team alone reads and writes."""
    own = {c.slug: (c.title, c.read, c.write, c.ceiling) for c in region.collections[6:]}
    assert own == {f"team-{slug}": (f"Only {slug}", (slug,), (slug,), Tlp.RED) for slug in TEAMS}


def test_nobody_acts_alone_unless_the_file_says_so():
    """A file that says nothing about second persons wants them."""
    silent = read_region(broken(lambda data: (data.pop("second_person"), data.pop("key_approvals"))))
    assert (silent.second_person, silent.key_approvals) == (True, 2)


@pytest.mark.parametrize("name", MISSHAPEN)
def test_region_is_refused_when_an_entry_is_misshapen(name):
    """What has the wrong shape is refused by the reader, which names the entry, and by the schema."""
    breakage, sentence = MISSHAPEN[name]
    data = broken(breakage)
    assert not SCHEMA.is_valid(data)
    with pytest.raises(Refusal) as refused:
        read_region(data)
    assert refused.value.code is Code.INVALID_REGION
    assert sentence in refused.value.message


@pytest.mark.parametrize("name", INCOHERENT)
def test_region_is_refused_when_entries_contradict_each_other(name):
    """What no schema can tell, the reader refuses."""
    breakage, sentence = INCOHERENT[name]
    data = broken(breakage)
    assert SCHEMA.is_valid(data)
    with pytest.raises(Refusal) as refused:
        read_region(data)
    assert refused.value.code is Code.INVALID_REGION
    assert sentence in refused.value.message


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(put("collections", 2, "write", ["sample-isp"]), id="writers are a part of the readers"),
        pytest.param(put("collections", 3, "write", ["sample-bank"]), id="a writer does not read"),
        pytest.param(drop("teams", 0, "website"), id="no website"),
        pytest.param(drop("teams", 0, "note"), id="no note"),
        pytest.param(put("collections", 3, "blind_matching", True), id="blind matching in a circle"),
        pytest.param(put("collections", 2, "blind_matching", False), id="no blind matching of what all read"),
        pytest.param(put("team_collections", "blind_matching", True), id="blind matching of every team's own"),
        pytest.param(drop("second_person"), id="nothing about a second person"),
        pytest.param(put("second_person", False), id="no second person"),
        pytest.param(put("key_approvals", 0), id="no approvals of keys"),
        pytest.param(put("teams", 0, "identity", f"identity--{UUID1}"), id="an identity from elsewhere"),
        pytest.param(put("teams", 0, "slug", "a" * 40), id="the longest slug"),
    ],
)
def test_region_is_read_when_the_change_is_allowed(change):
    """The reader and the schema refuse nothing that is legal."""
    data = broken(change)
    if data["teams"][0]["slug"] != "alcirt":
        data["collections"][3].update(read=["mkd-cert"], write=["mkd-cert"])
        data["collections"][4].update(write=["mkd-cert"])
    assert SCHEMA.is_valid(data)
    read_region(data)
