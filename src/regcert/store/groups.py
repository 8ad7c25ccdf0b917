"""Values and who holds them: what correlation looks up before it judges, and the page of a single incident shows."""

from collections.abc import Collection as Values
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    select,
    text,
    union,
)

from regcert.correlation.cluster import MOST_KEYS_A_CONTEXT
from regcert.domain.holding import Holding
from regcert.domain.incident import SHARED_BY_STORIES
from regcert.domain.team import Team
from regcert.stix.object import read_name
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp
from regcert.store.derived import find_above
from regcert.store.incident_tables import HeldBackRow, MemberRow
from regcert.store.ledger import ScopedKey, Span, by_scope, in_scope, in_span, is_beyond, join_keys, mentions_of, named_in_scope
from regcert.store.many import among_keys, among_listed, each_listed
from regcert.store.programs import Program, Statement
from regcert.store.tables import (
    PUBLISHED,
    CollectionRow,
    HoldingRow,
    MentionRow,
    ObjectRow,
    ObservableRow,
    TeamRow,
    TieRow,
    table,
)
from regcert.store.teams import read_team

_HOLDINGS = table(HoldingRow)
_MENTIONS = table(MentionRow)
_OBSERVABLES = table(ObservableRow)
_COLLECTIONS = table(CollectionRow)
_TEAMS = table(TeamRow)
_TIES = table(TieRow)
_OBJECTS = table(ObjectRow)
_MEMBERS = table(MemberRow)
_HELD = table(HeldBackRow)

Groups = dict[bytes, tuple[Observable, list[Holding]]]

_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)


def find_shared(span: Span) -> Program[tuple[set[ScopedKey], set[ScopedKey]]]:
    """Find the values that a stretch of the ledger touched and that more than one country holds.

    A tie that came later than what it ties touches its members' values too.

    Returns:
        The values that something new names, and those that were only seen: of these, nothing belongs together that did not.
    """
    shared: set[ScopedKey] = set()
    seen: set[ScopedKey] = set()
    for scope, key, said in (yield _MENTIONED, span.bounds):
        (shared if said == "published" else seen).add((scope, key))
    if span.has_ties:
        tied = by_scope((yield _TIED, span.bounds))
        for scope, members in tied.items():
            found = yield _TIED_VALUES, {"scope": scope, "named": tuple(sorted(members))}
            shared.update((scope, key) for (key,) in found)
    return shared, seen - shared


_OWN = _TEAMS.alias("own")


def _held_elsewhere(scope: ColumnElement[str]) -> ColumnElement[bool]:
    """Ask whether a mentioned value is held in another country than the one that mentions it: one look for most values."""
    other = _TEAMS.alias("other")
    return exists(
        select(_HOLDINGS.c.key)
        .join(other, other.c.team_id == _HOLDINGS.c.team_id)
        .where(_HOLDINGS.c.key == _MENTIONS.c.key, _HOLDINGS.c.scope == scope, other.c.country != _OWN.c.country)
    )


_MENTIONED = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _MENTIONS.c.key, _MENTIONS.c.said)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .join(_OWN, _OWN.c.team_id == _MENTIONS.c.team_id)
        .where(in_span(_MENTIONS.c.position), _held_elsewhere(_COLLECTIONS.c.scope))
    )
)


# A tie in one collection ties its members in every collection of the same scope.
_TIED = Statement(
    lambda _: (
        select(_COLLECTIONS.c.scope, _TIES.c.member_id)
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _TIES.c.collection_id)
        .where(in_span(_TIES.c.position))
    )
)
_TIED_VALUES = Statement(
    lambda dialect: (
        select(_MENTIONS.c.key)
        .join_from(_OBJECTS, _MENTIONS, mentions_of(_OBJECTS))
        .join(_OWN, _OWN.c.team_id == _MENTIONS.c.team_id)
        .where(named_in_scope(dialect), _held_elsewhere(_SCOPE))
    )
)


def load_groups(scope: str, keys: Values[bytes]) -> Program[Groups]:
    """Load what a scope knows of some values: one row for each team and origin that holds one."""
    groups: Groups = {}
    teams: dict[int, Team] = {}
    if not keys:
        return groups
    rows = yield _GROUPS, {"scope": scope} | join_keys(keys)
    for key, origin, first, last, published, positives, negatives, harmless, marking, signed, kind, value, *team in rows:
        if team[0] not in teams:
            teams[team[0]] = read_team(dict(zip(_TEAM_COLUMNS, team, strict=True)))
        if key not in groups:
            groups[key] = Observable(ObservableKind(kind), value), []
        groups[key][1].append(
            Holding(
                teams[team[0]], origin, first, last, bool(published), int(positives), int(negatives), bool(harmless),
                Tlp(marking), bool(signed),
            )
        )  # fmt: skip
    return groups


_TEAM_COLUMNS = ("team_id", *(column.name for column in _TEAMS.c if column.name != "team_id"))
_GROUPS = Statement(
    lambda dialect: (
        select(
            _HOLDINGS.c.key,
            _HOLDINGS.c.origin,
            _HOLDINGS.c.first_us,
            _HOLDINGS.c.last_us,
            _HOLDINGS.c.published,
            _HOLDINGS.c.positives,
            _HOLDINGS.c.negatives,
            _HOLDINGS.c.false_positive,
            _HOLDINGS.c.marking,
            _HOLDINGS.c.signed,
            _OBSERVABLES.c.kind,
            _OBSERVABLES.c.value,
            *(_TEAMS.c[name] for name in _TEAM_COLUMNS),
        )
        .join_from(_HOLDINGS, _OBSERVABLES, _OBSERVABLES.c.key == _HOLDINGS.c.key)
        .join(_TEAMS, _TEAMS.c.team_id == _HOLDINGS.c.team_id)
        .where(_HOLDINGS.c.scope == _SCOPE, among_keys(dialect, _HOLDINGS.c.key, _KEYS))
    )
)


Contexts = dict[bytes, set[str]]
# Publications of one value that are asked what else they name.
MOST_NAMINGS = 1_000


def load_contexts(scope: str, keys: Values[bytes]) -> Program[tuple[Contexts, dict[str, str]]]:
    """Load what names some values together: the objects that hold them, and the reports and campaigns of those objects.

    Returns:
        The contexts of each value, and whose word each of them is: the same one whatever came first.
    """
    contexts: Contexts = {key: set() for key in keys}
    authors: dict[str, str] = {}
    if not keys:
        return contexts, authors
    asked = {"scope": scope} | join_keys(keys)
    crowded = {bytes(key) for (key,) in (yield _CROWDED, asked)}
    rows = list((yield _CONTEXTS, {"scope": scope} | join_keys(set(keys) - crowded)))
    for key in sorted(crowded):
        rows += yield _OLDEST_CONTEXTS, {"scope": scope, "one": key}
    for key, holder, author, beyond, beyond_author in rows:
        for context, whose in ((holder, author), (beyond, beyond_author)):
            if context is not None:
                contexts[key].add(context)
                if whose is not None:
                    authors[context] = min(whose, authors.get(context, whose))
    named = {context for of_key in contexts.values() for context in of_key}
    wide = {context for (context,) in (yield _WIDE, {"scope": scope, "named": tuple(sorted(named))})} if named else set()
    return {key: of_key - wide for key, of_key in contexts.items()}, authors


_TYING = _OBJECTS.alias("tying")
_IS_PUBLISHED = and_(text(PUBLISHED), in_scope(_MENTIONS.c.collection_id))


def _contexts(published: Any) -> Any:
    """What names a value by itself, and what that belongs to, as far as the objects that say so are in force."""
    return (
        select(
            published.c.key,
            published.c.stix_id,
            _OBJECTS.c.author,
            case((_TYING.c.position.is_not(None), _TIES.c.context_id)).label("context_id"),
            _TYING.c.author.label("tying_author"),
        )
        .join_from(published, _OBJECTS, and_(_OBJECTS.c.position == published.c.position, _OBJECTS.c.superseded_by == 0))
        .outerjoin(_TIES, and_(_TIES.c.member_id == published.c.stix_id, in_scope(_TIES.c.collection_id)))
        .outerjoin(_TYING, and_(_TYING.c.position == _TIES.c.position, _TYING.c.superseded_by == 0))
    )


def _crowded(dialect: str) -> Any:
    """Which values are named more often than anybody can look at."""
    more: Select[Any] = (
        select(literal_column("1")).select_from(_MENTIONS).where(_MENTIONS.c.key == _OBSERVABLES.c.key, _IS_PUBLISHED)
    )
    more = more.limit(literal_column("1")).offset(literal_column(str(MOST_NAMINGS)))
    return select(_OBSERVABLES.c.key).where(among_keys(dialect, _OBSERVABLES.c.key, _KEYS), more.scalar_subquery().is_not(None))


def _oldest_contexts(_dialect: str) -> Any:
    # The oldest: whoever floods a value today takes it out of no story of yesterday.
    oldest = select(_MENTIONS.c.key, _MENTIONS.c.position, _MENTIONS.c.stix_id).where(
        _MENTIONS.c.key == bindparam("one", type_=LargeBinary), _IS_PUBLISHED
    )
    return _contexts(oldest.order_by(_MENTIONS.c.position).limit(literal_column(str(MOST_NAMINGS))).subquery("oldest"))


_CROWDED = Statement(_crowded)
_OLDEST_CONTEXTS = Statement(_oldest_contexts)
_CONTEXTS = Statement(lambda dialect: _contexts(_MENTIONS).where(among_keys(dialect, _MENTIONS.c.key, _KEYS), _IS_PUBLISHED))


def _wide(dialect: str) -> Any:
    """Which contexts tie more than any story has: they are lists, join nothing, and are not followed."""
    context = each_listed(dialect, bindparam("named"), String())
    return select(context).where(
        is_beyond(MOST_KEYS_A_CONTEXT, and_(_TIES.c.context_id == context, in_scope(_TIES.c.collection_id)))
    )


_WIDE = Statement(_wide)


def load_ties(scope: str, named: Values[str]) -> Program[set[str]]:
    """Load the reports and campaigns that some objects belong to."""
    return {context for (context,) in (yield _TIES_OF, {"scope": scope, "named": tuple(sorted(named))})}


_TIES_OF = Statement(
    lambda dialect: (
        select(_TIES.c.context_id)
        .where(in_scope(_TIES.c.collection_id), among_listed(dialect, _TIES.c.member_id, bindparam("named")))
        .distinct()
    )
)


def load_memberships(scope: str, keys: Values[bytes], contexts: Values[str]) -> Program[tuple[dict[bytes, str], set[bytes]]]:
    """Load the incidents of some values, and those that share one of some contexts, each with all its values.

    Returns:
        The incident of each value, and the values that are in none because several stories claim them.
    """
    members = (yield _TIED_TO, {"scope": scope, "named": tuple(sorted(contexts))}) if contexts else ()
    named = {*contexts, *(member for (member,) in members)}
    asked = {"scope": scope, "named": tuple(sorted(named))}
    companions = {bytes(key) for (key,) in (yield _NAMED_VALUES, asked)} if named else set()
    above = yield from find_above(scope, companions)
    memberships = dict((yield _MEMBERSHIPS, asked | join_keys({*keys, *above})))
    held = yield _HELD_BACK, {"scope": scope} | join_keys({*keys, *companions, *above})
    return memberships, {key for key, reason in held if reason == SHARED_BY_STORIES}


_TIED_TO = Statement(
    lambda dialect: (
        select(_TIES.c.member_id)
        .where(in_scope(_TIES.c.collection_id), among_listed(dialect, _TIES.c.context_id, bindparam("named")))
        .distinct()
    )
)


def _memberships(dialect: str) -> Any:
    here = _MEMBERS.alias("here")
    within = here.c.scope == _SCOPE
    themselves = select(here.c.incident_id).where(within, among_keys(dialect, here.c.key, _KEYS))
    companions = (
        select(here.c.incident_id)
        .join_from(_OBJECTS, _MENTIONS, mentions_of(_OBJECTS))
        .join(here, and_(within, here.c.key == _MENTIONS.c.key))
        .where(named_in_scope(dialect))
    )
    ids = union(themselves, companions).subquery("touched")
    return select(_MEMBERS.c.key, _MEMBERS.c.incident_id).where(
        _MEMBERS.c.scope == _SCOPE, _MEMBERS.c.incident_id.in_(select(ids.c.incident_id))
    )


_MEMBERSHIPS = Statement(_memberships)


_NAMED_VALUES = Statement(
    lambda dialect: (
        select(_MENTIONS.c.key).join_from(_OBJECTS, _MENTIONS, mentions_of(_OBJECTS)).where(named_in_scope(dialect)).distinct()
    )
)
_HELD_BACK = Statement(
    lambda dialect: select(_HELD.c.key, _HELD.c.reason).where(_HELD.c.scope == _SCOPE, among_keys(dialect, _HELD.c.key, _KEYS))
)


def load_names(scope: str, contexts: Values[str]) -> Program[dict[str, tuple[Tlp, str]]]:
    """Load what some reports, campaigns and malware are called, where the scope holds them, and how the name is marked.

    What stands in several collections goes by the mildest of these, so that it is the same whatever came first.
    """
    names: dict[str, tuple[Tlp, str]] = {}
    if not contexts:
        return names
    for stix_id, marking, body in (yield _NAMES, {"scope": scope, "named": tuple(sorted(contexts))}):
        name = read_name(body)
        if name is not None:
            told = Tlp(marking), name
            names[stix_id] = min(told, names.get(stix_id, told))
    return names


_NAMES = Statement(lambda dialect: select(_OBJECTS.c.stix_id, _OBJECTS.c.marking, _OBJECTS.c.body).where(named_in_scope(dialect)))
