"""A submission on its way: each type below is an envelope that we believe a little more.

`Received` is bytes and who sent them. `Parsed` is STIX, object by object, with a refusal beside each that is not. `Verified`
knows who vouches for it. `Admitted` may be stored, and the store takes nothing else. Each type has one maker, so leaving out a
step does not type-check, and `tests/architecture` watches that nobody makes one elsewhere:

    Received   web/taxii/objects.py     the body was counted, the principal is known and may write here
               flows/unspool.py         the same, received earlier and kept, because it was large
               flows/release.py         the same, received earlier and held, until a second person agreed
               flows/publish_incidents.py  the host's own words as the centre, by a token that nobody holds
    Parsed     domain/submission.py     bounded, valid STIX 2.1, observables canonical
    Verified   signing/verify.py        signed by the team, or attested by this host
    Admitted   policy/admission.py      nobody's neighbour speaks, nothing is above the ceiling
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from regcert.clock import DAY_US
from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.domain.publication import MANIFEST_TYPE, Publication
from regcert.errors import Code, Refusal
from regcert.stix.object import StixObject, read_stix_object
from regcert.stix.reader import read_envelope
from regcert.stix.schema import SchemaSet
from regcert.stix.tlp import Tlp

_MANIFEST_MARK = b'"publication-manifest'


@dataclass(frozen=True, slots=True)
class Received:
    """A body that somebody known may post here; nothing has looked into it.

    Args:
        principal: who sent it.
        collection: where to.
        body: its bytes, at most `max_content_length` of them.
        at_us: when it came.
    """

    principal: Principal
    collection: Collection
    body: bytes
    at_us: int


@dataclass(frozen=True, slots=True)
class Refused:
    """One object that is not taken, and why.

    Args:
        stix_id: its id, or `unknown` where it has none that can be read.
        version: its version as it wrote it, or None.
        refusal: the reason.
    """

    stix_id: str
    version: str | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Parsed:
    """An envelope whose objects are STIX, with the reasons for those that are not."""

    received: Received
    objects: tuple[StixObject, ...]
    refused: tuple[Refused, ...]


class Vouched(StrEnum):
    """Who vouches for an object."""

    SIGNED = "signed"
    ATTESTED = "attested"


@dataclass(frozen=True, slots=True)
class Verified:
    """A parsed envelope, and who vouches for it.

    Args:
        parsed: the envelope.
        vouched: who does.
        publication: what the team signed; None where it is attested.
        key_id: by which of the team's keys; None where it is attested.
    """

    parsed: Parsed
    vouched: Vouched
    publication: Publication | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class AdmittedObject:
    """One object that may be stored.

    Args:
        stix: the object.
        marking: how sensitive it is here: its strictest marking, or the collection's ceiling where it carries none.
        author: the STIX identity whose word it is: the posting team's, or the third party's that it relays.
    """

    stix: StixObject
    marking: Tlp
    author: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """A submission that may be stored: all of `objects`, and the reasons for the rest.

    Args:
        received: what came.
        vouched: who vouches for it.
        objects: what may be stored, unless what stands here already forbids it.
        refused: what may not.
        reads: whether its sender may read the collection, and so learn what stands there.
        elsewhere: the other collections that its sender reads, where an object may stand with a stricter marking.
        declassified: the ids whose marking the team lowers by its signature.
        publication: what the team signed; None where it is attested.
        key_id: by which of the team's keys; None where it is attested.
    """

    received: Received
    vouched: Vouched
    objects: tuple[AdmittedObject, ...]
    refused: tuple[Refused, ...]
    reads: bool = True
    elsewhere: tuple[int, ...] = ()
    declassified: frozenset[str] = frozenset()
    publication: Publication | None = None
    key_id: str | None = None


def parse(received: Received, schemas: SchemaSet) -> Parsed:
    """Read an envelope or a bundle, object by object.

    Cyber-observables tell no time themselves: they take that of the observed-data beside them. Event times ahead of the
    clock are cut to a day after arrival, so that a year 9999 cannot push a whole region out of its window.

    A publication manifest goes behind all other objects, wherever it stood: who reads it then has what it lists. One that is
    not STIX ends the whole envelope: without it, its objects would look as if nobody had signed them.

    Args:
        received: whose body to read.
        schemas: of every object type.

    Raises:
        Refusal: MALFORMED_JSON, TOO_DEEP, DUPLICATE_KEY: the frame cannot be read, and nothing of it is stored;
            INVALID_MANIFEST.
    """
    objects: list[StixObject] = []
    refused: list[Refused] = []
    for read in read_envelope(received.body):
        if isinstance(read, Refusal):
            if _MANIFEST_MARK in received.body:  # which of its objects cannot be read is not known: it may be the manifest
                raise _no_manifest(read)
            refused.append(Refused("unknown", None, read))
            continue
        try:
            objects.append(read_stix_object(read, schemas))
        except Refusal as refusal:
            stix_id, version = _name_of(read.value)
            if read.value.get("type") == MANIFEST_TYPE or stix_id.startswith(f"{MANIFEST_TYPE}--"):
                raise _no_manifest(refusal) from refusal
            refused.append(Refused(stix_id, version, refusal))
    objects.sort(key=lambda stix: stix.type == MANIFEST_TYPE)
    spans = _observed_spans(objects)
    latest_us = received.at_us + DAY_US
    return Parsed(received, tuple([_dated(stix, spans, latest_us) for stix in objects]), tuple(refused))


def _no_manifest(refusal: Refusal) -> Refusal:
    return Refusal(Code.INVALID_MANIFEST, f"the publication manifest cannot be read: {refusal.message}")


def _observed_spans(objects: list[StixObject]) -> Mapping[str, tuple[int, int]]:
    """When each cyber-observable was observed, by its id, according to the observed-data in the same envelope."""
    spans: dict[str, tuple[int, int]] = {}
    for stix in objects:
        if stix.type != "observed-data" or stix.first_us is None or stix.last_us is None:
            continue
        for member, _ in stix.ties:
            first_us, last_us = spans.get(member, (stix.first_us, stix.last_us))
            spans[member] = min(first_us, stix.first_us), max(last_us, stix.last_us)
    return spans


def _dated(stix: StixObject, spans: Mapping[str, tuple[int, int]], latest_us: int) -> StixObject:
    first_us, last_us = stix.first_us, stix.last_us
    if first_us is None or last_us is None:
        if stix.stix_id not in spans:
            return stix
        first_us, last_us = spans[stix.stix_id]
    if stix.first_us is not None and last_us <= latest_us:
        return stix
    return msgspec.structs.replace(stix, first_us=min(first_us, latest_us), last_us=min(last_us, latest_us))


def _name_of(value: Mapping[str, object]) -> tuple[str, str | None]:
    """Name a refused object by its own id and version, cut to what an answer may carry."""
    stix_id, version = value.get("id"), value.get("modified") or value.get("created")
    return (
        stix_id[:200] if isinstance(stix_id, str) and stix_id.isprintable() else "unknown",
        version[:64] if isinstance(version, str) and version.isprintable() else None,
    )
