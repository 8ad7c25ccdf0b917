"""The ledger of sightings that come as reports rather than as STIX objects: where each is filed, and how it is entered."""

from collections.abc import Collection as Values
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson
from sqlalchemy import Integer, Select, bindparam, or_, select

from regcert.domain.collection import Collection
from regcert.domain.principal import Principal
from regcert.domain.sighting import SightingReport
from regcert.domain.team import Team
from regcert.stix.tlp import Tlp
from regcert.store.many import among_listed
from regcert.store.order import lock_order, take_positions
from regcert.store.programs import Program, Statement
from regcert.store.rows import Rows
from regcert.store.tables import CollectionRow, HostFact, ObjectRow, SightingRow, table
from regcert.store.visibility import read_collection, visible, writable

_SIGHTINGS = table(SightingRow)
_OBJECTS = table(ObjectRow)
_COLLECTIONS = table(CollectionRow)
_FACTS = table(HostFact)

# Collections that one call may name.
MOST_NAMES = 100


class Place(NamedTuple):
    """Where an object stands: the collection, its scope, and the object's marking there."""

    collection_id: int
    scope: str
    marking: Tlp


_DEFAULT = Statement(lambda _: select(_FACTS.c.value).where(_FACTS.c.name == "sightings_collection"))
_KNOWN = Statement(
    lambda dialect: select(_SIGHTINGS.c.report_id).where(
        _SIGHTINGS.c.team_id == bindparam("team", type_=Integer),
        among_listed(dialect, _SIGHTINGS.c.report_id, bindparam("names")),
    )
)


def find_default() -> Program[str]:
    """Find the slug of the region's collection for sightings; empty where there is none."""
    rows = yield _DEFAULT, {}
    return str(orjson.loads(rows[0][0])) if rows else ""


def find_writable(principal: Principal, names: Values[str]) -> Program[dict[str, Collection]]:
    """Find collections that a principal may write to, by id or alias, which are unique on the host whatever the API root.

    Args:
        principal: on whose behalf.
        names: at most 100 of them are looked for, the smallest.
    """
    wanted = sorted(names)[:MOST_NAMES]
    rows = yield _writable(writable(principal)), {"names": tuple(wanted)}
    found: dict[str, Collection] = {}
    for row in rows:
        collection = read_collection(dict(zip(_COLUMNS, row, strict=True)))
        found |= {name: collection for name in wanted if name in {collection.uuid, collection.slug}}
    return found


_COLUMNS = tuple(column.name for column in _COLLECTIONS.c)


@lru_cache(maxsize=256)
def _writable(written: Select[int]) -> Statement:
    def build(dialect: str) -> Select[tuple[object, ...]]:
        called = or_(
            among_listed(dialect, _COLLECTIONS.c.uuid, bindparam("names")),
            among_listed(dialect, _COLLECTIONS.c.slug, bindparam("names")),
        )
        return select(*(_COLLECTIONS.c[name] for name in _COLUMNS)).where(_COLLECTIONS.c.collection_id.in_(written), called)

    return Statement(build)


def find_places(principal: Principal, stix_ids: Values[str]) -> Program[dict[str, list[Place]]]:
    """Find where the principal sees some objects; where one stands in several collections, one that all teams read comes last."""
    found: dict[str, list[Place]] = {}
    if stix_ids:
        rows = yield _places(visible(principal)), {"ids": tuple(sorted(stix_ids))}
        for stix_id, collection_id, scope, marking in rows:
            found.setdefault(stix_id, []).append(Place(collection_id, scope, Tlp(marking)))
    return found


@lru_cache(maxsize=256)
def _places(seen: Select[int]) -> Statement:
    return Statement(
        lambda dialect: (
            select(_OBJECTS.c.stix_id, _OBJECTS.c.collection_id, _COLLECTIONS.c.scope, _OBJECTS.c.marking)
            .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _OBJECTS.c.collection_id)
            .where(
                among_listed(dialect, _OBJECTS.c.stix_id, bindparam("ids")),
                _OBJECTS.c.collection_id.in_(seen),
                _OBJECTS.c.superseded_by == 0,
            )
            .order_by(_COLLECTIONS.c.read_all, _OBJECTS.c.position)
        )
    )


def record_sightings(team: Team, reports: Sequence[tuple[SightingReport, int, Tlp]], now_us: int) -> Program[int]:
    """Enter reports in the ledger, each once for its team and report id; return how many are new.

    Args:
        team: whose reports these are.
        reports: each with the collection it is filed under and its marking there.
        now_us: what time it is.
    """
    yield from lock_order()
    new: Mapping[str, tuple[SightingReport, int, Tlp]] = {one[0].report_id: one for one in reversed(reports)}
    known = yield _KNOWN, {"team": team.team_id, "names": tuple(new)}
    seen = {name for (name,) in known}
    fresh = [one for one in reports if one[0].report_id not in seen and new[one[0].report_id] is one]
    if not fresh:
        return 0
    positions = yield from take_positions(len(fresh), now_us)
    rows = Rows()
    for (report, collection_id, marking), position in zip(fresh, positions, strict=True):
        rows.add_report(report, (position, collection_id, team.team_id, int(marking)), team.identity_id)
    yield from rows.write()
    return len(fresh)
