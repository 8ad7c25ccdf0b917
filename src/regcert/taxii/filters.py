"""The filters of a TAXII query: `added_after`, `limit`, `next` and `match[...]`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from regcert.errors import Code, Refusal
from regcert.stix.timestamps import read_timestamp

PAGE_OBJECTS = 1000
MAX_LIMIT = 10_000
MAX_VALUES = 1000
MAX_TYPES = 100
_FIELDS = frozenset({"added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]"})


@dataclass(frozen=True, slots=True)
class Versions:
    """Which versions of an object a query asks for.

    Args:
        latest: the newest among what else matches.
        earliest: the oldest among what else matches.
        exact_us: those with exactly these instants.
        every: all of them.
    """

    latest: bool = True
    earliest: bool = False
    exact_us: tuple[int, ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """What a query asks for; None where it does not ask.

    Args:
        added_after_us: only what was added later than this, exclusive.
        ids: only these objects.
        types: only these types.
        spec_versions: only these versions of STIX.
        versions: which versions of an object; unasked, the newest.
    """

    added_after_us: int | None = None
    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    spec_versions: tuple[str, ...] | None = None
    versions: Versions | None = None

    def over(self, carried: "Filters") -> "Filters":
        """Fill in what this query does not ask from what its cursor carries."""
        return Filters(
            carried.added_after_us if self.added_after_us is None else self.added_after_us,
            carried.ids if self.ids is None else self.ids,
            carried.types if self.types is None else self.types,
            carried.spec_versions if self.spec_versions is None else self.spec_versions,
            carried.versions if self.versions is None else self.versions,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the answer a query wants.

    Args:
        limit: at most this many objects, 1 to MAX_LIMIT.
        next: the cursor it brought, or None.
    """

    limit: int
    next: str | None


def read_query(pairs: Sequence[tuple[str, str]], page_objects: int = PAGE_OBJECTS) -> tuple[Filters, Page]:
    """Read the query of a GET on objects, an object, its versions or the manifest.

    Fields that TAXII does not know are ignored; a known one may stand once. A limit beyond ours is cut to ours, as the
    standard allows.

    Args:
        pairs: decoded names and values, in the order of the query.
        page_objects: how many objects somebody gets who names no limit.

    Raises:
        Refusal: MALFORMED_REQUEST, naming the field.

    Spec: TAXII 2.1 §3.4 (filtering), §3.5 (pagination)
    """
    counted = Counter(name for name, _ in pairs if name in _FIELDS)
    for name, times in counted.items():
        if times > 1:
            raise Refusal(Code.MALFORMED_REQUEST, f"'{name}' stands {times} times; give it once, values parted by commas")
    query = dict(pairs)
    filters = Filters(
        added_after_us=_read_added_after(query.get("added_after")),
        ids=_read_values(query, "match[id]"),
        types=_read_values(query, "match[type]", MAX_TYPES),
        spec_versions=_read_values(query, "match[spec_version]"),
        versions=_read_versions(query.get("match[version]")),
    )
    return filters, Page(read_limit(query.get("limit"), page_objects, MAX_LIMIT), query.get("next") or None)


def _read_added_after(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        # Nothing was added before 1970, which is place 0: clients that want everything ask for any year they like.
        return max(read_timestamp(text), 0)
    except Refusal as refusal:
        raise Refusal(Code.MALFORMED_REQUEST, f"'added_after' is {refusal.message}") from refusal


def read_limit(text: str | None, usual: int, most: int) -> int:
    """Read how much somebody wants of a list.

    Args:
        text: as it stands in the query, or None.
        usual: what they get who do not say.
        most: what nobody gets more than.

    Raises:
        Refusal: MALFORMED_REQUEST.
    """
    if text is None:
        return usual
    # isdecimal() takes Arabic digits, and int() takes blanks and underscores: neither is a number in TAXII.
    if not (text.isascii() and text.isdigit()) or not text.lstrip("0"):
        raise Refusal(Code.MALFORMED_REQUEST, "'limit' must be a whole number from 1")
    digits = text.lstrip("0")  # before int(), which refuses a number of thousands of digits, also of zeros
    return most if len(digits) > 9 else min(int(digits), most)


def _read_values(query: dict[str, str], field: str, most: int = MAX_VALUES) -> tuple[str, ...] | None:
    if field not in query:
        return None
    values = tuple(dict.fromkeys(value.strip() for value in query[field].split(",")))
    if len(values) > most:
        raise Refusal(Code.MALFORMED_REQUEST, f"'{field}' takes at most {most} values; ask in several requests")
    return values


def _read_versions(text: str | None) -> Versions | None:
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if len(words) > MAX_VALUES:
        raise Refusal(Code.MALFORMED_REQUEST, f"'match[version]' takes at most {MAX_VALUES} values")
    if "all" in words and len(set(words)) > 1:
        raise Refusal(Code.MALFORMED_REQUEST, "'match[version]=all' stands alone: it includes every other value")
    exact: list[int] = []
    for word in words:
        if word not in {"all", "first", "last"}:
            try:
                exact.append(read_timestamp(word))
            except Refusal as refusal:
                raise Refusal(
                    Code.MALFORMED_REQUEST, "'match[version]' takes all, first, last or the timestamp of a version"
                ) from refusal
    return Versions("last" in words, "first" in words, tuple(exact), "all" in words)
