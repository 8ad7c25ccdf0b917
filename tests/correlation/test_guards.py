import ipaddress
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.correlation.guard_lists import GuardList, Match, read_guard_list, read_warninglist
from regcert.correlation.guards import TOO_WIDE, Guards
from regcert.errors import Code, Refusal
from regcert.stix.observable import Observable, ObservableKind

ROOT = Path(__file__).resolve().parents[2]
WARNINGLISTS = ROOT / "../shared/data/warninglists"
OWN_LISTS = sorted((ROOT / "feeds/guards").glob("*.toml"))


def find(guards: Guards, kind: str, value: str) -> str | None:
    return guards.find_reason(Observable(ObservableKind(kind), value))


def guard(match: str, *entries: str, **more: object) -> Guards:
    data: dict[str, object] = {"name": "n", "reason": "because", "match": match, "entries": list(entries), **more}
    return Guards([read_guard_list(data)])


@pytest.fixture(scope="module")
def own():
    return Guards(read_guard_list(tomllib.loads(path.read_text())) for path in OWN_LISTS)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ipv4", "8.8.8.8"),
        ("ipv6", "2001:4860:4860::8888"),
        ("ipv4", "192.168.3.4"),
        ("cidr", "10.1.0.0/16"),
        ("ipv6", "fe80::1"),
        ("domain", "google.com"),
        ("domain", "www.microsoft.com"),
        ("domain", "1.0.0.127.in-addr.arpa"),
        ("domain", "printer.local"),
        ("url", "http://ctldl.windowsupdate.com/msdownload/x.cab"),
        ("url", "http://127.0.0.1:8080/x"),
        ("url", "http://[fe80::1]/x"),
        ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ],
)
def test_own_lists_guard_when_value_is_everybodys(own, kind, value):
    """What everybody meets is guarded by the lists that come with the program."""
    assert find(own, kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ipv4", "192.0.2.7"),
        ("ipv4", "198.51.100.7"),
        ("ipv4", "203.0.113.7"),
        ("ipv6", "2001:db8::7"),
        ("cidr", "203.0.113.0/24"),
        ("domain", "example.com"),
        ("domain", "bank-login.example"),
        ("url", "https://bank-login.example/a"),
        ("domain", "evil.github.io"),
        ("domain", "someone.blogspot.com"),
        ("domain", "google.com.evil.example"),
        ("domain", "notgoogle.com"),
        ("url", "https://github.com/evil/loader/releases/x.exe"),
        ("url", "https://www.google.com/url?q=https://bank-login.example"),
        ("url", "https://microsoft.com@bank-login.example/"),
        ("url", "https://bank-login.example\\@microsoft.com/"),
        ("url", "https://[not-an-address/"),
        ("email", "attacker@gmail.com"),
        ("email", "attacker@microsoft.com"),
        ("ipv6", "2002:cb00:7107::1"),
        ("ipv6", "::ffff:203.0.113.7"),
    ],
)
def test_own_lists_let_pass_when_an_attacker_could_be_behind_it(own, kind, value):
    """Drill values, customers' names, full addresses on platforms and addresses at providers are not guarded."""
    assert find(own, kind, value) is None


def test_own_lists_fit_their_schema():
    """Every list that comes with the program is valid against the published schema."""
    schema = json.loads((ROOT / "schemas/guard-list.schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    assert len(OWN_LISTS) >= 6
    for path in OWN_LISTS:
        validator.validate(tomllib.loads(path.read_text()))


def test_schema_names_every_kind_and_match():
    """The schema and the code know the same kinds and matches."""
    properties = json.loads((ROOT / "schemas/guard-list.schema.json").read_text())["properties"]
    assert set(properties["kinds"]["items"]["enum"]) == set(ObservableKind)
    assert set(properties["match"]["enum"]) == set(Match)


@pytest.mark.parametrize(("value", "reason"), [("0.0.0.0/0", TOO_WIDE), ("16.0.0.0/7", TOO_WIDE), ("::/0", TOO_WIDE)])
def test_network_is_benign_when_too_wide(value, reason):
    """A network wider than a /8 or a /19 names nobody's machines."""
    assert find(Guards([]), "cidr", value) == reason


@pytest.mark.parametrize("value", ["16.0.0.0/8", "2a00::/19"])
def test_network_is_judged_by_lists_when_just_narrow_enough(value):
    """The widest admissible network is not held back by its width."""
    assert find(Guards([]), "cidr", value) is None


def test_network_is_not_benign_when_it_only_contains_a_guarded_one():
    """A network is benign within a guarded network, not around one."""
    guards = guard("cidr", "9.9.0.0/24")
    assert find(guards, "cidr", "9.9.0.128/25")
    assert find(guards, "cidr", "9.9.0.0/16") is None


def test_email_is_guarded_when_a_list_names_email():
    """Only a list that says so guards e-mail: the whole address, or all of a domain."""
    guards = guard("exact", "abuse@cert.example", "partner.example", kinds=["email"])
    assert find(guards, "email", "abuse@cert.example")
    assert find(guards, "email", "anybody@partner.example")
    assert find(guards, "email", "other@cert.example") is None
    for match in ("exact", "domain-suffix"):
        assert find(guard(match, "partner.example"), "email", "anybody@partner.example") is None


def test_url_is_judged_by_its_host_when_the_list_names_url():
    """A url is as benign as its host only to lists that speak about urls."""
    assert find(guard("domain-suffix", "vendor.example"), "url", "https://cdn.vendor.example:8443/x")
    assert find(guard("domain-suffix", "vendor.example", kinds=["domain"]), "url", "https://vendor.example/x") is None


def test_reason_is_the_earlier_lists_when_two_hold_an_entry():
    """Of two lists with the same entry the first gives the reason."""
    lists = [GuardList("n", reason, Match.EXACT, frozenset({ObservableKind.ASN}), ("1",)) for reason in "ab"]
    assert find(Guards(lists), "asn", "1") == "a"


def test_entry_guards_when_written_in_capitals():
    """Lists are written by hand: the case of letters says nothing."""
    assert find(guard("exact", "AA" * 16), "md5", "aa" * 16)
    assert find(guard("domain-suffix", "Vendor.Example."), "domain", "www.vendor.example")


def test_overlong_host_is_not_walked():
    """A host longer than a name can be is no name."""
    assert find(guard("domain-suffix", "com"), "url", "http://" + "a." * 5_000 + "com/") is None


@given(
    st.lists(st.ip_addresses().flatmap(lambda ip: st.tuples(st.just(ip), st.integers(8, ip.max_prefixlen))), max_size=6),
    st.integers(0, 5),
    st.integers(0, 40),
)
def test_networks_agree_with_brute_force(blocks, chosen, bit):
    """The index over prefix lengths answers as asking every network in turn would."""
    networks = [ipaddress.ip_network(block, strict=False) for block in blocks]
    if not networks:
        return
    base = networks[chosen % len(networks)]
    number = int(base.network_address) ^ (1 << (bit % base.max_prefixlen))
    address = ipaddress.IPv4Address(number) if base.version == 4 else ipaddress.IPv6Address(number)
    expected = any(address in network for network in networks if network.version == address.version)
    kind = "ipv4" if address.version == 4 else "ipv6"
    assert (find(guard("cidr", *map(str, networks)), kind, str(address)) is not None) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"match": "regex"},
        {"match": ["exact"]},
        {"name": ""},
        {"name": None},
        {"reason": "two\nlines"},
        {"reason": "x" * 401},
        {"kinds": []},
        {"kinds": ["ip"]},
        {"kinds": [["ipv4"]]},
        {"entries": []},
        {"entries": [7]},
        {"entries": ["x" * 2_049]},
        {"entries": "8.8.8.8"},
        {"match": "cidr", "entries": ["example.com"]},
        {"match": "domain-suffix", "entries": ["a..b"]},
        {"match": "domain-suffix", "entries": ["."]},
        {"extra": 1},
    ],
)
def test_guard_list_is_refused_when_malformed(change):
    """A malformed list is refused by the property at fault and never echoed."""
    data = {"name": "n", "reason": "r", "match": "exact", "entries": ["x"], **change}
    with pytest.raises(Refusal) as refused:
        read_guard_list(data)
    assert refused.value.code is Code.INVALID_GUARD_LIST
    assert "a..b" not in refused.value.message


def test_guard_list_is_refused_when_too_long(monkeypatch):
    """A list beyond the bound is refused before any entry is looked at."""
    monkeypatch.setattr("regcert.correlation.guard_lists.MAX_ENTRIES", 2)
    with pytest.raises(Refusal):
        guard("exact", "a", "b", "c")


def test_warninglist_is_refused_when_it_holds_expressions():
    """Expressions from strangers are not run."""
    with pytest.raises(Refusal, match="not run"):
        read_warninglist({"name": "n", "type": "regex", "list": ["/^(a+)+$/"]})


def test_warninglist_substring_cannot_be_put_into_an_attackers_name():
    """A substring list guards names and what is below them, not whoever writes the text into a longer name."""
    data = {"name": "n", "type": "substring", "matching_attributes": ["domain", "url"], "list": ["any.run", "@b.example"]}
    guards = Guards([read_warninglist(data)])
    assert find(guards, "domain", "app.any.run")
    assert find(guards, "domain", "b.example")
    assert find(guards, "domain", "any.run.evil.example") is None
    assert find(guards, "domain", "company.run") is None
    assert find(guards, "url", "https://evil.example/any.run") is None


def test_warninglist_is_refused_when_it_speaks_about_nothing_we_hold():
    """A list about bank accounts says nothing about observables."""
    with pytest.raises(Refusal, match="leave it out"):
        read_warninglist({"name": "n", "type": "string", "matching_attributes": ["iban"], "list": ["x"]})


def read_all_warninglists() -> dict[str, Any]:
    if not WARNINGLISTS.is_dir():
        pytest.skip("the MISP warninglists are not on this machine")
    return {path.parent.name: json.loads(path.read_bytes()) for path in sorted(WARNINGLISTS.glob("**/list.json"))}


def test_warninglists_are_read_when_they_hold_no_expressions():
    """Every list as MISP publishes it is read, but for expressions."""
    refused = set()
    lists = {}
    for name, data in read_all_warninglists().items():
        try:
            lists[name] = read_warninglist(data)
        except Refusal:
            refused.add(name)
    assert refused == {name for name, data in read_all_warninglists().items() if data["type"] == "regex"}
    google = Guards([lists["google"]])
    assert find(google, "domain", "google.al")
    assert find(google, "url", "https://google.al/x")
    assert find(google, "domain", "google.al.evil.example") is None
    everything = Guards(lists.values())
    assert find(everything, "ipv4", "8.8.8.8")
    assert find(everything, "ipv6", "fe80::7")
    assert find(everything, "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    assert find(everything, "domain", "planted-for-this-test.example") is None
