"""Whatever is asked, the host answers: never with a fault, never late for ever, never with the words of who asked."""

import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from regcert.clock import SystemClock
from regcert.domain.principal import Role
from regcert.flows.create_token import TokenOrder, create_token
from regcert.settings import Settings
from regcert.store.database import open_database
from tests.clients.served import Served, serve
from tests.fuzz.course import run_course
from tests.fuzz.grammar import ASKED, POSTED, Grammar
from tests.hosting import ROOT, TAXII
from tests.made import envelope, indicator, sdo

SEEDS = (1, 2)
REQUESTS = int(os.environ.get("REGCERT_TEST_FUZZ", "2000"))
ASKING = ("alcirt", "mkd-cert")
NEVER = "indicator--5a6e590a-8533-48ba-9b80-621c3ddefff0"
UNTOUCHED = f"{ROOT}/collections/team-srb-cert"


async def make_tokens(settings: Settings) -> tuple[list[str], str]:
    """Make the tokens of those who ask, and one of a team that nobody disturbs."""
    clock = SystemClock()
    async with open_database(settings.database_url, clock) as database:
        orders = [(team, role) for team in ASKING for role in (Role.ANALYST, Role.ANALYST, Role.CONSUMER)]
        asking = [await create_token(database, clock, team, TokenOrder(role, "asks")) for team, role in orders]
        return asking, await create_token(database, clock, "srb-cert", TokenOrder(Role.ANALYST, "is left alone"))


class Quiet:
    """A collection that nobody else may see, as its own team reads it."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def fill(self) -> None:
        """Publish something in it."""
        body = envelope(*(indicator() for _ in range(20)), sdo("malware", is_family=False, name="m"))
        async with self._http.post(f"{self._url}{UNTOUCHED}/objects/", data=body, headers={"Content-Type": TAXII}) as reply:
            assert (await reply.json(content_type=None))["success_count"] == 21

    async def look(self) -> list[tuple[bytes, str | None]]:
        """Read all of it: every answer with its tag."""
        seen = []
        for path in ("/", "/objects/", "/objects/?limit=5", "/manifest/", "/objects/?match[type]=malware"):
            async with self._http.get(self._url + UNTOUCHED + path) as reply:
                assert reply.status == 200
                # A cursor is sealed anew, the same way each time; so a whole answer can be compared.
                seen.append((await reply.read(), reply.headers.get("ETag")))
        return seen


@pytest.fixture
async def served(settings: Settings, tmp_path: Path) -> AsyncIterator[tuple[Served, Path]]:
    """A host as it is run, and the file of its log."""
    log = tmp_path / "serve.log"
    with serve(settings, tmp_path, log) as running:
        yield running, log


@pytest.mark.parametrize("seed", SEEDS)
async def test_host_answers_rightly_when_requests_are_spoilt(settings: Settings, served: tuple[Served, Path], seed: int) -> None:
    """No 5xx, no hang, every refusal in its form, no echo in an answer or the log; who is left alone notices nothing."""
    host, log = served
    asking, untouched = await make_tokens(settings)
    headers = {"Authorization": f"Bearer {untouched}", "Accept": TAXII}
    async with aiohttp.ClientSession(headers=headers) as http:
        quiet = Quiet(http, host.url)
        await quiet.fill()
        before = await quiet.look()
        started = time.monotonic()
        course = await run_course(host.url, seed, asking, REQUESTS)
        print(f"seed {seed}: {dict(sorted(course.statuses.items()))} in {time.monotonic() - started:.1f} s")
        assert not course.faults, "\n".join(course.faults[:5])
        assert await quiet.look() == before
    written = log.read_text("utf-8", "replace")
    assert ASKED not in written
    assert POSTED not in written
    # The parser of HTTP writes a line of its own for what it refuses; a line of ours is a fault, but for a client that hung up.
    ours = [line for line in written.splitlines() if " ERROR regcert" in line or "Traceback" in line]
    assert [line for line in ours if "builtins.ConnectionResetError at" not in line] == []


def test_course_is_the_same_when_its_seed_is() -> None:
    """What a seed found can be found again: as long as nothing was learnt, the same requests come in the same order."""

    def course(seed: int) -> list[bytes]:
        grammar = Grammar(random.Random(seed), ("t",), [NEVER])
        return [grammar.ask().raw for _ in range(200)]

    assert course(1) == course(1) != course(2)
