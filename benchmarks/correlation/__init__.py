"""How good correlation is: worlds whose campaigns are known, and marks for what was found in them.

__main__.py   the program: `python -m benchmarks.correlation [--seed N] [--worlds N] [--quick]`
world.py      a region from a seed, with what was planted in it
host.py       a real host that is told a world, and what it found
baselines.py  what exact matches find in the same world
score.py      marks
throughput.py how quickly correlation reads on: `python -m benchmarks.correlation --throughput`
"""
