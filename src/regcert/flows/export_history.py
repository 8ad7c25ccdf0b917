"""Export what correlation has read of the ledger, as Parquet."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from regcert.errors import Code, Refusal
from regcert.history.folder import History, Manifest, PartFiles, open_history
from regcert.store.database import Database
from regcert.store.history import (
    find_awaited,
    find_cut,
    find_read,
    read_gone,
    read_late,
    read_mentions,
    read_objects,
    read_ties,
)
from regcert.store.teams import read_facts

# A file of so many rows is read at once by nobody, and few enough of them that a year has hundreds.
PART_ROWS = 1_000_000
BATCH_ROWS = 10_000

Told = Callable[[int, int], None]


async def export_history(
    database: Database, folder: Path, since_us: int | None, until_us: int | None, tell: Told, part_rows: int = PART_ROWS
) -> Manifest:
    """Bring a history up to what correlation has read, part by part.

    If we are stopped, the next run goes on behind the last whole part: no row is lost, and none is there twice.

    Args:
        database: of the host.
        folder: of the history.
        since_us: where a new history begins, by arrival; None for the beginning of the ledger, or for one that has begun.
        until_us: by arrival, where to stop; None for as far as correlation has read.
        tell: is told behind each part how far we are, and how far we go.
        part_rows: about how many rows a file may have.

    Returns:
        What the history holds now.

    Raises:
        Refusal: INVALID_SETTING, MISSING_EXTRA; as `open_history`.
    """
    async with database.read() as connection:
        host = str((await read_facts(connection)).get("log_origin", ""))
    start = None if since_us is None else max(0, since_us - 1)
    with open_history(folder, host, start) as history:
        read = await database.run(find_read())
        if history.manifest.parts and read < history.manifest.end:
            raise Refusal(
                Code.INVALID_SETTING,
                "the host has read less of its ledger than this history holds; let it catch up, or, if it was restored from a "
                "backup, export into an empty folder",
            )
        last = read if until_us is None else min(read, until_us)
        # A history of a ledger in which nothing stands yet is one empty part.
        while history.manifest.end < last or not history.manifest.parts:
            cut = await database.run(find_cut(history.manifest.end, max(last, history.manifest.end), part_rows))
            await _write_part(database, history, cut, read)
            tell(cut, last)
        return history.manifest


async def _write_part(database: Database, history: History, end: int, read: int) -> None:
    manifest = history.manifest
    at = manifest.end
    with history.write_part(end, read) as files:
        while at < end:
            turn = manifest.find_turn(at)
            cut = await database.run(find_cut(at, end if turn is None else min(turn, end), BATCH_ROWS))
            await _write(files, "mentions", await database.run(read_mentions(at, cut)))
            await _write_late(database, files, at, cut, manifest.find_waiting(at))
            await _write(files, "objects", await database.run(read_objects(at, cut)))
            await _write(files, "ties", await database.run(read_ties(at, cut)))
            await _write(files, "gone", await database.run(read_gone(at, cut)))
            at = cut


async def _write_late(database: Database, files: PartFiles, at: int, cut: int, waiting: int) -> None:
    """Write what sightings up to `waiting` name since an indicator came that they had waited for."""
    indicators = await database.run(find_awaited(at, cut, waiting)) if waiting else []
    after: int | None = -1 if indicators else None
    while after is not None:
        rows, after = await database.run(read_late(indicators, after, waiting, BATCH_ROWS))
        await _write(files, "mentions", rows)


async def _write(files: PartFiles, name: str, rows: list[tuple[object, ...]]) -> None:
    await asyncio.to_thread(files.write, name, rows)
