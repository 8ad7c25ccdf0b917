"""Companions: values that came to the same countries at the same times, and so belong together though nobody says so.

What reports name is told by stories. What is only ever seen, or named alone, has one more witness: when it came where. Two
values that came to two countries at the same two moments moved as one. So a value that no story tells of joins the story that
its companions are in; it never joins two stories to one another. Those that are only ever seen, and whose companions no story
tells of either, make stories of their own, compared as wholes like any others. A moment at which a country met more than it could
tell apart says nothing.
"""

from collections import Counter
from collections.abc import Collection as Values
from collections.abc import Hashable, Mapping
from typing import TypeVar

from regcert.clock import HOUR_US
from regcert.correlation.stories import tell_stories

TOGETHER_US = 12 * HOUR_US  # a shift: what one team enters in a day's work, and crews do not part within
LEAST_MOMENTS = 2  # countries at which both came together: one such moment is what any two values of a busy day have
MOST_A_MOMENT = 64  # values that a country met within the time; whoever floods it takes its word, and only its word, away
JOINS = 0.8  # of the companions that a story tells of, in one story: when it came is a weaker word than a report, so more of it

Label = TypeVar("Label", bound=Hashable)


def find_story(companions: Values[bytes], stories: Mapping[bytes, Label]) -> Label | None:
    """Find the story that most companions of a value are in: four of five, or none.

    Args:
        companions: values that it came with.
        stories: which story each value is in that one tells of.
    """
    votes = Counter(stories[other] for other in companions if other in stories)
    if not votes:
        return None
    [(story, most)] = votes.most_common(1)
    return story if most >= JOINS * votes.total() else None


def tell_free(companions: Mapping[bytes, set[bytes]]) -> tuple[frozenset[bytes], ...]:
    """Make stories of values whose companions no story tells of: each names those it came with.

    Args:
        companions: of each such value; what is no key here counts for nothing.

    Returns:
        Each key in one cluster; what several of these claim is alone.
    """
    contexts: dict[bytes, set[str]] = {key: set() for key in companions}
    for key, others in companions.items():
        for one in (key, *(other for other in others if other in contexts)):
            contexts[one].add(key.hex())
    told = tell_stories({key: frozenset(named) for key, named in contexts.items()}, {})
    return (*told.clusters, *(frozenset({key}) for key in told.shared))
