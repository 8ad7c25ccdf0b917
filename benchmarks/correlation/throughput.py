"""How quickly correlation reads on: sightings of a realistic spread, told to a host that already holds much.

Of the sightings one in five is of a value of some story, by a team that the story reached; one in ten is of a value that several
countries meet and nobody names; the rest is what one country sees. What the host held before is written into its tables at once:
a value for every two holdings, of two teams of one country, as most of what a host holds crosses no border.
"""

import hashlib
import random
from time import monotonic, process_time

import orjson
from sqlalchemy import text

from benchmarks.correlation.host import Region, founded
from benchmarks.correlation.world import NOW_US, TEAMS
from regcert.assembly.parts import spare_collector
from regcert.domain.submission import Received
from regcert.flows.correlate import Pace, correlate
from regcert.flows.publish import publish
from regcert.flows.report_sighting import report_sightings
from regcert.stix.timestamps import write_timestamp
from regcert.store.database import Tx

HOUR_US = 3_600_000_000
STORIES = 150
VALUES_A_STORY = 12
BULK = 1_000

_FILL = (
    "INSERT INTO observables SELECT CAST(printf('%016d', n) AS BLOB), 'domain', 'd' || n || '.old.top' FROM series WHERE n % 2",
    """INSERT INTO mentions SELECT n, CAST(printf('%016d', n - 1 + n % 2) AS BLOB), 1, '', 1 + n % 2, 'identity--' || n % 2,
        'positive', 1, {now} - n * 1000000, {now} - n * 1000000, 2 FROM series""",
    """INSERT INTO holdings (key, scope, team_id, origin, first_us, last_us, published, positives, negatives, false_positive,
        marking, signed) SELECT CAST(printf('%016d', n - 1 + n % 2) AS BLOB), 'all', 1 + n % 2, 'identity--' || n % 2,
        {now} - n * 1000000, {now} - n * 1000000, 0, 1, 0, 0, 2, 0 FROM series""",
)


async def measure_throughput(holdings: int, sightings: int, seed: int = 1) -> dict[str, float]:
    """Measure how many sightings a second correlation takes in.

    Args:
        holdings: what the host holds before.
        sightings: how many are told to it; they wait in the ledger when the clock starts.
        seed: of what is told.
    """
    r = random.Random(f"throughput {seed}")
    async with founded() as region:
        await _fill(region, holdings)
        stories = await _tell_stories(region, r)
        await _catch_up(region)
        await _tell_sightings(region, r, stories, sightings)
        spare_collector()  # as a host does
        busy_s = process_time()
        stretches = await _catch_up(region)
        busy_s = process_time() - busy_s
        took_s = sum(stretches)
        return {
            "holdings before": holdings,
            "sightings": sightings,
            "sightings/s": sightings / took_s,
            "stretches": len(stretches),
            "longest stretch, s": max(stretches),
            "CPU, us a sighting": busy_s / sightings * 1e6,
        }


async def _fill(region: Region, number: int) -> None:
    series = f"WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {number}) "

    async def fill(tx: Tx) -> None:
        for statement in _FILL:
            head, _, tail = statement.format(now=NOW_US).partition("SELECT")
            await tx.connection.execute(text(f"{head} {series} SELECT {tail}"))

    if number:
        await region.database.write(fill)


async def _tell_stories(region: Region, r: random.Random) -> list[tuple[list[str], list[str]]]:
    """Publish stories, each in two countries. Return the values of each and the teams that it reached."""
    stories = []
    for number in range(STORIES):
        values = [_value(f"s{number}-{n}-{_name(r)}", n) for n in range(VALUES_A_STORY)]
        teams = [r.choice(TEAMS[country]) for country in r.sample(sorted(TEAMS), 4)]
        at_us = NOW_US - int(r.uniform(2, 20) * 24 * HOUR_US)
        for delay, team in enumerate(teams[:2]):
            said = [value for value in values if r.random() < 0.8]
            made = [_indicator(r, value, at_us + delay * 20 * HOUR_US) for value in said]
            body = orjson.dumps({"objects": [*made, _report(r, made, at_us)]})
            await publish(
                region.database, region.schemas, Received(await region.principal(team), region.collection, body, NOW_US)
            )
        stories.append((values, teams))
    return stories


async def _tell_sightings(region: Region, r: random.Random, stories: list[tuple[list[str], list[str]]], number: int) -> None:
    everybody = [team for teams in TEAMS.values() for team in teams]
    met = [_value(f"met{n}-{_name(r)}", n) for n in range(max(number // 50, 1))]
    waiting: dict[str, list[object]] = {}
    for n in range(number):
        kind = r.random()
        if kind < 0.2:
            values, teams = r.choice(stories)
            team, value = r.choice(teams), r.choice(values)
        elif kind < 0.3:
            team, value = r.choice(everybody), r.choice(met)
        else:
            team = r.choice(everybody)
            which = r.randrange(number)
            value = _value(f"lone{which}-{team}", which)
        at_us = NOW_US - int(r.expovariate(1 / 24) * HOUR_US)
        one = {"value": value, "kind": "positive", "count": 1, "report_id": f"t{n}", "first_seen": write_timestamp(at_us)}
        waiting.setdefault(team, []).append(one)
        if len(waiting[team]) == BULK:
            await report_sightings(region.database, region.clock, await region.principal(team), waiting.pop(team))
    for team, reports in waiting.items():
        await report_sightings(region.database, region.clock, await region.principal(team), reports)


async def _catch_up(region: Region) -> list[float]:
    """Let correlation read to the end. Return how long each stretch took, in seconds."""
    pace, took_s, more = Pace(), [], True
    while more:
        began_s = monotonic()
        more = await correlate(region.database, region.guards, pace)
        took_s.append(monotonic() - began_s)
    return took_s


def _name(r: random.Random) -> str:
    return f"{r.getrandbits(40):010x}"


def _value(name: str, number: int) -> str:
    """Make a value of a name: a third are addresses, which have neighbours in their networks."""
    if number % 3:
        return f"{name}.top"
    digest = hashlib.sha256(name.encode()).digest()
    return f"185.{digest[0]}.{digest[1]}.{digest[2]}"


def _indicator(r: random.Random, value: str, at_us: int) -> dict[str, object]:
    kind = "domain-name" if value.endswith(".top") else "ipv4-addr"
    dated = {"pattern": f"[{kind}:value = '{value}']", "pattern_type": "stix", "valid_from": write_timestamp(at_us)}
    return _object(r, "indicator", at_us) | dated


def _report(r: random.Random, made: list[dict[str, object]], at_us: int) -> dict[str, object]:
    return _object(r, "report", at_us) | {
        "name": f"Story {_name(r)}",
        "published": write_timestamp(at_us),
        "object_refs": [one["id"] for one in made],
    }


def _object(r: random.Random, kind: str, at_us: int) -> dict[str, object]:
    at = write_timestamp(at_us)
    digits = f"{r.getrandbits(128):032x}"
    made_id = f"{kind}--{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
    return {"type": kind, "spec_version": "2.1", "id": made_id, "created": at, "modified": at}
