"""The audit trail: who did what, when; never what it said. Each row is bound to the one before it.

A row's link is the SHA-256 of the link before it and of the row itself, so that no row can be changed, taken out, put in or
moved without every later link telling it. Writers come one after the other on both databases (`store/database.py`), so the row
that is last when we look is the one before ours. Rows older than the chain have no link; the first one that has begins it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Integer, String, bindparam, insert, or_, select

from regcert.domain.principal import Principal
from regcert.stix.canonical import canonical_bytes
from regcert.store.database import Tx
from regcert.store.many import insert_into
from regcert.store.programs import Program, Statement
from regcert.store.tables import HostFact, TeamRow, TokenRow, table
from regcert.store.trust_tables import AuditRow

FIRST_LINK = bytes(32)

_COLUMNS = ("audit_id", "at_us", "token_id", "team_id", "action", "subject", "chain")
_COMMITTED = "audit_committed"

_AUDIT = table(AuditRow)
_TEAMS = table(TeamRow)
_TOKENS = table(TokenRow)
_FACTS = table(HostFact)
_LAST = Statement(lambda _: select(_AUDIT.c.audit_id, _AUDIT.c.chain).order_by(_AUDIT.c.audit_id.desc()).limit(1))
_ROWS = Statement(
    lambda _: (
        select(*(_AUDIT.c[name] for name in _COLUMNS))
        .where(_AUDIT.c.audit_id > bindparam("after", type_=BigInteger))
        .order_by(_AUDIT.c.audit_id)
        .limit(bindparam("most", type_=Integer))
    )
)
_SEARCH = Statement(
    lambda _: (
        select(*(_AUDIT.c[name] for name in _COLUMNS), _TEAMS.c.slug, _TOKENS.c.name)
        .outerjoin(_TEAMS, _TEAMS.c.team_id == _AUDIT.c.team_id)
        .outerjoin(_TOKENS, _TOKENS.c.token_id == _AUDIT.c.token_id)
        .where(
            _AUDIT.c.at_us >= bindparam("since", type_=BigInteger),
            or_(bindparam("team", type_=String) == "", _TEAMS.c.slug == bindparam("team", type_=String)),
            or_(bindparam("action", type_=String) == "", _AUDIT.c.action == bindparam("action", type_=String)),
        )
        .order_by(_AUDIT.c.audit_id.desc())
        .limit(bindparam("most", type_=Integer))
    )
)
_FACT = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == bindparam("fact")))
_DEED = Statement(lambda _: insert(_AUDIT).values({column.name: bindparam(column.name) for column in _AUDIT.columns}))


def _keep_fact(dialect: str) -> Any:
    statement = insert_into(dialect, _FACTS).values(name=bindparam("name"), value=bindparam("value"))
    return statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})


_KEEP_FACT = Statement(_keep_fact)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the audit trail.

    Args:
        audit_id: its last row.
        link: the link of that row.
    """

    audit_id: int
    link: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit trail, as it is kept.

    Args:
        audit_id: its number; rows may be missing between two numbers, but numbers only rise.
        at_us: when.
        token_id: who, or None for the host's own operator.
        team_id: of which team.
        action: a stable word.
        subject: what it was done to.
        chain: its link, or None where it is older than the chain.
    """

    audit_id: int
    at_us: int
    token_id: int | None
    team_id: int | None
    action: str
    subject: str
    chain: bytes | None

    @property
    def columns(self) -> dict[str, Any]:
        """What its link is made of."""
        return {
            "audit_id": self.audit_id, "at_us": self.at_us, "token_id": self.token_id, "team_id": self.team_id,
            "action": self.action, "subject": self.subject,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows somebody looks for.

    Args:
        most: how many at most, the newest.
        since_us: none older than this.
        team: of the team with this slug only, or None.
        action: with this word only, or None.
    """

    most: int
    since_us: int = 0
    team: str | None = None
    action: str | None = None


async def add_audit(tx: Tx, principal: Principal | None, at_us: int, action: str, subject: str) -> None:
    """Write down who did what, in the transaction of the deed itself: neither is kept without the other."""
    await tx.run(note_deed(principal, at_us, action, subject))


def note_deed(principal: Principal | None, at_us: int, action: str, subject: str) -> Program[None]:
    """Write down who did what; never what it said.

    Args:
        principal: who, or None for the host's own operator.
        at_us: when.
        action: a stable word.
        subject: the slug, id or hash of what it was done to.
    """
    last = yield _LAST, {}
    before, link = last[0] if last else (0, None)
    row = {
        "audit_id": int(before) + 1,
        "at_us": at_us,
        "token_id": principal.token_id if principal else None,
        "team_id": principal.team.team_id if principal else None,
        "action": action,
        "subject": subject,
    }
    yield _DEED, row | {"chain": link_of(FIRST_LINK if link is None else bytes(link), row)}


def link_of(before: bytes, row: Mapping[str, Any]) -> bytes:
    """Compute the link of a row.

    Args:
        before: the link of the row before it; 32 zero bytes for the first one.
        row: its columns, without the link.
    """
    return sha256(before + canonical_bytes(row, simple=True)).digest()


def find_head() -> Program[Head | None]:
    """Find where the audit trail ends; None where it has no chain yet."""
    rows = yield _LAST, {}
    return Head(int(rows[0][0]), bytes(rows[0][1])) if rows and rows[0][1] is not None else None


def list_rows(after: int, most: int) -> Program[list[Entry]]:
    """List rows in their order, those behind one of them.

    Args:
        after: the id of the row before the first; 0 to begin.
        most: how many at most.
    """
    rows = yield _ROWS, {"after": after, "most": most}
    return [_read(row) for row in rows]


def search_rows(wanted: Wanted) -> Program[list[tuple[Entry, str | None, str | None]]]:
    """Find the newest rows that are wanted, each with the slug of the team and the name of the token, the newest first."""
    asked = {"since": wanted.since_us, "team": wanted.team or "", "action": wanted.action or "", "most": wanted.most}
    rows = yield _SEARCH, asked
    return [(_read(row), row[7], row[8]) for row in rows]


def find_committed() -> Program[int]:
    """Find up to which row the trail is committed to the log; 0 where none of it is."""
    rows = yield _FACT, {"fact": _COMMITTED}
    return int(rows[0][0]) if rows else 0


def note_committed(audit_id: int) -> Program[None]:
    """Note up to which row the trail is committed to the log."""
    yield _KEEP_FACT, {"name": _COMMITTED, "value": str(audit_id)}


def _read(row: Sequence[Any]) -> Entry:
    audit_id, at_us, token_id, team_id, action, subject, chain = row[:7]
    return Entry(audit_id, at_us, token_id, team_id, action, subject, None if chain is None else bytes(chain))
