"""Holdings: what the mentions of the ledger sum up to, by value, scope, team and origin; and how much was told on which day.

New mentions are added to the sums, and those whose mentions were superseded, withdrawn or deleted are summed up again from
nothing. Both are set operations that run inside the database.
"""

from collections.abc import Collection as Values
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    LargeBinary,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
)

from regcert.clock import DAY_US
from regcert.domain.submission import Vouched
from regcert.store.incident_tables import ActivityRow
from regcert.store.ledger import ScopedKey, Span, in_span, join_keys
from regcert.store.many import among_keys, insert_selected, larger, smaller
from regcert.store.programs import Program, Statement
from regcert.store.tables import CollectionRow, HoldingRow, MentionRow, ObjectRow, SightingRow, table

_MENTIONS = table(MentionRow)
_OBJECTS = table(ObjectRow)
_SIGHTINGS = table(SightingRow)
_COLLECTIONS = table(CollectionRow)
_HOLDINGS = table(HoldingRow)
_ACTIVITY = table(ActivityRow)

_TO: BindParameter[int] = bindparam("span_to", type_=BigInteger)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)


_IS_SIGNED = and_(_MENTIONS.c.said == "published", func.coalesce(_OBJECTS.c.vouched, "") == Vouched.SIGNED.value)


def fold_mentions(span: Span) -> Program[None]:
    """Add the mentions of a stretch to the holdings, and count by day of event what the teams told."""
    yield _FOLD, span.bounds
    yield _COUNT, span.bounds


def rebuild_holdings(values: Values[ScopedKey], end: int) -> Program[None]:
    """Sum up from nothing what is held of some values, as far as the ledger was read.

    What lies behind `end` is added when it is read; to count it here, too, would count it twice.
    """
    if values:
        asked = join_keys({key for _, key in values})
        yield _DROP, asked
        yield _SUM_UP, asked | {"span_to": end}


def _add_up(condition: ColumnElement[bool], dialect: str) -> Any:
    """Build the INSERT that adds mentions to the holdings; a mention counts while its object is the newest version."""
    # A report that is no object counts for ever.
    reported = exists().where(_SIGHTINGS.c.position == _MENTIONS.c.position, _OBJECTS.c.position.is_(None))
    in_force = or_(and_(_OBJECTS.c.position.is_not(None), _OBJECTS.c.superseded_by == 0), reported)
    # PostgreSQL refuses to touch a row twice in one statement. For SQLite, to sort first would be most of the work.
    sums = _rows() if dialect == "sqlite" else _sums()
    counted = (
        sums.join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .outerjoin(_OBJECTS, _OBJECTS.c.position == _MENTIONS.c.position)
        .where(condition, _MENTIONS.c.first_us.is_not(None), in_force)
    )
    new = insert_selected(dialect, _HOLDINGS, counted)
    held, more = _HOLDINGS.c, new.excluded
    return new.on_conflict_do_update(
        index_elements=[held.key, held.scope, held.team_id, held.origin],
        set_={
            "first_us": smaller(held.first_us, more.first_us),
            "last_us": larger(held.last_us, more.last_us),
            "published": or_(held.published, more.published),
            "positives": held.positives + more.positives,
            "negatives": held.negatives + more.negatives,
            "false_positive": or_(held.false_positive, more.false_positive),
            "marking": larger(held.marking, more.marking),
            "signed": or_(held.signed, more.signed),
        },
    )


def _rows() -> Select[Any]:
    said, count = _MENTIONS.c.said, _MENTIONS.c.count
    return select(
        _MENTIONS.c.key,
        _COLLECTIONS.c.scope,
        _MENTIONS.c.team_id,
        _MENTIONS.c.origin,
        _MENTIONS.c.first_us,
        _MENTIONS.c.last_us,
        (said == "published").label("published"),
        case((said == "positive", count), else_=0).label("positives"),
        case((said == "negative", count), else_=0).label("negatives"),
        (said == "false-positive").label("false_positive"),
        _MENTIONS.c.marking,
        _IS_SIGNED.label("signed"),
    )


def _sums() -> Select[Any]:
    said, count = _MENTIONS.c.said, _MENTIONS.c.count
    return select(
        _MENTIONS.c.key,
        _COLLECTIONS.c.scope,
        _MENTIONS.c.team_id,
        _MENTIONS.c.origin,
        func.min(_MENTIONS.c.first_us).label("first_us"),
        func.max(_MENTIONS.c.last_us).label("last_us"),
        func.bool_or(said == "published").label("published"),
        func.sum(case((said == "positive", count), else_=0)).label("positives"),
        func.sum(case((said == "negative", count), else_=0)).label("negatives"),
        func.bool_or(said == "false-positive").label("false_positive"),
        func.max(_MENTIONS.c.marking).label("marking"),
        func.bool_or(_IS_SIGNED).label("signed"),
    ).group_by(_MENTIONS.c.key, _COLLECTIONS.c.scope, _MENTIONS.c.team_id, _MENTIONS.c.origin)


_FOLD = Statement(partial(_add_up, in_span(_MENTIONS.c.position)))
_DROP = Statement(lambda dialect: delete(_HOLDINGS).where(among_keys(dialect, _HOLDINGS.c.key, _KEYS)))
_SUM_UP = Statement(
    lambda dialect: _add_up(and_(among_keys(dialect, _MENTIONS.c.key, _KEYS), _MENTIONS.c.position + 0 <= _TO), dialect)
)


def _count(dialect: str) -> Any:
    day = (_MENTIONS.c.first_us // DAY_US).label("day")
    published = case((_MENTIONS.c.said == "published", 1), else_=0)
    sums = (
        select(
            _COLLECTIONS.c.scope,
            day,
            _MENTIONS.c.team_id,
            func.sum(published).label("published"),
            func.sum(1 - published).label("sighted"),
        )
        .join(_COLLECTIONS, _COLLECTIONS.c.collection_id == _MENTIONS.c.collection_id)
        .where(in_span(_MENTIONS.c.position), _MENTIONS.c.first_us.is_not(None))
        .group_by(_COLLECTIONS.c.scope, day, _MENTIONS.c.team_id)
    )
    new = insert_selected(dialect, _ACTIVITY, sums)
    held, more = _ACTIVITY.c, new.excluded
    return new.on_conflict_do_update(
        index_elements=[held.scope, held.day, held.team_id],
        set_={"published": held.published + more.published, "sighted": held.sighted + more.sighted},
    )


_COUNT = Statement(_count)
