"""A database that is gone, full or overrun: what those are told who asked it."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from regcert.errors import Code, Refusal

# PostgreSQL's classes of its own trouble: connection, resources, operator intervention.
_OUTAGE_STATES = ("08", "53", "57")
# A statement that is sent as its connection is cut off may find asyncpg in the midst of noticing: InternalClientError.
_DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_OUTAGES = (OperationalError, InterfaceError, PoolTimeoutError, OSError, sqlite3.OperationalError, *_DRIVER)
_FAILURES = (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, *_DRIVER, OSError)

_LOG = logging.getLogger("regcert.store")


@contextmanager
def answering() -> Iterator[None]:
    """Turn an outage within the block into a refusal.

    Raises:
        Refusal: BUSY.
    """
    try:
        yield
    except _FAILURES as error:
        answer = answer_of(error)
        if answer is error:
            raise
        raise answer from error


def answer_of(error: Exception) -> Exception:
    """Turn the failure of a database that is gone, full or overrun into an answer: whoever asked may ask again.

    Whether the last commit before the failure is on disk may be unknown; what is there is not stored twice. Any other error is
    a fault of ours and stays what it is.
    """
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    if not isinstance(error, _OUTAGES) and not state.startswith(_OUTAGE_STATES):
        return error
    _LOG.warning("the database failed: %s", type(error).__name__)
    return Refusal(Code.BUSY, "the database does not answer; send the same again in a while, nothing is stored twice")
