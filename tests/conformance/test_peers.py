"""Other people's servers, where they are at hand: what they are known for must be found.

REGCERT_TEST_PEERS names the folders of Python environments, parted as in PATH, that have medallion or OpenTAXII.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from regcert.conformance.asking import Terms
from regcert.conformance.verdict import Verdict
from tests.conformance.asking import checks_named, run

HERE = Path(__file__).parent
TERMS = Terms("Basic " + base64.b64encode(b"peer:password").decode())
# Of both releases that there are at the time: docs/conformance.md has the whole list.
KNOWN = {
    "medallion": (
        "3.5-next-can-be-used-twice",
        "5.3-date-added-is-unique",
        "5.5-duplicate-is-no-failure",
    ),
    "opentaxii": (
        "4.3-detail-version-keeps-its-text",
        "5.3-manifest-that-says-more-has-next",
        "5.3-version-keeps-its-text",
        "5.5-observable-without-times-is-taken",
        "5.7-unknown-object-is-not-found",
        "8.2.2-sign-in-is-asked-for-collections",
    ),
}
KEPT = ("4.1-title-is-text", "4.2-versions-hold-ours", "5.5-post-is-accepted")


async def find_python(package: str) -> str:
    """Return the Python of an environment that has a package, or skip."""
    named = os.environ.get("REGCERT_TEST_PEERS")
    if not named:
        pytest.skip("REGCERT_TEST_PEERS names no environment with other servers")
    for folder in named.split(os.pathsep):
        python = str(Path(folder) / "bin" / "python")
        finding = await asyncio.create_subprocess_exec(python, "-c", f"import {package}", stderr=asyncio.subprocess.DEVNULL)
        if await finding.wait() == 0:
            return python
    pytest.skip(f"no environment of REGCERT_TEST_PEERS has {package}")


@asynccontextmanager
async def started(package: str, folder: Path) -> AsyncIterator[str]:
    """Start a peer with an empty store; yields its address."""
    python = await find_python(package)
    script = str(HERE / f"launch_{package}.py")
    with (folder / "log").open("wb") as log:
        peer = await asyncio.create_subprocess_exec(python, script, str(folder), stdout=asyncio.subprocess.PIPE, stderr=log)
        try:
            assert peer.stdout is not None
            url = (await peer.stdout.readline()).decode().strip()
            assert url, (folder / "log").read_text()[-2000:]
            yield url
        finally:
            if peer.returncode is None:
                peer.terminate()
            await peer.wait()


@pytest.mark.parametrize("package", KNOWN)
async def test_known_faults_are_found_when_a_peer_is_at_hand(package: str, tmp_path: Path) -> None:
    """What is known to be wrong with a peer fails, and what is known to be right passes."""
    async with started(package, tmp_path) as url:
        found = await run(url, TERMS, collection="Inbox", checks=checks_named(*KEPT, *KNOWN[package]))
    assert set(found.of(Verdict.PASSED)) == set(KEPT)
    assert set(found.failed()) == set(KNOWN[package])
