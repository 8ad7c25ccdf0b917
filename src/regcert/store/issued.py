"""What the host has published as the centre, object by object, and what it looks up to write the next versions."""

from collections.abc import Collection as Values
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, Integer, LargeBinary, String, bindparam, delete, or_, select

from regcert.domain.issued import Issued
from regcert.stix.object import read_name
from regcert.stix.tlp import Tlp
from regcert.store.border_tables import IssuedRow
from regcert.store.groups import load_contexts
from regcert.store.incident_tables import AbsorbedRow, MemberRow
from regcert.store.ledger import SAYS_SOMETHING, Span, in_span, join_keys, named_in_scope, said_by_sighting
from regcert.store.many import among_keys, among_listed, insert_selected
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import CollectionRow, MentionRow, ObjectRow, SightingRow, TeamRow, table

_ISSUED = table(IssuedRow)
_ABSORBED = table(AbsorbedRow)
_COLLECTIONS = table(CollectionRow)
_MEMBERS = table(MemberRow)
_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_SIGHTINGS = table(SightingRow)
_TEAMS = table(TeamRow)

_COLLECTION: BindParameter[int] = bindparam("collection", type_=Integer)
_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_ONE: BindParameter[str] = bindparam("one", type_=String)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
# What may name an incident; `flows/regroup.py` chooses among these.
_NAMING = ("campaign--", "incident--", "intrusion-set--", "malware--", "report--", "grouping--")


def load_issued(collection_id: int, incident_id: str) -> Program[dict[str, Issued]]:
    """Load the last versions of what goes with an incident, and of what goes with all of them."""
    rows = yield _OWNED, {"collection": collection_id, "one": incident_id}
    return {one.handle: one for one in map(_read_issued, rows)}


def load_handles(collection_id: int, handles: Values[str]) -> Program[dict[str, Issued]]:
    """Load the last versions of what some handles stand for, whatever they go with."""
    rows = yield _NAMED, {"collection": collection_id, "named": tuple(sorted(handles))}
    return {one.handle: one for one in map(_read_issued, rows)}


def write_issued(collection_id: int, issued: Values[Issued]) -> Program[None]:
    """Write down what stands there now."""
    if issued:
        yield _FORGET, {"collection": collection_id, "named": tuple(sorted(one.handle for one in issued))}
        yield _WRITE, [
            (
                collection_id, one.handle, one.stix_id, one.incident_id, key_of(one.handle), one.generation, one.created_us,
                one.version_us, one.digest, int(one.marking), one.revoked,
            )
            for one in issued
        ]  # fmt: skip


def key_of(handle: str) -> bytes | None:
    """Read the value that an indicator or a sighting is about; None where it is about something else."""
    kind, name, *_ = handle.split(" ")
    return bytes.fromhex(name) if kind in {"indicator", "sighting"} else None


def _read_issued(row: Any) -> Issued:
    handle, stix_id, incident_id, generation, created_us, version_us, said, marking, revoked = row
    return Issued(
        handle, stix_id, incident_id, generation, created_us, version_us, bytes(said), Tlp(marking), bool(revoked)
    )  # fmt: skip


_COLUMNS = [
    _ISSUED.c[name]
    for name in (
        "handle", "stix_id", "incident_id", "generation", "created_us", "version_us", "digest", "marking", "revoked",
    )
]  # fmt: skip
_OWNED = Statement(
    lambda _: select(*_COLUMNS).where(_ISSUED.c.collection_id == _COLLECTION, or_(_ISSUED.c.incident_id.in_((_ONE, ""))))
)
_NAMED = Statement(
    lambda dialect: select(*_COLUMNS).where(
        _ISSUED.c.collection_id == _COLLECTION, among_listed(dialect, _ISSUED.c.handle, bindparam("named"))
    )
)
_FORGET = Statement(
    lambda dialect: delete(_ISSUED).where(
        _ISSUED.c.collection_id == _COLLECTION, among_listed(dialect, _ISSUED.c.handle, bindparam("named"))
    )
)
_WRITE = Insert(_ISSUED)


def load_bodies(collection_id: int, stix_ids: Values[str]) -> Program[dict[str, bytes]]:
    """Load the newest versions of some objects of a collection; what was deleted is not among them."""
    if not stix_ids:
        return {}
    rows = yield _BODIES, {"collection": collection_id, "named": tuple(sorted(stix_ids))}
    return {stix_id: bytes(body) for stix_id, body in rows}


def load_keys(scope: str, incident_id: str, most: int) -> Program[list[bytes]]:
    """Load the values of an incident, at most so many."""
    return [bytes(key) for (key,) in (yield _KEYS_OF, {"scope": scope, "one": incident_id, "most": most})]


def load_owners(scope: str, keys: Values[bytes]) -> Program[dict[bytes, str]]:
    """Load the incidents that some values belong to."""
    rows = (yield _OWNERS, {"scope": scope} | join_keys(keys)) if keys else ()
    return {bytes(key): incident_id for key, incident_id in rows}


def find_successor(incident_id: str) -> Program[str | None]:
    """Find the incident that another one was merged into."""
    rows = yield _INTO, {"one": incident_id}
    return rows[0][0] if rows else None


def load_tellable_names(scope: str, keys: Values[bytes], names: Iterable[str], marking: Tlp) -> Program[tuple[str, ...]]:
    """Load which of an incident's names may be told under its marking.

    A name is that of a report or campaign, which may be marked more strictly than the values that it names: then it stays where
    it is.
    """
    contexts, _ = yield from load_contexts(scope, keys)
    named = {context for of_key in contexts.values() for context in of_key if context.startswith(_NAMING)}
    rows = (yield _NAMES, {"scope": scope, "named": tuple(sorted(named)), "marking": int(marking)}) if named else ()
    tellable = {read_name(body) for (body,) in rows}
    return tuple(name for name in names if name in tellable)


_BODIES = Statement(
    lambda dialect: select(_OBJECTS.c.stix_id, _OBJECTS.c.body).where(
        _OBJECTS.c.collection_id == _COLLECTION,
        among_listed(dialect, _OBJECTS.c.stix_id, bindparam("named")),
        _OBJECTS.c.superseded_by == 0,
    )
)
_KEYS_OF = Statement(
    lambda _: (
        select(_MEMBERS.c.key)
        .where(_MEMBERS.c.scope == _SCOPE, _MEMBERS.c.incident_id == _ONE)
        .order_by(_MEMBERS.c.key)
        .limit(bindparam("most", type_=Integer))
    )
)
_OWNERS = Statement(
    lambda dialect: select(_MEMBERS.c.key, _MEMBERS.c.incident_id).where(
        _MEMBERS.c.scope == _SCOPE, among_keys(dialect, _MEMBERS.c.key, _KEYS)
    )
)
_INTO = Statement(lambda _: select(_ABSORBED.c.into_id).where(_ABSORBED.c.incident_id == _ONE))
_NAMES = Statement(
    lambda dialect: select(_OBJECTS.c.body).where(
        named_in_scope(dialect), _OBJECTS.c.marking <= bindparam("marking", type_=Integer)
    )
)


def match_issued(span: Span) -> Program[None]:
    """Let sightings that name an indicator of the centre say what they saw.

    What the host publishes is evidence of nothing, so no mention stands for it. But whoever saw it, saw its value.
    """
    if span.has_sightings:
        yield _MATCH, span.bounds


def _match(dialect: str) -> Any:
    seen, told = _COLLECTIONS.alias("seen"), _COLLECTIONS.alias("told")
    matches = (
        select(*said_by_sighting(_ISSUED))
        .join_from(_SIGHTINGS, _ISSUED, _ISSUED.c.stix_id == _SIGHTINGS.c.indicator_id)
        .join(_TEAMS, _TEAMS.c.team_id == _SIGHTINGS.c.team_id)
        .outerjoin(_OBJECTS, _OBJECTS.c.position == _SIGHTINGS.c.position)
        .join(seen, seen.c.collection_id == _SIGHTINGS.c.collection_id)
        .join(told, told.c.collection_id == _ISSUED.c.collection_id)
        .where(
            in_span(_SIGHTINGS.c.position),
            _ISSUED.c.key.is_not(None),
            SAYS_SOMETHING,
            seen.c.scope == told.c.scope,
        )
    )
    return insert_selected(dialect, _MENTIONS, matches).on_conflict_do_nothing()


_MATCH = Statement(_match)
