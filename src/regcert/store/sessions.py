"""Sessions of the console: who is signed in, and since when they have not clicked."""

from sqlalchemy import BigInteger, BindParameter, bindparam, delete, insert, select, update

from regcert.store.programs import Program, Statement
from regcert.store.tables import table
from regcert.store.tokens import Known, find_known_by_id
from regcert.store.trust_tables import SessionRow

_SESSIONS = table(SessionRow)
_MOST_CLEARED = 1000

_NOW: BindParameter[int] = bindparam("now", type_=BigInteger)
_IDLE: BindParameter[int] = bindparam("idle_since", type_=BigInteger)
_OPEN = Statement(lambda _: insert(_SESSIONS).values({column.name: bindparam(column.name) for column in _SESSIONS.columns}))
_FIND = Statement(
    lambda _: select(_SESSIONS.c.token_id, _SESSIONS.c.csrf, _SESSIONS.c.seen_us).where(
        _SESSIONS.c.digest == bindparam("digest"), _SESSIONS.c.expires_us > _NOW, _SESSIONS.c.seen_us > _IDLE
    )
)
_SEEN = Statement(
    lambda _: update(_SESSIONS).where(_SESSIONS.c.digest == bindparam("which")).values(seen_us=bindparam("now", type_=BigInteger))
)
_END = Statement(lambda _: delete(_SESSIONS).where(_SESSIONS.c.digest == bindparam("digest")))
_END_ALL = Statement(lambda _: delete(_SESSIONS).where(_SESSIONS.c.token_id == bindparam("token_id")))
_PAST = select(_SESSIONS.c.digest).where(_SESSIONS.c.expires_us <= _NOW).order_by(_SESSIONS.c.expires_us).limit(_MOST_CLEARED)
_CLEAR = Statement(lambda _: delete(_SESSIONS).where(_SESSIONS.c.digest.in_(_PAST)))


def add_session(digest: bytes, token_id: int, csrf: str, *, now_us: int, expires_us: int) -> Program[None]:
    """Open a console session, and clear away some of those that ended.

    Args:
        digest: SHA-256 of the session's secret.
        token_id: whose it is.
        csrf: what each of its forms must carry.
        now_us: now.
        expires_us: when it ends, however busy its owner is.
    """
    yield _CLEAR, {"now": now_us}
    yield _OPEN, {"digest": digest, "token_id": token_id, "csrf": csrf, "expires_us": expires_us, "seen_us": now_us}


def find_session(digest: bytes, now_us: int, idle_since_us: int) -> Program[tuple[Known, str, int] | None]:
    """Find who is signed in, the session's form token, and when it was last seen.

    Args:
        digest: SHA-256 of the session's secret.
        now_us: now.
        idle_since_us: a session that was not seen since has ended.

    Returns:
        None where the session has ended, or its token was revoked.
    """
    sessions = yield _FIND, {"digest": digest, "now": now_us, "idle_since": idle_since_us}
    if not sessions:
        return None
    token_id, csrf, seen_us = sessions[0]
    known = yield from find_known_by_id(token_id)
    return None if known is None else (known, csrf, seen_us)


def see_session(digest: bytes, now_us: int) -> Program[None]:
    """Note that somebody is still there."""
    yield _SEEN, {"which": digest, "now": now_us}


def end_session(digest: bytes) -> Program[None]:
    """End a session."""
    yield _END, {"digest": digest}


def end_sessions_of(token_id: int) -> Program[None]:
    """End every session of a token or a person."""
    yield _END_ALL, {"token_id": token_id}
