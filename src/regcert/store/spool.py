"""Bodies too large to be looked at while their sender waits: kept piece by piece, and what became of each piece."""

from dataclasses import dataclass

import msgspec
from sqlalchemy import Integer, bindparam, case, delete, func, literal_column, select, update

from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import CollectionRow, SpoolRow, SubmissionRow, table
from regcert.store.tokens import get_sender
from regcert.store.visibility import read_collection

_SPOOL = table(SpoolRow)
_SUBMISSIONS = table(SubmissionRow)
_COLLECTIONS = table(CollectionRow)
_OF = _SPOOL.c.submission_id == bindparam("submission")


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """What became of the objects of one piece.

    Args:
        accepted: (id, version) of each object that is here.
        refused: (id, version, reason) of each that is not.
    """

    accepted: list[tuple[str, str]]
    refused: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Work:
    """The next piece that nobody has looked at.

    Args:
        submission_id: of which submission.
        number: which piece of it.
        envelope: its objects.
        objects: how many.
        status_uuid: of the submission's status.
        received_us: when it came.
        principal: who sent it.
        collection: where to.
    """

    submission_id: int
    number: int
    envelope: bytes
    objects: int
    status_uuid: str
    received_us: int
    principal: Principal
    collection: Collection


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a submission is.

    Args:
        accepted: how many objects were looked at and are here.
        refused: how many were looked at and are not.
        pending: how many are still to be looked at.
    """

    accepted: int
    refused: int
    pending: int


_ADD = Insert(_SPOOL)
# A submission whose status is not written yet is still coming in, or was given up.
_NEXT = Statement(
    lambda _: select(
        _SPOOL.c.submission_id, _SPOOL.c.number, _SPOOL.c.piece, _SPOOL.c.objects,
        _SUBMISSIONS.c.status_uuid, _SUBMISSIONS.c.received_us, _SUBMISSIONS.c.token_id, _SUBMISSIONS.c.collection_id,
    )
    .join(_SUBMISSIONS, _SUBMISSIONS.c.submission_id == _SPOOL.c.submission_id)
    .where(_SPOOL.c.done.is_(False), func.length(_SUBMISSIONS.c.status) > 0)
    .order_by(_SPOOL.c.submission_id, _SPOOL.c.number)
    .limit(1)
)  # fmt: skip
_COLLECTION = Statement(lambda _: select(_COLLECTIONS).where(_COLLECTIONS.c.collection_id == bindparam("collection")))
_DONE = Statement(
    lambda _: (
        update(_SPOOL)
        .where(_OF, _SPOOL.c.number == bindparam("at", type_=Integer))
        .values(done=True, refused=bindparam("not_here", type_=Integer), piece=bindparam("outcome"))
    )
)
_WAITING = Statement(
    lambda _: select(_SPOOL.c.number).where(_OF, _SPOOL.c.number == bindparam("at", type_=Integer), _SPOOL.c.done.is_(False))
)
_LOOKED_AT = func.sum(case((_SPOOL.c.done, _SPOOL.c.objects), else_=literal_column("0")))
_COUNT = Statement(lambda _: select(func.sum(_SPOOL.c.objects), _LOOKED_AT, func.sum(_SPOOL.c.refused)).where(_OF))
_OUTCOMES = Statement(lambda _: select(_SPOOL.c.piece).where(_OF, _SPOOL.c.done).order_by(_SPOOL.c.number).limit(1_000_000))
_CLEAR = Statement(lambda _: delete(_SPOOL).where(_OF))
_FORGET = Statement(lambda _: delete(_SUBMISSIONS).where(_SUBMISSIONS.c.submission_id == bindparam("submission")))


def add_piece(submission_id: int, number: int, objects: int, envelope: bytes) -> Program[None]:
    """Keep a piece of a body that is coming in.

    Args:
        submission_id: of which submission.
        number: its place among the pieces; 0 is looked at first.
        objects: how many it holds.
        envelope: the objects, framed.
    """
    yield _ADD, [(submission_id, number, objects, 0, False, envelope)]


def find_work() -> Program[Work | None]:
    """Find the next piece to look at, of the submission that has waited longest."""
    rows = yield _NEXT, {}
    if not rows:
        return None
    submission_id, number, piece, objects, status_uuid, received_us, token_id, collection_id = rows[0]
    sender = yield from get_sender(token_id)
    names = [column.name for column in _COLLECTIONS.columns]
    found = yield _COLLECTION, {"collection": collection_id}
    collection = read_collection(dict(zip(names, found[0], strict=True)))
    return Work(submission_id, number, bytes(piece), objects, status_uuid, received_us, sender, collection)


def is_waiting(work: Work) -> Program[bool]:
    """Tell whether nobody has looked at a piece since it was found."""
    rows = yield _WAITING, {"submission": work.submission_id, "at": work.number}
    return bool(rows)


def finish_piece(submission_id: int, number: int, outcome: Outcome) -> Program[Progress]:
    """Note what became of a piece, and return how far its submission is."""
    told = msgspec.msgpack.encode(outcome)
    yield _DONE, {"submission": submission_id, "at": number, "not_here": len(outcome.refused), "outcome": told}
    total, looked_at, refused = (yield _COUNT, {"submission": submission_id})[0]
    return Progress(int(looked_at) - int(refused), int(refused), int(total) - int(looked_at))


def list_outcomes(submission_id: int) -> Program[list[Outcome]]:
    """List what became of each piece, in their order."""
    rows = yield _OUTCOMES, {"submission": submission_id}
    return [msgspec.msgpack.decode(row[0], type=Outcome) for row in rows]


def clear(submission_id: int) -> Program[None]:
    """Let go of the pieces of a submission that is complete."""
    yield _CLEAR, {"submission": submission_id}


def give_up(submission_id: int) -> Program[None]:
    """Let go of a body that did not come to its end, as if it had never come."""
    yield _CLEAR, {"submission": submission_id}
    yield _FORGET, {"submission": submission_id}
