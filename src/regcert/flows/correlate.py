"""Read on in the ledger, and find what crosses borders."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from regcert.correlation.assess import assess, rank
from regcert.correlation.cluster import cluster, keep_ids
from regcert.correlation.group import Held, Verdict, judge
from regcert.correlation.guards import Guards
from regcert.store.database import Database, Tx
from regcert.store.groups import (
    Groups,
    find_companions,
    find_shared,
    load_contexts,
    load_groups,
    load_memberships,
    load_names,
)
from regcert.store.incidents import Assessed, replace_held, replace_incidents
from regcert.store.ledger import (
    count_activity,
    find_span,
    find_withdrawn,
    fold_mentions,
    match_sightings,
    move_mark,
    rebuild_holdings,
)

# Other people's posts wait while a stretch is read, so it is kept short.
MENTIONS_A_STRETCH = 1000
# What may name an incident, the most telling first.
_NAMING = ("campaign--", "incident--", "intrusion-set--", "malware--", "report--", "grouping--")
MOST_NAMES = 3
# A value that one country holds, or nobody, is not held back: it simply does not cross a border.
_SHOWN = frozenset({Held.GUARDED, Held.FALSE_POSITIVE, Held.ONE_ORIGIN})


async def correlate(database: Database, guards: Guards) -> bool:
    """Take the next stretch of the ledger into account, in one transaction with the mark of how far we read.

    1. Sightings that name an indicator say what they saw.
    2. New mentions are added to what is held; what was superseded or withdrawn is summed up anew.
    3. Values that more than one country holds are judged, and clustered with what they are reported together with.

    If we crash before the commit, the stretch is read again from the same place; behind it, never again.

    Args:
        database: where.
        guards: what is benign.

    Returns:
        Whether there was anything new.
    """
    return await database.write(lambda tx: _read_on(tx, guards))


async def _read_on(tx: Tx, guards: Guards) -> bool:
    # Another process on the same database reads the same ledger: whoever is first moves the mark before the next one looks.
    await tx.lock_order()
    span = await find_span(tx.connection, MENTIONS_A_STRETCH)
    if span is None:
        return False
    stale = await match_sightings(tx, span)  # 1
    await fold_mentions(tx, span)  # 2
    stale |= await find_withdrawn(tx, span)
    await rebuild_holdings(tx, stale, span[1])
    await count_activity(tx, span)
    touched: defaultdict[str, set[bytes]] = defaultdict(set)  # 3
    for scope, key in stale | await find_shared(tx.connection, span):
        touched[scope].add(key)
    for scope, keys in touched.items():
        await _regroup(tx, scope, keys, guards)
    await move_mark(tx, span[1])
    return True


async def _regroup(tx: Tx, scope: str, touched: set[bytes], guards: Guards) -> None:
    """Judge some values anew, and cluster them with every incident that they belong or now connect to."""
    contexts = await load_contexts(tx.connection, scope, touched)
    companions = await find_companions(tx.connection, scope, set().union(*contexts.values()))
    previous = await load_memberships(tx.connection, scope, touched | companions)
    keys = touched | set(previous)
    contexts |= await load_contexts(tx.connection, scope, keys - touched)
    groups = await load_groups(tx.connection, scope, keys)
    verdicts = {key: judge(observable, holdings, guards) for key, (observable, holdings) in groups.items()}
    crossing = {key: frozenset(contexts[key]) for key, verdict in verdicts.items() if verdict.crosses}
    kept = keep_ids(cluster(crossing), previous, _new_id)
    named = {context for of_key in crossing.values() for context in of_key if context.startswith(_NAMING)}
    names = await load_names(tx.connection, scope, named)
    assessed = {
        one: _assess(one, scope, members, groups, _names(members, crossing, names)) for one, members in kept.incidents.items()
    }
    await replace_incidents(tx, scope, keys, assessed, set(previous.values()), kept.absorbed)
    await replace_held(tx, scope, keys, _held(verdicts))


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
