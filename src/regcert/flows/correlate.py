"""Read on in the ledger, and find what crosses borders."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from time import monotonic

from regcert.correlation.assess import assess, rank
from regcert.correlation.cluster import cluster, keep_ids
from regcert.correlation.group import Held, Verdict, judge
from regcert.correlation.guards import Guards
from regcert.store.database import Database, Tx
from regcert.store.groups import Groups, find_shared, load_contexts, load_groups, load_memberships, load_names
from regcert.store.holdings import fold_mentions, rebuild_holdings
from regcert.store.incidents import Assessed, replace_held, replace_incidents
from regcert.store.ledger import (
    Span,
    close_span,
    find_withdrawn,
    match_sightings,
    open_span,
)
from regcert.store.programs import Program

# Other people's posts wait while a stretch is read. So it is as long as takes about this time, but never so short that what each
# stretch costs anyway would be most of it: a busy machine would then read ever shorter ones, and fall behind.
STRETCH_S = 0.05
MENTIONS_A_STRETCH = 1000
MOST_MENTIONS = 8000
# What may name an incident, the most telling first.
_NAMING = ("campaign--", "incident--", "intrusion-set--", "malware--", "report--", "grouping--")
MOST_NAMES = 3
# A value that one country holds, or nobody, is not held back: it simply does not cross a border.
_SHOWN = frozenset({Held.GUARDED, Held.FALSE_POSITIVE, Held.ONE_ORIGIN})


class Pace:
    """How many mentions a stretch may hold, learned from those before; and how long the last one held the writer, in seconds."""

    def __init__(self) -> None:
        self.mentions = MENTIONS_A_STRETCH
        self.took_s = 0.0

    def note(self, took_s: float, *, is_full: bool) -> None:
        """Learn from a stretch; one that was not full says nothing about a longer one.

        Args:
            took_s: how long it held the writer, seconds.
            is_full: whether it held as many mentions as it might.
        """
        self.took_s = took_s
        if is_full or took_s > STRETCH_S:
            # At most twice as many at a time: a quick stretch may have been lucky.
            following = int(self.mentions * min(2.0, STRETCH_S / max(took_s, 0.001)))
            self.mentions = min(max(following, MENTIONS_A_STRETCH), MOST_MENTIONS)


async def correlate(database: Database, guards: Guards, pace: Pace | None = None) -> bool:
    """Take the next stretch of the ledger into account, in one transaction with the mark of how far we read.

    1. Sightings that name an indicator say what they saw.
    2. New mentions are added to what is held; what was superseded or withdrawn is summed up anew.
    3. Values that more than one country holds are judged, and clustered with what they are reported together with.

    If we crash before the commit, the stretch is read again from the same place; behind it, never again.

    Args:
        database: where.
        guards: what is benign.
        pace: how long a stretch may be; it learns from this one.

    Returns:
        Whether there is more.
    """
    pace = pace or Pace()

    async def work(tx: Tx) -> bool:
        began_s = monotonic()
        span = await tx.run(_read_on(guards, pace.mentions))
        is_full = span is not None and not span.is_last
        pace.note(monotonic() - began_s, is_full=is_full)
        return is_full

    return await database.write(work)


def _read_on(guards: Guards, most: int) -> Program[Span | None]:
    span = yield from open_span(most)
    if span is None:
        return None
    stale = yield from match_sightings(span)  # 1
    yield from fold_mentions(span)  # 2
    stale |= yield from find_withdrawn(span)
    yield from rebuild_holdings(stale, span.end)
    touched: defaultdict[str, set[bytes]] = defaultdict(set)  # 3
    for scope, key in stale | (yield from find_shared(span)):
        touched[scope].add(key)
    for scope, keys in touched.items():
        yield from _regroup(scope, keys, guards)
    yield from close_span(span)
    return span


def _regroup(scope: str, touched: set[bytes], guards: Guards) -> Program[None]:
    """Judge some values anew, and cluster them with every incident that they belong or now connect to."""
    contexts = yield from load_contexts(scope, touched)
    previous = yield from load_memberships(scope, touched, set().union(*contexts.values()))
    keys = touched | set(previous)
    contexts |= yield from load_contexts(scope, keys - touched)
    groups = yield from load_groups(scope, keys)
    verdicts = {key: judge(observable, holdings, guards) for key, (observable, holdings) in groups.items()}
    crossing = {key: frozenset(contexts[key]) for key, verdict in verdicts.items() if verdict.crosses}
    kept = keep_ids(cluster(crossing), previous, _new_id)
    named = {context for of_key in crossing.values() for context in of_key if context.startswith(_NAMING)}
    names = yield from load_names(scope, named)
    assessed = {
        one: _assess(one, scope, members, groups, _names(members, crossing, names)) for one, members in kept.incidents.items()
    }
    yield from replace_incidents(scope, previous, assessed, kept.absorbed)
    yield from replace_held(scope, keys, _held(verdicts))


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


def _held(verdicts: Mapping[bytes, Verdict]) -> dict[bytes, tuple[str, str]]:
    return {
        key: (",".join(arrival.country for arrival in verdict.spread), verdict.reason or "")
        for key, verdict in verdicts.items()
        if verdict.held in _SHOWN and len(verdict.spread) > 1
    }


def _new_id() -> str:
    return str(uuid.uuid4())
