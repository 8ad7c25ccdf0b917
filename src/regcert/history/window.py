"""The one expression: what a window of the history comes to, as far as more than one country holds it.

It says what `store/holdings.py` and `store/groups.py` say of the live state, in words that every engine understands. All of it is
counting over whole numbers, words and bytes, so that no engine can round, order or shift anything differently.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from regcert.history.extra import require_library

if TYPE_CHECKING:
    import ibis.expr.types as ir

LEAST_COUNTRIES = 2
_SUPPORTING = ("published", "positive")
_VALUE = ("scope", "key")
_NAMING = ("position", *_VALUE, "collection", "stix_id", "team", "origin", "count", "first_us", "last_us", "marking")

Keep = Callable[[str, "ir.Table"], "ir.Table"]


@dataclass(frozen=True, slots=True)
class Window:
    """A window of event time, both ends included; None leaves an end open.

    Args:
        since_us: what ended before this is left out.
        until_us: what began behind this is left out.
    """

    since_us: int | None = None
    until_us: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.since_us is None and self.until_us is None


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a window, as expressions: little, whatever the size of the history.

    Args:
        holdings: of every value that two countries hold, or that stands in one, summed by scope, value, team and origin.
        derivations: which value stands in which.
        mentions: which objects publish these values.
        objects: those objects, and what they belong to.
        ties: that they belong to it.
    """

    holdings: "ir.Table"
    derivations: "ir.Table"
    mentions: "ir.Table"
    objects: "ir.Table"
    ties: "ir.Table"


@dataclass(frozen=True, slots=True)
class Families:
    """How many values may stand in one that says anything through them.

    Args:
        most_of_named: in one that somebody published or saw itself.
        most_of_unnamed: in any other.
    """

    most_of_named: int
    most_of_unnamed: int


def regroup_window(tables: Mapping[str, "ir.Table"], window: Window, families: Families, keep: Keep) -> Remainder:
    """Express what a window comes to.

    1. A mention counts while its place is in force.
    2. A value counts if teams of two countries publish or saw it, or what stands in it, within the window.
    3. What is said of such values is summed up; a row that stands in the history twice counts once.
    4. What publishes them, and what that belongs to, is what joins them.

    Args:
        tables: the history's, by name.
        window: what to count.
        families: what stands in a value counts if it is no more than this.
        keep: counts a part of the expression that others are built on, under a name.
    """
    gone = tables["gone"].select(position="was").distinct()
    in_force = tables["mentions"].anti_join(gone, "position")  # 1
    dated = in_force.filter(in_force.first_us.notnull()).filter(lambda one: _is_within(one, window))
    supporting = dated.filter(dated.said.isin(_SUPPORTING)).select(*_VALUE, "country").distinct()  # 2
    derivations = _derive(dated, supporting, families)
    through = derivations.inner_join(supporting, [("scope", "scope"), ("child", "key")])
    reached = (
        supporting.union(through.select("scope", "country", key="parent")[supporting.columns])
        .group_by(*_VALUE)
        .agg(countries=lambda one: one.country.nunique())
    )
    crossing = keep("crossing", reached.filter(reached.countries >= LEAST_COUNTRIES).select(*_VALUE))
    derivations = keep("derivations", derivations.semi_join(crossing, [("scope", "scope"), ("parent", "key")]))
    wanted = keep("wanted", crossing.union(derivations.select("scope", key="child")).distinct())
    published = in_force.filter(in_force.said == "published").filter(lambda one: one.first_us.isnull() | _is_within(one, window))
    naming = keep("naming", published.semi_join(wanted, _VALUE).select(*_NAMING).distinct())  # 4
    objects = tables["objects"].anti_join(gone, "position")
    ties = tables["ties"].anti_join(gone, "position").semi_join(naming, [("scope", "scope"), ("member_id", "stix_id")])
    ties = keep("tied", ties.distinct())
    around = objects.semi_join(ties, [("scope", "scope"), ("stix_id", "context_id")])
    tying = objects.semi_join(ties, "position")
    return Remainder(
        holdings=_sum_up(dated.semi_join(wanted, _VALUE)),
        derivations=derivations,
        mentions=naming,
        objects=objects.semi_join(naming, "position").union(around, tying).distinct(),
        ties=ties,
    )


def _derive(dated: "ir.Table", supporting: "ir.Table", families: Families) -> "ir.Table":
    """Find which values stand in which; a parent of too many children says nothing, as `store/derived.py` has it."""
    links = dated.select("scope", "parent", child="key").union(dated.select("scope", parent="grandparent", child="key"))
    links = links.filter(links.parent.notnull()).distinct()
    sizes = links.group_by("scope", "parent").agg(size=links.count())
    few = sizes.filter(sizes.size <= families.most_of_unnamed)
    named = sizes.filter(sizes.size <= families.most_of_named).semi_join(supporting, [("scope", "scope"), ("parent", "key")])
    return links.semi_join(few.union(named).select("scope", "parent").distinct(), ["scope", "parent"])


def _sum_up(mentions: "ir.Table") -> "ir.Table":
    """Sum up what each team says of each value through each origin, as `store/holdings.py` does."""  # 3
    ibis = require_library("ibis")
    once = mentions.select(
        "position", *_VALUE, "kind", "value", "team", "origin", "said", "count", "first_us", "last_us", "marking", "signed"
    ).distinct()

    def count(said: str) -> Any:
        return ibis.ifelse(once.said == said, once["count"], 0).sum()

    return once.group_by(*_VALUE, "kind", "value", "team", "origin").agg(
        first_us=once.first_us.min(),
        last_us=once.last_us.max(),
        published=(once.said == "published").any(),
        positives=count("positive"),
        negatives=count("negative"),
        false_positive=(once.said == "false-positive").any(),
        marking=once.marking.max(),
        signed=once.signed.any(),
    )


def _is_within(mentions: "ir.Table", window: Window) -> Any:
    ibis = require_library("ibis")
    within = ibis.literal(True)
    if window.since_us is not None:
        within &= mentions.last_us >= window.since_us
    if window.until_us is not None:
        within &= mentions.first_us <= window.until_us
    return within


def name_rows(expression: "ir.Table", rows: Iterator[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Give the columns of an expression's rows their names."""
    names = expression.columns
    return (dict(zip(names, row, strict=True)) for row in rows)
