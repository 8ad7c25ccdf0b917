"""Tokens on the wire: where they are good, until when, who manages them, and that a revoked one ends at once."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import orjson
import pytest

from regcert.domain.principal import Role
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.list_tokens import list_tokens
from regcert.flows.revoke_token import revoke_token
from regcert.settings import Settings
from regcert.store.database import open_database
from regcert.store.tables import METADATA
from regcert.web.coming import Trust
from regcert.web.services import SERVICES
from regcert.workers.uses import Uses
from tests.hosting import RunningHost
from tests.wire.asking import JSON, OBJECTS, Reply, ask

TOKENS = "/api/v1/tokens"
DISCOVERY = "/taxii2/"

# What one database decides like the other is tried on one.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def show(host: RunningHost, token: str, path: str = DISCOVERY, **headers: str) -> Reply:
    return await ask(host, "GET", path, headers={"Authorization": f"Bearer {token}"} | headers)


def same(one: Reply, other: Reply) -> bool:
    """Tell whether two answers differ in nothing but the request's id."""

    def told(reply: Reply) -> tuple[object, ...]:
        headers = {name: value for name, value in reply.headers.items() if name.lower() not in {"x-request-id", "date"}}
        return reply.status, headers, reply.body.replace(reply.headers["X-Request-Id"].encode(), b"")

    print(told(one))
    print(told(other))
    return told(one) == told(other)


async def token_id(host: RunningHost, token_name: str) -> int:
    return next(one.token_id for one in await list_tokens(host.inside.database) if one.name == token_name)


async def make(host: RunningHost, team: str = "alcirt", role: Role = Role.ANALYST, **narrowed: Any) -> str:
    return await create_token(host.inside.database, host.clock, team, TokenOrder(role, **{"name": "made"} | narrowed))


def trust(host: RunningHost, **said: Any) -> None:
    host.inside.app._state[SERVICES] = replace(host.inside.app[SERVICES], trust=Trust(**said))


@on_sqlite
@pytest.mark.parametrize("networks", [("127.0.0.0/8",), ("192.0.2.0/24", "::ffff:127.0.0.0/104")])
async def test_token_is_good_when_it_is_shown_from_its_network(host: RunningHost, networks: tuple[str, ...]) -> None:
    """One of several is enough, also where it was typed mapped."""
    assert (await show(host, await make(host, networks=networks))).status == 200


@on_sqlite
@pytest.mark.parametrize("held", [{"networks": ("192.0.2.0/24",)}, {"networks": ("::1", "::/0")}, {"certificate": "ab" * 32}])
async def test_token_is_as_one_that_never_was_when_it_is_shown_elsewhere(host: RunningHost, held: dict[str, Any]) -> None:
    """From another network, or without its certificate: nothing tells it from a token that nobody made."""
    token, never = await make(host, **held), await show(host, "regcert_never")
    assert never.status == 401
    for path in (DISCOVERY, OBJECTS, TOKENS):
        assert same(await show(host, token, path), await show(host, "regcert_never", path))
    # Neither what it once was, nor what the process remembers of it, opens anything.
    assert same(await show(host, token, **{"X-Forwarded-For": "192.0.2.1"}), never)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "good"),
    [
        ((), "192.0.2.1", False),
        (("127.0.0.0/8",), "192.0.2.1", True),
        (("127.0.0.0/8",), "203.0.113.9, 192.0.2.1", True),
        (("127.0.0.0/8",), "192.0.2.1, 203.0.113.9", False),  # the first one is what the client wrote itself
        (("127.0.0.0/8", "10.0.0.0/8"), "192.0.2.1, 10.0.0.1", True),
        (("127.0.0.0/8",), "::ffff:192.0.2.1", True),
        (("127.0.0.0/8",), "192.0.2.1, x", False),
        (("127.0.0.0/8",), "", False),
        (("127.0.0.0/8",), ", ".join(["192.0.2.1", *["127.0.0.1"] * 20]), False),
        (("10.0.0.0/8",), "192.0.2.1", False),
    ],
)
@on_sqlite
async def test_address_is_the_proxys_word_when_the_proxy_is_trusted(
    host: RunningHost,
    proxies: tuple[str, ...],
    forwarded: str,
    good: bool,  # noqa: FBT001
) -> None:
    """Only a trusted proxy says where a request comes from, and only what stands behind the last address that is not one."""
    token = await make(host, networks=("192.0.2.0/24",))
    trust(host, proxies=proxies)
    assert (await show(host, token, **{"X-Forwarded-For": forwarded})).status == (200 if good else 401)


@on_sqlite
async def test_certificate_is_the_proxys_word_when_the_proxy_is_trusted(host: RunningHost) -> None:
    """A client that names a certificate itself has none; through a trusted proxy it has the one that the proxy names."""
    token, header = await make(host, certificate="AB:" * 31 + "AB"), {"X-Client-Fingerprint": "ab" * 32}
    assert (await show(host, token, **header)).status == 401
    trust(host, certificate_header="X-Client-Fingerprint")
    assert (await show(host, token, **header)).status == 401
    trust(host, proxies=("127.0.0.1/32",), certificate_header="X-Client-Fingerprint")
    assert (await show(host, token, **header)).status == 200
    assert (await show(host, token, **{"X-Client-Fingerprint": "cd" * 32})).status == 401


async def test_token_is_worth_nothing_from_the_commit_of_its_revocation(host: RunningHost) -> None:
    """The request behind it gets the answer of a token that never was; revoking again says that there is none."""
    token = await make(host)
    assert (await show(host, token)).status == 200
    await revoke_token(host.inside.database, host.clock, await token_id(host, "made"))
    assert same(await show(host, token), await show(host, "regcert_never"))


@pytest.mark.parametrize("by", ["this process", "another process", "its end"])
async def test_wait_ends_when_its_token_does(host: RunningHost, settings: Settings, by: str) -> None:
    """Whoever long-polls with a token that is revoked, here or by a command, or expires, is sent away within five seconds."""
    token = await make(host, valid_us=60_000_000)
    number = await token_id(host, "made")
    url = host.url + OBJECTS
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/taxii+json;version=2.1", "Prefer": "wait=30"}
    async with host.http.get(url, headers=headers | {"Prefer": ""}) as empty:
        assert (empty.status, await empty.json(content_type=None)) == (200, {})
    polling = asyncio.create_task(_poll(host, url, headers))
    await asyncio.sleep(0.3)
    assert not polling.done()
    began_at = time.monotonic()
    if by == "this process":
        await revoke_token(host.inside.database, host.clock, number)
    elif by == "another process":
        async with open_database(settings.database_url, host.clock) as other:
            await revoke_token(other, host.clock, number)
    else:
        host.clock.at_us += 60_000_000
    assert await asyncio.wait_for(polling, 5) == 401
    assert time.monotonic() - began_at < 5


async def _poll(host: RunningHost, url: str, headers: dict[str, str]) -> int:
    async with host.http.get(url, headers=headers) as reply:
        return reply.status


async def test_last_use_is_written_at_most_once_a_minute(host: RunningHost) -> None:
    """A hundred requests are one write; another process or a later minute sees when it was."""
    uses = Uses(host.inside.database, host.clock)
    host.inside.app._state[SERVICES] = replace(host.inside.app[SERVICES], note_use=uses.note)
    token = await make(host)
    number = await token_id(host, "made")

    async def used_us() -> int | None:
        await uses.flush()
        return next(one.used_us for one in await list_tokens(host.inside.database) if one.token_id == number)

    assert await used_us() is None
    await show(host, token)
    first = host.clock.at_us
    assert await used_us() == first
    host.clock.at_us += 59_000_000
    await show(host, token)
    assert await used_us() == first
    host.clock.at_us += 1_000_000
    await show(host, token)
    assert await used_us() == first + 60_000_000


@on_sqlite
async def test_uses_stay_bounded_when_there_are_too_many_tokens(host: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of tokens does not grow with their number."""
    monkeypatch.setattr("regcert.workers.uses.MOST_TOKENS", 10)
    uses = Uses(host.inside.database, host.clock)
    for number in range(1000):
        uses.note(number)
    assert len(uses._noted) <= 10 >= len(uses._waiting)


# What a team's administrators do themselves.


async def manage(host: RunningHost, method: str, path: str, body: Any = None, role: Role = Role.ADMIN, **who: Any) -> Reply:
    sent = None if body is None else orjson.dumps(body)
    return await ask(host, method, path, role=role, headers=JSON | who.pop("headers", {}), body=sent, **who)


async def test_admin_makes_lists_and_revokes_the_tokens_of_its_own_team(host: RunningHost) -> None:
    """The token stands in one answer and nowhere else; the list says all but that; each deed is in the audit trail."""
    order = {
        "role": "consumer",
        "name": "siem",
        "collections": ["regional-indicators"],
        "networks": ["127.0.0.1"],
        "expires_days": 90,
    }
    made = await manage(host, "POST", TOKENS, order)
    assert made.status == 201
    token = made.json["token"]
    assert (await show(host, token, OBJECTS)).status == 200
    listed = await manage(host, "GET", TOKENS)
    (one,) = [one for one in listed.json["tokens"] if one["id"] == made.json["id"]]
    assert token not in listed.body.decode()
    assert (one["team"], one["role"], one["name"], one["networks"], one["collections"]) == (
        "alcirt", "consumer", "siem", ["127.0.0.1/32"], ["regional-indicators"],
    )  # fmt: skip
    assert one["expires"] == host.at(90).replace("Z", "Z")
    assert (await manage(host, "DELETE", f"{TOKENS}/{one['id']}")).status == 200
    assert (await show(host, token)).status == 401
    assert (await manage(host, "DELETE", f"{TOKENS}/{one['id']}")).status == 404
    async with host.inside.database.read() as connection:
        audit = METADATA.tables["audit"]
        rows = (await connection.execute(audit.select().where(audit.c.action.like("token-%")).order_by(audit.c.audit_id))).all()
    deeds = [(row.action, row.subject) for row in rows if row.token_id is not None]
    assert deeds == [("token-create", f"alcirt consumer {one['id']}"), ("token-revoke", str(one["id"]))]


async def test_foreign_token_is_as_absent_when_an_admin_asks(host: RunningHost) -> None:
    """Neither the region's coordination team nor anybody else sees or ends another team's tokens."""
    await make(host, "srb-cert", name="theirs")
    number = await token_id(host, "theirs")
    for team in ("alcirt", "regional-centre"):
        assert "theirs" not in (await manage(host, "GET", TOKENS, team=team)).body.decode()
        foreign = await manage(host, "DELETE", f"{TOKENS}/{number}", team=team)
        absent = await manage(host, "DELETE", f"{TOKENS}/999999", team=team)
        assert foreign.status == 404
        assert same(foreign, absent)
    assert next(one for one in await list_tokens(host.inside.database) if one.token_id == number).revoked_us is None


@on_sqlite
@pytest.mark.parametrize("role", [Role.ANALYST, Role.CONSUMER, Role.COORDINATOR])
async def test_others_manage_no_tokens(host: RunningHost, role: Role) -> None:
    """Only a team's admin does."""
    for method, path in (("GET", TOKENS), ("POST", TOKENS), ("DELETE", f"{TOKENS}/1")):
        body = {"role": "consumer"} if method == "POST" else None
        assert (await manage(host, method, path, body, role=role)).status == 403


async def test_admin_hands_on_no_more_than_it_has(host: RunningHost) -> None:
    """A token that is narrowed, or ends, makes none that is wider or lives longer; nobody makes coordinators over HTTP."""
    narrow = await make(host, role=Role.ADMIN, collections=("regional-indicators",), valid_us=10 * 86_400_000_000)
    held: dict[str, Any] = {"headers": {"Authorization": f"Bearer {narrow}"}}
    good = {"role": "consumer", "collections": ["regional-indicators"], "expires_days": 9}
    assert (await manage(host, "POST", TOKENS, good, **held)).status == 201
    changes: list[dict[str, Any]] = [{"collections": []}, {"expires_days": 11}, {"expires_days": None}, {"role": "coordinator"}]
    for change in changes:
        assert (await manage(host, "POST", TOKENS, good | change, **held)).status == 403, change
    foreign = await manage(host, "POST", TOKENS, good | {"collections": ["public"]}, **held)
    absent = await manage(host, "POST", TOKENS, good | {"collections": ["no-such"]}, **held)
    assert foreign.status == 404
    assert same(foreign, absent)


MALFORMED = [
    [], "x", {}, {"role": "king"}, {"role": ["admin"]}, {"role": "admin", "more": 1}, {"role": "admin", "expires_days": 0},
    {"role": "admin", "expires_days": True}, {"role": "admin", "expires_days": 1.5}, {"role": "admin", "expires_days": 10**9},
    {"role": "admin", "networks": "127.0.0.1"}, {"role": "admin", "networks": ["x"]}, {"role": "admin", "networks": [1]},
    {"role": "admin", "certificate": "x"}, {"role": "admin", "name": ""}, {"role": "admin", "name": "a\nb"},
    {"role": "admin", "collections": ["x"] * 101}, {"role": "admin", "name": "x" * 201},
]  # fmt: skip


@on_sqlite
async def test_order_is_refused_when_it_is_malformed(host: RunningHost) -> None:
    """A property that is misspelt is no narrowing: each order is whole or refused, and makes nothing."""
    await host.token("alcirt", Role.ADMIN)
    before = len(await list_tokens(host.inside.database))
    for body in MALFORMED:
        assert (await manage(host, "POST", TOKENS, body)).status == 400, body
    for path in (f"{TOKENS}?next=x", f"{TOKENS}?next=-1", f"{TOKENS}?next={'9' * 30}"):
        assert (await manage(host, "GET", path)).status == 400
    for number in ("0", "x", "-1", "9" * 9, "9" * 40, "%31%00", "١"):
        assert (await manage(host, "DELETE", f"{TOKENS}/{number}")).status in {400, 404}
    assert len(await list_tokens(host.inside.database)) == before


@on_sqlite
async def test_list_is_paged_when_it_is_long(host: RunningHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every token stands on exactly one page."""
    for number in range(205):
        await make(host, name=f"n{number}")
    first = (await manage(host, "GET", TOKENS)).json
    second = (await manage(host, "GET", f"{TOKENS}?next={first['next']}")).json
    assert len(first["tokens"]) == 200
    assert second["next"] is None
    names = [one["name"] for page in (first, second) for one in page["tokens"]]
    assert len(names) == len({one["id"] for page in (first, second) for one in page["tokens"]})
    assert {f"n{number}" for number in range(205)} <= set(names)
