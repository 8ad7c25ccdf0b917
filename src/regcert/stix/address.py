"""IP addresses and networks in one spelling.

`010.0.0.1` is 8.0.0.1 to a browser and 10.0.0.1 to many a tool: standing alone it is refused, because a firewall rule made
from the wrong reading blocks a stranger. Inside a URL a browser decides, and so do we (`find_browser_ipv4`).
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from regcert.errors import Code, Refusal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NETWORK = re.compile(r"([0-9A-Fa-f:.]{2,45})/([0-9]{1,3})")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE | re.ASCII)
_MAPPED_BITS = 96  # ::ffff:0:0/96 holds all of IPv4


def read_address(text: str) -> Address:
    """Read an address; an IPv4-mapped IPv6 address is the IPv4 address it stands for.

    Args:
        text: dotted decimal without leading zeros, or any spelling of RFC 4291 without a zone.

    Raises:
        Refusal: INVALID_OBSERVABLE.

    Spec: RFC 4291 §2.2, RFC 5952
    """
    try:
        if ":" not in text:
            return IPv4Address(text)
        address = IPv6Address(text)
    except ValueError as error:
        raise Refusal(
            Code.INVALID_OBSERVABLE,
            "not an IP address: write IPv4 as four decimal numbers from 0 to 255 without leading zeros",
        ) from error
    if address.scope_id is not None:
        raise Refusal(
            Code.INVALID_OBSERVABLE, "an address with a zone (%) means something on one machine only: leave the zone away"
        )
    return address.ipv4_mapped or address


def read_network(text: str) -> Network:
    """Read a network in CIDR notation; bits beyond the prefix are cleared.

    Args:
        text: address, slash, prefix length; masks such as 255.0.0.0 are refused.

    Raises:
        Refusal: INVALID_OBSERVABLE.

    Spec: RFC 4632 §3.1
    """
    match = _NETWORK.fullmatch(text)
    try:
        if match is None:
            raise ValueError  # noqa: TRY301 - ipaddress raises the same below
        network = ip_network(f"{match[1]}/{int(match[2])}", strict=False)
    except ValueError as error:
        raise Refusal(
            Code.INVALID_OBSERVABLE, "not a network: write an address, a slash and the prefix length, as in 192.0.2.0/24"
        ) from error
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def ends_in_number(host: str) -> bool:
    """Tell whether the last label is a number, so that a browser would read the host as IPv4 or not at all."""
    last = host.rpartition(".")[2]
    return last[:1].isdigit() and _NUMBER.fullmatch(last) is not None


def find_browser_ipv4(host: str) -> IPv4Address | None:
    """Read a URL's host as a browser does: octal, hexadecimal, fewer than four parts.

    Args:
        host: lower-case ASCII, at most 253 characters, without a trailing dot.

    Returns:
        The address, or None where the host does not end in a number and is a name.

    Raises:
        Refusal: INVALID_OBSERVABLE where it ends in a number and is no address.

    Spec: WHATWG URL §3.5 (IPv4 parser)
    """
    if not ends_in_number(host):
        return None
    try:
        *high, low = [_browser_number(part) for part in host.split(".")]
        if len(high) > 3 or any(part > 255 for part in high) or low >= 256 ** (4 - len(high)):
            raise ValueError  # noqa: TRY301 - one answer for all of them
    except ValueError as error:
        raise Refusal(Code.INVALID_OBSERVABLE, "the host ends in a number but is not an IPv4 address") from error
    return IPv4Address(low + sum(part << (24 - 8 * at) for at, part in enumerate(high)))


def _browser_number(part: str) -> int:
    if _NUMBER.fullmatch(part) is None:
        raise ValueError  # int() alone would take signs and underscores
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part[0] == "0" else 10)
