"""The commands around a host's history: export it, and regroup it on one machine or many."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast.

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regcert.cli.host import AsJson, _open_host, _run
from regcert.cli.printing import print_json, tell
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.flows.regroup_history import Difference
    from regcert.history.folder import Manifest

DIFFERS = 1

Since = Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339, or a day: 2026-11-22.")]


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where; made if it is not there. ALL circles of the host are in it.")
    ],
    since: Since = None,
    until: Since = None,
    as_json: AsJson = False,
) -> None:
    """Bring a history in a folder up to what correlation has read; all that the host holds, for the operator alone."""
    from regcert.flows.export_history import export_history
    from regcert.stix.timestamps import write_timestamp

    since_us, until_us = _read_time(since), _read_time(until)

    def say(done_us: int, last_us: int) -> None:
        tell(f"exported up to {write_timestamp(done_us)}, of {write_timestamp(last_us)}")

    async def work() -> "Manifest":
        async with _open_host() as database:
            return await export_history(database, folder, since_us, until_us, say)

    manifest = _run(work())
    rows = {name: sum(part.rows[name] for part in manifest.parts) for name in ("mentions", "objects", "ties", "gone")}
    if as_json:
        print_json({"folder": str(folder), "position": manifest.end, "parts": len(manifest.parts), "rows": rows})
    else:
        counted = ", ".join(f"{number} {name}" for name, number in rows.items())
        tell(f"{folder} is complete up to {write_timestamp(manifest.end)}: {len(manifest.parts)} parts, {counted}")
        tell("It holds what every circle of this host was told in confidence. Keep it where you keep the database.")


def correlate(
    since: Since = None,
    until: Since = None,
    engine: Annotated[str, typer.Option(help="duckdb, spark://host:port, or local-cluster[workers,cores,MiB].")] = "duckdb",
    history: Annotated[Path | None, typer.Option(metavar="DIR", help="Left out, 'history' in the data folder.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Say where the live state differs, instead.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the live state anew; with --compare, if it differs.")] = False,
) -> int:
    """Regroup a window of the history, by time of event, and print the incidents: a line of JSON each."""
    from regcert.assembly.parts import load_guards
    from regcert.correlation.guards import Guards
    from regcert.flows import regroup_history as flow
    from regcert.flows.rebuild import rebuild as rebuild_live
    from regcert.history.window import Window
    from regcert.settings import read_settings

    settings = read_settings()
    window = Window(_read_time(since), _read_time(until))
    if compare and not window.is_everything:
        raise Refusal(Code.INVALID_SETTING, "the live state knows no window: leave out --since and --until, or --compare")

    async def work() -> "tuple[list[bytes], Difference | None]":
        async with _open_host() as database:
            lines, difference = [], None
            if compare or not rebuild:
                guards, folder = Guards(load_guards(settings)), history or settings.data_dir / "history"
                lines = await flow.regroup_history(database, guards, folder, engine, window)
            if compare:
                difference = await flow.compare_with_live(database, lines, folder)
            if rebuild and (difference is None or difference.is_any):
                await rebuild_live(database)
                tell("The live state is made anew; a host that serves begins with it now, any other when it is started.")
        return lines, difference

    lines, difference = _run(work())
    if difference is None:
        for line in lines:
            sys.stdout.buffer.write(line + b"\n")
        return 0
    return _show(difference)


def _show(difference: "Difference") -> int:
    """Print what differs, a line each, and tell how much that is."""
    for name, lines in (("missing", difference.missing), ("unfounded", difference.unfounded)):
        for line in lines:
            sys.stdout.buffer.write(b'{"%s":%s}\n' % (name.encode(), line))
    if not difference.is_any:
        tell("The live state is what the history comes to.")
        return 0
    tell(f"The live state lacks {len(difference.missing)} and has {len(difference.unfounded)} that the history does not tell of.")
    return DIFFERS


def _read_time(text: str | None) -> int | None:
    from regcert.stix.timestamps import read_timestamp

    if text is None:
        return None
    return read_timestamp(text if "T" in text.upper() else f"{text}T00:00:00Z")
