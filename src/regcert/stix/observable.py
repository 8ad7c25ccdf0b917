"""Observables: one atomic value in canonical form.

Two values are the same observable exactly when their canonical texts are equal, so equality is an equivalence relation by
construction; canonical text is its own canonical text.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial

import msgspec

from regcert.errors import Code, Refusal
from regcert.stix.address import Address, ends_in_number, read_address, read_network
from regcert.stix.digest import read_hex_digest, read_ssdeep, read_tlsh
from regcert.stix.free_text import read_email, read_file_name, read_free_text
from regcert.stix.host_name import MAX_NAME_CHARACTERS, read_host_name
from regcert.stix.refang import refang
from regcert.stix.url import MAX_URL_CHARACTERS, read_url


class ObservableKind(StrEnum):
    """What kind of value an observable is."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    CIDR = "cidr"
    DOMAIN = "domain"
    URL = "url"
    EMAIL = "email"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"
    SSDEEP = "ssdeep"
    TLSH = "tlsh"
    FILE_NAME = "file-name"
    MUTEX = "mutex"
    USER_AGENT = "user-agent"
    ASN = "asn"

    __hash__ = str.__hash__  # a kind equals its text; and it is hashed with every value


class Observable(msgspec.Struct, frozen=True, order=True, gc=False):
    """One atomic value; made only by this module, so that equal values are equal objects.

    Args:
        kind: what it is.
        value: its canonical text.
    """

    kind: ObservableKind
    value: str


# What is in canonical form already, and then is what it looks like: most of what machines send.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CANONICAL_HOST = re.compile(rf"((?:{_OCTET}\.){{3}}{_OCTET})|(?:[a-z0-9_-]{{1,63}}\.)++[a-z_-][a-z0-9_-]{{0,62}}")
_ASN = re.compile(r"(?:AS[ ]?)?([0-9]{1,10})", re.IGNORECASE | re.ASCII)
_MAX_ASN = 2**32 - 1
_MAX_PORT = 2**16 - 1

_TEXT_READERS: Mapping[ObservableKind, Callable[[str], str]] = {
    ObservableKind.URL: read_url,
    ObservableKind.EMAIL: read_email,
    ObservableKind.MD5: partial(read_hex_digest, characters=32),
    ObservableKind.SHA1: partial(read_hex_digest, characters=40),
    ObservableKind.SHA256: partial(read_hex_digest, characters=64),
    ObservableKind.SHA512: partial(read_hex_digest, characters=128),
    ObservableKind.SSDEEP: read_ssdeep,
    ObservableKind.TLSH: read_tlsh,
    ObservableKind.FILE_NAME: read_file_name,
    ObservableKind.MUTEX: read_free_text,
    ObservableKind.USER_AGENT: read_free_text,
}


def canonical(kind: ObservableKind, value: str) -> Observable:
    """Read a value of a known kind into its canonical form.

    The kind of the answer is what the value is: an IPv4-mapped IPv6 address is IPV4, a network of one address is that
    address. Nothing is refanged here: what a machine sent is taken at its word.

    Args:
        kind: what it is said to be.
        value: the text, within the bounds of its kind (URL 8192 characters, names 1024).

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    read = _TEXT_READERS.get(kind)
    if read is not None:
        return Observable(kind, read(value))
    if kind is ObservableKind.DOMAIN:
        return _domain(read_host_name(value))
    if kind is ObservableKind.ASN:
        return _autonomous_system(value)
    if kind is ObservableKind.CIDR and "/" in value:
        return _network(value)
    if kind is ObservableKind.IPV6 and ":" not in value:
        raise Refusal(Code.INVALID_OBSERVABLE, "not an IPv6 address")
    observable = _of_address(read_address(value))
    if kind is ObservableKind.IPV4 and observable.kind is not kind:
        raise Refusal(Code.INVALID_OBSERVABLE, "not an IPv4 address")
    return observable


def canonical_host(value: str) -> Observable:
    """Read what names a machine: an address, a network or a domain.

    Raises:
        Refusal: INVALID_OBSERVABLE.
    """
    plain = _CANONICAL_HOST.fullmatch(value) if len(value) <= MAX_NAME_CHARACTERS else None
    if plain is not None:
        return Observable(ObservableKind.IPV4 if plain[1] else ObservableKind.DOMAIN, value)
    if "/" in value:
        return _network(value)
    if ":" in value:
        return _of_address(read_address(value))
    name = read_host_name(value)
    return _of_address(read_address(name)) if ends_in_number(name) else _domain(name)


def _domain(name: str) -> Observable:
    if ends_in_number(name):
        raise Refusal(Code.INVALID_OBSERVABLE, "a name that ends in a number is an address, not a domain")
    if "." not in name:
        raise Refusal(Code.INVALID_OBSERVABLE, "a domain has at least one dot")
    return Observable(ObservableKind.DOMAIN, name)


def _of_address(address: Address) -> Observable:
    kind = ObservableKind.IPV4 if address.version == 4 else ObservableKind.IPV6
    return Observable(kind, str(address))


def _network(value: str) -> Observable:
    network = read_network(value)
    if network.prefixlen == network.max_prefixlen:
        return _of_address(read_address(str(network.network_address)))
    return Observable(ObservableKind.CIDR, str(network))


def _autonomous_system(value: str) -> Observable:
    match = _ASN.fullmatch(value)
    if match is None or int(match[1]) > _MAX_ASN:
        raise Refusal(Code.INVALID_OBSERVABLE, "not an autonomous system: AS and a number up to 4294967295")
    return Observable(ObservableKind.ASN, f"AS{int(match[1])}")


# Only suffixes that no top-level domain bears: `.zip`, `.com`, `.sh` and `.app` stay domains.
_FILE_SUFFIXES = (
    "exe|dll|sys|scr|pif|bat|cmd|ps1|vbs|vbe|jse?|wsf|hta|lnk|msi|jar|apk|elf|bin|dat|tmp|iso|img|rar|7z"
    "|docx?|docm|xlsx?|xlsm|pptx?|rtf|pdf|txt|xml|html?|php|aspx?|jsp"
)

_FILE_NAME = rf"[^\\/:@]+\.(?:{_FILE_SUFFIXES})"
_NETWORK = r"[0-9a-f:.]+/[0-9]{1,3}"

# The first shape that fits decides. Bare digits fit nothing: they could be a port, an ASN or an address.
_SHAPES: tuple[tuple[re.Pattern[str], ObservableKind], ...] = tuple(
    (re.compile(shape, re.IGNORECASE | re.DOTALL), kind)
    for shape, kind in (
        (r"[a-z][a-z0-9+.-]*:[\\/]{2}.+", ObservableKind.URL),
        (r"[0-9a-f]{32}", ObservableKind.MD5),
        (r"[0-9a-f]{40}", ObservableKind.SHA1),
        (r"[0-9a-f]{64}", ObservableKind.SHA256),
        (r"[0-9a-f]{128}", ObservableKind.SHA512),
        (r"(?:T1)?[0-9a-f]{70}", ObservableKind.TLSH),
        (r"[0-9]+:[a-z0-9+/]{3,}:[a-z0-9+/]+", ObservableKind.SSDEEP),
        (r"AS ?[0-9]+", ObservableKind.ASN),
        (r"[^@\s/]+@[^@\s/]+", ObservableKind.EMAIL),
        (r"(?:Global|Local)\\[^\\]+", ObservableKind.MUTEX),
        (r"(?:Mozilla|Opera|curl|Wget)/[0-9].*", ObservableKind.USER_AGENT),
        (_NETWORK, ObservableKind.CIDR),
        (_FILE_NAME, ObservableKind.FILE_NAME),
    )
)


def read_observable(text: str) -> Observable:
    """Read what a person pasted, defanged or not, and tell what kind of value it is.

    Args:
        text: one value, at most 8192 characters, with or without quotes and blanks around it.

    Raises:
        Refusal: INVALID_OBSERVABLE, also where the value could be of several kinds.
    """
    if len(text) > MAX_URL_CHARACTERS:
        raise Refusal(Code.INVALID_OBSERVABLE, "the value is longer than 8192 characters: paste one value at a time")
    value = refang(text)
    if value[:7].lower() == "mailto:":
        value = value[7:]
    for shape, kind in _SHAPES:
        if shape.fullmatch(value):
            return canonical(kind, value)
    return _read_host(value)


def _read_host(value: str) -> Observable:
    if not value:
        raise Refusal(Code.INVALID_OBSERVABLE, "there is no value: paste one value at a time")
    if value[0] == "/" or "\\" in value:
        raise Refusal(Code.INVALID_OBSERVABLE, "a web address begins with its host or scheme; for a path say that it is a file")
    if any(blank in value for blank in " \t\r\n"):
        raise Refusal(Code.INVALID_OBSERVABLE, "this is more than one word: paste one value, or say of which kind it is")
    return read_web_address(value[1:-1] if value[0] == "[" and value[-1] == "]" else value)


_BARE = re.compile(r"(\[[^\[\]]*\]|[^\[\]:/\\?#@]+)(?::([0-9]{1,5}))?(/[^\\]*)?")
_PLAIN_NETWORK = re.compile(_NETWORK, re.IGNORECASE)
_MAIL = re.compile(r"[^@]*@[^@/]+\.[^@/]+")


def read_web_address(value: str) -> Observable:
    """Read a URL, or what lists and producers write for one: a host, with its port or with a path behind it.

    `198.51.100.7:8080` is the machine, as it is where STIX names address and port apart. A path without a scheme is one of
    `http`, as for every client that is not told otherwise; behind port 443 it hardly is, so there the scheme is asked for.

    Raises:
        Refusal: INVALID_OBSERVABLE, also for what may be a mail address or a file.
    """
    if "://" in value:
        return canonical(ObservableKind.URL, value)
    bare = _BARE.fullmatch(value)
    if bare is None or _PLAIN_NETWORK.fullmatch(value):
        return canonical_host(value)
    host, port, path = bare.groups()
    machine = canonical_host(host.strip("[]"))
    if port is None and path is None:
        return machine
    if re.fullmatch(_FILE_NAME, host, re.IGNORECASE) or int(port or 0) > _MAX_PORT:
        raise Refusal(Code.INVALID_OBSERVABLE, "this is not a host with its port or path")
    if path is None:
        return machine
    if port == "443" or _MAIL.fullmatch(path):
        raise Refusal(Code.INVALID_OBSERVABLE, "this could mean several things: write the scheme, as in https://example.org/path")
    return canonical(ObservableKind.URL, f"http://{value}")


def find_observable(text: str) -> Observable | None:
    """Read what a person pasted, or None where `read_observable` refuses."""
    try:
        return read_observable(text)
    except Refusal:
        return None
