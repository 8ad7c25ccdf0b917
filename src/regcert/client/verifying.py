"""`pull_verified`: a collection read into a mirror, and every object of it judged; docs/verifying.md says what that means.

A host that lies is found out within one call: by its own log, by what it said before, by what teams have signed.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from regcert.client.asynchronous import AsyncClient
from regcert.client.options import Options
from regcert.client.resources import Collection, Filters
from regcert.clock import Clock, SystemClock
from regcert.outbound.answers import require_server
from regcert.outbound.wire import open_wire
from regcert.verification.following import Poll
from regcert.verification.host_reader import HostReader
from regcert.verification.log_reader import TIMEOUT_S
from regcert.verification.mirror import Mirror
from regcert.verification.offline import Report
from regcert.verification.polling import poll_once
from regcert.verification.roots import Trust

_EVERY_VERSION = Filters(versions=("all",))


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages of a collection, as a mirror takes them."""

    client: AsyncClient
    collection: Collection

    async def pages(self, added_after: str | None) -> AsyncIterator[tuple[Sequence[bytes], str | None]]:
        async for page in self.client.pages(self.collection, _EVERY_VERSION, added_after=added_after):
            yield [one.body for one in page.objects], page.last_added


async def pull_verified(
    server: str,
    token: str,
    collection: str,
    mirror: Path,
    trust: Trust,
    *,
    clock: Clock | None = None,
    options: Options | None = None,
) -> Report:
    """Read what is new in a collection of a RegCERT host into a mirror, and verify all of the mirror.

    Args:
        server: the host's address.
        token: of somebody who may read the collection.
        collection: its id, alias or title.
        mirror: a folder for this collection alone, one process at a time; it is made where it is not there.
        trust: the reader's policy, pinned roots, and how old his view may be.
        clock: the reader's own.
        options: as those of `AsyncClient`.

    Returns:
        A verdict for each object, and an alarm for each way in which the host broke its word.

    Raises:
        Refusal: what every verb of the client raises; INVALID_CHECKPOINT where the log's key did not sign what is shown, and
            INVALID_SETTING where the mirror is another collection's.
    """
    address = require_server(server)
    chosen = options or Options()
    async with (
        AsyncClient(f"{address}/taxii2/", token, options=chosen) as client,
        open_wire(address, TIMEOUT_S, proxies_from_environment=chosen.proxies_from_environment) as wire,
    ):
        found = await client.collection(collection)
        poll = Poll(HostReader(wire, address, token), _Pages(client, found), found.id, Mirror(mirror), trust)
        return await poll_once(poll, (clock or SystemClock()).now_us)
