"""The first steps of every machine's request: who is asking, and the body within its bound."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import Caller, authenticate
from regcert.web.coding import Inflater
from regcert.web.coming import whence_of
from regcert.web.services import SERVICES, Services

PIECE_BYTES = 1 << 18


def services_of(request: web.Request) -> Services:
    """Return the parts of the host that this request came to."""
    return request.app[SERVICES]


async def caller_of(request: web.Request) -> Caller:
    """Find out who is asking, and how far the host has come since they did.

    Raises:
        Refusal: UNAUTHENTICATED; two Authorization headers are as good as none.
    """
    services = services_of(request)
    headers = request.headers.getall("Authorization", [])
    header = headers[0] if len(headers) == 1 else None
    caller = await authenticate(services.database, services.clock, header, whence_of(request, services.trust))
    services.note_use(caller.principal.token_id)
    return caller


async def principal_of(request: web.Request) -> Principal:
    """Find out who is asking.

    Raises:
        Refusal: UNAUTHENTICATED.
    """
    return (await caller_of(request)).principal


async def read_body(request: web.Request, most_bytes: int) -> bytes:
    """Read a body of at most so many bytes, whatever its headers claim.

    Raises:
        Refusal: TOO_LARGE, naming the limit; UNSUPPORTED_MEDIA_TYPE for a coding other than gzip; MALFORMED_REQUEST.
    """
    return b"".join([piece async for piece in read_pieces(request, most_bytes)])


async def read_pieces(request: web.Request, most_bytes: int) -> AsyncIterator[bytes]:
    """Read a body piece by piece, unpacked where it is packed.

    Args:
        request: whose body.
        most_bytes: of the body as it comes, and of what it unpacks to.

    Raises:
        Refusal: as `read_body`.
    """
    coding = ",".join(request.headers.getall("Content-Encoding", ["identity"])).strip().lower().removeprefix("x-")
    if coding not in {"identity", "gzip"}:
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the body as it is, or with Content-Encoding: gzip, once")
    inflater = Inflater(most_bytes) if coding == "gzip" else None
    too_large = Refusal(Code.TOO_LARGE, f"the body is larger than {most_bytes} bytes; split it into several")
    if (request.content_length or 0) > most_bytes:
        raise too_large
    size = 0
    # Counted as it comes: a chunked body claims no length, and a claim is only a claim.
    async for piece in request.content.iter_chunked(PIECE_BYTES):
        size += len(piece)
        if size > most_bytes:
            raise too_large
        yield piece if inflater is None else await asyncio.to_thread(inflater.feed, piece)
    if inflater is not None:
        inflater.finish()
