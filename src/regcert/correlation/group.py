"""The judgement of one value: does it cross borders, and if not, why not.

A group is everything that is known about one observable: a list of holdings. All questions are answered in time linear
in that list; no holding is ever compared with another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from regcert.clock import DAY_US
from regcert.correlation.guards import Guards
from regcert.domain.holding import Holding
from regcert.domain.incident import Arrival
from regcert.domain.team import Team, TeamKind
from regcert.stix.observable import Observable

WINDOW_US = 30 * DAY_US  # a crew moves on within days; an address that rested for a month may be somebody else's
LEAST_COUNTRIES = 2
ENOUGH_FALSE_POSITIVES = 2  # one team may err or be bribed; that two do is less likely than that they are right
_NO_COUNTRY = "ZZ"


class Held(StrEnum):
    """Why a value makes no incident; the value is stable."""

    GUARDED = "guarded"
    PROTECTED = "protected"
    NOISE = "noise"
    FALSE_POSITIVE = "false-positive"
    NOBODY = "nobody"
    ONE_COUNTRY = "one-country"
    ONE_ORIGIN = "one-origin"
    SHARED = "shared"


_SENTENCES = {
    Held.FALSE_POSITIVE: "As many teams call it harmless as hold it, or two teams call it harmless.",
    Held.NOBODY: "Nobody has published it or seen it.",
    Held.ONE_COUNTRY: "Only one country held it, or the others more than 30 days before or after.",
    Held.ONE_ORIGIN: "All who hold it repeat the word of one origin.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """What counts of one observable's holdings.

    Args:
        supporting: holdings that say it is out there, within the window.
        harmless: teams that call it harmless, whenever they said so.
        unseen: teams that looked within the window, did not see it and support nothing.
    """

    supporting: tuple[Holding, ...]
    harmless: frozenset[Team]
    unseen: frozenset[Team]

    @property
    def teams(self) -> frozenset[Team]:
        """The teams that support it."""
        return frozenset(holding.team for holding in self.supporting)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a value crosses borders, and the facts behind it.

    Args:
        crosses: whether it makes an incident.
        held: why it makes none, or None where it does.
        reason: the same as a sentence for people.
        spread: the countries that hold it, in the order in which it reached them, also where it is held back.
        independent: how many countries have a word of their own for it, whatever holds it back.
        supporters: how many teams published or saw it.
        false_positives: how many teams call it harmless.
        derived: whether it would not cross if only those counted who named it, and not a value that stands in it.
    """

    crosses: bool
    held: Held | None
    reason: str | None
    spread: tuple[Arrival, ...]
    independent: int
    supporters: int
    false_positives: int
    derived: bool = False


def judge(observable: Observable, holdings: Sequence[Holding], guards: Guards) -> Verdict:
    """Judge whether a value crosses borders.

    Event times are believed: that none lies in the future is for whoever admits a report to ensure, since one
    far-off date would move the window past everybody else.

    Args:
        observable: the value.
        holdings: all that one audience knows about it, in any order.
        guards: what is benign.

    Returns:
        The verdict; where several things hold the value back, the first in the order of `Held`.
    """
    group = weigh(holdings)
    spread = find_spread(group.supporting)
    independent = count_independent(group.supporting)
    supporters, votes = len(group.teams), len(group.harmless)
    guarded = guards.find_reason(observable)
    held = None
    if guarded is not None:
        held = Held.GUARDED
    elif votes and (votes >= ENOUGH_FALSE_POSITIVES or votes >= supporters):
        held = Held.FALSE_POSITIVE
    elif not supporters:
        held = Held.NOBODY
    elif len(spread) < LEAST_COUNTRIES:
        held = Held.ONE_COUNTRY
    elif independent < LEAST_COUNTRIES:
        held = Held.ONE_ORIGIN
    reason = guarded if held is Held.GUARDED else _SENTENCES.get(held) if held else None
    return Verdict(held is None, held, reason, spread, independent, supporters, votes, leans(group.supporting))


def leans(supporting: Iterable[Holding]) -> bool:
    """Tell whether a value crosses only because others that stand in it were named."""
    listed = tuple(supporting)
    return any(one.derived for one in listed) and count_independent(one for one in listed if not one.derived) < LEAST_COUNTRIES


def weigh(holdings: Iterable[Holding]) -> Group:
    """Set apart what counts: the newest run of events, none more than 30 days after those before, that makes two countries.

    Where no run does, it is the newest one. So a copy that turns up months later ends no story, and a crossing that was
    seen stays seen. A holding of negatives only supports nothing and continues no run. A team that calls harmless what it
    also published counts on both sides: the ledger knows which came last, this room does not.

    Args:
        holdings: everything about one observable, in any order.

    Returns:
        What counts, the supporting holdings in the order of their events.
    """
    everything = tuple(holdings)
    counted = _choose_run([holding for holding in everything if holding.supports])
    opens_us = max((holding.last_us for holding in counted), default=0) - WINDOW_US
    supporters = {holding.team for holding in counted}
    looked = {holding.team for holding in everything if holding.negatives > 0 and holding.last_us >= opens_us}
    return Group(
        supporting=counted,
        harmless=frozenset(holding.team for holding in everything if holding.false_positive),
        unseen=frozenset(looked - supporters),
    )


def _choose_run(supporting: Iterable[Holding]) -> tuple[Holding, ...]:
    ordered = sorted(supporting, key=lambda one: (one.first_us, one.last_us, one.team.slug, one.origin))
    runs: list[list[Holding]] = []
    ends_us = 0
    for holding in ordered:
        if not runs or holding.first_us > ends_us + WINDOW_US:
            runs.append([])
            ends_us = holding.last_us
        runs[-1].append(holding)
        ends_us = max(ends_us, holding.last_us)
    if len(runs) == 1:
        return tuple(runs[0])
    newest_first = [tuple(run) for run in reversed(runs)]
    crossing = (run for run in newest_first if count_independent(run) >= LEAST_COUNTRIES)
    return next(crossing, newest_first[0] if newest_first else ())


def find_spread(supporting: Iterable[Holding]) -> tuple[Arrival, ...]:
    """Find the countries and the order in which a value reached them; countries of one moment by their code.

    A coordination team answers for the region and names no country, and neither does a team of no country, `ZZ`.
    """
    first_us: dict[str, int] = {}
    for holding in supporting:
        if _names_country(holding.team):
            country = holding.team.country
            first_us[country] = min(holding.first_us, first_us.get(country, holding.first_us))
    return tuple(Arrival(country, at_us) for country, at_us in sorted(first_us.items(), key=lambda item: item[::-1]))


def find_arrivals(supporting: Iterable[Holding]) -> tuple[Arrival, ...]:
    """Find when which country saw something itself: to repeat what a feed says is no arrival.

    Where fewer than two countries have a word of their own, those that only repeat somebody's are all there is to show.
    """
    listed = tuple(supporting)
    arrivals = find_spread(holding for holding in listed if holding.origin == holding.team.identity_id)
    return arrivals if len(arrivals) >= LEAST_COUNTRIES else find_spread(listed)


def count_independent(supporting: Iterable[Holding]) -> int:
    """Count the countries that can each be given an origin which no other of them needs.

    It is the size of a largest matching of countries and origins. So five teams that relay one origin are one, and so
    is one country that relays fifty. As many origins as there are countries are all that a country can ever need (by
    Hall's theorem it is then matched whatever the others take), so the cost is bounded by the countries, not the feeds.
    """
    heard: dict[str, set[str]] = {}
    for holding in supporting:
        if _names_country(holding.team):
            heard.setdefault(holding.team.country, set()).add(holding.origin)
    if _have_own(heard.values()):
        return len(heard)
    needed = {country: tuple(islice(origins, len(heard))) for country, origins in heard.items()}
    given: dict[str, str] = {}

    def give(country: str, tried: set[str]) -> bool:
        for origin in needed[country]:
            if origin not in given:
                given[origin] = country
                return True
        for origin in needed[country]:
            if origin not in tried:
                tried.add(origin)
                if give(given[origin], tried):
                    given[origin] = country
                    return True
        return False

    return sum([give(country, set()) for country in needed])


def _have_own(heard: Iterable[set[str]]) -> bool:
    """Tell whether each can take the first origin that is left: nearly always so, and quickly told."""
    taken: set[str] = set()
    for origins in heard:
        free = next((one for one in origins if one not in taken), None)
        if free is None:
            return False
        taken.add(free)
    return True


_COORDINATION = TeamKind.COORDINATION  # looked up once: a class of names answers slowly


def _names_country(team: Team) -> bool:
    return team.kind is not _COORDINATION and team.country != _NO_COUNTRY
