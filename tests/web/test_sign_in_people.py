"""The door for people: three things together or nothing, one answer whatever is wrong, and a session that is nobody else's."""

import asyncio
import base64
import re
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from argon2 import PasswordHasher

from regcert.domain.principal import Role
from regcert.domain.whence import Whence
from regcert.errors import Code, Refusal
from regcert.flows import hash_password
from regcert.flows.add_person import PersonOrder, add_person
from regcert.flows.hash_password import AT_ONCE, MOST_WAITING, Hashing
from regcert.flows.link_person import link_person
from regcert.flows.remove_person import remove_person
from regcert.flows.reset_person import reset_person
from regcert.flows.revoke_token import revoke_token
from regcert.flows.sign_in_person import Shown, sign_in_person
from regcert.identity import passwords
from regcert.identity.one_time_codes import code_at
from regcert.store.people import find_person, keep_password, list_people
from regcert.store.tables import METADATA
from regcert.web.coming import Trust
from regcert.web.services import SERVICES
from tests.hosting import RunningHost
from tests.web.test_console import Visitor, csrf_of
from tests.wire.asking import Reply

PASSWORD = "correct horse battery"
STEP_US = 30_000_000
WRONG = "Name, password or code is wrong."

# What one database decides like the other is tried on one.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Person:
    """Somebody with a password and a telephone."""

    def __init__(self, host: RunningHost, login: str, uri: str) -> None:
        self.host, self.login = host, login
        secret = parse_qs(urlsplit(uri).query)["secret"][0]
        self.secret = base64.b32decode(secret)

    def code(self, drift: int = 0) -> str:
        return code_at(self.secret, self.host.clock.at_us // STEP_US + drift)

    async def enter(self, visitor: Visitor, **changed: str) -> Reply:
        form = {"login": self.login, "password": PASSWORD, "code": self.code()} | changed
        return await visitor.send("/console/sign-in", urlencode(form, errors="surrogatepass"))


async def enrol(host: RunningHost, login: str = "ana", role: Role = Role.ANALYST, team: str = "alcirt") -> Person:
    order = PersonOrder(login, team, role, PASSWORD)
    enrolled = await add_person(host.inside.database, host.clock, host.inside.app[SERVICES].door.totp_key, order)
    return Person(host, login, enrolled.uri)


@pytest.fixture
async def ana(host: RunningHost) -> Person:
    return await enrol(host)


async def test_person_is_let_in_by_name_password_and_code(host: RunningHost, ana: Person) -> None:
    """And is who the operator said; the name is written in any case."""
    visitor = Visitor(host)
    reply = await ana.enter(visitor, login=" ANA ")
    assert (reply.status, reply.headers["Location"]) == (303, "/console/")
    board = await visitor.open("/console/")
    assert b"AL-CSIRT" in board.body
    assert b"analyst" in board.body


@on_sqlite
@pytest.mark.parametrize("wrong", ["login", "password", "code", "empty", "removed", "revoked", "long"])
async def test_answer_is_the_same_whatever_is_wrong(host: RunningHost, ana: Person, wrong: str) -> None:
    """Name, password, code, a person who is gone: one page, one status, byte for byte, and no cookie."""
    never = await ana.enter(Visitor(host), login="nobody")
    changed = {"login": {"login": "ann"}, "password": {"password": PASSWORD + "x"}, "code": {"code": "000000"}}.get(wrong, {})
    if wrong == "empty":
        changed = {"login": "", "password": "", "code": ""}
    if wrong == "long":
        changed = {"login": "a" * 2000, "password": "p" * 2000, "code": "1" * 2000}
    if wrong == "removed":
        await remove_person(host.inside.database, host.clock, "ana")
    if wrong == "revoked":
        (one,) = await host.inside.database.run(list_people())
        await revoke_token(host.inside.database, host.clock, one.token_id)
    visitor = Visitor(host)
    reply = await ana.enter(visitor, **changed)
    assert (reply.status, visitor.cookie) == (401, "")
    assert WRONG in reply.body.decode()
    assert reply.body == never.body


async def test_code_is_good_once(host: RunningHost, ana: Person) -> None:
    """Used, it opens nothing again, also not by two at the same moment; the next one does."""
    both = await asyncio.gather(*(ana.enter(Visitor(host)) for _ in range(2)))
    assert sorted(reply.status for reply in both) == [303, 401]
    assert (await ana.enter(Visitor(host), code=ana.code(-1))).status == 401
    assert (await ana.enter(Visitor(host), code=ana.code(+1))).status == 303
    host.clock.at_us += STEP_US
    assert (await ana.enter(Visitor(host))).status == 401  # it was used as the next one


@on_sqlite
async def test_telephones_secret_is_sealed_for_its_owner(host: RunningHost, ana: Person) -> None:
    """Neither it nor the password stands in the database; copied to somebody else's row, it opens nothing there."""
    other = await enrol(host, "bob")
    people = METADATA.tables["people"]
    async with host.inside.database.read() as connection:
        rows = {row.login: row for row in (await connection.execute(people.select())).all()}
    assert ana.secret not in rows["ana"].totp
    assert PASSWORD not in str(rows)
    theft = people.update().where(people.c.login == "bob").values(totp=rows["ana"].totp)
    await host.inside.database.write(lambda tx: tx.connection.execute(theft))
    assert (await other.enter(Visitor(host), code=ana.code())).status == 401
    assert (await other.enter(Visitor(host))).status == 401


async def test_name_waits_when_somebody_guesses(host: RunningHost, ana: Person) -> None:
    """Behind the fifth failure nothing is looked at for a while, whoever is right; a name that nobody has waits as long."""
    answers: dict[str, list[tuple[int, str | None]]] = {}
    for login in ("ana", "nobody"):
        for _ in range(6):
            reply = await ana.enter(Visitor(host), login=login, password="x" * 12)
            answers.setdefault(login, []).append((reply.status, reply.headers.get("Retry-After")))
        late = await ana.enter(Visitor(host), login=login)
        answers[login].append((late.status, late.headers.get("Retry-After")))
        assert b"Too many attempts." in late.body
    assert answers["ana"] == answers["nobody"] == [(401, None)] * 6 + [(429, "5")]
    host.inside.app[SERVICES].door.attempts.forget("name ana")  # as after a restart
    assert (await ana.enter(Visitor(host))).status == 429
    host.clock.at_us += 5_000_000
    assert (await ana.enter(Visitor(host))).status == 303
    assert (await ana.enter(Visitor(host), code=ana.code(+1))).status == 303  # and all is forgotten


@on_sqlite
async def test_address_waits_when_it_tries_many_names(host: RunningHost, ana: Person) -> None:
    """Whoever tries one password on many names is stopped by their address, and who comes from another one is not."""
    statuses = [(await ana.enter(Visitor(host), login=f"n{number}")).status for number in range(22)]
    assert statuses == [401] * 21 + [429]
    shown = Shown("ana", PASSWORD, ana.code())
    services = host.inside.app[SERVICES]
    assert await sign_in_person(services.database, host.clock, services.door, shown, Whence("192.0.2.1"))


@on_sqlite
async def test_many_guesses_at_one_moment_are_many(host: RunningHost, ana: Person) -> None:
    """An attempt counts before it is judged: nobody gets thirty for the price of one by sending them together."""
    replies = await asyncio.gather(*(ana.enter(Visitor(host), password=f"guess number {number}") for number in range(12)))
    assert sorted(reply.status for reply in replies) == [401] * 6 + [429] * 6


async def test_hashing_is_bounded_and_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, some waiting, BUSY beyond that; whoever only wants to be answered is answered meanwhile."""
    running, most = 0, 0

    def slow(_kept: str, _password: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return True

    monkeypatch.setattr("regcert.flows.hash_password.is_password", slow)
    hashing = Hashing()
    asked = [asyncio.create_task(hashing.is_password("x", "y")) for _ in range(AT_ONCE + MOST_WAITING + 10)]
    began_at = time.monotonic()
    await asyncio.sleep(0)
    assert time.monotonic() - began_at < 0.5
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Refusal)]
    assert (len(refused), {one.code for one in refused}, most) == (10, {Code.BUSY}, AT_ONCE)
    assert await hashing.is_password("x", "y")
    assert not await hashing.is_password("", "y")  # nobody's password is not right either


@on_sqlite
async def test_unknown_name_is_compared_like_a_known_one(host: RunningHost, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt pays for exactly one comparison."""
    compared: list[str] = []

    def counting(kept: str, password: str) -> bool:
        compared.append(kept[:30])
        return passwords.is_password(kept, password)

    monkeypatch.setattr(hash_password, "is_password", counting)
    await ana.enter(Visitor(host), password="x" * 12)
    await ana.enter(Visitor(host), login="nobody")
    assert len(compared) == 2
    assert len(set(compared)) == 1  # the same kind, with the same parameters


@on_sqlite
async def test_password_is_kept_anew_when_parameters_have_risen(host: RunningHost, ana: Person) -> None:
    """At the next sign-in, without its owner noticing."""
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    database = host.inside.database
    (one,) = await database.run(list_people())
    await database.write(lambda tx: tx.run(keep_password(one.token_id, weak)))
    assert (await ana.enter(Visitor(host))).status == 303
    found = await database.run(find_person("ana"))
    assert found is not None
    assert found[0].password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await ana.enter(Visitor(host), code=ana.code(+1))).status == 303


@on_sqlite
async def test_session_is_a_new_one_at_every_sign_in(host: RunningHost, ana: Person) -> None:
    """A cookie that somebody planted is not taken over, and the session that the browser had is worth nothing any more."""
    visitor = Visitor(host, cookie="regcert=planted-by-somebody")
    await ana.enter(visitor)
    first = visitor.cookie
    assert first != "regcert=planted-by-somebody"
    await ana.enter(visitor, code=ana.code(+1))
    assert visitor.cookie != first
    for cookie, status in ((first, 303), ("regcert=planted-by-somebody", 303), (visitor.cookie, 200)):
        assert (await visitor.open("/console/", Cookie=cookie)).status == status


async def test_session_ends_with_its_owner(host: RunningHost, ana: Person) -> None:
    """Removed, revoked or reset, the next click leads to the door."""
    key = host.inside.app[SERVICES].door.totp_key
    visitor = Visitor(host)
    await ana.enter(visitor)
    await reset_person(host.inside.database, host.clock, key, "ana", "another long password")
    assert (await visitor.open("/console/")).status == 303
    assert (await ana.enter(visitor, code=ana.code(+1))).status == 401
    bob, other = await enrol(host, "bob"), Visitor(host)
    await bob.enter(other)
    assert (await other.open("/console/")).status == 200
    await remove_person(host.inside.database, host.clock, "bob")
    assert (await other.open("/console/")).status == 303
    again = await enrol(host, "bob")  # the name is free again
    assert (await again.enter(other)).status == 303


@on_sqlite
async def test_session_ends_behind_half_an_hour_without_a_click_or_eight_hours(host: RunningHost, ana: Person) -> None:
    """Clicks keep it, but not for ever."""
    visitor = Visitor(host)
    await ana.enter(visitor)
    for _ in range(16):
        host.clock.at_us += 29 * 60_000_000
        assert (await visitor.open("/console/")).status == 200
    host.clock.at_us += 16 * 60_000_000 + 1
    assert (await visitor.open("/console/")).status == 303
    idle = Visitor(host)
    await ana.enter(idle)
    host.clock.at_us += 30 * 60_000_000
    assert (await idle.open("/console/")).status == 303


@on_sqlite
async def test_session_is_worth_nothing_elsewhere_when_its_token_is_held_to_a_network(host: RunningHost) -> None:
    """A stolen cookie is no way around the network."""
    token = await host.token("alcirt", networks=("127.0.0.1",))
    visitor = Visitor(host)
    await visitor.send("/console/sign-in", f"token={token}")
    assert (await visitor.open("/console/")).status == 200
    host.inside.app._state[SERVICES] = replace(host.inside.app[SERVICES], trust=Trust(("127.0.0.1/32",)))
    assert (await visitor.open("/console/", **{"X-Forwarded-For": "192.0.2.1"})).status == 303


@on_sqlite
async def test_form_of_another_site_is_refused(host: RunningHost, ana: Person) -> None:
    """Neither does it sign anybody in, nor out."""
    visitor = Visitor(host)
    form = urlencode({"login": "ana", "password": PASSWORD, "code": ana.code()})
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert (await visitor.send("/console/sign-in", form, **headers)).status == 403
    assert visitor.cookie == ""
    await ana.enter(visitor)
    board = await visitor.open("/console/")
    assert csrf_of(board)
    assert (await visitor.send("/console/sign-out", "csrf=%ff")).status == 403
    assert (await visitor.open("/console/")).status == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"login": ""}, Code.MALFORMED_REQUEST),
        ({"login": "a b"}, Code.MALFORMED_REQUEST),
        ({"login": "x" * 65}, Code.MALFORMED_REQUEST),
        ({"login": "ana"}, Code.ALREADY_EXISTS),
        ({"login": "ANA"}, Code.ALREADY_EXISTS),
        ({"team": "nobody"}, Code.NOT_FOUND),
        ({"password": "x" * 11}, Code.MALFORMED_REQUEST),
        ({"password": None}, Code.MALFORMED_REQUEST),
        ({"role": Role.CONSUMER}, Code.FORBIDDEN),
    ],
)
@on_sqlite
async def test_person_is_refused_when_something_is_wrong(
    host: RunningHost, ana: Person, changed: dict[str, object], code: Code
) -> None:
    """And nothing is left behind: neither a person nor a token."""
    wanted: dict[str, Any] = {"login": "new", "team": "alcirt", "role": Role.ANALYST, "password": PASSWORD} | changed
    order = PersonOrder(**wanted)
    tokens = METADATA.tables["tokens"]
    async with host.inside.database.read() as connection:
        before = (await connection.execute(tokens.select())).all()
    with pytest.raises(Refusal) as refused:
        await add_person(host.inside.database, host.clock, bytes(32), order)
    assert refused.value.code is code
    async with host.inside.database.read() as connection:
        assert (await connection.execute(tokens.select())).all() == before


async def test_deeds_are_in_the_audit_trail(host: RunningHost, ana: Person) -> None:
    """Who was added, let in, refused and removed; nothing that was typed."""
    await ana.enter(Visitor(host))
    await ana.enter(Visitor(host), login="typed-by-somebody")
    await link_person(host.inside.database, host.clock, "ana", "https://id.example sub")
    await remove_person(host.inside.database, host.clock, "ana")
    audit = METADATA.tables["audit"]
    async with host.inside.database.read() as connection:
        rows = (await connection.execute(audit.select().order_by(audit.c.audit_id))).all()
    rows = [row for row in rows if row.action.startswith(("person-", "sign-"))]
    assert [row.action for row in rows] == ["person-add", "sign-in", "sign-in-refused", "person-link", "person-remove"]
    assert rows[2].subject == "nobody from 127.0.0.1"
    assert not re.search("typed|correct", str(rows))
