"""Take a witness's cosignature of a checkpoint of this host, and hand it out with that checkpoint from then on."""

from dataclasses import dataclass

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.domain.verifier_key import VerifierKey, read_verifier_key
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.signing.note import Note, Signature, read_cosignature, read_note
from regcert.store.checkpoints import Cosigned, add_line, find_checkpoint, find_lines, list_lines, list_witnesses, renew_line
from regcert.store.database import Database
from regcert.store.programs import Program
from regcert.translog.checkpoint import read_checkpoint

# What a witness says again of the same checkpoint is kept where it is so much newer: it tells a quiet log from a frozen one.
RENEW_S = 60


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What a witness said, verified.

    Args:
        size: of the checkpoint.
        verifier: the witness's key.
        line: the signature line, without its end.
        time_s: when, by the witness's clock.
    """

    size: int
    verifier: VerifierKey
    line: bytes
    time_s: int


async def take_cosignature(database: Database, clock: Clock, principal: Principal, body: bytes) -> bool:
    """Take a note with one cosignature; who brings it does not matter, since it speaks for itself.

    1. The text must be that of a checkpoint which this host published and still keeps, byte for byte.
    2. Besides this host's own line and those that are kept already, which a witness may leave under what it fetched, there must
       be exactly one, of a registered witness, and good.
    3. It is kept. The first of a witness stays, because it tells since when the entries were there; a later one stands beside
       it until a newer comes. The same again changes nothing.

    Args:
        database: where checkpoints and witnesses are.
        clock: what time it is.
        principal: who brings it.
        body: the note, bounded.

    Returns:
        Whether it was new.

    Raises:
        Refusal: FORBIDDEN, INVALID_CHECKPOINT, INVALID_COSIGNATURE.
    """
    require(principal, Permission.READ)
    note = read_note(body)
    size = read_checkpoint(note.text).size
    published = await database.run(find_checkpoint(size))
    own = None if published is None else read_note(published.note)
    if own is None or own.text != note.text:  # 1
        raise Refusal(
            Code.INVALID_CHECKPOINT, "this is no checkpoint of this log, or one that is no longer kept; fetch the newest"
        )
    known = await database.run(_list_known(size))
    brought = [line for line in note.signatures if line not in own.signatures and _write(line) not in known]
    if not brought and len(note.signatures) > len(own.signatures):
        return False
    if len(brought) != 1:
        raise Refusal(Code.INVALID_COSIGNATURE, "send the checkpoint with exactly one cosignature; each witness sends its own")
    verifier = await _find_verifier(database, brought[0])
    time_s = read_cosignature(Note(note.text, (brought[0],)), verifier)  # 2
    spoken = _Spoken(size, verifier, _write(brought[0]), time_s)
    at_us = clock.now_us()
    return await database.apply(lambda _: _keep(spoken, note.text, at_us))  # 3


async def _find_verifier(database: Database, line: Signature) -> VerifierKey:
    for witness in await database.run(list_witnesses()):
        verifier = read_verifier_key(witness.verifier)
        if (verifier.name, verifier.key_hash) == (line.name, line.key_hash):
            return verifier
    raise Refusal(Code.INVALID_COSIGNATURE, "no witness of this host has that name and key; ask the operator to enter it")


def _list_known(size: int) -> Program[frozenset[bytes]]:
    lines = yield from list_lines(size)
    return frozenset(line for one in lines for line in (one.first, one.last))


def _write(line: Signature) -> bytes:
    return line.line.encode().rstrip(b"\n")


def _keep(spoken: _Spoken, text: str, at_us: int) -> Program[bool]:
    name = spoken.verifier.name
    before = yield from find_lines(spoken.size, name)
    if before is None:
        yield from add_line(spoken.size, name, spoken.line, at_us)
        return True
    if spoken.time_s < _time_of(before, text, spoken.verifier) + RENEW_S:
        return False
    yield from renew_line(spoken.size, before, spoken.line)
    return True


def _time_of(cosigned: Cosigned, text: str, verifier: VerifierKey) -> int:
    """Read when a witness last spoke of a checkpoint; what it said under a key that is no longer its own counts as never."""
    try:
        return read_cosignature(read_note(f"{text}\n{cosigned.last.decode()}\n".encode()), verifier)
    except Refusal:
        return -RENEW_S
