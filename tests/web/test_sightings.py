"""`POST /api/v1/sightings` over real sockets: one report, many, twice, too many, and who may."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from sqlalchemy import text

from regcert.domain.principal import Role
from regcert.share import share_dir
from regcert.web.teams_turns import TeamsTurns
from tests.hosting import RunningHost
from tests.made import indicator
from tests.wire.asking import JSON, REPORTS, Reply, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA = jsonschema_rs.validator_for(orjson.loads(Path(share_dir() / "schemas" / "sighting-report.schema.json").read_bytes()))


async def report(host: RunningHost, body: Any, team: str = "alcirt", role: Role = Role.ANALYST) -> Reply:
    return await ask(host, "POST", REPORTS, team=team, role=role, headers=JSON, body=orjson.dumps(body))


async def rows(host: RunningHost) -> int:
    async with host.inside.database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM sightings"))).scalar_one())


async def test_report_is_taken_when_it_is_one_line(standing: RunningHost) -> None:
    """A value is enough; every property may stand."""
    before = await rows(standing)
    full = {
        "value": "hxxps://login[.]bank[.]example/a", "kind": "positive", "count": 12, "first_seen": standing.at(-1),
        "last_seen": standing.at(), "sector": "finance", "report_id": "full-1", "collection": "public",
    }  # fmt: skip
    for one in ({"value": "evil.example"}, full):
        assert SCHEMA.is_valid(one)
        reply = await report(standing, one)
        assert (reply.status, reply.json) == (200, {"accepted": 1, "refused": []})
        assert reply.headers["Content-Type"] == "application/json"
    assert await rows(standing) == before + 2


async def test_report_names_an_indicator_when_the_team_can_see_it(standing: RunningHost) -> None:
    """A sighting of an indicator is filed; of one that the team cannot see it is answered as of one that never was."""
    seen, hidden = indicator(), indicator()
    await standing.post([seen])
    await standing.post([hidden], collection="team-alcirt")
    assert (await report(standing, {"indicator": seen["id"]}, team="srb-cert")).json["accepted"] == 1
    reply = await report(standing, {"indicator": hidden["id"]}, team="srb-cert")
    assert (reply.status, reply.json["refused"][0]["code"]) == (422, "unknown-indicator")


async def test_every_report_has_its_verdict_when_many_come(standing: RunningHost) -> None:
    """The good are stored, the bad named by their place; nothing at all taken is 422."""
    many = [{"value": f"n{number}.example"} if number % 3 else {"value": 7} for number in range(30)]
    before = await rows(standing)
    reply = await report(standing, {"sightings": many})
    assert (reply.status, reply.json["accepted"]) == (200, 20)
    assert [one["index"] for one in reply.json["refused"]] == list(range(0, 30, 3))
    assert await rows(standing) == before + 20
    assert (await report(standing, {"sightings": many[:1]})).status == 422
    assert (await report(standing, {"sightings": []})).json == {"accepted": 0, "refused": []}


async def test_report_counts_once_when_it_comes_again(standing: RunningHost) -> None:
    """The same team and report id changes nothing, in one call or the next, with whatever token; another team's is its own."""
    one = {"value": "again.example", "report_id": "again-1"}
    before = await rows(standing)
    for body, role in (({"sightings": [one, one]}, Role.ANALYST), (one, Role.CONSUMER), (one | {"count": 9}, Role.ANALYST)):
        reply = await report(standing, body, role=role)
        assert (reply.status, reply.json["refused"]) == (200, [])
    assert await rows(standing) == before + 1
    await report(standing, one, team="srb-cert")
    assert await rows(standing) == before + 2


async def test_call_is_refused_when_it_holds_too_many_reports(standing: RunningHost) -> None:
    """10,000 are taken, 10,001 are not, and nothing of them is stored."""
    before = await rows(standing)
    many = [{"value": f"n{number}.example", "report_id": f"many-{number}"} for number in range(10_001)]
    reply = await report(standing, {"sightings": many})
    assert (reply.status, reply.code) == (413, "too-large")
    assert await rows(standing) == before
    assert (await report(standing, {"sightings": many[1:]})).json == {"accepted": 10_000, "refused": []}
    assert await rows(standing) == before + 10_000


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/taxii+json;version=2.1"]
)
async def test_report_is_refused_when_it_does_not_call_itself_json(standing: RunningHost, content_type: str) -> None:
    """A browser can send a foreign form, but not one that says application/json."""
    reply = await ask(standing, "POST", REPORTS, headers={"Content-Type": content_type}, body=b'{"value":"a.example"}')
    assert (reply.status, reply.code) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ANALYST, 200), (Role.CONSUMER, 200), (Role.COORDINATOR, 200), (Role.ADMIN, 403)]
)
async def test_report_is_taken_when_the_role_may(standing: RunningHost, role: Role, status: int) -> None:
    """Everybody but the administrator of the host reports."""
    assert (await report(standing, {"value": "role.example"}, role=role)).status == status


@pytest.mark.parametrize(
    "one",
    [
        {}, [], {"value": ""}, {"value": "a.example", "indicator": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"},
        {"value": "a.example", "count": 0}, {"value": "a.example", "count": 1.5}, {"value": "a.example", "kind": "maybe"},
        {"value": "a.example", "note": ""}, {"indicator": "x"}, {"value": "a.example", "collection": ""},
        {"value": "a.example", "report_id": "x" * 201}, {"value": "a.example", "technique": "T1566"}, {"technique": "T15"},
        {"technique": "t1566"}, {"technique": "T1566.1"}, {"subject": "malware--x"}, {"subject": 5},
        {"subject": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"},
    ],
)  # fmt: skip
async def test_report_is_refused_when_the_schema_refuses_it(standing: RunningHost, one: Any) -> None:
    """The published schema and the host agree."""
    assert not SCHEMA.is_valid(one)
    assert (await report(standing, {"sightings": [one]})).status == 422


LINES = {"Content-Type": "application/x-ndjson"}


async def send_lines(host: RunningHost, body: bytes, headers: dict[str, str] = LINES) -> Reply:
    return await ask(host, "POST", REPORTS, team="alcirt", headers=headers, body=body)


async def test_every_line_has_its_verdict_when_lines_are_sent(standing: RunningHost) -> None:
    """A bad line is named as an editor counts it, and spoils no other; the last one may end or not."""
    good = b'{"value": "lines.example"}'
    lines = [good, b"{", b'{"technique": "T1566.001"}', b"", b"[]", b'{"value": "a.example", "value": "b.example"}', good]
    for end in (b"", b"\n", b"\r\n"):
        answer = await send_lines(standing, b"\n".join(lines) + end)
        assert (answer.status, answer.json["accepted"]) == (200, 3)
        refused = [(one["line"], one["code"]) for one in answer.json["refused"]]
        assert refused == [
            (2, "malformed-json"), (4, "malformed-json"), (5, "invalid-sighting"), (6, "duplicate-key"),
        ]  # fmt: skip


async def test_lines_are_bounded_when_they_are_many_or_long(standing: RunningHost) -> None:
    """Ten thousand lines a call; one that is too long is refused by itself; none is nothing."""
    good = b'{"value": "bounds.example", "report_id": "bounds"}'
    assert (await send_lines(standing, b"\n".join([good] * 10_000))).json == {"accepted": 10_000, "refused": []}
    assert (await send_lines(standing, b"\n".join([good] * 10_001))).status == 413
    long = b'{"value": "' + b"a" * 70_000 + b'"}'
    assert [one["code"] for one in (await send_lines(standing, long + b"\n" + good)).json["refused"]] == ["too-large"]
    assert (await send_lines(standing, b"")).json == {"accepted": 0, "refused": []}
    assert (await send_lines(standing, good, {"Content-Type": "text/plain"})).status == 415


async def test_reports_are_read_back_as_they_were_made(standing: RunningHost) -> None:
    """By what they name, and by the hour; whoever asks about nothing, or two things, is told how to."""
    told = {"technique": "T9999", "count": 3, "first_seen": "2026-11-03T10:20:00Z", "sector": "energy", "kind": "negative"}
    assert (await report(standing, told)).status == 200
    answer = await ask(standing, "GET", f"{REPORTS}?technique=T9999", team="srb-cert")
    [one] = answer.json["sightings"]
    assert {name: one[name] for name in ("technique", "count", "kind", "sector", "team", "country")} == {
        "technique": "T9999", "count": 3, "kind": "negative", "sector": "energy", "team": "alcirt", "country": "AL",
    }  # fmt: skip
    by_hour = (await ask(standing, "GET", f"{REPORTS}/hours?technique=T9999", team="srb-cert")).json
    [hour] = by_hour["hours"]
    assert (hour["hour"], hour["count"], by_hour["complete"]) == ("2026-11-03T10:00:00.000000Z", 3, True)
    for query in ("", "?value=a.example&technique=T1566", "?technique=x", "?technique=T9999&next=x", "?subject=T9999"):
        assert (await ask(standing, "GET", f"{REPORTS}{query}", team="srb-cert")).status == 400


async def test_team_has_one_turn_at_a_time_however_many_tokens_it_has() -> None:
    """A flood from one team waits before its bodies are read; other teams, and its own short reports, do not wait for it."""
    turns = TeamsTurns()
    async with turns.take(1, is_quick=False):
        assert turns.take(1, is_quick=False).locked()
        assert not turns.take(1, is_quick=True).locked()
        assert not turns.take(2, is_quick=False).locked()
    assert not turns.take(1, is_quick=False).locked()
