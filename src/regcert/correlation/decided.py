"""What coordinators decided, applied to what correlation found: a small pure step behind the stories.

A decision names values, never the reports or the incident ids of the day. So it holds whatever is recomputed, in whatever order
the evidence came. Decisions are applied in the order in which they were made: of two that contradict each other, the later one
holds.
"""

from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from regcert.correlation.group import Held, Verdict, judge
from regcert.correlation.guards import Guards
from regcert.domain.decision import Decision, Deed
from regcert.domain.holding import Holding
from regcert.domain.incident import Standing
from regcert.stix.observable import Observable

Keys = frozenset[bytes]

IS_NOISE = "A coordinator says that it is noise here."

# A value that most teams of an audience hold, in an audience large enough for "most" to mean anything.
LEAST_WIDE_TEAMS = 4
_NOTHING = Guards(())


def find_rulings(decisions: Iterable[Decision]) -> dict[bytes, Deed]:
    """Find which values coordinators say count, and which are noise; the later word holds."""
    return {key: one.deed for one in _in_order(decisions, Deed.COUNT, Deed.NOISE) for key in one.named}


def judge_decided(
    observable: Observable, holdings: Sequence[Holding], guards: Guards, protected: Guards, ruling: Deed | None
) -> Verdict:
    """Judge whether a value crosses borders, a coordinator's word included.

    That a value counts lifts guards, protection, votes, and the rule that two countries need two origins; it makes no second
    country of one.

    Args:
        observable: the value.
        holdings: all that one audience knows about it, in any order.
        guards: what is benign.
        protected: what the teams of the audience protect.
        ruling: what a coordinator said of it, or None.
    """
    if ruling is Deed.COUNT:
        counted = judge(observable, [replace(one, false_positive=False) for one in holdings], _NOTHING)
        return replace(counted, crosses=True, held=None, reason=None) if counted.held is Held.ONE_ORIGIN else counted
    verdict = judge(observable, holdings, guards)
    if ruling is Deed.NOISE:
        return replace(verdict, crosses=False, held=Held.NOISE, reason=IS_NOISE)
    reason = None if verdict.held is Held.GUARDED else protected.find_reason(observable)
    return replace(verdict, crosses=False, held=Held.PROTECTED, reason=reason) if reason else verdict


def is_wide(verdict: Verdict, teams: int) -> bool:
    """Tell whether most teams of an audience hold a value: a region meets it, not a few countries.

    Args:
        verdict: on the value.
        teams: how many the audience has.
    """
    return verdict.supporters >= LEAST_WIDE_TEAMS and 2 * verdict.supporters > teams


def arrange(clusters: Iterable[Keys], decisions: Iterable[Decision], contexts: Mapping[bytes, Values[str]]) -> tuple[Keys, ...]:
    """Apply merges and splits to clusters.

    A merge joins all clusters that hold any of its values. A split takes its values out of every cluster that also holds some of
    those that were to stay; a value that came later goes with the side that more of its contexts name, and stays where that is
    even.

    Args:
        clusters: disjoint.
        decisions: in any order; those that are neither merge nor split change nothing here.
        contexts: for each key the ids of what names it.

    Returns:
        Disjoint clusters of the same keys, ordered by their smallest key.
    """
    home = {key: cluster for cluster in clusters for key in cluster}
    for one in _in_order(decisions, Deed.MERGE, Deed.SPLIT):
        touched = {home[key] for key in one.named if key in home}
        if one.deed is Deed.MERGE:
            parts = [frozenset[bytes]().union(*touched)]
        else:
            parts = [part for cluster in touched for part in _divide(cluster, one, contexts)]
        home |= {key: part for part in parts for key in part}
    return tuple(sorted(set(home.values()), key=min))


def _divide(cluster: Keys, split: Decision, contexts: Mapping[bytes, Values[str]]) -> tuple[Keys, ...]:
    taken, left = cluster & split.named, cluster & split.others
    if not taken or not left:
        return (cluster,)
    of_taken = {context for key in taken for context in contexts.get(key, ())}
    of_left = {context for key in left for context in contexts.get(key, ())}
    for key in cluster - taken - left:
        named = set(contexts.get(key, ()))
        if len(named & of_taken - of_left) > len(named & of_left - of_taken):
            taken |= {key}
    return taken, cluster - taken


def stay_pinned(
    clusters: Sequence[Keys], decisions: Iterable[Decision], previous: Mapping[bytes, str], standing: Values[bytes]
) -> tuple[Keys, ...]:
    """Leave with pinned incidents those of their values that cross no more, as long as anybody holds them.

    Args:
        clusters: of values that cross.
        decisions: in any order.
        previous: the incident id of each key that had one.
        standing: keys that somebody still holds, which may stay.

    Returns:
        The clusters, ordered by their smallest key.
    """
    home = {key: cluster for cluster in clusters for key in cluster}
    for pin in _in_order(decisions, Deed.PIN):
        pinned = _find_id(pin, previous)
        was = {key for key, one in previous.items() if one == pinned}
        left = frozenset(key for key in was if key in standing and key not in home)
        if left:
            shares = sorted({home[key] for key in was if key in home}, key=lambda part: (-len(part & was), min(part)))
            whole = left | shares[0] if shares else left
            home |= dict.fromkeys(whole, whole)
    return tuple(sorted(set(home.values()), key=min))


def claim_ids(decisions: Iterable[Decision], previous: Mapping[bytes, str]) -> tuple[dict[bytes, str], frozenset[str]]:
    """Let the values of pinned and dismissed incidents remember their ids, where nothing else is known of them.

    Returns:
        The incident id of each key that has one, and the ids that are pinned: those are given first.
    """
    claimed: dict[bytes, str] = {}
    pinned = set()
    for one in _in_order(decisions, Deed.PIN, Deed.DISMISS):
        claimed |= dict.fromkeys(one.named, one.incident_id)
        if one.deed is Deed.PIN:
            pinned.add(_find_id(one, previous))
    return claimed | dict(previous), frozenset(pinned)


def find_standing(
    incident_id: str, members: Keys, countries: Values[str], decisions: Iterable[Decision]
) -> tuple[Standing, tuple[str, ...]]:
    """Find whether an incident is pinned or dismissed, and for which countries it is back.

    An incident is what was pinned or dismissed if it has the id, or at least half of its values were. A dismissal holds while
    it reaches no further country.

    Args:
        incident_id: its id.
        members: its keys.
        countries: that it reached.
        decisions: in any order.

    Returns:
        Its standing, and the further countries for which a dismissed one is shown again, in their order.
    """
    standing = Standing.USUAL
    returned_for: tuple[str, ...] = ()
    for one in _in_order(decisions, Deed.PIN, Deed.DISMISS):
        known = len(members & one.named) * 2 >= len(members)
        if one.deed is Deed.PIN and (known or (one.incident_id == incident_id and members & one.named)):
            standing, returned_for = Standing.PINNED, ()
        elif one.deed is Deed.DISMISS and known:
            further = tuple(country for country in countries if country not in one.countries)
            standing, returned_for = (Standing.USUAL, further) if further else (Standing.DISMISSED, ())
    return standing, returned_for


def _find_id(decision: Decision, previous: Mapping[bytes, str]) -> str:
    """Find the incident that a decision is about: it may go by the id of another one that it was merged into."""
    if decision.incident_id in previous.values():
        return decision.incident_id
    ids = [previous[key] for key in decision.named if key in previous]
    return min(set(ids), key=lambda one: (-ids.count(one), one), default=decision.incident_id)


def _in_order(decisions: Iterable[Decision], *deeds: Deed) -> list[Decision]:
    return sorted((one for one in decisions if one.deed in deeds), key=lambda one: one.position)
