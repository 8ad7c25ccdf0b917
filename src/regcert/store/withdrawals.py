"""How much a team takes back: what the brake on withdrawals in bulk counts. Nothing here reads without a bound."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, bindparam, exists, func, literal_column, select, text, union

from regcert.stix.tlp import Tlp
from regcert.store.many import among_listed, chunks
from regcert.store.programs import Program, Statement
from regcert.store.tables import HostFact, MarkingRow, ObjectRow, TombstoneRow, table

# Of the newest objects in force; a team that has its own farther back than that is taken to have none there.
MOST_LOOKED_AT = 100_000
MOST_COUNTED = 1_000

_OBJECTS = table(ObjectRow)
_STONES = table(TombstoneRow)
_FACTS = table(HostFact)
_MARKINGS = table(MarkingRow)
_HERE = _OBJECTS.c.collection_id == bindparam("collection", type_=Integer)
_TEAM: Any = bindparam("team", type_=Integer)
_SINCE: Any = bindparam("since", type_=BigInteger)


class InForce(NamedTuple):
    """A version in force.

    Args:
        version_us: which one.
        digest: SHA-256 of its canonical form.
        revoked: whether it withdraws the object already.
    """

    version_us: int
    digest: bytes
    revoked: bool


# Not in the words of the index of pages: PostgreSQL would read all of that rather than look the ids up.
_IN_FORCE = Statement(
    lambda dialect: select(_OBJECTS.c.stix_id, _OBJECTS.c.version_us, _OBJECTS.c.digest, _OBJECTS.c.revoked).where(
        _HERE,
        _OBJECTS.c.superseded_by + 0 < _OBJECTS.c.position,
        among_listed(dialect, _OBJECTS.c.stix_id, bindparam("ids")),
    )
)
_DEFINITIONS = Statement(
    lambda dialect: select(_MARKINGS.c.stix_id, _MARKINGS.c.tlp).where(
        _MARKINGS.c.collection_id == bindparam("collection", type_=Integer),
        among_listed(dialect, _MARKINGS.c.stix_id, bindparam("ids")),
    )
)


def _withdrawn_since() -> Any:
    """What was revoked by a version that followed another, and what was deleted and not only undone."""
    older = _OBJECTS.alias("older")
    followed = exists().where(
        older.c.collection_id == _OBJECTS.c.collection_id,
        older.c.stix_id == _OBJECTS.c.stix_id,
        older.c.version_us < _OBJECTS.c.version_us,
    )
    revoked = select(_OBJECTS.c.stix_id).where(
        _HERE, text("revoked"), _OBJECTS.c.position > _SINCE, _OBJECTS.c.team_id == _TEAM, followed
    )
    deleted = select(_STONES.c.stix_id).where(
        _STONES.c.position > _SINCE,
        _STONES.c.collection_id == bindparam("collection", type_=Integer),
        _STONES.c.team_id == _TEAM,
        ~_STONES.c.undone,
    )
    some = union(revoked, deleted).limit(literal_column(str(MOST_COUNTED))).subquery("withdrawn")
    return select(func.count()).select_from(some)


def _team_has() -> Any:
    newest = (
        select(_OBJECTS.c.team_id, _OBJECTS.c.revoked)
        .where(_HERE, text("superseded_by < position"))
        .order_by(_OBJECTS.c.position.desc())
        .limit(literal_column(str(MOST_LOOKED_AT)))
        .subquery("newest")
    )
    own = select(newest.c.team_id).where(newest.c.team_id == _TEAM, ~newest.c.revoked)
    return select(func.count()).select_from(own.limit(literal_column(str(MOST_COUNTED))).subquery("own"))


_WITHDRAWN = Statement(lambda _: _withdrawn_since())
_TEAM_HAS = Statement(lambda _: _team_has())
_FACT = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == "second_person"))


def wants_second_person() -> Program[bool]:
    """Tell whether this host holds what one person may not publish alone; it does unless its region says otherwise."""
    rows = yield _FACT, {}
    return not rows or rows[0][0] != "false"


def find_in_force(collection_id: int, ids: Iterable[str]) -> Program[dict[str, InForce]]:
    """Find the versions in force of some objects of a collection, by id."""
    found: dict[str, InForce] = {}
    for some in chunks(set(ids)):
        rows = yield _IN_FORCE, {"collection": collection_id, "ids": tuple(some)}
        found.update({stix_id: InForce(version_us, bytes(digest), revoked) for stix_id, version_us, digest, revoked in rows})
    return found


def find_definitions(collection_id: int, ids: Iterable[str]) -> Program[dict[str, Tlp | None]]:
    """Find what markings stand for by definitions in the same collection, as `find_markings` does; None for a statement."""
    found: dict[str, Tlp | None] = {}
    for some in chunks(set(ids)):
        rows = yield _DEFINITIONS, {"collection": collection_id, "ids": tuple(some)}
        found.update({stix_id: None if tlp < 0 else Tlp(tlp) for stix_id, tlp in rows})
    return found


def count_withdrawn(collection_id: int, team_id: int, since_us: int) -> Program[int]:
    """Count the objects of a collection that a team took back since a time, at most 1,000 of them.

    Each counts once: revoked by a version that followed another, or deleted.
    """
    rows = yield _WITHDRAWN, {"collection": collection_id, "team": team_id, "since": since_us}
    return int(rows[0][0])


def count_own(collection_id: int, team_id: int) -> Program[int]:
    """Count what a team has in force in a collection, at most 1,000 objects; among the newest 100,000 of everybody."""
    rows = yield _TEAM_HAS, {"collection": collection_id, "team": team_id}
    return int(rows[0][0])
