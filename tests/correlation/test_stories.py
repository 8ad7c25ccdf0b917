from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from regcert.correlation.stories import Told, tell_stories

CONTEXTS = st.dictionaries(
    st.binary(min_size=1, max_size=2),
    st.frozensets(
        st.sampled_from(("report--a", "report--b", "indicator--c", "campaign--d", "malware--e", "report--f")), max_size=4
    ),
    max_size=25,
)
AUTHORS = {"report--a": "one", "report--b": "one", "report--f": "two"}


def keys(text: str) -> frozenset[bytes]:
    return frozenset(letter.encode() for letter in text)


def told(named: Mapping[str, str], authors: Mapping[str, str] | None = None) -> Told:
    """Tell stories of contexts that name one-letter values; each is the word of an author of its own unless said."""
    contexts: defaultdict[bytes, set[str]] = defaultdict(set)
    for context, values in named.items():
        for value in values:
            contexts[value.encode()].add(context)
    return tell_stories({key: frozenset(ids) for key, ids in contexts.items()}, authors or {})


def clusters(answer: Told) -> set[frozenset[bytes]]:
    return set(answer.clusters)


TWO = {"report--1": "abcde", "report--2": "abcdf", "report--3": "stuvw", "report--4": "stuvx"}


@given(CONTEXTS)
def test_each_value_is_in_one_story_or_shared(contexts):
    """Nothing is lost and nothing is twice."""
    answer = tell_stories(contexts, AUTHORS)
    assert sorted([key for one in answer.clusters for key in one] + list(answer.shared)) == sorted(contexts)
    assert all(answer.clusters)


@given(CONTEXTS, st.randoms())
def test_stories_are_the_same_when_everything_is_shuffled(contexts, random):
    """The order of values, and what contexts are called, say nothing."""
    expected = tell_stories(contexts, AUTHORS)
    items = list(contexts.items())
    random.shuffle(items)
    assert tell_stories(dict(items), AUTHORS) == expected
    kinds = {one: f"{one}-{random.random()}" for ids in contexts.values() for one in ids}
    renamed = {key: frozenset(kinds[one] for one in ids) for key, ids in contexts.items()}
    assert tell_stories(renamed, {kinds[one]: who for one, who in AUTHORS.items() if one in kinds}) == expected


def test_reports_that_overlap_tell_one_story():
    """Two teams that saw most of the same tell of the same, also of what only one of them saw."""
    assert clusters(told(TWO)) == {keys("abcdef"), keys("stuvwx")}


def test_hosting_joins_nothing_and_is_shared():
    """An address that two stories rent is in neither, and does not make them one."""
    answer = told({context: values + "!" for context, values in TWO.items()})
    assert clusters(answer) == {keys("abcdef"), keys("stuvwx")}
    assert answer.shared == keys("!")


def test_digest_joins_nothing():
    """A report that tells of two stories tells neither of them anew."""
    assert clusters(told(TWO | {"report--digest": "abcstu"})) == {keys("abcdef"), keys("stuvwx")}


def test_family_of_malware_joins_nothing():
    """What anybody can buy says nothing of who uses it."""
    assert clusters(told(TWO | {"malware--any": "abcdefstuvwx"})) == {keys("abcdef"), keys("stuvwx")}


def test_campaign_joins_what_reports_tell_apart():
    """Whoever names a campaign says what belongs together."""
    parts = {"report--1": "abcd", "report--2": "efgh", "campaign--x": "abcdefgh"}
    assert clusters(told(parts)) == {keys("abcdefgh")}


def test_widest_campaign_is_one_story():
    """A hundred reports of one campaign are one story: to be everywhere is no reason to be dropped."""
    reports = {f"report--{number:03}": "".join(pair) for number, pair in enumerate(combinations("abcdefghij", 7))}
    assert clusters(told(reports)) == {keys("abcdefghij")}


def test_feed_does_not_outvote_when_many_relay_it():
    """Nine copies of one author's list are one word; two teams that tell of a value are two."""
    copies = {f"report--feed{number}": "abzyxwv" for number in range(9)}
    answer = told(copies | {"report--1": "abcdef", "report--2": "abcdef"}, dict.fromkeys(copies, "identity--feed"))
    assert keys("abcdef") in clusters(answer)


def test_small_statements_are_joined_by_what_they_share():
    """Where no story is established nothing contradicts that a value joins two of them."""
    assert clusters(
        told({"indicator--1": "ab", "indicator--2": "bc"}, dict.fromkeys(("indicator--1", "indicator--2"), "team"))
    ) == {keys("abc")}
