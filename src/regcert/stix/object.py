"""One STIX object, as far as this host needs to understand it.

The bytes stay what they are (law 1). Beside them stand the few facts by which a collection is searched and a region
correlated: who and what and which version, markings, observables, when it says that things happened, and which objects it
ties together.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
import orjson

from regcert.errors import Code, Refusal
from regcert.stix.extract import observables_of
from regcert.stix.observable import Observable
from regcert.stix.reader import ReadObject
from regcert.stix.schema import SchemaSet
from regcert.stix.timestamps import read_timestamp
from regcert.stix.tlp import Tlp, definition_tlp

# What a relationship's target must be to tie its sources together: things that happen, not techniques everybody uses.
_TYING_TYPES = ("campaign--", "incident--", "intrusion-set--", "malware--")
_TYING_CONTAINERS = frozenset({"report", "grouping", "observed-data"})
_CLAIMING = frozenset({"sighting", "opinion"})


class SightingClaim(msgspec.Struct, frozen=True, gc=False):
    """What a STIX sighting says, or an opinion that calls something a false positive.

    Args:
        subject: the object it claims to have seen.
        kind: `positive`, `negative` or `false-positive`.
        count: how often, at least 1.
        first_us: when first.
        last_us: when last.
        seen_by: the identity whose word it is where the object names no author, or None.
    """

    subject: str
    kind: str
    count: int
    first_us: int
    last_us: int
    seen_by: str | None


class StixObject(msgspec.Struct, frozen=True, gc=False):
    """One valid STIX 2.1 object.

    A struct and not a dataclass, as are the values that it holds: a post makes thousands of them, and may hand them to
    another process. A struct is made and pickled by C, at a sixth of the price.

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
        claim: what it claims to have seen, if it is a sighting, or not to be worth one.
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
    kind = value["type"]
    version = value.get("modified") or value.get("created")
    known: dict[str, int] = {}
    first_us, last_us = _event_time(value, known)
    is_marking = kind == "marking-definition"
    return StixObject(  # in the order of the fields: naming seventeen of them takes five times as long
        value["id"],
        kind,
        value.get("spec_version", "2.1"),
        version,
        _instant(version, known) if version else None,
        _author(value),
        bool(value.get("revoked", False)),
        _marking_ids(value),
        is_marking,
        definition_tlp(value) if is_marking else None,
        observables,
        first_us,
        last_us,
        _ties(kind, value),
        _claim(kind, value, first_us, last_us) if kind in _CLAIMING else None,
        read.body,
        read.digest,
    )


def read_name(body: bytes) -> str | None:
    """Read the name of a stored object, cut to 120 characters; None where it has none."""
    name = orjson.loads(body).get("name")
    return name[:120] if isinstance(name, str) and name.strip() else None


def _author(value: dict[str, Any]) -> str | None:
    """Read who made the object; of what has no author by the standard, no schema has looked at this."""
    author = value.get("created_by_ref")
    if author is not None and not isinstance(author, str):
        raise Refusal(Code.INVALID_STIX, "created_by_ref must be the id of an identity")
    return author


def _marking_ids(value: dict[str, Any]) -> tuple[str, ...]:
    refs: Iterable[str] = value.get("object_marking_refs", ())
    if "granular_markings" in value:
        # A granular marking restricts a part; the object as a whole is shown or not, so its strictest part decides.
        refs = [*refs, *(part["marking_ref"] for part in value["granular_markings"] if "marking_ref" in part)]
    return tuple(dict.fromkeys(refs))


# The first of these pairs that is there decides: what was seen, from when it is valid, when it was written down.
_EVENT_TIMES = (
    ("first_seen", "last_seen"),
    ("first_observed", "last_observed"),
    ("valid_from", "valid_from"),
    ("created", "created"),
)


def _event_time(value: dict[str, Any], known: dict[str, int]) -> tuple[int | None, int | None]:
    """When it happened, in the object's own words; never when it arrived."""
    for first, last in _EVENT_TIMES:
        start, end = value.get(first), value.get(last)
        if start or end:
            first_us = _instant(start or end, known)
            return first_us, first_us if not end or end == start else _instant(end, known)
    return None, None


def _instant(text: object, known: dict[str, int]) -> int:
    """Read a timestamp of one object, once however often it stands there; `known` holds those read so far.

    Not every one has been before a schema: the standard knows no `first_seen` of an IP address, and no schema judges it.
    """
    if not isinstance(text, str):
        raise Refusal(Code.INVALID_TIMESTAMP, "a time is not written as text such as 2026-11-21T19:55:39.123456Z")
    at_us = known.get(text)
    if at_us is None:
        known[text] = at_us = read_timestamp(text)
    return at_us


def _ties(kind: str, value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if kind in _TYING_CONTAINERS:
        own = value["id"]
        return tuple([(ref, own) for ref in value.get("object_refs", ())])
    if kind == "relationship" and value["target_ref"].startswith(_TYING_TYPES):
        return ((value["source_ref"], value["target_ref"]),)
    if kind == "sighting" and value["sighting_of_ref"].startswith(_TYING_TYPES):
        return tuple([(ref, value["sighting_of_ref"]) for ref in value.get("observed_data_refs", ())])
    return ()


def _claim(kind: str, value: dict[str, Any], first_us: int | None, last_us: int | None) -> SightingClaim | None:
    """Read what a sighting claims; MISP says "false positive" by an opinion that strongly disagrees, OpenCTI by a property.

    MISP gives neither first_seen nor last_seen, nor an author: it was seen when it was created, by whoever saw it there. Where an
    author is named, the author speaks, and whoever saw it is the author's own affair.
    """
    if kind == "sighting":
        subject, seen_by = value["sighting_of_ref"], next(iter(value.get("where_sighted_refs", ())), None)
        count = int(value.get("count", 1))
        # Seen zero times says that somebody looked (STIX 2.1 §4.14).
        said = "false-positive" if value.get("x_opencti_negative") is True else "positive" if count else "negative"
    elif value["opinion"] == "strongly-disagree":
        refs = value["object_refs"]
        subject, seen_by = next((ref for ref in refs if ref.startswith("indicator--")), refs[0]), value.get("x_misp_author_ref")
        count, said = 1, "false-positive"
    else:
        return None
    if value.get("created_by_ref") or not isinstance(seen_by, str) or not seen_by.startswith("identity--"):
        seen_by = None
    # `created` is required of both, so there always is a time.
    return SightingClaim(subject, said, max(count, 1), first_us or 0, last_us or first_us or 0, seen_by)
