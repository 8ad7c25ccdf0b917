"""Our own host against the suite, over a real socket, on both databases."""

from pathlib import Path

import pytest

from regcert.conformance.asking import Terms
from regcert.conformance.check import Keyword
from regcert.conformance.verdict import Verdict
from regcert.domain.principal import Role
from regcert.flows.initialise import initialise, read_region_file
from regcert.settings import Settings
from regcert.share import share_dir
from tests.conformance.asking import run
from tests.hosting import RunningHost, StillClock

MOST_BYTES = 1_048_576


@pytest.fixture
async def settings(tmp_path: Path, database_url: str, clock: StillClock) -> Settings:
    """A host whose largest body is small enough to be sent."""
    settings = Settings(data_dir=tmp_path / "host", database_url=database_url, max_content_bytes=MOST_BYTES)
    region = read_region_file(share_dir() / "deploy" / "regions" / "western-balkans.toml")
    await initialise(settings.data_dir, settings.database_url, clock, region)
    return settings


async def test_host_keeps_every_must_and_should_when_the_suite_is_run(host: RunningHost) -> None:
    """Nothing fails that the standard asks for, and what the suite posted is gone afterwards."""
    other = await host.token("srb-cert", Role.CONSUMER, collections=("regional-sightings",))
    terms = Terms(f"Bearer {await host.token('alcirt')}", f"Bearer {other}")
    found = await run(host.url, terms, collection="regional-indicators")
    failed = found.failed(Keyword.MUST, Keyword.SHOULD, Keyword.MAY)
    assert failed == {}
    assert found.findings.left_behind == 0
    assert await host.objects() == []
    assert found.findings.count(Verdict.PASSED) > 350
