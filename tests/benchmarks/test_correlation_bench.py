"""The worlds that correlation is marked on are as planted, and the marks see what is wrong."""

from dataclasses import replace
from itertools import pairwise

import pytest
from benchmarks.correlation.__main__ import find, write_table
from benchmarks.correlation.baselines import match_exactly
from benchmarks.correlation.score import Figures, Found, mark
from benchmarks.correlation.world import TINY, Scale, World, make_world, shuffled

SMALL = replace(TINY, campaigns=6)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(7, SMALL)


def perfect(world: World) -> list[Found]:
    """What an oracle would find."""
    stories: dict[int, set[str]] = {}
    for value, campaign in world.truth.crossing.items():
        stories.setdefault(campaign, set()).add(value)
    orders = {one: tuple(sorted(came, key=lambda country: came[country])) for one, came in world.truth.arrivals.items()}
    return [Found(float(campaign), frozenset(values), orders[campaign]) for campaign, values in stories.items()]


def test_world_is_the_same_when_made_again(world):
    """Figures of two days can be compared only over the same world."""
    assert make_world(7, SMALL) == world
    assert make_world(8, SMALL).events != world.events
    assert sorted(map(id, shuffled(world, 1).events)) == sorted(map(id, world.events))
    assert all(one.at_us <= other.at_us for one, other in pairwise(world.events))


def test_oracle_gets_full_marks(world):
    """All that is asked for can be had."""
    marks = mark(perfect(world), world.truth)
    assert round(marks.rand, 9) == 1.0
    assert replace(marks, rand=1.0) == Figures(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0, 0, 0, 0.0)


def test_marks_fall_when_values_are_swapped(world):
    """Two values in each other's place cost precision and recall."""
    one, other, *rest = sorted(perfect(world), key=lambda found: -len(found.values))
    taken, given = min(one.values), min(other.values)
    swapped = [
        replace(one, values=one.values - {taken} | {given}),
        replace(other, values=other.values - {given} | {taken}),
        *rest,
    ]
    marks = mark(swapped, world.truth)
    assert marks.f1 < 1
    assert marks.precision < 1
    assert marks.rand < 1


def test_marks_see_each_planted_fault(world):
    """Merged, split, reversed, benign, copied and lonely incidents each show in a figure."""
    truth, right = world.truth, perfect(world)
    merged = [replace(right[0], values=frozenset().union(*(one.values for one in right)))]
    assert mark(merged, truth).precision < 0.7
    split = [replace(one, values=frozenset({value})) for one in right for value in one.values]
    assert mark(split, truth).recall == 0
    assert mark(split, truth).top < 1
    assert mark([replace(one, spread=one.spread[::-1]) for one in right], truth).tau == -1
    for wrong, name in ((truth.benign, "benign"), (truth.copies, "copied"), (truth.lone, "lone")):
        assert getattr(mark([*right, Found(1.0, frozenset(wrong), ("AL", "BA"))], truth), name) == 1


async def test_host_is_better_than_exact_matches(world):
    """A real host is told the world, and is marked beside what exact matches find."""
    tiny = make_world(3, Scale(**{name: getattr(TINY, name) for name in TINY.__slots__} | {"flood": 4}))
    ours, exact = (mark(found, tiny.truth) for found in (await find(tiny), match_exactly(tiny)))
    assert ours.f1 > exact.f1
    assert (ours.benign, ours.copied, ours.lone) == (0, 0, 0)
    assert "exact" in write_table([{"RegCERT": ours, "exact": exact}])
