"""People: how they sign in. What they may do stands in the row of `tokens` beside each, and ends with it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from regcert.errors import Code, Refusal
from regcert.identity.attempts import Failures
from regcert.store.database import Tx
from regcert.store.programs import Program, Statement
from regcert.store.tables import TeamRow, TokenRow, table
from regcert.store.tokens import Known, find_known_by_id
from regcert.store.trust_tables import PersonRow

MOST_LISTED = 10_000

_PEOPLE = table(PersonRow)
_TOKENS = table(TokenRow)
_TEAMS = table(TeamRow)
_COLUMNS = ("token_id", "login", "password", "totp", "totp_step", "failures", "locked_until_us")
_OWN = select(*(_PEOPLE.c[name] for name in _COLUMNS))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in.

    Args:
        token_id: the row that says what they may do.
        login: their name here.
        password: what is kept of their password; empty where they have none.
        totp: the secret of their codes, sealed; empty where they have none.
        totp_step: the last step of which a code was used.
        failures: what they have behind them.
    """

    token_id: int
    login: str
    password: str
    totp: bytes
    totp_step: int
    failures: Failures


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person as the operator sees them.

    Args:
        token_id: the row that says what they may do.
        login: their name here.
        team: slug of their team.
        role: what they may do.
        has_password: whether they have a password.
        has_account: whether an account elsewhere opens this one.
        created_us: when they were added.
        used_us: when they were last here, or None.
        locked_until_us: until when nobody may try to sign in as them; may be past.
    """

    token_id: int
    login: str
    team: str
    role: str
    has_password: bool
    has_account: bool
    created_us: int
    used_us: int | None
    locked_until_us: int


_BY_LOGIN = Statement(lambda _: _OWN.where(_PEOPLE.c.login == bindparam("login")))
_BY_SUBJECT = Statement(lambda _: _OWN.where(_PEOPLE.c.oidc_subject == bindparam("subject")))
_LISTED = Statement(
    lambda _: (
        select(
            _PEOPLE.c.token_id, _PEOPLE.c.login, _TEAMS.c.slug, _TOKENS.c.role, _PEOPLE.c.password != "",
            _PEOPLE.c.oidc_subject.is_not(None), _TOKENS.c.created_us, _TOKENS.c.used_us, _PEOPLE.c.locked_until_us,
        )
        .join(_TOKENS, _TOKENS.c.token_id == _PEOPLE.c.token_id)
        .join(_TEAMS, _TEAMS.c.team_id == _TOKENS.c.team_id)
        .where(_TOKENS.c.revoked_us.is_(None))
        .order_by(_PEOPLE.c.login)
        .limit(MOST_LISTED)
    )
)  # fmt: skip
_FAILED = Statement(
    lambda _: (
        update(_PEOPLE)
        .where(_PEOPLE.c.login == bindparam("who"))
        .values(failures=bindparam("count"), locked_until_us=bindparam("until", type_=BigInteger))
    )
)
# A code is good once, also where two come with it at the same moment: the second finds its step used.
_ENTERED = Statement(
    lambda _: (
        update(_PEOPLE)
        .where(_PEOPLE.c.token_id == bindparam("who"), _PEOPLE.c.totp_step < bindparam("step", type_=BigInteger))
        .values(totp_step=bindparam("step", type_=BigInteger), failures=0, locked_until_us=0)
        .returning(_PEOPLE.c.token_id)
    )
)
_REHASHED = Statement(lambda _: update(_PEOPLE).where(_PEOPLE.c.token_id == bindparam("who")).values(password=bindparam("kept")))
_REMOVED = Statement(lambda _: delete(_PEOPLE).where(_PEOPLE.c.token_id == bindparam("who")))


def find_person(login: str) -> Program[tuple[Person, Known | None] | None]:
    """Find somebody by name, and what their name opens: None there where that was taken back."""
    rows = yield _BY_LOGIN, {"login": login}
    return (yield from _with_rights(rows))


def find_person_of(subject: str) -> Program[tuple[Person, Known | None] | None]:
    """Find whom an account elsewhere opens this host for."""
    rows = yield _BY_SUBJECT, {"subject": subject}
    return (yield from _with_rights(rows))


def _with_rights(rows: Any) -> Program[tuple[Person, Known | None] | None]:
    if not rows:
        return None
    token_id, login, password, totp, totp_step, failures, until_us = rows[0]
    person = Person(token_id, login, password, bytes(totp), totp_step, Failures(failures, until_us))
    known = yield from find_known_by_id(token_id)
    return person, known


def note_failure(login: str, now_us: int, free: int) -> Program[None]:
    """Count that somebody could not sign in; a name that nobody has costs as much."""
    rows = yield _BY_LOGIN, {"login": login}
    failures = (Failures(*rows[0][5:]) if rows else Failures()).and_one(now_us, free)
    yield _FAILED, {"who": login, "count": failures.count, "until": failures.until_us}


def use_code(token_id: int, step: int) -> Program[bool]:
    """Note that the code of a step was used, and that nothing went wrong; False where it was used before."""
    rows = yield _ENTERED, {"who": token_id, "step": step}
    return bool(rows)


def keep_password(token_id: int, kept: str) -> Program[None]:
    """Keep the same password in a new form."""
    yield _REHASHED, {"who": token_id, "kept": kept}


def list_people() -> Program[list[PersonRecord]]:
    """List who signs in, by name; a region has hundreds, not millions."""
    rows = yield _LISTED, {}
    return [
        PersonRecord(token_id, login, team, role, bool(has_password), bool(has_account), created_us, used_us, until_us)
        for token_id, login, team, role, has_password, has_account, created_us, used_us, until_us in rows
    ]


async def add_person(tx: Tx, token_id: int, login: str, password: str, totp: bytes, subject: str | None) -> None:
    """Enter somebody beside the row that says what they may do.

    Raises:
        Refusal: ALREADY_EXISTS.
    """
    row = {
        "token_id": token_id, "login": login, "password": password, "totp": totp, "totp_step": 0,
        "oidc_subject": subject, "failures": 0, "locked_until_us": 0,
    }  # fmt: skip
    try:
        await tx.connection.execute(insert(_PEOPLE).values(row))
    except IntegrityError as error:
        raise Refusal(Code.ALREADY_EXISTS, "somebody has this login already, or this account of the provider") from error


async def change_person(tx: Tx, token_id: int, **changed: object) -> None:
    """Change how somebody signs in; the names are those of the columns.

    Raises:
        Refusal: ALREADY_EXISTS for an account that opens somebody else's.
    """
    try:
        await tx.connection.execute(update(_PEOPLE).where(_PEOPLE.c.token_id == token_id).values(**changed))
    except IntegrityError as error:
        raise Refusal(Code.ALREADY_EXISTS, "this account of the provider opens somebody else's login already") from error


def remove_person(token_id: int) -> Program[None]:
    """Forget how somebody signed in; their row in `tokens` stays, for what it did."""
    yield _REMOVED, {"who": token_id}
