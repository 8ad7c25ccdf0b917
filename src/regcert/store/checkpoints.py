"""Checkpoints that this host published, the witnesses it knows, and what those said of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Integer, bindparam, delete, exists, func, insert, literal_column, select, update

from regcert.errors import Code, Refusal
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import TeamRow, table
from regcert.store.trust_tables import CheckpointRow, CosignatureRow, WitnessRow

# Each has up to two lines under a checkpoint, which has 64 at most, one of them the log's own.
MOST_WITNESSES = 31
# Among so many of the newest checkpoints that anybody cosigned, those with the most cosignatures are looked for.
_RECENT = 64

_CHECKPOINTS = table(CheckpointRow)
_COSIGNATURES = table(CosignatureRow)
_WITNESSES = table(WitnessRow)
_TEAMS = table(TeamRow)


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint as it was published.

    Args:
        size: how many entries it is of.
        note: its text and this host's signature.
        at_us: when.
    """

    size: int
    note: bytes
    at_us: int


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness whose cosignatures this host takes.

    Args:
        name: of its key.
        verifier: the key, in the form of signed notes.
        team: slug of the team that runs it, or None.
    """

    name: str
    verifier: str
    team: str | None


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What one witness said of one checkpoint.

    Args:
        name: of the witness.
        first: its first line, which tells since when the entries were there.
        last: its last line, which tells that the log had not moved on by then; the same where it spoke once.
    """

    name: str
    first: bytes
    last: bytes


_SIZE: BigInteger = BigInteger()
_ADD = Insert(_CHECKPOINTS, keep=True)
_NEWEST = Statement(lambda _: select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.size.desc()).limit(1))
_AT = Statement(lambda _: select(_CHECKPOINTS).where(_CHECKPOINTS.c.size == bindparam("at", type_=_SIZE)))
_FIRST_FROM = Statement(
    lambda _: (
        select(_CHECKPOINTS)
        .where(_CHECKPOINTS.c.size >= bindparam("at", type_=_SIZE))
        .order_by(_CHECKPOINTS.c.size)
        .limit(bindparam("most", type_=Integer))
    )
)
_COUNTED = select(_COSIGNATURES.c.size, func.count().label("lines")).where(_COSIGNATURES.c.size >= bindparam("at", type_=_SIZE))
_NEWEST_COSIGNED = Statement(
    lambda _: (
        _COUNTED.group_by(_COSIGNATURES.c.size).order_by(_COSIGNATURES.c.size.desc()).limit(literal_column(str(_RECENT), Integer))
    )
)
_FIRST_COSIGNED = Statement(
    lambda _: _COUNTED.group_by(_COSIGNATURES.c.size).order_by(_COSIGNATURES.c.size).limit(literal_column(str(_RECENT), Integer))
)
_LINES = Statement(
    lambda _: (
        select(_COSIGNATURES.c.name, _COSIGNATURES.c.line)
        .where(_COSIGNATURES.c.size == bindparam("at", type_=_SIZE))
        .order_by(_COSIGNATURES.c.at_us, _COSIGNATURES.c.name)
        .limit(literal_column(str(MOST_WITNESSES), Integer))
    )
)
_LINE = Statement(
    lambda _: select(_COSIGNATURES.c.line).where(
        _COSIGNATURES.c.size == bindparam("at", type_=_SIZE), _COSIGNATURES.c.name == bindparam("called")
    )
)
_ADD_LINE = Insert(_COSIGNATURES)
_RENEW = Statement(
    lambda _: (
        update(_COSIGNATURES)
        .where(_COSIGNATURES.c.size == bindparam("at", type_=_SIZE), _COSIGNATURES.c.name == bindparam("called"))
        .values(line=bindparam("lines"))
    )
)
_OLD = Statement(
    lambda _: (
        select(
            _CHECKPOINTS.c.size,
            exists().where(_COSIGNATURES.c.size == _CHECKPOINTS.c.size).label("witnessed"),
        )
        .where(
            _CHECKPOINTS.c.size > bindparam("behind", type_=_SIZE),
            _CHECKPOINTS.c.at_us < bindparam("before", type_=BigInteger),
            _CHECKPOINTS.c.size < select(func.max(_CHECKPOINTS.alias("newest").c.size)).scalar_subquery(),
        )
        .order_by(_CHECKPOINTS.c.size)
        .limit(bindparam("most", type_=Integer))
    )
)
_FORGET = Statement(lambda _: delete(_CHECKPOINTS).where(_CHECKPOINTS.c.size == bindparam("at", type_=_SIZE)))
_LIST_WITNESSES = Statement(
    lambda _: (
        select(_WITNESSES.c.name, _WITNESSES.c.verifier, _TEAMS.c.slug)
        .outerjoin(_TEAMS, _TEAMS.c.team_id == _WITNESSES.c.team_id)
        .order_by(_WITNESSES.c.name)
        .limit(literal_column(str(MOST_WITNESSES), Integer))
    )
)
_ADD_WITNESS = Statement(
    lambda _: insert(_WITNESSES).values(
        name=bindparam("name"), verifier=bindparam("verifier"), team_id=bindparam("team_id", type_=Integer)
    )
)
_REMOVE_WITNESS = Statement(lambda _: delete(_WITNESSES).where(_WITNESSES.c.name == bindparam("called")))


def add_checkpoint(checkpoint: Published) -> Program[None]:
    """Publish a checkpoint; one that is published already stays as it is."""
    yield _ADD, [(checkpoint.size, checkpoint.note, checkpoint.at_us)]


def find_newest() -> Program[Published | None]:
    """Find the newest checkpoint."""
    rows = yield _NEWEST, {}
    return _read(rows[0]) if rows else None


def find_checkpoint(size: int) -> Program[Published | None]:
    """Find the checkpoint of a size, if one was published and is still kept."""
    rows = yield _AT, {"at": size}
    return _read(rows[0]) if rows else None


def list_checkpoints(size: int, most: int) -> Program[list[Published]]:
    """List checkpoints of at least a size, the smallest first."""
    rows = yield _FIRST_FROM, {"at": size, "most": most}
    return [_read(row) for row in rows]


def find_witnessed(size: int = 0, quorum: int = 0) -> Program[Published | None]:
    """Find the newest checkpoint, of at least a size, that enough witnesses cosigned.

    Args:
        size: how many entries it must include.
        quorum: how many cosignatures; 0 for as many as any of the 64 newest cosigned checkpoints has.
    """
    counted = yield _NEWEST_COSIGNED, {"at": size}
    wanted = quorum or max((lines for _, lines in counted), default=0)
    found = next((cosigned for cosigned, lines in counted if lines >= wanted), None)
    return None if found is None else (yield from find_checkpoint(found))


def list_first_witnessed(size: int) -> Program[list[Published]]:
    """List, for each number of cosignatures, the first checkpoint of at least a size that has so many.

    By these a reader knows since when an entry was there, whatever quorum they ask for.
    """
    counted = yield _FIRST_COSIGNED, {"at": size}
    found: list[Published] = []
    most = 0
    for cosigned, lines in counted:
        if lines > most:
            most = lines
            checkpoint = yield from find_checkpoint(cosigned)
            found += [checkpoint] if checkpoint else []
    return found


def list_lines(size: int) -> Program[list[Cosigned]]:
    """List what witnesses said of the checkpoint of a size, in the order in which they came."""
    rows = yield _LINES, {"at": size}
    return [_read_lines(name, line) for name, line in rows]


def find_lines(size: int, name: str) -> Program[Cosigned | None]:
    """Find what one witness said of the checkpoint of a size."""
    rows = yield _LINE, {"at": size, "called": name}
    return _read_lines(name, rows[0][0]) if rows else None


def add_line(size: int, name: str, line: bytes, at_us: int) -> Program[None]:
    """Keep the first thing that a witness said of a checkpoint."""
    yield _ADD_LINE, [(size, name, line, at_us)]


def renew_line(size: int, cosigned: Cosigned, line: bytes) -> Program[None]:
    """Keep the last thing that a witness said of a checkpoint, beside the first."""
    yield _RENEW, {"at": size, "called": cosigned.name, "lines": cosigned.first + b"\n" + line}


def forget_checkpoints(behind: int, before_us: int, most: int) -> Program[int]:
    """Forget checkpoints that no witness cosigned; never the newest.

    Args:
        behind: the size up to which this was done before.
        before_us: only those that were published before this.
        most: how many to look at.

    Returns:
        The size up to which it is done now.
    """
    rows = yield _OLD, {"behind": behind, "before": before_us, "most": most}
    for size, witnessed in rows:
        if not witnessed:
            yield _FORGET, {"at": size}
    return int(rows[-1][0]) if rows else behind


def list_witnesses() -> Program[list[Witness]]:
    """List the witnesses by their names."""
    rows = yield _LIST_WITNESSES, {}
    return [Witness(*row) for row in rows]


def add_witness(name: str, verifier: str, team_id: int | None) -> Program[None]:
    """Take a witness's cosignatures from now on.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    known: Sequence[Witness] = yield from list_witnesses()
    if len(known) >= MOST_WITNESSES:
        raise Refusal(Code.ALREADY_EXISTS, f"this host has {MOST_WITNESSES} witnesses already; remove one first")
    if any(witness.name == name for witness in known):
        raise Refusal(Code.ALREADY_EXISTS, "a witness of that name is here already; remove it first")
    yield _ADD_WITNESS, {"name": name, "verifier": verifier, "team_id": team_id}


def remove_witness(name: str) -> Program[bool]:
    """Take no more cosignatures of a witness; what it said stays. Tell whether it was there."""
    known = yield from list_witnesses()
    yield _REMOVE_WITNESS, {"called": name}
    return any(witness.name == name for witness in known)


def _read_lines(name: str, lines: bytes) -> Cosigned:
    first, _, last = bytes(lines).partition(b"\n")
    return Cosigned(name, first, last or first)


def _read(row: Sequence[object]) -> Published:
    size, note, at_us = row
    return Published(int(size), bytes(note), int(at_us))  # type: ignore[call-overload]
