"""Let values that no story tells of join those that they came with."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from regcert.correlation.companions import find_story, tell_free
from regcert.correlation.stories import Keys, Told
from regcert.flows.gather import Around
from regcert.store.arrivals import Trail, find_companions, find_untold, load_trails, replace_trails
from regcert.store.programs import Program

# How many values without a story are looked at for one change: a longer chain of them is a day on which all met all.
MOST_JOINED_ANEW = 1_000
# Nothing is known of it yet: it stays where it is until it is told anew.
_UNKNOWN = Trail(True, ())
_LOOSE = Trail(False, ())

_LOG = logging.getLogger("regcert.correlation")
Came = tuple[tuple[str, int], ...]
# A story goes by the incident that it is, or where it was told just now by the smallest of its values.
Label = str | bytes


@dataclass(slots=True)
class _Joining:
    """Values that no story tells of, with their companions, and the stories of those that one tells of."""

    scope: str
    around: Around
    told_anew: AbstractSet[bytes]
    stories: dict[bytes, Label]
    companions: dict[bytes, set[bytes]] = field(default_factory=dict)

    def look(self, fresh: set[bytes]) -> Program[None]:
        """Find the companions of some values, and of those that they may make a story with."""
        while fresh:
            self.companions |= {key: set() for key in fresh}
            near = set()
            for key, other, is_told in (yield from find_companions(self.scope, fresh)):
                self.companions[key].add(other)
                if is_told and other not in self.told_anew:
                    near.add(other)
            yield from self.around.load_incidents(self.scope, (fresh | near) - self.told_anew - self.stories.keys())
            self.stories |= {key: self.around.previous[key] for key in near if key in self.around.previous}
            following = _all(self.companions[key] for key in fresh if self._is_free(key))
            mates = yield from self._find_mates(fresh)
            fresh = (following | mates) - self.companions.keys() - self.stories.keys() - near
            room = max(MOST_JOINED_ANEW - len(self.companions), 0)
            if len(fresh) > room:
                _LOG.warning("too much came at the same times: %d values wait until they are touched again", len(fresh) - room)
                fresh = set(sorted(fresh)[:room])

    def _find_mates(self, keys: set[bytes]) -> Program[set[bytes]]:
        """Find what is in one incident with some values, and no story tells of either."""
        previous = self.around.previous
        theirs = {previous[key] for key in keys - self.told_anew if key in previous}
        mates = {key for key, one in previous.items() if one in theirs} - keys - self.told_anew
        trails = yield from load_trails(self.scope, mates)
        return {key for key, trail in trails.items() if not trail.told}

    def _is_free(self, key: bytes) -> bool:
        """Tell whether a value may make a story with others like it: nobody names it, and nothing that came with it is told of.

        Who publishes values one by one on one day has said that they are not one story.
        """
        return not self.around.contexts[key] and self.companions[key].isdisjoint(self.stories)

    def arrange(self, told: Told) -> tuple[Keys, ...]:
        """Make clusters of what was told anew, of what joined it, and of what stays."""
        members: defaultdict[Label, set[bytes]] = defaultdict(set)
        for cluster in told.clusters:
            if len(cluster) > 1 or cluster.isdisjoint(self.companions):
                members[min(cluster)] |= cluster
        for key, one in self.around.previous.items():
            if key not in self.told_anew and key not in self.companions:
                members[one].add(key)
        free = {}
        for key, others in self.companions.items():
            if self._is_free(key):
                free[key] = others
            else:
                members[find_story(others, self.stories) or key].add(key)
        return tuple(sorted((*map(frozenset, members.values()), *tell_free(free)), key=min))


def join_companions(
    scope: str, around: Around, told_anew: AbstractSet[bytes], told: Told, came: Mapping[bytes, Came | None]
) -> Program[tuple[Keys, ...]]:
    """Write down when values came where, and let those that no story tells of join those that they came with.

    What a value joins depends on where its companions are. So all that came near something whose time or story has changed is
    looked at again, and the outcome is the same whatever came first.

    Args:
        scope: within which audience.
        around: what was gathered; what else is needed is added.
        told_anew: the values that were told anew.
        told: their stories.
        came: when each of some values came where, None for one that does not cross; others came as they did.

    Returns:
        The clusters of all values around that cross.
    """
    stories: dict[bytes, Label] = {key: min(one) for one in told.clusters if len(one) > 1 for key in one}
    before = yield from load_trails(scope, came.keys())
    now = {
        key: Trail(key in stories if key in told_anew else before.get(key, _UNKNOWN).told, when)
        for key, when in came.items()
        if when is not None
    }
    moved = {key for key in came if before.get(key) != now.get(key)}
    changed = moved | _retold(told, {key: one for key, one in around.previous.items() if key in told_anew}, before)
    # Where it came and where it comes, both before the change and behind it: many at once may make a crowd, or end one.
    moments = {moment for trails in (before, now) for key in changed & trails.keys() for moment in trails[key].came_us}
    asked = yield from find_untold(scope, moments)
    yield from replace_trails(scope, moved & before.keys(), {key: now[key] for key in moved & now.keys()})
    asked |= yield from find_untold(scope, moments)
    lone = {key for one in told.clusters if len(one) == 1 for key in one}
    asked = {key for key in asked | lone | moved if (key not in came or key in now) and not now.get(key, _LOOSE).told}
    joining = _Joining(scope, around, told_anew, stories)
    yield from joining.look(asked)
    return joining.arrange(told)


def _retold(told: Told, previous: Mapping[bytes, str], before: Mapping[bytes, Trail]) -> set[bytes]:
    """Find the values of stories that are not what they were: what came with them may join another one."""
    former: defaultdict[str, set[bytes]] = defaultdict(set)
    for key, one in previous.items():
        if before.get(key, _LOOSE).told:
            former[one].add(key)
    return _all({one for one in told.clusters if len(one) > 1} ^ set(map(frozenset, former.values())))


def _all(sets: Iterable[AbstractSet[bytes]]) -> set[bytes]:
    return set[bytes]().union(*sets)
