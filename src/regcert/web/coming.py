"""Where a request comes from: its address and its client certificate, as far as somebody we trust says so.

What a client writes about itself is worth nothing. `X-Forwarded-For` and the certificate header are read only where the
connection itself comes from a proxy that the operator named in `trusted_proxies`, and of the list only what stands behind the
last address that no such proxy has: everything before it, the client may have written.
"""

from dataclasses import dataclass

from aiohttp import web

from regcert.domain.whence import Whence
from regcert.identity.certificates import find_certificate, fingerprint_of
from regcert.identity.networks import is_within, read_address

_MOST_HOPS = 16


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom this host believes about where a request comes from.

    Args:
        proxies: networks of the proxies in front of it, as `identity/networks` writes them.
        certificate_header: the header in which they name the client's certificate; empty for none.
    """

    proxies: tuple[str, ...] = ()
    certificate_header: str = ""


def whence_of(request: web.Request, trust: Trust) -> Whence:
    """Find out where a request comes from."""
    peer = read_address(request.remote)
    if not trust.proxies or not is_within(peer, trust.proxies):
        return Whence(peer, _peer_certificate(request))
    return Whence(_forwarded_for(request, trust), _told_certificate(request, trust))


def _forwarded_for(request: web.Request, trust: Trust) -> str | None:
    """Walk the list from its end: each trusted proxy has added the address that it was asked from."""
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for hop in reversed(hops[-_MOST_HOPS:]):
        address = read_address(hop)
        if address is None or not is_within(address, trust.proxies):
            return address  # None where a proxy writes what is no address: then nothing is known
    return None


def _told_certificate(request: web.Request, trust: Trust) -> str | None:
    told = request.headers.getall(trust.certificate_header, []) if trust.certificate_header else []
    # Two of them: one is the client's own, and nobody can say which.
    return find_certificate(told[0]) if len(told) == 1 else None


def _peer_certificate(request: web.Request) -> str | None:
    """Name the certificate of the connection itself; TLS has verified it against `tls_client_ca`, or there is none."""
    tls = request.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    return fingerprint_of(der) if der else None
