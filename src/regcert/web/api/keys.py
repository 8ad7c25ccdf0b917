"""`/api/v1/teams/{team}/keys`: the keys of a team, as it signed their list itself. docs/keys.md tells the story."""

from typing import Any

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.flows.challenge_key import challenge_key
from regcert.flows.enrol_keys import MOST_POSSESSIONS, Brought, enrol_keys
from regcert.flows.enter_key_list import InForce
from regcert.flows.list_keys import MAX_LIMIT, list_keys
from regcert.stix.reader import read_value
from regcert.stix.timestamps import write_timestamp
from regcert.taxii.filters import read_limit
from regcert.web.asking import principal_of, read_body, services_of

# A list of a hundred keys with a proof for each of them has a third of it.
MOST_BODY_BYTES = 256 * 1024
_MEMBERS = {"key_list", "challenge", "possessions"}


async def post_challenge(request: web.Request) -> web.Response:
    """Give somebody of the team a challenge; the body, if there is one, says nothing."""
    principal = await principal_of(request)
    services = services_of(request)
    given = await challenge_key(services.database, services.clock, principal, request.match_info["team"])
    told = {
        "challenge": given.challenge.hex(),
        "host": given.host,
        "team": given.team,
        "expires_at": write_timestamp(given.expires_us),
    }
    return _json(201, told)


async def post_keys(request: web.Request) -> web.Response:
    """Take a key list: 201 where it is in force, 202 where other teams have to approve it first."""
    principal = await principal_of(request)
    if request.content_type != "application/json":
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, "send the key list as Content-Type: application/json")
    brought = _read_brought(read_value(await read_body(request, MOST_BODY_BYTES)))
    services = services_of(request)
    outcome = await enrol_keys(services.database, services.clock, principal, request.match_info["team"], brought)
    if isinstance(outcome, InForce):
        in_force = {"version": outcome.version, "digest": outcome.digest.hex(), "leaf_index": outcome.leaf_index}
        return _json(201, {"state": "in-force", **in_force})
    waiting = {"version": outcome.version, "proposal": outcome.proposal_id, "needs": outcome.needs}
    return _json(202, {"state": "waiting", **waiting})


async def get_keys(request: web.Request) -> web.Response:
    """Answer the versions of a team's key list, oldest first, each as it was signed and with its place in the log."""
    principal = await principal_of(request)
    page = await list_keys(
        services_of(request).database,
        principal,
        request.match_info["team"],
        after=_read_after(request.query.get("after")),
        limit=read_limit(request.query.get("limit"), MAX_LIMIT, MAX_LIMIT),
    )
    lists = [
        {
            "version": one.version,
            "leaf_index": one.leaf_index,
            "entered_at": write_timestamp(one.entered_us),
            "envelope": orjson.Fragment(one.envelope),
        }
        for one in page.lists
    ]
    told = {"team": page.team, "host": page.host, "suspended": page.suspended, "key_lists": lists, "next": page.following}
    return _json(200, told)


def _read_brought(value: object) -> Brought:
    if not isinstance(value, dict) or not value.keys() <= _MEMBERS or "key_list" not in value:
        raise Refusal(Code.MALFORMED_REQUEST, "send an object with 'key_list', and 'challenge' and 'possessions' for new keys")
    possessions = value.get("possessions", [])
    if not isinstance(possessions, list) or len(possessions) > MOST_POSSESSIONS:
        raise Refusal(Code.MALFORMED_REQUEST, f"'possessions' must be a list of at most {MOST_POSSESSIONS} envelopes")
    challenge = value.get("challenge")
    try:
        read = None if challenge is None else bytes.fromhex(challenge)
    except (TypeError, ValueError):
        read = b""
    if read is not None and (len(read) != 32 or read.hex() != challenge):
        raise Refusal(Code.POSSESSION_NOT_PROVEN, "'challenge' must be the 64 lower-case hexadecimal digits that were given out")
    return Brought(value["key_list"], read, possessions)


def _read_after(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refusal(Code.MALFORMED_REQUEST, "'after' must be the version of a key list")
    return int(text)


def _json(status: int, value: Any) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), headers={"Content-Type": "application/json"})
