"""Signed publications: how far each team has come in each collection, and what it signed for.

All of it happens in the transaction that records the objects, under the order lock. A team's publications in a collection
follow each other by number and by hash, so that a reader notices one that is withheld; of two writers with one number, the
later is told to take the next.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, LargeBinary, bindparam, exists, literal_column, select, update

from regcert.domain.submission import Admitted, Vouched
from regcert.signing.publication import commitment, require_next
from regcert.signing.verify import require_active, suspended
from regcert.store.keys import find_key_list, is_suspended
from regcert.store.log import append_leaf
from regcert.store.many import among_listed
from regcert.store.objects import Recorded
from regcert.store.order import lock_order
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import CollectionRow, HoldingRow, MentionRow, ObjectRow, SubmissionRow, table
from regcert.store.trust_tables import PublicationRow, SignedRow
from regcert.translog.leaf import PublicationLeaf, tag

BLIND_BYTES = 32

_PUBLICATIONS = table(PublicationRow)
_SUBMISSIONS = table(SubmissionRow)
_COLLECTIONS = table(CollectionRow)
_OBJECTS = table(ObjectRow)
_SIGNED = table(SignedRow)
_HOLDINGS = table(HoldingRow)
_MENTIONS = table(MentionRow)

_HERE = _PUBLICATIONS.c.collection_id == bindparam("collection", type_=Integer)
_HEAD = Statement(
    lambda _: (
        select(_PUBLICATIONS.c.seq, _PUBLICATIONS.c.digest)
        .where(_HERE, _PUBLICATIONS.c.team_id == bindparam("team", type_=Integer))
        .order_by(_PUBLICATIONS.c.seq.desc())
        .limit(1)
    )
)
_SAME = Statement(
    lambda _: (
        select(_SUBMISSIONS.c.status)
        .select_from(_PUBLICATIONS.outerjoin(_SUBMISSIONS, _SUBMISSIONS.c.submission_id == _PUBLICATIONS.c.submission_id))
        .where(_HERE, _PUBLICATIONS.c.digest == bindparam("digest", type_=LargeBinary))
    )
)
_LAST = Statement(lambda _: select(_PUBLICATIONS.c.number).where(_HERE).order_by(_PUBLICATIONS.c.number.desc()).limit(1))
_BLIND = Statement(
    lambda _: select(_COLLECTIONS.c.blind).where(_COLLECTIONS.c.collection_id == bindparam("collection", type_=Integer))
)
_SET_BLIND = Statement(
    lambda _: (
        update(_COLLECTIONS)
        .where(_COLLECTIONS.c.collection_id == bindparam("collection"), _COLLECTIONS.c.blind.is_(None))
        .values(blind=bindparam("made", type_=LargeBinary))
    )
)
_ADD = Insert(_PUBLICATIONS)
_SIGN = Statement(
    lambda dialect: (
        update(_OBJECTS)
        .where(among_listed(dialect, _OBJECTS.c.position, bindparam("places")), _OBJECTS.c.team_id == bindparam("team"))
        .values(vouched=bindparam("how"))
        .returning(_OBJECTS.c.position)
    )
)


def _sign_holdings(dialect: str) -> Any:
    """Note what correlation has summed up of objects that are signed now; what it has not read yet, it will find signed."""
    scope = select(_COLLECTIONS.c.scope).where(_COLLECTIONS.c.collection_id == bindparam("collection", type_=Integer))
    named = (
        select(_MENTIONS.c.key, _MENTIONS.c.origin)
        .join(_OBJECTS, _OBJECTS.c.position == _MENTIONS.c.position)
        .where(among_listed(dialect, _MENTIONS.c.position, bindparam("places")), _OBJECTS.c.superseded_by == 0)
        .subquery("named")
    )
    return (
        update(_HOLDINGS)
        .where(
            _HOLDINGS.c.key.in_(select(named.c.key)),
            _HOLDINGS.c.scope == scope.scalar_subquery(),
            _HOLDINGS.c.team_id == bindparam("team", type_=Integer),
            exists().where(named.c.key == _HOLDINGS.c.key, named.c.origin == _HOLDINGS.c.origin),
        )
        .values(signed=literal_column("true"))
    )


_SIGN_HOLDINGS = Statement(_sign_holdings)
_LIST = Insert(_SIGNED, keep=True)
_LIST_AGAIN = Statement(
    lambda dialect: (
        update(_SIGNED)
        .where(among_listed(dialect, _SIGNED.c.position, bindparam("places")))
        .values(number=bindparam("latest", type_=Integer))
    )
)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a team has come in a collection.

    Args:
        seq: the number of its last publication there; 0 where it has none.
        digest: the hash of that one's payload, or None.
    """

    seq: int = 0
    digest: bytes | None = None


def find_head(collection_id: int, team_id: int) -> Program[Head]:
    """Find how far a team has come in a collection."""
    rows = yield _HEAD, {"collection": collection_id, "team": team_id}
    return Head(int(rows[0][0]), bytes(rows[0][1])) if rows else Head()


def find_first_status(admitted: Admitted) -> Program[bytes | None]:
    """Find what was answered when this very publication was recorded; empty where that is forgotten, None where it was not."""
    if admitted.publication is None:
        return None
    asked = {"collection": admitted.received.collection.collection_id, "digest": admitted.publication.digest}
    rows = yield _SAME, asked
    return bytes(rows[0][0] or b"") if rows else None


def require_recordable(admitted: Admitted) -> Program[None]:
    """Refuse a signed publication that is not its team's next, or whose key is no longer good; what is attested passes.

    It is asked under the order lock: since the signature was verified, another one of the team may have been recorded, or its
    keys may have changed.

    Raises:
        Refusal: OUT_OF_SEQUENCE, UNKNOWN_KEY, KEY_NOT_ACTIVE; FORBIDDEN where the team was suspended.
    """
    publication, received = admitted.publication, admitted.received
    if publication is None:
        return
    yield from lock_order()
    team_id = received.principal.team.team_id
    if (yield from is_suspended(team_id)):
        raise suspended()
    require_active((yield from find_key_list(team_id)), [admitted.key_id or ""], received.at_us)
    head = yield from find_head(received.collection.collection_id, team_id)
    require_next(publication, head.seq, head.digest)


def add_publication(admitted: Admitted, submission_id: int, recorded: Recorded) -> Program[None]:
    """Enter a publication whose objects were recorded in the same transaction, and its leaf in the log.

    What it lists and was here before becomes signed, where the same team published it; else that stays as it is, and is kept
    from being deleted. What is attested is entered nowhere.

    Args:
        admitted: what was recorded, all of it.
        submission_id: with which submission.
        recorded: what became of its objects; the manifest is the last.
    """
    publication, key_id = admitted.publication, admitted.key_id
    if publication is None or key_id is None:
        return
    collection_id, team_id = admitted.received.collection.collection_id, admitted.received.principal.team.team_id
    rows = yield _LAST, {"collection": collection_id}
    number = int(rows[0][0]) + 1 if rows else 1
    blind = yield from _blind_of(collection_id)
    leaf = PublicationLeaf(commitment(publication.nonce, publication.digest), key_id, tag(blind, number))
    leaf_index = yield from append_leaf(leaf.write())
    yield _ADD, [(
        collection_id, number, team_id, publication.seq, publication.digest, key_id, recorded.positions[-1],
        submission_id, leaf_index,
    )]  # fmt: skip
    if not recorded.known:
        return
    listed = tuple(recorded.known)
    own = yield _SIGN, {"places": listed, "team": team_id, "how": Vouched.SIGNED.value}
    yield _LIST, [(position, collection_id, number) for position in listed]
    places = tuple(int(row[0]) for row in own)
    yield _LIST_AGAIN, {"places": places, "latest": number}
    yield _SIGN_HOLDINGS, {"collection": collection_id, "team": team_id, "places": places}


def _blind_of(collection_id: int) -> Program[bytes]:
    """Return what tags a collection's publications in the log; made with the first of them."""
    rows = yield _BLIND, {"collection": collection_id}
    if rows[0][0] is not None:
        return bytes(rows[0][0])
    blind = secrets.token_bytes(BLIND_BYTES)
    yield _SET_BLIND, {"collection": collection_id, "made": blind}
    return blind
