"""Take a publication: from bytes that somebody sent to objects that a region can rely on."""

import asyncio
import uuid
from dataclasses import dataclass

from regcert.domain.submission import Admitted, Received, parse
from regcert.policy.admission import admit, unknown_markings
from regcert.signing.verify import verify
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database, Tx
from regcert.store.markings import find_markings
from regcert.store.objects import Recorded, record_objects
from regcert.store.submissions import add_audit, begin_submission, finish_submission
from regcert.store.teams import list_teams
from regcert.taxii import resources
from regcert.translog.tree import leaf_hash, tree_hash


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender gets.

    Args:
        status: the TAXII status resource, rendered.
        stored: how many objects are new here.
    """

    status: bytes
    stored: int


async def publish(database: Database, schemas: SchemaSet, received: Received) -> Receipt:
    """Publish an envelope.

    1. Parse: bounded, valid, canonical; in a thread, because it is computation (a thousand objects: 50 ms).
    2. Verify who vouches for it.
    3. Admit: nobody's neighbour speaks, nothing is above the ceiling.
    4. Record in one transaction: submission, objects with their places, what correlation reads, status, audit.

    Nothing before step 4 writes anything, and nothing is answered before its commit.

    Args:
        database: where to.
        schemas: of every STIX type.
        received: a counted body from a principal who may write in the collection.

    Returns:
        The status, complete.

    Raises:
        Refusal: the envelope as a whole cannot be taken; nothing is stored.
    """
    parsed = await asyncio.to_thread(parse, received, schemas)  # 1
    verified = verify(parsed)  # 2
    async with database.read() as connection:
        own = received.principal.team.identity_id
        neighbours = frozenset(team.identity_id for team in await list_teams(connection)) - {own}
        stored = await find_markings(connection, received.collection.collection_id, unknown_markings(parsed.objects))
    admitted = admit(verified, neighbours=neighbours, stored=stored)  # 3
    return await database.write(lambda tx: _record(tx, admitted))  # 4


async def _record(tx: Tx, admitted: Admitted) -> Receipt:
    received = admitted.received
    status_id = str(uuid.uuid4())
    submission_id = await begin_submission(tx, received, status_id)
    recorded: Recorded = await record_objects(tx, admitted, submission_id)
    status = resources.status(status_id, received.at_us, recorded.accepted, recorded.refused)
    await finish_submission(tx, submission_id, status)
    root = tree_hash([leaf_hash(one.stix.digest) for one in admitted.objects])
    await add_audit(tx, received.principal, received.at_us, "publish", f"{received.collection.slug} {root.hex()}")
    return Receipt(status, recorded.stored)
