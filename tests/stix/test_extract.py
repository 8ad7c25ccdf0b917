"""What a STIX object mentions: positive, atomic, canonical, each once."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix.extract import MAX_OBSERVABLES, observables_of, observables_of_pattern
from regcert.stix.observable import Observable, ObservableKind, canonical
from regcert.stix.pattern import read_pattern

K = ObservableKind
SHARED = Path(__file__).resolve().parents[2] / "../shared/data/stix21"
MD5, SHA1, SHA256, SHA512 = "ab" * 16, "ab" * 20, "ab" * 32, "ab" * 64


def mentioned(pattern: str) -> list[tuple[ObservableKind, str]]:
    return [(each.kind, each.value) for each in observables_of_pattern(read_pattern(pattern))]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value = '198.51.100.1/32']", [(K.IPV4, "198.51.100.1")]),
        ("[ipv4-addr:value = '::ffff:198.51.100.1']", [(K.IPV4, "198.51.100.1")]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.7/24']", [(K.CIDR, "198.51.100.0/24")]),
        ("[ipv6-addr:value = '2001:DB8::0:1']", [(K.IPV6, "2001:db8::1")]),
        ("[domain-name:value IN ('A.example', 'b.example.', 'a.example')]",
         [(K.DOMAIN, "a.example"), (K.DOMAIN, "b.example")]),
        ("[domain-name:value = '198.51.100.1']", [(K.IPV4, "198.51.100.1")]),
        ("[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.1']",
         [(K.DOMAIN, "a.example"), (K.IPV4, "198.51.100.1")]),
        ("[url:value = 'HTTP://a.example:80']", [(K.URL, "http://a.example/")]),
        ("[url:value = 'a.example']", [(K.DOMAIN, "a.example")]),
        ("[email-addr:value = 'Joe@a.example']", [(K.EMAIL, "joe@a.example")]),
        ("[email-message:from_ref.value = 'joe@a.example' OR email-message:sender_ref.value = 'jo@a.example']",
         [(K.EMAIL, "joe@a.example"), (K.EMAIL, "jo@a.example")]),
        (f"[file:hashes.MD5 = '{MD5}' AND file:hashes.'SHA-1' = '{SHA1}'] AND [file:hashes.'SHA-256' = '{SHA256.upper()}']",
         [(K.MD5, MD5), (K.SHA1, SHA1), (K.SHA256, SHA256)]),
        (f"[file:hashes.sha256 = '{SHA256}' OR file:hashes.SHA_512 = '{SHA512}' OR file:hashes.'md5' = '{MD5}']",
         [(K.SHA256, SHA256), (K.SHA512, SHA512), (K.MD5, MD5)]),
        ("[file:hashes.SSDEEP = '3:abc:d' OR file:hashes.ssdeep = '3:abd:d']",
         [(K.SSDEEP, "3:abc:d"), (K.SSDEEP, "3:abd:d")]),
        (f"[file:hashes.TLSH = '{'ab' * 35}']", [(K.TLSH, "T1" + "AB" * 35)]),
        (f"[artifact:hashes.MD5 = '{MD5}' OR x509-certificate:hashes.'SHA-1' = '{SHA1}']", [(K.MD5, MD5), (K.SHA1, SHA1)]),
        ("[file:name = 'a.exe' AND file:size = 12]", [(K.FILE_NAME, "a.exe")]),
        ("[mutex:name = 'Global\\\\Mx']", [(K.MUTEX, "Global\\Mx")]),
        ("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.1']",
         [(K.IPV4, "198.51.100.1")]),
        ("[network-traffic:src_ref.value = 'a.example' AND network-traffic:dst_port = 443]", [(K.DOMAIN, "a.example")]),
        ("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'x/1']", [(K.USER_AGENT, "x/1")]),
        ("[network-traffic:extensions.'http-request-ext'.request_header.'user-agent'[*] = 'x/1']", [(K.USER_AGENT, "x/1")]),
        ("[autonomous-system:number = 64512]", [(K.ASN, "AS64512")]),
        ("([ipv4-addr:value = '1.1.1.1'] FOLLOWEDBY [ipv4-addr:value = '2.2.2.2']) WITHIN 5 SECONDS",
         [(K.IPV4, "1.1.1.1"), (K.IPV4, "2.2.2.2")]),
    ],
)  # fmt: skip
def test_value_is_a_mention_when_a_pattern_asks_for_it(pattern, expected):
    """Every spelling of the usual paths yields the canonical value, also from one half of an AND."""
    assert mentioned(pattern) == expected


@pytest.mark.parametrize(
    "comparison",
    [
        "ipv4-addr:value != '198.51.100.1'",
        "ipv4-addr:value NOT = '198.51.100.1'",
        "ipv4-addr:value NOT IN ('198.51.100.1')",
        "ipv4-addr:value ISSUPERSET '198.51.100.1/24'",
        "domain-name:value LIKE 'a.example'",
        "domain-name:value MATCHES 'a.example'",
        "url:value > 'http://a.example/'",
        "file:name ISSUBSET 'a.exe'",
        "EXISTS ipv4-addr:value",
        "email-message:to_refs[*].value = 'victim@a.example'",
        "file:extensions.'windows-pebinary-ext'.sections[*].hashes.MD5 = '" + MD5 + "'",
        "file:hashes.'SHA3-256' = '" + SHA256 + "'",
        "file:hashes.MD5 = '" + SHA256 + "'",
        "file:hashes[*] = '" + MD5 + "'",
        "x-file:hashes.MD5 = '" + MD5 + "'",
        "process:name = 'a.exe'",
        "network-traffic:extensions.'http-request-ext'.request_header.Host = 'a.example'",
        "mutex:name = true",
        "autonomous-system:number = 1.5",
        "ipv4-addr:value = h'c6336401'",
        "ipv4-addr:value = '010.0.0.1'",
    ],
)
def test_value_is_no_mention_when_it_is_negated_approximate_or_something_else(comparison):
    """Only what a pattern positively and exactly asks for is taken; the rest stays in the object."""
    assert mentioned(f"[{comparison}]") == []


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ({"type": "ipv4-addr", "value": "198.51.100.1/24"}, [(K.CIDR, "198.51.100.0/24")]),
        ({"type": "ipv6-addr", "value": "::1"}, [(K.IPV6, "::1")]),
        ({"type": "domain-name", "value": "A.example"}, [(K.DOMAIN, "a.example")]),
        ({"type": "url", "value": "http://a.example"}, [(K.URL, "http://a.example/")]),
        ({"type": "email-addr", "value": "joe@a.example", "display_name": "x@b.example"}, [(K.EMAIL, "joe@a.example")]),
        ({"type": "mutex", "name": "m"}, [(K.MUTEX, "m")]),
        ({"type": "autonomous-system", "number": 64512, "name": "x"}, [(K.ASN, "AS64512")]),
        ({"type": "file", "name": "a.exe", "hashes": {"MD5": MD5, "sha-256": SHA256, "x": 1}},
         [(K.FILE_NAME, "a.exe"), (K.MD5, MD5), (K.SHA256, SHA256)]),
        ({"type": "artifact", "url": "http://a.example/", "hashes": {"SHA-512": SHA512}},
         [(K.URL, "http://a.example/"), (K.SHA512, SHA512)]),
        ({"type": "x509-certificate", "hashes": {"SHA-1": SHA1}, "issuer": "CN=a.example"}, [(K.SHA1, SHA1)]),
        ({"type": "network-traffic",
          "extensions": {"http-request-ext": {"request_header": {"User-agent": ["x/1", "y/2"], "Host": "h"}}}},
         [(K.USER_AGENT, "x/1"), (K.USER_AGENT, "y/2")]),
        ({"type": "network-traffic", "extensions": {"http-request-ext": {"request_header": {"User-Agent": "x/1"}}}},
         [(K.USER_AGENT, "x/1")]),
        ({"type": "observed-data",
          "objects": {"0": {"type": "file", "name": "a"}, "1": {"type": "ipv4-addr", "value": "1.1.1.1"}, "2": 3}},
         [(K.FILE_NAME, "a"), (K.IPV4, "1.1.1.1")]),
        ({"type": "observed-data", "object_refs": ["file--x"]}, []),
        ({"type": "malware", "name": "a.exe", "hashes": {"MD5": MD5}}, []),
        ({"type": "indicator", "pattern_type": "sigma", "pattern": "["}, []),
        ({"type": "indicator", "pattern_type": "stix", "pattern": "[url:value = 'http://a.example']"}, [(K.URL, "http://a.example/")]),
    ],
)  # fmt: skip
def test_value_is_found_when_a_cyber_observable_carries_it(obj, expected):
    """The properties that name the thing itself are read, in every type that has them."""
    assert [(each.kind, each.value) for each in observables_of(obj)] == expected


@pytest.mark.parametrize("pattern", ["[ipv4-addr:value = ]", "", None, 7, ["[a:b=1]"]])
def test_indicator_is_refused_when_its_stix_pattern_cannot_be_read(pattern):
    """An indicator that says STIX and is not would match nothing anywhere: its author must know."""
    with pytest.raises(Refusal) as caught:
        observables_of({"type": "indicator", "pattern_type": "stix", "pattern": pattern})
    assert caught.value.code is Code.INVALID_PATTERN


def test_number_is_left_out_when_python_refuses_to_write_it():
    """An integer of thousands of digits is no ASN and no crash."""
    assert observables_of({"type": "autonomous-system", "number": 10**5000}) == ()


def test_observables_are_bounded_when_an_object_holds_more():
    """No object fills the correlation with more than 20,000 values."""
    objects = {str(i): {"type": "mutex", "name": f"m{i}"} for i in range(MAX_OBSERVABLES + 5)}
    assert len(observables_of({"type": "observed-data", "objects": objects})) == MAX_OBSERVABLES


def test_observables_of_the_field_are_canonical_and_present_when_read_from_published_bundles():
    """Of what others have published, every address, domain, hash and mail address is found."""
    if not SHARED.exists():
        pytest.skip("the shared corpus is not here")
    atomic = {"ipv4-addr", "ipv6-addr", "domain-name", "email-addr", "url", "mutex"}
    for path in sorted(SHARED.glob("from-misp/*.json")) + sorted(SHARED.glob("amnesty/*.json")):
        for obj in json.loads(path.read_bytes())["objects"]:
            found = observables_of(obj)
            assert all(canonical(each.kind, each.value) == each for each in found)
            assert found or obj["type"] not in atomic, obj["id"]


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
types: list[object] = ["file", "observed-data", "network-traffic", "ipv4-addr", "autonomous-system", "artifact"]
types += ["x509-certificate", "url", None, 3, []]
properties = ["value", "name", "number", "url", "hashes", "objects", "extensions"]
nested = st.one_of(
    json_value,
    st.dictionaries(st.sampled_from(["MD5", "http-request-ext", "0"]), json_value, max_size=3),
    st.fixed_dictionaries({"0": st.fixed_dictionaries({"type": st.sampled_from(types), "hashes": json_value})}),
    st.fixed_dictionaries({"http-request-ext": st.fixed_dictionaries({"request_header": json_value})}),
)


@settings(max_examples=300)
@given(st.sampled_from(types), st.dictionaries(st.sampled_from(properties), nested, max_size=4))
def test_object_never_breaks_the_reading_when_its_properties_have_any_shape(object_type, rest):
    """The schema judges shapes; the extractor only must not fall over what it is shown."""
    assert all(isinstance(each, Observable) for each in observables_of({"type": object_type, **rest}))
