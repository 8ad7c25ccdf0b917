"""Stories: which values belong together, though reports overlap, quote each other and share what everybody uses.

What names several values (a report, a pattern, a campaign) is a context. To join whatever shares a context would join a region:
rented hosting is in many stories, and so are digests, block lists and families of malware that anybody can buy. So contexts are
compared as wholes. Two that name much the same tell one story; a value belongs to the story that most teams' contexts tell
of it; a value that several stories claim is shared and joins nothing; a context that mixes stories tells none. What was found
shared or mixed is then left out, and all of it is done again.

Nothing depends on order: contexts are told apart by what they name. A team that says a thing ten times is heard once (law 7).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from regcert.correlation.cluster import MOST_KEYS_A_CONTEXT

ROUNDS = 4  # what is shared shows once the stories do, and the stories once it is left out; a fifth round changes little
LEAST_SHARED = 2  # one value in common may be chance, hosting or a slip
ALIKE = 0.25  # of all that two contexts name, named by both: two teams that each saw 40 % of one story still have as much
STRICTLY_ALIKE = 0.33  # in the first round, when a digest may still stand between two stories and look like both
HELD_BY = 0.5  # of what a context names, in a story that several told: then it is one more telling of it
OWNED = 0.65  # of the votes on a value, for one story: two of three
MIXED = 0.7  # of what a context names, in one story: below that it tells of several
FEW = 4  # a pattern of so few values inside a report is a part of what the report says
FLAT = 6  # a context of fewer values than this weighs no more than one of so many: to name little is no merit
ESTABLISHED = 3  # values that make a story firm enough to claim one against another
NEIGHBOURS = 32  # contexts of one value that each is compared with, so that a value of a thousand reports costs no million looks

# What people name a single story by, and what many stories have in common.
_TELLING = ("campaign--", "incident--")
_COMMON = ("malware--", "intrusion-set--")

Keys = frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Told:
    """How values fall into stories.

    Args:
        clusters: the stories, disjoint, ordered by their smallest key; a value that nothing joins is alone.
        shared: values that several stories claim, and that are in none.
    """

    clusters: tuple[Keys, ...]
    shared: Keys


@dataclass(slots=True)
class _Context:
    """All contexts that name the same values, once what is shared is left out."""

    core: Keys
    authors: set[str] = field(default_factory=set)
    named: set[bytes] = field(default_factory=set)
    is_telling: bool = False


@dataclass(slots=True)
class _Story:
    """Contexts that tell of the same."""

    contexts: list[_Context]
    values: set[bytes]

    @property
    def is_firm(self) -> bool:
        """Whether several told it, or somebody gave it a name."""
        return len(self.contexts) > 1 or any(one.is_telling or len(one.authors) > 1 for one in self.contexts)

    @property
    def place(self) -> tuple[int, list[bytes]]:
        """Where it stands among others, whatever came first."""
        return len(self.values), sorted(self.values)

    def take(self, other: "_Story") -> None:
        self.contexts += other.contexts
        self.values |= other.values


def tell_stories(contexts: Mapping[bytes, frozenset[str]], authors: Mapping[str, str]) -> Told:
    """Tell which values belong together.

    Args:
        contexts: for each key the ids of what names it: reports, groupings, campaigns, malware, indicators.
        authors: whose word a context is, where known; a context of no known author speaks for itself.

    Returns:
        Each key in one cluster or among what is shared.
    """
    named: defaultdict[str, set[bytes]] = defaultdict(set)
    for key, ids in contexts.items():
        for one in ids:
            named[one].add(key)
    wide = {one: frozenset(keys) for one, keys in named.items() if 1 < len(keys) <= MOST_KEYS_A_CONTEXT}
    shared: frozenset[bytes] = frozenset()
    mixed: frozenset[str] = frozenset()
    for turn in range(ROUNDS):
        stories = _join(_gather(wide, authors, shared, mixed), ALIKE if turn else STRICTLY_ALIKE)
        owners, claims = _vote(stories)
        firm = {index for index, size in Counter(owners.values()).items() if size >= ESTABLISHED}
        claimed = frozenset(key for key, by in claims.items() if by & firm)
        found = frozenset(one for one, keys in wide.items() if not one.startswith(_TELLING) and _is_mixed(keys, owners))
        if (claimed, found) == (shared, mixed):
            break
        shared, mixed = claimed, found
    loose = {key: by for key, by in claims.items() if key not in claimed}
    return Told(_settle(contexts.keys() - claimed, stories, owners, loose), claimed)


def _gather(wide: Mapping[str, Keys], authors: Mapping[str, str], shared: Keys, mixed: frozenset[str]) -> list[_Context]:
    """Put contexts that name the same into one, without what is known to join nothing."""
    gathered: dict[Keys, _Context] = {}
    for one, keys in wide.items():
        core = keys - shared
        if len(core) < 2 or one in mixed or one.startswith(_COMMON):
            continue
        context = gathered.setdefault(core, _Context(core))
        context.authors.add(authors.get(one, one))
        context.named |= keys
        context.is_telling |= one.startswith(_TELLING)
    around = _by_value(gathered)
    return [one for one in gathered.values() if not _is_part(one, around)]


def _by_value(cores: Iterable[Keys]) -> Mapping[bytes, set[Keys]]:
    found: defaultdict[bytes, set[Keys]] = defaultdict(set)
    for core in cores:
        for key in core:
            found[key].add(core)
    return found


def _is_part(context: _Context, around: Mapping[bytes, set[Keys]]) -> bool:
    if context.is_telling or len(context.core) > FEW:
        return False
    return len(set.intersection(*(around[key] for key in context.core))) > 1


def _join(contexts: Iterable[_Context], least: float) -> list[_Story]:
    """Join what is alike, the most alike first, until nothing is; then give firm stories what they hold most of."""
    stories = [_Story([one], set(one.core)) for one in contexts]
    while pairs := _closest(stories := sorted(stories, key=lambda one: one.place), least):
        for one, other in pairs:
            stories[one].take(stories[other])
        gone = {other for _, other in pairs}
        stories = [story for index, story in enumerate(stories) if index not in gone]
    while joined := _find_homes(stories := sorted(stories, key=lambda one: one.place)):
        for index, home in joined.items():
            stories[home].take(stories[index])
        stories = [story for index, story in enumerate(stories) if index not in joined]
    return stories


def _closest(stories: list[_Story], least: float) -> list[tuple[int, int]]:
    """Find the pairs that are each other's closest, among those that are alike."""
    both: Counter[tuple[int, int]] = Counter()
    for at in _places(stories).values():
        for index, one in enumerate(at):
            both.update((one, other) for other in at[index + 1 : index + 1 + NEIGHBOURS])
    closest: dict[int, tuple[float, int]] = {}
    for (one, other), number in both.items():
        alike = number / (len(stories[one].values) + len(stories[other].values) - number)
        if number >= LEAST_SHARED and alike >= least:
            for here, there in ((one, other), (other, one)):
                closest[here] = min(closest.get(here, (0.0, 0)), (-alike, there))
    return [(one, other) for one, (_, other) in sorted(closest.items()) if one < other and closest[other][1] == one]


def _find_homes(stories: list[_Story]) -> dict[int, int]:
    """Find, for what was told once, the firm story that holds most of it; the tightest one where several do."""
    firm = {index for index, story in enumerate(stories) if story.is_firm}
    places = _places(stories)
    homes: dict[int, int] = {}
    for index, story in enumerate(stories):
        if index in firm:
            continue
        held = Counter(home for key in story.values for home in places[key] if home in firm)
        fitting = [
            (number / len(story.values | stories[home].values), -home)
            for home, number in held.items()
            if number >= LEAST_SHARED and number >= HELD_BY * len(story.values)
        ]
        if fitting:
            homes[index] = -max(fitting)[1]
    return homes


def _places(stories: list[_Story]) -> Mapping[bytes, list[int]]:
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, story in enumerate(stories):
        for key in story.values:
            places[key].append(index)
    return places


def _vote(stories: list[_Story]) -> tuple[dict[bytes, int], dict[bytes, set[int]]]:
    """Find the story of each value; where none has enough votes, those that claim it."""
    votes: defaultdict[bytes, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    for index, story in enumerate(stories):
        words: dict[tuple[bytes, str], float] = {}
        for context in story.contexts:
            weight = 1 / max(len(context.core), FLAT)
            for author in context.authors:
                for key in context.named:
                    words[key, author] = max(weight, words.get((key, author), 0.0))
        for (key, _), weight in sorted(words.items()):
            votes[key][index] += weight
    owners: dict[bytes, int] = {}
    claims: dict[bytes, set[int]] = {}
    for key, counted in votes.items():
        index, most = max(counted.items(), key=lambda item: (item[1], -item[0]))
        if most >= OWNED * sum(counted.values()):
            owners[key] = index
        else:
            claims[key] = set(counted)
    return owners, claims


def _is_mixed(keys: Keys, owners: Mapping[bytes, int]) -> bool:
    told = Counter(owners[key] for key in keys if key in owners)
    return len(told) > 1 and max(told.values()) < MIXED * told.total()


def _settle(
    keys: Iterable[bytes], stories: list[_Story], owners: Mapping[bytes, int], loose: Mapping[bytes, set[int]]
) -> tuple[Keys, ...]:
    """Make clusters. A value that small stories claim is no hub: it is what joins them."""
    sizes = Counter(owners.values())
    into = list(range(len(stories)))

    def find(index: int) -> int:
        while into[index] != index:
            index = into[index]
        return index

    home: dict[bytes, int] = dict(owners)
    for key, claiming in sorted(loose.items()):
        named = {owners[other] for index in claiming for other in stories[index].values if other in owners}
        small = sorted({find(index) for index in claiming | named if sizes[index] < ESTABLISHED})
        home[key] = small[0] if small else min(claiming)
        for index in small[1:]:
            into[index] = small[0]
    members: defaultdict[int | bytes, set[bytes]] = defaultdict(set)
    for key in keys:
        members[find(home[key]) if key in home else key].add(key)
    return tuple(sorted(map(frozenset, members.values()), key=min))
