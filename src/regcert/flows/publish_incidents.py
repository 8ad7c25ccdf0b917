"""Publish as the centre what crosses borders, to exactly those who see the evidence for it."""

import asyncio
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from regcert.clock import DAY_US, HOUR_US, SECOND_US, Clock
from regcert.domain.collection import Collection
from regcert.domain.incident import Incident, Standing
from regcert.domain.issued import Issued
from regcert.domain.outgoing import Outgoing
from regcert.domain.principal import Principal
from regcert.domain.region import Country
from regcert.domain.submission import Admitted, Received
from regcert.errors import Code, Refusal
from regcert.exports.incident_stix import (
    MOST_VALUES,
    Drafts,
    Teller,
    container_handle,
    describe_incident,
    describe_merge,
    find_shape,
    note_handle,
    value_handles,
)
from regcert.exports.issued_stix import Revision, join, next_generations, revise, withdraw, write_envelope
from regcert.flows.publish import look_into, record
from regcert.stix.schema import SchemaSet
from regcert.stix.tlp import Tlp
from regcert.store.database import Database
from regcert.store.groups import Groups, load_groups
from regcert.store.incidents import load_incidents
from regcert.store.issued import (
    find_successor,
    key_of,
    load_bodies,
    load_handles,
    load_issued,
    load_keys,
    load_owners,
    load_tellable_names,
    write_issued,
)
from regcert.store.order import lock_order
from regcert.store.outgoing import find_due, find_outgoing, list_targets, put_off, write_outgoing
from regcert.store.programs import Program
from regcert.store.rebuilding import find_target
from regcert.store.submissions import begin_submission
from regcert.store.tokens import find_known_by_id
from regcert.store.visibility import find_collection

MOST_A_ROUND = 20
# A new value, country or name goes out at once; a count that moved is no news, and waits.
NUMBERS_EVERY_US = HOUR_US
# A crew that moves on does so within days: what has not grown for three is a story that can be told as a report, if it has a
# name or is strong. Everything else stays a grouping.
STEADY_US = 3 * DAY_US
LEAST_STRENGTH_OF_REPORT = 50.0
AFTER_FAULT_US = 60 * SECOND_US

_LOG = logging.getLogger("regcert.centre")


@dataclass(frozen=True, slots=True)
class Words:
    """What the host and its region are called.

    Args:
        origin: of the host's log.
        countries: by their codes.
        footnotes: by their marks.
    """

    origin: str
    countries: Mapping[str, Country]
    footnotes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Found:
    """All that is known of an incident that is due; `incident` is None where it is over, or not to be told."""

    entry: Outgoing
    target: Collection
    centre: Principal
    incident: Incident | None
    groups: Groups = field(default_factory=dict)
    former: Mapping[str, Issued] = field(default_factory=dict)
    owners: Mapping[bytes, str] = field(default_factory=dict)
    bodies: Mapping[str, bytes] = field(default_factory=dict)
    successor_id: str | None = None


async def publish_incidents(database: Database, schemas: SchemaSet, clock: Clock, words: Words) -> bool:
    """Publish what is due, at most 20 incidents.

    Each goes into the collection that has exactly the readers of its evidence, under its own marking: nothing that is marked
    above the ceiling, and nothing RED, which is never for a list of readers. Where there is no such collection, nothing goes
    out. The host vouches for it: what it derived, no team has signed.

    1. Read the incident, who holds its values, and what was published of it.
    2. Say it anew, and compare; where nothing changed, nothing is published.
    3. Parse, verify and admit the new versions, as any envelope.
    4. In one transaction: record them, and note them as published.

    If we crash before 4 commits, the incident is looked at again; behind it, never again. What is published so has no mentions,
    ties or claims (`store/rows.py`): it cannot come back as evidence.

    Args:
        database: where.
        schemas: of every STIX type.
        clock: what time it is.
        words: what the host and its region are called.

    Returns:
        Whether there may be more.
    """
    due = await database.run(find_due(clock.now_us(), MOST_A_ROUND))
    if not due:
        return False
    # Before anything is tried: what is wrong with one incident must not keep all others in.
    await database.apply(lambda now_us: put_off(due, now_us + AFTER_FAULT_US))
    targets = await database.run(list_targets())
    for entry in due:
        try:
            await _bring_up_to_date(database, schemas, words, entry, targets.get(entry.scope), clock.now_us())
        except Refusal as refusal:
            if refusal.code is Code.BUSY:
                raise
            _LOG.warning("an incident cannot be published: %s", refusal.code)
    return len(due) == MOST_A_ROUND


async def _bring_up_to_date(
    database: Database, schemas: SchemaSet, words: Words, entry: Outgoing, target: Collection | None, now_us: int
) -> None:
    found = None if target is None else await database.run(_find(entry, target))  # 1
    if found is None:
        await database.apply(lambda _: write_outgoing(replace(entry, looked_us=now_us, due_us=None)))
        return
    revision, entry, body = await asyncio.to_thread(_compare, found, words, now_us)  # 2
    if not revision.objects:
        await database.apply(lambda _: _note(found, revision, entry))
        return
    admitted = await look_into(database, schemas, Received(found.centre, found.target, body, now_us))  # 3
    await database.apply(lambda at_us: _publish(found, admitted, revision, entry, at_us))  # 4


def _find(entry: Outgoing, target: Collection) -> Program[_Found | None]:
    """Read all that is known of an incident; None where nothing may go out now."""
    if (yield from find_target()):
        raise Refusal(Code.BUSY, "correlation reads everything anew; until it is done, an incident that is not there is not over")
    known = yield from find_known_by_id(target.centre_token or 0)
    if known is None:
        return None  # the operator revoked the token: the host says nothing more as the centre
    opened = yield from find_collection(known.principal, target.api_root, target.slug)
    if opened is None or not opened[2]:
        raise Refusal(Code.FORBIDDEN, "the centre may not write to its collection; let it")
    former = yield from load_issued(target.collection_id, entry.incident_id)
    incident = (yield from load_incidents([entry.incident_id])).get(entry.incident_id)
    if incident is not None and incident.standing is Standing.DISMISSED:
        incident = None
    if incident is not None and incident.marking > min(target.ceiling, Tlp.AMBER_STRICT):
        return None  # what is out stays as it is: it was told under a milder marking, and that has not changed
    found = _Found(entry, target, known.principal, incident, former=former)
    return (yield from _find_end(found) if incident is None else _find_values(found, incident))


def _find_values(found: _Found, incident: Incident) -> Program[_Found]:
    """Read who holds the values of an incident: those first that were told before, at most 500."""
    keys = yield from load_keys(incident.scope, incident.incident_id, 4 * MOST_VALUES)
    told = {key for key in map(key_of, found.former) if key is not None}
    chosen = sorted(keys, key=lambda key: (key not in told, key))[:MOST_VALUES]
    groups = yield from load_groups(incident.scope, chosen)
    groups = {key: group for key, group in groups.items() if group[0] not in incident.derived}
    names = yield from load_tellable_names(incident.scope, chosen, incident.names, incident.marking)
    handles = {handle for key, (_, holdings) in groups.items() for handle in value_handles(key, holdings)}
    adopted = yield from load_handles(found.target.collection_id, handles - found.former.keys())
    found = replace(found, incident=replace(incident, names=names), groups=groups, former={**found.former, **adopted})
    return (yield from _find_leftover(found, handles))


def _find_end(found: _Found) -> Program[_Found]:
    """Read where an incident went that is over."""
    into = yield from find_successor(found.entry.incident_id)
    successor = None if into is None else (yield from find_outgoing(into))
    successor_id = None
    if successor is not None:
        handle = container_handle(successor.incident_id, is_report=successor.is_report)
        there = (yield from load_handles(found.target.collection_id, [handle])).get(handle)
        successor_id = there.stix_id if there is not None and not there.revoked else None
    return (yield from _find_leftover(replace(found, successor_id=successor_id), set()))


def _find_leftover(found: _Found, told: set[str]) -> Program[_Found]:
    """Read where values went that are told no more, and what was said of them."""
    left = [one for one in _living(found.former, found.entry.incident_id) if one.handle not in told]
    keys = {key for one in left if (key := key_of(one.handle)) is not None}
    owners = yield from load_owners(found.entry.scope, keys)
    bodies = yield from load_bodies(found.target.collection_id, [one.stix_id for one in left])
    return replace(found, owners=owners, bodies=bodies)


def _living(former: Mapping[str, Issued], incident_id: str) -> list[Issued]:
    return [one for one in former.values() if one.incident_id == incident_id and not one.revoked]


def _compare(found: _Found, words: Words, now_us: int) -> tuple[Revision, Outgoing, bytes]:
    """Say an incident anew and compare; all of it is computation, and a large one takes a moment."""
    revision, entry = _revise(found, words, now_us)
    return revision, entry, write_envelope(revision.objects)


def _revise(found: _Found, words: Words, now_us: int) -> tuple[Revision, Outgoing]:
    """Find what has to be published of an incident, and how far it is published then."""
    entry, incident = replace(found.entry, looked_us=now_us, due_us=None), found.incident
    if incident is None or not found.groups:
        revision = _end(found, words, now_us)
        return revision, replace(entry, issued_us=now_us if revision.objects else entry.issued_us, shape=b"")
    teller = _teller(found, words)
    shape = find_shape(incident, found.groups)
    since_us = entry.shape_us if shape == entry.shape else now_us
    is_report = entry.is_report or (now_us - since_us >= STEADY_US and _is_reportable(incident))
    drafts = describe_incident(incident, found.groups, teller, is_report=is_report)
    revision = join(
        revise(drafts, found.former, teller, incident.incident_id, incident.marking, now_us), _retire(found, drafts, now_us)
    )
    is_news = shape != entry.shape or is_report != entry.is_report
    if revision.objects and not is_news and now_us < entry.issued_us + NUMBERS_EVERY_US:
        return Revision((), ()), replace(entry, due_us=entry.issued_us + NUMBERS_EVERY_US)
    return revision, replace(
        entry,
        due_us=since_us + STEADY_US if _is_reportable(incident) and not is_report else None,
        issued_us=now_us if revision.objects else entry.issued_us,
        shape=shape,
        shape_us=since_us,
        is_report=is_report,
    )


def _is_reportable(incident: Incident) -> bool:
    return bool(incident.names) or incident.strength >= LEAST_STRENGTH_OF_REPORT


def _teller(found: _Found, words: Words) -> Teller:
    return Teller(
        found.centre.team,
        words.origin,
        found.target.uuid,
        words.countries,
        words.footnotes,
        next_generations(found.former.values()),
    )


def _end(found: _Found, words: Words, now_us: int) -> Revision:
    """Take back an incident that is over; where it became part of another one, its note says so."""
    entry, drafts = found.entry, Drafts()
    container = next((one for one in _living(found.former, entry.incident_id) if one.handle.startswith(_CONTAINERS)), None)
    if found.successor_id is not None:
        if container is None:  # its note says so already, or it never was told
            return _retire(found, {note_handle(entry.incident_id): {}}, now_us)
        drafts = describe_merge(entry.incident_id, container.stix_id, found.successor_id)
    said = revise(drafts, found.former, _teller(found, words), entry.incident_id, Tlp.CLEAR, now_us)
    return join(said, _retire(found, drafts, now_us))


_CONTAINERS = ("grouping ", "report ")


def _retire(found: _Found, drafts: Drafts, now_us: int) -> Revision:
    """Hand over the values that belong to another incident now, and withdraw whatever else is told no more."""
    incident_id = found.entry.incident_id
    left = [one for one in _living(found.former, incident_id) if one.handle not in drafts]
    handed: list[Issued] = []
    ended: list[Issued] = []
    for one in left:
        owner = found.owners.get(key_of(one.handle) or b"", incident_id)
        if owner == incident_id:
            ended.append(one)
        else:
            handed.append(replace(one, incident_id=owner))
    return join(Revision((), tuple(handed)), withdraw(ended, found.bodies, now_us))


def _publish(found: _Found, admitted: Admitted, revision: Revision, entry: Outgoing, now_us: int) -> Program[None]:
    yield from lock_order()
    if not (yield from _is_untouched(found)):
        return
    status_id = str(uuid.uuid4())
    submission_id = yield from begin_submission(admitted.received, status_id)
    receipt = yield from record(admitted, submission_id, status_id, now_us)
    failed = {failure["id"] for failure in json.loads(receipt.status).get("failures", ())}
    if failed:
        _LOG.warning("%d objects of an incident were not taken; status %s says why", len(failed), status_id)
    yield from write_issued(found.target.collection_id, [one for one in revision.issued if one.stix_id not in failed])
    yield from write_outgoing(entry)


def _note(found: _Found, revision: Revision, entry: Outgoing) -> Program[None]:
    yield from lock_order()
    if (yield from _is_untouched(found)):
        yield from write_issued(found.target.collection_id, revision.issued)
        yield from write_outgoing(entry)


def _is_untouched(found: _Found) -> Program[bool]:
    """Tell whether no other process has looked at the incident since it was read."""
    now = yield from find_outgoing(found.entry.incident_id)
    return now is not None and now.looked_us == found.entry.looked_us
