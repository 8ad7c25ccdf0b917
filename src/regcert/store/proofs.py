"""What a reader of a collection is told about its publications: which there are, and which of them vouches for an object."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Integer, Select, bindparam, or_, select

from regcert.domain.principal import Principal
from regcert.domain.submission import Vouched
from regcert.errors import Code, Refusal
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, ObjectRow, TeamRow, table
from regcert.store.trust_tables import PublicationRow, SignedRow
from regcert.store.visibility import visible, writable

_COLLECTIONS = table(CollectionRow)
_OBJECTS = table(ObjectRow)
_TEAMS = table(TeamRow)
_PUBLICATIONS = table(PublicationRow)
_SIGNED = table(SignedRow)


@dataclass(frozen=True, slots=True)
class Readable:
    """A collection that somebody may read.

    Args:
        collection_id: our key of it.
        blind: what its publications are tagged with in the log; None where it never got one.
    """

    collection_id: int
    blind: bytes | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One publication.

    Args:
        number: counts those of the collection.
        seq: counts those of the team in the collection.
        team_id: our key of the team.
        team: its identity.
        leaf_index: its place in the log.
        manifest_id: of the manifest object.
        manifest: the manifest object as it is kept.
        key_id: of the key that signed.
        position: the manifest's place in the host's order.
    """

    number: int
    seq: int
    team_id: int
    team: str
    leaf_index: int
    manifest_id: str
    manifest: bytes
    key_id: str
    position: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of an object, and who vouches for it.

    Args:
        stix_id: its id.
        version: its version, as clients know it.
        team: the identity of the team that posted it.
        publication: by which that team signs for it, or None where this host attests it.
        author: whose word it is: the team's own identity, or that of a third party whom it relays.
    """

    stix_id: str
    version: str
    team: str
    publication: Listed | None
    author: str


def _listing() -> Select[Any]:
    return (
        select(
            _PUBLICATIONS.c.number, _PUBLICATIONS.c.seq, _PUBLICATIONS.c.team_id, _TEAMS.c.identity_id,
            _PUBLICATIONS.c.leaf_index, _OBJECTS.c.stix_id, _OBJECTS.c.body, _PUBLICATIONS.c.key_id, _PUBLICATIONS.c.position,
        )
        .join(_OBJECTS, _OBJECTS.c.position == _PUBLICATIONS.c.position)
        .join(_TEAMS, _TEAMS.c.team_id == _PUBLICATIONS.c.team_id)
    )  # fmt: skip


_IN = _PUBLICATIONS.c.collection_id == bindparam("collection", type_=Integer)
_LIST = Statement(
    lambda _: (
        _listing()
        .where(_IN, _PUBLICATIONS.c.number > bindparam("after", type_=Integer))
        .order_by(_PUBLICATIONS.c.number)
        .limit(bindparam("most", type_=Integer))
    )
)
_NUMBERED = Statement(lambda _: _listing().where(_IN, _PUBLICATIONS.c.number == bindparam("number", type_=Integer)))
_VERSION = Statement(
    lambda _: (
        select(
            _OBJECTS.c.version, _OBJECTS.c.version_us, _OBJECTS.c.position, _OBJECTS.c.submission_id, _OBJECTS.c.vouched,
            _TEAMS.c.team_id, _TEAMS.c.identity_id, _OBJECTS.c.author,
        )
        .join(_TEAMS, _TEAMS.c.team_id == _OBJECTS.c.team_id)
        .where(
            _OBJECTS.c.collection_id == bindparam("collection", type_=Integer),
            _OBJECTS.c.stix_id == bindparam("stix_id"),
            _OBJECTS.c.version_us.in_([bindparam("version_us", type_=BigInteger), bindparam("none", 0, type_=BigInteger)]),
        )
        .order_by(_OBJECTS.c.version_us.desc())
        .limit(2)
    )
)  # fmt: skip
_SIGNED_IN = Statement(
    lambda _: select(_SIGNED.c.number).where(
        _SIGNED.c.position == bindparam("position", type_=BigInteger),
        _SIGNED.c.collection_id == bindparam("collection", type_=Integer),
    )
)
_CAME_WITH = Statement(
    lambda _: (
        select(_PUBLICATIONS.c.number)
        .where(_PUBLICATIONS.c.submission_id == bindparam("submission", type_=BigInteger), _IN)
        .limit(1)
    )
)


@lru_cache(maxsize=256)
def _readable(seen: Select[int]) -> Statement:
    name: BindParameter[str] = bindparam("name")
    called = or_(_COLLECTIONS.c.uuid == name, _COLLECTIONS.c.slug == name)
    query = select(_COLLECTIONS.c.collection_id, _COLLECTIONS.c.blind).where(_COLLECTIONS.c.collection_id.in_(seen), called)
    return Statement(lambda _: query.limit(1))


def get_readable(principal: Principal, name: str) -> Program[Readable]:
    """Get a collection that a principal may read, in whichever API root it is, by its id or alias.

    Raises:
        Refusal: NOT_FOUND, whether it is hidden or not there.
    """
    rows = yield _readable(visible(principal)), {"name": name}
    if not rows:
        raise _no_collection()
    collection_id, blind = rows[0]
    return Readable(int(collection_id), None if blind is None else bytes(blind))


@lru_cache(maxsize=256)
def _existing(seen: Select[int], written: Select[int]) -> Statement:
    name: BindParameter[str] = bindparam("name")
    called = or_(_COLLECTIONS.c.uuid == name, _COLLECTIONS.c.slug == name)
    known = or_(_COLLECTIONS.c.collection_id.in_(seen), _COLLECTIONS.c.collection_id.in_(written))
    return Statement(lambda _: select(_COLLECTIONS.c.collection_id).where(called, known).limit(1))


def get_existing(principal: Principal, name: str) -> Program[int]:
    """Get the key of a collection that a principal may read, or only write to, in whichever API root it is.

    Raises:
        Refusal: NOT_FOUND, whether it is hidden or not there.
    """
    rows = yield _existing(visible(principal), writable(principal)), {"name": name}
    if not rows:
        raise _no_collection()
    return int(rows[0][0])


def list_publications(collection_id: int, after: int, most: int) -> Program[list[Listed]]:
    """List publications of a collection that the caller may read, the first ones first.

    Args:
        collection_id: of which.
        after: only those behind this number.
        most: how many at most.
    """
    rows = yield _LIST, {"collection": collection_id, "after": after, "most": most}
    return [_read(row) for row in rows]


def find_kept(collection_id: int, stix_id: str, version: str, version_us: int) -> Program[Kept | None]:
    """Find one version of an object, in a collection that the caller may read.

    Args:
        collection_id: in which.
        stix_id: its id.
        version: as clients know it: its `modified`, else its `created`, else when it was added.
        version_us: the same, as an instant; 0 where it is none.
    """
    asked = {"collection": collection_id, "stix_id": stix_id, "version_us": version_us}
    for found, found_us, position, submission_id, vouched, team_id, team, author in (yield _VERSION, asked):
        # What has no version of its own is known by when it was added, which is not an instant of its own.
        if found_us == version_us if found_us else found == version:
            publication = None
            if vouched == Vouched.SIGNED.value:
                publication = yield from _find_publication(collection_id, position, submission_id, team_id)
            return Kept(stix_id, found, team, publication, author)
    return None


def _find_publication(collection_id: int, position: int, submission_id: int, team_id: int) -> Program[Listed | None]:
    """Find the publication by which a team vouches for its object: the last that listed it again, else the one it came with."""
    listed = yield _SIGNED_IN, {"position": position, "collection": collection_id}
    came = yield _CAME_WITH, {"submission": submission_id, "collection": collection_id}
    for (number,) in (*listed, *came):
        found = yield _NUMBERED, {"collection": collection_id, "number": int(number)}
        publication = _read(found[0]) if found else None
        # Another team may have listed it, too; that is its own word, not the owner's.
        if publication is not None and publication.team_id == team_id:
            return publication
    return None


def _no_collection() -> Refusal:
    return Refusal(Code.NOT_FOUND, "there is no such collection")


def _read(row: Sequence[Any]) -> Listed:
    number, seq, team_id, team, leaf_index, manifest_id, manifest, key_id, position = row
    return Listed(int(number), int(seq), int(team_id), team, int(leaf_index), manifest_id, bytes(manifest), key_id, int(position))
