"""One STIX object, as far as this host needs to understand it.

The bytes stay what they are (law 1). Beside them stand the few facts by which a collection is searched and a region
correlated: who and what and which version, markings, observables, when it says that things happened, and which objects it
ties together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from regcert.stix.extract import observables_of
from regcert.stix.observable import Observable
from regcert.stix.reader import ReadObject
from regcert.stix.schema import SchemaSet
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp, definition_tlp

# What a relationship's target must be to tie its sources together: things that happen, not techniques everybody uses.
_TYING_TYPES = ("campaign--", "incident--", "intrusion-set--", "malware--")
_TYING_CONTAINERS = frozenset({"report", "grouping", "observed-data"})


@dataclass(frozen=True, slots=True)
class SightingClaim:
    """What a STIX sighting object says.

    Args:
        indicator_id: the object it claims to have seen.
        count: how often, at least 1 unless it says 0.
        first_us: when first.
        last_us: when last.
    """

    indicator_id: str
    count: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class StixObject:
    """One valid STIX 2.1 object.

    Args:
        stix_id: its id.
        type: its type.
        spec_version: `2.1`, also where it says nothing (STIX 2.1 §3.1: cyber-observables may leave it out).
        version: the text of `modified`, else of `created`, else None.
        version_us: the same as an instant.
        created_by: `created_by_ref`, or None.
        revoked: whether it withdraws itself.
        marking_ids: every marking it refers to, for the whole or for a part of it.
        is_marking: whether it defines a marking itself.
        defines: which TLP step it defines, if it does.
        observables: what it holds, canonical, each once.
        first_us: when what it tells began, or None where it tells no time.
        last_us: when that was last so.
        ties: pairs (member id, context id): the object says that the member belongs to the context.
        claim: what it claims to have seen, if it is a sighting.
        body: its exact bytes.
        digest: SHA-256 of its canonical form.
    """

    stix_id: str
    type: str
    spec_version: str
    version: str | None
    version_us: int | None
    created_by: str | None
    revoked: bool
    marking_ids: tuple[str, ...]
    is_marking: bool
    defines: Tlp | None
    observables: tuple[Observable, ...]
    first_us: int | None
    last_us: int | None
    ties: tuple[tuple[str, str], ...]
    claim: SightingClaim | None
    body: bytes
    digest: bytes


def read_stix_object(read: ReadObject, schemas: SchemaSet) -> StixObject:
    """Read one object as STIX 2.1.

    Args:
        read: what the bounded reader let pass.
        schemas: the compiled schemas of every object type.

    Raises:
        Refusal: INVALID_STIX or INVALID_PATTERN, with the property and what it should be.

    Spec: STIX 2.1 §3.1 to §3.8
    """
    value = read.value
    schemas.require_valid(value)
    observables = observables_of(value)
    version = value.get("modified") or value.get("created")
    first_us, last_us = _event_time(value)
    is_marking = value["type"] == "marking-definition"
    return StixObject(
        stix_id=value["id"],
        type=value["type"],
        spec_version=value.get("spec_version", "2.1"),
        version=version,
        version_us=read_timestamp(version) if version else None,
        created_by=value.get("created_by_ref"),
        revoked=bool(value.get("revoked", False)),
        marking_ids=tuple(dict.fromkeys(_marking_ids(value))),
        is_marking=is_marking,
        defines=definition_tlp(value) if is_marking else None,
        observables=observables,
        first_us=first_us,
        last_us=last_us,
        ties=tuple(_ties(value)),
        claim=_claim(value, first_us, last_us) if value["type"] == "sighting" else None,
        body=read.body,
        digest=read.digest,
    )


def read_name(body: bytes) -> str | None:
    """Read the name of a stored object, cut to 120 characters; None where it has none."""
    name = orjson.loads(body).get("name")
    return name[:120] if isinstance(name, str) and name.strip() else None


def _marking_ids(value: dict[str, Any]) -> Iterator[str]:
    yield from value.get("object_marking_refs", ())
    for granular in value.get("granular_markings", ()):
        # A granular marking restricts a part; the object as a whole is shown or not, so its strictest part decides.
        if "marking_ref" in granular:
            yield granular["marking_ref"]


def _event_time(value: dict[str, Any]) -> tuple[int | None, int | None]:
    """When it happened, in the object's own words; never when it arrived.

    The first of these that is there decides: what was seen, from when it is valid, when it was written down.
    """
    for first, last in (("first_seen", "last_seen"), ("first_observed", "last_observed"), ("valid_from", "valid_from"),
                        ("created", "created")):  # fmt: skip
        start = value.get(first) or value.get(last)
        if start:
            return read_timestamp(start), read_timestamp(value.get(last) or start)
    return None, None


def _ties(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if value["type"] in _TYING_CONTAINERS:
        for ref in value.get("object_refs", ()):
            yield ref, value["id"]
    elif value["type"] == "relationship" and value["target_ref"].startswith(_TYING_TYPES):
        yield value["source_ref"], value["target_ref"]


def _claim(value: dict[str, Any], first_us: int | None, last_us: int | None) -> SightingClaim:
    count = value.get("count", 1)
    # `created` is required of a sighting, so there always is a time.
    return SightingClaim(value["sighting_of_ref"], int(count), first_us or 0, last_us or first_us or 0)
