"""The benchmark runs from end to end; its figures are looked at by people."""

import subprocess
import sys
from pathlib import Path

from benchmarks.corpus import BLOCK, Corpus

from regcert.stix.reader import ReadObject, read_envelope

ROOT = Path(__file__).resolve().parents[2]


def test_corpus_is_the_same_when_made_again() -> None:
    """Figures of two days can be compared only over the same objects, each of which occurs once."""
    envelopes = Corpus().envelopes(200, 100)
    assert Corpus().envelopes(200, 100) == envelopes
    objects = [one for body in envelopes for one in read_envelope(body)]
    assert len({one.value["id"] for one in objects if isinstance(one, ReadObject)}) == 200
    assert 700 < sum(map(len, envelopes)) / 200 < 850
    assert 200 % BLOCK == 0


def test_every_load_prints_its_line_when_run_quickly() -> None:
    """`make bench` ends with a table: a load a line, on each database."""
    done = subprocess.run([sys.executable, "-m", "benchmarks", "--quick"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for database in ("sqlite", "postgresql"):
        lines = [line for line in done.stdout.splitlines() if f"  {database}  " in line]
        assert len(lines) == 10, done.stdout
    assert "fsyncs of 4 KiB" in done.stdout
