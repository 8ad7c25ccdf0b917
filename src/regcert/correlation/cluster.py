"""Clusters: values that the same reports, campaigns or malware name belong together.

Keys are opaque, whatever the store calls an observable. The work is linear in the number of (key, context) edges: a key
is joined to its context, never to another key.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as Values
from dataclasses import dataclass

# A context that names more keys than this is a feed or a yearbook, not a story: it would join everything to everything.
MOST_KEYS_A_CONTEXT = 2_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Which incident each cluster is.

    Args:
        incidents: by incident id, the keys of its cluster.
        absorbed: former ids that no cluster took, with the id of the incident that now holds most of their keys. A
            former incident none of whose keys are left is in neither.
    """

    incidents: Mapping[str, frozenset[bytes]]
    absorbed: Mapping[str, str]


def cluster(contexts: Mapping[bytes, frozenset[str]]) -> tuple[frozenset[bytes], ...]:
    """Partition keys into the connected components that shared contexts make.

    Args:
        contexts: for each key the ids of what names it: reports, groupings, campaigns, malware, indicators.

    Returns:
        The clusters, each key in exactly one, ordered by their smallest key. A key that shares nothing is alone; a
        context of more than 2,000 keys links nothing.
    """
    sizes = Counter(context for named in contexts.values() for context in named)
    parents = {key: key for key in contexts}
    first_keys: dict[str, bytes] = {}
    for key, named in contexts.items():
        for context in named:
            if 1 < sizes[context] <= MOST_KEYS_A_CONTEXT:
                _join(parents, key, first_keys.setdefault(context, key))
    members: dict[bytes, set[bytes]] = {}
    for key in contexts:
        members.setdefault(_find_root(parents, key), set()).add(key)
    return tuple(sorted(map(frozenset, members.values()), key=min))


def keep_ids(
    components: Sequence[frozenset[bytes]],
    previous: Mapping[bytes, str],
    new_id: Callable[[], str],
    pinned: Values[str] = frozenset(),
) -> Kept:
    """Give each cluster the id of the former incident with which it shares most keys.

    Where clusters want the same id, or a cluster may have several, the larger share decides, then the smaller id, then
    the smaller first key. So a growing incident keeps its id, of a split one the larger part does, and of merged ones
    the one that brought most.

    Args:
        components: disjoint clusters, in any order.
        previous: the incident id of each key that had one.
        new_id: makes an id that was never used; called once for each cluster without a former id.
        pinned: ids that are given before all others, whatever the shares.

    Returns:
        The clusters by id, and where the ids that were given up have gone.
    """
    ordered = sorted(components, key=min)
    shares = sorted(_rank_shares(ordered, previous), key=lambda share: share[1] not in pinned)
    former: dict[int, str] = {}
    taken: set[str] = set()
    for _, incident_id, index in shares:
        if index not in former and incident_id not in taken:
            former[index] = incident_id
            taken.add(incident_id)
    ids = [former.get(index) or new_id() for index in range(len(ordered))]
    absorbed: dict[str, str] = {}
    for _, incident_id, index in shares:
        if incident_id not in taken:
            absorbed.setdefault(incident_id, ids[index])
    return Kept(dict(zip(ids, ordered, strict=True)), absorbed)


def _rank_shares(ordered: Iterable[frozenset[bytes]], previous: Mapping[bytes, str]) -> list[tuple[int, str, int]]:
    """List (minus the shared keys, former id, cluster), the largest share first."""
    return sorted(
        (-shared, incident_id, index)
        for index, keys in enumerate(ordered)
        for incident_id, shared in Counter(previous[key] for key in keys if key in previous).items()
    )


def _join(parents: dict[bytes, bytes], one: bytes, other: bytes) -> None:
    # The smaller root wins: without ranks, path halving alone keeps this within a logarithm.
    low, high = sorted((_find_root(parents, one), _find_root(parents, other)))
    parents[high] = low


def _find_root(parents: dict[bytes, bytes], key: bytes) -> bytes:
    while parents[key] != key:
        parents[key] = parents[parents[key]]
        key = parents[key]
    return key
