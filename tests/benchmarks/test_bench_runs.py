"""The benchmark runs from end to end; its figures are looked at by people."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import prepare_peer
from benchmarks.corpus import BLOCK, Corpus
from benchmarks.peer.environment import VERSIONS

from regcert.stix.reader import ReadObject, read_envelope

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = 12
# At two sizes: the questions, full polls, posts; then readers chase writers once, and signed posts.
LINES = 2 * (QUESTIONS + 2 + 4) + 1 + 4


def run_benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", "--quick", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


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


def test_peer_is_left_out_when_it_cannot_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make bench-taxii` says what is missing; what is measured then is what is measured without it."""
    no_folder = tmp_path / "cache"
    no_folder.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_folder))
    assert prepare_peer(VERSIONS[0]) is None
    assert "could not be installed" in capsys.readouterr().out
