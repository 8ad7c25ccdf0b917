"""The step from `Verified` to `Admitted`: what may stand in a collection.

Nobody speaks for a neighbour, and nothing stands above the ceiling. What cannot be told counts as the strictest: an
unknown marking is RED, and an object without one is as sensitive as its collection may be.
"""

from collections.abc import Mapping

from regcert.domain.collection import Collection
from regcert.domain.submission import Admitted, AdmittedObject, Refused, Verified
from regcert.errors import Code, Refusal
from regcert.policy.lowering import mildest
from regcert.stix.object import StixObject
from regcert.stix.tlp import MARKING_IDS, Tlp

Markings = Mapping[str, Tlp | None]


def defined_markings(objects: tuple[StixObject, ...]) -> Markings:
    """Collect the markings that an envelope defines itself; None for one that restricts nothing."""
    return {stix.stix_id: stix.defines for stix in objects if stix.is_marking}


def unknown_markings(objects: tuple[StixObject, ...]) -> frozenset[str]:
    """Collect the marking ids that neither TLP nor the envelope itself explains."""
    defined = defined_markings(objects)
    return frozenset(
        marking_id
        for stix in objects
        for marking_id in stix.marking_ids
        if marking_id not in MARKING_IDS and marking_id not in defined
    )


def admit(
    verified: Verified, *, neighbours: frozenset[str], stored: Markings, readable: Mapping[int, Tlp] | None = None
) -> Admitted:
    """Decide for every object of an envelope whether it may stand in the collection.

    1. Nobody speaks for another enrolled team: neither as the author of an object nor as its identity. Any other author is
       a third party whom the posting team relays, and stays the author.
    2. The strictest marking of the object, or the ceiling where it has none, must not be above the ceiling.

    Whether an object of this id is somebody else's already, or stands here with a stricter marking, is decided where that is
    known: `store/objects.py`.

    Args:
        verified: the envelope.
        neighbours: the identity ids of all enrolled teams but the posting one.
        stored: what the collection's own marking definitions stand for, None for a statement.
        readable: the ceilings of the collections that the sender reads and that hold anything; None where only this one counts.
    """
    received = verified.parsed.received
    markings: Markings = {**stored, **defined_markings(verified.parsed.objects), **MARKING_IDS}
    objects: list[AdmittedObject] = []
    refused = list(verified.parsed.refused)
    for stix in verified.parsed.objects:
        try:
            _require_own_voice(stix, neighbours)
            marking = _require_under_ceiling(stix, markings, received.collection.ceiling)
        except Refusal as refusal:
            refused.append(Refused(stix.stix_id, stix.version, refusal))
        else:
            objects.append(AdmittedObject(stix, marking, stix.created_by or received.principal.team.identity_id))
    elsewhere, reads = _compared(received.collection, objects, readable)
    return Admitted(
        received, verified.vouched, tuple(objects), tuple(refused), reads, elsewhere,
        publication=verified.publication, key_id=verified.key_id,
        declassified=verified.publication.declassifies if verified.publication else frozenset(),
    )  # fmt: skip


def _compared(
    collection: Collection, objects: list[AdmittedObject], readable: Mapping[int, Tlp] | None
) -> tuple[tuple[int, ...], bool]:
    """Choose the collections where an object may stand with a stricter marking, and tell whether this one may be looked at.

    Only what the sender reads is compared: a refusal must not tell that something exists elsewhere (law 5).
    """
    if readable is None:
        return (), True
    here, least = collection.collection_id, mildest(objects)
    return tuple(one for one, ceiling in sorted(readable.items()) if one != here and ceiling > least), here in readable


def _require_own_voice(stix: StixObject, neighbours: frozenset[str]) -> None:
    if stix.created_by in neighbours or stix.stix_id in neighbours:
        raise Refusal(
            Code.SPEAKS_FOR_ANOTHER_TEAM,
            "the object speaks for another team of this region, which publishes for itself; remove it from the bundle",
        )


def _require_under_ceiling(stix: StixObject, markings: Markings, ceiling: Tlp) -> Tlp:
    if not stix.marking_ids:
        return ceiling
    # A statement alone restricts nothing, and says nothing about sensitivity either: the ceiling stands in.
    steps = [step for marking_id in stix.marking_ids if (step := markings.get(marking_id, Tlp.RED)) is not None]
    marking = max(steps, default=ceiling)
    if marking > ceiling:
        known = all(marking_id in markings for marking_id in stix.marking_ids)
        reason = (
            f"the object is marked {marking.label} and this collection takes up to {ceiling.label}"
            if known
            else "the object carries a marking whose definition is not here, which counts as RED, and this collection"
            f" takes up to {ceiling.label}; send the marking-definition first, or in the same envelope"
        )
        raise Refusal(Code.MARKING_ABOVE_CEILING, reason)
    return marking
