"""What a value stands in: its host, its registered domain, its network, and never what anybody can rent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Refusal
from regcert.stix.derived import DERIVED_FROM, find_parents
from regcert.stix.observable import ObservableKind, canonical, read_observable

K = ObservableKind


@pytest.mark.parametrize(
    ("value", "parents"),
    [
        ("http://a.b.evil.com:8080/x?y", ["a.b.evil.com", "evil.com"]),
        ("http://user:pw@evil.co.uk/", ["evil.co.uk"]),
        ("http://google.com%2f@a.evil.top/", ["a.evil.top", "evil.top"]),
        ("http://198.51.100.7/x", ["198.51.100.7", "198.51.100.0/24"]),
        ("http://0xC6336407/x", ["198.51.100.7", "198.51.100.0/24"]),
        ("http://[2001:db8:1:2::7]:80/x", ["2001:db8:1:2::7", "2001:db8:1::/48"]),
        ("a.b.evil.com", ["evil.com"]),
        ("bücher.de", []),
        ("www.bücher.de", ["xn--bcher-kva.de"]),
        ("evil.co.uk", []),
        ("a.evil.example", ["evil.example"]),  # a suffix that the list does not know is one label
        ("198.51.100.7", ["198.51.100.0/24"]),
        ("2001:db8:1:2::7", ["2001:db8:1::/48"]),
        ("x.evil.github.io", ["evil.github.io"]),  # what one tenant has is his
    ],
)
def test_value_stands_in_its_host_domain_and_network(value, parents):
    """The nearest first, each in canonical form, so that it is the value that somebody else may name."""
    found = find_parents(read_observable(value))
    assert [one.value for one in found] == parents
    assert all(canonical(one.kind, one.value) == one for one in found)


@pytest.mark.parametrize(
    "value",
    [
        "evil.github.io", "github.io", "evil.duckdns.org", "co.uk", "http://github.io/evil", "http://s3.amazonaws.com/bucket/x",
        "http://intranet/x", "198.51.100.0/24", "ab" * 16, "joe@evil.example", "evil.exe", "AS64512",
    ],
)  # fmt: skip
def test_nothing_is_derived_when_anybody_can_have_a_name_there(value):
    """Hosting and dynamic DNS are the neighbourhood of everybody; and what has no place has no neighbours."""
    assert find_parents(read_observable(value)) == ()


@given(st.sampled_from(sorted(K)), st.sampled_from(["http://", "x://[", ""]), st.text(max_size=20))
def test_deriving_never_breaks_when_a_value_has_any_shape(kind, prefix, text):
    """Whatever was read has parents or none; and a parent has only parents that are the value's, too."""
    try:
        value = canonical(kind, prefix + text)
    except Refusal:
        return
    found = find_parents(value)
    assert not found or value.kind in DERIVED_FROM
    assert all(set(find_parents(one)) <= set(found) for one in found)
