"""Objects: reading them, posting them, one of them, its versions, the manifest, deleting.

Spec: TAXII 2.1 §5.3 to §5.8
"""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import lru_cache

from aiohttp import web
from yarl import URL

from regcert.domain.submission import Received
from regcert.errors import Code, Refusal
from regcert.flows.authenticate import Caller
from regcert.flows.publish import Receipt
from regcert.flows.retrieve import Answer, Question, Shape, get_collection, retrieve
from regcert.flows.spool import spool
from regcert.flows.withdraw import withdraw
from regcert.policy.permissions import Permission, require
from regcert.stix.timestamps import write_timestamp
from regcert.taxii.filters import PAGE_OBJECTS, Filters, Page, read_query
from regcert.web.asking import caller_of, read_pieces, services_of
from regcert.web.room import Room
from regcert.web.taxii.discovery import root_of
from regcert.web.taxii.media import require_acceptable, require_envelope, taxii_response
from regcert.web.taxii.reply import read_tags, reply
from regcert.web.taxii.waiting import STEP_S, read_wait_s

# A body beyond this is kept and looked at later: its sender would wait for seconds, and its objects fill the memory.
LARGE_BYTES = 8 * 1024 * 1024
ROOM_BYTES = 4 * LARGE_BYTES
ROOM: web.AppKey[Room] = web.AppKey("room", Room)


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
    caller = await caller_of(request)
    root = root_of(request)
    services = services_of(request)
    collection, _, can_write = await get_collection(services.database, caller, root, request.match_info["collection"])
    require(caller.principal, Permission.PUBLISH)
    if not can_write:
        raise Refusal(Code.FORBIDDEN, "your team may read this collection but not write to it")
    require_envelope(request)
    async with request.app[ROOM].take(min(request.content_length or LARGE_BYTES, LARGE_BYTES)):
        receipt = await _take(request, Received(caller.principal, collection, b"", services.clock.now_us()))
    if receipt.stored:
        services.wake()
    return taxii_response(receipt.status, status=202)


async def _take(request: web.Request, received: Received) -> Receipt:
    """Publish a body at once, or keep it for later where it is too large for that."""
    services = services_of(request)
    pieces = read_pieces(request, services.max_content_bytes)
    first: list[bytes] = []
    size = 0
    async for piece in pieces:
        first.append(piece)
        size += len(piece)
        if size > LARGE_BYTES:
            return await spool(services.database, received, _chain(first, pieces))
    return await services.publish(replace(received, body=b"".join(first)))


async def _chain(first: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while first:
        yield first.pop(0)  # and let go of it
    async for piece in rest:
        yield piece


async def delete_object(request: web.Request) -> web.Response:
    """Delete one object, or the versions of it that the query names."""
    require_acceptable(request)
    services = services_of(request)
    question = _question(request, await caller_of(request), Shape.OBJECTS)
    await withdraw(services.database, services.clock, question)
    services.wake()
    return taxii_response(b"{}")


async def _get(request: web.Request, shape: Shape) -> web.Response:
    require_acceptable(request)
    services = services_of(request)
    question = _question(request, await caller_of(request), shape)
    answer = await retrieve(services.database, services.cursor_key, question)
    wait_s = read_wait_s(request) if shape is Shape.OBJECTS and question.stix_id is None else 0
    ends_at = time.monotonic() + wait_s
    while answer.last_us is None and (left_s := ends_at - time.monotonic()) > 0:
        seen, began_at = question.caller.heads, time.monotonic()
        step_s = min(left_s, STEP_S)
        changed = await services.database.wait_for_change(seen, answer.collection_id, step_s)
        if not changed and time.monotonic() - began_at < step_s / 2:
            break  # the host is stopping, or too many wait already
        # Whoever waits is recognised again at every step, so that a token that ends takes its owner's wait with it.
        question = replace(question, caller=await caller_of(request))
        if changed or question.caller.heads is not seen:
            answer = await retrieve(services.database, services.cursor_key, question)
    return await reply(request, answer.body, answer.tag, _headers(request, question, answer) | _applied(wait_s))


def _question(request: web.Request, caller: Caller, shape: Shape) -> Question:
    profile = services_of(request).profile_of(caller.principal)
    filters, page = _read_query(request.rel_url.raw_query_string, profile.page_objects or PAGE_OBJECTS)
    return Question(
        caller,
        root_of(request),
        request.match_info["collection"],
        shape,
        filters,
        page,
        request.match_info.get("object"),
        read_tags(request),
        profile.empty_list,
    )


@lru_cache(maxsize=1024)
def _read_query(query: str, page_objects: int) -> tuple[Filters, Page]:
    """Read a query as it stands in the request line; pollers ask the same again and again."""
    return read_query(list(URL.build(query_string=query, encoded=True).query.items()), page_objects)


def _headers(request: web.Request, question: Question, answer: Answer) -> dict[str, str]:
    """Say when the first and the last item of a page were added (§3.2)."""
    first_us, last_us = answer.first_us, answer.last_us
    if first_us is not None and last_us is not None:
        return {"X-TAXII-Date-Added-First": write_timestamp(first_us), "X-TAXII-Date-Added-Last": write_timestamp(last_us)}
    if answer.after_us and services_of(request).profile_of(question.caller.principal).echo_added_after:
        return {"X-TAXII-Date-Added-Last": write_timestamp(answer.after_us)}
    return {}


def _applied(wait_s: int) -> dict[str, str]:
    return {"Preference-Applied": f"wait={wait_s}"} if wait_s else {}
