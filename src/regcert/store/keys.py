"""The keys of teams: what they have to sign to prove that they hold one, and their lists, version by version.

A list is kept as the envelope that its root key signed, and the newest version is in force. Whoever enters one holds the order
lock by then, so two cannot both be the next.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

import orjson
from sqlalchemy import BigInteger, Integer, LargeBinary, bindparam, delete, func, insert, select, update

from regcert.domain.key_list import KeyList
from regcert.domain.team import Team
from regcert.errors import Code, Refusal
from regcert.signing.dsse import read_envelope
from regcert.signing.key_list import read_key_list
from regcert.store.many import insert_into
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import HostFact, HostOrder, TeamRow, table
from regcert.store.teams import read_team
from regcert.store.trust_tables import ChallengeRow, KeyListRow

MOST_CHALLENGES = 8
MOST_VERSIONS = 100
_MOST_TEAMS = 10_000
_SUSPENDED = "suspended_teams"

_CHALLENGES = table(ChallengeRow)
_LISTS = table(KeyListRow)
_TEAMS = table(TeamRow)
_FACTS = table(HostFact)
_ORDER = table(HostOrder)


@dataclass(frozen=True, slots=True)
class EnteredList:
    """One version of a team's key list, as it stands in the log.

    Args:
        version: from 1.
        envelope: the DSSE envelope that was signed, as JSON.
        entered_us: when this host entered it, by its own clock.
        leaf_index: its place in the log.
    """

    version: int
    envelope: bytes
    entered_us: int
    leaf_index: int


_HIS = _CHALLENGES.c.token_id == bindparam("token", type_=Integer)
_FORGET_OLD = Statement(lambda _: delete(_CHALLENGES).where(_CHALLENGES.c.expires_us <= bindparam("now", type_=BigInteger)))
_OPEN = Statement(
    lambda _: (
        select(_CHALLENGES.c.challenge)
        .where(_HIS)
        .order_by(_CHALLENGES.c.expires_us.desc(), _CHALLENGES.c.challenge)
        .limit(2 * MOST_CHALLENGES)
    )
)
_FORGET = Statement(lambda _: delete(_CHALLENGES).where(_CHALLENGES.c.challenge == bindparam("challenge", type_=LargeBinary)))
_CHALLENGE = Insert(_CHALLENGES)
_TAKE = Statement(
    lambda _: (
        delete(_CHALLENGES)
        .where(_HIS, _CHALLENGES.c.challenge == bindparam("challenge", type_=LargeBinary))
        .returning(_CHALLENGES.c.expires_us)
    )
)
_OF = _LISTS.c.team_id == bindparam("team", type_=Integer)
_NEWEST = Statement(lambda _: select(_LISTS.c.envelope).where(_OF).order_by(_LISTS.c.version.desc()).limit(1))
_VERSIONS = Statement(
    lambda _: (
        select(_LISTS.c.version, _LISTS.c.envelope, _LISTS.c.entered_us, _LISTS.c.leaf_index)
        .where(_OF, _LISTS.c.version > bindparam("after", type_=Integer))
        .order_by(_LISTS.c.version)
        .limit(bindparam("most", type_=Integer))
    )
)
# The newest of each team, by the index: however many versions a team has made.
_EARLIER = _LISTS.alias("earlier")
_LAST = select(func.max(_EARLIER.c.version)).where(_EARLIER.c.team_id == _TEAMS.c.team_id).scalar_subquery()
_ALL_NEWEST = Statement(
    lambda _: (
        select(_LISTS.c.team_id, _LISTS.c.envelope)
        .join_from(_TEAMS, _LISTS, (_LISTS.c.team_id == _TEAMS.c.team_id) & (_LISTS.c.version == _LAST))
        .limit(_MOST_TEAMS)
    )
)
_ENTER = Statement(lambda _: insert(_LISTS).values({column.name: bindparam(column.name) for column in _LISTS.columns}))
_TEAM = Statement(lambda _: select(_TEAMS).where(_TEAMS.c.team_id == bindparam("team", type_=Integer)))
_TOUCH = Statement(lambda _: update(_ORDER).where(_ORDER.c.order_id == 1).values(rights=_ORDER.c.rights + 1))
_FACT = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == bindparam("fact")))


def _keep_fact(dialect: str) -> object:
    statement = insert_into(dialect, _FACTS).values(name=bindparam("name"), value=bindparam("value"))
    return statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})


_KEEP_FACT = Statement(_keep_fact)  # type: ignore[arg-type]


def touch_rights() -> Program[None]:
    """Say that key lists change with this transaction, and hold the order lock from here to its commit."""
    yield _TOUCH, {}


def add_challenge(challenge: bytes, token_id: int, now_us: int, expires_us: int) -> Program[None]:
    """Keep what a token was given to sign.

    Of more than eight that one token has open, the oldest are forgotten: nobody is locked out, and nothing grows.

    Args:
        challenge: 32 random bytes.
        token_id: who has to bring it back.
        now_us: the present; what has expired goes.
        expires_us: from when on it is worth nothing.
    """
    yield _FORGET_OLD, {"now": now_us}
    open_ones = yield _OPEN, {"token": token_id}
    for (old,) in open_ones[MOST_CHALLENGES - 1 :]:
        yield _FORGET, {"challenge": bytes(old)}
    yield _CHALLENGE, [(challenge, token_id, expires_us)]


def take_challenge(challenge: bytes, token_id: int, now_us: int) -> Program[bool]:
    """Take a challenge back, once; False where this token was not given it, has used it, or came too late."""
    rows = yield _TAKE, {"token": token_id, "challenge": challenge}
    return bool(rows) and int(rows[0][0]) > now_us


def get_team(team_id: int) -> Program[Team]:
    """Get a team by its key."""
    rows = yield _TEAM, {"team": team_id}
    return read_team(dict(zip(_TEAMS.c.keys(), rows[0], strict=True)))


def find_key_list(team_id: int) -> Program[KeyList | None]:
    """Find the key list of a team that is in force: the newest."""
    rows = yield _NEWEST, {"team": team_id}
    return _read(rows[0][0]) if rows else None


def list_key_lists(team_id: int, after: int = 0, most: int = MOST_VERSIONS) -> Program[list[EnteredList]]:
    """List the versions of a team's key list, oldest first.

    Args:
        team_id: whose.
        after: only versions behind this one.
        most: how many at most.
    """
    rows = yield _VERSIONS, {"team": team_id, "after": after, "most": most}
    return [EnteredList(int(row[0]), bytes(row[1]), int(row[2]), int(row[3])) for row in rows]


def list_newest() -> Program[dict[int, KeyList]]:
    """List the key list in force of every team that has one, by the team's key."""
    rows = yield _ALL_NEWEST, {}
    return {int(team_id): _read(envelope) for team_id, envelope in rows}


def add_key_list(team_id: int, key_list: KeyList, envelope: bytes, leaf_index: int, now_us: int) -> Program[None]:
    """Put a key list in force.

    The caller has touched the rights in the same transaction, and found that it is the successor of the newest.

    Args:
        team_id: whose.
        key_list: what the envelope says.
        envelope: the DSSE envelope, as JSON.
        leaf_index: its place in the log.
        now_us: the present.

    Raises:
        Refusal: KEY_LIST_CONFLICT.
    """
    newest = yield from find_key_list(team_id)
    if key_list.version != (newest.version if newest else 0) + 1:
        raise Refusal(Code.KEY_LIST_CONFLICT, "another key list was entered meanwhile; fetch the newest and make its successor")
    row = {
        "team_id": team_id, "version": key_list.version, "digest": key_list.digest, "envelope": envelope,
        "entered_us": now_us, "leaf_index": leaf_index,
    }  # fmt: skip
    yield _ENTER, row


def is_suspended(team_id: int) -> Program[bool]:
    """Tell whether the operator has stopped a team's publishing; whoever takes a signed publication asks this first.

    It stops new posts only: no verdict on what was signed changes, because that is not the host's to decide.
    """
    return team_id in (yield from _list_suspended())


def set_suspended(team_id: int, *, suspended: bool) -> Program[bool]:
    """Stop a team's publishing, or let it go on; returns whether that changed anything."""
    yield from touch_rights()
    stopped = yield from _list_suspended()
    if (team_id in stopped) is suspended:
        return False
    left = stopped | {team_id} if suspended else stopped - {team_id}
    yield _KEEP_FACT, {"name": _SUSPENDED, "value": json.dumps(sorted(left))}
    return True


def _list_suspended() -> Program[frozenset[int]]:
    rows = yield _FACT, {"fact": _SUSPENDED}
    return frozenset(json.loads(rows[0][0])) if rows else frozenset()


@lru_cache(maxsize=256)
def _read(envelope: bytes) -> KeyList:
    """Read a list; to check its signature again for each publication would cost as much as the publication's own."""
    return read_key_list(read_envelope(orjson.loads(envelope)))
