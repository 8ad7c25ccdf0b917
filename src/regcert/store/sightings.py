"""The ledger of sightings that come as reports rather than as STIX objects."""

from collections.abc import Collection as Values
from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.principal import Principal
from regcert.domain.sighting import SightingKind, SightingReport
from regcert.stix.tlp import Tlp
from regcert.store.database import Tx
from regcert.store.ledger import observable_key
from regcert.store.many import among, insert_new
from regcert.store.tables import CollectionRow, MentionRow, ObjectRow, ObservableRow, SightingRow, table
from regcert.store.visibility import visible

_SIGHTINGS = table(SightingRow)
_OBJECTS = table(ObjectRow)
_COLLECTIONS = table(CollectionRow)


async def find_indicators(
    connection: AsyncConnection, principal: Principal, stix_ids: Values[str]
) -> dict[str, tuple[int, str, Tlp]]:
    """Find where the principal sees some objects: the collection, its scope, and the object's marking.

    An object that stands in several collections is taken where the most teams see it.
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
    # Later rows overwrite earlier ones, so that a collection open to all wins.
    return {
        stix_id: (collection_id, scope, Tlp(marking))
        for stix_id, collection_id, scope, marking in await connection.execute(query)
    }


async def record_sightings(tx: Tx, principal: Principal, reports: Sequence[tuple[SightingReport, int, Tlp]]) -> int:
    """Enter reports in the ledger, each once for its team and report id; return how many are new.

    Args:
        tx: the transaction.
        principal: whose reports these are.
        reports: each with the collection it is filed under and its marking there.
    """
    team = principal.team
    await tx.lock_order()
    known = (
        select(_SIGHTINGS.c.report_id)
        .where(_SIGHTINGS.c.team_id == team.team_id, among(tx.connection, _SIGHTINGS.c.report_id, [r.report_id for r, _, _ in reports]))
    )  # fmt: skip
    seen = set((await tx.connection.execute(known)).scalars())
    fresh = []
    for entry in reports:
        if entry[0].report_id not in seen:
            seen.add(entry[0].report_id)
            fresh.append(entry)
    if not fresh:
        return 0
    rows, mentions, values = [], [], {}
    for (report, collection_id, marking), position in zip(fresh, await tx.take_positions(len(fresh)), strict=True):
        key = observable_key(report.observable) if report.observable else None
        place = {"position": position, "collection_id": collection_id, "team_id": team.team_id, "marking": int(marking)}
        what = {"count": report.count, "first_us": report.first_us, "last_us": report.last_us}
        rows.append(
            place
            | what
            | {
                "report_id": report.report_id,
                "kind": report.kind.value,
                "key": key,
                "indicator_id": report.indicator_id,
                "sector": report.sector,
            }
        )
        if report.observable is None or key is None:
            continue
        values[key] = {"key": key, "kind": report.observable.kind.value, "value": report.observable.value}
        # That something has expired says nothing about whether it was there.
        if report.kind is not SightingKind.EXPIRED:
            said = {"key": key, "stix_id": "", "origin": team.identity_id, "said": report.kind.value}
            mentions.append(place | what | said)
    await tx.connection.execute(insert(_SIGHTINGS), rows)
    for table_row, found in ((ObservableRow, list(values.values())), (MentionRow, mentions)):
        if found:
            await tx.connection.execute(insert_new(tx.connection, table(table_row)), found)
    return len(fresh)
