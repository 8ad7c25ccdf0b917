"""Show what crosses borders, as far as one principal may see it."""

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from regcert.clock import Clock
from regcert.correlation.assess import current_score
from regcert.domain.holding import Holding
from regcert.domain.incident import Incident
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.flows.derive import load_evidence
from regcert.flows.record_reading import note_incidents
from regcert.policy.permissions import Permission, require
from regcert.stix.observable import Observable
from regcert.store.database import Database
from regcert.store.incidents import DISMISSED, PINNED, Place, find_incident, list_incidents, list_members, list_scopes, place_of

MAX_LIMIT = 200
MOST_EVIDENCE = 500


@dataclass(frozen=True, slots=True)
class Ranked:
    """An incident and its score now, 0 to 100."""

    incident: Incident
    score: float


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One page of incidents, the highest score first, and where the next begins."""

    incidents: tuple[Ranked, ...]
    next: str | None


async def page_incidents(
    database: Database, clock: Clock, principal: Principal, *, limit: int, cursor: str | None, dismissed: bool = False
) -> IncidentPage:
    """List incidents, a page at a time: those that coordinators pinned first, and those that they dismissed not at all.

    The cursor is a place in an order that does not change as time passes; it opens nothing that its bearer may not see, and so
    needs no seal.

    Args:
        database: where from.
        clock: for the age of each.
        principal: on whose behalf.
        limit: at most this many, 1 to 200.
        cursor: what the last page gave, or None to begin.
        dismissed: list those that were dismissed instead.

    Raises:
        Refusal: FORBIDDEN; MALFORMED_REQUEST for a cursor that is none.
    """
    require(principal, Permission.SEE_INCIDENTS)
    before = None if cursor is None else _read_cursor(cursor)
    async with database.read() as connection:
        scopes = await list_scopes(connection, principal)
        found = await list_incidents(connection, scopes, before, limit + 1, dismissed=dismissed)
    now_us = clock.now_us()
    shown = found[:limit]
    await note_incidents(database, principal, (incident for _, incident in shown))
    following = _write_cursor(place_of(*shown[-1])) if len(found) > limit else None
    return IncidentPage(tuple(Ranked(incident, current_score(incident, now_us)) for _, incident in shown), following)


async def get_incident(
    database: Database, clock: Clock, principal: Principal, incident_id: str
) -> tuple[Ranked, Sequence[tuple[Observable, Sequence[Holding]]]]:
    """Get one incident with the evidence for it: its values and who holds each, at most 500 of them.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND where there is none of that id for the principal.
    """
    require(principal, Permission.SEE_INCIDENTS)
    async with database.read() as connection:
        scopes = await list_scopes(connection, principal)
        incident = await find_incident(connection, scopes, incident_id)
        if incident is None:
            raise Refusal(Code.NOT_FOUND, "there is no such incident")
        keys = await list_members(connection, incident.scope, incident.incident_id)
    await note_incidents(database, principal, [incident])
    groups = await database.run(load_evidence(incident.scope, sorted(keys)[:MOST_EVIDENCE]))
    evidence = sorted(groups.values(), key=lambda group: group[0])
    return Ranked(incident, current_score(incident, clock.now_us())), evidence


def _write_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read_cursor(text: str) -> Place:
    try:
        standing, rank, incident_id = msgspec.json.decode(base64.urlsafe_b64decode(text[:200]), type=tuple[int, float, uuid.UUID])
    except (ValueError, msgspec.MsgspecError) as error:
        raise Refusal(Code.MALFORMED_REQUEST, "'next' is not from a page of this list; begin again without it") from error
    return min(max(standing, DISMISSED), PINNED), rank, str(incident_id)
