"""`/api/v1/proposals`: what waits for a second person. docs/second-person.md tells the story."""

from typing import Any

import orjson
from aiohttp import web

from regcert.domain.key_list import KeyList
from regcert.domain.proposal import Proposal
from regcert.flows.approve import approve
from regcert.flows.let_go import refuse, withdraw_proposal
from regcert.flows.list_proposals import Facts, PostFacts, get_proposal, page_proposals, state_of
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import Tlp
from regcert.store.proposals import MOST_A_PAGE
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, services_of

USUAL_LIMIT = 50


async def get_proposals(request: web.Request) -> web.Response:
    """Answer a page of what waits and concerns whoever asks, the newest first."""
    principal = await principal_of(request)
    services = services_of(request)
    limit = read_limit(request.query.get("limit"), USUAL_LIMIT, MOST_A_PAGE)
    now_us = services.clock.now_us()
    page = await page_proposals(services.database, principal, now_us, limit=limit, cursor=request.query.get("next"))
    return _json({"proposals": [_proposal(one, now_us) for one in page.proposals], "next": page.next})


async def get_one(request: web.Request) -> web.Response:
    """Answer one proposal, with what exactly it asks for."""
    principal = await principal_of(request)
    services = services_of(request)
    now_us = services.clock.now_us()
    return _json(_facts(await get_proposal(services.database, principal, now_us, request.match_info["proposal"]), now_us))


async def post_approve(request: web.Request) -> web.Response:
    """Approve; what is done with the last approval may take a moment longer."""
    principal = await principal_of(request)
    services = services_of(request)
    became = await approve(services.database, principal, request.match_info["proposal"])
    services.wake()
    return _json({"id": request.match_info["proposal"], "state": became.value})


async def post_refuse(request: web.Request) -> web.Response:
    """Refuse, for good."""
    principal = await principal_of(request)
    await refuse(services_of(request).database, principal, request.match_info["proposal"])
    return _json({"id": request.match_info["proposal"], "state": "refused"})


async def post_withdraw(request: web.Request) -> web.Response:
    """Withdraw what one's own team asked for."""
    principal = await principal_of(request)
    await withdraw_proposal(services_of(request).database, principal, request.match_info["proposal"])
    return _json({"id": request.match_info["proposal"], "state": "withdrawn"})


def _proposal(one: Proposal, now_us: int) -> dict[str, Any]:
    return {
        "id": one.proposal_id,
        "kind": one.kind.value,
        "state": state_of(one, now_us),
        "team": one.team,
        "by": one.token,
        "collection": one.collection,
        "reason": one.reason,
        "needs": one.needs,
        "created": write_timestamp(one.created_us),
        "expires": write_timestamp(one.expires_us),
    }


def _facts(facts: Facts, now_us: int) -> dict[str, Any]:
    told = _proposal(facts.proposal, now_us) | {
        "approvals": [{"team": one.team, "by": one.token, "at": write_timestamp(one.at_us)} for one in facts.approvals],
        "may": sorted(facts.may),
    }
    if facts.post is not None:
        told["post"] = _post(facts.post)
    if facts.key_list is not None:
        told["key_list"] = _key_list(facts.key_list)
    return told


def _post(post: PostFacts) -> dict[str, Any]:
    return {
        "status": post.status_uuid,
        "objects": post.total,
        "refused": post.refused,
        "revoked": post.withdrawn,
        "types": dict(post.types),
        "markings": {step.label: count for step, count in post.markings.items()},
        "listed": [
            {
                "id": one.stix_id,
                "type": one.type,
                "version": one.version,
                "marking": Tlp(one.marking).label,
                "revoked": one.revoked,
                "name": one.name,
            }
            for one in post.listed
        ],
    }


def _key_list(key_list: KeyList) -> dict[str, Any]:
    return {
        "version": key_list.version,
        "root": key_list.root.hex(),
        "digest": key_list.digest.hex(),
        "keys": [{"key": key.public.hex(), "key_id": key.key_id, "status": key.status.value} for key in key_list.keys],
    }


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
