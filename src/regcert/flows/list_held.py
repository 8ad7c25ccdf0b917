"""List the values that are held back, each with the reason, as far as one principal may see them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from regcert.correlation.protected import covers
from regcert.domain.held_back import HELD_WORDS, HeldBack
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.policy.permissions import Permission, require
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.database import Database
from regcert.store.held_back import HeldPlace, Wanted, page_held
from regcert.store.incidents import list_scopes
from regcert.store.ledger import observable_key
from regcert.store.protected import find_protected
from regcert.store.visibility import list_scope_names

MAX_LIMIT = 200
_OWN = "It is a protected asset of your team."


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see of the list.

    Args:
        held: only what is held back for this reason, a word of the list; None for all.
        kind: only values of this kind.
        observable: only this value.
        cursor: what the last page gave, or None to begin.
        limit: at most this many, 1 to 200.
    """

    held: str | None = None
    kind: ObservableKind | None = None
    observable: Observable | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class HeldPage:
    """One page of the list.

    Args:
        values: each with the aliases of the collections of its audience.
        next: where the next page begins, or None.
    """

    values: tuple[tuple[HeldBack, tuple[str, ...]], ...]
    next: str | None


async def list_held_back(database: Database, principal: Principal, asked: Asked) -> HeldPage:
    """List what is held back, in the order of audience, reason, kind and key.

    Whose asset a protected value is, nobody learns but the team itself.

    Args:
        database: where from.
        principal: on whose behalf.
        asked: which of it.

    Raises:
        Refusal: FORBIDDEN; MALFORMED_REQUEST for a reason that is none, or a cursor that is none.
    """
    require(principal, Permission.SEE_INCIDENTS)
    if asked.held is not None and asked.held not in HELD_WORDS:
        raise Refusal(Code.MALFORMED_REQUEST, f"'reason' is one of {', '.join(HELD_WORDS)}")
    after = None if asked.cursor is None else _read_cursor(asked.cursor)
    key = None if asked.observable is None else observable_key(asked.observable)
    async with database.read() as connection:
        scopes = await list_scopes(connection, principal)
        found = await page_held(connection, Wanted(scopes, asked.held, asked.kind, key, after, asked.limit + 1))
    names = await database.run(list_scope_names(principal))
    own = await database.run(find_protected(principal.team.team_id))
    shown = found[: asked.limit]
    following = _write_cursor(shown[-1][0]) if len(found) > asked.limit else None
    return HeldPage(tuple(_told(place, one, names, own) for place, one in shown), following)


def _told(
    place: HeldPlace, one: HeldBack, names: Mapping[str, tuple[str, ...]], own: tuple[str, ...]
) -> tuple[HeldBack, tuple[str, ...]]:
    is_own = one.held == "protected" and bool(own) and covers(own, one.observable)
    return replace(one, reason=_OWN) if is_own else one, names.get(place[0], ())


def _write_cursor(place: HeldPlace) -> str:
    scope, word, kind, key = place
    return base64.urlsafe_b64encode(msgspec.json.encode([scope, word, kind, key.hex()])).decode()


def _read_cursor(text: str) -> HeldPlace:
    try:
        scope, word, kind, key = msgspec.json.decode(base64.urlsafe_b64decode(text[:400]), type=tuple[str, str, str, str])
        return scope.replace("\0", ""), word.replace("\0", ""), kind.replace("\0", ""), bytes.fromhex(key)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Refusal(Code.MALFORMED_REQUEST, "'next' is not from a page of this list; begin again without it") from error
