"""The benchmark runs from end to end; its figures are looked at by people."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.corpus import BLOCK, Corpus

from regcert.stix.reader import ReadObject, read_envelope

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = 12
# At two sizes: the questions, full polls, posts; then readers chase writers once, and signed posts.
LINES = 2 * (QUESTIONS + 2 + 4) + 1 + 4


def run_benchmarks(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_corpus_is_the_same_when_made_again() -> None:
    """Figures of two days can be compared only over the same objects, each of which occurs once."""
    corpus = Corpus()
    envelopes = corpus.envelopes(200, 100)
    assert Corpus().envelopes(200, 100) == envelopes
    objects = [one for body in envelopes for one in read_envelope(body)]
    ids = [one.value["id"] for one in objects if isinstance(one, ReadObject)]
    assert len(set(ids)) == 200
    assert 700 < sum(map(len, envelopes)) / 200 < 850
    assert 200 % BLOCK == 0
    assert len(corpus.ids) == 200 // BLOCK
    assert set(corpus.ids) < set(ids)


def test_every_load_prints_its_line_when_run_quickly(tmp_path: Path) -> None:
    """`make bench` ends with a table: a load a line, on each database; a program finds the same in a file."""
    done = run_benchmarks("--no-peer", "--json", f"{tmp_path}/figures.json")
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    for database in ("sqlite", "postgresql"):
        lines = [line for line in done.stdout.splitlines() if f"  {database}  " in line]
        assert len(lines) == LINES, done.stdout
        assert len([line for line in figures["lines"] if line["database"] == database]) == LINES
        assert figures["peak_mb"][database] > 0
    assert "fsyncs of 4 KiB" in done.stdout
    assert done.stdout.count("regcert: 0 missed, 0 doubled") == 2


def test_our_own_figures_are_printed_when_the_peer_cannot_be_installed(tmp_path: Path) -> None:
    """`make bench-taxii` says what is missing and measures what is there."""
    no_folder = tmp_path / "cache"
    no_folder.touch()
    done = run_benchmarks("--database", "sqlite", "--only", "empty", XDG_CACHE_HOME=str(no_folder))
    assert done.returncode == 0, done.stderr
    assert "could not be installed" in done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith("empty poll")]) == 2
