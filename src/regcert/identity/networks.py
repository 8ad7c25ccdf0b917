"""Where somebody asks from: addresses and networks, as a token may be held to them.

An IPv4 address that comes mapped into IPv6 is the IPv4 address: a socket that listens on both shows it so, and a token must
not fail, or succeed, by how the host listens.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from regcert.errors import Code, Refusal

Network: TypeAlias = IPv4Network | IPv6Network

MOST_NETWORKS = 64
_MOST_CHARACTERS = 64
_MAPPED = IPv6Network("::ffff:0:0/96")


def read_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Read networks as people write them, and return them as they are kept: in one spelling each, none twice.

    Args:
        texts: CIDR networks, or single addresses; at most 64.

    Raises:
        Refusal: MALFORMED_REQUEST.
    """
    networks = tuple(dict.fromkeys(str(_read_network(text)) for text in texts))
    if len(networks) > MOST_NETWORKS:
        raise Refusal(Code.MALFORMED_REQUEST, f"name at most {MOST_NETWORKS} networks, or fewer and larger ones")
    return networks


def _read_network(text: str) -> Network:
    try:
        # A zone, behind a '%', is a name on one machine and says nothing here.
        network = ip_network(text.strip()[:_MOST_CHARACTERS].replace("%", "/"))
    except ValueError as error:  # also of bits behind the mask: 192.0.2.7/24 may mean either
        raise Refusal(
            Code.MALFORMED_REQUEST, "a network is written as 192.0.2.0/24 or 2001:db8::/32, with no bits behind its mask"
        ) from error
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return IPv4Network((int(mapped or 0), network.prefixlen - 96))
    return network


def read_address(text: str | None) -> str | None:
    """Read an address in one spelling, the IPv4 address where it is mapped; None for anything else."""
    return _spelt((text or "").strip()[:_MOST_CHARACTERS])


@lru_cache(maxsize=4096)
def _spelt(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)


def is_within(address: str | None, networks: Iterable[str]) -> bool:
    """Tell whether an address, as `read_address` gave it, stands in one of some networks; one that is not known does not."""
    if address is None:
        return False
    known = _known(address)
    return any(known.version == network.version and known in network for network in map(_kept, networks))


def holder_of(address: str | None) -> str:
    """Name who is behind an address, to count what they try: of IPv6 one site has 2^64 addresses, and is one."""
    if address is None:
        return ""
    known = _known(address)
    return address if known.version == 4 else str(ip_network((int(known) >> 64 << 64, 64)))


@lru_cache(maxsize=4096)
def _kept(text: str) -> Network:
    return ip_network(text)


@lru_cache(maxsize=4096)
def _known(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text)
