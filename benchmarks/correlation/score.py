"""Mark what was found against what was planted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from benchmarks.correlation.world import Truth

TOP = 20
PURE = 0.8


@dataclass(frozen=True, slots=True)
class Found:
    """An incident as somebody found it: the higher the score the earlier it is shown."""

    score: float
    values: frozenset[str]
    spread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What an answer is worth; the first seven are better the larger, the last four are to be 0.

    Args:
        precision, recall, f1: over pairs of values in the same incident.
        rand: adjusted Rand index over all values that were found or should have been.
        top: share of the first 20 incidents of which four fifths are one campaign, each campaign counted once.
        tau: Kendall's tau of the order of countries, averaged over the campaigns that were found, of
            the incident that has most of each; a country left out or made up agrees with nothing.
        campaigns: share of the campaigns that some incident is about.
        benign, copied, lone: incidents most of whose values are benign or shared, copies of a feed, or one country's.
        stray: share of the values in incidents that belong to no campaign.
    """

    precision: float
    recall: float
    f1: float
    rand: float
    top: float
    tau: float
    campaigns: float
    benign: int
    copied: int
    lone: int
    stray: float


def mark(found: Iterable[Found], truth: Truth) -> Figures:
    """Mark an answer."""
    incidents = sorted(found, key=lambda one: (-one.score, sorted(one.values)))
    crossing = truth.crossing
    together = Counter(crossing.values())
    wanted = sum(_pairs(size) for size in together.values())
    said = sum(_pairs(len(one.values)) for one in incidents)
    shares = [Counter(crossing[value] for value in one.values if value in crossing) for one in incidents]
    right = sum(_pairs(size) for share in shares for size in share.values())
    precision = right / said if said else 1.0
    recall = right / wanted if wanted else 1.0
    told = [_campaign_of(one, share) for one, share in zip(incidents, shares, strict=True)]
    values = sum(len(one.values) for one in incidents)
    return Figures(
        precision,
        recall,
        2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        _rand(right, said, wanted, len(set(crossing).union(*(one.values for one in incidents)))),
        _top(told),
        _mean(_tau(one.spread, truth.arrivals[campaign]) for campaign, one in _largest(incidents, told).items()),
        len({one for one in told if one is not None}) / len(together) if together else 1.0,
        sum(_mostly(one, truth.benign | truth.shared) for one in incidents),
        sum(_mostly(one, truth.copies) for one in incidents),
        sum(_mostly(one, truth.lone) or len(one.spread) < 2 for one in incidents),
        1 - sum(sum(share.values()) for share in shares) / values if values else 0.0,
    )


def _pairs(number: int) -> int:
    return number * (number - 1) // 2


def _rand(right: int, said: int, wanted: int, values: int) -> float:
    """Adjust the Rand index for chance (Hubert and Arabie 1985); who is in no incident, or in no campaign, is alone."""
    expected = said * wanted / _pairs(values) if values > 1 else 0.0
    most = (said + wanted) / 2
    return (right - expected) / (most - expected) if most != expected else 1.0


def _campaign_of(one: Found, share: Counter[int]) -> int | None:
    if not share:
        return None
    campaign, size = max(share.items(), key=lambda item: (item[1], -item[0]))
    return campaign if size >= PURE * len(one.values) else None


def _largest(incidents: Sequence[Found], told: Sequence[int | None]) -> dict[int, Found]:
    largest: dict[int, Found] = {}
    for one, campaign in zip(incidents, told, strict=True):
        if campaign is not None and (campaign not in largest or len(one.values) > len(largest[campaign].values)):
            largest[campaign] = one
    return largest


def _top(told: Sequence[int | None]) -> float:
    first, seen, good = told[:TOP], set(), 0
    for campaign in first:
        good += campaign is not None and campaign not in seen
        seen.add(campaign)
    return good / len(first) if first else 1.0


def _tau(spread: Sequence[str], arrivals: dict[str, int]) -> float:
    """Compare an order of countries with the true one; a country that it leaves out or makes up agrees with nothing."""
    place = {country: index for index, country in enumerate(spread)}
    pairs = list(combinations(sorted(set(spread) | set(arrivals)), 2))
    agreed = 0
    for one, other in pairs:
        if one in place and other in place and one in arrivals and other in arrivals:
            agreed += 1 if (place[one] < place[other]) == (arrivals[one] < arrivals[other]) else -1
    return agreed / len(pairs) if pairs else 1.0


def _mostly(one: Found, bad: set[str]) -> bool:
    return 2 * len(one.values & bad) > len(one.values)


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed) if listed else 0.0
