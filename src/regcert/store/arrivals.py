"""When each value that crosses came to which country: what finds those that came together.

Only values that cross stand here, a row for each country with a word of its own. `told` are those that a story tells of; the
others may join one. Every look is bounded: what came in a moment of more than MOST_A_MOMENT values is not looked at.
"""

from collections.abc import Collection as Values
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
    union,
)

from regcert.correlation.companions import LEAST_MOMENTS, MOST_A_MOMENT, TOGETHER_US
from regcert.store.border_tables import ArrivalRow
from regcert.store.ledger import join_keys
from regcert.store.many import among_keys, each_listed
from regcert.store.programs import Insert, Program, Statement
from regcert.store.tables import table

_ARRIVALS = table(ArrivalRow)
_SCOPE: BindParameter[str] = bindparam("scope", type_=String)
_KEYS: BindParameter[bytes] = bindparam("keys", type_=LargeBinary)
_TOGETHER: ColumnElement[int] = literal_column(str(TOGETHER_US), BigInteger)


class Trail(NamedTuple):
    """When a value came where.

    Args:
        told: whether a story tells of it.
        came_us: the countries with the first time, Unix microseconds, ordered.
    """

    told: bool
    came_us: tuple[tuple[str, int], ...]


def load_trails(scope: str, keys: Values[bytes]) -> Program[dict[bytes, Trail]]:
    """Load the trails of some values as they were last written."""
    trails: dict[bytes, Trail] = {}
    if not keys:
        return trails
    for key, country, first_us, told in (yield _TRAILS, {"scope": scope} | join_keys(keys)):
        before = trails.get(key, Trail(bool(told), ()))
        trails[key] = Trail(bool(told), (*before.came_us, (country, first_us)))
    return trails


def replace_trails(scope: str, gone: Values[bytes], trails: Mapping[bytes, Trail]) -> Program[None]:
    """Write the trails of some values in the place of those that are gone."""
    if gone:
        yield _DROP, {"scope": scope} | join_keys(gone)
    if rows := [(scope, key, *came, trail.told) for key, trail in sorted(trails.items()) for came in trail.came_us]:
        yield _PUT, rows


def find_untold(scope: str, moments: Values[tuple[str, int]]) -> Program[set[bytes]]:
    """Find the values that no story tells of and that came to a country near a time: what else came then may concern them."""
    if not moments:
        return set()
    listed = tuple(f"{country}{first_us}" for country, first_us in sorted(moments))
    return {key for (key,) in (yield _UNTOLD, {"scope": scope, "moments": listed})}


def find_companions(scope: str, keys: Values[bytes]) -> Program[list[tuple[bytes, bytes, bool]]]:
    """Find what came with some values to enough countries: each pair once, with whether a story tells of the other one."""
    if not keys:
        return []
    return [(key, other, bool(told)) for key, other, told in (yield _COMPANIONS, {"scope": scope} | join_keys(keys))]


_TRAILS = Statement(
    lambda dialect: (
        select(_ARRIVALS.c.key, _ARRIVALS.c.country, _ARRIVALS.c.first_us, _ARRIVALS.c.told)
        .where(_ARRIVALS.c.scope == _SCOPE, among_keys(dialect, _ARRIVALS.c.key, _KEYS))
        .order_by(_ARRIVALS.c.key, _ARRIVALS.c.country)
    )
)
_DROP = Statement(
    lambda dialect: delete(_ARRIVALS).where(_ARRIVALS.c.scope == _SCOPE, among_keys(dialect, _ARRIVALS.c.key, _KEYS))
)
_PUT = Insert(_ARRIVALS)

_HERE = _ARRIVALS.alias("here")
_OTHER = _ARRIVALS.alias("other")


_EARLIER, _LATER = _HERE.c.first_us - _TOGETHER, _HERE.c.first_us + _TOGETHER


def _came(rows: Any, here: Any, since_us: ColumnElement[int], until_us: ColumnElement[int]) -> ColumnElement[bool]:
    """Ask for what came to the same country between two times."""
    return and_(rows.c.scope == here.c.scope, rows.c.country == here.c.country, rows.c.first_us.between(since_us, until_us))


def _is_few(most: int, here: Any, since_us: ColumnElement[int], until_us: ColumnElement[int]) -> ColumnElement[bool]:
    """Ask that no more than so many came there between two times: one look past the last of them."""
    crowd = _ARRIVALS.alias("crowd")
    beyond: Select[Any] = select(literal_column("1")).where(_came(crowd, here, since_us, until_us)).correlate(here)
    return beyond.limit(literal_column("1")).offset(literal_column(str(most))).scalar_subquery().is_(None)


_COMPANIONS = Statement(
    lambda dialect: (
        select(_HERE.c.key, _OTHER.c.key.label("other_key"), _OTHER.c.told)
        .join_from(_HERE, _OTHER, _came(_OTHER, _HERE, _EARLIER, _LATER))
        .where(_HERE.c.scope == _SCOPE, among_keys(dialect, _HERE.c.key, _KEYS), _OTHER.c.key != _HERE.c.key)
        .where(_is_few(MOST_A_MOMENT, _HERE, _EARLIER, _LATER))
        .group_by(_HERE.c.key, _OTHER.c.key, _OTHER.c.told)
        .having(func.count() >= literal_column(str(LEAST_MOMENTS)))
    )
)


def _untold(dialect: str) -> Any:
    """What came before and what came after are bounded apart, each by what one value more or less can make of a crowd.

    Whatever came in the same half of a time is itself in the middle of all of that half: if that is a crowd without this
    value, none of them had companions there, and none will have.
    """
    given = select(each_listed(dialect, bindparam("moments"), String()).label("moment")).subquery("given")
    # Two letters of the country, then the time. The scope hangs on them, too, or SQLite would begin with all that came anywhere.
    start, size = literal_column("1", Integer), literal_column("2", Integer)
    country = func.substr(given.c.moment, start, size, type_=String)
    first_us = cast(func.substr(given.c.moment, start + size, type_=String), BigInteger)
    scope = func.substr(given.c.moment, start, literal_column("0", Integer), type_=String).concat(_SCOPE)
    here = select(scope.label("scope"), country.label("country"), first_us.label("first_us")).subquery("moment")
    now_us = here.c.first_us
    halves = (
        select(_OTHER.c.key)
        .join_from(here, _OTHER, _came(_OTHER, here, *half))
        .where(~_OTHER.c.told, _is_few(MOST_A_MOMENT + 2, here, *half))
        for half in ((now_us - _TOGETHER, now_us), (now_us, now_us + _TOGETHER))
    )
    return union(*halves)


_UNTOLD = Statement(_untold)
