"""The rows that one new object or report becomes: itself, and what correlation will read of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlmodel import SQLModel

from regcert.domain.sighting import SightingKind, SightingReport
from regcert.domain.submission import AdmittedObject, Vouched
from regcert.stix.object import SightingClaim
from regcert.store.ledger import observable_key
from regcert.store.tables import MarkingRow, MentionRow, ObjectRow, ObservableRow, SightingRow, TieRow

Row = tuple[type[SQLModel], dict[str, object]]
STATEMENT = -1


@dataclass(frozen=True, slots=True)
class Source:
    """Where a submission went, and whence it came."""

    collection_id: int
    team_id: int
    submission_id: int
    vouched: Vouched


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one version in the host's order and among its object's versions."""

    position: int
    superseded_by: int
    version: str
    version_us: int


def rows_of(one: AdmittedObject, place: Place, source: Source) -> Iterator[Row]:
    """Yield every row of one new object; a withdrawn object says nothing that correlation could read."""
    stix = one.stix
    here: dict[str, object] = {
        "position": place.position,
        "collection_id": source.collection_id,
        "team_id": source.team_id,
        "marking": int(one.marking),
    }
    yield (
        ObjectRow,
        {
            **here,
            "stix_id": stix.stix_id,
            "type": stix.type,
            "version": place.version,
            "version_us": place.version_us,
            "superseded_by": place.superseded_by,
            "author": one.author,
            "vouched": source.vouched.value,
            "revoked": stix.revoked,
            "submission_id": source.submission_id,
            "digest": stix.digest,
            "body": stix.body,
        },
    )
    if stix.is_marking:
        tlp = STATEMENT if stix.defines is None else int(stix.defines)
        yield MarkingRow, {"collection_id": source.collection_id, "stix_id": stix.stix_id, "tlp": tlp}
    if stix.revoked:
        return
    yield from _mentions(one, here)
    for member, context in dict.fromkeys(stix.ties):
        tie = {"collection_id": source.collection_id, "member_id": member, "context_id": context}
        yield TieRow, {**tie, "position": place.position}
    if stix.claim is not None:
        yield SightingRow, {**here, **_claim(stix.claim), "report_id": f"{stix.stix_id}@{place.version}"}


def _mentions(one: AdmittedObject, here: Mapping[str, object]) -> Iterator[Row]:
    stix = one.stix
    said = {
        **here,
        "stix_id": stix.stix_id,
        "origin": one.author,
        "said": "published",
        "count": 1,
        "first_us": stix.first_us,
        "last_us": stix.last_us,
    }
    for observable in stix.observables:
        key = observable_key(observable)
        yield ObservableRow, {"key": key, "kind": observable.kind.value, "value": observable.value}
        yield MentionRow, {**said, "key": key}


def _claim(claim: SightingClaim) -> dict[str, object]:
    """A sighting that says it was seen zero times says that somebody looked (STIX 2.1 §4.14)."""
    return {
        "kind": "negative" if claim.count == 0 else "positive",
        "key": None,
        "indicator_id": claim.indicator_id,
        "count": max(claim.count, 1),
        "first_us": claim.first_us,
        "last_us": claim.last_us,
        "sector": None,
    }


def rows_of_report(report: SightingReport, place: Mapping[str, object], team_identity: str) -> Iterator[Row]:
    """Yield the rows of one report: the entry in the ledger, and what it says of a value.

    Args:
        report: what was seen.
        place: its position, collection, team and marking.
        team_identity: whose word it is; what a team saw is always its own.
    """
    key = observable_key(report.observable) if report.observable else None
    what = {"count": report.count, "first_us": report.first_us, "last_us": report.last_us}
    yield (
        SightingRow,
        {
            **place,
            **what,
            "report_id": report.report_id,
            "kind": report.kind.value,
            "key": key,
            "indicator_id": report.indicator_id,
            "sector": report.sector,
        },
    )
    # That something has expired says nothing about whether it was there.
    if report.observable is not None and report.kind is not SightingKind.EXPIRED:
        yield ObservableRow, {"key": key, "kind": report.observable.kind.value, "value": report.observable.value}
        said = {"key": key, "stix_id": "", "origin": team_identity, "said": report.kind.value}
        yield MentionRow, {**place, **what, **said}
