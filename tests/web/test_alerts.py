"""Alerts over HTTP: the API that is read on in and waited for, the console's page, the command."""

import asyncio
import re
import time

import orjson
import pytest

from regcert.cli.app import run
from regcert.domain.principal import Role
from regcert.stix.tlp import MARKING_IDS, Tlp
from regcert.store.audit import Wanted, search_rows
from tests.hosting import RunningHost
from tests.made import indicator

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


STRICT = next(marking_id for marking_id, step in MARKING_IDS.items() if step is Tlp.AMBER_STRICT)


async def ask(host: RunningHost, path: str, team: str = "alcirt", role: Role = Role.ANALYST, **headers: str):
    sent = {"Authorization": f"Bearer {await host.token(team, role)}"} | headers
    async with host.http.get(f"{host.url}{path}", headers=sent) as response:
        return response.status, await response.json(content_type=None), response.headers


async def mark(host: RunningHost, number: object, team: str = "alcirt", role: Role = Role.ANALYST) -> int:
    headers = {"Authorization": f"Bearer {await host.token(team, role)}"}
    async with host.http.post(f"{host.url}/api/v1/alerts/{number}/seen", headers=headers) as response:
        return response.status


async def cross(host: RunningHost, value: str, **properties: str) -> None:
    """Let a value cross a border."""
    for team in ("alcirt", "srb-cert"):
        await host.post([indicator(f"[domain-name:value = '{value}']", **properties)], team)


async def test_page_goes_on_where_the_last_one_ended(host):
    """By number, the first first; what is seen is not asked for again."""
    for name in ("one", "two", "three"):
        await cross(host, f"{name}.example")
        await host.caught_up()
    status, first, _ = await ask(host, "/api/v1/alerts?limit=2")
    assert (status, len(first["alerts"]), first["more"], first["unseen"]) == (200, 2, True, 3)
    _, rest, _ = await ask(host, f"/api/v1/alerts?limit=2&after={first['next']}")
    assert (len(rest["alerts"]), rest["more"], rest["next"]) == (1, False, rest["alerts"][0]["id"])
    told = rest["alerts"][0]
    assert (told["kind"], told["marking"], told["seen"]) == ("crossing", "TLP:AMBER", None)
    assert (told["values"], [one["country"] for one in told["countries"]]) == (
        [{"kind": "domain", "value": "three.example"}], ["AL", "RS"],
    )  # fmt: skip
    assert await mark(host, told["id"]) == 200
    _, left, _ = await ask(host, "/api/v1/alerts?unseen=1")
    assert [one["id"] for one in left["alerts"]] == [one["id"] for one in first["alerts"]]
    assert (await ask(host, "/api/v1/alerts", "hr-cert"))[1] == {"alerts": [], "more": False, "next": 0, "unseen": 0}


async def test_mark_is_refused_for_what_is_not_there(host):
    """Another team's number, one of nobody's, and what is no number look the same; who administers marks nothing."""
    await cross(host, "one.example")
    await host.caught_up()
    number = (await ask(host, "/api/v1/alerts"))[1]["next"]
    assert [await mark(host, one, "hr-cert") for one in (number, 7, "x", "9" * 40)] == [404, 404, 404, 404]
    assert await mark(host, number, role=Role.ADMIN) == 403
    assert [(await ask(host, f"/api/v1/alerts?{query}"))[0] for query in ("after=x", "after=-1", "limit=0")] == [400, 400, 400]


async def test_wait_ends_when_something_is_told(host):
    """`Prefer: wait` is answered as soon as there is an alert, and with nothing when the time is over."""
    began_at = time.monotonic()
    status, page, headers = await ask(host, "/api/v1/alerts", Prefer="wait=1")
    assert (status, page["alerts"], headers["Preference-Applied"]) == (200, [], "wait=1")
    assert 0.9 < time.monotonic() - began_at < 3
    waiting = asyncio.create_task(ask(host, "/api/v1/alerts", Prefer="wait=30"))
    await asyncio.sleep(0.2)
    await cross(host, "waited.example")
    _, page, _ = await asyncio.wait_for(waiting, 10)
    assert [one["kind"] for one in page["alerts"]] == ["crossing"]


async def test_wait_ends_for_nobody_when_others_are_told(host):
    """Whoever waits is not answered for what others are told, and not told that they were."""
    waiting = asyncio.create_task(ask(host, "/api/v1/alerts", "hr-cert", Prefer="wait=2"))
    began_at = time.monotonic()
    await cross(host, "others.example")
    await host.caught_up()
    _, page, _ = await waiting
    assert page["alerts"] == []
    assert time.monotonic() - began_at > 1.5


async def test_page_shows_what_is_new_and_counts_it(host):
    """In the header of every page; what others wrote is inert, and one button says that all of it was seen."""
    await cross(host, "<b>evil</b>.example".replace("<b>", "b").replace("</b>", "c"), name="A bank")
    await host.caught_up()
    form = {"token": await host.token("alcirt")}
    async with host.http.post(f"{host.url}/console/sign-in", data=form, allow_redirects=False) as response:
        cookie = {"Cookie": f"regcert={response.cookies['regcert'].value}"}
    host.http.cookie_jar.clear()
    async with host.http.get(f"{host.url}/console/", headers=cookie) as response:
        assert '<strong class="unread">1<' in await response.text()
    async with host.http.get(f"{host.url}/console/alerts", headers=cookie) as response:
        page = await response.text()
    assert response.status == 200
    for shown in ("A value that you hold crosses borders", "bevilc[.]example", "TLP:AMBER", "AL", "RS"):
        assert shown in page
    [csrf] = re.findall(r'name="csrf" value="([^"]+)"', page)[:1]
    [until] = re.findall(r'name="until" value="([0-9]+)"', page)[:1]
    for sent, expected in (({"until": until}, 403), ({"until": "x", "csrf": csrf}, 400), ({"until": until, "csrf": csrf}, 303)):
        url = f"{host.url}/console/alerts/seen"
        async with host.http.post(url, data=sent, headers=cookie, allow_redirects=False) as response:
            assert response.status == expected
    async with host.http.get(f"{host.url}/console/alerts", headers=cookie) as response:
        page = await response.text()
    assert '<strong class="unread">' not in page
    assert "bevilc[.]example" in page


async def test_reading_of_strict_alerts_is_written_down(host):
    """Who is shown what is marked AMBER+STRICT stands in the audit trail: that it was read, and not what it says."""
    for team in ("alcirt", "srb-cert"):
        made = indicator("[domain-name:value = 'strict.example']", object_marking_refs=[STRICT])
        await host.post([made], team, "financial-sector-group")
    await host.caught_up()
    _, page, _ = await ask(host, "/api/v1/alerts")
    number = page["next"]
    assert [one["marking"] for one in page["alerts"]] == ["TLP:AMBER+STRICT"]
    rows = await host.inside.database.run(search_rows(Wanted(10, action="read")))
    assert [entry.subject for entry, *_ in rows] == [f"alerts {number}..{number}"]


def told_by(capsys) -> list[str]:
    return str(capsys.readouterr().out).splitlines()


async def test_command_lists_alerts(host, capsys, monkeypatch):
    """`regcert alerts`: as a table, as JSON, one line an alert while it follows."""
    await cross(host, "command.example")
    await host.caught_up()
    monkeypatch.setenv("REGCERT_SERVER", host.url)
    monkeypatch.setenv("REGCERT_TOKEN", await host.token("alcirt"))

    def command(*arguments: str) -> int:
        try:
            run(["alerts", *arguments])
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    assert await asyncio.to_thread(command) == 0
    assert any("crossing" in line and "AL, RS" in line for line in told_by(capsys))
    assert await asyncio.to_thread(command, "--json") == 0
    assert len(orjson.loads("\n".join(told_by(capsys)))["alerts"]) == 1
    assert await asyncio.to_thread(command, "--mark-seen") == 0
    told_by(capsys)
    assert (await ask(host, "/api/v1/alerts"))[1]["unseen"] == 0
