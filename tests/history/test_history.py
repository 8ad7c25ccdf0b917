"""The history: complete, exactly once, and regrouped to what the live state is."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regcert.errors import Code, Refusal
from regcert.flows import export_history as flow
from regcert.flows.export_history import export_history
from regcert.flows.regroup_history import compare_with_live, describe
from regcert.history import extra
from regcert.history.folder import read_manifest
from regcert.history.window import Window
from regcert.stix.timestamps import read_timestamp
from regcert.store.history import read_ties
from tests.history.conftest import export, naming, regrouped, tell

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    manifest = read_manifest(folder)
    return [row for part in manifest.parts for row in pq.read_table(folder / name / part.name).to_pylist()]


async def test_history_of_everything_comes_to_the_live_state(acting, tmp_path):
    """Exported while the ledger goes on: superseded, deleted, in force again, seen before it was named; or all at once."""
    folder, at_once = tmp_path / "history", tmp_path / "at once"
    await tell(acting, folder)
    found = await regrouped(acting, folder)
    difference = await compare_with_live(acting.database, found, folder)
    assert difference.missing == difference.unfounded == ()
    await export(acting, at_once, part_rows=100_000)
    assert await regrouped(acting, at_once) == found
    assert (len(read_manifest(at_once).parts), len(read_manifest(folder).parts) > 8) == (1, True)
    shown = [json.loads(line) for line in found]
    assert {one["scope"] for one in shown if "names" in one} == {one["scope"] for one in shown}
    assert any(len(one["countries"]) > 2 for one in shown)
    assert any("held_back" in one for one in shown)


@SQLITE
async def test_every_row_is_there_once_when_an_export_is_killed_in_between(acting, tmp_path, monkeypatch):
    """Whatever was half written is written again, under the same names, and nothing twice."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    await tell(acting, whole)
    await export(acting, tmp_path / "fresh")
    calls = iter(range(1000))

    def failing(start: int, cut: int) -> Any:
        if next(calls) % 3 == 2:
            raise KeyboardInterrupt
        return read_ties(start, cut)

    monkeypatch.setattr(flow, "read_ties", failing)
    for _ in range(100):
        try:
            await export(acting, killed)
        except KeyboardInterrupt:
            (killed / "mentions" / ".0000.parquet.left").write_bytes(b"half")
            continue
        break
    for name in ("mentions", "objects", "ties", "gone"):
        assert read(killed, name) == read(tmp_path / "fresh", name)
        rows = [tuple(row.values()) for row in read(killed, name)]
        assert len(set(rows)) == len(rows) > 0
        assert len(list((killed / name).iterdir())) == len(read_manifest(killed).parts)


@SQLITE
async def test_same_bytes_on_every_run_and_whatever_the_order_of_files_and_rows(acting, tmp_path):
    """No engine's order shows: files and rows are shuffled, and what comes of it stays byte for byte."""
    folder = tmp_path / "history"
    await tell(acting, folder)
    found = await regrouped(acting, folder)
    assert await regrouped(acting, folder) == found
    for path in folder.glob("*/*.parquet"):
        table = pq.read_table(path)
        order = pa.array(random.Random(path.name).sample(range(len(table)), len(table)), pa.int64())
        pq.write_table(table.take(order), path)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    random.Random(2).shuffle(manifest["parts"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert await regrouped(acting, folder) == found


@SQLITE
async def test_window_leaves_out_what_happened_outside(acting, tmp_path):
    """A window is one of event time; one that holds everything is everything, one of a quiet year nothing."""
    folder = tmp_path / "history"
    await tell(acting, folder)
    everything = await regrouped(acting, folder)
    begin, middle = read_timestamp("2026-11-01T00:00:00Z"), read_timestamp("2026-11-08T00:00:00Z")
    assert await regrouped(acting, folder, Window(begin, None)) == everything
    assert await regrouped(acting, folder, Window(None, begin)) == []
    early = [json.loads(line) for line in await regrouped(acting, folder, Window(None, middle))]
    incidents = [one for one in early if "names" in one]
    assert incidents
    assert all(one["last_seen"] < "2026-11-08" for one in incidents)


@SQLITE
async def test_difference_is_told_when_the_live_state_is_wrong(acting, tmp_path):
    """An incident that the host has lost, and one that it invented."""
    folder = tmp_path / "history"
    await tell(acting, folder)
    found = await regrouped(acting, folder)
    difference = await compare_with_live(acting.database, found[1:], folder)
    assert (difference.missing, difference.unfounded) == ((), (found[0],))
    difference = await compare_with_live(acting.database, [*found, b"{}"], folder)
    assert (difference.missing, difference.unfounded) == ((b"{}",), ())
    assert [line async for line in describe(acting.database.run)] == found
    await acting.publish(naming("later.example"))
    await acting.catch_up()
    with pytest.raises(Refusal) as refused:
        await compare_with_live(acting.database, found, folder)
    assert "history export" in refused.value.message


@SQLITE
async def test_history_is_the_operators_alone(acting, tmp_path):
    """It holds every circle's words: nobody else on the machine reads it, nor finds out what is in it."""
    folder = tmp_path / "history"
    before = os.umask(0o022)  # what most machines have
    await tell(acting, folder)
    os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@SQLITE
async def test_history_refuses_what_would_mix(acting, tmp_path, monkeypatch):
    """Another host's history, one that another export writes to, and one that is ahead of a restored database."""
    folder = tmp_path / "history"
    await tell(acting, folder)
    manifest = read_manifest(folder)
    for wrong in ({"host": "elsewhere.example"}, {"format": 2}, {"parts": [{"start": 0, "end": 1 << 60, "rows": {}}]}):
        told = json.loads((folder / "manifest.json").read_bytes())
        (folder / "manifest.json").write_text(json.dumps(told | wrong))
        with pytest.raises(Refusal) as refused:
            await export(acting, folder)
        assert refused.value.code is Code.INVALID_SETTING
        (folder / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(Refusal, match="leave --since out"):
        await export_history(acting.database, folder, 5, None, lambda *_: None)
    assert (await export(acting, folder)) == manifest


def test_what_is_missing_is_told_when_the_extra_is_not_installed(monkeypatch):
    """A host without the extra starts as before; who asks for its history is told what to install."""
    with pytest.raises(Refusal) as refused:
        extra.require_library("no_such_library", "history")
    assert refused.value.code is Code.MISSING_EXTRA
    assert "regcert[history]" in refused.value.message
