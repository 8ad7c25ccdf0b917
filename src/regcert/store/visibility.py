"""What a principal may see: the one query that every read on somebody's behalf starts from (law 5).

Visibility belongs to the collection. Nobody sees more because of a role: an admin of this host reads what its team reads, no
more. A token narrowed to some collections sees those only. What is not in this query does not exist for the principal.
"""

from collections.abc import Collection as Values
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, RowMapping, Select, and_, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.domain.collection import Collection, SignatureRule
from regcert.domain.principal import Principal
from regcert.errors import Code, Refusal
from regcert.stix.tlp import Tlp
from regcert.store.many import among, among_numbers
from regcert.store.programs import Program, Statement
from regcert.store.tables import AccessRow, CollectionRow, table

_COLLECTIONS = table(CollectionRow)
_ACCESS = table(AccessRow)
_COLUMNS = (
    "collection_id", "uuid", "slug", "api_root", "title", "description", "ceiling", "signature", "scope", "media_types",
    "blind_matching", "centre_token",
)  # fmt: skip

# A collection that exists for somebody, whether they may read it, and whether they may write it.
Found: TypeAlias = tuple[Collection, bool, bool]


def visible(principal: Principal) -> Select[int]:
    """Build the query for the ids of the collections that a principal may read."""
    return _open_to(principal.team.team_id, principal.collection_ids, "read")


def writable(principal: Principal) -> Select[int]:
    """Build the query for the ids of the collections that a principal's team may write."""
    return _open_to(principal.team.team_id, principal.collection_ids, "write")


def visible_scopes(principal: Principal) -> Select[str]:
    """Build the query for the scopes whose evidence a principal may see.

    A token narrowed to some collections sees a scope only if it opens every collection of it: incidents are made of all of
    them together, but for what the host itself publishes of them.
    """
    shut = _COLLECTIONS.alias("shut")
    scopes = select(_COLLECTIONS.c.scope).where(_COLLECTIONS.c.collection_id.in_(visible(principal))).distinct()
    evidence = and_(shut.c.scope == _COLLECTIONS.c.scope, shut.c.centre_token.is_(None))
    return scopes.where(~exists().where(evidence, shut.c.collection_id.not_in(visible(principal))))


# Queries are built once for each team and narrowing: building one costs more than running it.
@lru_cache(maxsize=256)
def _open_to(team_id: int, narrowed: frozenset[int] | None, verb: str) -> Select[int]:
    granted = exists().where(
        _ACCESS.c.collection_id == _COLLECTIONS.c.collection_id,
        _ACCESS.c.team_id == team_id,
        _ACCESS.c[f"can_{verb}"],
    )
    query = select(_COLLECTIONS.c.collection_id).where(or_(_COLLECTIONS.c[f"{verb}_all"], granted))
    return query if narrowed is None else query.where(among_numbers(_COLLECTIONS.c.collection_id, sorted(narrowed)))


@lru_cache(maxsize=256)
def _existing(seen: Select[int], written: Select[int], *, named: bool) -> Statement:
    """Word what exists for a principal in an API root, in all of it or under one name: what it may read or write."""
    can_read = _COLLECTIONS.c.collection_id.in_(seen).label("can_read")
    can_write = _COLLECTIONS.c.collection_id.in_(written).label("can_write")
    query = (
        select(*(_COLLECTIONS.c[name] for name in _COLUMNS), can_read, can_write)
        .where(_COLLECTIONS.c.api_root == bindparam("api_root"), or_(can_read, can_write))
        .order_by(_COLLECTIONS.c.collection_id)
    )
    name: BindParameter[str] = bindparam("name")
    called = or_(_COLLECTIONS.c.uuid == name, _COLLECTIONS.c.slug == name)
    return Statement(lambda _: query.where(called) if named else query)


def list_readable(principal: Principal) -> Program[list[tuple[int, Tlp]]]:
    """List the collections that a principal may read, in every API root, with their ceilings."""
    rows = yield _readable(visible(principal)), {}
    return [(collection_id, Tlp(ceiling)) for collection_id, ceiling in rows]


@lru_cache(maxsize=256)
def _readable(seen: Select[int]) -> Statement:
    query = select(_COLLECTIONS.c.collection_id, _COLLECTIONS.c.ceiling).where(_COLLECTIONS.c.collection_id.in_(seen))
    return Statement(lambda _: query.limit(10_000))


def find_collections(principal: Principal, api_root: str) -> Program[list[Found]]:
    """List an API root's collections that exist for a principal, in the order in which they were made.

    Returns:
        Each with whether it may be read and whether it may be written; at least one of them is true.
    """
    rows = yield _existing(visible(principal), writable(principal), named=False), {"api_root": api_root}
    return [_read_found(row) for row in rows]


def find_collection(principal: Principal, api_root: str, name: str) -> Program[Found | None]:
    """Find a collection that exists for a principal, by id or alias.

    Args:
        principal: on whose behalf.
        api_root: which root.
        name: its TAXII id or its alias.
    """
    statement = _existing(visible(principal), writable(principal), named=True)
    rows = yield statement, {"api_root": api_root, "name": name}
    return _read_found(rows[0]) if rows else None


async def get_existing_ids(connection: AsyncConnection, principal: Principal, slugs: Values[str]) -> frozenset[int]:
    """Get the keys of collections that exist for a principal, by slug.

    Raises:
        Refusal: NOT_FOUND where one of them does not, whether or not it is there for others.
    """
    exists_for = or_(_COLLECTIONS.c.collection_id.in_(visible(principal)), _COLLECTIONS.c.collection_id.in_(writable(principal)))
    query = select(_COLLECTIONS.c.collection_id).where(among(connection, _COLLECTIONS.c.slug, slugs), exists_for).limit(10_000)
    found = frozenset((await connection.execute(query)).scalars())
    if len(found) != len(set(slugs)):
        raise Refusal(Code.NOT_FOUND, "there is no such collection; list the collections to see which there are")
    return found


def list_scope_names(principal: Principal) -> Program[dict[str, tuple[str, ...]]]:
    """List the aliases of the collections that a principal may read, by their scope, in the order in which they were made."""
    names: dict[str, tuple[str, ...]] = {}
    for scope, slug in (yield _scope_names(visible(principal)), {}):
        names[scope] = (*names.get(scope, ()), slug)
    return names


@lru_cache(maxsize=256)
def _scope_names(seen: Select[int]) -> Statement:
    named = select(_COLLECTIONS.c.scope, _COLLECTIONS.c.slug).where(_COLLECTIONS.c.collection_id.in_(seen))
    return Statement(lambda _: named.order_by(_COLLECTIONS.c.collection_id).limit(10_000))


def find_scope(principal: Principal, name: str) -> Program[str | None]:
    """Find the scope of a collection that a principal may read, by its id or alias, in whichever API root it is."""
    rows = yield _scope_of(visible(principal)), {"name": name}
    return str(rows[0][0]) if rows else None


@lru_cache(maxsize=256)
def _scope_of(seen: Select[int]) -> Statement:
    name: BindParameter[str] = bindparam("name")
    called = or_(_COLLECTIONS.c.uuid == name, _COLLECTIONS.c.slug == name)
    return Statement(lambda _: select(_COLLECTIONS.c.scope).where(called, _COLLECTIONS.c.collection_id.in_(seen)).limit(1))


def _read_found(row: Sequence[Any]) -> Found:
    *columns, can_read, can_write = row
    return read_collection(dict(zip(_COLUMNS, columns, strict=True))), bool(can_read), bool(can_write)


def read_collection(row: Mapping[str, Any] | RowMapping) -> Collection:
    """Turn a row of the collections table into our noun."""
    return Collection(
        collection_id=row["collection_id"],
        uuid=row["uuid"],
        slug=row["slug"],
        api_root=row["api_root"],
        title=row["title"],
        description=row["description"],
        ceiling=Tlp(row["ceiling"]),
        signature=SignatureRule(row["signature"]),
        scope=row["scope"],
        media_types=tuple(row["media_types"].split(",")),
        centre_token=row["centre_token"],
        blind_matching=bool(row["blind_matching"]),
    )
