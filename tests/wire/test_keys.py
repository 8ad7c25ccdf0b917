"""The addresses of a team's keys: what they take, what they answer, and what they say to whoever may not."""

import asyncio
from typing import Any

import orjson
import pytest

from regcert.clock import DAY_US
from regcert.domain.key_list import team_key
from regcert.domain.principal import Role
from regcert.signing.dsse import read_envelope
from regcert.signing.key_list import read_key_list, seal_key_list
from regcert.signing.possession import prove
from regcert.signing.private_key import PrivateKey, new_private_key
from tests.flows.test_keys import say
from tests.hosting import RunningHost
from tests.wire.asking import JSON, Reply, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEYS, CHALLENGE = "/api/v1/teams/{}/keys", "/api/v1/teams/{}/keys/challenge"
COORDINATOR = Role.COORDINATOR


async def challenge(host: RunningHost, team: str) -> dict[str, Any]:
    reply = await ask(host, "POST", CHALLENGE.format(team), team=team, role=COORDINATOR)
    assert reply.status == 201, reply.body
    told: dict[str, Any] = reply.json
    return told


async def make(host: RunningHost, team: str, root: PrivateKey, *keys: PrivateKey) -> dict[str, Any]:
    """Make a first list with its proofs, as a program outside would: of what the challenge says."""
    given = await challenge(host, team)
    envelope = seal_key_list(
        team=given["team"],
        version=1,
        prev=None,
        issued_us=host.clock.at_us,
        expires_us=host.clock.at_us + DAY_US,
        keys=[team_key(key.public.raw) for key in keys],
        root=root,
    )
    proofs = [prove(given["host"], given["team"], bytes.fromhex(given["challenge"]), key) for key in (root, *keys)]
    return {
        "key_list": envelope.as_json(),
        "challenge": given["challenge"],
        "possessions": [proof.as_json() for proof in proofs],
    }


async def send(host: RunningHost, team: str, body: Any, role: Role = COORDINATOR) -> Reply:
    return await ask(host, "POST", KEYS.format(team), team=team, role=role, body=orjson.dumps(body), headers=JSON)


async def test_list_waits_then_stands_for_every_member_when_the_next_is_its_successor(standing):
    """202 with the proposal; whoever reads the list gets the very envelope that was signed."""
    root, key = new_private_key(), new_private_key()
    body = await make(standing, "alcirt", root, key)
    waiting = await send(standing, "alcirt", body)
    assert waiting.status == 202
    assert waiting.json == {"state": "waiting", "version": 1, "proposal": waiting.json["proposal"], "needs": 2}
    empty = await ask(standing, "GET", KEYS.format("alcirt"), team="srb-cert", role=Role.CONSUMER)
    assert (empty.status, empty.json["key_lists"], empty.json["next"]) == (200, [], None)


@pytest.mark.asyncio(loop_scope="function")
async def test_list_is_answered_201_when_it_is_in_force(host):
    """With its place in the log, and every version of it for whoever asks, page by page."""
    await say(host.inside.database, "key_approvals", 0)
    root, key = new_private_key(), new_private_key()
    body = await make(host, "alcirt", root, key)
    entered = await send(host, "alcirt", body)
    first = read_key_list(read_envelope(body["key_list"]))
    assert entered.status == 201
    assert entered.json == {
        "state": "in-force",
        "version": 1,
        "digest": first.digest.hex(),
        "leaf_index": entered.json["leaf_index"],
    }
    following = seal_key_list(
        team=first.team, version=2, prev=first.digest, issued_us=host.clock.at_us, expires_us=host.clock.at_us + DAY_US,
        keys=first.keys, root=root,
    )  # fmt: skip
    again = await send(host, "alcirt", {"key_list": following.as_json()})
    assert (again.status, again.json["version"]) == (201, 2)
    shown = await ask(host, "GET", KEYS.format("alcirt") + "?limit=1", team="srb-cert", role=Role.CONSUMER)
    assert shown.json["next"] == 1
    assert shown.json["key_lists"][0]["envelope"] == body["key_list"]
    assert shown.json["key_lists"][0]["leaf_index"] == entered.json["leaf_index"]
    rest = await ask(host, "GET", KEYS.format("alcirt") + "?after=1", team="srb-cert", role=Role.CONSUMER)
    assert [one["version"] for one in rest.json["key_lists"]] == [2]
    assert rest.json["next"] is None


@pytest.fixture
def database_url(tmp_path):
    """SQLite alone: what is answered does not depend on the engine, which the tests of the flow show."""
    return f"sqlite:///{tmp_path}/regcert.db"


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "malformed-json"),
        (b"[]", {}, 400, "malformed-request"),
        (b"{}", {}, 400, "malformed-request"),
        (b'{"key_list":{},"more":1}', {}, 400, "malformed-request"),
        (b'{"key_list":{},"key_list":{}}', {}, 400, "duplicate-key"),
        (b'{"key_list":{},"possessions":{}}', {}, 400, "malformed-request"),
        (b'{"key_list":{},"possessions":[' + b"1," * 128 + b"1]}", {}, 400, "malformed-request"),
        (b'{"key_list":{},"challenge":1}', {}, 422, "possession-not-proven"),
        (b'{"key_list":{},"challenge":"' + b"A" * 64 + b'"}', {}, 422, "possession-not-proven"),
        (b'{"key_list":{},"challenge":"' + b"a" * 62 + b'"}', {}, 422, "possession-not-proven"),
        (b'{"key_list":{}}', {}, 422, "invalid-key-list"),
        (b'{"key_list":"<script>"}', {}, 422, "invalid-key-list"),
        (b'{"key_list":' + b"[" * 70 + b"]" * 70 + b"}", {}, 400, "too-deep"),
        (b" " * 262_145, {}, 413, "too-large"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
    ],
)
async def test_body_is_refused_when_it_is_no_key_list(standing, body, headers, status, code):
    """Bounded before it is read, with a code of its own, and nothing of it comes back."""
    reply = await ask(standing, "POST", KEYS.format("alcirt"), role=COORDINATOR, body=body, headers=JSON | headers)
    assert (reply.status, reply.code) == (status, code)
    assert b"script" not in reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["after=-1", "after=1e3", "after=", "after=%D9%A1", "after=9999999999", "limit=0", "limit=x"])
async def test_page_is_refused_when_it_is_asked_for_in_other_words(standing, query):
    reply = await ask(standing, "GET", f"{KEYS.format('alcirt')}?{query}")
    assert (reply.status, reply.code) == (400, "malformed-request")


async def test_another_team_is_answered_like_none_when_a_list_or_a_challenge_is_asked(standing):
    """Byte for byte, request id aside; whoever may make keys, and whoever may not."""
    for role in Role:
        for path, body in ((KEYS, b'{"key_list":{}}'), (CHALLENGE, b"")):
            answers = []
            for team in ("srb-cert", "no-such-team", "x" * 300):
                reply = await ask(standing, "POST", path.format(team), role=role, body=body, headers=JSON)
                answers.append((reply.status, reply.body.replace(reply.headers["X-Request-Id"].encode(), b"-")))
            assert len(set(answers)) == 1, (role, path)
            assert answers[0][0] == 403


async def test_keys_of_no_team_are_not_found(standing):
    """Every member knows which teams there are."""
    reply = await ask(standing, "GET", KEYS.format("no-such-team"))
    assert (reply.status, reply.code) == (404, "not-found")


async def test_nobody_is_told_anything_without_a_token(standing):
    """Neither keys, nor a challenge."""
    for method, path in (("GET", KEYS), ("POST", KEYS), ("POST", CHALLENGE)):
        reply = await ask(standing, method, path.format("alcirt"), headers={"Authorization": ""})
        assert reply.status == 401


@pytest.mark.asyncio(loop_scope="function")
async def test_one_list_is_entered_when_twenty_requests_bring_it_at_once(host):
    """201 for one of them, and a reason for each of the others."""
    await say(host.inside.database, "key_approvals", 0)
    body = await make(host, "alcirt", new_private_key(), new_private_key())
    replies = await asyncio.gather(*(send(host, "alcirt", body) for _ in range(20)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 19
    shown = await ask(host, "GET", KEYS.format("alcirt"))
    assert len(shown.json["key_lists"]) == 1
