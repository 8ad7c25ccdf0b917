"""Every address of the router, by every method and in every role, for what is own, shared, foreign and absent.

The addresses come from the application itself: one without rows here fails, and so do rows without an address. What is foreign
is answered, byte for byte, as what is not there at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import orjson
import pytest
from aiohttp import web

from regcert.domain.principal import Principal, Role
from regcert.domain.team import Team, TeamKind
from regcert.policy.facts import Thing
from regcert.policy.permissions import POLICY, Permission, may
from regcert.policy.routes import ROUTES, declared, find_permission, require_declared
from regcert.web.app import create_app
from regcert.web.services import SERVICES
from tests.made import envelope, indicator
from tests.policy.conftest import BEYOND, BLIND, JSON, TAXII, TEAM, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLES: tuple[Role | None, ...] = (Role.ANALYST, Role.CONSUMER, Role.COORDINATOR, Role.ADMIN, None)
RELATIONS = ("own", "shared", "foreign", "absent")
Body = Callable[[dict[str, str]], bytes]


@dataclass(frozen=True)
class Row:
    """What is answered to whom: for each relation the statuses of analyst, consumer, coordinator, admin, and of nobody.

    Args:
        expected: by relation; `any` where an address names no thing.
        body: what is sent.
        kind: its media type.
        query: behind the address.
        hides: whether what is foreign must look like what is absent; keys of teams are there for all to see.
        fresh: what of its own it takes away, so that each role needs another one: an object, a token, a proposal.
        judged: whether the first of its lines is to agree with the table of permissions.
    """

    expected: dict[str, str]
    body: Body | None = None
    kind: str = JSON
    query: str = ""
    hides: bool = True
    fresh: str = ""
    judged: bool = True


def each(own: str, shared: str, foreign: str, absent: str) -> dict[str, str]:
    return dict(zip(RELATIONS, (own, shared, foreign, absent), strict=True))


def any_of(statuses: str) -> dict[str, str]:
    return {"any": statuses}


def posted(_: dict[str, str]) -> bytes:
    return envelope(indicator())


def sighted(thing: dict[str, str]) -> bytes:
    return orjson.dumps({"value": "matrix.example", "collection": thing["collection"]})


def sighted_indicator(thing: dict[str, str]) -> bytes:
    return orjson.dumps({"indicator": thing["object"]})


def ordered(thing: dict[str, str]) -> bytes:
    return orjson.dumps({"role": "consumer", "name": "matrix", "collections": [thing["collection"]]})


def listed(_: dict[str, str]) -> bytes:
    return b'{"key_list":{}}'


def noted(_: dict[str, str]) -> bytes:
    return b'{"note":"matrix"}'


def pinned(_: dict[str, str]) -> bytes:
    return b'{"do":"pin","reason":"matrix"}'


def counted(thing: dict[str, str]) -> bytes:
    value = thing.get("tag", "absent.example")
    return orjson.dumps({"do": "count", "value": value, "collection": thing["collection"], "reason": "matrix"})


def protected(_: dict[str, str]) -> bytes:
    return b'{"protected":["192.0.2.0/24"]}'


def empty(_: dict[str, str]) -> bytes:
    return b"{}"


#                    analyst consumer coordinator admin nobody
ALL, NONE = "200 200 200 200 200", "404 404 404 404 401"
KNOWN = "200 200 200 200 401"
HIDDEN = each(KNOWN, KNOWN, NONE, NONE)
_COLLECTION = "/{root}/collections/{collection}"
_OBJECT = f"{_COLLECTION}/objects/{{object}}"
_BOARD = "200 303 200 200 303"
_UNSEEN = "404 303 404 404 303"

ROWS: dict[str, list[Row]] = {
    "GET /": [Row(any_of("303 303 303 303 303"))],
    "GET /healthz": [Row(any_of(ALL))],
    "GET /readyz": [Row(any_of(ALL))],
    "GET /taxii2": [Row(any_of(KNOWN))],
    "GET /{root}": [Row(any_of(KNOWN))],
    "GET /{root}/collections": [Row(any_of(KNOWN))],
    "GET /{root}/status/{status}": [Row(each("200 404 404 404 401", NONE, NONE, NONE))],
    f"GET {_COLLECTION}": [Row(HIDDEN)],
    f"GET {_COLLECTION}/manifest": [Row(HIDDEN), Row(HIDDEN, query="?match[version]=all")],
    f"GET {_COLLECTION}/objects": [Row(HIDDEN), Row(HIDDEN, query="?added_after=2020-01-01T00:00:00Z&limit=1")],
    f"POST {_COLLECTION}/objects": [Row(each("202 403 202 403 401", "202 403 202 403 401", NONE, NONE), body=posted, kind=TAXII)],
    f"GET {_OBJECT}": [Row(HIDDEN)],
    f"GET {_OBJECT}/versions": [Row(HIDDEN)],
    # What a neighbour published may be read and not be deleted; `shared` is the neighbour's.
    f"DELETE {_OBJECT}": [Row(each("200 403 200 403 401", "403 403 403 403 401", NONE, NONE), fresh="object")],
    "POST /api/v1/sightings": [
        Row(each("200 200 200 403 401", "200 200 200 403 401", "422 422 422 403 401", "422 422 422 403 401"), body=sighted),
        Row(
            each("200 200 200 403 401", "200 200 200 403 401", "422 422 422 403 401", "422 422 422 403 401"),
            body=sighted_indicator,
        ),
    ],
    # What is foreign is answered like what is absent: nobody whom one may read has seen it.
    "GET /api/v1/sightings": [
        Row(each(KNOWN, KNOWN, KNOWN, KNOWN), query="?indicator={object}"),
        Row(any_of(KNOWN), query="?value=matrix.example"),
        Row(any_of("400 400 400 400 401")),
    ],
    "GET /api/v1/sightings/hours": [
        Row(each(KNOWN, KNOWN, KNOWN, KNOWN), query="?indicator={object}"),
        Row(any_of("400 400 400 400 401")),
    ],
    "GET /api/v1/incidents": [Row(any_of(KNOWN))],
    "GET /api/v1/incidents/{incident}": [Row(HIDDEN)],
    "GET /api/v1/incidents/{incident}/decisions": [Row(HIDDEN)],
    "POST /api/v1/incidents/{incident}/decisions": [
        Row(each("403 403 202 403 401", "403 403 202 403 401", "403 403 404 403 401", "403 403 404 403 401"), body=pinned)
    ],
    "GET /api/v1/held": [Row(any_of(KNOWN))],
    "POST /api/v1/held": [
        Row(each("403 403 202 403 401", "403 403 202 403 401", "403 403 404 403 401", "403 403 404 403 401"), body=counted)
    ],
    # What a team protects is nobody else's business, not even that it protects anything.
    "GET /api/v1/teams/{team}/protected": [Row(each(KNOWN, NONE, NONE, NONE))],
    "PUT /api/v1/teams/{team}/protected": [Row(each("403 403 200 200 401", NONE, NONE, NONE), body=protected)],
    "GET /api/v1/alerts": [Row(any_of(KNOWN))],
    "POST /api/v1/alerts/{alert}/seen": [
        Row(each("200 200 200 403 401", "200 200 200 403 401", *["404 404 404 403 401"] * 2), body=empty)
    ],
    "GET /api/v1/tokens": [Row(any_of("403 403 403 200 401"))],
    "POST /api/v1/tokens": [
        Row(each("403 403 403 201 401", "403 403 403 201 401", "403 403 403 404 401", "403 403 403 404 401"), body=ordered)
    ],
    "DELETE /api/v1/tokens/{token}": [
        Row(each("403 403 403 200 401", "403 403 403 404 401", "403 403 403 404 401", "403 403 403 404 401"), fresh="token")
    ],
    "GET /api/v1/proposals": [Row(any_of("200 403 200 200 401"))],
    "GET /api/v1/proposals/{proposal}": [Row(each("200 404 200 200 401", NONE, NONE, NONE))],
    "POST /api/v1/proposals/{proposal}/approve": [Row(each("200 404 200 403 401", NONE, NONE, NONE), fresh="proposal")],
    "POST /api/v1/proposals/{proposal}/refuse": [Row(each("200 404 200 403 401", NONE, NONE, NONE), fresh="proposal")],
    # A colleague asked for it, not whoever withdraws it: that is for coordinators.
    "POST /api/v1/proposals/{proposal}/withdraw": [Row(each("403 404 200 403 401", NONE, NONE, NONE), fresh="proposal")],
    "GET /console/alerts": [Row(any_of(_BOARD))],
    "POST /console/alerts/seen": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "GET /console/proposals": [Row(any_of("200 303 200 200 303"), judged=False)],
    "GET /console/proposals/{proposal}": [Row(each("200 303 200 200 303", _UNSEEN, _UNSEEN, _UNSEEN), judged=False)],
    # Forms are refused before anything is looked up; tests/web sends the console's own.
    "POST /console/proposals/{proposal}/approve": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "POST /console/proposals/{proposal}/refuse": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "POST /console/proposals/{proposal}/withdraw": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "GET /api/v1/blind-matches": [Row(any_of("200 403 200 200 401"))],
    "GET /api/v1/blind-matches/{match}": [Row(each("200 404 200 200 401", NONE, NONE, NONE))],
    "POST /api/v1/blind-matches/{match}/ask": [Row(each("200 404 200 403 401", NONE, NONE, NONE), body=noted, fresh="match")],
    "POST /api/v1/blind-matches/{match}/agree": [Row(each("409 404 409 403 401", NONE, NONE, NONE), body=noted)],
    "POST /api/v1/blind-matches/{match}/refuse": [Row(each("200 404 200 403 401", NONE, NONE, NONE), body=noted, fresh="match")],
    # For coordinators of the team that coordinates the region, which this one is not.
    "POST /api/v1/blind-matches/{match}/forward": [Row(each("403 404 403 403 401", NONE, NONE, NONE), body=noted)],
    "POST /api/v1/blind-matches/{match}/close": [Row(each("403 404 403 403 401", NONE, NONE, NONE), body=noted)],
    "GET /console/blind-matches": [Row(any_of("200 303 200 200 303"), judged=False)],
    "GET /console/blind-matches/{match}": [Row(each("200 303 200 200 303", _UNSEEN, _UNSEEN, _UNSEEN), judged=False)],
    "POST /console/blind-matches/{match}/ask": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "POST /console/blind-matches/{match}/agree": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "POST /console/blind-matches/{match}/refuse": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "POST /console/blind-matches/{match}/forward": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "POST /console/blind-matches/{match}/close": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "GET /api/v1/log": [Row(any_of(KNOWN))],
    "POST /api/v1/log/cosignatures": [Row(any_of("415 415 415 415 401"), body=empty)],
    "GET /api/v1/objects/{object}/{version}/proof": [Row(HIDDEN, query="?collection={collection}")],
    "GET /api/v1/collections/{collection}/publications": [Row(HIDDEN)],
    "GET /api/v1/collections/{collection}/head": [Row(HIDDEN)],
    "GET /log/checkpoint": [Row(any_of(KNOWN))],
    "GET /log/checkpoint/witnessed": [Row(any_of(NONE))],  # nobody witnesses this host
    "GET /log/tile/{tile}": [Row(any_of(NONE))],
    "GET /api/v1/teams/{team}/keys": [Row(each(KNOWN, KNOWN, KNOWN, NONE), hides=False)],
    "POST /api/v1/teams/{team}/keys": [Row(each("403 403 422 422 401", *["403 403 403 403 401"] * 3), body=listed)],
    "POST /api/v1/teams/{team}/keys/challenge": [Row(each("403 403 201 201 401", *["403 403 403 403 401"] * 3), body=empty)],
    "GET /console": [Row(any_of("303 303 303 303 303"))],
    "GET /console/": [Row(any_of(_BOARD))],
    "GET /console/incidents/{incident}": [Row(each(_BOARD, _BOARD, _UNSEEN, _UNSEEN))],
    "POST /console/incidents/{incident}/decisions": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "GET /console/held": [Row(any_of(_BOARD))],
    "POST /console/held": [Row(any_of("415 303 415 415 303"), body=empty, judged=False)],
    "GET /console/incidents/{incident}/data": [Row(each(_BOARD, _BOARD, _UNSEEN, _UNSEEN))],
    "GET /console/static/{name}": [Row(any_of(ALL))],
    "GET /console/sign-in": [Row(any_of(ALL))],
    # This host knows no provider.
    "GET /console/openid": [Row(any_of("404 404 404 404 404"))],
    "GET /console/openid/return": [Row(any_of("404 404 404 404 404"))],
    "POST /console/sign-in": [Row(any_of("415 415 415 415 415"), body=empty)],
    "POST /console/sign-out": [Row(any_of("415 303 415 415 303"), body=empty)],
}


def routes_of(app: web.Application) -> Iterator[tuple[str, str]]:
    """Every method and address that the application answers; a HEAD is its GET."""
    for resource in app.router.resources():
        for route in resource:
            yield route.method, resource.canonical


def named(method: str, path: str) -> str:
    return " ".join(declared(method, path))


async def test_every_address_has_rows_and_says_what_it_asks_for(stage: Stage) -> None:
    """A new address must say which permission it asks for, and be tried in every role; a lost one takes its rows with it."""
    routes = list(routes_of(stage.host.inside.app))
    require_declared(routes)
    there = {named(method, path) for method, path in routes}
    assert there - set(ROWS) == set(), "these addresses need rows in this table"
    assert set(ROWS) - there == set(), "these rows have no address any more"
    assert {f"{method} {path}" for method, path in ROUTES} == there


async def test_start_is_refused_when_an_address_does_not_say_what_it_asks_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deny by default: the application names what is missing, and is not built."""
    monkeypatch.delitem(cast("dict[tuple[str, str], Permission]", ROUTES), ("POST", "/api/v1/sightings"))
    with pytest.raises(LookupError, match="POST /api/v1/sightings"):
        create_app(stage.host.inside.app[SERVICES])


def address(path: str, row: Row, thing: dict[str, str]) -> str:
    return (path + row.query).format(**thing)


@pytest.mark.parametrize("name", ROWS)
async def test_matrix(stage: Stage, name: str) -> None:
    """Each role is answered as the table says, with and without a slash; and what is foreign as what is absent."""
    paths = [(verb, path) for verb, path in routes_of(stage.host.inside.app) if named(verb, path) == name]
    assert paths
    for verb, path in paths:
        for row in ROWS[name]:
            answers = {}
            for relation, statuses in row.expected.items():
                for role, status in zip(ROLES, statuses.split(), strict=True):
                    thing = await _thing(stage, "own" if relation == "any" else relation, row)
                    body = row.body(thing) if row.body else None
                    answer = await stage.ask(role, verb, address(path, row, thing), body, row.kind)
                    assert answer[0] == int(status), (verb, path, relation, role, answer[1][:300])
                    answers[relation, role] = answer
            if row.hides and "foreign" in row.expected:
                for role in ROLES:
                    assert answers["foreign", role] == answers["absent", role], (verb, path, role)


async def _thing(stage: Stage, relation: str, row: Row) -> dict[str, str]:
    """What the address names; made anew where the address takes it away."""
    thing = stage.things[relation]
    if relation != "own" or not row.fresh:
        return thing
    if row.fresh == "token":
        await stage.host.token(TEAM, Role.CONSUMER, collections=("public",))
        return thing | {"token": await stage.newest_token()}
    if row.fresh == "proposal":
        return thing | {"proposal": await stage.hold(TEAM, "red-group")}
    if row.fresh == "match":
        return thing | {"match": await stage.match(thing["tag"], BLIND, BEYOND)}
    made = indicator()
    await stage.post(TEAM, thing["collection"], made)
    return thing | {"object": made["id"]}


@pytest.mark.parametrize("name", ROWS)
async def test_rows_say_what_the_policy_says(stage: Stage, name: str) -> None:
    """The table of statuses and the table of permissions were written apart, and agree about every role."""
    method, _, path = name.partition(" ")
    permission = find_permission(method, path)
    assert permission is not None
    assert permission in POLICY
    # What waits was asked for by a colleague: nobody approves their own.
    own = Thing(can_read=True, can_write=True, team_id=1, token_id=2 if "{proposal}" in path else 1)
    team = Team(1, "alcirt", "AL-CSIRT", "AL", TeamKind.NATIONAL, "identity--x")
    for row in (one for one in ROWS[name] if one.judged):
        statuses = next(iter(row.expected.values())).split()
        for role, status in zip(ROLES, statuses, strict=True):
            denied = {"401", "403"} | ({"303"} if permission is Permission.USE_CONSOLE else set())
            if "any" not in row.expected:
                denied |= {"404"}
            if role is None:
                assert (status not in denied) is (permission is Permission.OPEN)
            elif permission is not Permission.SEE_STATUS:  # a thing of one token, and not of each role
                assert (status not in denied) is may(Principal(team, role, 1, None), permission, own)
