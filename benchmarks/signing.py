"""Teams that sign what they post: their keys, entered in a host before it is served, and envelopes signed beforehand."""

import asyncio
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from regcert.clock import DAY_US, SystemClock
from regcert.domain.key_list import team_key
from regcert.domain.publication import MANIFEST_TYPE
from regcert.flows.enter_key_list import enter_key_list
from regcert.signing.key_list import seal_key_list
from regcert.signing.private_key import PrivateKey, new_private_key
from regcert.signing.publication import list_object, read_manifest, seal_publication
from regcert.store.collections import list_collections
from regcert.store.database import Database, open_database
from regcert.store.teams import find_team, read_facts


@dataclass(slots=True)
class Signer:
    """One team, and how far it has come in the collection; one writer posts for it, or the order of its posts would be chance.

    Args:
        host: the origin of the host's log.
        collection: the id of the collection.
        team: its identity.
        key: it signs.
        seq: the number of its last publication.
        prev: the hash of that one's payload.
    """

    host: str
    collection: str
    team: str
    key: PrivateKey
    seq: int = 0
    prev: bytes | None = None

    def sign(self, body: bytes) -> bytes:
        """Put a manifest behind the objects of an envelope."""
        manifest = seal_publication(
            manifest_id=f"{MANIFEST_TYPE}--{uuid.uuid4()}",
            host=self.host,
            collection=self.collection,
            team=self.team,
            seq=self.seq + 1,
            prev=self.prev,
            issued_us=SystemClock().now_us(),
            nonce=secrets.token_bytes(32),
            markings=(),
            objects=[list_object(one) for one in orjson.loads(body)["objects"]],
            key=self.key,
        )
        self.seq, self.prev = self.seq + 1, read_manifest(manifest)[1].digest
        return body[:-2] + b"," + orjson.dumps(manifest) + b"]}"


def enrol(database_url: str, collection: str, teams: Sequence[str]) -> list[Signer]:
    """Enter a key of each team in a host that is not served yet."""
    return asyncio.run(_enrol(database_url, collection, teams))


async def _enrol(database_url: str, collection: str, teams: Sequence[str]) -> list[Signer]:
    async with open_database(database_url, SystemClock()) as database:
        async with database.read() as connection:
            host = str((await read_facts(connection))["log_origin"])
            [found] = [one.uuid for one in await list_collections(connection) if one.slug == collection]
        return [await _enter(database, host, found, team) for team in teams]


async def _enter(database: Database, host: str, collection: str, slug: str) -> Signer:
    async with database.read() as connection:
        team = await find_team(connection, slug)
    assert team is not None
    key, now_us = new_private_key(), SystemClock().now_us()
    envelope = seal_key_list(
        team=team.identity_id,
        version=1,
        prev=None,
        issued_us=now_us,
        expires_us=now_us + 300 * DAY_US,
        keys=[team_key(key.public.raw)],
        root=new_private_key(),
    )
    await database.write(lambda tx: tx.run(enter_key_list(None, team, envelope, now_us)))
    return Signer(host, collection, team.identity_id, key)
