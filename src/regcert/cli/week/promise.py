"""The promise of the week: what was planted comes out, in its order, and nothing else does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regcert.cli.week.script import Story, Week

_Named = frozenset[tuple[str, str]]


def find_story(week: Week, incident: Mapping[str, Any]) -> Story | None:
    """Find the story that an incident tells: the one of whose values it holds most."""
    held = _values_in(incident)
    shares = {story.key: len(held & _values_of(week, story)) for story in week.stories}
    told = max(week.stories, key=lambda story: shares[story.key])
    return told if shares[told.key] else None


def find_faults(week: Week, incidents: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Find out how a list of incidents breaks the promise.

    Args:
        week: what was planted.
        incidents: all there are, as the API gives them.

    Returns:
        A sentence for each way in which it does; none where it is kept.
    """
    return tuple(_faults(week, incidents))


def _faults(week: Week, incidents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for story in week.stories:
        telling = [incident for incident in incidents if _values_in(incident) & _values_of(week, story)]
        if len(telling) != 1:
            yield f"“{story.title}” should be one incident and is {len(telling)}."
            continue
        order = tuple(arrival["country"] for arrival in telling[0]["countries"])
        if order != story.order:
            yield f"“{story.title}” should have spread {_way(story.order)} and did {_way(order)}."
        if missing := _values_of(week, story) - _values_in(telling[0]):
            yield f"“{story.title}” lacks {_list(missing)}."
    planted = frozenset[tuple[str, str]]().union(*(_values_of(week, story) for story in week.stories))
    if strays := frozenset[tuple[str, str]]().union(*map(_values_in, incidents)) - planted:
        yield f"No incident should hold {_list(strays)}."


def _values_of(week: Week, story: Story) -> _Named:
    observables = (week.values[name].observable for name in story.crossing)
    return frozenset((one.kind.value, one.value) for one in observables)


def _values_in(incident: Mapping[str, Any]) -> _Named:
    return frozenset((one["kind"], one["value"]) for one in incident["observables"])


def _way(countries: Sequence[str]) -> str:
    return " → ".join(countries)


def _list(values: _Named) -> str:
    shown = sorted(value for _, value in values)
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
