"""`/api/v1/blind-matches`: the same value in circles that do not see each other. docs/blind-matches.md tells the story."""

from typing import Any

import orjson
from aiohttp import web

from regcert.domain.blind_match import Deed, Seen
from regcert.errors import Code, Refusal
from regcert.flows.answer_blind_match import answer_blind_match
from regcert.flows.list_blind_matches import MOST_A_PAGE, Facts, get_blind_match, page_blind_matches
from regcert.policy.blind_matching import BROKERED
from regcert.stix.reader import read_value
from regcert.stix.timestamps import write_timestamp
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, read_body, services_of

DEEDS = ("ask", "agree", "refuse", "forward", "close")
USUAL_LIMIT = 50
MAX_BODY_BYTES = 32 * 1024


async def get_matches(request: web.Request) -> web.Response:
    """Answer a page of the blind matches that whoever asks was told of, or has to forward, the newest first."""
    principal = await principal_of(request)
    services = services_of(request)
    limit = read_limit(request.query.get("limit"), USUAL_LIMIT, MOST_A_PAGE)
    now_us = services.clock.now_us()
    page = await page_blind_matches(services.database, principal, now_us, limit=limit, cursor=request.query.get("next"))
    told: dict[str, Any] = {"matches": [_match(seen, may) for seen, may in page.matches], "next": page.next}
    if page.tried:
        told["compared"] = [
            {
                "team": one.team,
                "yesterday": {"compared": one.compared, "matched": one.told},
                "days_30": {"compared": one.compared_30d, "matched": one.told_30d},
            }
            for one in page.tried
        ]
    return _json(told)


async def get_one(request: web.Request) -> web.Response:
    """Answer one blind match, with what may be shown of its dialogue."""
    principal = await principal_of(request)
    services = services_of(request)
    now_us = services.clock.now_us()
    return _json(_facts(await get_blind_match(services.database, principal, now_us, request.match_info["match"])))


async def post_deed(request: web.Request) -> web.Response:
    """Take a step: the last segment of the address says which."""
    principal = await principal_of(request)
    note, objects = await _read_order(request)
    match_id, deed = request.match_info["match"], Deed(request.path.rpartition("/")[2])
    database = services_of(request).database
    state = await answer_blind_match(database, principal, match_id, deed, note=note, objects=objects)
    return _json({"id": match_id, "state": state})


async def _read_order(request: web.Request) -> tuple[str, list[str] | None]:
    """Read what is said with a step; nothing at all is an empty note.

    Raises:
        Refusal: TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, MALFORMED_JSON, MALFORMED_REQUEST.
    """
    body = await read_body(request, MAX_BODY_BYTES)
    if not body:
        return "", None
    if request.content_type != "application/json":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the note as Content-Type: application/json")
    order = read_value(body)
    if not isinstance(order, dict) or not order.keys() <= {"note", "objects"}:
        raise Refusal(Code.MALFORMED_REQUEST, "send an object with 'note' and 'objects', or nothing")
    note, objects = order.get("note", ""), order.get("objects")
    named = [one for one in objects if isinstance(one, str)] if isinstance(objects, list) else []
    if not isinstance(note, str) or (objects is not None and (not isinstance(objects, list) or len(named) != len(objects))):
        raise Refusal(Code.MALFORMED_REQUEST, "'note' is a text, 'objects' a list of ids of your own objects")
    return note, None if objects is None else named


def _match(seen: Seen, may: frozenset[str]) -> dict[str, Any]:
    """Write exactly what may be told of a match; whatever is added here is told across circles."""
    told: dict[str, Any] = {
        "id": seen.match.match_id,
        "state": seen.state,
        "told": _day(seen.told_us),
        "ends": _day(seen.ends_us),
        "may": sorted(may),
    }
    if seen.is_broker:
        sides = [{"team": one.team, "marking": one.marking.label, "stance": one.stance.value} for one in seen.match.sides]
        return told | {"sides": sides}
    observable = seen.match.observable
    told["value"] = {"kind": observable.kind.value, "value": observable.value}
    told["others"] = {
        "circles": 1 if len({one.scope for one in seen.others}) == 1 else "more",
        "marking": max(one.marking for one in seen.others).label,
    }
    return told


def _facts(facts: Facts) -> dict[str, Any]:
    told = _match(facts.seen, facts.may)
    if not facts.seen.is_broker:
        told["opened"] = [
            {"team": one.team, "name": one.name, "website": one.website, "objects": list(one.objects)}
            for one in facts.seen.opened
        ]
    told["dialogue"] = [
        {
            "at": write_timestamp(step.at_us),
            "by": "coordinator" if step.deed in BROKERED else step.team,
            "deed": step.deed.value,
            "note": step.note,
        }
        for step in facts.steps
    ]
    return told


def _day(at_us: int) -> str:
    return write_timestamp(at_us)[:10]


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), headers={"Content-Type": "application/json"})
