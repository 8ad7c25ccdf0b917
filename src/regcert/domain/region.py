"""A region as its file describes it: countries, teams and the collections they share.

The file is data that a coordinator edits by hand, so every way to get it wrong has a sentence that names the entry. It is
the host's own file: unlike what comes over the network, its words may be repeated in a refusal.
`schemas/region.schema.json` says the same for editors, as far as a schema can.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from regcert.domain.collection import STIX_MEDIA_TYPE, ApiRoot, SignatureRule
from regcert.domain.entry import Entry
from regcert.domain.team import TeamKind
from regcert.errors import Code, Refusal
from regcert.stix.tlp import Tlp

Audience: TypeAlias = tuple[str, ...] | Literal["all"]

NO_COUNTRY = "ZZ"
USUAL_KEY_APPROVALS = 2
MOST_KEY_APPROVALS = 5
# What this host's other addresses begin with: an API root of that name could be entered and never reached.
RESERVED_SEGMENTS = ("api", "console", "docs", "feeds", "healthz", "log", "metrics", "readyz", "static", "stream", "taxii2")

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ROOT = re.compile(rf"(?!(?:{'|'.join(RESERVED_SEGMENTS)})$)" + _SLUG.pattern)
_ALIAS = re.compile(r"(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-)" + _SLUG.pattern)  # what stands for an id must not look like one
_COUNTRY = re.compile(r"[A-Z]{2}")
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_IDENTITY = re.compile(r"identity--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_WEBSITE = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~/-]*)?")
_MARK = re.compile(r"[*†‡]")
_LINE = re.compile(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]{0,399}")
_NAME = re.compile(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]{0,99}")
_TITLE = re.compile(r"[^\x00-\x20\x7f.,][^\x00-\x1f\x7f.,]{0,99}")  # OpenCTI takes titles apart at `.` and `,`
_TITLE_PATTERN = re.compile(r"(?=.*\{team\})" + _TITLE.pattern)
_ROOT_WANTED = f"lower case letters, digits and hyphens, at most 40, no dots, and none of {', '.join(RESERVED_SEGMENTS)}"
_CEILINGS: Mapping[str, Tlp] = {step.label.removeprefix("TLP:"): step for step in Tlp}


@dataclass(frozen=True, slots=True)
class Footnote:
    """What must be said wherever a marked name is shown."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Country:
    """A country and its tile in the schematic grid; the region is never drawn as a map with borders.

    Args:
        code: ISO 3166-1 alpha-2, or `XK`.
        name: without its mark.
        mark: of the footnote that belongs to the name, or empty.
        row: of its tile, 1 at the top.
        column: of its tile, 1 at the left.
    """

    code: str
    name: str
    mark: str
    row: int
    column: int

    @property
    def label(self) -> str:
        """The name as it must be written, for example `Kosovo*`."""
        return self.name + self.mark


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A team as the file introduces it.

    Args:
        slug: unique in the file.
        name: as it writes itself.
        country: one of the file's countries, or `ZZ` for none.
        kind: what it answers for.
        identity_id: the id of its STIX identity.
        website: an https address, or empty where none is known.
        note: for people, or empty.
    """

    slug: str
    name: str
    country: str
    kind: TeamKind
    identity_id: str
    website: str
    note: str


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """A collection as the file introduces it; `domain.collection.Collection` says what the words mean.

    Args:
        read: slugs of the teams that read it, or `all`.
        write: likewise; a team may write what it cannot read, TAXII has write-only collections (§5.1).
        api_root: slug of its API root, or None for the region's own.
        media_types: STIX 2.1 first, then what else its objects may be of.
        blind_matching: whether its values are compared with those of other circles; its readers have to agree to that first.
        centre: slug of the team as which the host publishes there what crosses borders among its readers, or None.
    """

    slug: str
    uuid: str
    title: str
    description: str
    ceiling: Tlp
    signature: SignatureRule
    read: Audience
    write: Audience
    api_root: str | None = None
    media_types: tuple[str, ...] = (STIX_MEDIA_TYPE,)
    blind_matching: bool = False
    centre: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A whole region; everything that one entry says of another is true.

    Args:
        slug: also the path segment of its own TAXII API root.
        name: for people.
        footnotes: in file order, like everything below.
        countries: at least one.
        teams: at least one.
        collections: the shared ones, then one per team under the slug `team-<team>`.
        further_roots: API roots besides the region's own.
        second_person: whether posts marked RED and withdrawals in bulk wait for a second person of the same team.
        key_approvals: how many coordinators of other teams have to approve a team's first key list, 0 to 5.
    """

    slug: str
    name: str
    footnotes: tuple[Footnote, ...]
    countries: tuple[Country, ...]
    teams: tuple[TeamEntry, ...]
    collections: tuple[CollectionEntry, ...]
    further_roots: tuple[ApiRoot, ...] = ()
    second_person: bool = True
    key_approvals: int = USUAL_KEY_APPROVALS

    @property
    def api_roots(self) -> tuple[ApiRoot, ...]:
        """Every API root; the region's own is the first, which makes it the default of discovery."""
        return (
            ApiRoot(self.slug, f"{self.name}: indicators and sightings", "What the region's teams share"),
            *self.further_roots,
        )


def read_region(data: Mapping[str, object]) -> Region:
    """Read a region file.

    Args:
        data: the file, parsed from TOML.

    Returns:
        The region, with one collection per team added to the shared ones.

    Raises:
        Refusal: INVALID_REGION, naming the entry and what to do about it.
    """
    file = Entry("the region file", data)
    optional = "footnotes api_roots second_person key_approvals centre"
    file.require_keys("slug name countries teams collections team_collections", optional)
    rule = file.table_at("team_collections")
    rule.require_keys("title description ceiling signature", "blind_matching")
    teams = file.entries("teams", "team")
    region = Region(
        slug=file.text("slug", _ROOT, _ROOT_WANTED),
        name=file.text("name", _NAME),
        footnotes=tuple(_read_footnote(entry) for entry in file.entries("footnotes", "footnote")),
        countries=tuple(_read_country(entry) for entry in file.entries("countries", "country")),
        teams=tuple(_read_team(entry) for entry in teams),
        collections=(
            *(_read_collection(entry) for entry in file.entries("collections", "collection")),
            *(_read_own_collection(rule, team) for team in teams),
        ),
        further_roots=tuple(_read_api_root(entry) for entry in file.entries("api_roots", "API root")),
        second_person=file.flag("second_person", usual=True),
        key_approvals=file.whole("key_approvals", 0, MOST_KEY_APPROVALS, usual=USUAL_KEY_APPROVALS),
    )
    _require_unique(region)
    _require_known(region)
    return _appoint_centre(region, file.table_at("centre")) if "centre" in file.table else region


def read_team_entry(place: str, data: Mapping[str, object]) -> TeamEntry:
    """Read one team by the rules of the file; `place` names it in a refusal.

    Raises:
        Refusal: INVALID_REGION.
    """
    return _read_team(Entry(place, data))


def read_collection_entry(place: str, data: Mapping[str, object]) -> CollectionEntry:
    """Read one collection by the rules of the file; `place` names it in a refusal.

    Raises:
        Refusal: INVALID_REGION.
    """
    return _read_collection(Entry(place, data))


def read_api_root_entry(place: str, data: Mapping[str, object]) -> ApiRoot:
    """Read one API root by the rules of the file; `place` names it in a refusal.

    Raises:
        Refusal: INVALID_REGION.
    """
    return _read_api_root(Entry(place, data))


def _read_footnote(entry: Entry) -> Footnote:
    entry.require_keys("mark text")
    return Footnote(mark=entry.text("mark", _MARK, "one of * † ‡"), text=entry.text("text", _LINE))


def _read_country(entry: Entry) -> Country:
    entry.require_keys("code name row column", "mark")
    code = entry.text("code", _COUNTRY, "two capital letters, ISO 3166-1 alpha-2 or XK")
    if code == NO_COUNTRY:
        raise entry.refusal(f"remove it: {NO_COUNTRY} stands for no one country and has no tile")
    return Country(
        code=code,
        name=entry.text("name", _NAME),
        mark=entry.optional_text("mark", _MARK, "one of * † ‡"),
        row=entry.tile_side("row"),
        column=entry.tile_side("column"),
    )


def _read_team(entry: Entry) -> TeamEntry:
    entry.require_keys("slug name country kind identity collection", "website note")
    return TeamEntry(
        slug=entry.text("slug", _SLUG, "lower case letters, digits and hyphens, at most 40"),
        name=entry.text("name", _NAME),
        country=entry.text("country", _COUNTRY, f"two capital letters, {NO_COUNTRY} for no one country"),
        kind=TeamKind(entry.choice("kind", TeamKind)),
        identity_id=entry.text("identity", _IDENTITY, "identity--<uuid>, lower case"),
        website=entry.optional_text("website", _WEBSITE, "an https:// address without query"),
        note=entry.optional_text("note", _LINE, "one line of text, not too long"),
    )


def _read_api_root(entry: Entry) -> ApiRoot:
    entry.require_keys("slug title description")
    return ApiRoot(
        slug=entry.text("slug", _ROOT, _ROOT_WANTED),
        title=entry.text("title", _TITLE, "a short title without '.' and ','"),
        description=entry.text("description", _LINE),
    )


def _read_collection(entry: Entry) -> CollectionEntry:
    entry.require_keys("slug uuid title description ceiling signature read write", "api_root media_types blind_matching")
    blind_matching = entry.flag("blind_matching", usual=False)
    if blind_matching and entry.table["read"] == "all":
        raise entry.refusal("leave out 'blind_matching': everybody reads it, so there is nobody to match it with")
    return CollectionEntry(
        slug=entry.text("slug", _ALIAS, "lower case letters, digits and hyphens, at most 40, and not look like a UUID"),
        uuid=entry.text("uuid", _UUID4, "a version 4 UUID in lower case"),
        title=entry.text("title", _TITLE, "a short title without '.' and ','"),
        description=entry.text("description", _LINE),
        ceiling=_CEILINGS[entry.choice("ceiling", _CEILINGS)],
        signature=SignatureRule(entry.choice("signature", SignatureRule)),
        read=entry.audience("read"),
        write=entry.audience("write"),
        api_root=entry.text("api_root", _ROOT, "the slug of an API root") if "api_root" in entry.table else None,
        media_types=entry.media_types("media_types"),
        blind_matching=blind_matching,
    )


def _read_own_collection(rule: Entry, team: Entry) -> CollectionEntry:
    """Make the collection that only one team reads and writes; all follow one rule, only the UUID is the team's own."""
    slug = team.text("slug", _SLUG)
    title = rule.text("title", _TITLE_PATTERN, "a short title that holds {team}, without '.' and ','")
    return CollectionEntry(
        slug=f"team-{slug}",
        uuid=team.text("collection", _UUID4, "a version 4 UUID in lower case"),
        title=title.replace("{team}", slug),  # not str.format: a pattern must not reach into objects
        description=rule.text("description", _LINE).replace("{team}", slug),
        ceiling=_CEILINGS[rule.choice("ceiling", _CEILINGS)],
        signature=SignatureRule(rule.choice("signature", SignatureRule)),
        read=(slug,),
        write=(slug,),
        blind_matching=rule.flag("blind_matching", usual=False),
    )


def _appoint_centre(region: Region, entry: Entry) -> Region:
    """Read as which team, and in which collections, the host publishes what crosses borders; one for each set of readers."""
    entry.require_keys("team collections")
    slug, named = entry.text("team", _SLUG, "the slug of a team"), frozenset(entry.audience("collections"))
    if TeamKind.COORDINATION not in {team.kind for team in region.teams if team.slug == slug}:
        raise entry.refusal("'team' must be the slug of a team of the kind coordination")
    if not named <= {collection.slug for collection in region.collections}:
        raise entry.refusal("'collections' must be a list of slugs of shared collections")
    appointed = [replace(one, centre=slug) for one in region.collections if one.slug in named]
    for collection in appointed:
        require_publishable(collection)
    if len({one.read if one.read == "all" else frozenset(one.read) for one in appointed}) < len(appointed):
        raise entry.refusal("two of its collections have the same readers; name one of them")
    collections = {one.slug: one for one in (*region.collections, *appointed)}
    return replace(region, collections=tuple(collections.values()))


def require_publishable(collection: CollectionEntry) -> None:
    """Refuse a collection in which the host could not publish as the centre that it names.

    Raises:
        Refusal: INVALID_REGION.
    """
    if collection.centre is None:
        return
    place = f"collection {collection.slug!r}"
    if collection.write != "all" and collection.centre not in collection.write:
        raise Refusal(Code.INVALID_REGION, f"{place}: the centre publishes there; add it to those who write")
    if collection.signature is SignatureRule.REQUIRED:
        raise Refusal(Code.INVALID_REGION, f"{place}: no team signs what the host finds; set 'signature' to accepted")


def _require_unique(region: Region) -> None:
    teams, collections = region.teams, region.collections
    kinds: Mapping[str, Iterable[str]] = {
        "footnote mark": (footnote.mark for footnote in region.footnotes),
        "country code": (country.code for country in region.countries),
        "tile (row, column)": (f"{country.row}, {country.column}" for country in region.countries),
        "team slug": (team.slug for team in teams),
        "team name": (team.name.casefold() for team in teams),
        "team identity": (team.identity_id for team in teams),
        "API root slug": (root.slug for root in region.api_roots),
        "API root title": (root.title.casefold() for root in region.api_roots),
        "collection slug": (collection.slug for collection in collections),
        "collection uuid": (collection.uuid for collection in collections),
        "collection title": (collection.title.casefold() for collection in collections),
    }
    for kind, values in kinds.items():
        for value, times in Counter(values).most_common(1):
            if times > 1:
                raise Refusal(Code.INVALID_REGION, f"{kind} {value!r} stands {times} times: give each entry its own")


def _require_known(region: Region) -> None:
    marks = {"", *(footnote.mark for footnote in region.footnotes)}
    for country in region.countries:
        if country.mark not in marks:
            raise Refusal(Code.INVALID_REGION, f"country {country.code!r}: add a footnote for its mark")
    codes = {NO_COUNTRY, *(country.code for country in region.countries)}
    for team in region.teams:
        if team.country not in codes:
            raise Refusal(Code.INVALID_REGION, f"team {team.slug!r}: add its country under [[countries]]")
    slugs = {team.slug for team in region.teams}
    roots = {None, *(root.slug for root in region.api_roots)}
    for collection in region.collections:
        if collection.api_root not in roots:
            raise Refusal(Code.INVALID_REGION, f"collection {collection.slug!r}: add its API root under [[api_roots]]")
        for audience in (collection.read, collection.write):
            if audience != "all" and not slugs.issuperset(audience):
                raise Refusal(
                    Code.INVALID_REGION,
                    f"collection {collection.slug!r}: its audience names a team that is not under [[teams]]",
                )
