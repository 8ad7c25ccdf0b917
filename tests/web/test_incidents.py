"""`GET /api/v1/incidents` over real sockets: pages, one, the schema, and what is nobody else's business."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest

from regcert.share import share_dir
from tests.hosting import RunningHost
from tests.wire.asking import INCIDENTS, JSON, REPORTS, ask

SCHEMA = jsonschema_rs.validator_for(orjson.loads(Path(share_dir() / "schemas" / "incident.schema.json").read_bytes()))


async def seen(
    host: RunningHost, value: str, teams: tuple[str, ...], collection: str = "regional-sightings", earlier: int = 0
) -> None:
    """Let teams report a value, one after the other, a day apart, and all so many days earlier."""
    for day, team in enumerate(teams, -earlier):
        body = {
            "value": value,
            "collection": collection,
            "first_seen": host.at(day - 5),
            "last_seen": host.at(day - 5),
            "count": 3,
        }
        reply = await ask(host, "POST", REPORTS, team=team, headers=JSON, body=orjson.dumps(body))
        assert reply.json["accepted"] == 1
    await host.caught_up()


async def listed(host: RunningHost, team: str, query: str = "") -> list[dict[str, Any]]:
    page: dict[str, Any] = (await ask(host, "GET", INCIDENTS + query, team=team)).json
    return list(page["incidents"])


async def test_incident_appears_when_two_countries_saw_a_value(host: RunningHost) -> None:
    """Alone it is nothing; with a second country it is an incident that says where it came from, and fits its schema."""
    await seen(host, "evil.example", ("alcirt",))
    assert await listed(host, "alcirt") == []
    await seen(host, "evil.example", ("hr-cert", "srb-cert"))
    (one,) = await listed(host, "bih-cert")
    assert list(SCHEMA.iter_errors(one)) == []
    assert {arrival["country"] for arrival in one["countries"]} == {"AL", "HR", "RS"}
    assert one["countries"] == sorted(one["countries"], key=lambda arrival: (arrival["first_seen"], arrival["country"]))
    assert set(one["teams"]) == {"alcirt", "hr-cert", "srb-cert"}
    assert one["observables"] == [{"kind": "domain", "value": "evil.example"}]
    assert (one["sightings"], one["marking"]) == (9, "TLP:AMBER")
    alone = await ask(host, "GET", f"{INCIDENTS}/{one['id']}", team="bih-cert")
    assert (alone.status, alone.json) == (200, one)


async def test_pages_partition_the_list_when_next_is_followed(host: RunningHost) -> None:
    """Whatever the page size, every incident comes once, the highest score first."""
    for number in range(7):
        teams = ("alcirt", "srb-cert", "hr-cert", "cirt-me")[: 2 + number % 3]
        await seen(host, f"evil{number}.example", teams, earlier=number)
    everything = await listed(host, "alcirt")
    assert len(everything) == 7
    assert [one["score"] for one in everything] == sorted((one["score"] for one in everything), reverse=True)
    for limit in ("1", "2", "3", "0000000003", "7", "200", "9" * 20):
        found, following = [], ""
        while True:
            page = (await ask(host, "GET", f"{INCIDENTS}?limit={limit}{following}")).json
            assert 1 <= len(page["incidents"]) <= int(limit)
            found += page["incidents"]
            if page["next"] is None:
                break
            following = f"&next={page['next']}"
        assert found == everything


async def test_incident_is_not_there_when_its_scope_is_another(host: RunningHost) -> None:
    """Evidence of a sharing group makes an incident for that group only; for others neither list nor address knows it."""
    await seen(host, "bank.example", ("alcirt", "mkd-cert"), collection="financial-sector-group")
    (one,) = await listed(host, "srb-cert")
    assert await listed(host, "hr-cert") == []
    hidden = await ask(host, "GET", f"{INCIDENTS}/{one['id']}", team="hr-cert")
    absent = await ask(host, "GET", f"{INCIDENTS}/5a6e590a-8533-48ba-9b80-621c3ddefff0", team="hr-cert")
    assert (hidden.status, hidden.json | {"request_id": ""}) == (404, absent.json | {"request_id": ""})
    token = await host.token("alcirt", collections=("public",))
    narrowed = await ask(host, "GET", INCIDENTS, headers={"Authorization": f"Bearer {token}"})
    assert narrowed.json["incidents"] == []


async def test_incidents_are_still_listed_when_somebody_reports_an_impossible_time(host: RunningHost) -> None:
    """A time whose offset leads out of the calendar is refused: once it broke the list for a whole region."""
    await seen(host, "evil.example", ("alcirt",))
    body = {"value": "evil.example", "first_seen": "0001-01-01T00:00:00+14:00", "last_seen": host.at()}
    reply = await ask(host, "POST", REPORTS, team="srb-cert", headers=JSON, body=orjson.dumps(body))
    assert (reply.status, reply.json["refused"][0]["code"]) == (422, "invalid-sighting")
    body["first_seen"] = "0001-01-01T00:00:00Z"
    assert (await ask(host, "POST", REPORTS, team="srb-cert", headers=JSON, body=orjson.dumps(body))).status == 200
    await host.caught_up()
    (one,) = await listed(host, "alcirt")
    assert list(SCHEMA.iter_errors(one)) == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "limit=", "limit=1.5", "next=x", "next=", "next=WzFlOTk5LCJ4Il0="]
)
async def test_query_is_refused_when_it_cannot_be_read(standing: RunningHost, query: str) -> None:
    """A limit that is no number and a cursor that is none of ours are 400."""
    reply = await ask(standing, "GET", f"{INCIDENTS}?{query}")
    assert (reply.status, reply.code) == (400, "malformed-request")
