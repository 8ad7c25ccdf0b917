"""`regcert demo`: a region's week, played into a host of its own, with a promise that it checks."""

import asyncio
import shlex
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from regcert.cli.printing import print_line, print_table, tell
from regcert.cli.week.play import Tally, play
from regcert.cli.week.promise import find_faults, find_story
from regcert.cli.week.scenes import Scene, write_scenes
from regcert.cli.week.script import Week, read_week, require_cast
from regcert.cli.week.stage import Passes, choose_port, clear_folder, found_host, serving
from regcert.clock import SECOND_US, SystemClock
from regcert.domain.region import Region
from regcert.errors import Code, Refusal
from regcert.flows.initialise import read_region_file
from regcert.outbound.api import fetch_incidents
from regcert.settings import read_settings
from regcert.share import share_dir

_CATCH_UP_S = 30.0
_STEADY_S = 2.5  # longer than the correlator ever waits before it looks again
_LOOK_EVERY_S = 0.25
_TABLE = (">score", "story", "spread", "teams", "values", ">sightings")

_Incidents = list[dict[str, Any]]


def demo(once: bool, port: int) -> None:
    """Play the week, and serve what came of it until Ctrl-C.

    1. Read the script and write it out, so that the week ends now.
    2. Put up a host of our own, on SQLite, in a folder that is cleared first.
    3. Play every scene through TAXII and the API.
    4. Wait until correlation has caught up, and compare its incidents with what was planted.
    5. Print them and end, or say where to look and serve on.

    Args:
        once: print the incidents and end, with 1 where the promise is broken.
        port: to listen on at 127.0.0.1; 0 for any free one.

    Raises:
        Refusal: ALREADY_EXISTS, BUSY, INVALID_SETTING, UNREACHABLE, REFUSED_BY_SERVER.
    """
    week, region = _read_script(share_dir() / "deploy")  # 1
    port = choose_port(port)
    folder = (read_settings().data_dir / "demo").absolute()
    with clear_folder(folder):  # 2
        passes = found_host(folder, region, week)
        with serving(folder, port) as process:
            server = f"http://127.0.0.1:{port}"
            tally = _play(write_scenes(week, region, SystemClock().now_us()), server, passes)  # 3
            tell(f"Played: {tally.published} objects published, {tally.fetched} fetched by sensors, {tally.reports} sightings.")
            incidents, faults = _wait_for_incidents(week, server, passes.coordinator)  # 4
            for fault in faults:
                tell(f"Not as planted: {fault}")
            if once:  # 5
                _print_incidents(week, region, incidents)
                raise typer.Exit(1 if faults else 0)
            _print_invitation(week, server, passes, len(incidents))
            _serve_on(process.wait)


def _read_script(deploy: Path) -> tuple[Week, Region]:
    try:
        week = read_week(tomllib.loads((deploy / "demo" / "week.toml").read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise Refusal(Code.INVALID_SETTING, f"deploy/demo/week.toml cannot be read: {error}") from error
    region = read_region_file(deploy / "regions" / f"{week.region}.toml")
    require_cast(week, region)
    return week, region


def _play(scenes: Sequence[Scene], server: str, passes: Passes) -> Tally:
    narrating = _narrating_to_a_terminal if sys.stderr.isatty() else _narrating_to_a_file
    with narrating(len(scenes)) as told:
        return play(scenes, server, passes, told)


@contextmanager
def _narrating_to_a_terminal(scenes: int) -> Iterator[Callable[[Scene, Tally], None]]:
    from rich.console import Console  # noqa: PLC0415 - a program that reads our output needs no painter
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=scenes)
        yield lambda scene, _: progress.update(task, advance=1, description=_day(scene))


@contextmanager
def _narrating_to_a_file(_scenes: int) -> Iterator[Callable[[Scene, Tally], None]]:
    days: list[str] = []

    def told(scene: Scene, tally: Tally) -> None:
        if _day(scene) not in days:
            days.append(_day(scene))
            tell(f"{days[-1]} begins with {tally.published} objects and {tally.reports} sightings.")

    yield told


def _day(scene: Scene) -> str:
    return f"{datetime.fromtimestamp(scene.at_us / SECOND_US, UTC):%a %d %b}"


def _wait_for_incidents(week: Week, server: str, token: str) -> tuple[_Incidents, tuple[str, ...]]:
    """Wait until the incidents are as planted and stay so, at most 30 s; return them with what is wrong about them."""
    deadline_s = time.monotonic() + _CATCH_UP_S
    since_s, before = time.monotonic(), None
    while True:
        incidents = asyncio.run(fetch_incidents(server, token))
        shape = [incident | {"score": None} for incident in incidents]  # scores fall as time passes
        if shape != before:
            since_s, before = time.monotonic(), shape
        faults = find_faults(week, incidents)
        steady = time.monotonic() - since_s >= _STEADY_S
        if (steady and not faults) or time.monotonic() > deadline_s:
            return incidents, faults
        time.sleep(_LOOK_EVERY_S)


def _print_incidents(week: Week, region: Region, incidents: _Incidents) -> None:
    print_table(_TABLE, (_incident_row(week, incident) for incident in incidents))
    for country in region.countries:
        if country.mark:
            print_line(f"{country.code}: {country.label}")
    for footnote in region.footnotes:
        print_line(f"{footnote.mark} {footnote.text}")


def _incident_row(week: Week, incident: Mapping[str, Any]) -> tuple[str, ...]:
    story = find_story(week, incident)
    return (
        str(incident["score"]),
        story.title if story else "not planted",
        " → ".join(arrival["country"] for arrival in incident["countries"]),
        "\n".join(incident["teams"]),
        "\n".join(one["value"] for one in incident["observables"]),
        str(incident["sightings"]),
    )


def _print_invitation(week: Week, server: str, passes: Passes, incidents: int) -> None:
    regcert = f"{_program()} -m regcert"
    analyst, sensor = passes.analysts[week.guest], passes.sensors[week.guest]
    story = week.stories[0]
    value = week.values[story.crossing[0]].value
    for line in (
        f"{incidents} incidents cross borders now. The console: {server}/console/",
        "",
        f"analyst      {analyst}  ({week.guest})",
        f"consumer     {sensor}  ({week.guest})",
        f"coordinator  {passes.coordinator}",
        f"admin        {passes.admin}",
        "",
        "Try:",
        f"  REGCERT_TOKEN={passes.coordinator} {regcert} incidents --server {server}",
        f"  REGCERT_TOKEN={sensor} {regcert} sight {shlex.quote(value)} --count 12 --server {server}",
        f"  REGCERT_TOKEN={sensor} {regcert} pull --collection regional-indicators --out bundle.json --server {server}",
        f"  REGCERT_TOKEN={analyst} {regcert} pull --collection regional-incidents --out incidents.json --server {server}",
        "",
        f"The second takes “{story.title}” to one more country; then look at the first again. Ctrl-C ends the demo.",
    ):
        print(line, flush=True)


def _program() -> str:
    """Return our interpreter as one would type it here."""
    program = Path(sys.executable)
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)


def _serve_on(wait: Callable[[], int]) -> None:
    """Wait for Ctrl-C, which is how this is meant to end.

    Raises:
        Refusal: UNREACHABLE where the host ended by itself.
    """
    try:
        wait()
    except KeyboardInterrupt:
        tell("The demo has ended; its data stays until the next one.")
        return
    raise Refusal(Code.UNREACHABLE, "the demo's host ended by itself; serve.log in the demo's folder says why")
