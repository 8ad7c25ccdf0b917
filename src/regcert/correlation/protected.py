"""Protected assets: the networks and domains that a team calls its own, which nobody should be told to block.

A list guards within the scopes that its team takes part in, and nowhere else. Whose asset a value is, is not said to others.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from regcert.correlation.guard_lists import GuardList, Match
from regcert.correlation.guards import SHORTEST_V4_PREFIX, SHORTEST_V6_PREFIX, Guards
from regcert.errors import Code, Refusal
from regcert.stix.observable import Observable, ObservableKind, canonical_host, read_observable

MOST_ENTRIES = 1_000
MOST_ENTRY_CHARS = 300
REASON = "It is a protected asset of a team."

_NETWORKS = frozenset({ObservableKind.IPV4, ObservableKind.IPV6, ObservableKind.CIDR})
_ON_NETWORKS = _NETWORKS | {ObservableKind.URL}
_ON_DOMAINS = frozenset({ObservableKind.DOMAIN, ObservableKind.URL, ObservableKind.EMAIL})


def read_protected(entries: Sequence[object]) -> tuple[str, ...]:
    """Read what a team wants to protect.

    Args:
        entries: networks, addresses and domains as people write them; a domain stands for all names below it.

    Returns:
        Each once, in canonical form and order.

    Raises:
        Refusal: INVALID_PROTECTED, naming the entry at fault by its number.
    """
    if len(entries) > MOST_ENTRIES:
        raise _refuse(f"a list holds at most {MOST_ENTRIES} entries; name networks and domains, not each machine")
    return tuple(sorted({_read_entry(entry, number) for number, entry in enumerate(entries, 1)}))


def _read_entry(entry: object, number: int) -> str:
    if not isinstance(entry, str) or not 0 < len(entry) <= MOST_ENTRY_CHARS:
        raise _refuse(f"entry {number} must be a network, an address or a domain, as text")
    try:
        found = read_observable(entry)
    except Refusal as refusal:
        raise _refuse(f"entry {number} is neither a network nor an address nor a domain") from refusal
    if found.kind in _NETWORKS:
        network = ipaddress.ip_network(found.value, strict=False)
        if network.prefixlen < (SHORTEST_V4_PREFIX if network.version == 4 else SHORTEST_V6_PREFIX):
            raise _refuse(f"entry {number} is wider than any one holder's network; name the networks that are yours")
    elif found.kind is not ObservableKind.DOMAIN or "." not in found.value:
        raise _refuse(f"entry {number} is no domain that one team can own; name the domains that are yours")
    return found.value


@lru_cache(maxsize=64)
def guard_protected(lists: tuple[bytes, ...]) -> Guards:
    """Index protected assets; what was indexed before is remembered, because lists change rarely and are asked all the time.

    Args:
        lists: of some teams, each a JSON array of entries that `read_protected` gave.
    """
    entries = [entry for each in lists for entry in msgspec.json.decode(each, type=tuple[str, ...])]
    return guard_entries(entries)


def guard_entries(entries: Iterable[str]) -> Guards:
    """Index entries that `read_protected` gave."""
    networks: list[str] = []
    domains: list[str] = []
    for entry in entries:
        (domains if canonical_host(entry).kind is ObservableKind.DOMAIN else networks).append(entry)
    parts = ((Match.CIDR, _ON_NETWORKS, networks), (Match.DOMAIN_SUFFIX, _ON_DOMAINS, domains))
    return Guards(GuardList("protected", REASON, match, kinds, tuple(found)) for match, kinds, found in parts)


def covers(entries: Iterable[str], observable: Observable) -> bool:
    """Tell whether a value lies within what a team protects."""
    return guard_entries(entries).find_reason(observable) is not None


def _refuse(sentence: str) -> Refusal:
    return Refusal(Code.INVALID_PROTECTED, sentence)
