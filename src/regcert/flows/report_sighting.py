"""Take reports of what was seen: one, or ten thousand in a call, each with its own verdict."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from regcert.clock import Clock
from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.domain.report import read_report
from regcert.domain.sighting import SightingReport, is_technique, may_be_elsewhere
from regcert.errors import Code, Refusal
from regcert.flows.add_collection import scope_of
from regcert.policy.permissions import Permission, require
from regcert.stix.tlp import Tlp
from regcert.store.database import Database
from regcert.store.programs import Program
from regcert.store.sightings import Place, find_default, find_places, find_writable, record_sightings

MOST_REPORTS = 10_000
# Others write in between, and wait no longer than this many take.
REPORTS_A_COMMIT = 250
# So many are read at once before everybody else has a turn of the event loop. A thread would hold the interpreter for longer.
_READ_AT_ONCE = 50
_EVERYBODY = scope_of("all")

_Read = tuple[int, SightingReport, str | None]
_Filed = tuple[SightingReport, int, Tlp]


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


async def report_sightings(database: Database, clock: Clock, principal: Principal, reports: Sequence[object]) -> Verdicts:
    """Enter reports of sightings in the ledger.

    1. Read each report; a bad one does not spoil the others.
    2. File it: under the collection it names, in whatever API root that is, else under the region's collection for sightings.
       A report on something that fewer teams can see than that collection has readers is filed beside it: that it was seen
       must not tell anybody that it exists. And one that names a circle stays in it: that it was seen there must not tell
       anybody outside. What the reporter cannot see is filed as what is nowhere.
    3. Write them, a few hundred in a transaction; a report id that the team has used before changes nothing.

    If we crash between two transactions, nobody was answered; what is sent again under the same report ids counts once.

    Args:
        database: where to.
        clock: for reports that tell no time.
        principal: who reports; one team is one voice, however many tokens it has.
        reports: at most 10,000, as JSON values; a refusal in the place of what is none.

    Returns:
        The verdict on each.

    Raises:
        Refusal: TOO_LARGE, FORBIDDEN.
    """
    require(principal, Permission.REPORT)
    if len(reports) > MOST_REPORTS:
        raise Refusal(Code.TOO_LARGE, f"a call takes at most {MOST_REPORTS} reports; split it")
    verdicts = Verdicts()
    now_us = clock.now_us()
    read: list[_Read] = []
    for index, data in enumerate(reports):  # 1
        if index % _READ_AT_ONCE == _READ_AT_ONCE - 1:
            await asyncio.sleep(0)
        try:
            read.append((index, *_read(data, now_us)))
        except Refusal as refusal:
            verdicts.refused.append((index, refusal))
    filed: list[_Filed] = []
    desk = await database.run(_open_desk(principal, read))
    for index, report, wanted in read:  # 2
        try:
            filed.append((report, *desk.file(report, wanted)))
        except Refusal as refusal:
            verdicts.refused.append((index, refusal))
    for some in _pieces(filed):  # 3
        verdicts.stored += await database.apply(partial(record_sightings, principal.team, some))
    verdicts.accepted = len(filed)
    verdicts.refused.sort(key=lambda one: one[0])
    return verdicts


def _read(data: object, now_us: int) -> tuple[SightingReport, str | None]:
    """Read a report, and the collection that it names."""
    if isinstance(data, Refusal):
        raise data
    report = read_report(data, now_us)
    wanted = data.get("collection") if isinstance(data, Mapping) else None
    return report, wanted if isinstance(wanted, str) else None


def _pieces(filed: Sequence[_Filed]) -> Iterable[Sequence[_Filed]]:
    return (filed[start : start + REPORTS_A_COMMIT] for start in range(0, len(filed), REPORTS_A_COMMIT))


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where reports can be filed: what the principal may write, and where it sees what is named."""

    collections: Mapping[str, Collection]
    places: Mapping[str, Sequence[Place]]
    default: str

    def file(self, report: SightingReport, wanted: str | None) -> tuple[int, Tlp]:
        """Choose the collection a report belongs to, and its marking there; never one that more teams read than the one named."""
        collection = self.collections.get(wanted or self.default)
        if collection is None:
            raise Refusal(Code.INVALID_SIGHTING, "there is no collection to file this under that your team may write to")
        places = self.places.get(report.subject) if report.subject else None
        if not places:
            if report.subject and not may_be_elsewhere(report.subject):
                raise Refusal(
                    Code.UNKNOWN_INDICATOR, "there is no such indicator; poll the collection, or report the value itself"
                )
            return collection.collection_id, collection.ceiling
        for place in places:
            if place.scope == collection.scope:
                return collection.collection_id, place.marking
        last = places[-1]
        if wanted is None or collection.scope == _EVERYBODY:
            return last.collection_id, last.marking
        if last.scope == _EVERYBODY:
            return collection.collection_id, collection.ceiling
        raise Refusal(
            Code.INVALID_SIGHTING,
            "the collection and what was seen are for different circles of teams; leave the collection out, or report the value",
        )


def _open_desk(principal: Principal, read: Sequence[_Read]) -> Program[_Desk]:
    default = yield from find_default()
    collections = yield from find_writable(principal, {wanted or default for _, _, wanted in read})
    named = {report.subject for _, report, _ in read if report.subject and not is_technique(report.subject)}
    places = yield from find_places(principal, named)
    return _Desk(collections, places, default)
