"""Passwords, what is kept of them, sealed secrets, and how long somebody waits who fails."""

import pytest
from argon2 import PasswordHasher, extract_parameters

from regcert.clock import DAY_US, SECOND_US
from regcert.errors import Refusal
from regcert.identity.attempts import FREE_BY_NAME, MOST_KEPT, Attempts, Failures
from regcert.identity.passwords import NOBODY, hash_password, is_outdated, is_password, require_password
from regcert.identity.sealing import seal, unseal

GOOD = "correct horse battery"
KEY = bytes(range(32))


@pytest.mark.parametrize("password", ["", "x" * 11, "é" * 11, "x" * 1025, "é" * 513])
def test_password_is_refused_when_it_is_too_short_or_too_long(password: str) -> None:
    """Twelve characters at least, 1024 bytes at most."""
    with pytest.raises(Refusal):
        require_password(password)
    require_password("é" * 12)
    require_password("x" * 1024)


def test_password_is_kept_as_argon2id_with_what_owasp_asks_for() -> None:
    """19 MiB, two passes, one lane; a name that nobody has costs the same, and nobody's parameters are old."""
    for kept in (hash_password(GOOD), NOBODY):
        found = extract_parameters(kept)
        assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == ("ID", 19_456, 2, 1)
        assert not is_outdated(kept)
    assert hash_password(GOOD) != hash_password(GOOD)
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD))


def test_password_is_right_or_wrong_and_never_a_fault() -> None:
    """However its letters are composed; and nothing that is kept wrongly opens anything."""
    kept = hash_password("lozinka šč ﬁne")
    assert is_password(kept, "lozinka s\u030cc\u030c fine")
    for wrong in ("lozinka sc fine", "", "x" * 99_999, "\ud800"):
        assert not is_password(kept, wrong)
    for broken in ("", "x", "$argon2id$", kept[:-1]):
        assert not is_password(broken, GOOD)


def test_secret_is_opened_only_as_what_it_was_sealed_for() -> None:
    """Another purpose, another key, a changed bit, half of it."""
    sealed = seal(KEY, "totp 1", b"secret")
    assert unseal(KEY, "totp 1", sealed) == b"secret"
    assert b"secret" not in sealed != seal(KEY, "totp 1", b"secret")
    assert unseal(KEY, "totp 2", sealed) is None
    assert unseal(bytes(32), "totp 1", sealed) is None
    for at in range(len(sealed)):
        assert unseal(KEY, "totp 1", sealed[:at]) is None
        assert unseal(KEY, "totp 1", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]) is None


def test_wait_doubles_and_ends() -> None:
    """Five for nothing, then 5 s, 10 s, … 15 minutes; a day later all is forgotten."""
    failures, now_us, waits = Failures(), DAY_US, []
    for _ in range(FREE_BY_NAME + 12):
        failures = failures.and_one(now_us, FREE_BY_NAME)
        waits.append(failures.left_us(now_us) // SECOND_US)
        now_us += failures.left_us(now_us)
    assert waits == [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert failures.and_one(now_us + DAY_US, FREE_BY_NAME).count == 1
    assert Failures(10**6, 0).and_one(1, FREE_BY_NAME).left_us(1) == 900 * SECOND_US


def test_failures_stay_bounded_when_everybody_fails() -> None:
    """Strangers try as many names as they like."""
    attempts = Attempts()
    for number in range(MOST_KEPT + 100):
        attempts.fail(str(number), 1, 0)
    assert len(attempts._kept) == MOST_KEPT
    assert attempts.left_us(str(MOST_KEPT + 99), 1) > 0
