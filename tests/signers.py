"""Teams that sign: their keys, entered in a host as their root key signed them, and envelopes as they would post them."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from regcert.clock import DAY_US, Clock
from regcert.domain.key_list import KeyList, KeyReason, KeyStatus, TeamKey, team_key
from regcert.domain.publication import MANIFEST_TYPE
from regcert.domain.team import Team
from regcert.flows.enter_key_list import enter_key_list
from regcert.signing.key_list import read_key_list, seal_key_list
from regcert.signing.private_key import PrivateKey, new_private_key
from regcert.signing.publication import list_object, read_manifest, seal_publication
from regcert.store.database import Database
from regcert.store.tables import METADATA
from regcert.store.teams import find_team, read_facts

# Written by whoever refuses as well; what is stored must not change beyond them.
AUDIT = "audit"


@dataclass
class Signer:
    """A team, its keys, and how far it has come in each collection."""

    database: Database
    clock: Clock
    team: Team
    host: str
    root: PrivateKey = field(default_factory=new_private_key)
    key: PrivateKey = field(default_factory=new_private_key)
    key_list: KeyList | None = None
    heads: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)

    async def set_keys(self, *keys: TeamKey, days: int = 300) -> None:
        """Enter the next version of the key list."""
        before = self.key_list
        envelope = seal_key_list(
            team=self.team.identity_id,
            version=before.version + 1 if before else 1,
            prev=before.digest if before else None,
            issued_us=self.clock.now_us(),
            expires_us=self.clock.now_us() + days * DAY_US,
            keys=keys,
            root=self.root,
        )
        await self.database.write(lambda tx: tx.run(enter_key_list(None, self.team, envelope, tx.now_us())))
        self.key_list = read_key_list(envelope)

    async def collection(self, slug: str = "regional-indicators") -> str:
        """Tell the id of a collection."""
        rows = METADATA.tables["collections"]
        async with self.database.read() as connection:
            return str((await connection.execute(select(rows.c.uuid).where(rows.c.slug == slug))).scalar_one())

    async def manifest(
        self, objects: Sequence[Mapping[str, Any]], slug: str = "regional-indicators", **changed: Any
    ) -> dict[str, Any]:
        """Sign objects for the next place in a collection; `changed` says what shall be otherwise."""
        seq, prev = self.heads.get(slug, (0, None))
        bound: dict[str, Any] = {
            "manifest_id": f"{MANIFEST_TYPE}--{uuid.uuid4()}",
            "host": self.host,
            "collection": await self.collection(slug),
            "team": self.team.identity_id,
            "seq": seq + 1,
            "prev": prev,
            "issued_us": self.clock.now_us(),
            "nonce": secrets.token_bytes(32),
            "markings": (),
            "objects": [list_object(one) for one in objects],
            "key": self.key,
        }
        return seal_publication(**(bound | changed))

    def went(self, manifest: Mapping[str, Any], slug: str = "regional-indicators") -> None:
        """Note that a publication was taken."""
        _, publication = read_manifest(manifest)
        self.heads[slug] = publication.seq, publication.digest

    async def envelope(self, *objects: Mapping[str, Any], slug: str = "regional-indicators", **changed: Any) -> bytes:
        """Sign objects, and note that they were taken: for publications of which nothing else is asked."""
        manifest = await self.manifest(objects, slug, **changed)
        self.went(manifest, slug)
        return orjson.dumps({"objects": [*objects, manifest]})


async def enrol(database: Database, clock: Clock, slug: str = "alcirt") -> Signer:
    """Enter a team's first key list, with one active key."""
    async with database.read() as connection:
        team, facts = await find_team(connection, slug), await read_facts(connection)
    assert team is not None
    signer = Signer(database, clock, team, str(facts["log_origin"]))
    await signer.set_keys(team_key(signer.key.public.raw))
    return signer


def revoked(key: PrivateKey, since_us: int | None = None) -> TeamKey:
    """The entry of a key that somebody else may have had."""
    return team_key(key.public.raw, KeyStatus.REVOKED, KeyReason.COMPROMISED, since_us)


def retired(key: PrivateKey) -> TeamKey:
    """The entry of a key that is not used any more."""
    return team_key(key.public.raw, KeyStatus.RETIRED, KeyReason.SUPERSEDED)


async def state_of(database: Database, *but: str) -> dict[str, list[Any]]:
    """Everything that a host has stored, table by table, but for the audit trail and what else is named."""
    state: dict[str, list[Any]] = {}
    async with database.read() as connection:
        for name, rows in METADATA.tables.items():
            if name not in {AUDIT, *but}:
                state[name] = sorted(repr(tuple(row)) for row in await connection.execute(select(rows)))
    return state
