"""Bodies too large to be looked at while their sender waits: kept, pending, and looked at piece by piece."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from regcert.domain.principal import Role
from regcert.flows import spool as spooling
from regcert.flows.expire_statuses import KEPT_DAYS, expire_statuses
from regcert.flows.unspool import unspool
from regcert.store.tables import SpoolRow, SubmissionRow, table
from regcert.web.taxii import objects as handlers
from tests.hosting import ROOT, RunningHost
from tests.made import envelope, indicator, sdo
from tests.wire.asking import OBJECTS, ask

PIECE = 20


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as large, and as a piece, is small here."""
    monkeypatch.setattr(handlers, "LARGE_BYTES", 4096)
    monkeypatch.setattr(spooling, "PIECE_OBJECTS", PIECE)


async def rows(host: RunningHost, kind: Any) -> int:
    async with host.inside.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table(kind)))).scalar_one())


async def look_at_all(host: RunningHost, schemas: Any) -> None:
    while await unspool(host.inside.database, schemas):
        pass


async def settled(host: RunningHost, status: dict[str, Any]) -> dict[str, Any]:
    """Ask for a status until it is complete."""
    while status["status"] == "pending":
        counted = status["success_count"] + status["failure_count"] + status["pending_count"]
        assert counted == status["total_count"]
        await asyncio.sleep(0.02)
        _, status, _ = await host.get(f"/status/{status['id']}/")
    return status


async def test_large_body_is_pending_and_then_complete(host: RunningHost) -> None:
    """202 with everything pending; then each object has its verdict, and comes back value for value, in its order."""
    sent = [indicator(name=f"{number}") for number in range(5 * PIECE)]
    broken = sdo("malware")  # a required property is missing
    status, told = await host.post([*sent[:30], broken, *sent[30:]])
    assert (status, told["status"], told["pending_count"]) == (202, "pending", 5 * PIECE + 1)
    assert "pendings" not in told
    told = await settled(host, told)
    assert (told["success_count"], told["failure_count"], told["pending_count"]) == (5 * PIECE, 1, 0)
    assert [one["id"] for one in told["successes"]] == [one["id"] for one in sent]
    assert told["failures"][0]["id"] == broken["id"]
    assert await host.objects() == sent
    assert await rows(host, SpoolRow) == 0


@pytest.mark.parametrize("sending", ["chunked", "gzip"])
async def test_large_body_is_taken_when_it_says_nothing_of_its_length(host: RunningHost, sending: str) -> None:
    """Counted as it comes, and unpacked."""
    sent = [indicator() for _ in range(3 * PIECE)]
    body = gzip.compress(envelope(*sent)) if sending == "gzip" else envelope(*sent)

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    coding = {"Content-Encoding": "gzip"} if sending == "gzip" else {}
    answer = await ask(host, "POST", OBJECTS, headers=coding, body=slowly())
    assert (answer.status, answer.json["status"]) == (202, "pending")
    assert (await settled(host, answer.json))["success_count"] == len(sent)


@pytest.mark.parametrize("tail", [b"", b"]", b"]}x", b",]}", b"{]}"])
async def test_nothing_is_kept_when_the_frame_of_a_large_body_is_broken(host: RunningHost, tail: bytes) -> None:
    """A body whose end cannot be told is refused as a whole, also when its beginning was kept already."""
    body = envelope(*(indicator() for _ in range(3 * PIECE)))[:-2] + tail
    answer = await ask(host, "POST", OBJECTS, body=body)
    assert (answer.status, answer.code) == (400, "malformed-json")
    assert (await rows(host, SpoolRow), await rows(host, SubmissionRow)) == (0, 0)
    assert (await ask(host, "GET", OBJECTS)).body == b"{}"


async def test_nothing_is_kept_when_the_sender_goes_away(host: RunningHost) -> None:
    """Half a body is no body."""

    async def half() -> AsyncIterator[bytes]:
        yield envelope(*(indicator() for _ in range(3 * PIECE)))[:-200]
        raise ConnectionResetError

    with pytest.raises(Exception):  # noqa: B017 - whatever the client makes of its own failure
        await ask(host, "POST", OBJECTS, body=half())
    while await rows(host, SubmissionRow):  # noqa: ASYNC110 - nobody is told that the host has given up
        await asyncio.sleep(0.02)
    assert await rows(host, SpoolRow) == 0


async def test_definition_explains_what_came_before_it_in_a_large_body(host: RunningHost) -> None:
    """Marking definitions are looked at first, wherever they stand."""
    statement = {
        "type": "marking-definition", "spec_version": "2.1", "id": f"marking-definition--{uuid4()}",
        "created": "2026-11-01T10:00:00.000Z", "definition_type": "statement", "definition": {"statement": "ours"},
    }  # fmt: skip
    marked = [indicator(object_marking_refs=[statement["id"]]) for _ in range(3 * PIECE)]
    _, told = await host.post([*marked, statement])
    told = await settled(host, told)
    assert (told["success_count"], told["failure_count"]) == (3 * PIECE + 1, 0)


async def test_each_object_is_stored_once_when_the_host_stops_in_between(
    host: RunningHost, schemas: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at stays, what was not is looked at later, and looking twice changes nothing."""
    sent = [indicator() for _ in range(4 * PIECE)]
    monkeypatch.setattr("regcert.workers.keeper.unspool", _never)
    _, told = await host.post(sent)
    database = host.inside.database
    assert await unspool(database, schemas)
    _, half, _ = await host.get(f"/status/{told['id']}/")
    assert (half["status"], half["success_count"], half["pending_count"]) == ("pending", PIECE, 3 * PIECE)
    assert len(await host.objects()) == PIECE
    # Two at once find the same piece: one of them is too late.
    await asyncio.gather(unspool(database, schemas), unspool(database, schemas))
    await look_at_all(host, schemas)
    _, whole, _ = await host.get(f"/status/{told['id']}/")
    assert (whole["status"], whole["success_count"], whole["total_count"]) == ("complete", 4 * PIECE, 4 * PIECE)
    assert await host.objects() == sent


async def _never(*_: object) -> bool:
    return False


async def test_status_of_a_large_body_is_not_there_when_another_asks(host: RunningHost) -> None:
    """It is its poster's, pending or complete."""
    _, told = await host.post([indicator() for _ in range(3 * PIECE)])
    for team, role in (("srb-cert", Role.ANALYST), ("alcirt", Role.COORDINATOR)):
        status, _, _ = await host.get(f"/status/{told['id']}/", team, role)
        assert status == 404
    await settled(host, told)


async def test_large_body_is_refused_when_the_collection_requires_a_signature(host: RunningHost) -> None:
    """What cannot be verified is not kept for later either."""
    status, told = await host.post([indicator() for _ in range(3 * PIECE)], collection="signed-only")
    assert (status, told["error_code"]) in {(422, "signature-required"), (404, "not-found")}


async def test_status_is_forgotten_when_it_is_older_than_thirty_days(host: RunningHost) -> None:
    """Kept for thirty days, and no longer; the objects stay."""
    one = indicator()
    _, told = await host.post([one])
    host.clock.at_us += (KEPT_DAYS * 86_400 - 60) * 1_000_000
    assert await expire_statuses(host.inside.database, host.clock) == 0
    assert (await host.get(f"/status/{told['id']}/"))[0] == 200
    host.clock.at_us += 120 * 1_000_000
    assert await expire_statuses(host.inside.database, host.clock) == 1
    assert (await host.get(f"/status/{told['id']}/"))[0] == 404
    assert (await ask(host, "GET", f"{OBJECTS}{one['id']}/")).status == 200
    assert ROOT
