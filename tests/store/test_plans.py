"""Every query that runs for a page or for a stretch of correlation is answered from an index, on both databases.

The tables hold 50,000 rows, so that reading all of one is never the cheaper plan; what ran is explained afterwards, whatever
it was.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from regcert.correlation.guards import Guards
from regcert.domain.incident import Incident
from regcert.domain.principal import Principal, Role
from regcert.flows.correlate import correlate
from regcert.stix.observable import Observable, ObservableKind
from regcert.stix.tlp import Tlp
from regcert.store import arrivals, groups, holdings, incidents, ledger, publications
from regcert.store.database import Database, Tx
from regcert.store.decisions import list_history, load_decisions, load_members
from regcert.store.evidence import load_behind
from regcert.store.groups import load_groups
from regcert.store.held_back import Wanted, page_held
from regcert.store.incidents import list_held, list_incidents, load_incident
from regcert.store.markings import find_standing
from regcert.store.pages import Stretch, has_object, list_entries, read_content
from regcert.store.programs import Program, Statement
from regcert.store.protected import load_audience
from regcert.store.sighted import list_sightings, load_reported, sum_up_hours
from regcert.store.sightings import find_places
from regcert.store.strict import holds_strict
from regcert.store.swept import list_judged
from regcert.store.teams import list_teams
from regcert.store.withdrawals import count_own, count_withdrawn, find_in_force
from regcert.taxii.filters import Filters, Versions

ROWS = 50_000
BIG = "objects|mentions|sightings|observables|holdings|arrivals|ties|incidents|incident_members|held_back|tombstones"
# An index that SQLite makes for one statement is a scan, too: it reads the whole table to make it.
SCAN = rf"\bSCAN (?:{BIG}|older|newer|indicators|here)\b|Seq Scan on (?:{BIG})\b|AUTOMATIC"
# What is asked by its id is looked up by its id: reading on from a place and comparing is a scan under another name.
BY_PLACE = r"SEARCH objects (?!USING INDEX ix_objects_large).*position>"
# What is in a scope or a collection is most of what is there; but not the teams that have access to one.
BY_SCOPE = r"SEARCH (?!collection)\w+ USING .*\((?:scope|collection_id)=\?\)$"
OLDER_BY_PLACE = r"SEARCH older .*position>"
SORT = "USE TEMP B-TREE FOR ORDER BY|Sort Key"
FILL = """
INSERT INTO objects SELECT n * 2, 1 + n % 2, {id}, CASE n % 5 WHEN 0 THEN 'sighting' ELSE 'indicator' END, 'v', n, 0, 1 + n % 3,
    'identity--a', 'attested', 2, {no}, 1, {key}, {body} FROM series;
INSERT INTO mentions SELECT n * 2, {key}, 1 + n % 2, {id}, 1 + n % 3, 'identity--a', 'published', 1, n, n, 2 FROM series;
INSERT INTO observables SELECT {key}, 'domain', 'd' || n FROM series;
INSERT INTO holdings SELECT {key}, 'all', 1 + n % 3, 'identity--a', n, n, {yes}, 0, 0, {no}, 2, {no} FROM series;
INSERT INTO holdings SELECT {key}, 'all', 1 + (n + 1) % 3, 'identity--b', n, n, {yes}, 0, 0, {no}, 2, {no} FROM series;
INSERT INTO ties SELECT {id}, 'report--' || (n % 5000), 1 + n % 2, n * 2 FROM series;
INSERT INTO sightings SELECT n * 2, 1 + n % 2, 1 + n % 3, 'r' || n, 'positive', NULL, {id}, 1, n, n, NULL, 2, NULL FROM series;
INSERT INTO tombstones SELECT n * 2 + 1, 1 + n % 2, {id}, 'v', 1, n * 2 - 2, false FROM series;
INSERT INTO incidents SELECT 'i' || n, 'all', n, {summary}, 0 FROM series;
INSERT INTO incident_members SELECT 'all', {key}, 'i' || n FROM series;
INSERT INTO arrivals SELECT 'all', {key}, 'AL', n * 3600000000, {no} FROM series;
INSERT INTO arrivals SELECT 'all', {key}, 'RS', n * 3600000000, {no} FROM series;
INSERT INTO held_back SELECT 'all', {key}, 'AL,RS', 'x', 'guarded', 'domain', {no} FROM series;
"""
# What correlation reads of an incident before it is told anew.
SUMMARY = msgspec.json.encode(Incident("i", "all", 1.0, Tlp.GREEN, (), (), (), 0, 0, 0, ())).hex()
WORDS = {
    "sqlite": {
        "id": "'indicator--' || n",
        "key": "CAST(printf('%016d', n) AS BLOB)",
        "body": "zeroblob(700)",
        "summary": f"X'{SUMMARY}'",
        "yes": "1",
        "no": "0",
    },
    "postgresql": {
        "id": "'indicator--' || n",
        "key": "lpad(n::text, 16, '0')::bytea",
        "body": "decode(repeat(md5(n::text), 44), 'hex')",
        "summary": f"decode('{SUMMARY}', 'hex')",
        "yes": "true",
        "no": "false",
    },
}
SERIES = {
    "sqlite": f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {ROWS})",
    "postgresql": f"WITH series(n) AS (SELECT generate_series(1, {ROWS}))",
}


@dataclass
class Watched:
    """A full database, and what ran on it."""

    database: Database
    principal: Principal
    ran: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Write down what runs in the block, by a program or without one."""

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
            if re.match(r"SELECT|WITH|DELETE|UPDATE|INSERT .*SELECT", statement, re.DOTALL):
                self.ran.append((statement, parameters))

        engines = [self.database._reader.sync_engine, self.database._writer.sync_engine]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Statement, self.database.dialect, self._noting())
            yield
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)

    def _noting(self) -> property:
        worded = vars(Statement)[self.database.dialect].func

        def read(statement: Statement) -> tuple[str, Callable[[Any], Any]]:
            text, pick = worded(statement)

            def note(given: Any) -> Any:
                self.ran.append((text, pick(given)))
                return pick(given)

            return text, note

        return property(read)

    async def faults(self, pattern: str) -> list[str]:
        """Explain what ran since the last time, and return the steps that a pattern finds, with their statements."""
        explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[self.database.dialect]
        found: list[str] = []
        async with self.database.read() as connection:
            for statement, parameters in self.ran:
                steps = [str(row[-1]).strip() for row in await connection.exec_driver_sql(explain + statement, parameters)]
                found += [f"{step} :: {statement}" for step in steps if re.search(pattern, step)]
        self.ran.clear()
        return found


@pytest.fixture
async def watched(database: Database) -> Watched:
    async def fill(tx: Tx) -> None:
        words, series = WORDS[database.dialect], SERIES[database.dialect]
        for statement in FILL.strip().split(";\n"):
            head, select = statement.rstrip(";").split(" SELECT ", 1)
            await tx.connection.execute(text(f"{head} {series} SELECT {select.format(**words)}"))
        await tx.connection.execute(text(f"UPDATE host_order SET position = {ROWS * 2 + 1}"))
        await tx.connection.execute(text(f"UPDATE correlated SET position = {ROWS * 2 - 200}"))

    await database.write(fill)
    if database.dialect == "postgresql":
        await database.write(lambda tx: tx.connection.execute(text("ANALYZE")))
    async with database.read() as connection:
        team = (await list_teams(connection))[0]
    return Watched(database, Principal(team, Role.ANALYST, 1, None))


LATE = ROWS // 2
IDS = tuple(f"indicator--{n}" for n in range(1000))
KEYS = [b"%016d" % n for n in range(500)]
ASKED = {
    "first": (Filters(), 0),
    "next": (Filters(), LATE),
    "added_after": (Filters(added_after_us=ROWS * 2 - 50), 0),
    "type": (Filters(types=("sighting",)), LATE),
    "types": (Filters(types=("sighting", "indicator", "malware")), LATE),
    "id": (Filters(ids=IDS[:1]), 0),
    "ids": (Filters(ids=IDS), 0),
    "all": (Filters(versions=Versions(latest=False, every=True)), LATE),
    "first version": (Filters(versions=Versions(latest=False, earliest=True)), LATE),
    "first and last": (Filters(versions=Versions(earliest=True)), LATE),
    "exact, of an object": (Filters(ids=IDS[:1], versions=Versions(latest=False, exact_us=(7,))), 0),
}


# Whatever is asked in the order of an index is read in that order: nothing is sorted, so a page may end early.
IN_ORDER = ("first", "next", "added_after", "type", "all")


async def test_page_is_read_from_an_index_when_the_collection_is_large(watched: Watched) -> None:
    """One indexed read a page, whatever its size and however far into the collection."""
    for asked, (filters, after) in ASKED.items():
        with watched.watching():
            content = partial(read_content, joined=watched.database.dialect == "sqlite")
            for read in (content, list_entries):
                await watched.database.run(read(watched.principal, Stretch(1, filters, after, 1000)))
        pattern = f"{SCAN}|{SORT}" if asked in IN_ORDER else f"{SCAN}|{BY_PLACE}" if filters.ids else f"{SCAN}|{OLDER_BY_PLACE}"
        assert (asked, await watched.faults(pattern)) == (asked, [])


LOOKED_UP: dict[str, Callable[[AsyncConnection, Principal], Awaitable[Any]]] = {
    "incidents": lambda connection, _: list_incidents(connection, ["all"], None, 100),
    "incidents, next": lambda connection, _: list_incidents(connection, ["all"], (0, LATE, "i7"), 100),
    "incidents, dismissed": lambda connection, _: list_incidents(connection, ["all"], None, 100, dismissed=True),
    "held back": lambda connection, _: list_held(connection, ["all"], 100),
    "held back, next": lambda connection, _: page_held(connection, Wanted(["all"], after=("all", "guarded", "domain", KEYS[7]))),
    "held back, of a kind": lambda connection, _: page_held(connection, Wanted(["all"], "noise", ObservableKind.URL)),
    "held back, one": lambda connection, _: page_held(connection, Wanted(["all"], key=KEYS[7])),
}


async def test_what_a_page_looks_up_is_read_from_an_index(watched: Watched) -> None:
    """A request costs the same at ten thousand and at ten million rows."""
    for asked, look_up in LOOKED_UP.items():
        with watched.watching():
            async with watched.database.read() as connection:
                with suppress(msgspec.DecodeError):  # no summary here is an incident's
                    await look_up(connection, watched.principal)
        assert (asked, await watched.faults(SCAN)) == (asked, [])


RUN: dict[str, Callable[[Principal], Program[Any]]] = {
    "object": lambda principal: has_object(principal, 1, "indicator--7"),
    "standing": lambda _: find_standing((1, 2), IDS),
    "withdrawn": lambda _: count_withdrawn(1, 1, LATE),
    "own": lambda _: count_own(1, 1),
    "in force": lambda _: find_in_force(1, IDS[:100]),
    "strict": lambda _: holds_strict(1, 0, LATE, None),
    "strict, of one": lambda _: holds_strict(1, 0, LATE, IDS[0]),
    "places": lambda principal: find_places(principal, IDS[:100]),
    "sightings of a value": lambda principal: list_sightings(principal, Observable(ObservableKind.DOMAIN, "d7"), None, 50),
    "sightings of an object": lambda principal: list_sightings(principal, IDS[7], LATE, 50),
    "hours of a value": lambda principal: sum_up_hours(principal, Observable(ObservableKind.DOMAIN, "d7")),
    "hours of an object": lambda principal: sum_up_hours(principal, IDS[7]),
    "reported": lambda _: load_reported("all", IDS[:3]),
    "values": lambda _: load_groups("all", KEYS),
    "behind an incident": lambda _: load_behind("all", KEYS, Tlp.AMBER),
    "decisions": lambda _: load_decisions("all", KEYS),
    "history": lambda _: list_history("all", "i7", KEYS),
    "an incident": lambda _: load_incident({"all"}, "i-none"),
    "members": lambda _: load_members("all", {"i7"}),
    "audience": lambda _: load_audience("all"),
    "judged": lambda _: list_judged("all", KEYS[7], 500),
}


async def test_what_a_program_looks_up_is_read_from_an_index(watched: Watched) -> None:
    """The same for what runs past SQLAlchemy."""
    for asked, build in RUN.items():
        with watched.watching():
            await watched.database.run(build(watched.principal))
        assert watched.ran
        assert (asked, await watched.faults(SCAN)) == (asked, [])


async def test_publication_is_entered_by_indexes_when_much_is_here(watched: Watched) -> None:
    """What was here before and is signed for now is found by its place, and what is summed up of it by its value."""
    places = {"collection": 1, "team": 1, "places": tuple(range(2, 200, 2))}

    def sign() -> Program[None]:
        yield publications._SIGN, {"places": places["places"], "team": 1, "how": "signed"}
        yield publications._SIGN_HOLDINGS, places
        yield from publications.find_head(1, 1)

    with watched.watching():
        await watched.database.write(lambda tx: tx.run(sign()))
    assert len(watched.ran) >= 3
    assert await watched.faults(SCAN) == []


async def test_stretch_is_read_from_indexes_when_the_ledger_is_long(watched: Watched) -> None:
    """Correlation is incremental: a stretch costs what it holds, not what came before."""
    with watched.watching():
        await correlate(watched.database, Guards([]))
    asked = {statement for statement, _ in watched.ran}
    unasked = {
        name
        for module in (arrivals, ledger, holdings, groups, incidents)
        for name, statement in vars(module).items()
        if isinstance(statement, Statement) and getattr(statement, watched.database.dialect)[0] not in asked
    }
    # What only a match of an older sighting, a split, or somebody who decides asks for.
    assert unasked <= {"_SCOPES", "_LEAVE", "_END", "_ONE", "_INTO", "_OLDEST_CONTEXTS"}
    assert await watched.faults(f"{SCAN}|{BY_SCOPE}") == []
