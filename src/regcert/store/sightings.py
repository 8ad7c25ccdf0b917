"""The ledger of sightings that come as reports rather than as STIX objects."""

from collections.abc import Collection as Values
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal
from regcert.domain.sighting import SightingReport
from regcert.stix.tlp import Tlp
from regcert.store.database import Tx
from regcert.store.many import among
from regcert.store.rows import Rows
from regcert.store.tables import CollectionRow, ObjectRow, SightingRow, table
from regcert.store.visibility import visible

_SIGHTINGS = table(SightingRow)
_OBJECTS = table(ObjectRow)
_COLLECTIONS = table(CollectionRow)


async def find_indicators(
    connection: AsyncConnection, principal: Principal, stix_ids: Values[str]
) -> dict[str, list[tuple[int, str, Tlp]]]:
    """Find where the principal sees some objects: each collection, its scope, and the object's marking there.

    Where an object stands in several collections, one that all teams read comes last.
    """
    query = (
        select(_OBJECTS.c.stix_id, _OBJECTS.c.collection_id, _COLLECTIONS.c.scope, _OBJECTS.c.marking)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _OBJECTS.c.collection_id)
        .where(
            among(connection, _OBJECTS.c.stix_id, stix_ids),
            _OBJECTS.c.collection_id.in_(visible(principal)),
            _OBJECTS.c.superseded_by == 0,
        )
        .order_by(_COLLECTIONS.c.read_all, _OBJECTS.c.position)
    )
    found: dict[str, list[tuple[int, str, Tlp]]] = {}
    for stix_id, collection_id, scope, marking in await connection.execute(query):
        found.setdefault(stix_id, []).append((collection_id, scope, Tlp(marking)))
    return found


async def record_sightings(tx: Tx, principal: Principal, reports: Sequence[tuple[SightingReport, int, Tlp]]) -> int:
    """Enter reports in the ledger, each once for its team and report id; return how many are new.

    Args:
        tx: the transaction.
        principal: whose reports these are.
        reports: each with the collection it is filed under and its marking there.
    """
    team = principal.team
    await tx.lock_order()
    names = [report.report_id for report, _, _ in reports]
    known = select(_SIGHTINGS.c.report_id).where(
        _SIGHTINGS.c.team_id == team.team_id, among(tx.connection, _SIGHTINGS.c.report_id, names)
    )
    seen = set((await tx.connection.execute(known)).scalars())
    fresh = []
    for entry in reports:
        if entry[0].report_id not in seen:
            seen.add(entry[0].report_id)
            fresh.append(entry)
    if not fresh:
        return 0
    rows = Rows()
    for (report, collection_id, marking), position in zip(fresh, await tx.take_positions(len(fresh)), strict=True):
        rows.add_report(report, (position, collection_id, team.team_id, int(marking)), team.identity_id)
    await tx.run(rows.write())
    return len(fresh)
