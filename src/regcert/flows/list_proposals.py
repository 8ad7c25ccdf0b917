"""Show what waits for a second person, to those whom it concerns."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from regcert.domain.key_list import KeyList
from regcert.domain.principal import Principal
from regcert.domain.proposal import Approval, Proposal, ProposalKind, ProposalState
from regcert.errors import Code, Refusal
from regcert.flows.hold import Listed, read_held
from regcert.flows.record_reading import note_reading
from regcert.policy.facts import Thing
from regcert.policy.permissions import Permission, may, require
from regcert.policy.second_person import may_see, require_approver, require_open, require_other, require_withdrawer
from regcert.signing.dsse import read_envelope
from regcert.signing.key_list import read_key_list
from regcert.stix.tlp import Tlp
from regcert.store.database import Database
from regcert.store.programs import Program
from regcert.store.proposals import MOST_A_PAGE, find_proposal, list_approvals, list_open, read_body

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_CURSOR = re.compile(rf"([0-9]{{1,18}})\.({_ID.pattern})", re.ASCII)
_ANY_OTHER = Thing(team_id=-1, token_id=-1)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what waits, the newest first, and where the list goes on."""

    proposals: tuple[Proposal, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class PostFacts:
    """What a held post holds.

    Args:
        status_uuid: of its TAXII status.
        total: how many objects would be published.
        refused: how many of the same post are refused in any case.
        types: how many of each type, among those listed.
        markings: how many of each marking, the strictest first, among those listed.
        withdrawn: how many are revoked, among those listed.
        listed: up to 500 of them, the strictest first.
    """

    status_uuid: str
    total: int
    refused: int
    types: Mapping[str, int]
    markings: Mapping[Tlp, int]
    withdrawn: int
    listed: Sequence[Listed]


@dataclass(frozen=True, slots=True)
class Facts:
    """One proposal, with all that somebody needs who shall decide.

    Args:
        proposal: what is asked, by whom.
        approvals: who has agreed.
        may: what the one who looks may do: `approve`, `refuse`, `withdraw`.
        post: what a held post holds; None for another kind, and once it is closed.
        key_list: the key list; likewise.
    """

    proposal: Proposal
    approvals: Sequence[Approval]
    may: frozenset[str]
    post: PostFacts | None
    key_list: KeyList | None


async def page_proposals(database: Database, principal: Principal, now_us: int, *, limit: int, cursor: str | None) -> Page:
    """List what waits and concerns somebody: their team's own, and for coordinators the key lists of others.

    Args:
        database: where from.
        principal: who looks.
        now_us: what time it is.
        limit: at most this many, 1 to 100.
        cursor: what the last page gave, or None to begin.

    Raises:
        Refusal: FORBIDDEN; MALFORMED_REQUEST for a cursor that is none.
    """
    require(principal, Permission.SEE_PROPOSALS)
    behind = None if cursor is None else _read_cursor(cursor)
    limit = min(limit, MOST_A_PAGE)
    coordinates = may(principal, Permission.APPROVE_KEY_LIST, _ANY_OTHER)
    found = await database.run(
        list_open(principal.team.team_id, coordinates=coordinates, now_us=now_us, most=limit + 1, behind=behind)
    )
    following = f"{found[limit - 1].created_us}.{found[limit - 1].proposal_id}" if len(found) > limit else None
    return Page(tuple(one for one in found[:limit] if may_see(principal, one)), following)


async def get_proposal(database: Database, principal: Principal, now_us: int, proposal_id: str) -> Facts:
    """Get one proposal with its facts; that somebody was shown strictly marked objects is written down first.

    Raises:
        Refusal: NOT_FOUND where it does not exist for the principal.
    """

    def read() -> Program[tuple[Proposal, list[Approval], bytes]]:
        proposal = yield from get_visible(principal, proposal_id)
        return proposal, (yield from list_approvals(proposal_id)), (yield from read_body(proposal_id))

    proposal, approvals, body = await database.run(read())
    post = _read_post(body) if body and proposal.kind is ProposalKind.POST else None
    if post is not None and max(post.markings, default=Tlp.CLEAR) >= Tlp.AMBER_STRICT:
        await note_reading(database, principal, f"{proposal.collection} proposal {proposal_id}")
    key_list = read_key_list(read_envelope(orjson.loads(body))) if body and post is None else None
    return Facts(proposal, approvals, _may(principal, proposal, approvals, now_us), post, key_list)


def get_visible(principal: Principal, proposal_id: str) -> Program[Proposal]:
    """Get a proposal that exists for somebody.

    Raises:
        Refusal: NOT_FOUND.
    """
    # What is no id is not looked up: PostgreSQL takes no NUL, and no text that is not UTF-8.
    proposal = (yield from find_proposal(proposal_id)) if _ID.fullmatch(proposal_id) else None
    if proposal is None or not may_see(principal, proposal):
        raise Refusal(Code.NOT_FOUND, "there is no such proposal")
    return proposal


def state_of(proposal: Proposal, now_us: int) -> str:
    """Say what became of a proposal, in a word; one that nobody closed yet may have expired."""
    is_over = proposal.state is ProposalState.OPEN and proposal.expires_us <= now_us
    return "expired" if is_over else proposal.state.value


def _may(principal: Principal, proposal: Proposal, approvals: Sequence[Approval], now_us: int) -> frozenset[str]:
    """Try each thing without doing it: what is shown as possible is decided where it is done."""

    def refuses() -> None:
        require_open(proposal, now_us)
        require_other(principal, proposal)

    tries: Mapping[str, Callable[[], None]] = {
        "approve": lambda: require_approver(principal, proposal, approvals, now_us),
        "refuse": refuses,
        "withdraw": lambda: require_withdrawer(principal, proposal, now_us),
    }
    allowed = set()
    for name, attempt in tries.items():
        try:
            attempt()
        except Refusal:
            continue
        allowed.add(name)
    return frozenset(allowed)


def _read_post(body: bytes) -> PostFacts:
    held = read_held(body)
    markings = Counter(Tlp(one.marking) for one in held.listed)
    return PostFacts(
        status_uuid=held.status_uuid,
        total=len(held.objects),
        refused=held.refused,
        types=dict(Counter(one.type for one in held.listed).most_common()),
        markings={step: markings[step] for step in sorted(markings, reverse=True)},
        withdrawn=sum(one.revoked for one in held.listed),
        listed=held.listed,
    )


def _read_cursor(text: str) -> tuple[int, str]:
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Refusal(Code.MALFORMED_REQUEST, "'next' is not from a page of this list; begin again without it")
    return int(match[1]), match[2]
