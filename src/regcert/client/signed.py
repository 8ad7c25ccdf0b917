"""Signed publications: which objects go into one, its manifest, and what a host answers.

Objects stay the bytes that they are; what is signed is the hash of what they say. The host numbers the publications of a team in
a collection without gaps, so each is signed for its place, and again for the next one where somebody else of the team was faster.
"""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from regcert.client.resources import Failure, Status
from regcert.domain.exact import find_base64
from regcert.domain.publication import MANIFEST_TYPE, Listed
from regcert.errors import Code, Refusal
from regcert.outbound.answers import unreadable
from regcert.outbound.batches import MOST_OBJECTS, Written, envelope_of
from regcert.signing.private_key import PrivateKey
from regcert.signing.publication import seal_publication
from regcert.stix.reader import MAX_SAFE_INTEGER, ReadObject, read_envelope
from regcert.stix.tlp import MARKING_IDS

# A host looks at larger bodies in pieces, of which no manifest can list all.
MOST_BYTES = 8 * 1024 * 1024 - 1
_FRAME_BYTES = 8192
_TRIES = 20  # somebody else of the team may be at work, and is a step ahead whenever we lose
_ROUNDS = 12  # a host names a hundred that it refuses, and others only when those are gone
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Signable:
    """An object as its bytes, and as a manifest lists it.

    Args:
        listed: its id, version and hash.
        body: its bytes.
        markings: every marking that it refers to, for the whole or for a part of it.
    """

    listed: Listed
    body: bytes
    markings: tuple[str, ...] = ()

    @property
    def needs_bytes(self) -> int:
        """How much of a request it takes, with its line in the manifest: that is in base64, a third longer than it is."""
        stix_id, version = self.listed.place
        return len(self.body) + 1 + (len(stix_id) + len(version) + 2 * _DIGEST_BYTES + 16) * 4 // 3 + 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a publication goes, and what it follows.

    Args:
        host: the origin of the host's log.
        collection: its id.
        team: the identity of the team that signs.
        seq: the number of the team's last publication there; 0 where it has none.
        prev: the hash of that one's payload.
    """

    host: str
    collection: str
    team: str
    seq: int
    prev: bytes | None


@dataclass(frozen=True, slots=True)
class Seal:
    """With what a publication is signed, and how.

    Args:
        key: an active key of the team.
        now_us: tells the time.
        markings: of the manifest itself; without any, the strictest of what it lists.
        declassifies: ids of objects whose markings are lowered on purpose.
    """

    key: PrivateKey
    now_us: Callable[[], int]
    markings: tuple[str, ...] = ()
    declassifies: frozenset[str] = frozenset()


@dataclass(slots=True)
class Signed:
    """What became of one publication.

    Args:
        status: the host's, or None where nothing was left to sign.
        sent: how many of our objects it held.
        failures: those that were left out because the host would not take them.
    """

    status: Status | None = None
    sent: int = 0
    failures: list[Failure] = field(default_factory=list)


def signable(objects: Iterable[Written]) -> tuple[list[Signable], list[Failure]]:
    """Read objects as the host will, and part those that can be signed from those that it would refuse anyway.

    An object that stands here twice is signed once. A manifest is none of the objects: each publication gets its own.
    """
    ready: dict[tuple[str, str], Signable] = {}
    failures: list[Failure] = []
    for one in objects:
        [read] = read_envelope(envelope_of([one]))
        try:
            found = _read(read, one.body)
        except Refusal as refusal:
            stix_id = read.value.get("id") if isinstance(read, ReadObject) else None
            failures.append(Failure(stix_id if isinstance(stix_id, str) else "unknown", "", str(refusal)))
            continue
        if found is None:
            continue
        same = ready.setdefault(found.listed.place, found)
        if same.listed.digest != found.listed.digest:
            twice = Refusal(Code.VERSION_CONFLICT, "this id and version stands twice here, with different content; keep one")
            failures.append(Failure(found.listed.stix_id, found.listed.version or "", str(twice)))
    return list(ready.values()), failures


def signed_batches(objects: Sequence[Signable], most_bytes: int) -> Iterator[list[Signable]]:
    """Cut objects into publications; one that alone is larger than a request may be goes alone, and the host says no to it."""
    batch: list[Signable] = []
    size = _FRAME_BYTES
    for one in objects:
        if batch and (len(batch) == MOST_OBJECTS or size + one.needs_bytes > min(most_bytes, MOST_BYTES)):
            yield batch
            batch, size = [], _FRAME_BYTES
        batch.append(one)
        size += one.needs_bytes
    if batch:
        yield batch


def seal_envelope(batch: Sequence[Signable], place: Place, seal: Seal) -> tuple[bytes, Place]:
    """Sign a publication.

    Args:
        batch: its objects.
        place: where it goes.
        seal: with what.

    Returns:
        The envelope: the objects, and behind them the manifest; and the place behind it.
    """
    manifest = seal_publication(
        manifest_id=f"{MANIFEST_TYPE}--{uuid.uuid4()}",
        host=place.host,
        collection=place.collection,
        team=place.team,
        seq=place.seq + 1,
        prev=place.prev,
        issued_us=seal.now_us(),
        nonce=secrets.token_bytes(32),
        markings=seal.markings or _strictest(batch),
        objects=[one.listed for one in batch],
        key=seal.key,
        declassifies=seal.declassifies.intersection(one.listed.stix_id for one in batch),
    )
    payload = find_base64(manifest["dsse"]["payload"])
    following = Place(place.host, place.collection, place.team, place.seq + 1, sha256(payload or b"").digest())
    return b'{"objects":[' + b",".join([*(one.body for one in batch), orjson.dumps(manifest)]) + b"]}", following


class Signer:
    """Signs and posts publications to one collection, one behind the other.

    Args:
        find_place: asks the host how far the team has come there.
        post: posts an envelope; the same again does no harm.
        seal: with what is signed.
        drop_refused: whether what the host refuses is left out and the rest signed again; else the refusal is raised.
    """

    def __init__(
        self,
        find_place: Callable[[], Awaitable[Place]],
        post: Callable[[bytes], Awaitable[Status]],
        seal: Seal,
        *,
        drop_refused: bool,
    ) -> None:
        self._find_place = find_place
        self._post = post
        self._seal = seal
        self._drop_refused = drop_refused
        self._place: Place | None = None

    async def publish(self, batch: Sequence[Signable]) -> Signed:
        """Publish some objects as one publication: all of them or, where the host names some that it refuses, the rest.

        Raises:
            Refusal: what the host says; nothing of the batch was taken then.
        """
        signed, left = Signed(), list(batch)
        late = rounds = 0
        while left:
            try:
                signed.status, signed.sent = await self._publish_once(left), len(left)
                break
            except Refusal as refusal:
                self._place = None  # whatever it was, the host knows better by now
                if said_code(refusal) == Code.OUT_OF_SEQUENCE and late < _TRIES:
                    late += 1
                    continue
                left = self._without(left, refusal, signed)
                rounds += 1
                if rounds == _ROUNDS:
                    raise
        return signed

    def _without(self, batch: Sequence[Signable], refusal: Refusal, signed: Signed) -> list[Signable]:
        """Leave out what a host refuses and note it, or raise the refusal where that does not help."""
        refused = said_failures(refusal) if said_code(refusal) == Code.PUBLICATION_REFUSED and self._drop_refused else []
        names = {(one.stix_id, one.version) for one in refused}
        left = [one for one in batch if one.listed.place not in names]
        if len(left) == len(batch):
            raise refusal
        signed.failures += refused
        return left

    async def _publish_once(self, batch: Sequence[Signable]) -> Status:
        place = self._place or await self._find_place()
        body, following = seal_envelope(batch, place, self._seal)
        try:
            status = await self._post(body)
        except Refusal as refusal:
            if refusal.code is not Code.UNREACHABLE:
                raise
            status = await self._post(body)  # whether it was taken is not known; if it was, we are told the same again
        # What waits for a second person has not taken its place yet.
        self._place = following if status.is_complete else None
        return status


def said_code(refusal: Refusal) -> str:
    """Return the server's own code of a refusal, or nothing."""
    return str((refusal.details or {}).get("code", ""))


def said_failures(refusal: Refusal) -> list[Failure]:
    """List the objects that a server names as those that it refuses."""
    listed = (refusal.details or {}).get("failures", ())
    return [Failure(one["id"], one["version"], one["message"]) for one in listed]


def read_place(log: bytes, head: bytes, collection: str) -> Place:
    """Read where a publication goes from what a host says of its log and of our head.

    Raises:
        Refusal: REFUSED_BY_SERVER where either is not what it should be.
    """
    told, at = _object(log), _object(head)
    host, team, seq, prev = told.get("origin"), at.get("team"), at.get("seq"), at.get("prev")
    if not (isinstance(host, str) and isinstance(team, str) and isinstance(seq, int) and 0 <= seq < MAX_SAFE_INTEGER):
        raise unreadable()
    try:
        digest = bytes.fromhex(prev) if isinstance(prev, str) else None
    except ValueError as error:
        raise unreadable() from error
    if (digest is None) != (seq == 0) or (digest is not None and len(digest) != _DIGEST_BYTES):
        raise unreadable()
    return Place(host, collection, team, seq, digest)


def _read(read: ReadObject | Refusal, body: bytes) -> Signable | None:
    if isinstance(read, Refusal):
        raise read
    stix_id, version = read.value.get("id"), read.value.get("modified") or read.value.get("created")
    if not isinstance(stix_id, str) or not (version is None or isinstance(version, str)):
        raise Refusal(Code.INVALID_STIX, "the object has no id, or a version that is no text")
    if read.value.get("type") == MANIFEST_TYPE:
        return None
    return Signable(Listed(stix_id, version or None, read.digest), body, _markings_of(read.value))


def _markings_of(value: Mapping[str, Any]) -> tuple[str, ...]:
    refs, parts = value.get("object_marking_refs"), value.get("granular_markings")
    found = list(refs) if isinstance(refs, list) else []
    found += [part.get("marking_ref") for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    return tuple(one for one in found if isinstance(one, str))


def _strictest(batch: Sequence[Signable]) -> tuple[str, ...]:
    """Return the strictest TLP marking of some objects; none where one has none, or its own: then the collection decides."""
    strictest: str | None = None
    for one in batch:
        known = [marking for marking in one.markings if marking in MARKING_IDS]
        if not known or len(known) < len(one.markings):
            return ()
        strictest = max([*known, *([strictest] if strictest else [])], key=lambda marking: MARKING_IDS[marking])
    return (strictest,) if strictest else ()


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise unreadable() from error
    return value if isinstance(value, Mapping) else {}
