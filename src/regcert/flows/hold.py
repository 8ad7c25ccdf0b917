"""Hold what one person may not publish alone, until a second one has agreed.

Here is the brake of a stolen token: with one of them nobody marks something RED for a region, and nobody takes back in an hour
what the region defends itself with.
"""

from collections.abc import Iterable, Sequence

import msgspec

from regcert.clock import HOUR_US
from regcert.domain.proposal import ProposalKind
from regcert.domain.submission import Admitted, AdmittedObject
from regcert.errors import Code, Refusal
from regcert.flows.add_collection import scope_of
from regcert.policy.second_person import is_bulk
from regcert.stix.object import read_name
from regcert.stix.tlp import MARKING_IDS, Tlp
from regcert.store.programs import Program
from regcert.store.proposals import open_proposal
from regcert.store.submissions import begin_submission, finish_submission
from regcert.store.withdrawals import (
    InForce,
    count_own,
    count_withdrawn,
    find_definitions,
    find_in_force,
    wants_second_person,
)
from regcert.taxii import resources

MOST_NAMED = 500


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """One object of a held post, as its approver is shown it."""

    stix_id: str
    type: str
    version: str | None
    marking: int
    revoked: bool
    name: str | None


class HeldPost(msgspec.Struct, frozen=True, array_like=True):
    """A post that waits: the body as it came, and what it holds.

    Args:
        body: its bytes.
        at_us: when it came.
        status_uuid: of its TAXII status.
        objects: (id, version) of each object that it would publish.
        listed: the first 500 of them, for people.
        refused: how many of its objects are refused in any case.
    """

    body: bytes
    at_us: int
    status_uuid: str
    objects: list[tuple[str, str | None]]
    listed: list[Listed]
    refused: int


def find_reason_to_hold(admitted: Admitted, now_us: int) -> Program[str | None]:
    """Say why a post has to wait for a second person; None where it has not.

    Nothing is asked of the database unless something in the post is RED or revoked. What is here already is not held again, so
    that whoever sends the same post again is told what he was told before. RED is what says so itself: an object without a
    marking is only bounded by its collection. Where nobody but the team itself reads, nothing is held for being RED: there is
    nobody to spread it to.

    Args:
        admitted: what would be published.
        now_us: what time it is.
    """
    guarded = [one for one in admitted.objects if one.stix.revoked or (one.marking is Tlp.RED and one.stix.marking_ids)]
    if not guarded or not (yield from wants_second_person()):
        return None
    received = admitted.received
    collection, team = received.collection, received.principal.team
    here = yield from find_in_force(collection.collection_id, (one.stix.stix_id for one in guarded))
    guarded = [one for one in guarded if not _is_here(one, here)]
    red = 0 if collection.scope == scope_of((team.slug,)) else (yield from _count_red(admitted, guarded))
    if red:
        return f"{red} of its objects {'is' if red == 1 else 'are'} marked TLP:RED"
    taken_back = _count_taken_back(guarded, here)
    if taken_back and (yield from is_braked(collection.collection_id, team.team_id, taken_back, now_us)):
        return f"it takes back {taken_back} objects, and with those of the last hour that is a withdrawal in bulk"
    return None


def is_braked(collection_id: int, team_id: int, more: int, now_us: int) -> Program[bool]:
    """Tell whether a team takes back so much within an hour that a second person has to agree.

    Args:
        collection_id: from which collection.
        team_id: which team.
        more: how many objects it is about to take back.
        now_us: what time it is.
    """
    before = yield from count_withdrawn(collection_id, team_id, now_us - HOUR_US)
    if not is_bulk(before + more, 0):
        return False  # too few, whatever the team has
    in_force = yield from count_own(collection_id, team_id)
    return is_bulk(before + more, before + in_force)


def is_too_much(collection_id: int, team_id: int, now_us: int) -> Program[bool]:
    """Tell whether a team has taken back more within the hour than one person may, the deletion under way included."""
    return (yield from wants_second_person()) and (yield from is_braked(collection_id, team_id, 0, now_us))


def hold(admitted: Admitted, reason: str, status_uuid: str, now_us: int) -> Program[bytes]:
    """Keep a post for a second person, and return its TAXII status: pending.

    Args:
        admitted: what would be published; it is looked into again then.
        reason: for the second person.
        status_uuid: of its status.
        now_us: what time it is.

    Raises:
        Refusal: SECOND_PERSON_REQUIRED where too many of the team's proposals wait already.
    """
    received = admitted.received
    submission_id = yield from begin_submission(received, status_uuid)
    status = resources.pending_status(status_uuid, received.at_us, 0, 0, len(admitted.objects) + len(admitted.refused))
    yield from finish_submission(submission_id, status)
    held = HeldPost(
        received.body,
        received.at_us,
        status_uuid,
        [(one.stix.stix_id, one.stix.version) for one in admitted.objects],
        [_list(one) for one in _telling(admitted.objects)[:MOST_NAMED]],
        len(admitted.refused),
    )
    yield from open_proposal(
        received.principal,
        ProposalKind.POST,
        needs=1,
        reason=reason,
        body=msgspec.msgpack.encode(held),
        now_us=now_us,
        collection_id=received.collection.collection_id,
        submission_id=submission_id,
    )
    return status


def read_held(body: bytes) -> HeldPost:
    """Read what `hold` kept."""
    return msgspec.msgpack.decode(body, type=HeldPost)


def too_large_to_hold() -> Refusal:
    """Refuse a part of a body that is too large to be held as one."""
    return Refusal(
        Code.SECOND_PERSON_REQUIRED,
        "objects marked TLP:RED and withdrawals in bulk wait for a second person: post them by themselves, at most 8 MiB at once",
    )


def _is_here(one: AdmittedObject, here: dict[str, InForce]) -> bool:
    found = here.get(one.stix.stix_id)
    return found is not None and found.version_us == (one.stix.version_us or 0) and found.digest == one.stix.digest


def _count_red(admitted: Admitted, guarded: Iterable[AdmittedObject]) -> Program[int]:
    """Count the objects that a marking of their own makes RED; one that nobody has explained does."""
    defined = {one.stix.stix_id: one.stix.defines for one in admitted.objects if one.stix.is_marking}
    strict = [one for one in guarded if one.marking is Tlp.RED and one.stix.marking_ids]
    foreign = {ref for one in strict for ref in one.stix.marking_ids if ref not in MARKING_IDS and ref not in defined}
    known = yield from find_definitions(admitted.received.collection.collection_id, foreign)
    steps = {**known, **defined, **MARKING_IDS}
    return sum(any(steps.get(ref, Tlp.RED) is Tlp.RED for ref in one.stix.marking_ids) for one in strict)


def _count_taken_back(guarded: Iterable[AdmittedObject], here: dict[str, InForce]) -> int:
    """Count the objects in force that would not be any more; to publish something revoked at once takes nothing back."""
    ids = {one.stix.stix_id for one in guarded if one.stix.revoked}
    return sum(stix_id in here and not here[stix_id].revoked for stix_id in ids)


def _telling(objects: Sequence[AdmittedObject]) -> list[AdmittedObject]:
    """Order objects by how much they matter to whoever has to agree: the strictest first, then what is taken back."""
    return sorted(objects, key=lambda one: (-one.marking, not one.stix.revoked))


def _list(one: AdmittedObject) -> Listed:
    stix = one.stix
    return Listed(stix.stix_id, stix.type, stix.version, int(one.marking), stix.revoked, read_name(stix.body))
