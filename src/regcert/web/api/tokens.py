"""`/api/v1/tokens`: a team's administrators make, list and revoke the tokens of their own team."""

from typing import Any

import orjson
from aiohttp import web

from regcert.clock import DAY_US
from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.exports.token_json import token_json
from regcert.flows.create_token import TokenOrder, create_own_token
from regcert.flows.list_tokens import page_own_tokens
from regcert.flows.revoke_token import revoke_own_token
from regcert.policy.permissions import Permission, require
from regcert.stix.reader import read_value
from regcert.web.asking import principal_of, read_body, services_of

MAX_BODY_BYTES = 64 * 1024
MOST_DAYS = 3650
_MOST_NAMES = 100
_PROPERTIES = frozenset({"role", "name", "collections", "networks", "certificate", "expires_days", "client"})


async def get_tokens(request: web.Request) -> web.Response:
    """Answer a page of the team's tokens, in the order in which they were made."""
    principal = await principal_of(request)
    after = _read_number(request.query.get("next", "0"))
    listed, following = await page_own_tokens(services_of(request).database, principal, after)
    return _json({"tokens": [token_json(one) for one in listed], "next": None if following is None else str(following)})


async def post_token(request: web.Request) -> web.Response:
    """Make a token; the answer is the only place where it ever stands."""
    principal = await principal_of(request)
    require(principal, Permission.MANAGE_TOKENS)
    if request.content_type != "application/json":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the order as Content-Type: application/json")
    order = _read_order(read_value(await read_body(request, MAX_BODY_BYTES)))
    services = services_of(request)
    made = await create_own_token(services.database, services.clock, principal, order)
    return _json({"id": made.token_id, "token": made.token, "team": principal.team.slug, "role": order.role.value}, 201)


async def delete_token(request: web.Request) -> web.Response:
    """Revoke a token of the team."""
    principal = await principal_of(request)
    token_id = _find_number(request.match_info["token"])
    services = services_of(request)
    await revoke_own_token(services.database, services.clock, principal, token_id or 0)
    return _json({"id": token_id, "revoked": True})


def _read_order(value: object) -> TokenOrder:
    if not isinstance(value, dict) or not value.keys() <= _PROPERTIES:
        raise _malformed(f"an order is an object with the properties {', '.join(sorted(_PROPERTIES))}, and no others")
    days = value.get("expires_days")
    if days is not None and (type(days) is not int or not 1 <= days <= MOST_DAYS):
        raise _malformed(f"'expires_days' is a number from 1 to {MOST_DAYS}, or left out")
    role = value.get("role")
    if not isinstance(role, str) or role not in set(Role):
        raise _malformed("'role' is one of analyst, consumer and admin")
    return TokenOrder(
        Role(role),
        _read_text(value, "name") or str(role),
        _read_texts(value, "collections"),
        None if days is None else days * DAY_US,
        _read_text(value, "client"),
        _read_texts(value, "networks"),
        _read_text(value, "certificate"),
    )


def _read_text(order: dict[str, Any], name: str) -> str | None:
    text = order.get(name)
    if text is not None and (not isinstance(text, str) or not 1 <= len(text) <= 200 or not text.isprintable()):
        raise _malformed(f"'{name}' is a text of 1 to 200 printable characters, or left out")
    return text


def _read_texts(order: dict[str, Any], name: str) -> tuple[str, ...]:
    texts = order.get(name, [])
    if not isinstance(texts, list) or len(texts) > _MOST_NAMES or not all(isinstance(one, str) for one in texts):
        raise _malformed(f"'{name}' is a list of at most {_MOST_NAMES} texts, or left out")
    return tuple(texts)


def _find_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _read_number(text: str) -> int:
    number = _find_number(text)
    if number is None:
        raise _malformed("'next' is what the last page gave; leave it out for the first one")
    return number


def _malformed(sentence: str) -> Refusal:
    return Refusal(Code.MALFORMED_REQUEST, sentence)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), headers={"Content-Type": "application/json"})
