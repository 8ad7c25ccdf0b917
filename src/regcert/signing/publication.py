"""Publication manifests: a team's signature for every object of one envelope, carried beside them as one more object.

A signature on the envelope would be lost on arrival, one within each object would change it, and observables have no author to
sign. A manifest lists them all by their hashes, and goes where they go.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from regcert.domain.publication import EXTENSION_ID, MANIFEST_TYPE, Listed, Publication
from regcert.errors import Code, Refusal
from regcert.signing.dsse import MAX_PAYLOAD_BYTES, PUBLICATION, Envelope, read_envelope, seal
from regcert.signing.payload import (
    NotExactError,
    read_hash,
    read_members,
    read_time,
    refusal_of,
    require_collection,
    require_count,
    require_host,
    require_id,
    require_same,
    write_payload,
    write_time,
)
from regcert.signing.private_key import PrivateKey
from regcert.stix.canonical import canonical_bytes, digest

MAX_OBJECTS = 10_000
MAX_MARKINGS = 20
MAX_VERSION_CHARACTERS = 64

_VERSION_CHARACTERS = frozenset("0123456789TtZz:.+- ")
_MEMBERS = frozenset({"type", "spec_version", "id", "created", "modified", "created_by_ref", "extensions", "dsse"})


class _Members(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    id: str
    host: str
    collection: str
    team: str
    seq: int
    prev: str | None
    issued_at: str
    nonce: str
    markings: list[str]
    objects: list[tuple[str, str | None, str]]
    declassifies: list[str]


def list_object(value: Mapping[str, Any]) -> Listed:
    """List one object: its id, its version, and the hash of its canonical form.

    Args:
        value: a STIX object, as `stix/reader` or a JSON parser read it.

    Raises:
        Refusal: INVALID_STIX where it has no id; UNSAFE_TEXT.
    """
    stix_id = value.get("id")
    if not isinstance(stix_id, str):
        raise Refusal(Code.INVALID_STIX, "an object has no id, so that nobody can sign for it")
    times = (value.get(name) for name in ("modified", "created"))
    version = next((time for time in times if isinstance(time, str) and time), None)
    return Listed(stix_id, version, digest(canonical_bytes(value)))


def seal_publication(  # noqa: PLR0913 - one for each thing that the signature binds
    *,
    manifest_id: str,
    host: str,
    collection: str,
    team: str,
    seq: int,
    prev: bytes | None,
    issued_us: int,
    nonce: bytes,
    markings: Iterable[str],
    objects: Iterable[Listed],
    key: PrivateKey,
    declassifies: Iterable[str] = (),
) -> dict[str, Any]:
    """Sign a publication, and return the manifest object that carries it.

    Args:
        manifest_id: of the object; a new one each time.
        host: origin of the host's log.
        collection: where it will be posted.
        team: who signs.
        seq: one more than the team's last in this collection.
        prev: hash of that last one's payload; None for the first.
        issued_us: the present.
        nonce: 32 random bytes, new each time: they keep the log's leaf from being guessed.
        markings: of the manifest, in any order.
        objects: every object of the envelope, in any order, 1 to 10,000.
        key: an active key of the team.
        declassifies: ids of objects whose markings are lowered on purpose.

    Raises:
        Refusal: INVALID_MANIFEST where that is none that a host would take.
    """
    unsigned = Publication(
        manifest_id, host, collection, team, seq, prev, issued_us, nonce, tuple(sorted(set(markings))),
        tuple(sorted(objects, key=lambda listed: listed.place)), frozenset(declassifies), b"",
    )  # fmt: skip
    try:
        manifest = _manifest_of(unsigned, seal(PUBLICATION, _write(unsigned), [key]))
    except NotExactError as why:
        raise refusal_of(Code.INVALID_MANIFEST, "publication", why) from why
    read_manifest(manifest)
    return manifest


def read_manifest(value: Mapping[str, Any]) -> tuple[Envelope, Publication]:
    """Read a manifest object; its signature is not checked yet, nor what it is bound to.

    Args:
        value: a JSON object from anywhere, within the bounds of `stix/reader`.

    Returns:
        The envelope with its one signature, and what it covers.

    Raises:
        Refusal: INVALID_MANIFEST.
    """
    if value.get("type") != MANIFEST_TYPE or not _MEMBERS <= value.keys() <= _MEMBERS | {"object_marking_refs"}:
        raise Refusal(Code.INVALID_MANIFEST, "a publication manifest has exactly the properties that docs/signing.md lists")
    envelope = read_envelope(value["dsse"], Code.INVALID_MANIFEST)
    if envelope.payload_type != PUBLICATION or len(envelope.signatures) != 1:
        raise Refusal(Code.INVALID_MANIFEST, "a publication is signed as one, by one key")
    try:
        publication = _read(envelope.payload)
    except NotExactError as why:
        raise refusal_of(Code.INVALID_MANIFEST, "signed publication", why) from why
    if value != _manifest_of(publication, envelope):
        raise Refusal(Code.INVALID_MANIFEST, "the manifest says something else than its signed payload")
    return envelope, publication


def require_bound(publication: Publication, *, host: str, collection: str, team: str) -> None:
    """Require that a publication was made for this place, by this team.

    Raises:
        Refusal: WRONG_BINDING, with what it was not made for.
    """
    bound = {
        "host": publication.host == host,
        "collection": publication.collection == collection,
        "team": publication.team == team,
    }
    wrong = [name for name, same in bound.items() if not same]
    if wrong:
        raise Refusal(Code.WRONG_BINDING, f"the publication was signed for another {' and another '.join(wrong)}")


def require_next(publication: Publication, seq: int, prev: bytes | None) -> None:
    """Require that a publication follows the team's last one in this collection.

    Args:
        publication: the one that comes.
        seq: of the last one; 0 where there is none.
        prev: its digest; None where there is none.

    Raises:
        Refusal: OUT_OF_SEQUENCE.
    """
    if publication.seq != seq + 1 or publication.prev != prev:
        raise Refusal(Code.OUT_OF_SEQUENCE, f"the next publication has number {seq + 1} and the hash of number {seq} before it")


def require_complete(publication: Publication, objects: Iterable[Listed]) -> None:
    """Require that a publication lists these objects, each once, and no other.

    Args:
        publication: what was signed.
        objects: everything that came with it, but for the manifest itself.

    Raises:
        Refusal: MANIFEST_MISMATCH, with how many are wrong in which way.
    """
    missing = {listed.place: listed.digest for listed in publication.objects}
    unlisted = changed = 0
    for listed in objects:
        signed = missing.pop(listed.place, None)
        unlisted += signed is None  # also the second of two
        changed += signed not in {None, listed.digest}
    if missing or unlisted or changed:
        raise Refusal(
            Code.MANIFEST_MISMATCH,
            f"the manifest and the objects with it differ: {len(missing)} are listed and not there, {unlisted} are there and "
            f"not listed or twice, {changed} are not what was signed",
        )


def commitment(nonce: bytes, payload_digest: bytes) -> bytes:
    """Commit to a publication without telling anything of it; who knows the nonce can show what was committed to.

    Args:
        nonce: of the publication, 32 bytes.
        payload_digest: SHA-256 of its payload, 32 bytes.
    """
    return sha256(nonce + payload_digest).digest()


def _manifest_of(publication: Publication, envelope: Envelope) -> dict[str, Any]:
    """Build the one manifest object that carries an envelope."""
    issued_at = write_time(publication.issued_us)
    manifest = {
        "type": MANIFEST_TYPE,
        "spec_version": "2.1",
        "id": publication.manifest_id,
        "created": issued_at,
        "modified": issued_at,
        "created_by_ref": publication.team,
        "object_marking_refs": list(publication.markings),
        "extensions": {EXTENSION_ID: {"extension_type": "new-sdo"}},
        "dsse": envelope.as_json(),
    }
    if not publication.markings:
        del manifest["object_marking_refs"]  # STIX knows no empty list
    return manifest


def _write(publication: Publication) -> bytes:
    return write_payload(
        {
            "v": 1,
            "id": publication.manifest_id,
            "host": publication.host,
            "collection": publication.collection,
            "team": publication.team,
            "seq": publication.seq,
            "prev": publication.prev.hex() if publication.prev is not None else None,
            "issued_at": write_time(publication.issued_us),
            "nonce": publication.nonce.hex(),
            "markings": publication.markings,
            "objects": [(listed.stix_id, listed.version, listed.digest.hex()) for listed in publication.objects],
            "declassifies": sorted(publication.declassifies),
        }
    )


def _read(payload: bytes) -> Publication:
    """Read a payload; every step is linear in its size.

    1. Its members and their types, within the bound of an envelope.
    2. Ids, running number, times and hashes, each by itself.
    3. That lists are in order, and say nothing twice.
    4. That it is the one text for what it says, which also finds what stood twice in one JSON object.
    """
    members = read_members(payload, MAX_PAYLOAD_BYTES, _Members)  # 1
    require_host(members.host)  # 2
    require_collection(members.collection)
    require_id(members.team, "identity")
    require_count(members.seq)
    if (members.prev is None) != (members.seq == 1):
        raise NotExactError("the first publication, and only the first, has no 'prev'")
    objects = _read_objects(members.objects)
    publication = Publication(
        _require_manifest_id(members.id), members.host, members.collection, members.team, members.seq,
        read_hash(members.prev) if members.prev is not None else None, read_time(members.issued_at), read_hash(members.nonce),
        _read_markings(members.markings), objects, _read_declassified(members.declassifies, objects), sha256(payload).digest(),
    )  # fmt: skip
    require_same(payload, _write(publication))  # 4
    return publication


def _require_manifest_id(text: str) -> str:
    require_id(text, MANIFEST_TYPE)
    if text[-22] != "4":
        raise NotExactError("the manifest's id is not a random UUID, version 4")
    return text


def _read_objects(rows: list[tuple[str, str | None, str]]) -> tuple[Listed, ...]:
    if not 1 <= len(rows) <= MAX_OBJECTS:
        raise NotExactError(f"a publication lists 1 to {MAX_OBJECTS} objects")
    objects = tuple([Listed(stix_id, version, read_hash(text)) for stix_id, version, text in rows])
    last = ("", "")
    for listed in objects:
        require_id(listed.stix_id)
        if listed.stix_id.startswith(f"{MANIFEST_TYPE}--"):
            raise NotExactError("a manifest is listed in none")
        if listed.version is not None and not _is_version(listed.version):
            raise NotExactError("the version of a listed object is no time")
        if listed.place <= last:  # 3
            raise NotExactError("the listed objects do not ascend, or one stands there twice")
        last = listed.place
    return objects


def _is_version(text: str) -> bool:
    """Tell whether a text could be a time; the object's own schema decides whether it is one."""
    return 0 < len(text) <= MAX_VERSION_CHARACTERS and _VERSION_CHARACTERS.issuperset(text)


def _read_markings(ids: list[str]) -> tuple[str, ...]:
    if len(ids) > MAX_MARKINGS:
        raise NotExactError(f"a manifest has at most {MAX_MARKINGS} markings")
    for marking in ids:
        require_id(marking, "marking-definition")
    if ids != sorted(set(ids)):  # 3
        raise NotExactError("the markings do not ascend, or one stands there twice")
    return tuple(ids)


def _read_declassified(ids: list[str], objects: tuple[Listed, ...]) -> frozenset[str]:
    declassified = frozenset(ids)
    if not declassified <= {listed.stix_id for listed in objects}:
        raise NotExactError("an object is declassified that is not listed")
    return declassified  # 4 finds whether they ascend, each once
