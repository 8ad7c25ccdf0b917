"""What the console's pages are drawn from: frozen, filled by the handlers, free of markup.

Everything a page shows is here or follows from what is here; the pages ask nobody. Whether the viewer may see it was
decided before (law 5): a view holds only what one principal may see.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from regcert.domain import region
from regcert.domain.decision import Decided, Deed
from regcert.domain.holding import Holding
from regcert.domain.incident import Facts, Incident, Standing
from regcert.domain.principal import Role
from regcert.domain.region import Footnote
from regcert.domain.submission import Vouched
from regcert.domain.team import Team
from regcert.stix.observable import Observable, ObservableKind

DAYS = 14
"""How many days of activity the board shows."""

# What names an attack best stands first: people remember a domain, nobody remembers a hash.
_TELLING = (
    ObservableKind.DOMAIN,
    ObservableKind.URL,
    ObservableKind.EMAIL,
    ObservableKind.FILE_NAME,
    ObservableKind.IPV4,
    ObservableKind.IPV6,
)


@dataclass(frozen=True, slots=True)
class Country:
    """A country as the region file draws it.

    Args:
        code: ISO 3166-1 alpha-2, or `XK`.
        name: in English, without its footnote mark.
        row: of its tile in the schematic region, 1 to 8 from the top.
        col: of its tile, 1 to 8 from the left.
        mark: its footnote mark, for example `*`, or empty.
    """

    code: str
    name: str
    row: int = 1
    col: int = 1
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """The region the host serves."""

    name: str
    countries: tuple[Country, ...]
    footnotes: tuple[Footnote, ...] = ()

    @classmethod
    def of(cls, name: str, countries: Iterable[region.Country], footnotes: Iterable[Footnote]) -> "Region":
        """Draw the region that a host serves."""
        drawn = (Country(one.code, one.name, one.row, one.column, one.mark) for one in countries)
        return cls(name, tuple(drawn), tuple(footnotes))

    def country(self, code: str) -> Country:
        """Return the country of that code; one outside the region goes by its code."""
        return next((known for known in self.countries if known.code == code), Country(code, code))

    def notes(self, codes: Iterable[str]) -> tuple[Footnote, ...]:
        """Return the footnotes that a page showing these countries must carry."""
        marks = {self.country(code).mark for code in codes}
        return tuple(note for note in self.footnotes if note.mark in marks)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in.

    Args:
        team: the team's name.
        role: what the session may do.
        csrf: the token every form carries.
        unseen: how many alerts the team has not seen, up to 100.
    """

    team: str
    role: Role
    csrf: str
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """What the teams of one country did lately.

    Args:
        code: the country's; `ZZ` for teams of no one country.
        teams: how many there are.
        published_7d: observables published in the last seven days.
        sighted_7d: sightings reported in the last seven days.
        daily: both together on each of the last 14 days (UTC), the oldest first, today last.
    """

    code: str
    teams: int
    published_7d: int
    sighted_7d: int
    daily: tuple[int, ...]

    @property
    def week(self) -> int:
        """Both together, in seven days."""
        return self.published_7d + self.sighted_7d


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident in the ranked list.

    Args:
        incident: what correlation found.
        score: its strength now, age taken into account, 0 to 100.
        names: campaigns and malware its parts name, the most frequent first.
    """

    incident: Incident
    score: float
    names: tuple[str, ...] = ()

    @property
    def lead(self) -> Observable | None:
        """The observable that stands for it where no campaign is named."""
        ranks = {kind: rank for rank, kind in enumerate(_TELLING)}
        return min(self.incident.observables, key=lambda one: ranks.get(one.kind, len(ranks)), default=None)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A value correlation does not count, and why; never silently dropped.

    Args:
        observable: the value.
        countries: codes of the countries that hold it.
        reason: one sentence, for example which list calls it benign.
    """

    observable: Observable
    countries: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class BoardView:
    """The board of one region, for one viewer, at one time.

    Args:
        region: the region.
        viewer: who looks.
        now_us: the time the page speaks of.
        crossing: how many incidents cross borders, on all pages of the list.
        activity: of each country of the region.
        elsewhere: of the teams that belong to no one country, or None where there are none.
        incidents: this page of the list, highest score first.
        next_cursor: where the list goes on, or None at its end.
        later: whether this is not the list's first page.
        held_back: values not counted.
        dismissed: whether the list is that of dismissed incidents.
    """

    region: Region
    viewer: Viewer
    now_us: int
    crossing: int
    activity: tuple[Activity, ...]
    elsewhere: Activity | None = None
    incidents: tuple[IncidentRow, ...] = ()
    next_cursor: str | None = None
    later: bool = False
    held_back: tuple[HeldBack, ...] = ()
    dismissed: bool = False

    @property
    def days(self) -> tuple[tuple[Country, tuple[int, ...]], ...]:
        """The rows of the matrix of countries and days."""
        return tuple((self.region.country(one.code), one.daily) for one in self.activity)

    @property
    def peak_day(self) -> int:
        """The busiest day of any country."""
        return max((number for one in self.activity for number in one.daily), default=0)

    @property
    def peak_week(self) -> int:
        """The busiest week of any country."""
        return max((one.week for one in self.activity), default=0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observable of an incident, with who holds it.

    Args:
        observable: the value.
        holdings: at least one, of the teams the viewer may know of.
    """

    observable: Observable
    holdings: tuple[Holding, ...]

    @property
    def teams(self) -> tuple[Team, ...]:
        """Who published or saw it, by slug, each team once; who only looked in vain holds nothing."""
        holding = {one.team for one in self.holdings if one.published or one.positives}
        return tuple(sorted(holding, key=lambda team: team.slug))

    def vouched(self, team: Team) -> str:
        """Say who vouches for what a team published: `signed` by its own key, or `attested` by this host; else it is empty."""
        published = [h for h in self.holdings if h.team == team and h.published]
        if not published:
            return ""
        return Vouched.SIGNED if all(h.signed for h in published) else Vouched.ATTESTED

    @property
    def relayers(self) -> tuple[Team, ...]:
        """Who of them passes on what somebody else wrote."""
        relaying = {h.team for h in self.holdings if h.published and h.origin != h.team.identity_id}
        return tuple(sorted(relaying, key=lambda team: team.slug))

    @property
    def doubters(self) -> tuple[Team, ...]:
        """Who of them calls it harmless."""
        return tuple(sorted({h.team for h in self.holdings if h.false_positive}, key=lambda team: team.slug))

    @property
    def sightings(self) -> int:
        """How often it was seen."""
        return sum(holding.positives for holding in self.holdings)

    @property
    def first_us(self) -> int:
        """When it was held first."""
        return min(holding.first_us for holding in self.holdings)

    @property
    def last_us(self) -> int:
        """When it was held last."""
        return max(holding.last_us for holding in self.holdings)


@dataclass(frozen=True, slots=True)
class Involvement:
    """One team's part in an incident."""

    team: Team
    contact: str
    first_us: int
    observables: int
    sightings: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One country's line in the spread timeline.

    Args:
        country: whose.
        first_us: when the incident reached it.
        last_us: when it was last heard of there.
        marks_us: when each observable first appeared there.
    """

    country: Country
    first_us: int
    last_us: int
    marks_us: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident, for one viewer, at one time.

    Args:
        region: the region.
        viewer: who looks.
        now_us: the time the page speaks of.
        row: the incident, its score now and its names.
        evidence: its observables; the handler bounds them and the page says when there are more.
        contacts: an address or number by team slug; a team without one is shown without.
        json_href: the same as data; a path of ours, never from outside.
        facts: what the objects and reports behind it say besides.
        signers: for each value and team, by slug, the ids of the keys that signed what the team publishes of it.
        history: what coordinators decided about it, the newest first.
        keys: what stands for each of its values in a form.
        may_decide: whether the viewer may.
    """

    region: Region
    viewer: Viewer
    now_us: int
    row: IncidentRow
    evidence: tuple[Evidence, ...]
    contacts: Mapping[str, str]
    json_href: str
    facts: Facts = field(default_factory=Facts)
    signers: Mapping[tuple[Observable, str], Sequence[str]] = field(default_factory=dict)
    history: tuple[Decided, ...] = ()
    keys: Mapping[Observable, str] = field(default_factory=dict)
    may_decide: bool = False

    def signed_by(self, observable: Observable, team: Team) -> Sequence[str]:
        """The ids of the keys with which a team signed what it publishes of a value."""
        return self.signers.get((observable, team.slug), ())

    @property
    def is_pinned(self) -> bool:
        """Whether a coordinator pinned it."""
        return self.row.incident.standing is Standing.PINNED

    @property
    def is_dismissed(self) -> bool:
        """Whether a coordinator dismissed it, also where it is back for a further country."""
        return self.row.incident.standing is Standing.DISMISSED or bool(self.row.incident.returned_for)

    def last(self, word: str) -> Decided | None:
        """The newest decision of a kind that still holds."""
        return next((one for one in self.history if one.deed is Deed(word) and not one.is_undone), None)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The countries in the order in which the incident reached them."""
        return tuple(self._lane(arrival.country, arrival.first_us) for arrival in self.row.incident.spread)

    def _lane(self, code: str, first_us: int) -> Lane:
        held = [h for part in self.evidence for h in part.holdings if h.team.country == code]
        last_us = max((h.last_us for h in held), default=first_us)
        marks = sorted({h.first_us for h in held if h.first_us >= first_us})
        return Lane(self.region.country(code), first_us, max(first_us, last_us), tuple(marks))

    @property
    def involved(self) -> tuple[Involvement, ...]:
        """Its teams, the first to hold a part of it first."""
        parts = (self._involvement(team) for team in self.row.incident.teams)
        return tuple(sorted(parts, key=lambda part: (part.first_us, part.team.slug)))

    def _involvement(self, team: Team) -> Involvement:
        held = [h for part in self.evidence for h in part.holdings if h.team == team]
        return Involvement(
            team,
            contact=self.contacts.get(team.slug, ""),
            first_us=min((h.first_us for h in held), default=self.row.incident.last_us),
            observables=sum(any(h.team == team for h in part.holdings) for part in self.evidence),
            sightings=sum(h.positives for h in held),
        )


@dataclass(frozen=True, slots=True)
class SignInView:
    """The door.

    Args:
        region_name: which region this host serves.
        tried: by which way somebody was not let in just now: `person`, `token` or `provider`; empty for nobody.
        wait_s: for how long nothing that they try is looked at, or 0.
        provider: what people call the OpenID provider, or empty where there is none.
    """

    region_name: str
    tried: str = ""
    wait_s: int = 0
    provider: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A page that says one thing: not found, refused, broken.

    Args:
        title: a few words.
        sentence: what the reader can do.
        region_name: which region this host serves.
        viewer: who looks, or None where nobody is signed in.
        request_id: what to quote to the operator, or empty.
    """

    title: str
    sentence: str
    region_name: str
    viewer: Viewer | None = None
    request_id: str = ""
