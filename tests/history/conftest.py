"""A small region whose ledger has everything that a history must tell: tellings, withdrawals, sightings that waited, scopes."""

import random
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from regcert.flows.export_history import export_history
from regcert.flows.regroup_history import regroup_history
from regcert.history.folder import Manifest
from regcert.history.window import Window
from regcert.stix.schema import SchemaSet
from regcert.stix.timestamps import read_timestamp
from regcert.store.database import Database
from regcert.taxii.filters import Filters, Versions
from tests.hosting import StillClock
from tests.made import indicator, sdo
from tests.store.acting import INDICATORS, Acting

GROUP = "financial-sector-group"
EVERYTHING = Window()
TEAMS = ("alcirt", "srb-cert", "mkd-cert")


@pytest.fixture
def acting(database: Database, schemas: SchemaSet, clock: StillClock) -> Acting:
    """Everybody who can do something to a founded host."""
    return Acting(database, schemas, clock)


def naming(*values: str, **properties: Any) -> dict[str, Any]:
    """An indicator of several domains."""
    return indicator("[" + " OR ".join(f"domain-name:value = '{value}'" for value in values) + "]", **properties)


class World:
    """Tells a host of stories; the same seed tells the same.

    Args:
        acting: who tells.
        pause: is awaited where something is half told: a history may be exported there.
    """

    def __init__(self, acting: Acting, pause: Callable[[], Awaitable[None]]) -> None:
        self._acting = acting
        self._pause = pause
        self._random = random.Random(1)
        self._number = 0
        self._shared = self._fresh(2)

    async def tell(self) -> None:
        """Tell all of it."""
        for collection in (INDICATORS, GROUP):
            made = [await self._tell_story(collection) for _ in range(4)]
            await self._pause()
            await self._revoke(*made[0])
            await self._acting.delete(made[1][1]["id"], team=made[1][0], collection=collection)
            await self._pause()
            await self._replace_for_a_while(*made[2])
            await self._see_before_it_is_named(collection)
            await self._name_neighbours(collection)
        await self._pause()

    async def _tell_story(self, collection: str) -> tuple[str, dict[str, Any], str]:
        """Two or three teams tell most of it, tied to a campaign; somebody sees one of its values, and somebody none."""
        self._number += 1
        values = [*self._fresh(5), self._random.choice(self._shared)]
        campaign = sdo("campaign", name=f"Story {self._number}")
        teams = self._random.sample(TEAMS, self._random.choice((2, 3)))
        for team in teams:
            made = naming(*self._random.sample(values, 5), valid_from=self._day())
            tie = sdo("relationship", relationship_type="indicates", source_ref=made["id"], target_ref=campaign["id"])
            own = [campaign, tie] if team == teams[0] else [tie]
            await self._publish(made, *own, team=team, collection=collection)
        await self._sight({"indicator": made["id"], "count": 2}, teams[0], collection)
        await self._sight({"value": values[0], "kind": "negative"}, teams[0], collection)
        return team, made, collection

    async def _revoke(self, team: str, made: dict[str, Any], collection: str) -> None:
        revoked = made | {"modified": "2026-11-20T10:00:00.000Z", "revoked": True}
        await self._publish(revoked, team=team, collection=collection)

    async def _replace_for_a_while(self, team: str, made: dict[str, Any], collection: str) -> None:
        """A newer version comes and is deleted: the older one is in force again, at a place of its own."""
        newer = made | {"modified": "2026-11-21T10:00:00.000Z", "pattern": naming(*self._fresh(2))["pattern"]}
        await self._publish(newer, team=team, collection=collection)
        await self._pause()
        version = Filters(versions=Versions(latest=False, exact_us=(read_timestamp(newer["modified"]),)))
        await self._acting.delete(made["id"], version, team=team, collection=collection)
        await self._pause()

    async def _see_before_it_is_named(self, collection: str) -> None:
        """A sighting names an indicator that comes only later, in another part of the history."""
        made = naming(*self._fresh(2), valid_from=self._day())
        seen = self._day()
        sighting = sdo("sighting", sighting_of_ref=made["id"], first_seen=seen, last_seen=seen, count=3)
        await self._publish(sighting, team=TEAMS[0], collection=collection)
        await self._pause()
        await self._publish(made, team=TEAMS[1], collection=collection)

    async def _name_neighbours(self, collection: str) -> None:
        """Two countries know hosts of one registered domain, and not the same ones."""
        [registered] = self._fresh(1)
        for number, team in enumerate(TEAMS[:2]):
            made = naming(f"host-{number}.{registered}", *self._fresh(1), valid_from=self._day())
            await self._publish(made, team=team, collection=collection)

    async def _publish(self, *objects: Any, team: str, collection: str) -> None:
        status = await self._acting.publish(*objects, team=team, collection=collection)
        assert status["failure_count"] == 0, status

    async def _sight(self, report: dict[str, Any], team: str, collection: str) -> None:
        verdicts = await self._acting.sight(report | {"first_seen": self._day(), "collection": collection}, team=team)
        assert verdicts.accepted

    def _fresh(self, number: int) -> list[str]:
        return [f"{uuid.UUID(int=self._random.getrandbits(128)).hex}.top" for _ in range(number)]

    def _day(self) -> str:
        return f"2026-11-{self._random.randint(1, 19):02}T10:00:00.000Z"


async def export(acting: Acting, folder: Path, until_us: int | None = None, part_rows: int = 40) -> Manifest:
    """Export with parts so small that stories are cut by them."""
    return await export_history(acting.database, folder, None, until_us, lambda *_: None, part_rows)


async def regrouped(acting: Acting, folder: Path, window: Window = EVERYTHING, engine: str = "duckdb") -> list[bytes]:
    return await regroup_history(acting.database, acting.guards, folder, engine, window)


async def tell(acting: Acting, folder: Path) -> None:
    """Tell a world, and export it whenever it is half told."""

    async def pause() -> None:
        await acting.catch_up()
        await export(acting, folder)

    await World(acting, pause).tell()
