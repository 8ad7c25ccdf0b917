"""What handlers are given: built once by `assembly.py`, never looked up elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from regcert.clock import Clock
from regcert.domain.region import Country, Footnote
from regcert.stix.schema import SchemaSet
from regcert.store.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running host.

    Args:
        database: open, and serving writes.
        schemas: of every STIX type.
        clock: what time it is.
        cursor_key: seals cursors, 32 bytes.
        api_root: the path segment of the region's API root.
        region_name: for people.
        countries: of the region, with their places in its schematic grid.
        footnotes: that go with marked names.
        max_content_bytes: the largest body that is read.
        wake: called after every commit that correlation should hear of.
    """

    database: Database
    schemas: SchemaSet
    clock: Clock
    cursor_key: bytes
    api_root: str
    region_name: str
    countries: tuple[Country, ...]
    footnotes: tuple[Footnote, ...]
    max_content_bytes: int
    wake: Callable[[], None]


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
