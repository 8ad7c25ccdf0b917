"""Our own host against the suite, over a real socket, on both databases."""

import pytest

from regcert.conformance.asking import Terms
from regcert.conformance.check import Keyword
from regcert.conformance.verdict import Verdict
from regcert.domain.principal import Role
from regcert.settings import Settings
from tests.conformance.asking import run
from tests.hosting import RunningHost

MOST_BYTES = 1_048_576


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A host whose largest body is small enough to be sent."""
    return settings.model_copy(update={"max_content_bytes": MOST_BYTES})


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
