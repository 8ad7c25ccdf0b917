"""The console over HTTP: who is let in, for how long, and what every page forbids the browser."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from regcert.domain.principal import Role
from regcert.store.database import Tx
from regcert.web.console.pages import CONTENT_SECURITY_POLICY
from tests.hosting import RunningHost
from tests.web.test_incidents import listed, seen
from tests.wire.asking import FORM, Reply, ask

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Visitor:
    """A browser as far as HTTP goes: no token in a header, a cookie from the first answer that sets one."""

    host: RunningHost
    cookie: str = ""

    async def open(self, path: str, **headers: str) -> Reply:
        return await ask(
            self.host, "GET", path, headers={"Authorization": "", "Accept": "text/html", "Cookie": self.cookie} | headers
        )

    async def send(self, path: str, form: str, **headers: str) -> Reply:
        sent = {"Authorization": "", "Cookie": self.cookie, **FORM} | headers
        reply = await ask(self.host, "POST", path, headers=sent, body=form.encode())
        if "Set-Cookie" in reply.headers:
            self.cookie = reply.headers["Set-Cookie"].partition(";")[0]
        return reply


@pytest.fixture
async def visitor(host: RunningHost) -> Visitor:
    visitor = Visitor(host)
    await visitor.send("/console/sign-in", f"token={await host.token('alcirt')}")
    return visitor


def csrf_of(page: Reply) -> str:
    return page.body.decode().partition('name="csrf" value="')[2].partition('"')[0]


async def test_door_stands_first_when_nobody_has_signed_in(host: RunningHost) -> None:
    """Every page leads to the door; the door itself is open."""
    visitor = Visitor(host)
    assert (await visitor.open("/")).headers["Location"] == "/console/"
    for path in ("/console/", "/console/incidents/x"):
        reply = await visitor.open(path)
        assert (reply.status, reply.headers["Location"]) == (303, "/console/sign-in")
    door = await visitor.open("/console/sign-in")
    assert door.status == 200
    assert b'name="token"' in door.body


async def test_session_begins_when_the_token_is_good(host: RunningHost) -> None:
    """The cookie is HttpOnly and SameSite=Strict; over TLS it is Secure, and its name says that this host set it."""
    token = await host.token("alcirt")
    reply = await Visitor(host).send("/console/sign-in", f"token=%20{token}%20")
    assert (reply.status, reply.headers["Location"]) == (303, "/console/")
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith("regcert=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert token not in cookie
    behind_tls = (await Visitor(host).send("/console/sign-in", f"token={token}", **{"X-Forwarded-Proto": "https"})).headers[
        "Set-Cookie"
    ]
    assert behind_tls.startswith("__Host-regcert=")
    assert "Secure" in behind_tls.split("; ")


async def test_nobody_is_let_in_when_the_token_is_not_for_people(host: RunningHost) -> None:
    """A wrong token is 401, a machine's 403; both see the same page, without a word of what was typed."""
    visitor = Visitor(host)
    wrong = await visitor.send("/console/sign-in", "token=regcert_guess")
    machine = await visitor.send("/console/sign-in", f"token={await host.token('alcirt', Role.CONSUMER)}")
    assert (wrong.status, machine.status, visitor.cookie) == (401, 403, "")
    assert wrong.body == machine.body
    assert b"guess" not in wrong.body


async def test_board_and_incident_are_shown_when_somebody_is_signed_in(host: RunningHost, visitor: Visitor) -> None:
    """The board lists the incident, defanged, and leads to its page; both are whole documents."""
    await seen(host, "evil-bank.example", ("alcirt", "srb-cert"))
    (one,) = await listed(host, "alcirt")
    board = await visitor.open("/console/")
    assert board.status == 200
    for words in ("evil-bank[.]example", f"/console/incidents/{one['id']}", "AL-CSIRT"):
        assert words in board.body.decode()
    page = await visitor.open(f"/console/incidents/{one['id']}")
    assert page.status == 200
    for words in ("evil-bank[.]example", "SRB-CERT", "Albania", one["id"]):
        assert words in page.body.decode()


async def test_incident_is_not_there_when_it_is_another_groups(host: RunningHost, visitor: Visitor) -> None:
    """A page says no to it as to one that never was."""
    await seen(host, "bank.example", ("mkd-cert", "srb-cert"), collection="financial-sector-group")
    (one,) = await listed(host, "srb-cert")
    outsider = Visitor(host)
    await outsider.send("/console/sign-in", f"token={await host.token('hr-cert')}")
    foreign = await outsider.open(f"/console/incidents/{one['id']}")
    absent = await outsider.open("/console/incidents/5a6e590a-8533-48ba-9b80-621c3ddefff0")
    assert (foreign.status, absent.status, foreign.body) == (404, 404, absent.body)
    assert (await visitor.open(f"/console/incidents/{one['id']}")).status == 200  # alcirt is of that group


async def test_session_ends_when_its_token_is_revoked_or_time_is_up(host: RunningHost, visitor: Visitor) -> None:
    """The next click after a revocation, or half an hour without one, leads to the door."""
    assert (await visitor.open("/console/")).status == 200
    host.clock.at_us += 30 * 60_000_000
    assert (await visitor.open("/console/")).status == 303
    host.clock.at_us -= 30 * 60_000_000
    assert (await visitor.open("/console/")).status == 200

    async def revoke(tx: Tx) -> None:
        await tx.connection.execute(text("UPDATE tokens SET revoked_us = 1"))

    await host.inside.database.write(revoke)
    assert (await visitor.open("/console/")).status == 303


async def test_session_ends_when_somebody_signs_out(visitor: Visitor) -> None:
    """Only the console's own form does it; afterwards the cookie is worth nothing, also to whoever kept a copy."""
    board = await visitor.open("/console/")
    kept = visitor.cookie
    good = f"csrf={csrf_of(board)}"
    for form, headers in (
        ("", {}),
        ("csrf=x", {}),
        (good, {"Origin": "http://evil.example"}),
        (good, {"Origin": "null"}),
        (good, {"Sec-Fetch-Site": "cross-site"}),
    ):
        assert (await visitor.send("/console/sign-out", form, **headers)).status == 403
    assert (await visitor.open("/console/")).status == 200
    reply = await visitor.send("/console/sign-out", good, Origin=visitor.host.url)
    assert (reply.status, reply.headers["Location"]) == (303, "/console/sign-in")
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    assert (await visitor.open("/console/", Cookie=kept)).status == 303


async def test_page_forbids_the_browser_everything_else_when_it_is_sent(host: RunningHost, visitor: Visitor) -> None:
    """Every page, also one that says no, carries the policy that its markup is made for; it names no other origin."""
    for path in ("/console/", "/console/sign-in", "/console/incidents/x", "/console/nothing", "/console/?next=x"):
        reply = await visitor.open(path)
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        assert reply.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert reply.headers["Cache-Control"] == "private, no-store"
        for forbidden in (b"http://", b"https://", b"<style", b" style=", b" onclick", b"javascript:"):
            assert forbidden not in reply.body.lower().replace(b"http://www.w3.org", b""), (path, forbidden)


async def test_asset_is_served_for_ever_when_a_page_names_it(visitor: Visitor) -> None:
    """Each address of a page's own files answers, with its type; nothing else of the disk does."""
    page = (await visitor.open("/console/")).body.decode()
    named = {part.partition('"')[0] for part in page.split('"/console/static/')[1:]}
    assert len(named) == 3
    for name in named:
        reply = await visitor.open(f"/console/static/{name}")
        assert (reply.status, reply.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        assert reply.headers["Content-Type"].split(";")[0] in {"text/css", "text/javascript", "image/svg+xml"}
    for name in ("../handlers.py", "..%2fhandlers.py", "%2e%2e/pages.py", "/etc/passwd", "console.css/"):
        assert (await visitor.open(f"/console/static/{name}")).status == 404
