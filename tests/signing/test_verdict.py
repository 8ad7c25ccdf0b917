"""The verdict: total, the same each time, and right along a line of time on which a key is stolen."""

import random
from itertools import permutations

from regcert.domain.key_list import KeyList, KeyReason, KeyStatus, team_key
from regcert.signing.verdict import (
    Facts,
    Finding,
    Listing,
    LoggedList,
    Placed,
    Verdict,
    best,
    find_key_row,
    judge,
    judge_key,
    worst,
)
from tests.signing import ours
from tests.signing.scene import KEY
from tests.signing.test_stranger import some_facts

CODES = {
    "VALID": 0, "VALID_RETIRED": 10, "SUSPECT": 11, "INVALID": 12, "UNSIGNED": 13, "UNKNOWN_KEY": 14, "UNWITNESSED": 15,
    "FORK": 16, "STALE": 17, "BAD_HASH": 18,
}  # fmt: skip
KEY_ID = KEY.public.key_id
NOW_US = 10_000


def logged(leaf: int, status: KeyStatus, reason: KeyReason = KeyReason.NONE, since_us: int | None = None) -> LoggedList:
    entry = team_key(KEY.public.raw, status, reason, since_us)
    return LoggedList(KeyList("identity--x", leaf, None, b"", 0, 10**9, (entry,), b""), leaf)


ACTIVE = logged(0, KeyStatus.ACTIVE)


def test_exit_codes_never_change() -> None:
    """Scripts act on them."""
    assert {verdict.value: verdict.exit_code for verdict in Verdict} == CODES


def test_stolen_key_along_the_line_of_time() -> None:
    """B9: published before, at and after the theft; and one that claims an older date, but was logged after the revocation."""
    history = [ACTIVE, logged(50, KeyStatus.REVOKED, KeyReason.COMPROMISED, 500)]
    verdicts = [
        judge_key(history, KEY_ID, Placed(leaf, time), NOW_US) for leaf, time in ((10, 499), (20, 500), (30, 501), (60, 499))
    ]
    assert verdicts == [Verdict.VALID, Verdict.INVALID, Verdict.INVALID, Verdict.INVALID]


def test_revocation_backwards_does_not_undo_what_witnesses_saw() -> None:
    """B10: until the team says since when, its statements are suspect; those that are older than that stay."""
    unknown = [ACTIVE, logged(50, KeyStatus.REVOKED, KeyReason.COMPROMISED)]
    known = [*unknown, logged(51, KeyStatus.REVOKED, KeyReason.COMPROMISED, 500)]
    assert judge_key(unknown, KEY_ID, Placed(10, 499), NOW_US) is Verdict.SUSPECT
    assert judge_key(known, KEY_ID, Placed(10, 499), NOW_US) is Verdict.VALID
    assert judge_key(known, KEY_ID, Placed(11, 500), NOW_US) is Verdict.INVALID
    assert "before the key was compromised" in find_key_row(known, KEY_ID, Placed(10, 499), NOW_US).reason


def test_no_clock_of_the_host_or_the_team_is_asked() -> None:
    """What the lists say about their own time, but for the end of the newest, moves no verdict."""
    for issued_us in (0, 400, 10**8):
        lists = [
            LoggedList(KeyList("identity--x", 1, None, b"", issued_us, 10**9, (team_key(KEY.public.raw),), b""), 0),
            logged(50, KeyStatus.RETIRED),
        ]
        assert judge_key(lists, KEY_ID, Placed(10, 500), NOW_US) is Verdict.VALID_RETIRED
        assert judge_key(lists, KEY_ID, Placed(51, 500), NOW_US) is Verdict.INVALID


def test_verdict_grows_no_better_with_time_alone() -> None:
    """Nothing but the reader's clock moves: what was good can go stale, nothing else happens."""
    chance = random.Random(1)
    for _ in range(2000):
        history = sorted((chance.choice(STATES) for _ in range(3)), key=lambda one: one.leaf_index)
        placed = Placed(chance.choice([None, *range(60)]), chance.choice([None, 400, 600]))
        early, late = (judge_key(history, KEY_ID, placed, now_us) for now_us in (10, 10**10))
        assert late is early or (late is Verdict.STALE and early in {Verdict.VALID, Verdict.VALID_RETIRED})


STATES = [
    logged(leaf, status, reason, since)
    for leaf in (0, 5, 20, 40)
    for status, reason, since in (
        (KeyStatus.ACTIVE, KeyReason.NONE, None), (KeyStatus.RETIRED, KeyReason.NONE, None),
        (KeyStatus.REVOKED, KeyReason.COMPROMISED, None), (KeyStatus.REVOKED, KeyReason.COMPROMISED, 500),
    )
]  # fmt: skip


def test_there_is_an_answer_for_any_facts_and_always_the_same() -> None:
    """Total and pure, also for facts that contradict each other."""
    chance = random.Random(2)
    for _ in range(2000):
        facts = some_facts(chance)
        chance.shuffle(facts["history"])
        assert ours.finding(facts) is ours.finding(facts)
        assert ours.finding(facts).verdict in Verdict
    empty = Facts(Listing.LISTED, sound=True, signed=True, key_id="", history=(), placed=Placed(None, None), now_us=0)
    assert judge(empty) is Finding.KEY_UNKNOWN


def test_best_of_several_publications_counts_but_for_a_fork() -> None:
    """A team signs again for what it stands by; nobody is believed who told two stories."""
    assert best([]) is Finding.UNLISTED
    for order in permutations([Finding.STOLEN_SOMETIME, Finding.GOOD, Finding.CHANGED]):
        assert best(order) is Finding.GOOD
    assert best([Finding.GOOD, Finding.FORKED]) is Finding.FORKED
    assert best([Finding.UNSOUND, Finding.UNLISTED]) is Finding.UNSOUND


def test_worst_of_a_set_is_its_answer() -> None:
    ordered = [
        "FORK",
        "BAD_HASH",
        "INVALID",
        "UNKNOWN_KEY",
        "UNSIGNED",
        "SUSPECT",
        "STALE",
        "UNWITNESSED",
        "VALID_RETIRED",
        "VALID",
    ]
    assert set(ordered) == set(CODES)
    for at, name in enumerate(ordered):
        assert worst(Verdict(one) for one in reversed(ordered[at:])) == name
    assert worst([]) is Verdict.VALID
