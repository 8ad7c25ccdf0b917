"""Quorums against a host that tells two stories: with an honest majority, the second one never gets its witnesses.

n witnesses, of whom f help the host and cosign everything. Each honest one cosigns one story, whichever the host chose to show
it. Two quorums share an honest witness if each has more than (n + f) / 2 members, and no less will do.
"""

from itertools import combinations, product

import pytest

from regcert.domain.verifier_key import NoteKeyKind, VerifierKey
from regcert.translog.policy import Policy, read_policy


def policy_of(count: int, threshold: int) -> Policy:
    names = [f"w{number}" for number in range(count)]
    lines = [
        f"witness {name} {VerifierKey(name, NoteKeyKind.COSIGNATURE, bytes([at] * 32)).text}" for at, name in enumerate(names)
    ]
    return read_policy("\n".join([*lines, f"group members {threshold} {' '.join(names)}", "quorum members"]).encode())


def splits(count: int, false: int) -> list[tuple[set[str], set[str]]]:
    """All ways in which false witnesses and a lying host can divide the cosignatures of two stories."""
    names = [f"w{number}" for number in range(count)]
    found = []
    for liars in combinations(names, false):
        honest = [name for name in names if name not in liars]
        for shown in product("ab", repeat=len(honest)):
            told = dict(zip(honest, shown, strict=True))
            first, second = ({*liars, *(name for name, story in told.items() if story == one)} for one in "ab")
            found.append((first, second))
    return found


def both_have_a_quorum(policy: Policy, split: tuple[set[str], set[str]]) -> bool:
    return all(policy.is_satisfied(dict.fromkeys(names, 1)) for names in split)


@pytest.mark.parametrize(("count", "false", "threshold"), [(3, 0, 2), (4, 1, 3), (5, 1, 4), (6, 1, 4), (7, 2, 5), (9, 2, 6)])
def test_second_story_never_gets_a_quorum(count, false, threshold):
    assert threshold == (count + false) // 2 + 1
    policy = policy_of(count, threshold)
    assert not any(both_have_a_quorum(policy, split) for split in splits(count, false))


@pytest.mark.parametrize(("count", "false", "threshold"), [(3, 0, 1), (4, 1, 2), (5, 1, 3), (6, 1, 3), (7, 2, 4), (9, 2, 5)])
def test_one_witness_less_is_too_few(count, false, threshold):
    """The simulator can fail: with a smaller quorum there is a way to tell both stories."""
    policy = policy_of(count, threshold)
    assert any(both_have_a_quorum(policy, split) for split in splits(count, false))


@pytest.mark.parametrize(("count", "false", "threshold"), [(4, 1, 3), (7, 2, 5)])
def test_one_false_witness_more_is_too_many(count, false, threshold):
    """What the quorum was not made for: then a reader sees the fork only by comparing notes with another one."""
    policy = policy_of(count, threshold)
    assert any(both_have_a_quorum(policy, split) for split in splits(count, false + 1))


@pytest.mark.parametrize(("count", "false", "threshold"), [(4, 1, 3), (5, 1, 4), (7, 2, 5)])
def test_false_witnesses_cannot_make_a_leaf_older_than_an_honest_one_saw_it(count, false, threshold):
    """The trusted time is an upper bound of when the leaf was there, whatever time the false ones write."""
    policy = policy_of(count, threshold)
    honest = {f"w{number}": 1000 + number for number in range(false, count)}
    for lies in product((0, 999, 10_000), repeat=false):
        times_s = honest | {f"w{number}": lie for number, lie in enumerate(lies)}
        assert (policy.find_trusted_time_s(times_s) or 0) >= min(honest.values())
