"""The first steps of every machine's request: who is asking, and the body within its bound."""

from aiohttp import web

from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import authenticate
from regcert.web.services import SERVICES, Services


def services_of(request: web.Request) -> Services:
    """Return the parts of the host that this request came to."""
    return request.app[SERVICES]


async def principal_of(request: web.Request) -> Principal:
    """Find out who is asking.

    Raises:
        Refusal: UNAUTHENTICATED; two Authorization headers are as good as none.
    """
    services = services_of(request)
    headers = request.headers.getall("Authorization", [])
    return await authenticate(services.database, services.clock, headers[0] if len(headers) == 1 else None)


async def read_body(request: web.Request, most_bytes: int) -> bytes:
    """Read a body of at most so many bytes, whatever its headers claim.

    Raises:
        Refusal: TOO_LARGE, naming the limit; UNSUPPORTED_MEDIA_TYPE for a coded body.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the body without Content-Encoding")
    too_large = Refusal(Code.TOO_LARGE, f"the body is larger than {most_bytes} bytes; split it into several")
    if (request.content_length or 0) > most_bytes:
        raise too_large
    parts: list[bytes] = []
    size = 0
    # Counted as it comes: a chunked body claims no length, and a claim is only a claim.
    async for part in request.content.iter_chunked(1 << 18):
        size += len(part)
        if size > most_bytes:
            raise too_large
        parts.append(part)
    return b"".join(parts)
