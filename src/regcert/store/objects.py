"""Recording what was admitted: objects with their places, and what correlation will want to know of them.

All of it happens under the order lock, in the transaction of its submission. Whatever is found out here about an object that
is already there (the same again, the same version with other content, somebody else's) becomes its entry in the status.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, select, update
from sqlmodel import SQLModel

from regcert.domain.submission import Admitted, AdmittedObject, Refused
from regcert.errors import Code, Refusal
from regcert.stix.timestamps import write_timestamp
from regcert.store.database import Tx
from regcert.store.many import among, chunks, insert_rows
from regcert.store.rows import Place, Source, rows_of
from regcert.store.tables import ObjectRow, table

_OBJECTS = table(ObjectRow)
_CONFLICT = Refusal(
    Code.VERSION_CONFLICT,
    "this id and version is here with other content; publish the change as a new version with a later 'modified'",
)
_FOREIGN = Refusal(
    Code.NOT_THE_AUTHOR, "an object with this id was published by another author, who alone can publish new versions of it"
)


@dataclass(slots=True)
class _Version:
    """One version of one object, stored or about to be; `position` 0 means not yet."""

    version_us: int
    version: str
    digest: bytes
    author: str
    position: int = 0
    superseded_by: int = 0
    is_here: bool = False


# The versions that matter of each object that matters: by id, then by instant.
_Shelf = dict[str, dict[int, _Version]]


@dataclass(slots=True)
class Recorded:
    """What became of an admitted submission.

    Args:
        accepted: (id, version) of each object that is now here, in the order of the envelope.
        refused: the objects that are not, and why.
        stored: how many are new.
    """

    accepted: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    stored: int = 0


async def record_objects(tx: Tx, admitted: Admitted, submission_id: int) -> Recorded:
    """Store every object of a submission that is not here yet.

    1. Under the order lock, look up what is here of the same ids.
    2. Tell new objects from old ones, conflicting ones and other people's.
    3. Give places to the new ones; the later of two versions supersedes the earlier, whichever came first.
    4. Write them.

    Args:
        tx: the transaction.
        admitted: what may be stored.
        submission_id: the submission they came with.
    """
    recorded = Recorded(refused=list(admitted.refused))
    collection_id = admitted.received.collection.collection_id
    await tx.lock_order()  # 1
    shelf = await _look_up(tx, collection_id, admitted.objects)
    taken: list[tuple[str, _Version]] = []
    fresh: list[tuple[AdmittedObject, _Version]] = []
    for one in admitted.objects:  # 2
        try:
            version, is_new = _place(one, shelf.setdefault(one.stix.stix_id, {}))
        except Refusal as refusal:
            recorded.refused.append(Refused(one.stix.stix_id, one.stix.version, refusal))
            continue
        taken.append((one.stix.stix_id, version))
        if is_new:
            fresh.append((one, version))
    if fresh:  # 3
        for (_, version), position in zip(fresh, await tx.take_positions(len(fresh)), strict=True):
            version.position = position
            version.version = version.version or write_timestamp(position)
        await _supersede(tx, {one.stix.stix_id: shelf[one.stix.stix_id] for one, _ in fresh})
        await _write(tx, admitted, submission_id, fresh)  # 4
    recorded.accepted = [(stix_id, version.version) for stix_id, version in taken]
    recorded.stored = len(fresh)
    return recorded


async def _look_up(tx: Tx, collection_id: int, objects: Sequence[AdmittedObject]) -> _Shelf:
    """Fetch what is here of these objects: their versions in force, and those as old as what is posted."""
    shelf: _Shelf = {}
    # Not in the words of the index of pages: PostgreSQL would read all of that rather than look the ids up.
    listed = _OBJECTS.c.superseded_by + 0 < _OBJECTS.c.position
    for ids in chunks({one.stix.stix_id for one in objects}):
        same = among(tx.connection, _OBJECTS.c.stix_id, ids)
        for row in await _versions(tx, collection_id, and_(same, listed)):
            shelf.setdefault(row["stix_id"], {})[row["version_us"]] = _read_version(row)
    for one in objects:
        # Older than what is in force, so it came late, or again: rare, and looked up one by one.
        versions, version_us = shelf.get(one.stix.stix_id), one.stix.version_us or 0
        if versions and version_us not in versions and version_us < max(versions):
            same = and_(_OBJECTS.c.stix_id == one.stix.stix_id, _OBJECTS.c.version_us == version_us)
            for row in await _versions(tx, collection_id, same):
                versions[version_us] = _read_version(row)
    return shelf


async def _versions(tx: Tx, collection_id: int, condition: ColumnElement[bool]) -> Sequence[RowMapping]:
    columns = _OBJECTS.c
    query = select(
        columns.stix_id, columns.version_us, columns.version, columns.digest, columns.author, columns.position,
        columns.superseded_by,
    ).where(columns.collection_id == collection_id, condition)  # fmt: skip
    return (await tx.connection.execute(query)).mappings().all()


def _read_version(row: RowMapping) -> _Version:
    return _Version(
        row["version_us"], row["version"], row["digest"], row["author"], row["position"], row["superseded_by"],
        is_here=True,
    )  # fmt: skip


def _place(one: AdmittedObject, versions: dict[int, _Version]) -> tuple[_Version, bool]:
    """Find an object among the versions that are here, or put it there; tell whether it is new."""
    version_us = one.stix.version_us or 0
    same = versions.get(version_us)
    if same is not None:
        if same.digest != one.stix.digest:
            raise _CONFLICT
        return same, False
    if any(version.author != one.author for version in versions.values()):
        raise _FOREIGN
    version = _Version(version_us, one.stix.version or "", one.stix.digest, one.author)
    versions[version_us] = version
    return version, True


async def _supersede(tx: Tx, shelf: _Shelf) -> None:
    """Note for every version, here or new, the largest position among those newer than it.

    The versions in force suffice to know it: whatever hides an older one has a larger position than what it hides.
    """
    moved: list[dict[str, int]] = []
    for versions in shelf.values():
        latest = 0
        for version_us in sorted(versions, reverse=True):
            version = versions[version_us]
            if latest > version.superseded_by:
                version.superseded_by = latest
                if version.is_here:
                    moved.append({"at": version.position, "latest": latest})
            latest = max(latest, version.position)
    if moved:
        change = update(_OBJECTS).where(_OBJECTS.c.position == bindparam("at")).values(superseded_by=bindparam("latest"))
        await tx.connection.execute(change, moved)


async def _write(tx: Tx, admitted: Admitted, submission_id: int, fresh: Sequence[tuple[AdmittedObject, _Version]]) -> None:
    """Insert the new rows, and beside them what correlation reads: values, mentions, ties, claims."""
    rows: dict[type[SQLModel], list[dict[str, object]]] = defaultdict(list)
    source = Source(
        admitted.received.collection.collection_id, admitted.received.principal.team.team_id, submission_id, admitted.vouched
    )
    for one, version in fresh:
        place = Place(version.position, version.superseded_by, version.version, version.version_us)
        for kind, row in rows_of(one, place, source):
            rows[kind].append(row)
    await insert_rows(tx.connection, _OBJECTS, rows.pop(ObjectRow))
    for kind, found in rows.items():
        await insert_rows(tx.connection, table(kind), found, keep=True)
