"""Derivations: which values that a scope holds stand in which others, so that a host is found by its URLs.

Only what stands in what is written, a row for each child within a scope as long as anybody there holds it. What is held of a
parent through its children is never summed up: it is read when the parent is judged, and so is always what the children say now.
A parent with too many children says nothing, and to find that out costs no more than so many.
"""

from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    LargeBinary,
    String,
    Subquery,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    union,
)

from regcert.stix.derived import DERIVED_FROM, find_parents
from regcert.stix.observable import Observable, ObservableKind
from regcert.store.border_tables import DerivationRow
from regcert.store.incident_tables import HeldBackRow, MemberRow
from regcert.store.ledger import ScopedKey, Span, by_scope, in_span, join_keys, mentions_of, named_in_scope, observable_key
from regcert.store.many import among_keys
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import CollectionRow, HoldingRow, MentionRow, ObjectRow, ObservableRow, TeamRow, TieRow, table

MOST_OF_NAMED = 256  # all addresses of a /24; whoever names a platform of more has not named what is on it
MOST_OF_UNNAMED = 8  # one crew's names and pages are few; a platform is everybody's, and many of its tenants are in the news

_DERIVATIONS = table(DerivationRow)
_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_TIES = table(TieRow)
_OBSERVABLES = table(ObservableRow)
_COLLECTIONS = table(CollectionRow)
_HOLDINGS = table(HoldingRow)
_TEAMS = table(TeamRow)
_MEMBERS = table(MemberRow)
_HELD = table(HeldBackRow)

_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
_PLACED = {*DERIVED_FROM, ObservableKind.CIDR}
_IS_PLACED = _OBSERVABLES.c.kind.in_([literal_column(f"'{kind.value}'") for kind in sorted(_PLACED)])

Families = dict[bytes, tuple[bytes, ...]]


def fold_derived(span: Span, changed: Values[ScopedKey]) -> Program[tuple[set[ScopedKey], set[ScopedKey]]]:
    """Write down what the values of a stretch stand in, and forget it of those that nobody holds any more.

    Args:
        span: the stretch, whose mentions are summed up by now.
        changed: values that the stretch changed otherwise: they were matched, withdrawn or decided about.

    Returns:
        The values that more than one country holds if their children count, and that must be judged anew: those of which
        something new was named, and those of which something was only seen.
    """
    named: dict[ScopedKey, Observable] = {}
    seen: dict[ScopedKey, Observable] = {}
    children: dict[ScopedKey, list[bytes]] = {}
    for scope, key, said, kind, value in (yield _SAID, span.bounds):
        above = _climb(scope, key, kind, value)
        children[scope, key] = [parent for _, parent in above if parent != key]
        (named if said == "published" else seen).update(above)
    if span.has_ties:
        for scope, members in by_scope((yield _TIED, span.bounds)).items():
            for row in (yield _TIED_VALUES, {"scope": scope, "named": tuple(sorted(members))}):
                named |= _climb(scope, *row)
    for scope, keys in by_scope(changed).items():
        for row in (yield _VALUES, join_keys(keys)):
            above = _climb(scope, *row)
            children[scope, row[0]] = [parent for _, parent in above if parent != row[0]]
            named |= above
    held = yield from _find_held(named.keys() | seen.keys() | children.keys())
    yield from _write(children, held)
    shared = yield from _find_shared(named | seen, held)
    return shared & named.keys(), shared - named.keys()


def _climb(scope: str, key: bytes, kind: str, value: str) -> dict[ScopedKey, Observable]:
    """List what a value stands in, and the value itself where others may stand in it."""
    observable = Observable(ObservableKind(kind), value)
    above = {(scope, observable_key(parent)): parent for parent in find_parents(observable)}
    return above if observable.kind is ObservableKind.URL else {(scope, key): observable} | above


_SAID = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _MENTIONS.c.key, _MENTIONS.c.said, _OBSERVABLES.c.kind, _OBSERVABLES.c.value)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .join(_OBSERVABLES, _OBSERVABLES.c.key == _MENTIONS.c.key)
        .where(in_span(_MENTIONS.c.position), _IS_PLACED)
    )
)
_ADD = Insert(_DERIVATIONS, keep=True)
# What is tied to a report now is named by it, and so is what it stands in, if nothing else names that.
_TIED = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _TIES.c.member_id)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _TIES.c.collection_id)
        .where(in_span(_TIES.c.position))
    )
)
_TIED_VALUES = Statement(
    lambda dialect: (
        select(_OBSERVABLES.c.key, _OBSERVABLES.c.kind, _OBSERVABLES.c.value)
        .join_from(_OBJECTS, _MENTIONS, mentions_of(_OBJECTS))
        .join(_OBSERVABLES, _OBSERVABLES.c.key == _MENTIONS.c.key)
        .where(named_in_scope(dialect), _IS_PLACED)
        .distinct()
    )
)


def _find_held(keys: Values[ScopedKey]) -> Program[set[ScopedKey]]:
    """Find the values that somebody holds by name."""
    held: set[ScopedKey] = set()
    for scope, of_scope in by_scope(keys).items():
        held |= {(scope, key) for (key,) in (yield _OWN, {"scope": scope} | join_keys(of_scope))}
    return held


def _write(children: Mapping[ScopedKey, Values[bytes]], held: AbstractSet[ScopedKey]) -> Program[None]:
    """Write down what values that are held stand in, and remove it for those that are held no more."""
    gone: defaultdict[ScopedKey, set[bytes]] = defaultdict(set)
    rows: list[tuple[str, bytes, bytes]] = []
    for (scope, key), parents in children.items():
        if (scope, key) in held:
            rows += ((scope, parent, key) for parent in parents)
        else:
            for parent in parents:
                gone[scope, parent].add(key)
    if rows:
        yield _ADD, sorted(rows)
    for (scope, parent), keys in sorted(gone.items()):
        yield _DROP, {"scope": scope, "parent": parent} | join_keys(keys)


_VALUES = Statement(
    lambda dialect: select(_OBSERVABLES.c.key, _OBSERVABLES.c.kind, _OBSERVABLES.c.value).where(
        among_keys(dialect, _OBSERVABLES.c.key, _KEYS), _IS_PLACED
    )
)
_OWN = Statement(
    lambda dialect: (
        select(_HOLDINGS.c.key).where(_HOLDINGS.c.scope == _SCOPE, among_keys(dialect, _HOLDINGS.c.key, _KEYS)).distinct()
    )
)
_DROP = Statement(
    lambda dialect: delete(_DERIVATIONS).where(
        _DERIVATIONS.c.scope == _SCOPE,
        _DERIVATIONS.c.parent == bindparam("parent", type_=LargeBinary),
        among_keys(dialect, _DERIVATIONS.c.child, _KEYS),
    )
)


def _find_shared(asked: Mapping[ScopedKey, Observable], held: AbstractSet[ScopedKey]) -> Program[set[ScopedKey]]:
    """Find the parents that more than one country holds, or that did so when they were last judged."""
    shared: set[ScopedKey] = set()
    for scope, keys in by_scope(asked).items():
        own = {key for key in keys if (scope, key) in held}
        unnamed = {key for key in keys - own if asked[scope, key].kind is not ObservableKind.CIDR}
        countries: defaultdict[bytes, set[str]] = defaultdict(set)
        # One child alone makes no crossing of an unnamed value that it does not make itself.
        for some, least, most in ((own, 1, MOST_OF_NAMED), (unnamed, 2, MOST_OF_UNNAMED)):
            rows = (yield _WITH_CHILDREN, {"scope": scope, "others": least - 1} | join_keys(some)) if some else ()
            parents = {bytes(key) for (key,) in rows}
            for key, country in (yield _COUNTRIES, {"scope": scope, "most": most} | join_keys(parents)) if parents else ():
                countries[key].add(country)
        shared |= {(scope, key) for key, of_key in countries.items() if len(of_key) > 1}
        shared |= {(scope, key) for (key,) in (yield _JUDGED, {"scope": scope} | join_keys(unnamed))} if unnamed else set()
    return shared


def _with_children(dialect: str) -> Any:
    given = _given(dialect)
    another = (
        select(_DERIVATIONS.c.child)
        .where(_DERIVATIONS.c.scope == _SCOPE, _DERIVATIONS.c.parent == given.c.key)
        .offset(bindparam("others", type_=BigInteger))
        .limit(literal_column("1"))
    )
    return select(given.c.key).where(another.correlate(given).scalar_subquery().is_not(None))


_WITH_CHILDREN = Statement(_with_children)


def load_families(scope: str, keys: Values[bytes], most: int) -> Program[Families]:
    """Load which values that a scope holds stand in some others.

    Args:
        scope: within which audience.
        keys: the values that others may stand in.
        most: how many children a parent may have to say anything; a parent with more of them has none here.
    """
    families: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for parent, child in (yield _FAMILIES, {"scope": scope, "most": most} | join_keys(keys)) if keys else ():
        families[parent].append(child)
    return {parent: tuple(children) for parent, children in families.items() if len(children) <= most}


def find_above(scope: str, keys: Values[bytes]) -> Program[set[bytes]]:
    """Find the values that some others stand in, as far as they are in an incident or held back."""
    if not keys:
        return set()
    above = {
        observable_key(parent)
        for _, kind, value in (yield _VALUES, join_keys(keys))
        for parent in find_parents(Observable(ObservableKind(kind), value))
    }
    return {bytes(key) for (key,) in (yield _JUDGED, {"scope": scope} | join_keys(above))} if above else set()


def add_values(observables: Iterable[Observable]) -> Program[None]:
    """Write down values that nobody named, so that they can be shown."""
    rows = sorted((observable_key(one), one.kind.value, one.value) for one in observables)
    if rows:
        yield _ADD_VALUES, rows


_ADD_VALUES = Insert(_OBSERVABLES, keep=True)


def _given(dialect: str) -> Subquery:
    """Make rows of the keys that are given as one parameter."""
    size = literal_column("16", Integer)
    if dialect == "sqlite":
        places = select(literal_column("1").label("place")).cte("given_places", recursive=True)
        following = places.c.place + size
        places = places.union_all(select(following).where(following <= func.length(_KEYS)))
        keys = select(func.substr(_KEYS, places.c.place, size, type_=LargeBinary).label("key"))
        return keys.subquery("given")
    starts = func.generate_series(literal_column("1"), func.length(_KEYS), size).alias("place")
    return select(func.substr(_KEYS, starts.column, size, type_=LargeBinary).label("key")).subquery("given")


def _stands_in(given: Subquery) -> ColumnElement[bool]:
    """Join the children of given parents, at most one more than `most` of each: enough to tell that they are too many."""
    further = _DERIVATIONS.alias("further")
    last = (
        select(further.c.child)
        .where(further.c.scope == _SCOPE, further.c.parent == given.c.key)
        .order_by(further.c.child)
        .offset(bindparam("most", type_=BigInteger))
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return and_(
        _DERIVATIONS.c.scope == _SCOPE,
        _DERIVATIONS.c.parent == given.c.key,
        _DERIVATIONS.c.child <= func.coalesce(last, bindparam("utmost", b"\xff" * 16, type_=LargeBinary)),
    )


def _families(dialect: str) -> Any:
    given = _given(dialect)
    children = select(_DERIVATIONS.c.parent, _DERIVATIONS.c.child).join_from(given, _DERIVATIONS, _stands_in(given))
    return children.order_by(_DERIVATIONS.c.parent, _DERIVATIONS.c.child)


_FAMILIES = Statement(_families)


def _countries(dialect: str) -> Any:
    """List the countries that hold some values, themselves or through what stands in them."""
    given = _given(dialect)
    through = (
        select(given.c.key, _TEAMS.c.country)
        .join_from(given, _DERIVATIONS, _stands_in(given))
        .join(_HOLDINGS, and_(_HOLDINGS.c.key == _DERIVATIONS.c.child, _HOLDINGS.c.scope == _SCOPE))
        .join(_TEAMS, _TEAMS.c.team_id == _HOLDINGS.c.team_id)
    )
    themselves = (
        select(_HOLDINGS.c.key, _TEAMS.c.country)
        .join(_TEAMS, _TEAMS.c.team_id == _HOLDINGS.c.team_id)
        .where(_HOLDINGS.c.scope == _SCOPE, among_keys(dialect, _HOLDINGS.c.key, _KEYS))
    )
    return union(through, themselves)


_COUNTRIES = Statement(_countries)


def _judged(dialect: str) -> Any:
    """Find which values are in an incident or held back."""
    return union(
        *(select(rows.c.key).where(rows.c.scope == _SCOPE, among_keys(dialect, rows.c.key, _KEYS)) for rows in (_MEMBERS, _HELD))
    )


_JUDGED = Statement(_judged)
