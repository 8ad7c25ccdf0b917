"""`python -m benchmarks.correlation`: tell worlds to a real host, and print what it found beside what exact matches find."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from statistics import median
from time import monotonic

from benchmarks.correlation.baselines import MISP_LIMIT, match_exactly
from benchmarks.correlation.host import as_found, founded
from benchmarks.correlation.score import Figures, Found, mark
from benchmarks.correlation.throughput import measure_throughput
from benchmarks.correlation.world import FULL, TINY, Scale, World, make_world, shuffled

ORDERS = 3
REGCERT = "RegCERT"
BASELINES = {"exact matches": None, f"exact, limit {MISP_LIMIT}": MISP_LIMIT}


async def find(world: World) -> list[Found]:
    """Tell a world to a host of its own, and return what it found."""
    async with founded() as region:
        await region.tell(world)
        return as_found(await region.incidents())


async def measure(seed: int, scale: Scale, orders: int) -> tuple[dict[str, Figures], bool]:
    """Mark all answers to one world, and tell whether ours was the same in every order of arrival."""
    world = make_world(seed, scale)
    found = await find(world)
    marks = {REGCERT: mark(found, world.truth)}
    marks |= {name: mark(match_exactly(world, limit), world.truth) for name, limit in BASELINES.items()}
    others = [await find(shuffled(world, order)) for order in range(orders)]
    return marks, all(set(other) == set(found) for other in others)


def write_table(marked: Sequence[dict[str, Figures]]) -> str:
    """Write the medians over the worlds, a figure a line."""
    names = list(marked[0])
    lines = ["figure      " + "".join(f"{name:>18}" for name in names)]
    for figure in fields(Figures):
        values = (median(getattr(one[name], figure.name) for one in marked) for name in names)
        lines.append(f"{figure.name:<12}" + "".join(f"{value:>18.3f}" for value in values))
    return "\n".join(lines)


def main() -> None:
    """Measure, and print; the answer is 1 where the order of arrival made a difference."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.correlation", description="How good correlation is, on worlds that are known."
    )
    parser.add_argument("--seed", type=int, default=101, help="of the first world")
    parser.add_argument("--worlds", type=int, default=5, help="how many")
    parser.add_argument("--orders", type=int, default=ORDERS, help="how many other orders of arrival for each")
    parser.add_argument("--quick", action="store_true", help="one small world")
    parser.add_argument("--json", action="store_true", help="every world's figures, for a program")
    parser.add_argument("--throughput", action="store_true", help="how quickly correlation reads on, and nothing else")
    parser.add_argument("--holdings", type=int, default=10_000, help="what the host holds before, for --throughput")
    parser.add_argument("--sightings", type=int, default=20_000, help="how many are told to it, for --throughput")
    options = parser.parse_args()
    if options.throughput:
        figures = asyncio.run(measure_throughput(options.holdings, options.sightings, options.seed))
        print("\n".join(f"{name:<20}{figure:>14,.1f}" for name, figure in figures.items()))
        return
    scale, worlds = (TINY, 1) if options.quick else (FULL, options.worlds)
    marked, same = [], True
    for seed in range(options.seed, options.seed + worlds):
        began_s = monotonic()
        marks, is_same = asyncio.run(measure(seed, scale, options.orders))
        marked.append(marks)
        same &= is_same
        ours = marks[REGCERT]
        said = f"precision {ours.precision:.3f} recall {ours.recall:.3f} top {ours.top:.2f} tau {ours.tau:.3f}"
        order = f"in {options.orders} other orders {'the same' if is_same else 'NOT THE SAME'}" if options.orders else "one order"
        print(f"seed {seed}: {said}; {order}; {monotonic() - began_s:.1f} s", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps([{name: asdict(figures) for name, figures in one.items()} for one in marked], indent=1))
    else:
        print(write_table(marked))
        if options.orders:
            print(f"\nin other orders of arrival: {'the same incidents' if same else 'NOT the same incidents'}")
    sys.exit(not same)


if __name__ == "__main__":
    main()
