"""How a TAXII resource leaves: with its tag, not at all where the client has it, and coded where the client asks for that.

Spec: RFC 9110 §8.8.3 (ETag), §13.1.2 (If-None-Match), §15.4.5 (304), RFC 9111 §5.2 (Cache-Control)
"""

import asyncio
import hashlib
import re

from aiohttp import web

from regcert.taxii.resources import MEDIA_TYPE
from regcert.web import coding
from regcert.web.asking import services_of

# A client may keep an answer, no cache on the way may, and whoever kept one asks before it is used again.
_CACHED = "private, no-cache"
_VARY = "Accept, Accept-Encoding, Authorization"
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]{1,128})"')
_MOST_TAGS = 50


def read_tags(request: web.Request) -> frozenset[str]:
    """Read the tags of the answers that a client has, whatever they were coded with."""
    found = _TAG.findall(",".join(request.headers.getall("If-None-Match", ()))[:8192])
    return frozenset(tag.partition("-")[0] for tag in found[:_MOST_TAGS])


async def reply(request: web.Request, body: bytes, tag: str = "", headers: dict[str, str] | None = None) -> web.Response:
    """Answer a GET with a resource.

    Args:
        request: what is answered.
        body: the resource, rendered; empty where the client is known to have it.
        tag: names it; left out, it is named by its bytes.
        headers: that go with this resource.
    """
    tag = tag or hashlib.blake2b(body, digest_size=12).hexdigest()
    sent = {"Cache-Control": _CACHED, "Vary": _VARY}
    chosen = coding.choose_coding(request.headers.get("Accept-Encoding", "")) if len(body) >= coding.LEAST_BYTES else None
    # Two codings are two representations: a strong tag is of the bytes.
    sent["ETag"] = f'"{tag}-{chosen}"' if chosen else f'"{tag}"'
    if not body or tag in read_tags(request):
        return web.Response(status=304, headers=sent)
    sent["Content-Type"] = MEDIA_TYPE
    if chosen:
        sent["Content-Encoding"] = chosen
        body = await _coded(request, body, chosen, tag)
    return web.Response(body=body, headers=sent | (headers or {}))


async def _coded(request: web.Request, body: bytes, chosen: str, tag: str) -> bytes:
    """Code a body once for all who ask for the same."""
    memory = services_of(request).database.memory
    coded: bytes | None = memory.find((tag, chosen), 0)
    if coded is None:
        coded = await asyncio.to_thread(coding.encode, body, chosen)
        memory.keep((tag, chosen), 0, coded, len(coded))
    return coded
