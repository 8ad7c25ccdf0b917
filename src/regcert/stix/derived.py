"""What a value stands in: the host of a URL, the domain that somebody registered, the network around an address.

Whoever rents one name under a domain, or one address of a network, is nobody's neighbour for it. So a suffix under which
anybody can have a name (the public suffix list, hosting and dynamic DNS included) is derived from nothing.
"""

from functools import cache, lru_cache
from ipaddress import ip_network

from publicsuffixlist import PublicSuffixList

from regcert.errors import Refusal
from regcert.stix.observable import Observable, ObservableKind, canonical_host

DERIVED_FROM = frozenset({ObservableKind.URL, ObservableKind.DOMAIN, ObservableKind.IPV4, ObservableKind.IPV6})
V4_PREFIX = 24  # the smallest network that is routed by itself
V6_PREFIX = 48  # what one site is given


@lru_cache(maxsize=1 << 14)
def find_parents(observable: Observable) -> tuple[Observable, ...]:
    """Find the values that a value stands in, the nearest first.

    A URL stands in its host and in all that its host stands in, a domain in the one that was registered, an address in its
    /24 or /48. None of them is public: not a suffix under which anybody can have a name.

    Args:
        observable: in canonical form.

    Returns:
        At most two; none for values that have no place, such as hashes.

    Spec: https://publicsuffix.org/list/, the algorithm
    """
    match observable.kind:
        case ObservableKind.URL:
            host = _find_host(observable.value)
            return () if host is None else (host, *find_parents(host))
        case ObservableKind.DOMAIN:
            registered = _suffixes().privatesuffix(observable.value)
            if registered is None or registered == observable.value:
                return ()
            return (Observable(ObservableKind.DOMAIN, registered),)
        case ObservableKind.IPV4:
            return (Observable(ObservableKind.CIDR, f"{observable.value.rpartition('.')[0]}.0/{V4_PREFIX}"),)
        case ObservableKind.IPV6:
            network = ip_network(f"{observable.value}/{V6_PREFIX}", strict=False)
            return (Observable(ObservableKind.CIDR, str(network)),)
        case _:
            return ()


def _find_host(url: str) -> Observable | None:
    authority = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    name = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    try:
        host = canonical_host(name)
    except Refusal:  # a URL may name a host that nobody else can reach
        return None
    is_public = host.kind is ObservableKind.DOMAIN and _suffixes().privatesuffix(host.value) is None
    return None if is_public else host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
