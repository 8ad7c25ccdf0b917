"""Tell anew which values of a scope belong together, and write down the incidents they make."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from regcert.correlation.assess import assess, rank
from regcert.correlation.cluster import keep_ids
from regcert.correlation.derived import find_telling
from regcert.correlation.group import Verdict, find_arrivals, weigh
from regcert.correlation.stories import tell_stories
from regcert.domain.change import Change, find_changes
from regcert.domain.incident import Incident
from regcert.flows.derive import find_riders, let_ride, load_held
from regcert.flows.gather import Around
from regcert.flows.hear_decisions import Bench, in_incidents
from regcert.flows.join_companions import Came, join_companions
from regcert.stix.tlp import Tlp
from regcert.store.groups import Groups, load_memberships, load_names
from regcert.store.held_back import replace_held
from regcert.store.incidents import Assessed, load_incidents, replace_incidents
from regcert.store.programs import Program

# What may name an incident, the most telling first.
_NAMING = ("campaign--", "incident--", "intrusion-set--", "malware--", "report--", "grouping--")
MOST_NAMES = 3


@dataclass(slots=True)
class Touched:
    """What a stretch changed in a scope: values that are named anew or no more, those only seen, and what named some before."""

    named: set[bytes] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)


def regroup(bench: Bench, touched: Touched) -> Program[tuple[Change, ...]]:
    """Judge some values anew, and tell anew which belong together wherever something that names them has changed.

    Args:
        bench: within which audience, and what bears on the judgement there.
        touched: which values.

    Returns:
        What became of every incident that was looked at and is not what it was.
    """
    scope = bench.scope
    yield from bench.hear(touched.seen)
    groups = yield from load_held(scope, touched.seen, bench)
    verdicts = {key: bench.judge(key, group) for key, group in groups.items()}
    memberships, claimed = yield from load_memberships(scope, touched.seen, ())
    crossed = {key for key in touched.seen if key in memberships or key in claimed}
    turned = crossed ^ {key for key, verdict in verdicts.items() if verdict.crosses}
    around = Around(bench)
    told_anew = yield from around.load_chain(scope, touched.named | turned, touched.lost)
    keys = told_anew | (yield from around.load_incidents(scope, touched.seen - told_anew))
    yield from _judge(bench, keys, groups, verdicts)
    crosses = {key: frozenset(around.contexts[key]) for key in told_anew if key in verdicts and verdicts[key].crosses}
    riders = find_riders(around.families, crosses)
    told = bench.free(tell_stories({key: of_key for key, of_key in crosses.items() if key not in riders}, around.authors))
    shared = told.shared | (claimed - told_anew) | {key for key, leader in riders.items() if leader in told.shared}
    aside = shared | riders.keys()
    came = {key: None if key in aside else _came(groups, verdicts, key) for key in told_anew | touched.seen}
    clusters = let_ride((yield from join_companions(scope, around, told_anew, told, came)), riders)
    keys |= around.previous.keys()
    yield from _judge(bench, keys, groups, verdicts)
    yield from bench.hear(in_incidents(clusters))
    clusters = bench.arrange(clusters, around.contexts, around.previous, verdicts)
    crossing = {key: frozenset(around.contexts[key]) for cluster in clusters for key in cluster}
    claimed_ids, pinned = yield from bench.claim_ids(around.previous)
    kept = keep_ids(clusters, claimed_ids, _new_id, pinned)
    named = {context for of_key in crossing.values() for context in of_key if context.startswith(_NAMING)}
    names = yield from load_names(scope, named)
    assessed = {
        one: _assess(one, bench, members, groups, verdicts, partial(_call, members, crossing, names))
        for one, members in kept.incidents.items()
    }
    before = yield from load_incidents(set(around.previous.values()))
    yield from replace_incidents(scope, around.previous, before, assessed, kept.absorbed)
    yield from replace_held(scope, keys, bench.hold_back(groups, verdicts, shared, crossing))
    return find_changes(before, {one: incident for one, (_, incident, _) in assessed.items()}, kept.absorbed)


def _judge(bench: Bench, keys: set[bytes], groups: Groups, verdicts: dict[bytes, Verdict]) -> Program[None]:
    """Load and judge those values that were not."""
    fresh = keys - verdicts.keys()
    yield from bench.hear(fresh)
    loaded = yield from load_held(bench.scope, fresh, bench)
    groups |= loaded
    verdicts |= {key: bench.judge(key, group) for key, group in loaded.items()}


def _came(groups: Groups, verdicts: Mapping[bytes, Verdict], key: bytes) -> Came | None:
    """Find when a value came where, each country on a word of its own; None where it crosses no border."""
    if key not in verdicts or not verdicts[key].crosses:
        return None
    arrivals = find_arrivals(weigh(groups[key][1]).supporting)
    return tuple(sorted((arrival.country, arrival.first_us) for arrival in arrivals))


def _assess(
    incident_id: str,
    bench: Bench,
    members: frozenset[bytes],
    groups: Groups,
    verdicts: Mapping[bytes, Verdict],
    call: Callable[[Incident], Incident],
) -> Assessed:
    incident = assess(incident_id, bench.scope, find_telling({groups[key][0]: groups[key][1] for key in sorted(members)}))
    return rank(incident), bench.mark(call(incident), members, groups, verdicts), members


def _call(
    members: Iterable[bytes],
    contexts: Mapping[bytes, frozenset[str]],
    names: Mapping[str, tuple[Tlp, str]],
    incident: Incident,
) -> Incident:
    """Give an incident its names, and the marking of what ties two of its values: that they belong together is its word."""
    counted = Counter(context for key in members for context in contexts[key] if context in names)
    marking = max((names[context][0] for context, number in counted.items() if number > 1), default=incident.marking)
    marking = max(marking, incident.marking)
    return replace(incident, marking=marking, names=_names(counted, names, marking))


def _names(counted: Counter[str], names: Mapping[str, tuple[Tlp, str]], marking: Tlp) -> tuple[str, ...]:
    """Choose what an incident goes by: a campaign's name before a report's title, and what most of it carries first.

    A name that is marked more strictly than the incident is not shown with it.
    """
    mild = {context: names[context][1] for context in counted if names[context][0] <= marking}
    ordered = sorted(mild, key=lambda context: (_naming_rank(context), -counted[context], mild[context]))
    return tuple(dict.fromkeys(mild[context] for context in ordered))[:MOST_NAMES]


def _naming_rank(context: str) -> int:
    return next(rank for rank, prefix in enumerate(_NAMING) if context.startswith(prefix))


def _new_id() -> str:
    return str(uuid.uuid4())
