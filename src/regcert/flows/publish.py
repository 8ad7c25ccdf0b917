"""Take a publication: from bytes that somebody sent to objects that a region can rely on."""

import asyncio
import uuid
from dataclasses import dataclass

from regcert.domain.submission import Admitted, Received, Verified, parse
from regcert.errors import Code, Refusal
from regcert.flows.find_standing import find_standing
from regcert.flows.hold import find_reason_to_hold, hold
from regcert.policy.admission import admit, unknown_markings
from regcert.signing.verify import TeamStanding, require_whole, verify
from regcert.stix.schema import SchemaSet
from regcert.stix.tlp import Tlp
from regcert.store.audit import add_audit, note_deed
from regcert.store.database import Database
from regcert.store.markings import find_markings
from regcert.store.objects import record_objects
from regcert.store.programs import Program
from regcert.store.publications import add_publication, find_first_status, require_recordable
from regcert.store.submissions import begin_submission, finish_submission
from regcert.store.teams import list_teams
from regcert.store.visibility import list_readable
from regcert.taxii import resources
from regcert.translog.tree import leaf_hash, tree_hash

# Somebody signs with what is not theirs, or shows elsewhere what was signed for one place: those in charge want to know.
_TELLING = frozenset({Code.BAD_SIGNATURE, Code.UNKNOWN_KEY, Code.KEY_NOT_ACTIVE, Code.WRONG_BINDING})


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
    4. Hold what one person may not publish alone; `flows/release.py` goes on when a second one has agreed.
    5. Record in one transaction: submission, objects with their places, what correlation reads, status, audit.

    4 and 5 are one transaction. Nothing before it writes anything, and nothing is answered before its commit.

    Args:
        database: where to.
        schemas: of every STIX type.
        received: a counted body from a principal who may write in the collection.

    Returns:
        The status: complete, or pending where it is held.

    Raises:
        Refusal: the envelope as a whole cannot be taken; nothing is stored.
    """
    try:
        admitted = await look_into(database, schemas, received)  # 1 to 3
    except Refusal as refusal:
        if refusal.code in _TELLING:
            subject = f"{received.collection.slug} {refusal.code}"
            await database.write(lambda tx: add_audit(tx, received.principal, received.at_us, "refuse-signature", subject))
        raise
    return await database.apply(lambda now_us: _record(admitted, now_us))  # 4, 5


async def look_into(database: Database, schemas: SchemaSet, received: Received, *, is_piece: bool = False) -> Admitted:
    """Parse, verify and admit an envelope, whenever it came.

    Args:
        database: where it will go.
        schemas: of every STIX type.
        received: the envelope.
        is_piece: whether it is a part of a larger body.

    Raises:
        Refusal: the envelope as a whole cannot be taken.
    """
    standing = await find_standing(database, received.principal.team)
    verified = await asyncio.to_thread(_believe, received, schemas, standing, is_piece=is_piece)  # 1, 2
    parsed = verified.parsed
    neighbours = await _list_identities(database) - {received.principal.team.identity_id}
    stored: dict[str, Tlp | None] = {}
    if unknown := unknown_markings(parsed.objects):
        async with database.read() as connection:
            stored = await find_markings(connection, received.collection.collection_id, unknown)
    readable = await _list_readable(database, received)
    return admit(verified, neighbours=neighbours, stored=stored, readable=readable)  # 3


async def _list_readable(database: Database, received: Received) -> dict[int, Tlp]:
    """List the ceilings of the collections that the sender reads; others than the one posted to only where they hold anything."""
    heads, principal, here = await database.look(), received.principal, received.collection.collection_id
    key = ("readable", principal.team.team_id, principal.collection_ids)
    known: list[tuple[int, Tlp]] | None = database.memory.find(key, heads.rights)
    if known is None:
        known = await database.run(list_readable(principal))
        database.memory.keep(key, heads.rights, known)
    return {one: ceiling for one, ceiling in known if one == here or heads.changed.get(one, 0)}


async def _list_identities(database: Database) -> frozenset[str]:
    """List the identities of all teams: who is enrolled speaks for itself."""
    heads = await database.look()
    known: frozenset[str] | None = database.memory.find("identities", heads.rights)
    if known is None:
        async with database.read() as connection:
            known = frozenset(team.identity_id for team in await list_teams(connection))
        database.memory.keep("identities", heads.rights, known)
    return known


def _believe(received: Received, schemas: SchemaSet, standing: TeamStanding, *, is_piece: bool) -> Verified:
    """Read an envelope and check its signature; all of it is computation."""
    return verify(parse(received, schemas), standing, is_piece=is_piece)


def _record(admitted: Admitted, now_us: int) -> Program[Receipt]:
    status_id = str(uuid.uuid4())
    first_status = yield from find_first_status(admitted)
    if first_status:
        return Receipt(first_status, 0)
    if (reason := (yield from find_reason_to_hold(admitted, now_us))) is not None:
        if first_status is None:
            yield from require_recordable(admitted)  # what could not be published is not held either
            require_whole(admitted.publication, admitted.refused)
        return Receipt((yield from hold(admitted, reason, status_id, now_us)), 0)
    submission_id = yield from begin_submission(admitted.received, status_id)
    return (yield from record(admitted, submission_id, status_id, now_us))


def record(admitted: Admitted, submission_id: int, status_id: str, now_us: int) -> Program[Receipt]:
    """Store what was admitted, under a submission that has begun: now, or when it was held.

    What was signed is stored whole, in its place behind the team's last publication, or not at all.

    Raises:
        Refusal: of a signed publication: OUT_OF_SEQUENCE, PUBLICATION_REFUSED, KEY_NOT_ACTIVE, UNKNOWN_KEY, FORBIDDEN.
    """
    received, publication = admitted.received, admitted.publication
    is_known = (yield from find_first_status(admitted)) is not None
    if not is_known:
        yield from require_recordable(admitted)
    recorded = yield from record_objects(admitted, submission_id, now_us)
    if not is_known:
        require_whole(publication, recorded.refused)
        yield from add_publication(admitted, submission_id, recorded)
    status = resources.status(status_id, received.at_us, recorded.accepted, recorded.refused)
    yield from finish_submission(submission_id, status)
    root = tree_hash([leaf_hash(one.stix.digest) for one in admitted.objects])
    signed = f" number {publication.seq}, signed by {admitted.key_id}" if publication else ""
    yield from note_deed(received.principal, received.at_us, "publish", f"{received.collection.slug} {root.hex()}{signed}")
    return Receipt(status, recorded.stored)
