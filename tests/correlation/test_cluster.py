from collections.abc import Callable, Mapping
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from regcert.correlation.cluster import MOST_KEYS_A_CONTEXT, cluster, keep_ids

KEYS = st.binary(min_size=1, max_size=2)
CONTEXTS = st.dictionaries(KEYS, st.frozensets(st.sampled_from("abcdefgh"), max_size=3), max_size=25)


def fresh() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new-{next(numbers)}"


def no_new_id() -> str:
    raise AssertionError("nothing changed, so no id is new")


def keys(text: str) -> frozenset[bytes]:
    return frozenset(bytes([letter]) for letter in text.encode())


def ids_of(incidents: Mapping[str, frozenset[bytes]]) -> dict[bytes, str]:
    return {key: incident_id for incident_id, members in incidents.items() for key in members}


@given(CONTEXTS)
def test_clusters_partition_the_keys(contexts):
    """Each key is in exactly one cluster, and no cluster is empty."""
    clusters = cluster(contexts)
    assert sorted(key for members in clusters for key in members) == sorted(contexts)
    assert all(clusters)


@given(CONTEXTS)
def test_keys_are_together_exactly_when_a_chain_of_contexts_links_them(contexts):
    """Clusters are the connected components, as walking the contexts finds them."""
    for members in cluster(contexts):
        reached, named = {min(members)}, contexts[min(members)]
        for _ in contexts:
            reached |= {key for key in contexts if contexts[key] & named}
            named = named.union(*(contexts[key] for key in reached))
        assert reached == members


@given(CONTEXTS, st.randoms())
def test_clusters_are_the_same_when_keys_are_shuffled(contexts, random):
    """The order of the keys says nothing, neither for the clusters nor for their order."""
    items = list(contexts.items())
    random.shuffle(items)
    assert cluster(dict(items)) == cluster(contexts)


def test_context_links_nothing_when_too_broad():
    """A context of more than 2,000 keys is a feed, not a story."""
    at_most = {number.to_bytes(2, "big"): frozenset({"feed"}) for number in range(MOST_KEYS_A_CONTEXT)}
    assert len(cluster(at_most)) == 1
    assert len(cluster({**at_most, b"one more": frozenset({"feed"})})) == MOST_KEYS_A_CONTEXT + 1


def test_long_chain_is_one_cluster():
    """A chain of a hundred thousand links neither recurses nor takes for ever."""
    chain = {n.to_bytes(3, "big"): frozenset({f"c{n}", f"c{n + 1}"}) for n in range(100_000)}
    assert len(cluster(chain)) == 1


@given(CONTEXTS)
def test_ids_stay_when_nothing_changes(contexts):
    """The same clusters again keep every id and make none."""
    clusters = cluster(contexts)
    first = keep_ids(clusters, {}, fresh())
    again = keep_ids(clusters, ids_of(first.incidents), no_new_id)
    assert again.incidents == first.incidents
    assert not again.absorbed


@given(CONTEXTS, st.frozensets(KEYS, min_size=1), st.randoms())
def test_ids_are_the_same_when_clusters_are_shuffled(contexts, before, random):
    """The order of the clusters says nothing for their ids."""
    previous = {key: random.choice("xyz") for key in before}
    clusters = list(cluster(contexts))
    expected = keep_ids(clusters, previous, fresh())
    random.shuffle(clusters)
    assert keep_ids(clusters, previous, fresh()) == expected


@given(CONTEXTS, st.dictionaries(KEYS, st.sampled_from("uvwxyz")))
def test_every_former_id_is_kept_absorbed_or_gone(contexts, previous):
    """An id with keys left is used once or points to a living incident; one without is nowhere."""
    kept = keep_ids(cluster(contexts), previous, fresh())
    left = {incident_id for key, incident_id in previous.items() if key in contexts}
    alive = {incident_id for incident_id in kept.incidents if not incident_id.startswith("new-")}
    assert alive | kept.absorbed.keys() == left
    assert not alive & kept.absorbed.keys()
    assert set(kept.absorbed.values()) <= kept.incidents.keys()
    assert sorted(kept.incidents.values(), key=min) == list(cluster(contexts))


def test_id_is_kept_when_an_incident_grows():
    """An incident that gains values keeps its id."""
    assert keep_ids([keys("abcz")], dict.fromkeys(keys("ab"), "old"), fresh()).incidents == {"old": keys("abcz")}


def test_larger_part_keeps_the_id_when_an_incident_splits():
    """Of two parts the larger keeps the id, the other gets a new one."""
    kept = keep_ids([keys("ab"), keys("cde")], dict.fromkeys(keys("abcde"), "old"), fresh())
    assert kept.incidents == {"old": keys("cde"), "new-1": keys("ab")}


def test_larger_share_gives_the_id_when_incidents_merge():
    """Of merged incidents the one that brought most gives the id, the other is absorbed by it."""
    previous = {**dict.fromkeys(keys("ab"), "small"), **dict.fromkeys(keys("cde"), "big")}
    kept = keep_ids([keys("abcde")], previous, fresh())
    assert kept.incidents == {"big": keys("abcde")}
    assert kept.absorbed == {"small": "big"}


def test_smaller_id_is_kept_when_shares_are_equal():
    """A tie between merged incidents goes to the smaller id."""
    kept = keep_ids([keys("ab")], {b"a": "second", b"b": "first"}, fresh())
    assert (set(kept.incidents), kept.absorbed) == ({"first"}, {"second": "first"})
