"""What handlers are given: built once by `assembly.py`, never looked up elsewhere."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.domain.region import Country, Footnote
from regcert.domain.submission import Received
from regcert.flows.publish import Receipt
from regcert.store.database import Database
from regcert.taxii.profiles import Profile, profile_of


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running host.

    Args:
        database: open, and serving writes.
        clock: what time it is.
        cursor_key: seals cursors, 32 bytes.
        api_root: the path segment of the region's API root.
        region_name: for people.
        countries: of the region, with their places in its schematic grid.
        footnotes: that go with marked names.
        max_content_bytes: the largest body that is read.
        profiles: of the clients that tokens are made for, by name.
        publish: takes an envelope whose sender may write in its collection.
        wake: called after every commit that correlation should hear of.
    """

    database: Database
    clock: Clock
    cursor_key: bytes
    api_root: str
    region_name: str
    countries: tuple[Country, ...]
    footnotes: tuple[Footnote, ...]
    max_content_bytes: int
    profiles: Mapping[str, Profile]
    publish: Callable[[Received], Awaitable[Receipt]]
    wake: Callable[[], None]

    def profile_of(self, principal: Principal) -> Profile:
        """Return how a principal's client is answered: as the standard says, unless its token names another."""
        return profile_of(self.profiles, principal.client)


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
