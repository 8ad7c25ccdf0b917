"""Show blind matches to the teams that hold the value, and to the coordinators who forward what was asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from regcert.domain.blind_match import Seen, Step
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.blind_matching import possible_deeds
from regcert.policy.permissions import Permission, may, require
from regcert.store.blind_comparing import Tried, list_tries
from regcert.store.blind_matches import list_asked, list_scopes_of, list_steps, list_told, load_matches
from regcert.store.database import Database
from regcert.store.programs import Program

MOST_A_PAGE = 100

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_CURSOR = re.compile(rf"([0-9]{{1,18}})\.({_ID.pattern})", re.ASCII)
_NEWEST = (2**62, "")


@dataclass(frozen=True, slots=True)
class Page:
    """Some blind matches, the newest first.

    Args:
        matches: each as the one who asks sees it, with the steps that they may take.
        next: where the list goes on, or None.
        tried: for coordinators who forward, how much each team had compared; for others empty.
    """

    matches: tuple[tuple[Seen, frozenset[str]], ...]
    next: str | None
    tried: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class Facts:
    """One blind match with its dialogue, as far as it may be shown."""

    seen: Seen
    may: frozenset[str]
    steps: tuple[Step, ...]


async def page_blind_matches(
    database: Database, principal: Principal, now_us: int, *, limit: int, cursor: str | None = None
) -> Page:
    """List the blind matches that a team was told of; for coordinators who forward, those that somebody asked about.

    Args:
        database: where from.
        principal: who looks.
        now_us: what time it is.
        limit: at most this many, 1 to 100.
        cursor: what the last page gave, or None to begin.

    Raises:
        Refusal: FORBIDDEN; MALFORMED_REQUEST for a cursor that is none.
    """
    require(principal, Permission.SEE_BLIND_MATCHES)
    before = _NEWEST if cursor is None else _read_cursor(cursor)
    brokers = may(principal, Permission.BROKER_BLIND_MATCH)

    def read() -> Program[Page]:
        scopes = yield from list_scopes_of(principal)
        if brokers:
            listed = yield from list_asked(before, limit + 1)
        else:
            team_id = principal.team.team_id
            listed = yield from list_told(team_id, scopes, now_us=now_us, before=before, most=limit + 1)
        found = yield from load_matches({one for _, one in listed[:limit]})
        seen = [
            Seen(found[one], found[one].own(principal.team.team_id, scopes, now_us), brokers, now_us) for _, one in listed[:limit]
        ]
        tried = (yield from list_tries(now_us)) if brokers else ()
        following = "{}.{}".format(*listed[limit - 1]) if len(listed) > limit else None
        return Page(tuple((one, possible_deeds(principal, one)) for one in seen), following, tried)

    return await database.run(read())


async def get_blind_match(database: Database, principal: Principal, now_us: int, match_id: str) -> Facts:
    """Get one blind match with what may be shown of its dialogue.

    Raises:
        Refusal: NOT_FOUND where it does not exist for the principal.
    """

    def read() -> Program[Facts]:
        seen = yield from get_seen(principal, match_id, now_us)
        steps = tuple(step for step in (yield from list_steps(match_id)) if seen.may_read(step))
        return Facts(seen, possible_deeds(principal, seen), steps)

    return await database.run(read())


def get_seen(principal: Principal, match_id: str, now_us: int) -> Program[Seen]:
    """Get a blind match that exists for somebody: of their own team, in a circle that they see, told; or asked, to forward.

    Raises:
        Refusal: NOT_FOUND.
    """
    # What is no id is not looked up: PostgreSQL takes no NUL, and no text that is not UTF-8.
    if _ID.fullmatch(match_id) and may(principal, Permission.SEE_BLIND_MATCHES):
        match = (yield from load_matches({match_id})).get(match_id)
        if match is not None:
            mine = match.own(principal.team.team_id, (yield from list_scopes_of(principal)), now_us)
            brokers = bool(match.asked_us) and may(principal, Permission.BROKER_BLIND_MATCH)
            if mine or brokers:
                return Seen(match, mine, brokers, now_us)
    raise Refusal(Code.NOT_FOUND, "there is no such blind match")


def _read_cursor(text: str) -> tuple[int, str]:
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Refusal(Code.MALFORMED_REQUEST, "'next' is not from a page of this list; begin again without it")
    return int(match[1]), match[2]
