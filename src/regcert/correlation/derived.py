"""What is known of a value through those that stand in it: a host through its URLs, a network through its addresses.

Somebody who saw a URL has met its host, but has not said that the host is bad. So what is derived makes a value cross only with
care: a network must have been named by somebody, and a value that tells no more than its children tell themselves is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from regcert.correlation.group import LEAST_COUNTRIES, Held, Verdict, count_independent, find_spread, leans, weigh
from regcert.domain.holding import Holding
from regcert.stix.derived import find_parents
from regcert.stix.observable import Observable, ObservableKind

Child = tuple[Observable, Sequence[Holding], Verdict]

# What is harmless says nothing about its neighbours.
_HARMLESS = frozenset({Held.GUARDED, Held.PROTECTED, Held.NOISE, Held.FALSE_POSITIVE})


def derive(parent: Observable, own: Sequence[Holding], children: Iterable[Child]) -> list[Holding]:
    """Derive what is held of a value from what is held of those that stand in it.

    Args:
        parent: the value.
        own: what one audience knows about it because somebody named it, in any order.
        children: the values that stand in it, what the same audience knows about each, and the verdict on it.

    Returns:
        Holdings to weigh besides its own. None where a network was named by nobody, and none where the value would cross only
        because children do, by themselves and in all its countries: they are the incident, and it would be listed twice.
    """
    named = [one for one in own if one.supports]
    if parent.kind is ObservableKind.CIDR and not named:
        return []
    speaking = {(one.team, one.origin) for one in named}
    nearer: defaultdict[Observable, list[Holding]] = defaultdict(list)
    derived: list[Holding] = []
    for child, holdings, verdict in children:
        through = [_through(one, harmless=verdict.held in _HARMLESS) for one in holdings]
        derived += (one for one in through if (one.team, one.origin) not in speaking)
        # Between a URL and its registered domain stands its host, which may cross by itself as a URL may.
        nearest = find_parents(child)[0]
        nearer[child if nearest == parent else nearest] += through
    if _crosses(named):
        return derived
    told = {country for holdings in nearer.values() if _crosses(holdings) for country in _countries(holdings)}
    return [] if _countries([*named, *derived]) <= told else derived


def find_telling(members: Mapping[Observable, Sequence[Holding]]) -> dict[Observable, Sequence[Holding]]:
    """Leave out of an incident what crosses only through others, and came to no country that its firm values did not come to.

    It still is in the incident, and holds it together; but a list twice as long says no more to whoever has to read it.

    Args:
        members: the values of an incident, each with everything that an audience knows about it.
    """
    if not any(each.derived for holdings in members.values() for each in holdings):
        return dict(members)
    supporting = {one: weigh(holdings).supporting for one, holdings in members.items()}
    leaning = {one for one, of_one in supporting.items() if leans(of_one)}
    reached = {arrival.country for one in members.keys() - leaning for arrival in find_spread(supporting[one])}
    return {
        one: holdings
        for one, holdings in members.items()
        if one not in leaning or any(arrival.country not in reached for arrival in find_spread(supporting[one]))
    }


def find_evidence(own: Sequence[Holding], children: Iterable[Sequence[Holding]]) -> list[Holding]:
    """Find through whom a value that is in an incident is held, where those who name it alone do not explain that it is there.

    Args:
        own: what is known about it because somebody named it.
        children: what is known about each value that stands in it.
    """
    if _crosses([one for one in own if one.supports]):
        return list(own)
    through = (_through(one, harmless=False) for holdings in children for one in holdings)
    return [*own, *(one for one in through if one.supports)]


def _through(holding: Holding, *, harmless: bool) -> Holding:
    """Say of a parent what a holding of its child says. Doubts are about the child alone; its marking is always weighed."""
    return replace(
        holding,
        published=holding.published and not harmless and not holding.false_positive,
        positives=0 if harmless or holding.false_positive else holding.positives,
        negatives=0,
        false_positive=False,
        derived=True,
    )


def _crosses(holdings: Sequence[Holding]) -> bool:
    return count_independent(weigh(holdings).supporting) >= LEAST_COUNTRIES


def _countries(holdings: Sequence[Holding]) -> set[str]:
    return {arrival.country for arrival in find_spread(weigh(holdings).supporting)}
