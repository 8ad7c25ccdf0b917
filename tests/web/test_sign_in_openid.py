"""The way in through an OpenID provider: a question, its own answer, and nothing else opens it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from aiohttp import web
from joserfc.jwk import ECKey

from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.flows.add_person import PersonOrder, add_person
from regcert.flows.remove_person import remove_person
from regcert.flows.sign_in_elsewhere import SideDoor
from regcert.identity.id_tokens import account
from regcert.outbound import openid
from regcert.outbound.openid import Account, Provider
from regcert.web.services import SERVICES
from tests.hosting import RunningHost
from tests.web.openid_provider import SmallProvider, providing
from tests.wire.asking import Reply, ask

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SAYS_NO = b"That account opens nothing here."


@dataclass
class Browser:
    """A browser on its way out and back."""

    host: RunningHost
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, path: str, **headers: str) -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = await ask(
            self.host, "GET", path, headers={"Authorization": "", "Accept": "text/html", "Cookie": cookie} | headers
        )
        for line in reply.headers.getall("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return reply

    async def set_out(self) -> str:
        reply = await self.open("/console/openid")
        assert reply.status == 303, reply.body
        return reply.headers["Location"]

    async def come_back(self, code: str, state: str, **more: str) -> Reply:
        return await self.open("/console/openid/return?" + urlencode({"code": code, "state": state} | more))

    async def is_in(self) -> bool:
        return (await self.open("/console/")).status == 200


@pytest.fixture
async def provider(host: RunningHost) -> AsyncIterator[SmallProvider]:
    """A provider that the host knows, and an account of it that opens ana's login."""
    async with providing(host.clock.at_us // 1_000_000) as running:
        services = host.inside.app[SERVICES]
        side_door = SideDoor(Provider(Account(running.url, "regcert", "s&cret")), bytes(range(32)), "Sample ID")
        host.inside.app._state[SERVICES] = replace(services, side_door=side_door)
        order = PersonOrder("ana", "alcirt", Role.ANALYST, None, account(running.url, running.subject))
        await add_person(host.inside.database, host.clock, services.door.totp_key, order)
        yield running


async def test_person_is_let_in_when_the_provider_knows_them(host: RunningHost, provider: SmallProvider) -> None:
    """Out with a question, back with a code, in; the page behind leads on by itself, because the cookie is SameSite=Strict."""
    browser = Browser(host)
    assert b"Sign in with <bdi>Sample ID</bdi>" in (await browser.open("/console/sign-in")).body
    address = await browser.set_out()
    assert address.startswith(f"{provider.url}/authorize?theme=dark&")
    reply = await browser.come_back(*provider.agree(address), iss=provider.url)
    assert reply.status == 200
    assert b'http-equiv="refresh" content="0; url=/console/"' in reply.body
    session, question = reply.headers.getall("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(session.split("; "))
    assert "Max-Age=0" in question
    assert await browser.is_in()
    assert len(provider.asked) == len(set(provider.asked)) == 3
    await Browser(host).set_out()
    assert len(provider.asked) == 3  # what the provider says of itself is kept


async def test_question_is_kept_sealed_and_not_for_long(host: RunningHost, provider: SmallProvider) -> None:
    """The cookie tells nothing, is sent on the way back only, and is worth nothing ten minutes later."""
    browser = Browser(host)
    reply = await browser.open("/console/openid", **{"X-Forwarded-Proto": "https"})
    line = reply.headers["Set-Cookie"]
    assert line.startswith("__Host-regcert-openid=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure", "Max-Age=600"} <= set(line.split("; "))
    assert "redirect_uri=https://127.0.0.1" in reply.headers["Location"]
    browser = Browser(host)
    back = provider.agree(await browser.set_out())
    assert back[1] not in browser.cookies["regcert-openid"]
    host.clock.at_us += 600_000_000
    assert (await browser.come_back(*back)).status == 401


WRONG: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "other"}, "audience": {"aud": "other"}, "issuer": {"iss": "https://evil.example"}, "expired": {"exp": 1},
    "subject": {"sub": "somebody else"}, "no subject": {"sub": None},
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_nobody_is_let_in_when_a_claim_is_wrong(host: RunningHost, provider: SmallProvider, name: str) -> None:
    """The page is the same for all of them, also for an account that opens nothing here."""
    provider.claims = WRONG[name]
    browser = Browser(host)
    reply = await browser.come_back(*provider.agree(await browser.set_out()))
    assert reply.status == 401
    assert SAYS_NO in reply.body
    assert not await browser.is_in()
    provider.claims = {"sub": "an account that nobody linked"}
    unknown = await browser.come_back(*provider.agree(await browser.set_out()))
    assert unknown.body == reply.body


@pytest.mark.parametrize("how", ["none", "other key", "noise"])
async def test_nobody_is_let_in_when_the_token_is_not_signed_by_the_provider(
    host: RunningHost, provider: SmallProvider, how: str
) -> None:
    """No algorithm, a stranger's key under the same name, no token at all."""
    if how == "none":
        provider.token = "eyJhbGciOiJub25lIn0.e30."
    elif how == "noise":
        provider.token = "x"
    browser = Browser(host)
    back = provider.agree(await browser.set_out())
    if how == "other key":
        await host.inside.app[SERVICES].side_door.provider.get_keys()  # type: ignore[union-attr]
        provider.key = ECKey.generate_key("P-256", {"kid": "one"})
    assert (await browser.come_back(*back)).status == 401


async def test_new_key_of_the_provider_is_fetched_when_none_fits(
    host: RunningHost, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Providers change their keys; but not more often than once a minute."""
    browser = Browser(host)
    assert (await browser.come_back(*provider.agree(await browser.set_out()))).status == 200
    provider.key = ECKey.generate_key("P-256", {"kid": "two"})
    assert (await browser.come_back(*provider.agree(await browser.set_out()))).status == 401
    monkeypatch.setattr(openid, "LEAST_AGE_S", 0.0)
    assert (await browser.come_back(*provider.agree(await browser.set_out()))).status == 200


async def test_answer_is_good_once_and_in_its_own_browser(host: RunningHost, provider: SmallProvider) -> None:
    """Neither a state that was used, nor one of another sign-in, nor none, opens anything; the provider is not even asked."""
    browser, thief = Browser(host), Browser(host)
    address = await browser.set_out()
    back, kept = provider.agree(address), dict(browser.cookies)
    await thief.set_out()
    assert (await thief.come_back(*back)).status == 401  # a code that was slipped under somebody
    assert (await Browser(host).come_back(*back)).status == 401
    assert "/token" not in provider.asked
    assert (await browser.come_back(*back)).status == 200
    # Another code for the same question, which the provider would take.
    assert (await Browser(host, kept).come_back(*provider.agree(address))).status == 401
    assert provider.asked.count("/token") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"state": ""}, {"code": ""}, {"state": "x" * 5000}, {"code": "x" * 5000}, {"state": "\ud800"}, {"iss": "https://evil.example"},
        {"code": "guess"},
    ],
)  # fmt: skip
async def test_nobody_is_let_in_when_the_way_back_was_changed(
    host: RunningHost, provider: SmallProvider, change: dict[str, str]
) -> None:
    """State, code and issuer are those of this sign-in, or it ends."""
    browser = Browser(host)
    code, state = provider.agree(await browser.set_out())
    query = urlencode({"code": code, "state": state} | change, errors="surrogatepass")
    assert (await browser.open(f"/console/openid/return?{query}")).status == 401
    assert not await browser.is_in()


@pytest.mark.parametrize("cookie", ["", "x", "é", "%00", "AAAA" * 2000, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
async def test_nobody_is_let_in_when_the_cookie_is_not_ours(host: RunningHost, provider: SmallProvider, cookie: str) -> None:
    """Only what this host sealed is a question."""
    browser = Browser(host)
    back = provider.agree(await browser.set_out())
    browser.cookies = {"regcert-openid": cookie}
    assert (await browser.come_back(*back)).status == 401


async def test_browser_is_led_nowhere_else(host: RunningHost, provider: SmallProvider) -> None:
    """Whatever the way back says, the way in leads to the board, and the way out to the provider."""
    browser = Browser(host)
    for word in ("next", "redirect_uri", "return_to", "url"):
        reply = await browser.open(f"/console/openid?{word}=https://evil.example/&iss=https://evil.example")
        assert urlsplit(reply.headers["Location"]).netloc == urlsplit(provider.url).netloc
        assert "evil" not in reply.headers["Location"]
    reply = await browser.come_back(*provider.agree(await browser.set_out()), next="https://evil.example/")
    assert reply.status == 200
    assert b"evil" not in reply.body


async def test_person_is_let_in_no_more_when_removed(host: RunningHost, provider: SmallProvider) -> None:
    """At once, also where they are signed in."""
    browser = Browser(host)
    await browser.come_back(*provider.agree(await browser.set_out()))
    assert await browser.is_in()
    await remove_person(host.inside.database, host.clock, "ana")
    assert not await browser.is_in()
    assert (await browser.come_back(*provider.agree(await browser.set_out()))).status == 401


BROKEN = {
    "other issuer": ("described", {"issuer": "https://evil.example"}),
    "plain endpoint": ("described", {"token_endpoint": "http://id.example/token"}),
    "credentials in an endpoint": ("described", {"token_endpoint": "https://a:b@id.example/token"}),
    "no keys": ("described", {"jwks_uri": None}),
    "file": ("described", {"jwks_uri": "file:///etc/passwd"}),
    "redirects": ("/token", lambda: web.Response(status=307, headers={"Location": "/elsewhere"})),
    "fails": ("/token", lambda: web.Response(status=500)),
    "no JSON": ("/keys", lambda: web.Response(text="<html>")),
    "a list": ("/keys", lambda: web.json_response([])),
    "too large": ("/keys", lambda: web.Response(body=b" " * (openid.MOST_BYTES + 1))),
    "no token": ("/token", lambda: web.json_response({})),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_provider_is_not_believed_when_it_answers_as_none(host: RunningHost, provider: SmallProvider, name: str) -> None:
    """Redirects are not followed, nothing is asked in the clear, nothing is read without end: 503, and nobody is in."""
    where, what = BROKEN[name]
    if where == "described":
        provider.described = what  # type: ignore[assignment]
    else:
        provider.answers[where] = what()  # type: ignore[operator]
    browser = Browser(host)
    reply = await browser.open("/console/openid")
    if reply.status == 303:
        reply = await browser.come_back(*provider.agree(reply.headers["Location"]))
    assert reply.status == 503
    assert not await browser.is_in()


async def test_door_is_not_there_when_no_provider_is_set(host: RunningHost) -> None:
    """Neither its addresses nor its button."""
    browser = Browser(host)
    for path in ("/console/openid", "/console/openid/return?code=x&state=y"):
        assert (await browser.open(path)).status == 404
    assert b"openid" not in (await browser.open("/console/sign-in")).body


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "id.example",
        "ftp://id.example",
        "https://",
        "https://a@b.example",
        "https://b.example#x",
        "https://b.example:99999",
    ],
)
def test_issuer_is_refused_when_others_could_read_along(database_url: str, issuer: str) -> None:
    """HTTPS, or the loopback."""
    with pytest.raises(Refusal) as refused:
        Provider(Account(issuer, "x", ""))
    assert refused.value.code is Code.INVALID_SETTING
