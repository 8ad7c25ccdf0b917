"""Take reports of what was seen: one, or ten thousand in a call, each with its own verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regcert.clock import Clock
from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.domain.report import read_report
from regcert.domain.sighting import SightingReport
from regcert.errors import Code, Refusal
from regcert.flows.add_collection import scope_of
from regcert.policy.permissions import Permission, require
from regcert.stix.tlp import Tlp
from regcert.store.collections import list_api_roots
from regcert.store.database import Database
from regcert.store.sightings import find_indicators, record_sightings
from regcert.store.teams import read_facts
from regcert.store.visibility import find_collection

MOST_REPORTS = 10_000
_EVERYBODY = scope_of("all")


@dataclass(slots=True)
class Verdicts:
    """What became of a call.

    Args:
        accepted: how many reports are in the ledger now, also those that were there before.
        stored: how many of them are new.
        refused: the others, by their place in the call.
    """

    accepted: int = 0
    stored: int = 0
    refused: list[tuple[int, Refusal]] = field(default_factory=list)


async def report_sightings(
    database: Database, clock: Clock, principal: Principal, api_root: str, reports: Sequence[object]
) -> Verdicts:
    """Enter reports of sightings in the ledger.

    1. Read each report; a bad one does not spoil the others.
    2. File it: under the collection it names, in whatever API root that is, else under the region's collection for sightings.
       A report on an indicator that fewer teams can see than that collection has readers is filed beside the indicator: that
       it was seen must not tell anybody that it exists. And one that names a circle stays in it: that it was seen there must
       not tell anybody outside.
    3. Write all of them in one transaction; a report id that the team has used before changes nothing.

    Args:
        database: where to.
        clock: for reports that tell no time.
        principal: who reports; one team is one voice, however many tokens it has.
        api_root: the region's own, which is looked in first for a collection that is named.
        reports: at most 10,000, as JSON values.

    Returns:
        The verdict on each.

    Raises:
        Refusal: TOO_LARGE, FORBIDDEN.
    """
    require(principal, Permission.REPORT)
    if len(reports) > MOST_REPORTS:
        raise Refusal(Code.TOO_LARGE, f"a call takes at most {MOST_REPORTS} reports; split it")
    verdicts = Verdicts()
    read: list[tuple[int, SightingReport, str | None]] = []
    now_us = clock.now_us()
    for index, data in enumerate(reports):  # 1
        try:
            report = read_report(data, now_us)
        except Refusal as refusal:
            verdicts.refused.append((index, refusal))
        else:
            wanted = data.get("collection") if isinstance(data, Mapping) else None
            read.append((index, report, wanted if isinstance(wanted, str) else None))
    filed: list[tuple[SightingReport, int, Tlp]] = []
    desk = await _open_desk(database, principal, api_root, read)
    for index, report, wanted in read:  # 2
        try:
            filed.append((report, *desk.file(report, wanted)))
        except Refusal as refusal:
            verdicts.refused.append((index, refusal))
    if filed:  # 3
        verdicts.stored = await database.write(lambda tx: record_sightings(tx, principal, filed))
    verdicts.accepted = len(filed)
    verdicts.refused.sort(key=lambda one: one[0])
    return verdicts


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where reports can be filed: what the principal may write, and where it sees the indicators that are named."""

    collections: Mapping[str, Collection]
    indicators: Mapping[str, Sequence[tuple[int, str, Tlp]]]
    default: str

    def file(self, report: SightingReport, wanted: str | None) -> tuple[int, Tlp]:
        """Choose the collection a report belongs to, and its marking there; never one that more teams read than the one named."""
        collection = self.collections.get(wanted or self.default)
        if collection is None:
            raise Refusal(Code.INVALID_SIGHTING, "there is no collection to file this under that your team may write to")
        if report.indicator_id is None:
            return collection.collection_id, collection.ceiling
        places = self.indicators.get(report.indicator_id)
        if not places:
            raise Refusal(Code.UNKNOWN_INDICATOR, "there is no such indicator; poll the collection, or report the value itself")
        for _, scope, marking in places:
            if scope == collection.scope:
                return collection.collection_id, marking
        collection_id, scope, marking = places[-1]
        if wanted is None or collection.scope == _EVERYBODY:
            return collection_id, marking
        if scope == _EVERYBODY:
            return collection.collection_id, collection.ceiling
        raise Refusal(
            Code.INVALID_SIGHTING,
            "the collection and the indicator are for different circles of teams; leave the collection out, or report the value",
        )


async def _open_desk(
    database: Database, principal: Principal, api_root: str, read: Sequence[tuple[int, SightingReport, str | None]]
) -> _Desk:
    async with database.read() as connection:
        facts = await read_facts(connection)
        default = str(facts.get("sightings_collection", ""))
        roots = [api_root, *(root.slug for root in await list_api_roots(connection) if root.slug != api_root)]
        collections: dict[str, Collection] = {}
        for name in sorted({wanted or default for _, _, wanted in read})[:100]:
            found = await _find_writable(database, principal, roots, name)
            if found is not None:
                collections[name] = found
        named = {report.indicator_id for _, report, _ in read if report.indicator_id}
        indicators = await find_indicators(connection, principal, named) if named else {}
    return _Desk(collections, indicators, default)


async def _find_writable(database: Database, principal: Principal, roots: Sequence[str], name: str) -> Collection | None:
    """Find a collection by id or alias, which are unique on the host: at most one root has it."""
    for root in roots:
        found = await database.run(find_collection(principal, root, name))
        if found is not None:
            return found[0] if found[2] else None
    return None
