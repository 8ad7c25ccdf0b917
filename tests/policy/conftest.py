"""A host with everything that a route can be asked for: own, shared, foreign and absent."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import func, select

from regcert.clock import DAY_US
from regcert.domain.blind_match import Holder
from regcert.domain.collection import SignatureRule
from regcert.domain.principal import Role
from regcert.domain.region import CollectionEntry
from regcert.flows.add_collection import add_collection
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp
from regcert.store.blind_matches import add_sides, begin_match
from regcert.store.ledger import observable_key
from regcert.store.programs import Program
from regcert.store.tables import METADATA
from tests.founding import Templates
from tests.hosting import ROOT, TAXII, RunningHost, StillClock, run_host
from tests.made import CREATED, envelope, indicator

TEAM, NEIGHBOUR, FOREIGNERS = "alcirt", "mkd-cert", ("kos-cert", "hr-cert")
COLLECTIONS = {"own": "financial-sector-group", "shared": "regional-indicators", "foreign": "foreign-group", "absent": "no-such"}
# Who has something that waits for a second person; of the neighbour's nobody of the team may know, though it reads where it goes.
WAITING = (("own", TEAM, "red-group"), ("shared", NEIGHBOUR, "red-group"), ("foreign", FOREIGNERS[0], "foreign-group"))
# Circles that take part in blind matching: who holds what the team holds, and where the team holds it.
BEYOND, BLIND = ("cirt-me", "blind-beyond"), (TEAM, "blind-own")
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
JSON = "application/json"


@dataclass
class Stage:
    """A running host, who asks on it, and what there is to ask for.

    Args:
        host: with three circles of teams.
        things: by own, shared, foreign and absent: a value for each part of an address.
        sessions: the console cookie of each role that has one.
    """

    host: RunningHost
    things: dict[str, dict[str, str]] = field(default_factory=dict)
    sessions: dict[Role, str] = field(default_factory=dict)

    async def post(self, team: str, collection: str, *objects: dict[str, Any]) -> str:
        """Publish something and return the id of its status."""
        status, answer = await self.host.post(objects, team, collection)
        assert status == 202
        assert not answer["failure_count"], answer
        return str(answer["id"])

    async def see(self, team: str, collection: str, value: str) -> None:
        """Report that a value was seen."""
        headers = {"Authorization": f"Bearer {await self.host.token(team)}", "Content-Type": JSON}
        body = orjson.dumps({"value": value, "collection": collection})
        async with self.host.http.post(f"{self.host.url}/api/v1/sightings", headers=headers, data=body) as response:
            assert response.status == 200

    async def ask(
        self, role: Role | None, method: str, path: str, body: bytes | None, kind: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Ask as a role of the team, or as nobody; return all that can be seen of the answer."""
        headers = {"Content-Type": kind} if body is not None else {}
        if role is not None and path.startswith("/console"):
            headers["Cookie"] = f"regcert={self.sessions.get(role, '')}"
        elif role is not None:
            headers |= {"Authorization": f"Bearer {await self.host.token(TEAM, role)}", "Accept": "*/*"}
        self.host.http.cookie_jar.clear()
        asked = self.host.http.request(method, self.host.url + path, headers=headers, data=body, allow_redirects=False)
        async with asked as response:
            content = (await response.read()).replace(response.headers["X-Request-Id"].encode(), b"-")
            left_out = {"date", "x-request-id", "set-cookie"}
            return response.status, content, {k: v for k, v in response.headers.items() if k.lower() not in left_out}

    async def sign_in(self) -> None:
        """Open a console session for each role that may have one."""
        for role in Role:
            form = {"token": await self.host.token(TEAM, role)}
            url = f"{self.host.url}/console/sign-in"
            async with self.host.http.post(url, data=form, allow_redirects=False) as response:
                if "regcert" in response.cookies:
                    self.sessions[role] = response.cookies["regcert"].value
        self.host.http.cookie_jar.clear()

    async def hold(self, team: str, collection: str) -> str:
        """Let a colleague post something RED, which waits for a second person; return what waits."""
        before = await self._proposals()
        token = await self.host.token(team, Role.ANALYST, collections=(collection,))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": TAXII, "Accept": TAXII}
        body = envelope(indicator(object_marking_refs=[RED]))
        path = f"{self.host.url}{ROOT}/collections/{collection}/objects/"
        async with self.host.http.post(path, headers=headers, data=body) as response:
            assert response.status == 202
        (made,) = await self._proposals() - before
        return made

    async def _proposals(self) -> set[str]:
        async with self.host.inside.database.read() as connection:
            return set((await connection.execute(select(METADATA.tables["proposals"].c.proposal_id))).scalars())

    async def match(self, tag: str, *sides: tuple[str, str]) -> str:
        """Let some teams have been told yesterday that each holds a value in a collection; return the match."""
        key = observable_key(Observable(ObservableKind.DOMAIN, tag))
        holders = [
            Holder(
                await self.key_of("collections", "scope", slug=collection),
                int(await self.key_of("teams", "team_id", slug=team)),
                Tlp.AMBER,
            )
            for team, collection in sides
        ]

        def work(now_us: int) -> Program[str]:
            match_id = yield from begin_match(key, now_us - DAY_US)
            yield from add_sides(match_id, holders, now_us - DAY_US)
            return match_id

        return await self.host.inside.database.apply(work)

    async def newest_token(self) -> str:
        """Tell the id of the token that was made last."""
        async with self.host.inside.database.read() as connection:
            return str((await connection.execute(select(func.max(METADATA.tables["tokens"].c.token_id)))).scalar_one())

    async def key_of(self, table: str, column: str, **where: object) -> str:
        """Look something up as nobody could over HTTP."""
        rows = METADATA.tables[table]
        query = select(rows.c[column]).where(*(rows.c[name] == value for name, value in where.items())).limit(1)
        async with self.host.inside.database.read() as connection:
            return str((await connection.execute(query)).scalar_one())


async def furnish(stage: Stage) -> None:
    """Put something into every circle, so that each kind of thing is there four times, and once not at all."""
    host = stage.host
    group = CollectionEntry(
        "foreign-group", str(uuid.uuid4()), "Foreign group", "Theirs.", Tlp.RED, SignatureRule.ACCEPTED, FOREIGNERS, FOREIGNERS
    )
    await add_collection(host.inside.database, host.clock, group)
    circle = (TEAM, NEIGHBOUR)
    red = CollectionEntry("red-group", str(uuid.uuid4()), "Red", "Ours.", Tlp.RED, SignatureRule.ACCEPTED, circle, circle)
    await add_collection(host.inside.database, host.clock, red)
    posters = {"own": (TEAM, NEIGHBOUR), "shared": (NEIGHBOUR, TEAM), "foreign": FOREIGNERS}
    for relation, teams in posters.items():
        made = indicator(f"[domain-name:value = '{relation}.example']")
        status = await stage.post(teams[0], COLLECTIONS[relation], made)
        for team in teams:
            await stage.see(team, COLLECTIONS[relation], f"{relation}.example")
        await host.caught_up()  # each by itself: of what is told together, two teams' alerts may have the same number
        stage.things[relation] = {"object": made["id"], "status": status, "team": teams[0], "tag": f"{relation}.example"}
    await host.caught_up()
    for relation, thing in stage.things.items():
        uuid_of = await stage.key_of("collections", "scope", slug=COLLECTIONS[relation])
        thing["incident"] = await stage.key_of("incidents", "incident_id", scope=uuid_of)
        told = FOREIGNERS[0] if relation == "foreign" else TEAM
        told_id = int(await stage.key_of("teams", "team_id", slug=told))
        thing["alert"] = await stage.key_of("alerts", "number", scope=uuid_of, team_id=told_id)
        await host.token(thing["team"], Role.CONSUMER)
        team_id = int(await stage.key_of("teams", "team_id", slug=thing["team"]))
        thing["token"] = await stage.key_of("tokens", "token_id", team_id=team_id, role="consumer")
    for team, slug in (BEYOND, BLIND):
        pair = (team, "sample-bank")
        entry = CollectionEntry(
            slug, str(uuid.uuid4()), slug, "Two.", Tlp.AMBER, SignatureRule.ACCEPTED, pair, pair, blind_matching=True
        )
        await add_collection(host.inside.database, host.clock, entry)
    await stage.post(*BLIND, indicator("[domain-name:value = 'own.example']"))
    await host.caught_up()
    # Of the neighbour's match the team is no side, though it reads the circle.
    sides = {"own": BLIND, "shared": (NEIGHBOUR, COLLECTIONS["shared"]), "foreign": (FOREIGNERS[0], COLLECTIONS["foreign"])}
    for relation, side in sides.items():
        stage.things[relation]["match"] = await stage.match(f"{relation}.example", side, BEYOND)
    for relation, team, collection in WAITING:
        stage.things[relation]["proposal"] = await stage.hold(team, collection)
    absent = {
        "proposal": str(uuid.uuid4()),
        "match": str(uuid.uuid4()),
        "object": f"indicator--{uuid.uuid4()}",
        "status": str(uuid.uuid4()),
        "team": "no-cert",
        "token": "999999",
        "alert": "7",
    }
    stage.things["absent"] = absent | {"incident": str(uuid.uuid4())}
    for relation, thing in stage.things.items():
        thing |= {
            "root": ROOT[1:],
            "collection": COLLECTIONS[relation],
            "version": CREATED,
            "name": "console.css",
            "tile": "0/000.p/1",
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A furnished host on SQLite, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("stage")
    settings = templates.copy(folder / "host", f"sqlite:///{folder}/regcert.db")
    async with run_host(settings, StillClock()) as running:
        stage = Stage(running)
        await furnish(stage)
        await stage.sign_in()
        yield stage


__all__ = ["TAXII"]
