"""A real host in this process: it is founded, told a world through its flows, and asked what it found."""

import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from sqlalchemy import select

from benchmarks.correlation.score import Found
from benchmarks.correlation.world import NOW_US, Event, World
from regcert.assembly.parts import load_schemas
from regcert.correlation.guard_lists import read_guard_list
from regcert.correlation.guards import Guards
from regcert.domain.collection import Collection
from regcert.domain.incident import Incident
from regcert.domain.principal import Principal, Role
from regcert.domain.submission import Received
from regcert.flows.authenticate import recognise
from regcert.flows.correlate import correlate
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.initialise import initialise, read_region_file
from regcert.flows.list_incidents import page_incidents
from regcert.flows.publish import publish
from regcert.flows.report_sighting import report_sightings
from regcert.share import share_dir
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database, open_database
from regcert.store.tables import METADATA
from regcert.store.visibility import read_collection

ROOT = "western-balkans"
COLLECTION = "regional-indicators"
STRETCH = 40  # events between two looks of correlation


class _Clock:
    """The day on which every world ends: nothing in it lies in the future."""

    def now_us(self) -> int:
        return NOW_US


@dataclass
class Region:
    """A founded host and everybody who talks to it."""

    database: Database
    schemas: SchemaSet
    guards: Guards
    collection: Collection
    principals: dict[str, Principal] = field(default_factory=dict)
    clock: _Clock = field(default_factory=_Clock)

    async def principal(self, team: str) -> Principal:
        if team not in self.principals:
            token = await create_token(self.database, self.clock, team, TokenOrder(Role.ANALYST, "world"))
            self.principals[team] = (await recognise(self.database, self.clock, token)).principal
        return self.principals[team]

    async def tell(self, world: World) -> None:
        """Let everything arrive, and correlation look in between."""
        for start in range(0, len(world.events), STRETCH):
            await self._take(world.events[start : start + STRETCH])
            while await correlate(self.database, self.guards):
                pass

    async def _take(self, events: Sequence[Event]) -> None:
        waiting: dict[str, list[object]] = {}
        for event in events:
            if event.report is not None:
                waiting.setdefault(event.team, []).append(event.report)
                continue
            body = orjson.dumps({"objects": list(event.objects)})
            receipt = await publish(
                self.database, self.schemas, Received(await self.principal(event.team), self.collection, body, NOW_US)
            )
            status = orjson.loads(receipt.status)
            if status["status"] != "complete" or status["failure_count"]:
                raise RuntimeError(f"not taken: {status}")
        for team, reports in waiting.items():
            verdicts = await report_sightings(self.database, self.clock, await self.principal(team), reports)
            if verdicts.refused:
                raise RuntimeError(f"not taken: {verdicts.refused[0][1].message}")

    async def incidents(self) -> list[Incident]:
        """Ask for every incident, as a national team sees them."""
        principal = await self.principal("hr-cert")
        found: list[Incident] = []
        cursor: str | None = None
        while True:
            page = await page_incidents(self.database, self.clock, principal, limit=200, cursor=cursor)
            found += [one.incident for one in page.incidents]
            if page.next is None:
                return found
            cursor = page.next


@asynccontextmanager
async def founded() -> AsyncIterator[Region]:
    """Found a host on a database of its own, and let it go."""
    with TemporaryDirectory(prefix="regcert-world-") as folder:
        data, url, clock = Path(folder) / "host", f"sqlite:///{folder}/regcert.db", _Clock()
        await initialise(data, url, clock, read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml"))
        async with open_database(url, clock, readers=1) as database:
            rows = METADATA.tables["collections"]
            async with database.read() as connection:
                row = (await connection.execute(select(rows).where(rows.c.slug == COLLECTION))).mappings().one()
            yield Region(database, load_schemas(), _read_guards(), read_collection(row), clock=clock)


def as_found(incidents: Sequence[Incident]) -> list[Found]:
    """Say of incidents what is marked. The score is the strength: of worlds that are over, age is no merit."""
    return [
        Found(
            one.strength,
            frozenset(value.value for value in one.observables),
            tuple(arrival.country for arrival in one.spread),
        )
        for one in incidents
    ]


def _read_guards() -> Guards:
    folder = share_dir() / "feeds" / "guards"
    return Guards(read_guard_list(tomllib.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.toml")))
