"""The tables of a history: their columns, in the order in which the store reads them.

Times and places are microseconds since the epoch, UTC, as whole numbers: a timestamp would be shifted by the time zone of
whichever engine reads it. `marking` is 0 for TLP:CLEAR up to 4 for TLP:RED.
"""

from typing import TYPE_CHECKING

from regcert.history.extra import require_library

if TYPE_CHECKING:
    import pyarrow as pa

_TEXT, _WORD, _NUMBER, _BYTES, _FLAG = "text", "word", "number", "bytes", "flag"

TABLES: dict[str, dict[str, str]] = {
    # That an object or a report says something of a value.
    "mentions": {
        "position": _NUMBER,
        "key": _BYTES,
        "kind": _WORD,
        "value": _TEXT,
        "scope": _WORD,
        "collection": _WORD,
        "stix_id": _TEXT,
        "team": _WORD,
        "country": _WORD,
        "team_kind": _WORD,
        "origin": _WORD,
        "said": _WORD,
        "count": _NUMBER,
        "first_us": _NUMBER,
        "last_us": _NUMBER,
        "marking": _NUMBER,
        "signed": _FLAG,
        # What the value stands in, by key, as the list of public suffixes was at the time of the export.
        "parent": _BYTES,
        "grandparent": _BYTES,
    },
    # The objects themselves, without their bodies.
    "objects": {
        "position": _NUMBER,
        "scope": _WORD,
        "collection": _WORD,
        "stix_id": _TEXT,
        "type": _WORD,
        "version_us": _NUMBER,
        "author": _WORD,
        "vouched": _WORD,
        "marking": _NUMBER,
        "team": _WORD,
        "name": _TEXT,
    },
    # That an object belongs to a report or a campaign, said by the object at this place.
    "ties": {
        "position": _NUMBER,
        "scope": _WORD,
        "collection": _WORD,
        "member_id": _TEXT,
        "context_id": _TEXT,
    },
    # Places that are in force no more from `position` on.
    "gone": {
        "position": _NUMBER,
        "was": _NUMBER,
    },
}


def find_schema(name: str) -> "pa.Schema":
    """Describe a table to Arrow; words that repeat are stored once each.

    Raises:
        Refusal: MISSING_EXTRA.
    """
    arrow = require_library("pyarrow")
    kinds = {
        _TEXT: arrow.string(),
        _WORD: arrow.dictionary(arrow.int32(), arrow.string()),
        _NUMBER: arrow.int64(),
        _BYTES: arrow.binary(),
        _FLAG: arrow.bool_(),
    }
    return arrow.schema([arrow.field(column, kinds[kind]) for column, kind in TABLES[name].items()])
