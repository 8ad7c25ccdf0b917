"""What the marking definitions of a collection stand for, and how objects are marked where they stand already."""

from collections.abc import Collection as Values

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.standing import Standing
from regcert.stix.tlp import Tlp
from regcert.store.many import among, among_listed, chunks
from regcert.store.programs import Program, Statement
from regcert.store.tables import MarkingRow, ObjectRow, table

_MARKINGS = table(MarkingRow)
_OBJECTS = table(ObjectRow)
_STANDING = Statement(
    lambda dialect: select(
        _OBJECTS.c.stix_id,
        _OBJECTS.c.version_us,
        _OBJECTS.c.marking,
        _OBJECTS.c.team_id,
        _OBJECTS.c.author,
        _OBJECTS.c.digest,
    ).where(
        among_listed(dialect, _OBJECTS.c.collection_id, bindparam("collections")),
        among_listed(dialect, _OBJECTS.c.stix_id, bindparam("ids")),
        _OBJECTS.c.superseded_by == 0,
    )
)


async def find_markings(connection: AsyncConnection, collection_id: int, marking_ids: Values[str]) -> dict[str, Tlp | None]:
    """Find what some markings stand for, by definitions published in the same collection; None for a statement.

    A definition elsewhere does not count: who reads this collection may not see that one.
    """
    if not marking_ids:
        return {}
    query = select(_MARKINGS.c.stix_id, _MARKINGS.c.tlp).where(
        _MARKINGS.c.collection_id == collection_id, among(connection, _MARKINGS.c.stix_id, marking_ids)
    )
    return {stix_id: None if tlp < 0 else Tlp(tlp) for stix_id, tlp in await connection.execute(query)}


def find_standing(collection_ids: Values[int], stix_ids: Values[str]) -> Program[dict[str, list[Standing]]]:
    """Find how objects stand in some collections: the version in force that is the newest in each.

    Whoever asks must have made sure that these collections are the sender's to read (`store/visibility.py`).
    """
    found: dict[str, list[Standing]] = {}
    if not collection_ids:
        return found
    for ids in chunks(set(stix_ids)):
        rows = yield _STANDING, {"collections": tuple(sorted(collection_ids)), "ids": tuple(ids)}
        for stix_id, version_us, marking, team_id, author, digest in rows:
            found.setdefault(stix_id, []).append(Standing(version_us, Tlp(marking), team_id, author, digest))
    return found
