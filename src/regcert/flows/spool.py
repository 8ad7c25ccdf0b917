"""Keep a body that is too large to be looked at while its sender waits: 202 now, and the objects later."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson

from regcert.domain.publication import MANIFEST_TYPE
from regcert.domain.submission import Received
from regcert.errors import Refusal
from regcert.flows.find_standing import find_standing
from regcert.flows.publish import Receipt
from regcert.signing.verify import in_pieces, require_attestable, suspended
from regcert.stix.splitter import Splitter
from regcert.store.database import Database
from regcert.store.spool import add_piece, give_up
from regcert.store.submissions import begin_submission, finish_submission
from regcert.taxii import resources

PIECE_OBJECTS = 1000
PIECE_BYTES = 4 * 1024 * 1024
_FIRST = 0
_DEFINITION = "marking-definition"


async def spool(database: Database, received: Received, pieces: AsyncIterator[bytes]) -> Receipt:
    """Keep a large envelope, piece by piece as it comes.

    1. Enter the submission; as long as it has no status, nobody looks at it.
    2. Take the body apart, and keep its objects in pieces that one transaction can take. Marking definitions go first: what they
       explain may stand anywhere in the body.
    3. The frame was whole: give the submission its status, which says that all of it is pending.

    A publication manifest cannot stand in such a body: no manifest lists what is looked at in pieces.

    If we crash before 3, nothing was promised: what was kept is never looked at, and cleared away with the old statuses. Behind
    it, `flows/unspool.py` does the rest, however often it is begun.

    Args:
        database: where to.
        received: who sends it, where to, when; its body is empty.
        pieces: the body, as it comes.

    Returns:
        The status, pending.

    Raises:
        Refusal: the frame cannot be read, an object in it is too large, or it is signed; nothing is kept.
    """
    require_attestable(received.collection)
    if (await find_standing(database, received.principal.team)).suspended:
        raise suspended()
    status_id = str(uuid.uuid4())
    submission_id = await database.apply(lambda _: begin_submission(received, status_id))  # 1
    is_whole = False
    try:
        total = await _keep(database, submission_id, pieces)  # 2
        status = resources.pending_status(status_id, received.at_us, 0, 0, total)
        await database.apply(lambda _: finish_submission(submission_id, status))  # 3
        is_whole = True
    finally:
        if not is_whole:
            with suppress(Refusal):  # a database that is gone keeps what nobody will look at
                await database.apply(lambda _: give_up(submission_id))
    return Receipt(status, total)


async def _keep(database: Database, submission_id: int, pieces: AsyncIterator[bytes]) -> int:
    """Keep the objects of a body; return how many there are."""
    splitter, batch, number, total = Splitter(), _Batch(), _FIRST + 1, 0
    definitions = _Batch()

    async def keep(some: _Batch, at: int) -> None:
        envelope, objects = some.take()
        await database.apply(lambda _: add_piece(submission_id, at, objects, envelope))

    async for piece in pieces:
        # Computation, so in a thread; and a step that is small against what others wait for.
        for text in await asyncio.to_thread(_split, splitter, piece):
            chosen = definitions if _is_of(_DEFINITION, text) and not definitions.is_full else batch
            chosen.add(text)
            total += 1
            if batch.is_full:
                await keep(batch, number)
                number += 1
    splitter.finish()
    for some, at in ((batch, number), (definitions, _FIRST)):
        if some.objects:
            await keep(some, at)
    return total


def _split(splitter: Splitter, piece: bytes) -> list[bytes]:
    texts = list(splitter.feed(piece))
    if any(_is_of(MANIFEST_TYPE, text) for text in texts):
        raise in_pieces()
    return texts


def _is_of(kind: str, text: bytes) -> bool:
    """Tell whether an object is of a type. One that hides its type behind escapes is found when it is looked at."""
    if kind.encode() not in text:
        return False
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and value.get("type") == kind


class _Batch:
    """Objects on their way into one piece."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether no other object should be added."""
        return len(self.objects) >= PIECE_OBJECTS or self._bytes >= PIECE_BYTES

    def add(self, text: bytes) -> None:
        """Add one object."""
        self.objects.append(text)
        self._bytes += len(text)

    def take(self) -> tuple[bytes, int]:
        """Frame what was added, and begin anew."""
        envelope, count = b'{"objects":[' + b",".join(self.objects) + b"]}", len(self.objects)
        self.objects, self._bytes = [], 0
        return envelope, count
