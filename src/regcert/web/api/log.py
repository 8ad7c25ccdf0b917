"""`/api/v1/log` and what belongs to it: the log's key and witnesses, cosignatures, proofs, publications."""

from typing import Any

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows.cosign import take_cosignature
from regcert.flows.list_publications import MAX_LIMIT, get_head, list_publications
from regcert.flows.prove import Proven, prove
from regcert.flows.read_log import describe_log
from regcert.policy.permissions import Permission, require
from regcert.stix.timestamps import write_timestamp
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, read_body, services_of

# A checkpoint with 64 lines has some ten thousand.
MOST_NOTE_BYTES = 16 * 1024
_TEXT = "text/plain"


async def get_log(request: web.Request) -> web.Response:
    """Answer what one has to know of the log before one reads it."""
    require(await principal_of(request), Permission.READ)
    services = services_of(request)
    described = await describe_log(services.database)
    witnesses = [{"name": one.name, "verifier": one.verifier, "team": one.team} for one in described.witnesses]
    verifier = services.log_verifier
    return _json({"origin": verifier.name, "verifier": verifier.text, "size": described.size, "witnesses": witnesses})


async def post_cosignature(request: web.Request) -> web.Response:
    """Take a checkpoint that a witness cosigned: 201 where that was new, 200 where it was here."""
    principal = await principal_of(request)
    if request.content_type != _TEXT:
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the cosigned checkpoint as Content-Type: text/plain")
    services = services_of(request)
    body = await read_body(request, MOST_NOTE_BYTES)
    is_new = await take_cosignature(services.database, services.clock, principal, body)
    return web.Response(status=201 if is_new else 200, body=b"{}", headers={"Content-Type": "application/json"})


async def get_proof(request: web.Request) -> web.Response:
    """Answer who vouches for an object, with the proof; a client that accepts plain text only gets the proof alone."""
    principal = await principal_of(request)
    collection = request.query.get("collection", "")
    if not collection:
        raise Refusal(Code.MALFORMED_REQUEST, "say in which collection, as ?collection=NAME")
    stix_id, version = request.match_info["object"], request.match_info["version"]
    proven = await prove(services_of(request).database, principal, collection, stix_id, version)
    if not _wants_text(request):
        return _json(_describe(proven))
    if proven.proof is None:
        raise Refusal(Code.NOT_FOUND, "nobody signed this object, or no checkpoint includes it yet; ask for JSON to see which")
    return web.Response(body=proven.proof, headers={"Content-Type": "text/plain; charset=utf-8"})


async def get_publications(request: web.Request) -> web.Response:
    """Answer a page of a collection's publications."""
    principal = await principal_of(request)
    after = _read_after(request.query.get("after"))
    limit = read_limit(request.query.get("limit"), MAX_LIMIT, MAX_LIMIT)
    page = await list_publications(services_of(request).database, principal, request.match_info["collection"], after, limit)
    listed = [
        {
            "number": one.number,
            "seq": one.seq,
            "team": one.team,
            "leaf_index": one.leaf_index,
            "manifest": one.manifest_id,
            "key_id": one.key_id,
            "added": write_timestamp(one.position),
        }
        for one in page.publications
    ]
    return _json({"blind": _hex(page.readable.blind), "publications": listed, "more": page.more})


async def get_publication_head(request: web.Request) -> web.Response:
    """Answer what the next publication of the caller's team in a collection continues."""
    principal = await principal_of(request)
    head = await get_head(services_of(request).database, principal, request.match_info["collection"])
    return _json({"team": principal.team.identity_id, "seq": head.seq, "prev": _hex(head.digest)})


def _describe(proven: Proven) -> dict[str, Any]:
    listed = proven.kept.publication
    told: dict[str, Any] = {
        "object": proven.kept.stix_id,
        "version": proven.kept.version,
        "signature": "signed" if listed else "attested",
        "key_id": listed.key_id if listed else None,
        "team": listed.team if listed else proven.kept.team,
        "author": proven.kept.author,
        "relayed": proven.kept.author != proven.kept.team,
        "number": listed.number if listed else None,
        "blind": _hex(proven.readable.blind),
        "manifest": orjson.Fragment(listed.manifest) if listed else None,
        "leaf_index": listed.leaf_index if listed else None,
        "proof": _text(proven.proof),
        "first": [_text(one) for one in proven.first],
        "key_lists": [
            {
                "version": one.entered.version,
                "leaf_index": one.entered.leaf_index,
                "envelope": orjson.Fragment(one.entered.envelope),
                "proof": _text(one.proof),
            }
            for one in proven.key_lists
        ],
    }
    return told


def _wants_text(request: web.Request) -> bool:
    accepted = ",".join(request.headers.getall("Accept", ()))[:1024].lower()
    return _TEXT in accepted and "json" not in accepted


def _read_after(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refusal(Code.MALFORMED_REQUEST, "'after' must be the number of a publication")
    return int(text)


def _text(proof: bytes | None) -> str | None:
    return None if proof is None else proof.decode()


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
