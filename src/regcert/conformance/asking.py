"""Asking the server under test: every request that a check makes goes through here."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from regcert.conformance.place import Place
from regcert.conformance.reply import Reply
from regcert.conformance.verdict import Broken, NotOffered, Skipped, inert
from regcert.conformance.wire import Wire

TAXII = "application/taxii+json;version=2.1"
MOST_PAGES = 100
_MOST_TRIES = 4
_MOST_WAIT_S = 10.0
_MOST_SHOWN = 150
_AGENT = "regcert-conformance"


@dataclass(frozen=True, slots=True)
class Terms:
    """As whom we ask, and what we may do.

    Args:
        authorization: the header's value, or None where the server is open.
        second: that of another principal, or None.
        read_only: nothing is posted or deleted.
        large: bodies up to whatever the server allows may be sent.
    """

    authorization: str | None = None
    second: str | None = None
    read_only: bool = False
    large: bool = False


class Asking:
    """The server under test, as far as it is only read.

    Args:
        wire: to the server.
        place: where things are on it.
        terms: as whom we ask.
    """

    def __init__(self, wire: Wire, place: Place, terms: Terms) -> None:
        self._wire = wire
        self.place = place
        self.terms = terms

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str | None] | None = None,
        also: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        chunked: bool = False,
        faults: tuple[int, ...] = (),
    ) -> Reply:
        """Ask with our media type and our credentials.

        Args:
            method: as it is sent.
            path: with its query, as it is sent.
            headers: instead of the usual ones; None leaves one out.
            also: headers besides these, for those that stand twice.
            body: its bytes.
            chunked: send it without saying how long it is.
            faults: statuses from 500 that are a proper answer here.

        Raises:
            Broken: the server failed, or did not answer. That is never what a rule asks for.
        """
        sent: dict[str, str | None] = {"Accept": TAXII, "User-Agent": _AGENT, "Authorization": self.terms.authorization}
        if body is not None:
            sent["Content-Type"] = TAXII
        sent.update(headers or {})
        pairs = [(name, value) for name, value in sent.items() if value is not None]
        # Of a long address the end is shown, too: there stands what was asked.
        where = inert(f"{method} {path if len(path) < _MOST_SHOWN else path[:50] + '…' + path[-90:]}", 170)
        for tried in range(_MOST_TRIES):
            answered = await self._wire.ask(method, path, [*pairs, *also], body, chunked=chunked)
            shown = [(name.lower(), value) for name, value in answered.headers]
            reply = Reply(where, answered.status, shown, answered.body)
            if answered.status != 429 or tried + 1 == _MOST_TRIES:
                break
            await asyncio.sleep(_wait_s(reply))
        if answered.trouble:
            raise Broken(f"{where}: {answered.trouble}")
        if reply.status >= 500 and reply.status not in faults:
            raise Broken(f"{where} was answered {reply.status}")
        return reply

    async def get(self, path: str, query: str = "", **headers: str | None) -> Reply:
        """GET a path; brackets and blanks of the query are encoded, and `_` in the name of a header stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("GET", with_query(path, query), headers=named)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._wire.origin

    @property
    def collection(self) -> str:
        """The path of the collection under test.

        Raises:
            Skipped: there is none that can be read.
        """
        if not self.place.collection.get("id"):
            raise Skipped("no collection to look at")
        return self.place.of(self.place.collection)

    @property
    def readable(self) -> str:
        """The path of the collection under test, where we may read it."""
        path = self.collection
        if self.place.collection.get("can_read") is not True:
            raise Skipped("the collection cannot be read with these credentials")
        return path

    @property
    def discovery(self) -> str:
        """The path of discovery."""
        if self.place.discovery is None:
            raise Skipped("no discovery was found")
        return self.place.discovery

    @property
    def second(self) -> str:
        """The other principal's credentials."""
        if self.terms.second is None:
            raise Skipped("needs --second-token")
        return self.terms.second

    @property
    def signed_in(self) -> str:
        """Our credentials, for rules about who is asking."""
        if self.terms.authorization is None:
            raise NotOffered("no credentials were given: the server is taken to be open")
        return self.terms.authorization

    async def objects(self, query: str = "") -> Reply:
        """GET the objects of the collection."""
        return (await self.get(f"{self.readable}objects/", query)).has_status(200)

    async def manifest(self, query: str = "") -> Reply:
        """GET the manifest of the collection."""
        return (await self.get(f"{self.readable}manifest/", query)).has_status(200)

    async def one(self, stix_id: str, query: str = "") -> Reply:
        """GET one object, whatever it is answered with."""
        return await self.get(f"{self.readable}objects/{stix_id}/", query)

    async def versions(self, stix_id: str, query: str = "") -> Reply:
        """GET the versions of one object, whatever it is answered with."""
        return await self.get(f"{self.readable}objects/{stix_id}/versions/", query)

    async def walk(self, query: str, following: str = "") -> list[Reply]:
        """Read the objects to the end by `next`.

        Args:
            query: the filters and the limit, repeated with each page.
            following: the `next` to begin with, or "" for the beginning.

        Raises:
            Broken: it says more without a way on, more on an empty page, or comes to no end.
        """
        pages: list[Reply] = []
        while len(pages) < MOST_PAGES:
            page = await self.objects(f"{query}&next={quote(following, safe='')}" if following else query)
            pages.append(page)
            if not page.more:
                return pages
            if not page.objects:
                raise Broken(f"{page.where} is empty and says more")
            following = page.next
        raise Broken(f"objects/?{query} comes to no end in {MOST_PAGES} pages")

    async def records(self, query: str) -> list[dict[str, object]]:
        """List the manifest's records for a query that is answered in one page."""
        return (await self.manifest(query)).objects


def with_query(path: str, query: str) -> str:
    """Put a query behind a path, encoding what may not stand in one."""
    return f"{path}?{quote(query, safe='=&,%:+-._~')}" if query else path


def _wait_s(reply: Reply) -> float:
    text = reply.header("Retry-After") or ""
    return min(float(text), _MOST_WAIT_S) if text.isascii() and text.isdigit() else 1.0
