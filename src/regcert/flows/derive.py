"""Load what a scope knows of some values, and what it knows of them through the values that stand in them."""

from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from regcert.correlation.derived import derive, find_evidence
from regcert.correlation.stories import Keys
from regcert.flows.hear_decisions import Bench
from regcert.stix.derived import find_parents
from regcert.stix.observable import Observable
from regcert.store.derived import MOST_OF_NAMED, MOST_OF_UNNAMED, Families, add_values, load_families
from regcert.store.groups import Contexts, Groups, load_contexts, load_groups
from regcert.store.ledger import observable_key
from regcert.store.programs import Program


def load_held(scope: str, keys: Values[bytes], bench: Bench) -> Program[Groups]:
    """Load all that bears on the judgement of some values.

    Args:
        scope: within which audience.
        keys: which values.
        bench: judges what stands in them; what it has seen is not loaded twice.

    Returns:
        Each value that anybody there holds, by itself or through another one, with its holdings.
    """
    fresh = set(keys) - bench.loaded
    if fresh:
        bench.loaded |= fresh
        bench.groups |= yield from _load_held(scope, fresh, bench)
    return {key: bench.groups[key] for key in keys if key in bench.groups}


def _load_held(scope: str, keys: Values[bytes], bench: Bench) -> Program[Groups]:
    groups = yield from load_groups(scope, keys)
    families, children = yield from _load_children(scope, keys, groups)
    yield from bench.hear(children.keys())
    verdicts = {key: bench.judge(key, group) for key, group in children.items()}
    unnamed: list[Observable] = []
    for key, family in families.items():
        parent, own = groups[key] if key in groups else (_find_parent(key, children[family[0]][0]), [])
        derived = derive(parent, own, [(*children[one], verdicts[one]) for one in family])
        if derived:
            groups[key] = parent, [*own, *derived]
            unnamed += [] if own else [parent]
    yield from add_values(unnamed)
    return groups


def load_evidence(scope: str, keys: Values[bytes]) -> Program[Groups]:
    """Load who holds the values of an incident, also where that is only through others that stand in them."""
    groups = yield from load_groups(scope, keys)
    families, children = yield from _load_children(scope, keys, groups)
    for key, family in families.items():
        parent, own = groups[key] if key in groups else (_find_parent(key, children[family[0]][0]), [])
        groups[key] = parent, find_evidence(own, (children[one][1] for one in family))
    return groups


@dataclass(slots=True)
class Named:
    """What names some values together.

    Args:
        contexts: of each value; of one that nothing names those of the values that stand in it.
        authors: whose word each context is.
        families: the values that stand in one that nothing names.
    """

    contexts: Contexts
    authors: dict[str, str]
    families: Families


def load_named(scope: str, keys: Values[bytes]) -> Program[Named]:
    """Load what names some values together; what names the children of a value that nothing names, names it, too."""
    contexts, authors = yield from load_contexts(scope, keys)
    families = yield from load_families(scope, {key for key, of_key in contexts.items() if not of_key}, MOST_OF_UNNAMED)
    if families:
        inherited, more = yield from load_contexts(scope, set[bytes]().union(*families.values()))
        for key, family in families.items():
            contexts[key] = contexts[key].union(*(inherited[one] for one in family))
        authors |= {context: min(whose, authors.get(context, whose)) for context, whose in more.items()}
    return Named(contexts, authors, families)


def find_riders(families: Families, crossing: Container[bytes]) -> dict[bytes, bytes]:
    """Find the values that nothing names and in which others stand that cross by themselves: each goes where such a one goes.

    What names the one names the other through it: that they are named together would be no second reason to join two stories.

    Args:
        families: the values that stand in each value that nothing names.
        crossing: the values that cross.
    """
    firm = {key: [one for one in family if one in crossing and one not in families] for key, family in families.items()}
    return {key: min(children) for key, children in firm.items() if children and key in crossing}


def let_ride(clusters: Iterable[Keys], riders: Mapping[bytes, bytes]) -> tuple[Keys, ...]:
    """Put values into the clusters of those that they ride on."""
    led: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for rider, leader in riders.items():
        led[leader].add(rider)
    return tuple(cluster.union(*(led[key] for key in cluster if key in led)) for cluster in clusters)


def _load_children(scope: str, keys: Values[bytes], groups: Groups) -> Program[tuple[dict[bytes, list[bytes]], Groups]]:
    """Load what stands in some values, where it is not too much, and what is held of it."""
    named = {key for key, (_, holdings) in groups.items() if any(one.supports for one in holdings)}
    families = yield from load_families(scope, named, MOST_OF_NAMED)
    families |= yield from load_families(scope, set(keys) - named, MOST_OF_UNNAMED)
    children = (yield from load_groups(scope, set[bytes]().union(*families.values()))) if families else {}
    known = {parent: [one for one in family if one in children] for parent, family in families.items()}
    return {parent: family for parent, family in known.items() if family}, children


def _find_parent(key: bytes, child: Observable) -> Observable:
    return next(parent for parent in find_parents(child) if observable_key(parent) == key)
