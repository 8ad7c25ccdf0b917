"""Take a publication: from bytes that somebody sent to objects that a region can rely on."""

import asyncio
import uuid
from dataclasses import dataclass

from regcert.domain.submission import Admitted, Received, parse
from regcert.policy.admission import admit, unknown_markings
from regcert.signing.verify import verify
from regcert.stix.schema import SchemaSet
from regcert.stix.tlp import Tlp
from regcert.store.database import Database
from regcert.store.markings import find_markings
from regcert.store.objects import record_objects
from regcert.store.programs import Program
from regcert.store.submissions import begin_submission, finish_submission, note_deed
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
    admitted = await look_into(database, schemas, received)  # 1 to 3
    return await database.write(lambda tx: tx.run(_record(admitted, tx.now_us())))  # 4


async def look_into(database: Database, schemas: SchemaSet, received: Received) -> Admitted:
    """Parse, verify and admit an envelope, whenever it came.

    Raises:
        Refusal: the envelope as a whole cannot be taken.
    """
    parsed = await asyncio.to_thread(parse, received, schemas)  # 1
    verified = verify(parsed)  # 2
    neighbours = await _list_identities(database) - {received.principal.team.identity_id}
    stored: dict[str, Tlp | None] = {}
    if unknown := unknown_markings(parsed.objects):
        async with database.read() as connection:
            stored = await find_markings(connection, received.collection.collection_id, unknown)
    return admit(verified, neighbours=neighbours, stored=stored)  # 3


async def _list_identities(database: Database) -> frozenset[str]:
    """List the identities of all teams: who is enrolled speaks for itself."""
    heads = await database.look()
    known: frozenset[str] | None = database.memory.find("identities", heads.rights)
    if known is None:
        async with database.read() as connection:
            known = frozenset(team.identity_id for team in await list_teams(connection))
        database.memory.keep("identities", heads.rights, known)
    return known


def _record(admitted: Admitted, now_us: int) -> Program[Receipt]:
    received = admitted.received
    status_id = str(uuid.uuid4())
    submission_id = yield from begin_submission(received, status_id)
    recorded = yield from record_objects(admitted, submission_id, now_us)
    status = resources.status(status_id, received.at_us, recorded.accepted, recorded.refused)
    yield from finish_submission(submission_id, status)
    root = tree_hash([leaf_hash(one.stix.digest) for one in admitted.objects])
    yield from note_deed(received.principal, received.at_us, "publish", f"{received.collection.slug} {root.hex()}")
    return Receipt(status, recorded.stored)
