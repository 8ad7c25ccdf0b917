"""Objects: reading them, posting them, one of them, its versions, the manifest, deleting.

Spec: TAXII 2.1 §5.3 to §5.8
"""

import asyncio
from contextlib import nullcontext

from aiohttp import web

from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.flows.publish import publish
from regcert.flows.retrieve import Answer, Question, Shape, get_collection, retrieve
from regcert.flows.withdraw import withdraw
from regcert.policy.permissions import Permission, require
from regcert.stix.timestamps import write_timestamp
from regcert.taxii.filters import read_query
from regcert.web.asking import principal_of, read_body, services_of
from regcert.web.taxii.discovery import require_root
from regcert.web.taxii.media import require_acceptable, require_envelope, taxii_response

# Bodies beyond this are read one at a time: their objects take several times their size while they are looked at.
LARGE_BYTES = 8 * 1024 * 1024
LARGE: web.AppKey[asyncio.Semaphore] = web.AppKey("large", asyncio.Semaphore)


async def get_objects(request: web.Request) -> web.Response:
    """Answer a page of a collection, or of one object's versions."""
    return await _get(request, Shape.OBJECTS)


async def get_manifest(request: web.Request) -> web.Response:
    """Answer a page of a collection's manifest."""
    return await _get(request, Shape.MANIFEST)


async def get_versions(request: web.Request) -> web.Response:
    """Answer the versions of one object."""
    return await _get(request, Shape.VERSIONS)


async def post_objects(request: web.Request) -> web.Response:
    """Take an envelope; the answer leaves when what it reports is on disk."""
    require_acceptable(request)
    principal = await principal_of(request)
    root = require_root(request)
    services = services_of(request)
    collection, _, can_write = await get_collection(services.database, principal, root, request.match_info["collection"])
    require(principal, Permission.PUBLISH)
    if not can_write:
        raise Refusal(Code.FORBIDDEN, "your team may read this collection but not write to it")
    require_envelope(request)
    is_large = (request.content_length or LARGE_BYTES + 1) > LARGE_BYTES
    async with request.app[LARGE] if is_large else nullcontext():
        body = await read_body(request, services.max_content_bytes)
        received = Received(principal, collection, body, services.clock.now_us())
        receipt = await publish(services.database, services.schemas, received)
    if receipt.stored:
        services.wake()
    return taxii_response(receipt.status, status=202)


async def delete_object(request: web.Request) -> web.Response:
    """Delete one object, or the versions of it that the query names."""
    require_acceptable(request)
    services = services_of(request)
    await withdraw(services.database, services.clock, await _question(request, Shape.OBJECTS))
    services.wake()
    return taxii_response(b"{}")


async def _get(request: web.Request, shape: Shape) -> web.Response:
    require_acceptable(request)
    question = await _question(request, shape)
    services = services_of(request)
    return _answered(await retrieve(services.database, services.cursor_key, question))


async def _question(request: web.Request, shape: Shape) -> Question:
    principal = await principal_of(request)
    root = require_root(request)
    filters, page = read_query(list(request.query.items()))
    return Question(principal, root, request.match_info["collection"], shape, filters, page, request.match_info.get("object"))


def _answered(answer: Answer) -> web.Response:
    response = taxii_response(answer.body)
    if answer.first_us is not None and answer.last_us is not None:
        response.headers["X-TAXII-Date-Added-First"] = write_timestamp(answer.first_us)
        response.headers["X-TAXII-Date-Added-Last"] = write_timestamp(answer.last_us)
    return response
