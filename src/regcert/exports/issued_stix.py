"""From what objects should say to the versions that say it: new ones, changed ones, withdrawn ones, and nothing else.

A version is made where what an object says has changed, and only there. Its marking is that of its incident, or of its last
version where that was stricter: what was read under a promise stays under it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from regcert.domain.issued import MILLISECOND_US, Issued
from regcert.exports.incident_stix import IDENTITY, Drafts, Teller
from regcert.stix.canonical import canonical_bytes, digest
from regcert.stix.timestamps import write_timestamp
from regcert.stix.tlp import MARKING_IDS, Tlp

_MARKINGS = {tlp: marking_id for marking_id, tlp in MARKING_IDS.items()}  # TLP 2.0 stands last, and wins over 1.x
_SHARED = ("identity ", "location ", "relationship ")


@dataclass(frozen=True, slots=True)
class Revision:
    """What has to be published, and what stands there then.

    Args:
        objects: new versions, in the order of their references.
        issued: what changed of what the host knows to have published.
    """

    objects: tuple[dict[str, Any], ...]
    issued: tuple[Issued, ...]


def revise(drafts: Drafts, former: Mapping[str, Issued], teller: Teller, incident_id: str, marking: Tlp, now_us: int) -> Revision:
    """Compare what should be said with what was said last.

    Args:
        drafts: what objects should say.
        former: the last versions of these, as far as there are any.
        teller: names them.
        incident_id: which incident they go with.
        marking: the incident's.
        now_us: what time it is.
    """
    objects: list[dict[str, Any]] = []
    issued: list[Issued] = []
    for handle, content in drafts.items():
        before = former.get(handle)
        version, body = _version(handle, content, before, teller, incident_id, marking, now_us)
        if body is not None:
            objects.append(body)
        if version != before:
            issued.append(version)
    return Revision(tuple(objects), tuple(issued))


def _version(
    handle: str, content: dict[str, Any], before: Issued | None, teller: Teller, incident_id: str, marking: Tlp, now_us: int
) -> tuple[Issued, dict[str, Any] | None]:
    """Make the version of one object that says what it should; without a body where the last one does."""
    is_shared = handle.startswith(_SHARED)
    owner, least = ("", Tlp.CLEAR) if is_shared else (incident_id, marking)
    said = digest(canonical_bytes(content, simple=True))
    stands = before if before is not None and not before.revoked else None
    if stands is not None and (stands.digest, max(least, stands.marking)) == (said, stands.marking):
        return replace(stands, incident_id=owner), None
    made_us = now_us - now_us % MILLISECOND_US
    version = Issued(
        handle=handle,
        stix_id=teller.id_of(handle),
        incident_id=owner,
        generation=teller.generations.get(handle, 0),
        created_us=stands.created_us if stands else made_us,
        version_us=stands.next_version_us(now_us) if stands else made_us,
        digest=said,
        marking=max(least, before.marking) if before else least,
        revoked=False,
    )
    return version, _body(version, content, teller)


def _body(version: Issued, content: dict[str, Any], teller: Teller) -> dict[str, Any]:
    kind = version.handle.partition(" ")[0]
    created = write_timestamp(version.created_us)
    author = {} if version.handle == IDENTITY else {"created_by_ref": teller.centre.identity_id}
    published = {"published": created} if kind == "report" else {}
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": version.stix_id,
        **author,
        "created": created,
        "modified": write_timestamp(version.version_us),
        **content,
        **published,
        "object_marking_refs": [_MARKINGS[version.marking]],
    }


def withdraw(leftover: Iterable[Issued], bodies: Mapping[str, bytes], now_us: int) -> Revision:
    """Take back what is true no more.

    Args:
        leftover: what stands there.
        bodies: their last versions, by id; what is not here was deleted, and need not be taken back.
        now_us: what time it is.

    Spec: STIX 2.1 §3.6
    """
    objects: list[dict[str, Any]] = []
    issued: list[Issued] = []
    for one in leftover:
        version = replace(one, version_us=one.next_version_us(now_us), revoked=True)
        issued.append(version)
        if one.stix_id in bodies:
            said = json.loads(bodies[one.stix_id])
            objects.append(said | {"modified": write_timestamp(version.version_us), "revoked": True})
    return Revision(tuple(objects), tuple(issued))


def write_envelope(objects: Iterable[dict[str, Any]]) -> bytes:
    """Write objects as TAXII does, each in its canonical form: the same words are the same bytes."""
    return b'{"objects":[' + b",".join(canonical_bytes(one, simple=True) for one in objects) + b"]}"


def next_generations(former: Iterable[Issued]) -> dict[str, int]:
    """Count how often each was withdrawn: what comes back comes back as another object."""
    return {one.handle: one.generation + one.revoked for one in former}


def join(*revisions: Revision) -> Revision:
    """Put revisions of different objects together."""
    objects = {one["id"]: one for revision in revisions for one in revision.objects}
    issued = {one.handle: one for revision in revisions for one in revision.issued}
    return Revision(tuple(objects.values()), tuple(issued.values()))
