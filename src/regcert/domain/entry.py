"""One table of a region file: what may stand in it, and the sentence for each way to get it wrong."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from regcert.domain.collection import STIX_MEDIA_TYPE
from regcert.errors import Code, Refusal

MOST_MEDIA_TYPES = 20
_MOST_ENTRIES = 1000
_GRID_SIDE = 20
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,59}/[a-z0-9][a-z0-9.+-]{0,59}(;[a-z]{1,20}=[A-Za-z0-9.+-]{1,40}){0,3}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the file; every reading of it refuses with INVALID_REGION.

    Args:
        label: what to call it before a person.
        table: its keys and values as they stand in the file.
    """

    label: str
    table: Mapping[str, object]

    def refusal(self, sentence: str) -> Refusal:
        """Make the refusal that says what is wrong here."""
        return Refusal(Code.INVALID_REGION, f"{self.label}: {sentence}")

    def require_keys(self, required: str, optional: str = "") -> None:
        """Refuse the table where a key is missing, or one is unknown; keys parted by blanks."""
        missing = [key for key in required.split() if key not in self.table]
        if missing:
            raise self.refusal(f"add {missing[0]!r}")
        unknown = sorted(self.table.keys() - {*required.split(), *optional.split()})
        if unknown:
            raise self.refusal(f"remove or correct {unknown[0][:40]!r}, no such key is known here")

    def text(self, key: str, shape: re.Pattern[str], wanted: str = "one line of text, not too long") -> str:
        """Read a text of a shape; `wanted` says in words what the shape is."""
        value = self.table[key]
        if not isinstance(value, str) or shape.fullmatch(value) is None:
            raise self.refusal(f"{key!r} must be {wanted}")
        return value

    def optional_text(self, key: str, shape: re.Pattern[str], wanted: str) -> str:
        """Read a text that may be left out, which makes it empty."""
        return self.text(key, shape, wanted) if key in self.table else ""

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """Read one word of a closed list."""
        known = tuple(choices)
        value = self.table[key]
        if not isinstance(value, str) or value not in known:
            raise self.refusal(f"{key!r} must be one of {', '.join(known)}")
        return value

    def flag(self, key: str, *, usual: bool) -> bool:
        """Read a yes or no that may be left out."""
        value = self.table.get(key, usual)
        if not isinstance(value, bool):
            raise self.refusal(f"{key!r} must be true or false")
        return value

    def whole(self, key: str, least: int, most: int, *, usual: int) -> int:
        """Read a whole number that may be left out."""
        value = self.table.get(key, usual)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.refusal(f"{key!r} must be a whole number from {least} to {most}")
        return value

    def tile_side(self, key: str) -> int:
        """Read a row or column of the grid, from 1."""
        value = self.table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _GRID_SIDE:
            raise self.refusal(f"{key!r} must be a whole number from 1 to {_GRID_SIDE}")
        return value

    def audience(self, key: str) -> tuple[str, ...] | Literal["all"]:
        """Read who may: `all`, or the slugs of some teams."""
        value = self.table[key]
        if value == "all":
            return "all"
        if not isinstance(value, list) or not 1 <= len(value) <= _MOST_ENTRIES:
            raise self.refusal(f'{key!r} must be "all" or a list with at least one team')
        slugs = tuple(slug for slug in value if isinstance(slug, str))
        if len(set(slugs)) != len(value):
            raise self.refusal(f"{key!r} must name every team once, by its slug")
        return slugs

    def media_types(self, key: str) -> tuple[str, ...]:
        """Read a list of media types that may be left out; STIX 2.1 comes first, named or not."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or (key in self.table and not 1 <= len(value) <= MOST_MEDIA_TYPES):
            raise self.refusal(f"{key!r} must be a list of 1 to {MOST_MEDIA_TYPES} media types, or left out for STIX 2.1")
        read = tuple(one for one in value if isinstance(one, str) and _MEDIA_TYPE.fullmatch(one))
        if len(set(read)) != len(value):
            raise self.refusal(f"{key!r} must name every media type once, in lower case and without blanks")
        return (STIX_MEDIA_TYPE, *(one for one in read if one != STIX_MEDIA_TYPE))

    def table_at(self, key: str) -> "Entry":
        """Read a table within this one."""
        value = self.table[key]
        if not isinstance(value, Mapping):
            raise self.refusal(f"write {key!r} as one table, [{key}]")
        return Entry(f"[{key}]", value)

    def entries(self, key: str, noun: str) -> "tuple[Entry, ...]":
        """Read a list of tables that may be left out; `noun` names each before a person."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.refusal(f"write {key!r} as a list of tables, [[{key}]]")
        if key in self.table and not 1 <= len(value) <= _MOST_ENTRIES:
            raise self.refusal(f"{key!r} must hold 1 to {_MOST_ENTRIES} entries")
        return tuple(Entry(f"{noun} {_name_of(item, number)}", item) for number, item in enumerate(value, 1))


def _name_of(item: Mapping[str, object], number: int) -> str:
    name = item.get("slug", item.get("code"))
    return repr(name[:40]) if isinstance(name, str) else f"number {number}"
