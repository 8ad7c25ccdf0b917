"""Regroup a window of the history, on whichever engine, and say where the live state differs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson

from regcert.correlation.guards import Guards
from regcert.domain.incident import Incident
from regcert.errors import Code, Refusal
from regcert.exports.incident_json import incident_json
from regcert.flows.hear_decisions import open_bench
from regcert.flows.regroup import Touched, regroup
from regcert.history.engines import Engine, open_engine
from regcert.history.folder import list_files, read_manifest
from regcert.history.tables import TABLES
from regcert.history.window import Families, Window, name_rows, regroup_window
from regcert.store.database import Database
from regcert.store.derived import MOST_OF_NAMED, MOST_OF_UNNAMED
from regcert.store.history import find_read, list_scopes, read_held, read_incidents
from regcert.store.programs import Program
from regcert.store.scratch import Scratch, open_scratch

T = TypeVar("T")
Run = Callable[[Program[Any]], Awaitable[Any]]
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the live state is not what the history comes to; lines as `describe` writes them.

    Args:
        missing: what the live state lacks.
        unfounded: what only the live state has.
    """

    missing: tuple[bytes, ...]
    unfounded: tuple[bytes, ...]

    @property
    def is_any(self) -> bool:
        """Whether there is any."""
        return bool(self.missing or self.unfounded)


async def regroup_history(database: Database, guards: Guards, folder: Path, engine: str, window: Window) -> list[bytes]:
    """Regroup a window of the history.

    1. The engine counts what more than one country holds within the window.
    2. What is left is put into a database of its own, beside what people arranged and decided.
    3. There it is regrouped as the live state is, by the same verb.

    Args:
        database: of the host; it is only read.
        guards: what is benign.
        folder: of the history.
        engine: `duckdb`, or the address of a Spark master.
        window: of event time.

    Returns:
        What came of it, a line each as `describe` writes them, sorted: the same bytes on every engine.

    Raises:
        Refusal: MISSING_EXTRA; INVALID_SETTING where there is no history, or no such engine.
    """
    with open_scratch() as scratch:
        await scratch.copy_arrangements(database)
        with open_engine(engine) as opened:
            _fill(scratch, opened, folder, window)  # 1, 2
        for scope in scratch.run(list_scopes()):  # 3
            if keys := scratch.list_values(scope):
                scratch.run(regroup(scratch.run(open_bench(scope, guards)), Touched(named=keys)))

        async def run(program: Program[T]) -> T:
            return scratch.run(program)

        return [line async for line in describe(run)]


def _fill(scratch: Scratch, engine: Engine, folder: Path, window: Window) -> None:
    manifest = read_manifest(folder)
    tables = {name: engine.read(name, list_files(folder, manifest, name)) for name in TABLES}
    remainder = regroup_window(tables, window, Families(MOST_OF_NAMED, MOST_OF_UNNAMED), engine.keep)
    for expression, add in (
        (remainder.holdings, scratch.add_holdings),
        (remainder.derivations, scratch.add_derivations),
        (remainder.mentions, scratch.add_mentions),
        (remainder.objects, scratch.add_objects),
        (remainder.ties, scratch.add_ties),
    ):
        add(name_rows(expression, engine.run(expression)))


async def compare_with_live(database: Database, regrouped: list[bytes], folder: Path) -> Difference:
    """Compare what a history comes to with the live state.

    Args:
        database: of the host.
        regrouped: what `regroup_history` returned, for all of the history.
        folder: of the history.

    Raises:
        Refusal: INVALID_SETTING where the history is not of the whole ledger, as far as correlation has read it.
    """
    manifest = read_manifest(folder)
    if manifest.start or manifest.end != await database.run(find_read()):
        raise Refusal(
            Code.INVALID_SETTING,
            f"the live state is made of another part of the ledger; run 'regcert history export {folder}' first, without "
            "--since, and compare while nothing comes in",
        )
    live = {line async for line in describe(database.run)}
    found = set(regrouped)
    return Difference(tuple(sorted(found - live)), tuple(sorted(live - found)))


async def describe(run: Run) -> AsyncIterator[bytes]:
    """Write every incident and every value that is held back as a line of JSON, sorted.

    Ids are left out: they are given as incidents arise, and a history knows nothing of that.

    Args:
        run: runs a program, on the live state or on what came of a history.
    """
    lines = [_line(_describe_incident(incident)) async for incident in _read_incidents(run)]
    for scope in await run(list_scopes()):
        lines += [_line(one) async for one in _read_held(run, scope)]
    for line in sorted(lines):
        yield line


async def _read_incidents(run: Run) -> AsyncIterator[Incident]:
    after = ""
    while rows := await run(read_incidents(after, _PAGE)):
        for after, summary in rows:  # noqa: B007 - it is where the next page begins
            yield msgspec.json.decode(summary, type=Incident)


async def _read_held(run: Run, scope: str) -> AsyncIterator[dict[str, Any]]:
    after = b""
    while rows := await run(read_held(scope, after, _PAGE)):
        for key, kind, value, countries, reason in rows:
            after = bytes(key)
            yield {
                "scope": scope,
                "held_back": {"kind": kind, "value": value},
                "countries": countries.split(","),
                "reason": reason,
            }


def _describe_incident(incident: Incident) -> dict[str, Any]:
    # The score of the day would differ from one day to the next.
    described = incident_json(incident, incident.strength)
    return {"scope": incident.scope} | {name: value for name, value in described.items() if name != "id"}


def _line(one: dict[str, Any]) -> bytes:
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS)
