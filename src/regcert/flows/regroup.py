"""Tell anew which values of a scope belong together, and write down the incidents they make."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from regcert.correlation.assess import assess, rank
from regcert.correlation.cluster import keep_ids
from regcert.correlation.group import Held, Verdict, judge
from regcert.correlation.guards import Guards
from regcert.correlation.stories import tell_stories
from regcert.domain.change import Change, find_changes
from regcert.domain.incident import SHARED_BY_STORIES
from regcert.store.groups import Contexts, Groups, load_contexts, load_groups, load_memberships, load_names, load_ties
from regcert.store.incidents import Assessed, load_incidents, replace_held, replace_incidents
from regcert.store.programs import Program

# What may name an incident, the most telling first.
_NAMING = ("campaign--", "incident--", "intrusion-set--", "malware--", "report--", "grouping--")
MOST_NAMES = 3
# A value that one country holds, or nobody, is not held back: it simply does not cross a border.
_SHOWN = frozenset({Held.GUARDED, Held.FALSE_POSITIVE, Held.ONE_ORIGIN})


@dataclass(slots=True)
class Touched:
    """What a stretch changed in a scope: values that are named anew or no more, those only seen, and what named some before."""

    named: set[bytes] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Around:
    """Values with all that they hang together with, as far as it was loaded."""

    contexts: Contexts = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    previous: dict[bytes, str] = field(default_factory=dict)

    def load(self, scope: str, keys: set[bytes], lost: set[str], *, everything: bool) -> Program[set[bytes]]:
        """Load values and their incidents; with `everything`, whatever a chain of contexts leads to. Return all of them.

        What belongs together is decided over all of it at once: so it is the same whatever came first.
        """
        fresh, asked = set(keys), set(lost)
        if lost:
            asked |= yield from load_ties(scope, lost)
        done: set[bytes] = set()
        while fresh:
            done |= fresh
            yield from self._load_contexts(scope, fresh)
            if everything:
                asked = asked.union(*(self.contexts[key] for key in fresh))
            memberships, claimed = yield from load_memberships(scope, fresh, asked)
            self.previous |= memberships
            fresh, asked = (memberships.keys() | (claimed if everything else set())) - done, set()
            if not everything:
                yield from self._load_contexts(scope, fresh)
                return done | fresh
        return done

    def _load_contexts(self, scope: str, keys: set[bytes]) -> Program[None]:
        contexts, authors = yield from load_contexts(scope, keys - self.contexts.keys())
        self.contexts |= contexts
        for context, author in authors.items():
            self.authors[context] = min(author, self.authors.get(context, author))


def regroup(scope: str, touched: Touched, guards: Guards) -> Program[tuple[Change, ...]]:
    """Judge some values anew, and tell anew which belong together wherever something that names them has changed.

    Args:
        scope: within which audience.
        touched: which values.
        guards: what is benign.

    Returns:
        What became of every incident that was looked at and is not what it was.
    """
    seen = {key: judge(*group, guards).crosses for key, group in (yield from load_groups(scope, touched.seen)).items()}
    memberships, claimed = yield from load_memberships(scope, touched.seen, ())
    turned = {key for key, crosses in seen.items() if crosses != (key in memberships or key in claimed)}
    around = _Around()
    told_anew = yield from around.load(scope, touched.named | turned, touched.lost, everything=True)
    keys = told_anew | (yield from around.load(scope, touched.seen - told_anew, set(), everything=False))
    groups = yield from load_groups(scope, keys)
    verdicts = {key: judge(observable, holdings, guards) for key, (observable, holdings) in groups.items()}
    crossing = {key: frozenset(around.contexts[key]) for key, verdict in verdicts.items() if verdict.crosses}
    told = tell_stories({key: contexts for key, contexts in crossing.items() if key in told_anew}, around.authors)
    kept = keep_ids((*told.clusters, *_stay(around.previous, told_anew)), around.previous, _new_id)
    named = {context for of_key in crossing.values() for context in of_key if context.startswith(_NAMING)}
    names = yield from load_names(scope, named)
    assessed = {
        one: _assess(one, scope, members, groups, _names(members, crossing, names)) for one, members in kept.incidents.items()
    }
    before = yield from load_incidents(set(around.previous.values()))
    yield from replace_incidents(scope, around.previous, assessed, kept.absorbed)
    yield from replace_held(scope, keys, _held(verdicts, told.shared | (claimed - told_anew)))
    return find_changes(before, {one: incident for one, (_, incident, _) in assessed.items()}, kept.absorbed)


def _stay(previous: Mapping[bytes, str], told_anew: set[bytes]) -> Iterable[frozenset[bytes]]:
    """List the incidents that hold what they held."""
    members: defaultdict[str, set[bytes]] = defaultdict(set)
    for key, one in previous.items():
        if key not in told_anew:
            members[one].add(key)
    return map(frozenset, members.values())


def _assess(incident_id: str, scope: str, members: frozenset[bytes], groups: Groups, names: tuple[str, ...]) -> Assessed:
    incident = assess(incident_id, scope, {groups[key][0]: groups[key][1] for key in sorted(members)})
    return rank(incident), replace(incident, names=names), members


def _names(members: Iterable[bytes], contexts: Mapping[bytes, frozenset[str]], names: Mapping[str, str]) -> tuple[str, ...]:
    """Choose what an incident goes by: a campaign's name before a report's title, and what most of it carries first."""
    counted = Counter(context for key in members for context in contexts[key] if context in names)
    ordered = sorted(counted, key=lambda context: (_naming_rank(context), -counted[context], names[context]))
    return tuple(dict.fromkeys(names[context] for context in ordered))[:MOST_NAMES]


def _naming_rank(context: str) -> int:
    return next(rank for rank, prefix in enumerate(_NAMING) if context.startswith(prefix))


def _held(verdicts: Mapping[bytes, Verdict], shared: Values[bytes]) -> dict[bytes, tuple[str, str]]:
    return {
        key: (",".join(arrival.country for arrival in verdict.spread), verdict.reason or SHARED_BY_STORIES)
        for key, verdict in verdicts.items()
        if key in shared or (verdict.held in _SHOWN and len(verdict.spread) > 1)
    }


def _new_id() -> str:
    return str(uuid.uuid4())
