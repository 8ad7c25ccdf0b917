"""The rows that one new object or report becomes: itself, and what correlation will read of it.

A row is a tuple in the order of its table's columns, as the driver takes it: an envelope is thousands of rows, and a name for
each value of each of them costs more than the row itself.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from regcert.domain.sighting import SightingKind, SightingReport
from regcert.domain.submission import AdmittedObject
from regcert.stix.object import SightingClaim
from regcert.stix.observable import Observable
from regcert.store.ledger import observable_key
from regcert.store.programs import Insert, Program
from regcert.store.tables import MarkingRow, MentionRow, ObjectRow, ObservableRow, SightingRow, TieRow, table

# What may stand there already is kept: a value is one row however many objects name it.
OBJECTS = Insert(table(ObjectRow))
SIGHTINGS = Insert(table(SightingRow))
MARKINGS = Insert(table(MarkingRow), keep=True)
OBSERVABLES = Insert(table(ObservableRow), keep=True)
MENTIONS = Insert(table(MentionRow), keep=True)
TIES = Insert(table(TieRow), keep=True)
_INSERTS = (OBJECTS, SIGHTINGS, MARKINGS, OBSERVABLES, MENTIONS, TIES)

Row: TypeAlias = tuple[Any, ...]
STATEMENT = -1


@dataclass(frozen=True, slots=True)
class Source:
    """Where a submission went, and whence it came; what the host derived itself is no evidence of anything."""

    collection_id: int
    team_id: int
    submission_id: int
    vouched: str
    is_evidence: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one version in the host's order and among its object's versions."""

    position: int
    superseded_by: int
    version: str
    version_us: int


class Rows:
    """Rows on their way to their tables."""

    def __init__(self) -> None:
        self._rows: dict[Insert, list[Row]] = {insert: [] for insert in _INSERTS}

    def write(self) -> Program[None]:
        """Insert all of them, table by table."""
        for insert, rows in self._rows.items():
            if rows:
                yield insert, rows

    def add_object(self, one: AdmittedObject, place: Place, source: Source) -> None:
        """Add every row of one new object; what is withdrawn or no evidence says nothing that correlation could read."""
        stix, rows, marking = one.stix, self._rows, int(one.marking)
        collection_id, team_id, position = source.collection_id, source.team_id, place.position
        rows[OBJECTS].append((
            position, collection_id, stix.stix_id, stix.type, place.version, place.version_us, place.superseded_by, team_id,
            one.author, source.vouched, marking, stix.revoked, source.submission_id, stix.digest, stix.body,
        ))  # fmt: skip
        if stix.is_marking:
            rows[MARKINGS].append((collection_id, stix.stix_id, STATEMENT if stix.defines is None else int(stix.defines)))
        if stix.revoked or not source.is_evidence:
            return
        for observable in stix.observables:
            key = self._add_value(observable)
            rows[MENTIONS].append((
                position, key, collection_id, stix.stix_id, team_id, one.author, "published", 1, stix.first_us, stix.last_us,
                marking,
            ))  # fmt: skip
        rows[TIES] += ((member, context, collection_id, position) for member, context in dict.fromkeys(stix.ties))
        if stix.claim is not None:
            # By its place, too: the same sighting may stand in two collections, and must show in neither that it is in the other.
            name = f"{stix.stix_id}@{place.version}#{position}"
            rows[SIGHTINGS].append(_claim(stix.claim, name, place, source, marking, one.author))

    def add_report(self, report: SightingReport, place: tuple[int, int, int, int], team_identity: str) -> None:
        """Add the rows of one report: the entry in the ledger, and what it says of a value.

        Args:
            report: what was seen.
            place: its position, collection, team and marking.
            team_identity: whose word it is; what a team saw is always its own.
        """
        position, collection_id, team_id, marking = place
        key = self._add_value(report.observable) if report.observable else None
        self._rows[SIGHTINGS].append((
            position, collection_id, team_id, report.report_id, report.kind.value, key, report.subject, report.count,
            report.first_us, report.last_us, report.sector, marking, None,
        ))  # fmt: skip
        # That something has expired says nothing about whether it was there.
        if key is not None and report.kind is not SightingKind.EXPIRED:
            self._rows[MENTIONS].append((
                position, key, collection_id, "", team_id, team_identity, report.kind.value, report.count, report.first_us,
                report.last_us, marking,
            ))  # fmt: skip

    def _add_value(self, observable: Observable) -> bytes:
        key = observable_key(observable)
        self._rows[OBSERVABLES].append((key, str(observable.kind), observable.value))
        return key


def _claim(claim: SightingClaim, report_id: str, place: Place, source: Source, marking: int, author: str) -> Row:
    return (
        place.position, source.collection_id, source.team_id, report_id, claim.kind, None, claim.subject, claim.count,
        claim.first_us, claim.last_us, None, marking, claim.seen_by or author,
    )  # fmt: skip
