"""Policy files: read as the specification says, refused with the line that is wrong, and counted as everybody counts."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.domain.verifier_key import NoteKeyKind, VerifierKey
from regcert.errors import Code, Refusal
from regcert.translog.policy import MOST_POLICY_BYTES, read_policy


def log_key(number: int, name: str = "log.example") -> str:
    return VerifierKey(name, NoteKeyKind.ED25519, bytes([number] * 32)).text


def witness_key(number: int, name: str = "witness.example") -> str:
    return VerifierKey(name, NoteKeyKind.COSIGNATURE, bytes([100 + number] * 32)).text


# The example of the specification, with keys.
EXAMPLE = f"""\
log {log_key(1)}

witness X1 {witness_key(1)}
witness X2 {witness_key(2)}
witness X3 {witness_key(3)}
group X-witnesses 2 X1 X2 X3

witness Y1 {witness_key(4)}
witness Y2 {witness_key(5)}
witness Y3 {witness_key(6)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
WITNESSES = "".join(f"witness w{number} {witness_key(number)}\n" for number in range(1, 6))


def test_policy_of_the_specification_counts_as_it_says():
    policy = read_policy(EXAMPLE.encode())
    names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    for count in range(7):
        for cosigned in itertools.combinations(names, count):
            enough = sum(name[0] == "X" for name in cosigned) >= 2 and any(name[0] == "Y" for name in cosigned)
            assert policy.is_satisfied(dict.fromkeys(cosigned, 1)) == enough


@given(st.integers(1, 5), st.dictionaries(st.sampled_from(["w1", "w2", "w3", "w4", "w5", "stranger"]), st.integers(0, 99)))
def test_trusted_time_is_the_kth_smallest(threshold, times_s):
    """And the fresh one the k-th largest; strangers count for nothing."""
    policy = read_policy(f"{WITNESSES}group all {threshold} w1 w2 w3 w4 w5\nquorum all\n".encode())
    known = sorted(time_s for name, time_s in times_s.items() if name != "stranger")
    enough = len(known) >= threshold
    assert policy.is_satisfied(times_s) == enough
    assert policy.find_trusted_time_s(times_s) == (known[threshold - 1] if enough else None)
    assert policy.find_fresh_time_s(times_s) == (known[-threshold] if enough else None)


def test_trusted_time_of_groups_is_when_the_quorum_was_full():
    policy = read_policy(EXAMPLE.encode())
    assert policy.find_trusted_time_s({"X1": 10, "X2": 30, "X3": 20, "Y1": 5, "Y2": 99}) == 20
    assert policy.find_trusted_time_s({"X1": 10, "X3": 20, "Y2": 99}) == 99
    assert policy.find_fresh_time_s({"X1": 10, "X2": 30, "X3": 20, "Y1": 5, "Y2": 99}) == 20


def test_policy_without_witnesses_is_satisfied_and_knows_no_time():
    policy = read_policy(f"log {log_key(1)} https://log.example/\nquorum none\n".encode())
    assert policy.is_satisfied({})
    assert policy.find_trusted_time_s({}) is None
    assert policy.find_fresh_time_s({}) is None
    assert [log.name for log in policy.logs] == ["log.example"]


def test_quorum_may_be_one_witness():
    policy = read_policy(f"{WITNESSES}quorum w3\n".encode())
    assert not policy.is_satisfied({"w1": 1, "w2": 1, "w4": 1, "w5": 1})
    assert policy.find_trusted_time_s({"w3": 7}) == 7


def test_blanks_comments_and_octets_are_taken():
    text = f"\t # comment é\n \t\nwitness \t K\xc3 {witness_key(1)} \t https://w.example/\t\nquorum   K\xc3".encode("latin-1")
    policy = read_policy(text)
    assert policy.is_satisfied({"K\udcc3": 1})


def test_names_are_octets_and_not_letters():
    """The Kelvin sign looks like a K, and folds to one, and is another name."""
    assert code_of(f"witness K {witness_key(1)}\nquorum \N{KELVIN SIGN}\n") is Code.INVALID_POLICY
    assert code_of(f"witness e\u0301 {witness_key(1)}\nquorum \u00e9\n") is Code.INVALID_POLICY


def code_of(text: str | bytes) -> Code:
    with pytest.raises(Refusal) as refused:
        read_policy(text if isinstance(text, bytes) else text.encode())
    return refused.value.code


BAD = {
    "no quorum": WITNESSES,
    "nothing": "",
    "two quorums": f"{WITNESSES}quorum w1\nquorum w1\n",
    "a quorum that is nobody": f"{WITNESSES}quorum w9\n",
    "a quorum before its witness": f"quorum w1\n{WITNESSES}",
    "a group before its member": f"group g any w1\n{WITNESSES}quorum g\n",
    "a group of itself": f"{WITNESSES}group g any g\nquorum g\n",
    "a group of nobody": f"{WITNESSES}group g any\nquorum w1\n",
    "a group of none": f"{WITNESSES}group g any none\nquorum g\n",
    "a threshold of 0": f"{WITNESSES}group g 0 w1 w2\nquorum g\n",
    "a threshold above its members": f"{WITNESSES}group g 3 w1 w2\nquorum g\n",
    "a threshold with zeros": f"{WITNESSES}group g 01 w1 w2\nquorum g\n",
    "a threshold with a sign": f"{WITNESSES}group g +1 w1 w2\nquorum g\n",
    "a threshold in another script": f"{WITNESSES}group g \u0661 w1 w2\nquorum g\n",
    "a threshold in capitals": f"{WITNESSES}group g ALL w1 w2\nquorum g\n",
    "a member twice": f"{WITNESSES}group g 2 w1 w1\nquorum g\n",
    "a member of two groups": f"{WITNESSES}group g any w1 w2\ngroup h any w2 w3\nquorum h\n",
    "a group in two groups": f"{WITNESSES}group g any w1\ngroup h any g\ngroup i any g\nquorum h\n",
    "a name twice": f"{WITNESSES}group w1 any w2\nquorum w1\n",
    "a witness's name twice": f"{WITNESSES}witness w1 {witness_key(9)}\nquorum w1\n",
    "a witness that is called none": f"witness none {witness_key(1)}\nquorum none\n",
    "a group that is called none": f"{WITNESSES}group none any w1\nquorum none\n",
    "a witness twice under two names": f"{WITNESSES}witness w9 {witness_key(1)}\nquorum w1\n",
    "a witness twice under two key names": f"{WITNESSES}witness w9 {witness_key(1, 'x.example')}\nquorum w1\n",
    "a log twice": f"log {log_key(1)}\nlog {log_key(1, 'other.example')}\nquorum none\n",
    "a log with a witness's key": f"log {witness_key(1)}\nquorum none\n",
    "a witness with a log's key": f"witness w {log_key(1)}\nquorum w\n",
    "a key that was mistyped": f"witness w {witness_key(1)[:-2]}AA\nquorum w\n",
    "a word too many": f"log {log_key(1)} https://log.example/ more\nquorum none\n",
    "a quorum with more": f"{WITNESSES}quorum w1 w2\n",
    "another word": f"{WITNESSES}quorum w1\nwitnesses 3\n",
    "a word in capitals": f"{WITNESSES}Quorum w1\n",
    "line ends of another system": f"{WITNESSES}quorum w1\r\n",
    "a zero": f"{WITNESSES}quorum w1\n\0\n",
    "a delete": f"{WITNESSES}quorum w1\n#\x7f\n",
    "65 witnesses": "".join(f"witness w{at} {witness_key(at)}\n" for at in range(65)) + "quorum w1\n",
    "65 logs": "".join(f"log {log_key(at)}\n" for at in range(65)) + "quorum none\n",
    "65 groups": WITNESSES + "group g0 any w1\n" + "".join(f"group g{at} any g{at - 1}\n" for at in range(1, 65)) + "quorum g1\n",
    "too long": "#" * (MOST_POLICY_BYTES + 1),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_other_policies_are_refused(text):
    assert code_of(text) is Code.INVALID_POLICY


def test_refusal_names_the_line():
    with pytest.raises(Refusal, match="line 7 of the policy"):
        read_policy(f"{WITNESSES}quorum w1\nwhat is this\n".encode())


def test_as_much_as_is_promised_is_taken():
    """At least 32 logs, witnesses and groups."""
    lines = [f"log {log_key(at)}" for at in range(32)]
    lines += [f"witness w{at} {witness_key(at)}" for at in range(32)]
    lines += ["group g0 any w0", *(f"group g{at} 1 g{at - 1} w{at}" for at in range(1, 32)), "quorum g31"]
    policy = read_policy("\n".join(lines).encode())
    assert policy.find_trusted_time_s({"w0": 5, "w17": 4}) == 4
