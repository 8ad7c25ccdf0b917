"""A database that fails is nobody's fault who asks: they are told to come back, and nothing acknowledged is lost."""

import asyncpg
import pytest
from sqlalchemy import text

from regcert.errors import Code, Refusal
from regcert.store.database import Database
from regcert.store.log import count_leaves
from regcert.store.programs import Program, Statement
from tests.hosting import RunningHost
from tests.made import indicator
from tests.store.acting import Acting


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_host_answers_again_when_every_connection_was_cut(host: RunningHost, database_url: str) -> None:
    """A restart of PostgreSQL costs some requests a 503, and no more."""
    assert (await host.post([indicator()]))[0] == 202
    operator = await asyncpg.connect(database_url)
    await operator.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await operator.close()
    statuses = [(await host.post([indicator()]))[0] for _ in range(8)]
    assert set(statuses) <= {202, 503}
    assert statuses[-1] == 202
    assert len(await host.objects("srb-cert")) == 1 + statuses.count(202)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_connection_whose_driver_lost_count_is_not_handed_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that meets its connection just as it is cut off is an outage, and the next one has a new connection."""
    fetch = asyncpg.Connection.fetch
    met: list[asyncpg.Connection] = []

    async def cut_off(connection: asyncpg.Connection, *_: object, **__: object) -> None:
        met.append(connection)
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    await database.run(count_leaves())
    monkeypatch.setattr(asyncpg.Connection, "fetch", cut_off)
    with pytest.raises(Refusal) as refused:
        await database.run(count_leaves())
    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch)
    assert refused.value.code is Code.BUSY
    assert await database.run(count_leaves()) == 0
    assert [connection.is_closed() for connection in met] == [True]


def limit(pages: int) -> Program[None]:
    """Limit the file for the connection that writes it."""
    yield Statement(lambda _: text(f"PRAGMA max_page_count = {pages}")), {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_nothing_is_stored_and_the_sender_told_when_the_disk_is_full(acting: Acting, database: Database) -> None:
    """Where there is no room, the answer is to come back; and afterwards everything goes on."""

    async def room_for(pages: int) -> None:
        await database.apply(lambda _: limit(pages))

    await acting.publish(indicator())
    await room_for(1)
    with pytest.raises(Refusal) as refused:
        await acting.publish(*(indicator(description="x" * 100_000) for _ in range(20)))
    assert refused.value.code is Code.BUSY
    assert len(await acting.poll()) == 1
    await room_for(1_000_000)
    await acting.publish(indicator())
    assert len(await acting.poll()) == 2
