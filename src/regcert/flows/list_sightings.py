"""Show what the ledger of sightings says about one thing, as far as one principal may see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from regcert.domain.principal import Principal
from regcert.domain.sighting import Sighting, is_technique
from regcert.errors import Code, Refusal
from regcert.flows.record_reading import STRICT, note_reading
from regcert.policy.permissions import Permission, require
from regcert.stix.identifier import is_stix_id
from regcert.stix.observable import read_observable
from regcert.store.database import Database
from regcert.store.sighted import Hours, Named, list_sightings, sum_up_hours

MAX_LIMIT = 200
_MOST_CHARACTERS = 8192
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class SightingPage:
    """One page of entries, the newest first, and where the next begins."""

    sightings: tuple[Sighting, ...]
    next: str | None


def read_named(query: Mapping[str, str]) -> Named:
    """Read what is asked about: a `value`, the id of an `indicator` or another `subject`, or a `technique`.

    Raises:
        Refusal: MALFORMED_REQUEST, INVALID_OBSERVABLE.
    """
    asked = [(name, query[name]) for name in ("value", "indicator", "subject", "technique") if name in query]
    if len(asked) != 1 or not 0 < len(asked[0][1]) <= _MOST_CHARACTERS:
        raise Refusal(Code.MALFORMED_REQUEST, "ask about one thing: ?value=, ?indicator=, ?subject= or ?technique=")
    [(name, text)] = asked
    if name == "value":
        return read_observable(text)
    if not (is_technique(text) if name == "technique" else is_stix_id(text)):
        raise Refusal(Code.MALFORMED_REQUEST, f"'{name}' is not the id of one; docs/api.md shows what they look like")
    return text


async def page_sightings(
    database: Database, principal: Principal, named: Named, *, limit: int, cursor: str | None
) -> SightingPage:
    """List entries of the ledger, a page at a time.

    The cursor is a place in the order in which the entries came; it opens nothing, and so needs no seal.

    Args:
        database: where from.
        principal: on whose behalf.
        named: about what; where that is unknown or not to be seen, there are none.
        limit: at most this many, 1 to 200.
        cursor: what the last page gave, or None to begin.

    Raises:
        Refusal: FORBIDDEN; MALFORMED_REQUEST for a cursor that is none.
    """
    require(principal, Permission.READ)
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MOST_DIGITS):
        raise Refusal(Code.MALFORMED_REQUEST, "'next' is not from a page of this list; begin again without it")
    before = None if cursor is None else int(cursor)
    found = await database.run(list_sightings(principal, named, before, limit + 1))
    shown = tuple(found[:limit])
    if strict := [one.position for one in shown if one.marking >= STRICT]:
        await note_reading(database, principal, f"sightings {strict[-1]}..{strict[0]}")
    return SightingPage(shown, str(shown[-1].position) if len(found) > limit else None)


async def read_hours(database: Database, principal: Principal, named: Named) -> Hours:
    """Sum up by hour and country how often something was seen.

    Args:
        database: where from.
        principal: on whose behalf.
        named: what.

    Raises:
        Refusal: FORBIDDEN.
    """
    require(principal, Permission.READ)
    hours = await database.run(sum_up_hours(principal, named))
    if hours.marking >= STRICT:
        await note_reading(database, principal, "sightings by the hour")
    return hours
