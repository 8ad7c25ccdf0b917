"""The strength of an incident, every point of it with its evidence, and the order in which incidents are shown.

Each term grows with its evidence and saturates: the first neighbour who sees the same says more than the fifth. Nothing
here counts repeats; sums of sightings are shown, never scored (law 7).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import exp2, fsum, log2

from regcert.clock import DAY_US
from regcert.correlation.group import LEAST_COUNTRIES, Group, count_independent, find_arrivals, find_spread, leans, weigh
from regcert.domain.holding import Holding
from regcert.domain.incident import Arrival, Incident, Term
from regcert.stix.observable import Observable

HALF_LIFE_US = 14 * DAY_US
LEAST_STRENGTH = 0.01

MOST_SPREAD = 30.0
MOST_INDEPENDENCE = 20.0
MOST_EVIDENCE = 15.0
MOST_SIGHTED = 20.0
MOST_SPEED = 15.0
MOST_DOUBT = 30.0

FIRM_VALUES = 3  # below that there is nothing to compare
FOLLOWED_US = 3 * DAY_US  # how long the second value of a story may take to follow the first
EVIDENCE_STEP = 4  # further linked values that halve what is missing
SPEED_STEP_US = 3 * DAY_US  # the quickest crossing that gives half
FALSE_POSITIVE_WEIGHT = 4  # calling it harmless weighs as much as four teams that looked in vain


def assess(incident_id: str, scope: str, members: Mapping[Observable, Sequence[Holding]]) -> Incident:
    """Assess a cluster of values.

    Args:
        incident_id: as `keep_ids` gave it.
        scope: the audience that all the holdings belong to.
        members: each value with everything that audience knows about it; which values belong is the caller's choice.

    Returns:
        The incident. Its marking is the strictest of all holdings handed in, also of those outside the window and of
        those that only doubt: that they were weighed shows.

    Raises:
        ValueError: no holding of any member supports it; there is no incident without one.
    """
    groups = [weigh(holdings) for holdings in members.values()]
    supporting = tuple(holding for group in groups for holding in group.supporting)
    if not supporting:
        raise ValueError("an incident needs a holding that supports it")
    spread = find_spread(supporting)
    terms = (
        _spread_term(supporting),
        _independence_term(supporting),
        _evidence_term(len(members), sum(leans(group.supporting) for group in groups)),
        _sighted_term(supporting),
        _speed_term(spread),
        _doubt_term(groups),
    )
    return Incident(
        incident_id=incident_id,
        scope=scope,
        strength=round(min(100.0, max(0.0, fsum(term.points for term in terms))), 2),
        marking=max(holding.marking for holdings in members.values() for holding in holdings),
        spread=_find_spread(groups, supporting),
        teams=tuple(sorted({holding.team for holding in supporting}, key=lambda team: team.slug)),
        observables=tuple(sorted(members)),
        sightings=sum(holding.positives for holding in supporting),
        first_us=min(holding.first_us for holding in supporting),
        last_us=max(holding.last_us for holding in supporting),
        terms=terms,
        derived=tuple(sorted(one for one, held in members.items() if all(each.derived for each in held if each.supports))),
    )


def _find_spread(groups: Sequence[Group], supporting: Sequence[Holding]) -> tuple[Arrival, ...]:
    """Find the order of countries; in a story of several values none leads it on the strength of a single old one.

    A value that a story took over from an earlier one was somewhere before the story was. So a country's arrival is when the
    first of its values came that another one followed within three days, and where only one value ever came, it does not
    stand before all who have more.
    """
    arrivals = find_arrivals(supporting)
    if len(groups) < FIRM_VALUES:
        return arrivals
    came_us: dict[str, list[int]] = {arrival.country: [] for arrival in arrivals}
    for group in groups:
        for arrival in find_arrivals(group.supporting):
            if arrival.country in came_us:
                came_us[arrival.country].append(arrival.first_us)
    followed: dict[str, int] = {}
    for country, times_us in came_us.items():
        leads_us = [one for one, after in pairwise(sorted(times_us)) if after - one <= FOLLOWED_US]
        if leads_us:
            followed[country] = leads_us[0]
    if len(followed) < LEAST_COUNTRIES:
        return arrivals
    begins_us = min(followed.values())
    told = (Arrival(one.country, followed.get(one.country, one.first_us)) for one in arrivals)
    return tuple(sorted((one for one in told if one.first_us >= begins_us), key=lambda one: (one.first_us, one.country)))


def rank(incident: Incident) -> float:
    """Rank an incident by a number that never changes with the hour, so that a page can be keyed by it.

    Halving every fourteen days is a straight line in the logarithm, and all lines fall alike: whoever is ahead stays
    ahead. So this orders incidents as `current_score` does at any moment not before their last events.
    """
    return log2(max(incident.strength, LEAST_STRENGTH)) + incident.last_us / HALF_LIFE_US


def current_score(incident: Incident, now_us: int) -> float:
    """Score an incident as of now: its strength, halved for every fourteen days since it was last seen.

    Args:
        incident: the incident.
        now_us: the time; before the last event the age is none.

    Returns:
        0 to 100.
    """
    age_us = max(0, now_us - incident.last_us)
    return max(incident.strength, LEAST_STRENGTH) * exp2(-age_us / HALF_LIFE_US)


def _saturate(most: float, amount: float, step: float) -> float:
    """Return the points for an amount of which each step halves what is missing to the most."""
    return round(most * (1 - exp2(-amount / step)), 2)


def _spread_term(supporting: Sequence[Holding]) -> Term:
    # Whoever only repeats was not reached. No names here: some carry a footnote, which whoever shows them knows.
    reached = count_independent(supporting)
    evidence = f"It reached {_count(reached, 'country', 'countries')}."
    return Term("spread", _saturate(MOST_SPREAD, max(0, reached - 1), 1), MOST_SPREAD, evidence)


def _independence_term(supporting: Sequence[Holding]) -> Term:
    own = count_independent(supporting)
    teams = len({holding.team for holding in supporting})
    origins = len({holding.origin for holding in supporting})
    evidence = (
        f"{_count(teams, 'team', 'teams')} hold it on the word of {_count(origins, 'origin', 'origins')}; "
        f"{_count(own, 'country speaks', 'countries speak')} from knowledge of their own."
    )
    return Term("independence", _saturate(MOST_INDEPENDENCE, max(0, own - 1), 1), MOST_INDEPENDENCE, evidence)


def _evidence_term(values: int, derived: int) -> Term:
    # What crosses only through its URLs or addresses is half a value more: they are there already, or one of them is.
    count = max(0.0, values - 1 - derived / 2)
    halved = f", {derived} of them derived from others and counted half" if derived else ""
    evidence = f"It is made of {_count(values, 'value', 'linked values')}{halved}."
    return Term("evidence", _saturate(MOST_EVIDENCE, count, EVIDENCE_STEP), MOST_EVIDENCE, evidence)


def _sighted_term(supporting: Sequence[Holding]) -> Term:
    published = [holding for holding in supporting if holding.published]
    first = min(published, key=lambda holding: (holding.first_us, holding.team.slug), default=None)
    sighted = {holding.team for holding in supporting if holding.positives > 0}
    others = len(sighted - {first.team}) if first else len(sighted)
    evidence = f"{_count(others, 'team', 'teams')} other than the first to publish it saw it."
    return Term("sighted", _saturate(MOST_SIGHTED, others, 1), MOST_SIGHTED, evidence)


def _speed_term(spread: Sequence[Arrival]) -> Term:
    gaps_us = [later.first_us - earlier.first_us for earlier, later in pairwise(spread)]
    if not gaps_us:
        return Term("speed", 0.0, MOST_SPEED, "It has not moved between countries.")
    quickest_us = min(gaps_us)
    points = round(MOST_SPEED * exp2(-quickest_us / SPEED_STEP_US), 2)
    return Term("speed", points, MOST_SPEED, f"Its quickest crossing took {_span(quickest_us)}.")


def _doubt_term(groups: Sequence[Group]) -> Term:
    votes = (FALSE_POSITIVE_WEIGHT * len(group.harmless) + len(group.unseen) for group in groups)
    points = fsum(_saturate(MOST_DOUBT, vote, FALSE_POSITIVE_WEIGHT) for vote in votes) / len(groups)
    harmless = _count_teams(group.harmless for group in groups)
    unseen = _count_teams(group.unseen for group in groups)
    doubts = (
        f"{_count(harmless, 'team calls', 'teams call')} a part of it harmless" if harmless else "",
        f"{_count(unseen, 'team', 'teams')} looked for a part of it in vain" if unseen else "",
    )
    evidence = f"{'; '.join(filter(None, doubts)) or 'Nobody doubts it'}."
    return Term("doubt", 0.0 - round(points, 2), 0.0, evidence)


def _count_teams(sets: Iterable[frozenset[object]]) -> int:
    return len(frozenset[object]().union(*sets))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _span(span_us: int) -> str:
    hours = span_us // (DAY_US // 24)
    return "less than an hour" if hours < 1 else _count(hours, "hour", "hours") if hours < 48 else f"{hours // 24} days"
