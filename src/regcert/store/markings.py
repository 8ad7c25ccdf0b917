"""What the marking definitions of a collection stand for."""

from collections.abc import Collection as Values

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.stix.tlp import Tlp
from regcert.store.many import among
from regcert.store.tables import MarkingRow, table

_MARKINGS = table(MarkingRow)


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
