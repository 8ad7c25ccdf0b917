"""Recording what was admitted: objects with their places, and what correlation will want to know of them.

All of it happens under the order lock, in the transaction of its submission. Whatever is found out here about an object that
is already there (the same again, the same version with other content, somebody else's) becomes its entry in the status.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, select, update

from regcert.domain.standing import Standing
from regcert.domain.submission import Admitted, AdmittedObject, Refused
from regcert.errors import Code, Refusal
from regcert.policy.lowering import is_bound, least_marking
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import Tlp
from regcert.store.many import among_listed, chunks
from regcert.store.markings import find_standing
from regcert.store.order import lock_order, take_positions
from regcert.store.programs import Program, Statement
from regcert.store.rows import Place, Rows, Source
from regcert.store.tables import CollectionRow, ObjectRow, table

_OBJECTS = table(ObjectRow)
_COLLECTIONS = table(CollectionRow)
_CONFLICT = Refusal(
    Code.VERSION_CONFLICT,
    "this id and version is here with other content; publish the change as a new version with a later 'modified'",
)
_FOREIGN = Refusal(
    Code.NOT_THE_AUTHOR, "an object with this id was published by another author, who alone can publish new versions of it"
)
_LOWERED = Refusal(
    Code.MARKING_LOWERED,
    "this object is here with a stricter marking; keep that, or let the team that published it declassify it in a signed"
    " publication",
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
    marking: int = 0
    team_id: int = 0
    is_here: bool = False


# The versions that matter of each object that matters: by id, then by instant.
_Shelf = dict[str, dict[int, _Version]]


def _versions(condition: ColumnElement[bool]) -> Select[Any]:
    columns = _OBJECTS.c
    return select(
        columns.stix_id, columns.version_us, columns.version, columns.digest, columns.author, columns.position,
        columns.superseded_by, columns.marking, columns.team_id,
    ).where(columns.collection_id == bindparam("collection", type_=Integer), condition)  # fmt: skip


# Not in the words of the index of pages: PostgreSQL would read all of that rather than look the ids up.
_IN_FORCE = Statement(
    lambda dialect: _versions(_OBJECTS.c.superseded_by + 0 < _OBJECTS.c.position).where(
        among_listed(dialect, _OBJECTS.c.stix_id, bindparam("ids"))
    )
)
_EXACT = Statement(
    lambda _: _versions(_OBJECTS.c.stix_id == bindparam("stix_id")).where(
        _OBJECTS.c.version_us == bindparam("version_us", type_=BigInteger)
    )
)
_SUPERSEDE = Statement(
    lambda _: update(_OBJECTS).where(_OBJECTS.c.position == bindparam("at")).values(superseded_by=bindparam("latest"))
)
_CHANGE = Statement(
    lambda _: (
        update(_COLLECTIONS).where(_COLLECTIONS.c.collection_id == bindparam("collection")).values(changed=bindparam("place"))
    )
)


@dataclass(slots=True)
class Recorded:
    """What became of an admitted submission.

    Args:
        accepted: (id, version) of each object that is now here, in the order of the envelope.
        refused: the objects that are not, and why.
        stored: how many are new.
        positions: of each object that is now here, in the order of the envelope.
        known: the positions of those that were here before.
    """

    accepted: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    stored: int = 0
    positions: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)


def record_objects(admitted: Admitted, submission_id: int, now_us: int) -> Program[Recorded]:
    """Store every object of a submission that is not here yet.

    1. Under the order lock, look up what is here of the same ids.
    2. Tell new objects from old ones, conflicting ones and other people's.
    3. Give places to the new ones; the later of two versions supersedes the earlier, whichever came first.
    4. Write them, and note that the collection has changed.

    Args:
        admitted: what may be stored.
        submission_id: the submission they came with.
        now_us: what time it is.
    """
    recorded = Recorded(refused=list(admitted.refused))
    collection_id = admitted.received.collection.collection_id
    yield from lock_order()  # 1
    shelf = yield from _look_up(collection_id, admitted.objects)
    bound = [one.stix.stix_id for one in admitted.objects if is_bound(one)] if admitted.elsewhere else []
    standing = yield from find_standing(admitted.elsewhere, bound)
    taken: list[tuple[str, _Version]] = []
    fresh: list[tuple[AdmittedObject, _Version]] = []
    for one in admitted.objects:  # 2
        try:
            versions = shelf.setdefault(one.stix.stix_id, {})
            version, is_new = _place(one, versions, _least(one, versions, standing.get(one.stix.stix_id, []), admitted))
        except Refusal as refusal:
            recorded.refused.append(Refused(one.stix.stix_id, one.stix.version, refusal))
            continue
        taken.append((one.stix.stix_id, version))
        if is_new:
            version.team_id = admitted.received.principal.team.team_id
            fresh.append((one, version))
    if fresh:  # 3
        positions = yield from take_positions(len(fresh), now_us)
        for (_, version), position in zip(fresh, positions, strict=True):
            version.position = position
            version.version = version.version or write_timestamp(position)
        yield from _supersede({one.stix.stix_id: shelf[one.stix.stix_id] for one, _ in fresh})
        yield from _rows(admitted, submission_id, fresh).write()  # 4
        yield from note_change(collection_id, positions[-1])
    recorded.accepted = [(stix_id, version.version) for stix_id, version in taken]
    recorded.stored = len(fresh)
    recorded.positions = [version.position for _, version in taken]
    recorded.known = [version.position for _, version in taken if version.is_here]
    return recorded


def note_change(collection_id: int, position: int) -> Program[None]:
    """Note when a collection last changed; whoever remembers what it held before looks at this first."""
    yield _CHANGE, {"collection": collection_id, "place": position}


def _look_up(collection_id: int, objects: Sequence[AdmittedObject]) -> Program[_Shelf]:
    """Fetch what is here of these objects: their versions in force, and those as old as what is posted."""
    shelf: _Shelf = {}
    for ids in chunks({one.stix.stix_id for one in objects}):
        for stix_id, *version in (yield _IN_FORCE, {"collection": collection_id, "ids": tuple(ids)}):
            shelf.setdefault(stix_id, {})[version[0]] = _read_version(version)
    for one in objects:
        # Older than what is in force, so it came late, or again: rare, and looked up one by one.
        versions, version_us = shelf.get(one.stix.stix_id), one.stix.version_us or 0
        if versions and version_us not in versions and version_us < max(versions):
            asked = {"collection": collection_id, "stix_id": one.stix.stix_id, "version_us": version_us}
            for _, *version in (yield _EXACT, asked):
                versions[version_us] = _read_version(version)
    return shelf


def _read_version(columns: Sequence[Any]) -> _Version:
    version = _Version(*columns)
    version.is_here = True
    return version


def _least(one: AdmittedObject, versions: dict[int, _Version], standing: list[Standing], admitted: Admitted) -> Tlp:
    """Find the mildest marking that an object may carry, by what its sender can know of its other versions."""
    if not (versions or standing) or not is_bound(one):
        return Tlp.CLEAR
    here = None
    if versions:
        latest = versions[max(versions)]
        if admitted.reads or latest.team_id == admitted.received.principal.team.team_id:
            here = Standing(latest.version_us, Tlp(latest.marking), latest.team_id, latest.author, latest.digest)
    return least_marking(one, here, standing, admitted)


def _place(one: AdmittedObject, versions: dict[int, _Version], least: Tlp) -> tuple[_Version, bool]:
    """Find an object among the versions that are here, or put it there; tell whether it is new."""
    version_us = one.stix.version_us or 0
    same = versions.get(version_us)
    if same is not None:
        if same.digest != one.stix.digest:
            raise _CONFLICT
        return same, False
    if any(version.author != one.author for version in versions.values()):
        raise _FOREIGN
    if one.marking < least:
        raise _LOWERED
    version = _Version(version_us, one.stix.version or "", one.stix.digest, one.author)
    version.marking = int(one.marking)
    versions[version_us] = version
    return version, True


def _supersede(shelf: _Shelf) -> Program[None]:
    """Note for every version, here or new, the largest position among those newer than it.

    The versions in force suffice to know it: whatever hides an older one has a larger position than what it hides.
    """
    for versions in shelf.values():
        if len(versions) == 1:
            continue
        latest = 0
        for version_us in sorted(versions, reverse=True):
            version = versions[version_us]
            if latest > version.superseded_by:
                version.superseded_by = latest
                if version.is_here:
                    yield _SUPERSEDE, {"at": version.position, "latest": latest}
            latest = max(latest, version.position)


def _rows(admitted: Admitted, submission_id: int, fresh: Sequence[tuple[AdmittedObject, _Version]]) -> Rows:
    """Make the new rows, and beside them what correlation reads: values, mentions, ties, claims."""
    received = admitted.received
    collection, team_id = received.collection, received.principal.team.team_id
    is_evidence = collection.centre_token is None
    source = Source(collection.collection_id, team_id, submission_id, admitted.vouched.value, is_evidence)
    rows = Rows()
    for one, version in fresh:
        rows.add_object(one, Place(version.position, version.superseded_by, version.version, version.version_us), source)
    return rows
