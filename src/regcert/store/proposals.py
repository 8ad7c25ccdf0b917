"""What waits for a second person: proposals, and who approved them.

A proposal and what comes of it are written under the order lock: of two who approve at the same moment, one is the last.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, and_, bindparam, func, insert, or_, select, update

from regcert.domain.principal import Principal
from regcert.domain.proposal import MOST_REASON_CHARACTERS, OPEN_FOR_US, Approval, Proposal, ProposalKind, ProposalState
from regcert.errors import Code, Refusal
from regcert.store.audit import note_deed
from regcert.store.order import lock_order
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, TeamRow, TokenRow, table
from regcert.store.trust_tables import ApprovalRow, ProposalRow

MOST_OPEN = 50
MOST_A_PAGE = 100

_PROPOSALS = table(ProposalRow)
_APPROVALS = table(ApprovalRow)
_TEAMS = table(TeamRow)
_TOKENS = table(TokenRow)
_COLLECTIONS = table(CollectionRow)
_NOW: Any = bindparam("now", type_=BigInteger)
_ONE = _PROPOSALS.c.proposal_id == bindparam("proposal")
_ALIVE = and_(_PROPOSALS.c.state == "open", _PROPOSALS.c.expires_us > _NOW)

_ADD = Statement(lambda _: insert(_PROPOSALS).values({column.name: bindparam(column.name) for column in _PROPOSALS.columns}))
_COUNT = Statement(
    lambda _: select(func.count()).select_from(_PROPOSALS).where(_PROPOSALS.c.team_id == bindparam("team", type_=Integer), _ALIVE)
)
_WHOLE = (
    select(
        _PROPOSALS.c.proposal_id, _PROPOSALS.c.kind, _PROPOSALS.c.state, _PROPOSALS.c.team_id, _TEAMS.c.slug,
        _PROPOSALS.c.token_id, _TOKENS.c.name, _TOKENS.c.revoked_us, _PROPOSALS.c.collection_id,
        _COLLECTIONS.c.slug.label("collection"), _COLLECTIONS.c.api_root, _PROPOSALS.c.submission_id, _PROPOSALS.c.needs,
        _PROPOSALS.c.reason, _PROPOSALS.c.created_us, _PROPOSALS.c.expires_us,
    )
    .join(_TEAMS, _TEAMS.c.team_id == _PROPOSALS.c.team_id)
    .join(_TOKENS, _TOKENS.c.token_id == _PROPOSALS.c.token_id)
    .outerjoin(_COLLECTIONS, _COLLECTIONS.c.collection_id == _PROPOSALS.c.collection_id)
)  # fmt: skip
_GET = Statement(lambda _: _WHOLE.where(_ONE))
_BODY = Statement(lambda _: select(_PROPOSALS.c.body).where(_ONE))
_SHOWN_TO = or_(
    _PROPOSALS.c.team_id == bindparam("team", type_=Integer),
    and_(bindparam("coordinates", type_=Boolean), _PROPOSALS.c.kind == "key-list"),
)
_BEFORE = or_(
    _PROPOSALS.c.created_us < bindparam("before", type_=BigInteger),
    and_(_PROPOSALS.c.created_us == bindparam("before", type_=BigInteger), _PROPOSALS.c.proposal_id < bindparam("behind")),
)
# What is still open was asked within the week before: the index of times is read no further than that.
_LIST = Statement(
    lambda _: (
        _WHOLE.where(_SHOWN_TO, _ALIVE, _PROPOSALS.c.created_us > bindparam("oldest", type_=BigInteger), _BEFORE)
        .order_by(_PROPOSALS.c.created_us.desc(), _PROPOSALS.c.proposal_id.desc())
        .limit(bindparam("most", type_=Integer))
    )
)
_EXPIRED = Statement(
    lambda _: (
        _WHOLE.where(_PROPOSALS.c.state == "open", _PROPOSALS.c.expires_us <= _NOW)
        .order_by(_PROPOSALS.c.created_us)
        .limit(bindparam("most", type_=Integer))
    )
)
_MOVE = Statement(lambda _: update(_PROPOSALS).where(_ONE).values(state=bindparam("became")))
_EMPTY = Statement(lambda _: update(_PROPOSALS).where(_ONE).values(body=bindparam("left", type_=LargeBinary)))
_READY = Statement(
    lambda _: (
        _WHOLE.where(_PROPOSALS.c.state == "approved", _PROPOSALS.c.created_us > bindparam("oldest", type_=BigInteger))
        .order_by(_PROPOSALS.c.created_us)
        .limit(1)
    )
)
_APPROVE = Statement(lambda _: insert(_APPROVALS).values({column.name: bindparam(column.name) for column in _APPROVALS.columns}))
_APPROVED = Statement(
    lambda _: (
        select(_APPROVALS.c.token_id, _APPROVALS.c.team_id, _TEAMS.c.slug, _TOKENS.c.name, _APPROVALS.c.at_us)
        .join(_TEAMS, _TEAMS.c.team_id == _APPROVALS.c.team_id)
        .join(_TOKENS, _TOKENS.c.token_id == _APPROVALS.c.token_id)
        .where(_APPROVALS.c.proposal_id == bindparam("proposal"))
        .order_by(_APPROVALS.c.at_us, _APPROVALS.c.token_id)
        .limit(100)
    )
)


def open_proposal(
    proposer: Principal,
    kind: ProposalKind,
    *,
    needs: int,
    reason: str,
    body: bytes,
    now_us: int,
    collection_id: int | None = None,
    submission_id: int | None = None,
) -> Program[str]:
    """Keep what somebody asks for until others have agreed, and note that it was asked.

    Args:
        proposer: who asks; it belongs to this principal's team, and this principal never approves it.
        kind: what is asked for.
        needs: how many approvals, at least 1; what needs none is done and not proposed.
        reason: for people, at most 400 characters.
        body: what exactly, as whoever does it will read it.
        now_us: what time it is; it stays open for 7 days.
        collection_id: of a held post, where to.
        submission_id: of a held post, its submission.

    Returns:
        The proposal's id.

    Raises:
        Refusal: SECOND_PERSON_REQUIRED where too many of the team's proposals wait already.
    """
    if needs < 1:
        raise ValueError("a proposal that needs nobody is not proposed but done")
    yield from lock_order()
    waiting = yield _COUNT, {"team": proposer.team.team_id, "now": now_us}
    if waiting[0][0] >= MOST_OPEN:
        raise Refusal(
            Code.SECOND_PERSON_REQUIRED,
            f"{MOST_OPEN} proposals of your team wait already; have a second person approve, refuse or withdraw some first",
        )
    proposal_id = str(uuid.uuid4())
    yield (
        _ADD,
        {
            "proposal_id": proposal_id,
            "kind": kind.value,
            "state": ProposalState.OPEN.value,
            "team_id": proposer.team.team_id,
            "token_id": proposer.token_id,
            "collection_id": collection_id,
            "submission_id": submission_id,
            "needs": needs,
            "reason": reason[:MOST_REASON_CHARACTERS],
            "created_us": now_us,
            "expires_us": now_us + OPEN_FOR_US,
            "body": body,
        },
    )
    yield from note_deed(proposer, now_us, "propose", f"{kind.value} {proposal_id}")
    return proposal_id


def find_proposal(proposal_id: str) -> Program[Proposal | None]:
    """Find a proposal, whoever may see it."""
    rows = yield _GET, {"proposal": proposal_id}
    return _read(rows[0]) if rows else None


def read_body(proposal_id: str) -> Program[bytes]:
    """Read what exactly was proposed; empty once it is closed, or where there is no such proposal."""
    rows = yield _BODY, {"proposal": proposal_id}
    return bytes(rows[0][0]) if rows else b""


def list_open(
    team_id: int, *, coordinates: bool, now_us: int, most: int, behind: tuple[int, str] | None
) -> Program[list[Proposal]]:
    """List what waits, the newest first.

    Args:
        team_id: whose own proposals to list.
        coordinates: whether those that coordinators of any team decide are listed, too.
        now_us: what time it is; what has expired waits no longer.
        most: at most this many.
        behind: when the last one of the page before was asked, and its id.
    """
    before, last = behind or (now_us + OPEN_FOR_US, "")
    asked = {
        "team": team_id, "coordinates": coordinates, "now": now_us, "most": most, "oldest": now_us - OPEN_FOR_US,
        "before": before, "behind": last,
    }  # fmt: skip
    rows = yield _LIST, asked
    return [_read(row) for row in rows]


def list_expired(now_us: int, most: int) -> Program[list[Proposal]]:
    """List what nobody can approve any more and is not closed yet."""
    rows = yield _EXPIRED, {"now": now_us, "most": most}
    return [_read(row) for row in rows]


def list_approvals(proposal_id: str) -> Program[list[Approval]]:
    """List who approved a proposal, in the order in which they did."""
    rows = yield _APPROVED, {"proposal": proposal_id}
    return [Approval(*row) for row in rows]


def add_approval(proposal_id: str, approver: Principal, now_us: int) -> Program[None]:
    """Enter that somebody approved; whether they may was decided under the same order lock."""
    row = {
        "proposal_id": proposal_id, "token_id": approver.token_id, "team_id": approver.team.team_id, "at_us": now_us,
    }  # fmt: skip
    yield _APPROVE, row


def move_proposal(proposal_id: str, became: ProposalState) -> Program[None]:
    """Note what became of a proposal; one that is closed lets go of what it held, because nobody asks for that again."""
    yield _MOVE, {"proposal": proposal_id, "became": became.value}
    if became not in {ProposalState.OPEN, ProposalState.APPROVED}:
        yield _EMPTY, {"proposal": proposal_id, "left": b""}


def find_approved(now_us: int) -> Program[Proposal | None]:
    """Find the oldest proposal on which everybody agreed and that nobody has done yet."""
    rows = yield _READY, {"oldest": now_us - 2 * OPEN_FOR_US}
    return _read(rows[0]) if rows else None


def _read(row: Sequence[Any]) -> Proposal:
    proposal_id, kind, state, team_id, team, token_id, token, revoked_us, *rest = row
    return Proposal(
        proposal_id, ProposalKind(kind), ProposalState(state), team_id, team, token_id, token, revoked_us is not None, *rest
    )
