"""Blind matches over HTTP: exactly the declared fields, the dialogue in the API and in the console, the commands."""

import re
import uuid

import pytest

from regcert.clock import DAY_US
from regcert.domain.collection import SignatureRule
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry
from regcert.flows.add_collection import add_collection
from regcert.stix.tlp import Tlp
from tests.hosting import RunningHost
from tests.made import indicator

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CIRCLES = {"north": ("hr-cert", "bih-cert"), "south": ("alcirt", "mkd-cert")}
VALUE = "both.example"


@pytest.fixture
async def matched(host: RunningHost) -> RunningHost:
    """Two circles that take part hold a value, since yesterday."""
    for slug, teams in CIRCLES.items():
        entry = CollectionEntry(
            slug, str(uuid.uuid4()), slug, slug, Tlp.AMBER, SignatureRule.ACCEPTED, teams, teams, blind_matching=True
        )
        await add_collection(host.inside.database, host.clock, entry)
        await host.post([indicator(f"[domain-name:value = '{VALUE}']")], teams[0], slug)
    await host.caught_up()
    host.clock.at_us += DAY_US
    return host


async def ask(host, team: str, method: str, path: str = "", role: Role = Role.ANALYST, **options):
    headers = {"Authorization": f"Bearer {await host.token(team, role)}"} | options.pop("headers", {})
    url = f"{host.url}/api/v1/blind-matches{path}"
    async with host.http.request(method, url, headers=headers, **options) as response:
        return response.status, await response.json(content_type=None)


async def test_api_tells_exactly_what_is_declared(matched):
    """A side is shown these fields and no other, before and after; whoever forwards is not shown the value."""
    status, page = await ask(matched, "hr-cert", "GET")
    one = page["matches"][0]
    day = {"told": one["told"], "ends": one["ends"]}
    told = {"id": one["id"], "state": "told", "may": ["ask", "refuse"]} | day
    told |= {"value": {"kind": "domain", "value": VALUE}, "others": {"circles": 1, "marking": "TLP:AMBER"}}
    assert (status, page) == (200, {"matches": [told], "next": None})
    assert [re.fullmatch(r"\d{4}-\d\d-\d\d", text) is None for text in day.values()] == [False, False]
    path = f"/{one['id']}"
    assert await ask(matched, "hr-cert", "GET", path) == (200, told | {"opened": [], "dialogue": []})
    assert (await ask(matched, "hr-cert", "POST", f"{path}/ask", json={"note": "who are you?"}))[1]["state"] == "asked"
    _, seen = await ask(matched, "regional-centre", "GET", path, Role.COORDINATOR)
    step = seen["dialogue"][0]
    assert seen == {
        "id": one["id"], "state": "asked", "may": ["close", "forward"], **day,
        "sides": [
            {"team": "alcirt", "marking": "TLP:AMBER", "stance": "silent"},
            {"team": "hr-cert", "marking": "TLP:AMBER", "stance": "asked"},
        ],
        "dialogue": [{"at": step["at"], "by": "hr-cert", "deed": "ask", "note": "who are you?"}],
    }  # fmt: skip
    assert (await ask(matched, "regional-centre", "POST", f"{path}/forward", Role.COORDINATOR))[0] == 200
    assert (await ask(matched, "alcirt", "POST", f"{path}/agree", json={"objects": []}))[1]["state"] == "opened"
    _, shown = await ask(matched, "hr-cert", "GET", path)
    assert shown["opened"] == [{"team": "alcirt", "name": "AL-CSIRT", "website": "https://aksk.gov.al", "objects": []}]
    assert [(said["by"], said["deed"]) for said in shown["dialogue"]] == [
        ("hr-cert", "ask"), ("coordinator", "forward"), ("alcirt", "agree"),
    ]  # fmt: skip


async def test_step_is_refused_when_what_is_said_with_it_is_not_as_it_must_be(matched):
    """Whatever somebody sends: a refusal, and nothing has changed."""
    _, page = await ask(matched, "hr-cert", "GET")
    path = f"/{page['matches'][0]['id']}/ask"
    bodies: dict[bytes, int] = {
        b"{": 400,
        b"[]": 400,
        b'{"note":1}': 400,
        b'{"note":"a","objects":[1]}': 400,
        b'{"note":"a","objects":["indicator--1"]}': 400,
        b'{"note":"a","more":1}': 400,
        b'{"note":"' + b"a" * 1001 + b'"}': 400,
        b'{"note":"' + b"a" * 40_000 + b'"}': 413,
        b"": 400,
    }
    for body, status in bodies.items():
        answer = await ask(matched, "hr-cert", "POST", path, data=body, headers={"Content-Type": "application/json"})
        assert answer[0] == status, (body[:40], answer)
    assert (await ask(matched, "hr-cert", "POST", path, data=b"note", headers={"Content-Type": "text/plain"}))[0] == 415
    assert (await ask(matched, "hr-cert", "GET"))[1] == page


async def sign_in(host: RunningHost, team: str, role: Role = Role.ANALYST) -> dict[str, str]:
    form = {"token": await host.token(team, role)}
    async with host.http.post(f"{host.url}/console/sign-in", data=form, allow_redirects=False) as response:
        return {"Cookie": f"regcert={response.cookies['regcert'].value}"}


async def shown(host: RunningHost, session: dict[str, str], path: str = "") -> str:
    host.http.cookie_jar.clear()
    async with host.http.get(f"{host.url}/console/blind-matches{path}", headers=session) as response:
        assert response.status == 200
        return await response.text()


async def send(host: RunningHost, session: dict[str, str], path: str, csrf: str, note: str = "") -> int:
    host.http.cookie_jar.clear()
    url, form = f"{host.url}/console/blind-matches{path}", {"csrf": csrf, "note": note}
    async with host.http.post(url, data=form, headers=session, allow_redirects=False) as response:
        return response.status


async def test_dialogue_is_led_in_the_console(matched):
    """The list leads to the match; its forms ask, forward and agree; each page names nobody before its time."""
    north, south = await sign_in(matched, "hr-cert"), await sign_in(matched, "alcirt", Role.COORDINATOR)
    centre = await sign_in(matched, "regional-centre", Role.COORDINATOR)
    [match_id] = set(re.findall(r"/console/blind-matches/([0-9a-f-]{36})", await shown(matched, north)))
    path = f"/{match_id}"
    page = await shown(matched, north, path)
    assert "AL-CSIRT" not in page
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    assert await send(matched, north, f"{path}/ask", "not ours", "why") == 403
    assert await send(matched, north, f"{path}/ask", csrf, "<b>why</b>\r\nindeed") == 303
    assert "&lt;b&gt;why&lt;/b&gt;" in await shown(matched, centre, path)
    for session, deed in ((centre, "forward"), (south, "agree")):
        page = await shown(matched, session, path)
        assert (VALUE.replace(".", "[.]") in page) is (session is south)
        assert ("CERT.hr" in page) is False
        csrf = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
        assert await send(matched, session, f"{path}/{deed}", csrf) == 303
    assert "AL-CSIRT" in await shown(matched, north, path)
    assert "CERT.hr" in await shown(matched, south, path)
    listed = await shown(matched, centre)
    assert ("alcirt, hr-cert" in listed, "How much was compared" in listed, VALUE in listed) == (True, True, False)
