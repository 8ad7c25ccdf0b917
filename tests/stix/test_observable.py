"""Observables: many spellings, one canonical form; what could mean two things is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.stix import observable, url
from regcert.stix.observable import (
    Observable,
    ObservableKind,
    canonical,
    canonical_host,
    find_observable,
    read_observable,
)
from regcert.stix.url import read_url

K = ObservableKind

EQUAL: list[tuple[ObservableKind, str, ObservableKind, list[str]]] = [
    # kind asked for, canonical text, kind of the answer, spellings
    (K.IPV4, "198.51.100.7", K.IPV4, ["198.51.100.7", "::ffff:198.51.100.7", "::FFFF:c633:6407"]),
    (K.IPV6, "198.51.100.7", K.IPV4, ["::ffff:198.51.100.7", "0:0:0:0:0:ffff:c633:6407"]),
    (K.IPV6, "2001:db8::1", K.IPV6, ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8:0:0::0.0.0.1"]),
    (K.CIDR, "10.0.0.0/8", K.CIDR, ["10.0.0.0/8", "10.1.2.3/8", "::ffff:10.9.9.9/104", "10.0.0.0/08"]),
    (K.CIDR, "2001:db8::/32", K.CIDR, ["2001:db8::/32", "2001:DB8:ffff::1/32"]),
    (K.CIDR, "::/0", K.CIDR, ["::/0", "::ffff:1.2.3.4/0"]),
    (K.CIDR, "192.0.2.1", K.IPV4, ["192.0.2.1", "192.0.2.1/32", "::ffff:192.0.2.1/128"]),
    (K.CIDR, "2001:db8::1", K.IPV6, ["2001:db8::1/128"]),
    (K.DOMAIN, "example.org", K.DOMAIN, [
        "example.org", "EXAMPLE.Org", "example.org.", "ｅｘａｍｐｌｅ。org", "example．org",
    ]),
    (K.DOMAIN, "xn--bcher-kva.example", K.DOMAIN, [
        "bücher.example", "BÜCHER.example", "bu\u0308cher.example", "XN--BCHER-KVA.example",
    ]),
    (K.DOMAIN, "xn--strae-oqa.example", K.DOMAIN, ["straße.example"]),
    (K.DOMAIN, "xn--ls8h.example", K.DOMAIN, ["💩.example"]),
    (K.DOMAIN, "_dmarc.a--b.example", K.DOMAIN, ["_DMARC.a--b.example"]),
    (K.URL, "http://example.org/", K.URL, [
        "http://example.org", "HTTP://EXAMPLE.ORG:80/", "http://example.org./", "http://example.org:/#top",
        " http://example.org/. ",
        "http:\\\\example.org\\", "http://ex%61mple.org", "http://@example.org", "http://:@example.org/a/../",
        "http://example.org/%2e/",
    ]),
    (K.URL, "http://127.0.0.1/", K.URL, [
        "http://127.0.0.1", "http://127.1", "http://0x7f.0.0.1", "http://0177.0.0.1", "http://2130706433",
        "http://①②⑦.0.0.1/",
        "http://[::ffff:127.0.0.1]/", "http://0x7F000001/", "http://127.0.0.1.:80",
    ]),
    (K.URL, "http://[2001:db8::1]:8080/a", K.URL, [
        "http://[2001:DB8:0::1]:8080/a", "http://[2001:db8::1]:08080/b/%2E%2e/a",
    ]),
    (K.URL, "https://h.example/%C3%A9%20x?q=%2F/../%25zz", K.URL, [
        "https://h.example/é x?q=%2f/../%zz", "https://h.example:443/%c3%a9%20x?q=%2F/../%25zz",
    ]),
    (K.URL, "ftp://user:p%40ss@h.example/x", K.URL, [
        "ftp://user:p@ss@h.example:21/x", "FTP://user:p%40ss@h.example/./x",
    ]),
    (K.URL, "http://h.example/o'b?q=%27", K.URL, ["http://h.example/o'b?q='", "HTTP://h.example:080/x/../o'b?q=%27#x"]),
    (K.URL, "ldap://h.example/x?'", K.URL, ["LDAP://H.example:389/x?'"]),
    (K.URL, "https://xn--bcher-kva.example/", K.URL, [
        "https://bücher.example", "https://b%C3%BCcher.example:443",
        "https://ＢÜＣＨＥＲ。example．/", "https:\\\\BU\u0308CHER.example",
        "https://XN--Bcher-KVA.example.", "https://xn--bcher-kva。example。",
    ]),
    (K.URL, "tcp://h.example:4444/", K.URL, ["tcp://h.example:4444", "TCP://H.example:4444/"]),
    (K.EMAIL, "joe+tag@example.org", K.EMAIL, [
        "joe+tag@example.org", "Joe+Tag@EXAMPLE.org.", " joe+tag@example.org",
    ]),
    (K.MD5, "d41d8cd98f00b204e9800998ecf8427e", K.MD5, ["D41D8CD98F00B204E9800998ECF8427E"]),
    (K.SHA1, "ab" * 20, K.SHA1, ["AB" * 20]),
    (K.SHA256, "ab" * 32, K.SHA256, ["aB" * 32]),
    (K.SHA512, "ab" * 64, K.SHA512, ["AB" * 64]),
    (K.SSDEEP, "96:aBc+/d:Ef", K.SSDEEP, ["96:aBc+/d:Ef"]),
    (K.TLSH, "T1" + "AB" * 35, K.TLSH, ["ab" * 35, "t1" + "ab" * 35, "T1" + "AB" * 35]),
    (K.FILE_NAME, "Évil.exe", K.FILE_NAME, [
        "Évil.exe", "E\u0301vil.exe", "C:\\Temp\\Évil.exe", "/tmp/ Évil.exe ",
    ]),
    (K.MUTEX, "Global\\é", K.MUTEX, ["Global\\é", " Global\\e\u0301 "]),
    (K.USER_AGENT, "Mozilla/5.0 (x)", K.USER_AGENT, ["Mozilla/5.0 (x)", " Mozilla/5.0 (x)\u3000"]),
    (K.ASN, "AS64512", K.ASN, ["64512", "AS64512", "as64512", "AS 64512", "AS0064512"]),
]  # fmt: skip

REFUSED: list[tuple[ObservableKind, list[str]]] = [
    (K.IPV4, [
        "010.0.0.1", "0x7f.0.0.1", "2130706433", "127.1", "1.2.3.4.", "1.2.3.256", "①.0.0.1", "1.2.3.4/32",
        "::1", "", "1.2.3.4 ",
    ]),
    (K.IPV6, ["1.2.3.4", "fe80::1%eth0", "::1/128", "1::2::3", "[::1]", "g::", "12345::"]),
    (K.CIDR, [
        "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/", "10/8", "::/129", "example.org/24", "10.0.0.0/-1",
        "10.0.0.0/٨",
    ]),
    (K.DOMAIN, [
        "localhost", "1.2.3.4", "1.2.3", "010.0.0.1", "①②⑦.0.0.1", "a..example", ".example.org",
        "example.org..", "*.example.org",
        "exa\u200bmple.org", "exa\u00admple.org", "\u202eexample.org", "a b.example", "a/b.example",
        "℀.example", "a.0x10", "a.example:80",
        "x" * 64 + ".example", "abc." * 70 + "example", "a.example\n", "a\x00.example", "https://a.example",
        "é/.example", "é" * 2000,
    ]),
    (K.URL, [
        "evil.example", "http://", "http:///path", "javascript:alert(1)", "http://a b/", "http://1.2.3.4.5/",
        "http://256.0.0.1/", "http://08/",
        "http://1_0.1/", "http://-1.1/", "http://h:65536/", "http://h:x/", "http://[::1/",
        "http://[fe80::1%25x]/",
        "http://h/\x00", "http://h/\n", "http://h/\u202e", "http://%00/", "http://%ff/", "http://ev%2569l/",
        "1http://h/", "http://h/" + "a" * 8192,
        "http://h/" + "é" * 2000,
    ]),
    (K.EMAIL, [
        "evil.example", "@example.org", "joe@", "joe@localhost", "joe@1.2.3.4", "joe@[1.2.3.4]",
        '"joe b"@example.org', "a@b@example.org",
        "Joe <joe@example.org>", "joe\u200b@example.org", "x" * 65 + "@example.org", "joe@exa mple.org",
    ]),
    (K.MD5, ["", "d41d8cd98f00b204e9800998ecf8427", "g" * 32, "٣" * 32, "a" * 33, " " + "a" * 31]),
    (K.SHA256, ["a" * 40, "a" * 65]),
    (K.SSDEEP, [
        "97:abc:def", "9:abc:def", "0:abc:def", "3:abc", "3:ab c:d", "x:abc:def", "3:" + "a" * 65 + ":b",
    ]),
    (K.TLSH, ["TNULL", "ab" * 34, "T2" + "ab" * 35, "ﬀ" * 35]),
    (K.FILE_NAME, ["", " ", "C:\\Temp\\", "/", "..", "a\x00b", "a\nb", "a\ud800", "x" * 1025]),
    (K.MUTEX, ["", "\t", "a\x1bb", "x" * 1025]),
    (K.USER_AGENT, ["", "a\r\nHost: b"]),
    (K.ASN, ["", "AS", "AS4294967296", "AS1.10", "-1", "AS٣", "AS99999999999", "1e3"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "answer", "spelling"),
    [
        (kind, text, answer, each)
        for kind, text, answer, spellings in EQUAL
        for each in [text, *spellings]
        if kind is answer or each != text
    ],
)
def test_value_is_one_observable_when_spelled_differently(kind, text, answer, spelling):
    """Every spelling of a value has the same canonical form."""
    assert canonical(kind, spelling) == Observable(answer, text)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED for text in texts])
def test_value_is_refused_when_it_is_not_of_the_kind(kind, text):
    """What is malformed, ambiguous or invisible is refused, and not repeated in the refusal."""
    with pytest.raises(Refusal) as caught:
        canonical(kind, text)
    assert caught.value.code is Code.INVALID_OBSERVABLE
    assert len(text) < 8 or text not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (K.DOMAIN, "google.example", "gооgle.example"),  # Cyrillic o
        (K.URL, "http://h.example/A", "http://h.example/a"),
        (K.URL, "http://h.example/?a=1&b=2", "http://h.example/?b=2&a=1"),
        (K.URL, "http://h.example/a%2Fb", "http://h.example/a/b"),
        (K.URL, "http://h.example/", "https://h.example/"),
        (K.URL, "http://h.example/", "http://h.example:8080/"),
        (K.URL, "http://h.example/", "http://u@h.example/"),
        (K.FILE_NAME, "a.exe", "A.exe"),
        (K.SSDEEP, "3:abc:d", "3:abC:d"),
        (K.FILE_NAME, "invoice\u202efdp.exe", "invoicefdp.exe"),
    ],
)
def test_values_stay_apart_when_they_are_different_things(kind, one, other):
    """Normalising never merges what a server, a resolver or a file system tells apart."""
    assert canonical(kind, one) != canonical(kind, other)


hostile = st.text(
    st.one_of(
        st.sampled_from("aAzZ09.-_~:/\\?#[]@!$&'()*+,;=%25eE2fF xX| ^`{}<>\"éßİıΣς\u0301\u0345．。①ａ％\u2126ﬁ\ufe0f\U0001f4a9"),
        st.characters(),
    ),
    max_size=24,
)
prefixes = {
    K.URL: ["http://", "http://h", "https://h/", "ftp://u", "x://h/?", "http://[::", "http://1.", "http://h/%"],
    K.EMAIL: ["a@b.", "a", "é@b."],
    K.DOMAIN: ["a.", "é.", "xn--"],
    K.CIDR: ["10.0.0.0/", "::ffff:1.2.3.4/", "::/"],
    K.IPV6: ["::", "::ffff:1.2.3."],
    K.TLSH: ["T1" + "a" * 60],
    K.SSDEEP: ["3:", "96:abc:"],
    K.ASN: ["AS", ""],
}


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(sorted(K)), st.data())
def test_canonical_form_is_its_own_when_read_again(kind, data):
    """Reading canonical text changes nothing, so that equality of texts is the equivalence."""
    text = data.draw(st.sampled_from(prefixes.get(kind, [""]))) + data.draw(hostile)
    try:
        found = canonical(kind, text)
    except Refusal:
        return
    assert canonical(found.kind, found.value) == found
    assert not any(character in found.value for character in "\n\r\x00\x1b")


@given(st.ip_addresses(v=4), st.integers(0, 32), st.booleans())
def test_networks_are_equal_when_they_hold_the_same_addresses(address, prefix, mapped):
    """Host bits and the IPv4-mapped spelling make no difference."""
    network = int(address) >> (32 - prefix) << (32 - prefix)
    first = ".".join(str(network >> shift & 255) for shift in (24, 16, 8, 0))
    spelling = f"::ffff:{address}/{96 + prefix}" if mapped else f"{address}/{prefix}"
    assert canonical(K.CIDR, spelling) == canonical(K.CIDR, f"{first}/{prefix}")


@given(st.ip_addresses(v=4), st.sampled_from(["{:d}", "0x{:x}", "0{:o}", "0X{:08X}"]))
def test_url_host_is_an_address_when_a_browser_reads_it_as_one(address, spelling):
    """A number in place of the host is the address that a browser would open."""
    assert canonical(K.URL, f"http://{spelling.format(int(address))}/") == canonical(K.URL, f"http://{address}/")


@pytest.mark.parametrize(
    ("pasted", "kind", "value"),
    [
        ("198.51.100[.]7", K.IPV4, "198.51.100.7"),
        ("198[.51.100.]7", K.IPV4, "198.51.100.7"),
        ("198.51.100[.]7[:]8080", K.IPV4, "198.51.100.7"),
        ("[::ffff:198.51.100.7]:443", K.IPV4, "198.51.100.7"),
        ("[2001:DB8::1]:443", K.IPV6, "2001:db8::1"),
        ("2001:db8::1:443", K.IPV6, "2001:db8::1:443"),  # all of it is an address
        ("Evil.example.:8443", K.DOMAIN, "evil.example"),
        ("ev\u0456l.example:80", K.DOMAIN, "xn--evl-khd.example"),
        ("evil[.]example/path", K.URL, "http://evil.example/path"),
        ("evil.example:8080/a?b=c#d", K.URL, "http://evil.example:8080/a?b=c"),
        ("evil.example:80/", K.URL, "http://evil.example/"),
        ("nas.example/@eaDir/x/", K.URL, "http://nas.example/@eaDir/x/"),
        ("198.51.100.7/24/x", K.URL, "http://198.51.100.7/24/x"),
        ("evil<.>example", K.DOMAIN, "evil.example"),
        ("hxtps://evil<dot>example", K.URL, "https://evil.example/"),
        (" '198.51.100.7' ", K.IPV4, "198.51.100.7"),
        ("198(.)51(.)100(.)7", K.IPV4, "198.51.100.7"),
        ("①②⑦.0.0.1", K.IPV4, "127.0.0.1"),
        ("::ffff:127.0.0.1", K.IPV4, "127.0.0.1"),
        ("2001[:]db8[:]:1", K.IPV6, "2001:db8::1"),
        ("[2001:db8::1]", K.IPV6, "2001:db8::1"),
        ("10[.]0[.]0[.]1/8", K.CIDR, "10.0.0.0/8"),
        ("evil[.]example", K.DOMAIN, "evil.example"),
        ("evil {dot} example", K.DOMAIN, "evil.example"),
        ("evil dot example", K.DOMAIN, "evil.example"),
        ("`Evil[dot]Example.`", K.DOMAIN, "evil.example"),
        ("download.zip", K.DOMAIN, "download.zip"),
        ("hxxps://evil[.]example/a[.]php", K.URL, "https://evil.example/a.php"),
        ("hXXp[:]//evil[.]example", K.URL, "http://evil.example/"),
        ("h**p[://]evil.example", K.URL, "http://evil.example/"),
        ("<fxp://evil.example>", K.URL, "ftp://evil.example/"),
        ("http://a.example/?u=hxxp://b", K.URL, "http://a.example/?u=hxxp://b"),
        ("joe[at]evil[.]example", K.EMAIL, "joe@evil.example"),
        ("joe at evil dot example", K.EMAIL, "joe@evil.example"),
        ("mailto:Joe@evil.example", K.EMAIL, "joe@evil.example"),
        ("D41D8CD98F00B204E9800998ECF8427E", K.MD5, "d41d8cd98f00b204e9800998ecf8427e"),
        ("ab" * 20, K.SHA1, "ab" * 20),
        ("ab" * 32, K.SHA256, "ab" * 32),
        ("ab" * 64, K.SHA512, "ab" * 64),
        ("t1" + "ab" * 35, K.TLSH, "T1" + "AB" * 35),
        ("96:aBc+/d:Ef", K.SSDEEP, "96:aBc+/d:Ef"),
        ("AS64512", K.ASN, "AS64512"),
        ("Invoice 7.pdf.exe", K.FILE_NAME, "Invoice 7.pdf.exe"),
        ("final dot version 2.pdf", K.FILE_NAME, "final dot version 2.pdf"),
        ("Global\\Mx0", K.MUTEX, "Global\\Mx0"),
        ("Mozilla/5.0 (X11; Linux)", K.USER_AGENT, "Mozilla/5.0 (X11; Linux)"),
    ],
)
def test_kind_is_told_when_a_person_pastes_a_value(pasted, kind, value):
    """Defanging, quotes and blanks are undone and the kind is recognised."""
    assert read_observable(pasted) == Observable(kind, value)


@pytest.mark.parametrize(
    "pasted",
    [
        "", "  ", "64512", "010.0.0.1", "127.1", "/path", "127.1:80", "0x7f.0.0.1/path", "evil.example:80:80",
        "evil.example:65536", "evil.example:443/path", "evil.exe:80", "evil.exe/path", "user@evil.example/path",
        "evil.example/@other.example", "localhost:80", "etc/passwd", "198.51.100.7/33", "fe80::1%eth0", "12:30",
        "two words", "localhost",
     "the host evil dot example", "C:\\Temp\\evil.exe", "=cmd|'/C calc'!A0", "evil.example\nother.example",
     "x" * 9000, "[]", "<>",
    ],
)  # fmt: skip
def test_pasted_text_is_refused_when_it_could_mean_several_things(pasted):
    """We ask instead of guessing."""
    with pytest.raises(Refusal) as caught:
        read_observable(pasted)
    assert caught.value.code is Code.INVALID_OBSERVABLE
    assert find_observable(pasted) is None


@settings(max_examples=800, deadline=None)
@given(hostile | hostile.map("hxxp://{}".format) | hostile.map("a[.]{}".format))
def test_reading_pasted_text_ends_in_a_canonical_value_or_a_refusal(pasted):
    """Nothing a person pastes makes us fail in another way."""
    found = find_observable(pasted)
    assert found is None or canonical(found.kind, found.value) == found
    if found is not None and found.kind in (K.IPV4, K.IPV6, K.CIDR, K.DOMAIN):
        assert read_observable(found.value) == found


@pytest.mark.parametrize(
    ("text", "kind"),
    [("EXAMPLE.org", K.DOMAIN), ("192.0.2.1", K.IPV4), ("::1", K.IPV6), ("192.0.2.0/24", K.CIDR), ("192.0.2.1/32", K.IPV4)],
)
def test_host_is_read_as_what_it_is_when_the_property_allows_several(text, kind):
    """Address, network and domain are told apart by the value, not by what it was called."""
    assert canonical_host(text).kind is kind


pieces = st.sampled_from([
    "a", "b9", "-", "_", ".", "..", "1", "0", "255", "256", "01", "0x1f", "\u00b2", "\u0661", "\u00c9", "xn--a", "A", "com",
    "x" * 63, "x" * 64, "/", "//", "/./", "/..", ":", "@", "?", "#", "%41", "%", "\\", "[", "::1", " ", "\n",
    "\u200b", "'", "*", "|", "~", "+", "{", "1.2.3.4",
])  # fmt: skip
hosts = st.one_of(
    st.lists(pieces, max_size=7).map("".join),
    st.lists(
        st.sampled_from(["0", "1", "9", "10", "99", "199", "249", "250", "255", "256", "01", "x", ""]), min_size=3, max_size=5
    ).map(".".join),
    st.builds("{}.example.{}".format, st.text("ab0-_.", max_size=260), st.sampled_from(["com", "1a", "7", "_x", "a" * 63])),
)
never = re.compile(r"(?!)")

# Spellings of one and the same host, which browsers and resolvers undo; and how people defang what they have.
RESPELLINGS: list[Callable[[str], str]] = [
    str.upper,
    str.title,
    "{}.".format,
    lambda host: host.replace(".", "\u3002"),
    lambda host: host.replace(".", "\uff0e"),
    lambda host: "".join(chr(ord(one) + 0xFEE0) if one.isalnum() and one.isascii() else one for one in host),
]
DEFANGED = [".", "[.]", "(dot)", "[.", " {DOT} "]
labels = st.text("abcxyzüж-0123456789", min_size=1, max_size=12).map(lambda label: f"a{label}z")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(labels, min_size=1, max_size=3),
    st.lists(st.sampled_from(RESPELLINGS), max_size=3, unique=True),
    st.sampled_from(DEFANGED),
    st.data(),
)
def test_spellings_stay_equal_when_they_are_combined(names, respellings, dot, data):
    """However a host and a URL are respelled, alone or twice over, they are the value they were."""
    host = ".".join([*names, "example"])
    spelled = host
    for respell in respellings:
        spelled = respell(spelled)
    spelled = spelled.replace(".", dot)
    assert read_observable(spelled) == read_observable(host)
    scheme, port = data.draw(
        st.sampled_from([("http", ":80"), ("HTTPS", ":443"), ("hxxp", ""), ("hXXps", ":"), ("http", ":0080")])
    )
    path = data.draw(st.sampled_from(["/a~b", "/%61%7Eb", "/./a~b", "/x/../a~b", "/x/%2e%2E/a%7eb", "\\a~b", "/a~b#top"]))
    user = data.draw(st.sampled_from(["", "@", ":@"]))
    plain = f"{'https' if scheme.lower().endswith('s') else 'http'}://{host}/a~b"
    assert read_observable(f"{scheme}://{user}{spelled}{port}{path}") == canonical(K.URL, plain)


def answer(read: Callable[[str], object], text: str) -> object:
    """What a reader says: the value, or that it refuses."""
    try:
        return read(text)
    except Refusal as refusal:
        return refusal.code, refusal.message


@settings(max_examples=1000)
@given(hosts, st.sampled_from(["", "http://", "https://", "ftp://", "HTTP://"]))
def test_short_way_says_what_the_long_way_says(host, scheme):
    """A host or URL that is taken as it stands is one that the full reading would give back as it stands."""
    short = answer(canonical_host, host), answer(read_url, scheme + host)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observable, "_CANONICAL_HOST", never)
        patch.setattr(url, "_CANONICAL", never)
        assert short == (answer(canonical_host, host), answer(read_url, scheme + host))


def test_short_way_is_taken_when_the_value_is_an_ordinary_one(monkeypatch):
    """Most values are in canonical form already, and are not taken apart to find that out."""
    monkeypatch.setattr(observable, "read_host_name", lambda _: pytest.fail("it was taken apart"))
    monkeypatch.setattr(url, "read_host_name", lambda _: pytest.fail("it was taken apart"))
    for value in ("login.bank.example", "198.51.100.7"):
        assert canonical_host(value).value == value
    assert read_url("https://a.example/b/c.php?d=e") == "https://a.example/b/c.php?d=e"


LISTS = Path(__file__).parents[3] / "shared" / "data" / "ioc-lists"


@pytest.mark.skipif(not LISTS.is_dir(), reason="the lists of real indicators are not beside this tree")
def test_lists_of_indicators_are_read_when_a_line_names_a_host():
    """Of real lists all that names a machine is read: 50,424 of 93,429 lines; nearly all of the rest are paths of no host."""
    lines = [
        line
        for path in sorted(LISTS.glob("*/*.txt")) if not path.name.startswith("LICENSE")
        for text in path.read_text(encoding="utf-8").splitlines() if (line := text.partition("#")[0].strip())
    ]  # fmt: skip
    named = [line for line in lines if not line.startswith("/")]
    unread = [line for line in named if find_observable(line) is None]
    assert len(named) > 50_000
    assert len(unread) <= 4, unread  # three on port 443 without a scheme, and a name that is too long for the DNS
