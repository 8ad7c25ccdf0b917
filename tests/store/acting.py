"""A founded host without its sockets: publish, poll, delete, sight and correlate as any team, through the flows themselves."""

import itertools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from regcert.correlation.guards import Guards
from regcert.domain.collection import SignatureRule
from regcert.domain.principal import Principal, Role
from regcert.domain.region import Audience, CollectionEntry
from regcert.domain.submission import Admitted, Received, parse
from regcert.flows.add_collection import add_collection
from regcert.flows.authenticate import Caller, recognise
from regcert.flows.correlate import correlate
from regcert.flows.create_token import TokenOrder, create_token
from regcert.flows.publish import publish
from regcert.flows.report_sighting import Verdicts, report_sightings
from regcert.flows.retrieve import Question, Shape, retrieve
from regcert.flows.withdraw import withdraw
from regcert.policy.admission import admit
from regcert.signing.verify import TeamStanding, verify
from regcert.stix.schema import SchemaSet
from regcert.stix.tlp import Tlp
from regcert.store.database import Database
from regcert.store.tables import METADATA
from regcert.store.visibility import read_collection
from regcert.taxii.filters import Filters, Page
from tests.hosting import StillClock
from tests.made import envelope

ROOT = "western-balkans"
KEY = b"k" * 32
INDICATORS = "regional-indicators"
_NUMBERS = itertools.count(1)


@dataclass
class Acting:
    """Everybody who can do something to a host, without its sockets."""

    database: Database
    schemas: SchemaSet
    clock: StillClock
    guards: Guards = field(default_factory=lambda: Guards([]))
    principals: dict[tuple[str, tuple[str, ...]], Principal] = field(default_factory=dict)

    async def principal(self, team: str = "alcirt", *narrowed: str, role: Role = Role.ANALYST) -> Principal:
        """Sign in as a team, with a token narrowed to some collections."""
        if (team, narrowed) not in self.principals:
            token = await create_token(self.database, self.clock, team, TokenOrder(role, "test", narrowed))
            self.principals[team, narrowed] = (await recognise(self.database, self.clock, token)).principal
        return self.principals[team, narrowed]

    async def caller(self, team: str = "alcirt") -> Caller:
        """Sign in as a team, and look how far the host has come."""
        return Caller(await self.principal(team), await self.database.look())

    async def collection(
        self, read: Audience = "all", write: Audience = "all", ceiling: Tlp = Tlp.AMBER, slug: str | None = None
    ) -> str:
        """Make a collection and return its slug."""
        slug = slug or f"made-{next(_NUMBERS)}"
        entry = CollectionEntry(slug, str(uuid.uuid4()), slug, slug, ceiling, SignatureRule.ACCEPTED, read, write)
        await add_collection(self.database, self.clock, entry)
        return slug

    async def received(self, body: bytes, team: str = "alcirt", collection: str = INDICATORS) -> Received:
        """Make what the web hands to the flow, for a team that may write here or not: the flow does not ask that again."""
        principal = await self.principal(team)
        async with self.database.read() as connection:
            rows = METADATA.tables["collections"]
            row = (await connection.execute(select(rows).where(rows.c.slug == collection))).mappings().one()
        found = read_collection(row)
        return Received(principal, found, body, self.clock.now_us())

    async def admitted(self, *objects: dict[str, Any], team: str = "alcirt", collection: str = INDICATORS) -> Admitted:
        """Take objects up to the door of the store."""
        received = await self.received(envelope(*objects), team, collection)
        return admit(verify(parse(received, self.schemas), TeamStanding("")), neighbours=frozenset(), stored={})

    async def publish(self, *objects: Any, team: str = "alcirt", collection: str = INDICATORS) -> dict[str, Any]:
        """Publish objects and return the TAXII status."""
        receipt = await publish(self.database, self.schemas, await self.received(envelope(*objects), team, collection))
        status: dict[str, Any] = orjson.loads(receipt.status)
        return status

    async def delete(
        self, stix_id: str, filters: Filters | None = None, team: str = "alcirt", collection: str = INDICATORS
    ) -> None:
        """Delete versions of an object."""
        caller = await self.caller(team)
        question = Question(caller, ROOT, collection, Shape.OBJECTS, filters or Filters(), Page(1, None), stix_id)
        await withdraw(self.database, self.clock, question)

    async def pages(
        self,
        filters: Filters | None = None,
        limit: int = 1000,
        team: str = "alcirt",
        collection: str = INDICATORS,
        shape: Shape = Shape.OBJECTS,
        stix_id: str | None = None,
    ) -> list[list[Any]]:
        """Poll to the end and return the pages as they came."""
        pages: list[list[Any]] = []
        following: str | None = None
        while True:
            page = Page(limit, following)
            caller = await self.caller(team)
            question = Question(caller, ROOT, collection, shape, filters or Filters(), page, stix_id)
            answer = orjson.loads((await retrieve(self.database, KEY, question)).body)
            name = "versions" if shape is Shape.VERSIONS else "objects"
            if name in answer:
                pages.append(answer[name])
            if not answer.get("more"):
                return pages
            following = answer["next"]

    async def poll(self, *args: Any, **named: Any) -> list[Any]:
        """Poll to the end and return everything."""
        return [one for page in await self.pages(*args, **named) for one in page]

    async def sight(self, *reports: Any, team: str = "alcirt", narrowed: Sequence[str] = ()) -> Verdicts:
        """Report sightings."""
        return await report_sightings(self.database, self.clock, await self.principal(team, *narrowed), reports)

    async def catch_up(self) -> None:
        """Let correlation read the ledger to its end."""
        while await correlate(self.database, self.guards):
            pass

    async def rows(self, name: str) -> list[dict[str, Any]]:
        """Read a whole table."""
        async with self.database.read() as connection:
            return [dict(row) for row in (await connection.execute(select(METADATA.tables[name]))).mappings()]

    async def id_of(self, collection: str) -> int:
        """Tell the key of a collection, whoever may see it."""
        return next(int(row["collection_id"]) for row in await self.rows("collections") if row["slug"] == collection)


def names(objects: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of objects, in their order."""
    return [one["id"] for one in objects]
