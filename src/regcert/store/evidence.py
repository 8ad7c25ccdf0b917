"""What stands behind the values of an incident: the objects that name them, which key signed for these, what reports add.

For the page of one incident. Every look is bounded, and nothing is read that is marked more strictly than the incident is.
"""

from collections import defaultdict
from collections.abc import Collection as Values
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Integer, LargeBinary, and_, bindparam, func, literal_column, select

from regcert.domain.submission import Vouched
from regcert.stix.tlp import Tlp
from regcert.store.ledger import in_scope, join_keys
from regcert.store.many import among_keys, among_listed
from regcert.store.programs import Program, Statement
from regcert.store.tables import MentionRow, ObjectRow, SightingRow, TeamRow, TieRow, table
from regcert.store.trust_tables import PublicationRow, SignedRow

MOST_NAMED = 4_000
MOST_BODIES = 300
MOST_REPORTS = 5_000

_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_TIES = table(TieRow)
_SIGHTINGS = table(SightingRow)
_TEAMS = table(TeamRow)
_PUBLICATIONS = table(PublicationRow)
_SIGNED = table(SignedRow)

_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
_MARKING: BindParameter[int] = bindparam("marking", type_=Integer)
_MOST: BindParameter[int] = bindparam("most", type_=Integer)


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind some values.

    Args:
        bodies: of the objects that name them, and of what these are tied to: at most 300 of each.
        signers: for each value and team, the ids of the keys that signed what the team publishes of it.
        sectors: for each sector that somebody says was hit, the slugs of the teams that say so.
        named_by: for each object, report and campaign, the values that it names.
    """

    bodies: tuple[bytes, ...]
    signers: dict[tuple[bytes, str], tuple[str, ...]]
    sectors: dict[str, frozenset[str]]
    named_by: dict[str, frozenset[bytes]]


def load_behind(scope: str, keys: Values[bytes], marking: Tlp) -> Program[Behind]:
    """Load what stands behind some values of a scope.

    Args:
        scope: within which audience.
        keys: the values, at most a few hundred.
        marking: of the incident; what is marked more strictly is left out.
    """
    asked = {"scope": scope, "marking": int(marking)}
    named: dict[int, str] = {}
    signers: defaultdict[tuple[bytes, str], set[str]] = defaultdict(set)
    named_by: defaultdict[str, set[bytes]] = defaultdict(set)
    for position, stix_id, key, team, key_id in (yield _NAMING, asked | join_keys(keys) | {"most": MOST_NAMED}):
        named[position] = stix_id
        named_by[stix_id].add(bytes(key))
        if key_id is not None:
            signers[bytes(key), team].add(key_id)
    bodies = yield _BODIES, asked | {"positions": tuple(sorted(named)[:MOST_BODIES])}
    ties = yield _TIED, asked | {"named": tuple(sorted(set(named.values()))), "most": MOST_NAMED}
    for member, context in ties:
        named_by[context] |= named_by[member]
    beyond = tuple(sorted({context for _, context in ties})[:MOST_BODIES])
    techniques = yield _TECHNIQUES, asked | {"named": beyond, "most": MOST_BODIES}
    more = tuple(sorted({*beyond, *(one for (one,) in techniques)}))
    told = yield _NAMED, asked | {"named": more, "most": 2 * MOST_BODIES}
    sectors: defaultdict[str, set[str]] = defaultdict(set)
    for sector, team in (yield _SECTORS, asked | join_keys(keys) | {"most": MOST_REPORTS}):
        sectors[sector].add(team)
    return Behind(
        tuple(bytes(body) for (body,) in (*bodies, *told)),
        {place: tuple(sorted(found)) for place, found in signers.items()},
        {sector: frozenset(teams) for sector, teams in sectors.items()},
        {stix_id: frozenset(found) for stix_id, found in named_by.items()},
    )


def _naming(dialect: str) -> Any:
    """Find the objects that name values, and the key behind each that is signed: of its own publication, or of a later one."""
    came, later = _PUBLICATIONS.alias("came"), _PUBLICATIONS.alias("later")
    signed = _OBJECTS.c.vouched == Vouched.SIGNED.value
    return (
        select(
            _OBJECTS.c.position, _OBJECTS.c.stix_id, _MENTIONS.c.key, _TEAMS.c.slug,
            func.coalesce(later.c.key_id, came.c.key_id).label("key_id"),
        )
        .join_from(_MENTIONS, _OBJECTS, and_(_OBJECTS.c.position == _MENTIONS.c.position, _OBJECTS.c.superseded_by == 0))
        .join(_TEAMS, _TEAMS.c.team_id == _OBJECTS.c.team_id)
        .outerjoin(_SIGNED, and_(signed, _SIGNED.c.position == _OBJECTS.c.position))
        .outerjoin(later, and_(later.c.collection_id == _SIGNED.c.collection_id, later.c.number == _SIGNED.c.number))
        .outerjoin(
            came,
            and_(signed, came.c.submission_id == _OBJECTS.c.submission_id, came.c.collection_id == _OBJECTS.c.collection_id),
        )
        .where(
            among_keys(dialect, _MENTIONS.c.key, _KEYS), _MENTIONS.c.said == "published", in_scope(_MENTIONS.c.collection_id),
            _OBJECTS.c.marking <= _MARKING,
        )
        .limit(_MOST)
    )  # fmt: skip


_NAMING = Statement(_naming)
_BODIES = Statement(
    lambda dialect: select(_OBJECTS.c.body).where(among_listed(dialect, _OBJECTS.c.position, bindparam("positions")))
)
_TIED = Statement(
    lambda dialect: (
        select(_TIES.c.member_id, _TIES.c.context_id)
        .where(in_scope(_TIES.c.collection_id), among_listed(dialect, _TIES.c.member_id, bindparam("named")))
        .distinct()
        .limit(_MOST)
    )
)
_TECHNIQUES = Statement(
    lambda dialect: (
        select(_TIES.c.member_id)
        .where(
            in_scope(_TIES.c.collection_id),
            among_listed(dialect, _TIES.c.context_id, bindparam("named")),
            _TIES.c.member_id.like(literal_column("'attack-pattern--%'")),
        )
        .distinct()
        .limit(_MOST)
    )
)
_NAMED = Statement(
    lambda dialect: (
        select(_OBJECTS.c.body)
        .where(
            in_scope(_OBJECTS.c.collection_id),
            among_listed(dialect, _OBJECTS.c.stix_id, bindparam("named")),
            _OBJECTS.c.superseded_by == 0,
            _OBJECTS.c.marking <= _MARKING,
        )
        .limit(_MOST)
    )
)


def _sectors(dialect: str) -> Any:
    """Look at so many mentions and no more: a value may have a million, and few reporters name a sector."""
    looked_at = (
        select(_MENTIONS.c.position)
        .where(among_keys(dialect, _MENTIONS.c.key, _KEYS), in_scope(_MENTIONS.c.collection_id), _MENTIONS.c.said == "positive")
        .limit(_MOST)
        .subquery("looked_at")
    )
    return (
        select(_SIGHTINGS.c.sector, _TEAMS.c.slug)
        .join_from(looked_at, _SIGHTINGS, _SIGHTINGS.c.position == looked_at.c.position)
        .join(_TEAMS, _TEAMS.c.team_id == _SIGHTINGS.c.team_id)
        .where(_SIGHTINGS.c.marking <= _MARKING, _SIGHTINGS.c.sector.is_not(None))
        .distinct()
    )


_SECTORS = Statement(_sectors)
