"""What handlers are given: built once by `assembly/host.py`, never looked up elsewhere."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from regcert.clock import Clock
from regcert.domain.principal import Principal
from regcert.domain.region import Country, Footnote
from regcert.domain.submission import Received
from regcert.domain.verifier_key import VerifierKey
from regcert.flows.publish import Receipt
from regcert.flows.sign_in_elsewhere import SideDoor
from regcert.flows.sign_in_person import Door
from regcert.store.database import Database
from regcert.taxii.profiles import Profile, profile_of
from regcert.web.coming import Trust


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
        trust: whom this host believes about where a request comes from.
        log_verifier: the public key of the transparency log; its name is the log's.
        log_public: whether anybody may read the log.
        door: of the console, for people.
        side_door: the way in through an OpenID provider, or None.
        note_use: notes that a token was used, by its key; costs nobody any time.
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
    trust: Trust
    door: Door
    side_door: SideDoor | None
    log_verifier: VerifierKey
    log_public: bool
    note_use: Callable[[int], None]

    def profile_of(self, principal: Principal) -> Profile:
        """Return how a principal's client is answered: as the standard says, unless its token names another."""
        return profile_of(self.profiles, principal.client)


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
