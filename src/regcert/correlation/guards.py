"""Guards: values that everybody meets, and that therefore never make an incident.

One index over all lists. Lists that speak about the same kinds share a layer; within a layer a question costs one
look-up for the value, one for each label of a name and one for each prefix length that occurs, however long the lists.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from regcert.correlation.guard_lists import GuardList, Match
from regcert.stix.observable import Observable, ObservableKind

# A network wider than this names a part of the internet, not somebody's machines: no registry hands one holder more
# than a v4 /8, and the widest v6 allocations made are about a /19.
SHORTEST_V4_PREFIX = 8
SHORTEST_V6_PREFIX = 19
TOO_WIDE = "The network is too wide to name anybody's machines."

_MAX_HOST_CHARS = 253  # RFC 1035 §2.3.4: a longer host is no name, and walking its labels would be work for nothing

_ADDRESS_BITS = {4: 32, 6: 128}

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class _Layer:
    """The lists that speak about the same kinds: from entry to reason, the first list that has it."""

    exact: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    networks: dict[tuple[int, int], dict[int, str]] = field(default_factory=dict)

    def add(self, guard_list: GuardList) -> None:
        """Add every entry of a list."""
        if guard_list.match is Match.CIDR:
            for entry in guard_list.entries:
                self._add_network(ipaddress.ip_network(entry, strict=False), guard_list.reason)
            return
        target = self.exact if guard_list.match is Match.EXACT else self.names
        for entry in guard_list.entries:
            target.setdefault(entry, guard_list.reason)

    def _add_network(self, network: _Network, reason: str) -> None:
        prefixes = self.networks.setdefault((network.version, network.prefixlen), {})
        prefixes.setdefault(_prefix(network, network.prefixlen), reason)

    def find(self, subject: "_Subject") -> str | None:
        """Find the reason for which one of the lists guards a value."""
        for entries, asked in ((self.exact, subject.texts), (self.names, subject.names)):
            for text in asked if entries else ():
                if text in entries:
                    return entries[text]
        around = self._find_around(subject.network) if subject.network else ()
        return next((reason for reason in around if reason is not None), None)

    def _find_around(self, network: _Network) -> Iterator[str | None]:
        for (version, length), prefixes in self.networks.items():
            if version == network.version and length <= network.prefixlen:
                yield prefixes.get(_prefix(network, length))


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a value is looked up by: itself and its host as text, its host with every name above it, its host as a network."""

    texts: tuple[str, ...]
    names: tuple[str, ...] = ()
    network: _Network | None = None


class Guards:
    """An index over guard lists.

    Args:
        lists: as read; where two hold the same entry for the same kinds, the earlier one gives the reason.
    """

    __slots__ = ("_layers",)

    def __init__(self, lists: Iterable[GuardList]) -> None:
        layers: dict[frozenset[ObservableKind], _Layer] = {}
        for guard_list in lists:
            layers.setdefault(guard_list.kinds, _Layer()).add(guard_list)
        self._layers = {
            kind: [layer for kinds, layer in layers.items() if kind in kinds]  # in the order of the lists
            for kind in ObservableKind
        }

    def find_reason(self, observable: Observable) -> str | None:
        """Find out why a value is benign.

        A url is judged by itself and by its host, by lists that speak about urls; an e-mail by itself and by its
        domain, by lists that speak about e-mail, and no list does so without saying it; a network by whether it lies
        within a guarded one.

        Args:
            observable: in canonical form.

        Returns:
            The reason, one sentence, or None where nothing guards it.
        """
        layers = self._layers[observable.kind]
        if not layers and observable.kind is not ObservableKind.CIDR:
            return None
        subject = _read_subject(observable)
        if observable.kind is ObservableKind.CIDR and _too_wide(subject.network):
            return TOO_WIDE
        answers = (layer.find(subject) for layer in layers)
        return next((reason for reason in answers if reason is not None), None)


def _read_subject(observable: Observable) -> _Subject:
    text = observable.value.lower()
    match observable.kind:
        case ObservableKind.IPV4 | ObservableKind.IPV6 | ObservableKind.CIDR:
            return _Subject((text,), network=_find_network(text))
        case ObservableKind.DOMAIN:
            return _Subject((text,), _list_names(text))
        case ObservableKind.EMAIL:
            domain = text.rpartition("@")[2]
            return _Subject((text, domain), _list_names(domain))
        case ObservableKind.URL:
            host = _find_host(text)
            return _Subject((text, host), _list_names(host), _find_network(host)) if host else _Subject((text,))
        case _:
            return _Subject((text,))


def _find_host(url: str) -> str | None:
    # What browsers and urlsplit read differently is judged by nothing but itself: given
    # `https://evil.example\@google.com/` the browser goes to evil.example and urlsplit says google.com.
    if "\\" in url or not url.isprintable():
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host.rstrip(".") if host else None


def _find_network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _too_wide(network: _Network | None) -> bool:
    if network is None:
        return False
    return network.prefixlen < (SHORTEST_V4_PREFIX if network.version == 4 else SHORTEST_V6_PREFIX)


def _prefix(network: _Network, length: int) -> int:
    return int(network.network_address) >> (_ADDRESS_BITS[network.version] - length)


def _list_names(name: str) -> tuple[str, ...]:
    """List a name and every name above it, the longest first."""
    if len(name) > _MAX_HOST_CHARS:
        return ()
    names = [name]
    while "." in name:
        name = name.partition(".")[2]
        names.append(name)
    return tuple(names)
