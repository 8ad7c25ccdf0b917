"""Decisions over HTTP: the API, and the console's forms, which take only what they themselves were sent with."""

import re
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from regcert.domain.principal import Role
from tests.hosting import RunningHost
from tests.web.test_incidents import listed, seen
from tests.web.test_proposals import page, sign_in
from tests.wire.asking import JSON, Reply, ask

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ID = "5a6e590a-8533-48ba-9b80-621c3ddefff0"


async def send(host: RunningHost, method: str, path: str, body: Any, role: Role = Role.COORDINATOR) -> Reply:
    headers = {**JSON, "Authorization": f"Bearer {await host.token('alcirt', role)}"}
    return await ask(host, method, path, headers=headers, body=orjson.dumps(body))


async def post_form(host: RunningHost, session: dict[str, str], path: str, **form: str) -> int:
    data = urlencode(form)
    headers = session | {"Content-Type": "application/x-www-form-urlencoded"}
    async with host.http.post(host.url + path, data=data, headers=headers, allow_redirects=False) as response:
        return response.status


@pytest.fixture
async def one(host: RunningHost) -> str:
    """An incident of one value: its id."""
    await seen(host, "evil.example", ("alcirt", "srb-cert"))
    (found,) = await listed(host, "alcirt")
    return str(found["id"])


async def test_decision_is_taken_shown_and_taken_back_over_the_api(host, one):
    """Dismissed, listed apart, in the history with who and why; undone, it is on the list again."""
    path = f"/api/v1/incidents/{one}/decisions"
    made = await send(host, "POST", path, {"do": "dismiss", "reason": "a drill"})
    assert (made.status, made.json["do"]) == (202, "dismiss")
    await host.caught_up()
    assert await listed(host, "alcirt") == []
    [apart] = await listed(host, "alcirt", "?dismissed=true")
    assert (apart["id"], apart["standing"]) == (one, "dismissed")
    [told] = (await ask(host, "GET", path, team="srb-cert")).json["decisions"]
    assert (told["id"], told["reason"], told["team"], told["applied"]) == (made.json["id"], "a drill", "alcirt", True)
    undone = await send(host, "POST", path, {"do": "undo", "decision": made.json["id"], "reason": "no drill"})
    assert undone.status == 202
    await host.caught_up()
    assert [again["id"] for again in await listed(host, "alcirt")] == [one]


UNFIT: list[tuple[Any, int]] = [
    ({}, 400),
    ({"do": "pin"}, 400),
    ({"do": "explode", "reason": "x"}, 400),
    ({"do": "pin", "reason": "x", "more": 1}, 400),
    ({"do": "pin", "reason": "x\ny"}, 422),
    ({"do": "pin", "reason": "x" * 401}, 422),
    ({"do": "merge", "reason": "x", "with": "x"}, 400),
    ({"do": "merge", "reason": "x", "with": ID}, 404),
    ({"do": "undo", "reason": "x", "decision": ID}, 404),
    ({"do": "unpin", "reason": "x"}, 422),
    ({"do": "split", "reason": "x", "values": "evil.example"}, 400),
    ({"do": "split", "reason": "x", "values": ["evil.example"]}, 422),
    ({"do": "split", "reason": "x", "values": [{"kind": "x", "value": "y"}]}, 400),
    ({"do": "count", "reason": "x"}, 422),
    ([], 400),
]


async def test_decision_is_refused_when_it_does_not_fit(host, one):
    """Whatever is sent, it is refused with a sentence, and nothing is decided."""
    path = f"/api/v1/incidents/{one}/decisions"
    for body, status in UNFIT:
        reply = await send(host, "POST", path, body)
        assert (reply.status, bool(reply.json["detail"])) == (status, True), body
    assert (await ask(host, "GET", path, team="alcirt")).json == {"decisions": []}


async def test_coordinator_decides_in_the_console(host, one):
    """Forms of the incident's page and of what is held back; an analyst has none, and a form of another site does nothing."""
    session, path = await sign_in(host, Role.COORDINATOR), f"/console/incidents/{one}"
    shown = await page(host, session, path)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', shown)[0]
    assert 'value="pin"' in shown
    assert 'value="pin"' not in await page(host, await sign_in(host, Role.ANALYST), path)
    assert await post_form(host, session, f"{path}/decisions", csrf="wrong", do="pin", reason="x") == 403
    assert await post_form(host, session, f"{path}/decisions", csrf=csrf, do="pin", reason="watch <b>this</b>") == 303
    await host.caught_up()
    shown = await page(host, session, path)
    assert "watch &lt;b&gt;this&lt;/b&gt;" in shown
    assert '<span class="state">pinned</span>' in shown
    assert await post_form(host, session, f"{path}/decisions", csrf=csrf, do="noise", reason="it is ours") == 303
    await host.caught_up()
    held = await page(host, session, "/console/held?reason=noise&kind=domain&value=evil[.]example")
    assert "evil[.]example" in held
    assert "A coordinator says that it is noise here." in held
    form = {"kind": "domain", "value": "evil.example", "collection": "regional-sightings", "reason": "it was not"}
    assert await post_form(host, session, "/console/held", csrf=csrf, do="undo", **form) == 303
    await host.caught_up()
    assert len(await listed(host, "alcirt")) == 1


async def test_team_keeps_its_own_list_of_what_it_protects(host):
    """Put, canonical, read back by the team; a fault names the entry."""
    path = "/api/v1/teams/alcirt/protected"
    kept = await send(host, "PUT", path, {"protected": ["Bank[.]Example", "192.0.2.7/24"]})
    assert (kept.status, kept.json) == (200, {"protected": ["192.0.2.0/24", "bank.example"]})
    assert (await ask(host, "GET", path, team="alcirt")).json == kept.json
    refused = await send(host, "PUT", path, {"protected": ["bank.example", "0.0.0.0/0"]})
    assert (refused.status, refused.code) == (422, "invalid-protected")
    assert "entry 2" in refused.json["detail"]
