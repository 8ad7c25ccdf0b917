"""Law 3: what was acknowledged is on disk; and law 4: one transaction or nothing."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError

from regcert.domain.principal import Role
from regcert.errors import Code, Refusal
from regcert.flows.create_token import TokenOrder, create_token
from regcert.settings import Settings
from regcert.store import database as database_module
from regcert.store.database import WAITING, Tx, open_database
from regcert.store.tables import HostFact, table
from tests.hosting import TAXII
from tests.made import envelope, indicator
from tests.postgres import fresh_database, postgres_server
from tests.store.acting import names

FACTS = table(HostFact)
PUBLISHERS = 6
OBJECTS = "/western-balkans/collections/regional-indicators/objects/"


@contextmanager
def serving(settings: Settings, folder: Path) -> Iterator[tuple[str, int]]:
    """Serve from a process of its own; yields its address and pid, and kills it at the end whatever happened."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "REGCERT_DATA_DIR": str(settings.data_dir),
        "REGCERT_DATABASE_URL": settings.database_url,
    }
    command = [sys.executable, "-m", "regcert", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            lines = iter(server.stderr.readline, "")
            url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            yield url, server.pid
        finally:
            server.kill()


async def publish_until_killed(http: aiohttp.ClientSession, url: str, pid: int, most: int) -> dict[str, list[str]]:
    """Publish from several connections; kill the server with SIGKILL after so many answers. Return what was answered."""
    acknowledged: dict[str, list[str]] = {}

    async def work() -> None:
        while True:
            objects = [indicator() for _ in range(3)]
            try:
                async with http.post(url + OBJECTS, data=envelope(*objects)) as response:
                    status = await response.json(content_type=None)
            except aiohttp.ClientError:
                return
            assert response.status == 202
            acknowledged[status["id"]] = names(status["successes"])
            if len(acknowledged) == most:
                os.kill(pid, signal.SIGKILL)

    await asyncio.gather(*(work() for _ in range(PUBLISHERS)))
    return acknowledged


async def test_acknowledged_objects_are_there_when_the_server_is_killed(settings, clock, tmp_path):
    """kill -9 in the middle of publishing, three times: every 202 keeps its word, and no envelope is there by half."""
    async with open_database(settings.database_url, clock) as database:
        token = await create_token(database, clock, "alcirt", TokenOrder(Role.ANALYST, "test"))
    headers = {"Authorization": f"Bearer {token}", "Accept": TAXII, "Content-Type": TAXII}
    chance = random.Random(3)
    promised: dict[str, list[str]] = {}
    async with aiohttp.ClientSession(headers=headers) as http:
        for _ in range(3):
            with serving(settings, tmp_path) as (url, pid):
                for status_id, ids in list(promised.items())[-5:]:
                    async with http.get(f"{url}/western-balkans/status/{status_id}/") as response:
                        assert names((await response.json(content_type=None))["successes"]) == ids
                promised |= await publish_until_killed(http, url, pid, chance.randint(15, 40))
    async with open_database(settings.database_url, clock) as database, database.read() as connection:
        rows = (await connection.execute(text("SELECT stix_id, submission_id FROM objects"))).all()
    stored = [stix_id for stix_id, _ in rows]
    assert len(stored) == len(set(stored)) >= 3 * 45
    assert {stix_id for ids in promised.values() for stix_id in ids} <= set(stored)
    submissions = [submission for _, submission in rows]
    assert all(submissions.count(one) == 3 for one in set(submissions))


def put(name: str, *, fails: bool = False):
    """Make a piece of work that writes a fact, and perhaps refuses after it."""

    async def work(tx: Tx) -> str:
        await tx.connection.execute(insert(FACTS).values(name=name, value="1"))
        if fails:
            raise Refusal(Code.FORBIDDEN, "no")
        return name

    return work


async def facts(acting) -> set[str]:
    return {row["name"] for row in await acting.rows("host_facts")}


async def test_others_are_kept_when_one_request_of_a_batch_fails(acting):
    """A failure undoes its own request alone: what it wrote is gone, what its neighbours wrote is there."""
    works = [put(f"fact-{number}", fails=number % 3 == 0) for number in range(12)]
    works.append(put("fact-1"))  # the same key again: the database itself refuses
    results = await asyncio.gather(*(acting.database.write(work) for work in works), return_exceptions=True)
    kept = {f"fact-{number}" for number in range(12) if number % 3}
    assert {one for one in await facts(acting) if one.startswith("fact-")} == kept
    assert [isinstance(one, Refusal) for one in results[:12]] == [number % 3 == 0 for number in range(12)]
    assert isinstance(results[12], DBAPIError)


async def test_requests_share_a_commit_when_they_wait_together(acting, monkeypatch):
    """Forty requests that wait together are one commit, or two: that is what makes one fsync carry them all."""
    batches: list[int] = []
    commit = database_module.Database._commit

    async def counted(self, batch):
        batches.append(len(batch))
        await commit(self, batch)

    monkeypatch.setattr(database_module.Database, "_commit", counted)
    await asyncio.gather(*(acting.database.write(put(f"fact-{number}")) for number in range(40)))
    assert sum(batches) == 40
    assert len(batches) <= 2


async def test_nobody_is_answered_when_the_commit_fails(acting, monkeypatch):
    """An answer is a promise: where the commit did not happen, every request of the batch learns it, and nothing is kept."""

    async def work(tx: Tx) -> None:
        await put("lost")(tx)
        # The next request's savepoint, and the commit, find no transaction any more.
        await tx.connection.exec_driver_sql("ROLLBACK")

    results = await asyncio.gather(
        acting.database.write(put("before")), acting.database.write(work), acting.database.write(put("after")),
        return_exceptions=True,
    )  # fmt: skip
    assert all(isinstance(one, Exception) for one in results)
    assert not {"before", "lost", "after"} & await facts(acting)
    assert await acting.database.write(put("still-at-work")) == "still-at-work"


async def test_busy_when_the_queue_is_full(acting):
    """Beyond its bound the queue takes nobody: BUSY at once, and those in it are served all the same."""
    gate, started = asyncio.Event(), asyncio.Event()

    async def hold(_: Tx) -> None:
        started.set()
        await gate.wait()

    async def nothing(_: Tx) -> None:
        return

    holding = asyncio.create_task(acting.database.write(hold))
    await started.wait()
    waiting = [asyncio.create_task(acting.database.write(nothing)) for _ in range(WAITING)]
    await asyncio.sleep(0)  # each of them runs up to its place in the queue
    assert acting.database._requests.full()
    with pytest.raises(Refusal) as refused:
        await acting.database.write(nothing)
    assert refused.value.code is Code.BUSY
    gate.set()
    await asyncio.gather(holding, *waiting)


async def test_writer_goes_on_when_one_who_asked_gives_up(acting):
    """A caller that was cancelled leaves no trace in the queue: the next one is served."""
    asking = asyncio.create_task(acting.database.write(put("given-up")))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await acting.database.write(put("next")) == "next"


async def test_failed_statement_hides_its_parameters(acting):
    """A failure's text goes into logs: it holds no parameter, which may be content above TLP:CLEAR."""
    secret = f"secret-{uuid.uuid4()}"

    async def work(tx: Tx) -> None:
        await tx.connection.execute(insert(FACTS).values(name=secret, value=secret))
        await tx.connection.execute(insert(FACTS).values(name=secret, value=secret))

    with pytest.raises(DBAPIError) as failed:
        await acting.database.write(work)
    assert secret not in str(failed.value)


async def test_reader_cannot_write(acting):
    """What reads on somebody's behalf refuses to write, whatever query it is handed."""
    before = await facts(acting)
    for statement in (insert(FACTS).values(name="x", value="1"), update(FACTS).values(value="2"), text("DROP TABLE audit")):
        async with acting.database.read() as connection:
            with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
                await connection.execute(statement)
    assert await facts(acting) == before


async def test_reader_sees_one_state_when_somebody_writes(acting):
    """Two queries of one read see the same committed state."""
    async with acting.database.read() as connection:
        first = (await connection.execute(text("SELECT count(*) FROM host_facts"))).scalar_one()
        await acting.database.write(put("meanwhile"))
        assert (await connection.execute(text("SELECT count(*) FROM host_facts"))).scalar_one() == first


async def test_start_is_refused_when_postgres_does_not_wait_for_its_disk(postgres, clock):
    """A database that acknowledges what it can lose is not served from: synchronous_commit off for this database alone."""
    async with fresh_database(postgres) as url:
        name = url.partition("@/")[2].partition("?")[0]
        connection = await asyncpg.connect(url)
        await connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        await connection.close()
        await require_unsafe(url, clock)


async def test_start_is_refused_when_postgres_runs_without_fsync(clock):
    """The same for a server that was told not to reach the disk at all."""
    with postgres_server(fsync=False) as server:
        await require_unsafe(server.format(database="postgres"), clock)


async def test_start_is_refused_when_sqlite_has_no_log(tmp_path, clock, monkeypatch):
    """And for a SQLite that cannot have the journal that we rely on."""
    monkeypatch.setattr(database_module, "_prepare_sqlite", lambda connection, _: setattr(connection, "isolation_level", None))
    await require_unsafe(f"sqlite:///{tmp_path}/plain.db", clock)


async def require_unsafe(url: str, clock) -> None:
    with pytest.raises(Refusal) as refused:
        async with open_database(url, clock):
            pass
    assert refused.value.code is Code.UNSAFE_DATABASE
