"""What people decide: about incidents, about values that are held back, and what their team protects."""

import uuid
from typing import Any

import orjson
from aiohttp import web

from regcert.domain.decision import Deed
from regcert.errors import Code, Refusal
from regcert.exports.decision_json import decision_json, held_json
from regcert.flows.decide import Wish, decide
from regcert.flows.list_decisions import list_decisions
from regcert.flows.list_held import MAX_LIMIT, Asked, list_held_back
from regcert.flows.overrule import Ruling, overrule
from regcert.flows.protect import list_protected, protect
from regcert.policy.permissions import Permission, require
from regcert.stix.observable import Observable, ObservableKind, canonical, read_observable
from regcert.stix.reader import read_value
from regcert.store.ledger import observable_key
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, read_body, services_of

MAX_BODY_BYTES = 1024 * 1024
USUAL_LIMIT = 50
_MOST_CHARS = 8192
_DECIDING = frozenset({"do", "with", "values", "decision", "reason"})
_RULING = frozenset({"do", "value", "kind", "collection", "reason"})


async def get_decisions(request: web.Request) -> web.Response:
    """Answer what was decided about an incident, the newest first."""
    principal = await principal_of(request)
    listed = await list_decisions(services_of(request).database, principal, request.match_info["incident"])
    return _json({"decisions": [decision_json(one) for one in listed]})


async def post_decision(request: web.Request) -> web.Response:
    """Take a decision about an incident; correlation applies it a moment later."""
    principal = await principal_of(request)
    require(principal, Permission.DECIDE)
    wish = _read_wish(await _read_object(request, _DECIDING))
    services = services_of(request)
    made = await decide(services.database, principal, request.match_info["incident"], wish)
    services.wake()
    return _json({"id": made, "do": wish.deed.value}, 202)


async def get_held(request: web.Request) -> web.Response:
    """Answer a page of the values that are held back, each with the reason."""
    principal = await principal_of(request)
    query = request.query
    kind = query.get("kind")
    asked = Asked(
        held=query.get("reason"),
        kind=None if kind is None else _read_kind(kind),
        observable=_read_observable(query["value"], kind) if "value" in query else None,
        cursor=query.get("next"),
        limit=read_limit(query.get("limit"), USUAL_LIMIT, MAX_LIMIT),
    )
    page = await list_held_back(services_of(request).database, principal, asked)
    return _json({"held": [held_json(one, names) for one, names in page.values], "next": page.next})


async def post_held(request: web.Request) -> web.Response:
    """Overrule correlation about a value: it counts, or it is noise."""
    principal = await principal_of(request)
    require(principal, Permission.DECIDE)
    body = await _read_object(request, _RULING)
    observable = _read_observable(_text(body, "value"), body.get("kind"))
    ruling = Ruling(_read_deed(body), observable, _text(body, "collection"), _text(body, "reason"))
    services = services_of(request)
    made = await overrule(services.database, principal, ruling)
    services.wake()
    return _json({"id": made, "do": ruling.deed.value}, 202)


async def get_protected(request: web.Request) -> web.Response:
    """Answer what a team protects, to the team itself."""
    principal = await principal_of(request)
    listed = await list_protected(services_of(request).database, principal, request.match_info["team"])
    return _json({"protected": list(listed)})


async def put_protected(request: web.Request) -> web.Response:
    """Take the whole list of what a team protects."""
    principal = await principal_of(request)
    body = await _read_object(request, frozenset({"protected"}))
    entries = body.get("protected")
    if not isinstance(entries, list):
        raise Refusal(Code.INVALID_PROTECTED, "'protected' must be a list of networks, addresses and domains")
    services = services_of(request)
    kept = await protect(services.database, principal, request.match_info["team"], entries)
    services.wake()
    return _json({"protected": list(kept)})


async def _read_object(request: web.Request, known: frozenset[str]) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json")
    body = read_value(await read_body(request, MAX_BODY_BYTES))
    if not isinstance(body, dict) or not body.keys() <= known:
        raise _malformed(f"the body is an object with the properties {', '.join(sorted(known))}, and no others")
    return body


def _read_wish(body: dict[str, Any]) -> Wish:
    deed = _read_deed(body)
    other = {Deed.MERGE: "with", Deed.UNDO: "decision"}.get(deed)
    listed = body.get("values", [])
    if not isinstance(listed, list):
        raise _malformed("'values' is a list of values of the incident")
    return Wish(
        deed,
        _text(body, "reason"),
        _read_uuid(_text(body, other), other) if other else "",
        frozenset(observable_key(_read_listed(one)) for one in listed),
    )


def _read_listed(one: object) -> Observable:
    """Read a value as an incident lists it, or as people write it."""
    if isinstance(one, dict) and one.keys() >= {"kind", "value"}:
        return _read_observable(_text(one, "value"), one["kind"])
    return _read_observable(one if isinstance(one, str) else "", None)


def _read_observable(text: str, kind: object) -> Observable:
    return read_observable(text) if kind is None else canonical(_read_kind(kind), text)


def _read_kind(word: object) -> ObservableKind:
    try:
        return ObservableKind(word if isinstance(word, str) else "")
    except ValueError as error:
        raise _malformed(f"'kind' is one of {', '.join(one.value for one in ObservableKind)}") from error


def _read_deed(body: dict[str, Any]) -> Deed:
    try:
        return Deed(_text(body, "do"))
    except ValueError as error:
        raise _malformed(f"'do' is one of {', '.join(one.value for one in Deed)}") from error


def _read_uuid(text: str, name: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise _malformed(f"'{name}' is an id such as 5a6e590a-8533-48ba-9b80-621c3ddefff0") from error


def _text(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= _MOST_CHARS or "\0" in text:
        raise _malformed(f"'{name}' must be a text")
    return text


def _malformed(sentence: str) -> Refusal:
    return Refusal(Code.MALFORMED_REQUEST, sentence)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), headers={"Content-Type": "application/json"})
