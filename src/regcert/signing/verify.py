"""The step from `Parsed` to `Verified`: who vouches for a publication.

Either the team does, whose key signed a manifest of everything in the envelope; or this host does, to which it came over the
team's authenticated channel. Whether the publication is the next of its team is asked where that is known: in the
transaction that records it (`store/publications.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.key_list import KeyList, KeyStatus
from regcert.domain.publication import MANIFEST_TYPE, Listed, Publication
from regcert.domain.submission import Parsed, Refused, Verified, Vouched
from regcert.errors import Code, Refusal
from regcert.signing.dsse import PUBLICATION, require_signed
from regcert.signing.key_list import active_keys
from regcert.signing.publication import read_manifest, require_bound, require_complete
from regcert.stix.reader import read_value

MOST_FAILURES = 100
_MOST_NAMED = 3
_MOST_NAME = 80
_MOST_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class TeamStanding:
    """What is known here of whoever posts, by which a signature is judged.

    Args:
        host: the origin of this host's log, which a publication names; empty on a host that has none.
        key_list: the newest of the posting team, or None where it enrolled no key.
        suspended: whether the operator has stopped the team's publishing.
    """

    host: str
    key_list: KeyList | None = None
    suspended: bool = False


def verify(parsed: Parsed, standing: TeamStanding, *, is_piece: bool = False) -> Verified:
    """Find out who vouches for an envelope.

    1. Without a manifest, the host attests that it came over the team's authenticated channel; where the collection requires a
       signature, that is not enough.
    2. There is one manifest, and it can be read.
    3. It was signed for this host, this collection and the team that posts it.
    4. The signature is by a key that is active in the team's newest list.
    5. It lists every object of the envelope once, and nothing else; an object that is not STIX is one too few.

    Args:
        parsed: the envelope.
        standing: of the team that posts it.
        is_piece: whether the envelope is a part of a larger body, of which no manifest can list all.

    Raises:
        Refusal: SIGNATURE_REQUIRED, INVALID_MANIFEST, WRONG_BINDING, UNKNOWN_KEY, KEY_NOT_ACTIVE, BAD_SIGNATURE,
            PUBLICATION_REFUSED, MANIFEST_MISMATCH, TOO_LARGE; FORBIDDEN where the team is suspended.
    """
    if standing.suspended:
        raise suspended()
    received = parsed.received
    manifests = [stix for stix in parsed.objects if stix.type == MANIFEST_TYPE]
    if not manifests:  # 1
        require_attestable(received.collection)
        return Verified(parsed, Vouched.ATTESTED)
    if is_piece:
        raise in_pieces()
    if len(manifests) > 1:  # 2
        raise Refusal(Code.INVALID_MANIFEST, "the envelope has more than one publication manifest; post one at a time")
    envelope, publication = read_manifest(read_value(manifests[0].body))
    team = received.principal.team
    require_bound(publication, host=standing.host, collection=received.collection.uuid, team=team.identity_id)  # 3
    require_active(standing.key_list, [key_id for key_id, _ in envelope.signatures], received.at_us)  # 4
    key_id = require_signed(envelope, PUBLICATION, active_keys(standing.key_list) if standing.key_list else {})
    require_whole(publication, parsed.refused)  # 5
    require_complete(publication, (Listed(stix.stix_id, stix.version, stix.digest) for stix in parsed.objects[:-1]))
    return Verified(parsed, Vouched.SIGNED, publication, key_id)


def require_attestable(collection: Collection) -> None:
    """Refuse what this host may not vouch for by itself, before any of it is looked at.

    Raises:
        Refusal: SIGNATURE_REQUIRED.
    """
    if collection.signature is SignatureRule.REQUIRED:
        raise Refusal(
            Code.SIGNATURE_REQUIRED,
            "this collection takes signed publications only; sign with 'regcert publish --key', or publish to another one",
        )


def require_whole(publication: Publication | None, refused: Sequence[Refused]) -> None:
    """Refuse a signed publication of which an object cannot be taken: what was signed together stands together.

    Args:
        publication: what was signed, or None where nothing was.
        refused: the objects of its envelope that are not taken.

    Raises:
        Refusal: PUBLICATION_REFUSED, which names some of them in words, and up to a hundred in its details.
    """
    if publication is None or not refused:
        return
    named = ", ".join(f"{one.stix_id[:_MOST_NAME]} ({one.refusal.code})" for one in refused[:_MOST_NAMED])
    more = f" and {len(refused) - _MOST_NAMED} more" if len(refused) > _MOST_NAMED else ""
    failures = [
        {"id": one.stix_id, "version": one.version or "", "message": str(one.refusal)[:_MOST_MESSAGE]}
        for one in refused[:MOST_FAILURES]
    ]
    sentence = f"nothing was taken because of {named}{more}; leave out what is refused and sign again"
    raise Refusal(Code.PUBLICATION_REFUSED, sentence, {"failure_count": len(refused), "failures": failures})


def require_active(key_list: KeyList | None, key_ids: Iterable[str], at_us: int) -> None:
    """Refuse keys that are not active in a team's list, and all of a list that has expired.

    Args:
        key_list: the team's newest, or None where it has none.
        key_ids: those that signed.
        at_us: when the publication came.

    Raises:
        Refusal: UNKNOWN_KEY, KEY_NOT_ACTIVE.
    """
    for key_id in key_ids:
        key = key_list.find_key(key_id) if key_list else None
        if key is None:
            raise Refusal(Code.UNKNOWN_KEY, "this key is not in your team's key list; `regcert key enrol` enters it")
        if key.status is not KeyStatus.ACTIVE:
            raise Refusal(Code.KEY_NOT_ACTIVE, f"this key is {key.status} in your team's key list; sign with an active one")
    if key_list is not None and at_us >= key_list.expires_us:
        raise Refusal(Code.KEY_NOT_ACTIVE, "your team's key list has expired; have its root key sign the next version")


def suspended() -> Refusal:
    """Say that a team may not publish for now."""
    return Refusal(Code.FORBIDDEN, "the operator has stopped your team's publishing for now; ask the operator why")


def in_pieces() -> Refusal:
    """Say that a signed publication cannot be looked at in pieces."""
    return Refusal(Code.TOO_LARGE, "a signed publication has at most 8 MiB; split it, and sign each part by itself")
