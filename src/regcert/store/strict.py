"""Whether what is about to be shown is strictly marked: one look into an index of nothing else."""

from typing import Any

from sqlalchemy import BigInteger, Integer, Select, bindparam, literal_column, select, text

from regcert.store.programs import Program, Statement
from regcert.store.tables import STRICT, ObjectRow, table

_OBJECTS = table(ObjectRow)
_HERE = _OBJECTS.c.collection_id == bindparam("collection", type_=Integer)
_BETWEEN = _OBJECTS.c.position.between(bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger))
_ONE: Select[Any] = select(literal_column("1")).where(_HERE, text(STRICT)).limit(1)
_AMONG = Statement(lambda _: _ONE.where(_BETWEEN))
_OF_ONE = Statement(lambda _: _ONE.where(_BETWEEN, _OBJECTS.c.stix_id == bindparam("stix_id")))


def holds_strict(collection_id: int, first: int, last: int, stix_id: str | None) -> Program[bool]:
    """Tell whether anything between two places of a collection is marked AMBER+STRICT or RED.

    Filters are not asked: a page of some types may be taken for strict because of an object of another type in between, and is
    noted once too often, never once too little.

    Args:
        collection_id: of which collection.
        first: the first place on the page.
        last: the last one.
        stix_id: of one object only, or None.
    """
    asked = {"collection": collection_id, "first": first, "last": last}
    if stix_id is None:
        rows = yield _AMONG, asked
    else:
        rows = yield _OF_ONE, asked | {"stix_id": stix_id}
    return bool(rows)
