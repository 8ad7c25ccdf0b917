"""Deleting what a team published itself."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, or_, select, update

from regcert.clock import HOUR_US
from regcert.domain.principal import Principal
from regcert.domain.submission import Vouched
from regcert.errors import Code, Refusal
from regcert.store.database import Tx
from regcert.store.many import chunks
from regcert.store.objects import note_change
from regcert.store.pages import matches_nothing, version_condition
from regcert.store.tables import MarkingRow, MentionRow, ObjectRow, SightingRow, SubmissionRow, TieRow, TombstoneRow, table
from regcert.store.trust_tables import SignedRow
from regcert.taxii.filters import Filters, Versions

_OBJECTS = table(ObjectRow)
_SIGNED = table(SignedRow)
_SUBMISSIONS = table(SubmissionRow)


async def delete_versions(tx: Tx, collection_id: int, principal: Principal, stix_id: str, filters: Filters) -> int:
    """Delete versions of one object, and leave a tombstone for each.

    All versions go unless the query names some. What remains is put in force again: the newest of it.

    Args:
        tx: the transaction.
        collection_id: from which collection.
        principal: on whose behalf; its team must have published what it deletes.
        stix_id: which object.
        filters: which versions.

    Returns:
        How many of the deleted ones had stood for longer than an hour, or had been posted with another token: to take the rest
        back is to correct oneself.

    Raises:
        Refusal: NOT_FOUND where nothing of that id is here; FORBIDDEN where another team published it; SIGNED_OBJECT where a
            signed publication lists one of them: who holds that would take the host for a liar.
    """
    await tx.lock_order()
    here = and_(_OBJECTS.c.collection_id == collection_id, _OBJECTS.c.stix_id == stix_id)
    rows = (await tx.connection.execute(_choose(here, filters))).all()
    if not rows:
        if (await tx.connection.execute(select(_OBJECTS.c.position).where(here).limit(1))).first() is None:
            raise Refusal(Code.NOT_FOUND, "there is no such object in this collection")
        return 0
    if any(row.team_id != principal.team.team_id for row in rows):
        raise Refusal(Code.FORBIDDEN, "only the team that published an object can delete it")
    if any(row.is_signed for row in rows):
        raise Refusal(
            Code.SIGNED_OBJECT, "a team has signed for this object; to withdraw it, publish a version with 'revoked': true"
        )
    positions = await tx.take_positions(len(rows))
    since = positions[0] - HOUR_US
    stones = [
        {
            "position": position,
            "collection_id": collection_id,
            "stix_id": stix_id,
            "version": row.version,
            "team_id": row.team_id,
            "was": row.position,
            "undone": row.token_id == principal.token_id and row.position > since,
        }
        for position, row in zip(positions, rows, strict=True)
    ]
    await tx.connection.execute(insert(table(TombstoneRow)), stones)
    for some in chunks(row.position for row in rows):
        # The claim of a sighting object goes with it; mentions and ties are forgotten when correlation meets the tombstone.
        await tx.connection.execute(delete(table(SightingRow)).where(table(SightingRow).c.position.in_(some)))
        await tx.connection.execute(delete(_OBJECTS).where(_OBJECTS.c.position.in_(some)))
    place = await _put_in_force(tx, collection_id, stix_id)
    await tx.run(note_change(collection_id, place or positions[-1]))
    return sum(not stone["undone"] for stone in stones)


def _choose(here: ColumnElement[bool], filters: Filters) -> Select[Any]:
    """Choose the versions that go, with who posted each and whether somebody signed for it."""
    wanted = and_(here, version_condition(filters.versions or Versions(latest=False, every=True), 0))
    listed = exists().where(_SIGNED.c.position == _OBJECTS.c.position)
    is_signed = or_(_OBJECTS.c.vouched == Vouched.SIGNED.value, listed).label("is_signed")
    posted_with = select(_SUBMISSIONS.c.token_id).where(_SUBMISSIONS.c.submission_id == _OBJECTS.c.submission_id)
    columns = (
        _OBJECTS.c.position,
        _OBJECTS.c.version,
        _OBJECTS.c.team_id,
        posted_with.scalar_subquery().label("token_id"),
        is_signed,
    )
    return select(*columns).where(wanted).limit(0 if matches_nothing(filters) else 100_000)


async def _put_in_force(tx: Tx, collection_id: int, stix_id: str) -> int | None:
    """Put the newest version that is left in force; where none is left, forget what the object marked.

    A version that was superseded gets a new place: pollers who were already behind its old one would never be shown the object
    again, those who came later may not have been shown any version of it.

    Returns:
        The new place, or None where there is none.
    """
    here = and_(_OBJECTS.c.collection_id == collection_id, _OBJECTS.c.stix_id == stix_id)
    newest = select(_OBJECTS.c.position, _OBJECTS.c.superseded_by).where(here).order_by(_OBJECTS.c.version_us.desc()).limit(1)
    left = (await tx.connection.execute(newest)).first()
    if left is None:
        markings = table(MarkingRow)
        of_object = and_(markings.c.collection_id == collection_id, markings.c.stix_id == stix_id)
        await tx.connection.execute(delete(markings).where(of_object))
        return None
    place = None
    if left.superseded_by:
        place = (await tx.take_positions(1))[0]
        for rows in (_OBJECTS, _SIGNED, table(MentionRow), table(TieRow), table(SightingRow)):
            await tx.connection.execute(update(rows).where(rows.c.position == left.position).values(position=place))
    newer = _OBJECTS.alias("newer")
    latest = (
        select(func.coalesce(func.max(newer.c.position), 0))
        .where(
            newer.c.collection_id == _OBJECTS.c.collection_id,
            newer.c.stix_id == _OBJECTS.c.stix_id,
            newer.c.version_us > _OBJECTS.c.version_us,
        )
        .scalar_subquery()
    )
    await tx.connection.execute(update(_OBJECTS).where(here).values(superseded_by=latest))
    return place
