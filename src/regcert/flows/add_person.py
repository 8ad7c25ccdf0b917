"""Let somebody sign in: a row of `tokens` whose digest is nobody's says what they may do, one of `people` how they come in."""

import asyncio
import re
import secrets
from dataclasses import dataclass

from regcert.clock import Clock
from regcert.domain.principal import Principal, Role
from regcert.errors import Code, Refusal
from regcert.flows.create_token import get_team
from regcert.flows.sign_in_person import totp_purpose
from regcert.identity.one_time_codes import new_secret, otpauth_uri, write_secret
from regcert.identity.passwords import hash_password, require_password
from regcert.identity.sealing import seal
from regcert.policy.permissions import Permission, require
from regcert.store import people
from regcert.store.audit import add_audit
from regcert.store.database import Database, Tx
from regcert.store.teams import touch_rights
from regcert.store.tokens import add_token

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")


@dataclass(frozen=True, slots=True)
class PersonOrder:
    """Who shall sign in.

    Args:
        login: their name here.
        team: slug of their team.
        role: what they may do.
        password: their first password, or None where they come by an account elsewhere alone.
        subject: that account, as `identity/id_tokens.account` writes it, or None.
    """

    login: str
    team: str
    role: Role
    password: str | None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What somebody's telephone has to be told, now and never again; empty where they have no password.

    Args:
        login: whose.
        secret: as it is typed.
        uri: as it is scanned.
    """

    login: str
    secret: str = ""
    uri: str = ""


async def add_person(database: Database, clock: Clock, totp_key: bytes, order: PersonOrder) -> Enrolled:
    """Add somebody who signs in to the console.

    Args:
        database: where.
        clock: what time it is.
        totp_key: seals the secret of their codes.
        order: who.

    Raises:
        Refusal: MALFORMED_REQUEST, NOT_FOUND for a team, FORBIDDEN for a role of machines, ALREADY_EXISTS.
    """
    login = _read_login(order.login)
    if order.password is None and order.subject is None:
        raise Refusal(Code.MALFORMED_REQUEST, "a person needs a password, or an account of the provider")
    kept = "" if order.password is None else await keep(order.password)

    async def work(tx: Tx) -> Enrolled:
        now_us = clock.now_us()
        await touch_rights(tx)
        team = await get_team(tx, order.team)
        require(Principal(team, order.role, 0, None), Permission.USE_CONSOLE)
        token_id = await add_token(
            tx,
            secrets.token_bytes(32),  # no token has this digest
            team_id=team.team_id,
            role=order.role,
            name=login,
            collection_ids=frozenset(),
            created_us=now_us,
            expires_us=None,
        )
        enrolled, sealed = new_code(totp_key, token_id, login) if kept else (Enrolled(login), b"")
        await people.add_person(tx, token_id, login, kept, sealed, order.subject)
        await add_audit(tx, None, now_us, "person-add", f"{team.slug} {order.role} {token_id}")
        return enrolled

    return await database.write(work)


async def keep(password: str) -> str:
    """Return what is kept of a password.

    Raises:
        Refusal: MALFORMED_REQUEST.
    """
    require_password(password)
    return await asyncio.to_thread(hash_password, password)


def new_code(totp_key: bytes, token_id: int, login: str) -> tuple[Enrolled, bytes]:
    """Make the secret of somebody's codes: what their telephone is told, and what is kept."""
    secret = new_secret()
    sealed = seal(totp_key, totp_purpose(token_id), secret)
    return Enrolled(login, write_secret(secret), otpauth_uri(secret, login, "RegCERT")), sealed


def _read_login(text: str) -> str:
    login = text.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Refusal(
            Code.MALFORMED_REQUEST,
            "a login has 2 to 64 letters and digits, and may hold '.', '_', '-', '+' and '@' behind the first",
        )
    return login
