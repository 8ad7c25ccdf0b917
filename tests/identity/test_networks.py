"""Networks and addresses: one spelling each, and IPv4 is IPv4 however it comes."""

import pytest

from regcert.errors import Code, Refusal
from regcert.identity.networks import MOST_NETWORKS, holder_of, is_within, read_address, read_networks


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        (" 192.0.2.7 ", "192.0.2.7/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_network_has_one_spelling(typed: str, kept: str) -> None:
    """However it is typed, also mapped."""
    assert read_networks([typed, typed]) == (kept,)


@pytest.mark.parametrize(
    "typed", ["", "192.0.2.7/24", "192.0.2.0/33", "all", "0x7f.1", "010.0.0.1", "1.2.3", "x" * 9999, "::1%eth0"]
)
def test_network_is_refused_when_it_may_mean_something_else(typed: str) -> None:
    """Bits behind the mask, octal digits, names."""
    with pytest.raises(Refusal) as refused:
        read_networks([typed])
    assert refused.value.code is Code.MALFORMED_REQUEST


def test_networks_are_refused_when_there_are_too_many() -> None:
    """Each request compares with all of them."""
    with pytest.raises(Refusal):
        read_networks(f"10.0.{number}.0/24" for number in range(MOST_NETWORKS + 1))


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("192.0.2.255", ("192.0.2.0/24",), True),
        ("192.0.3.0", ("192.0.2.0/24",), False),
        ("::ffff:192.0.2.9", ("192.0.2.0/24",), True),
        ("192.0.2.9", ("::/0",), False),
        ("2001:db8::1", ("0.0.0.0/0",), False),
        ("2001:db8::1", ("192.0.2.0/24", "2001:db8::/32"), True),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("garbage", ("0.0.0.0/0", "::/0"), False),
        ("192.0.2.1, 10.0.0.1", ("0.0.0.0/0", "::/0"), False),
        (None, ("0.0.0.0/0", "::/0"), False),
        ("192.0.2.1", (), False),
    ],
)
def test_address_is_inside_or_not(address: str | None, networks: tuple[str, ...], inside: bool) -> None:  # noqa: FBT001
    """What is no address is inside nothing, and neither family is part of the other."""
    assert is_within(read_address(address), networks) is inside


def test_site_counts_as_one_when_it_has_many_addresses() -> None:
    """Whoever has an IPv6 network has 2^64 addresses to try from."""
    assert holder_of("2001:db8::1") == holder_of("2001:db8::ffff:1") != holder_of("2001:db8:0:1::1")
    assert holder_of("192.0.2.1") != holder_of("192.0.2.2")
    assert holder_of(None) == ""
