"""Codes from a telephone: the RFC's own vectors, a step either way, and each good once."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from regcert.clock import SECOND_US
from regcert.identity.one_time_codes import code_at, find_step, new_secret, otpauth_uri, write_secret

SEED = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_code_is_the_rfcs(at_s: int, code: str) -> None:
    """RFC 6238 Appendix B, SHA-1."""
    assert code_at(SEED, at_s // 30, digits=8) == code


@pytest.mark.parametrize(
    ("count", "code"),
    list(enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])),
)
def test_code_is_the_other_rfcs(count: int, code: str) -> None:
    """RFC 4226 Appendix D."""
    assert code_at(SEED, count) == code


@pytest.mark.parametrize("drift", [-2, -1, 0, 1, 2])
def test_code_is_good_for_a_step_either_way(drift: int) -> None:
    """A telephone may be half a minute off, and no more."""
    found = find_step(SEED, code_at(SEED, 1000 + drift), 1000 * 30 * SECOND_US, used=0)
    assert found == (1000 + drift if abs(drift) <= 1 else None)


def test_code_is_good_once() -> None:
    """Neither the code that was used, nor an older one, opens anything again; the next one does."""
    now_us = 1000 * 30 * SECOND_US
    codes = {step: code_at(SEED, step) for step in (999, 1000, 1001)}
    assert [find_step(SEED, codes[step], now_us, used=1000) for step in codes] == [None, None, 1001]


@pytest.mark.parametrize("typed", ["", "0", "12345", "1234567", "x" * 9999, "\ud800", "٣٣٨٣١٤", "-755224", "755224.0"])
def test_code_is_none_when_it_is_no_code(typed: str) -> None:
    """Anything but six digits of ours."""
    assert find_step(SEED, typed, 30 * SECOND_US, used=-9) is None


def test_code_is_found_when_it_is_typed_with_a_blank() -> None:
    """Apps show it in two halves."""
    assert find_step(SEED, " 755 224 ", 30 * SECOND_US, used=-9) == 0


def test_secret_is_told_as_apps_read_it() -> None:
    """An otpauth address with everything that apps would otherwise guess; each secret is another."""
    secret = new_secret()
    uri = urlsplit(otpauth_uri(secret, "ana@cert.example", "RegCERT"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/RegCERT:ana%40cert.example")
    assert parse_qs(uri.query) == {
        "secret": [write_secret(secret)], "issuer": ["RegCERT"], "algorithm": ["SHA1"], "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert re.fullmatch(r"[A-Z2-7]{32}", write_secret(secret))
    assert new_secret() != secret
