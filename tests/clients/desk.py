"""An analyst's desk: taxii2-client as people really run it. It is synchronous, so it works in a thread while the host answers."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import pytest
from requests import HTTPError
from taxii2client.v21 import Collection, as_pages

from tests.hosting import ROOT, RunningHost

# The library pages for ever where a host gives it the same cursor again.
MOST_PAGES = 1000
UUID = "a6df37a9-3b96-434f-9b5b-cdea3c50ad8a"
T = TypeVar("T")


class Desk:
    """A token, and work that is done with it."""

    def __init__(self, host: RunningHost, token: str) -> None:
        self.host, self.token = host, token

    async def do(self, work: Callable[[Collection], T], collection: str = UUID) -> T:
        """Do something with a collection as taxii2-client opens it."""

        def inside() -> T:
            with Collection(f"{self.host.url}{ROOT}/collections/{collection}/", user="x", password=self.token) as opened:
                return work(opened)

        return await asyncio.to_thread(inside)


def paged(collection: Collection, per_request: int, **filters: Any) -> list[dict[str, Any]]:
    """Read a collection as the library pages it."""
    pages = islice(as_pages(collection.get_objects, per_request=per_request, **filters), MOST_PAGES)
    return [one for page in pages for one in page.get("objects", [])]


def entries(collection: Collection, per_request: int, **filters: Any) -> list[dict[str, Any]]:
    """Read a manifest as the library pages it."""
    pages = islice(as_pages(collection.get_manifest, per_request=per_request, **filters), MOST_PAGES)
    return [entry for page in pages for entry in page.get("objects", [])]


@contextmanager
def status_of(expected: int) -> Iterator[None]:
    """Expect the library to raise on this HTTP status."""
    with pytest.raises(HTTPError) as caught:
        yield
    assert caught.value.response.status_code == expected
