"""Writing to the server under test: only objects of our own, and each is taken away again."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from regcert.conformance import made
from regcert.conformance.asking import Asking, Terms, with_query
from regcert.conformance.place import Place
from regcert.conformance.reply import Reply
from regcert.conformance.verdict import Broken, Skipped
from regcert.conformance.wire import Wire

_MOST_WAIT_S = 30.0
_PAUSE_S = 0.2
_MOST_AT_ONCE = 4
_GONE = (200, 404)


class Posting(Asking):
    """The server under test, as far as it is written to."""

    def __init__(self, wire: Wire, place: Place, terms: Terms) -> None:
        super().__init__(wire, place, terms)
        self._posted: dict[str, None] = {}

    @property
    def writable(self) -> str:
        """The path of the collection under test, where we may write it.

        Raises:
            Skipped: we may not, or shall not.
        """
        if self.terms.read_only:
            raise Skipped("--read-only")
        path = self.collection
        if self.place.collection.get("can_write") is not True:
            raise Skipped("no collection can be written with these credentials")
        return path

    @property
    def may_write(self) -> bool:
        """Whether we may post to the collection under test."""
        return not self.terms.read_only and self.place.collection.get("can_write") is True

    @property
    def deletable(self) -> str:
        """The path of the collection under test, where we may delete: that takes reading and writing."""
        _ = self.readable
        return self.writable

    async def post(self, body: bytes, **headers: str | None) -> Reply:
        """POST a body, whatever it is answered with."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", f"{self.writable}objects/", headers=named, body=body)

    async def post_objects(self, *objects: Mapping[str, Any]) -> Reply:
        """POST an envelope, remembering what has to be taken away."""
        self.remember(*objects)
        return await self.post(made.envelope(*objects))

    def remember(self, *objects: Mapping[str, Any]) -> None:
        """Remember what has to be taken away in the end."""
        self._posted.update(dict.fromkeys(str(one.get("id")) for one in objects))

    async def finish(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        """Wait until the server has looked at everything of a POST.

        Raises:
            Broken: it has not in half a minute.
        """
        until = time.monotonic() + _MOST_WAIT_S
        while status.get("status") == "pending" and time.monotonic() < until:
            await asyncio.sleep(_PAUSE_S)
            status = (await self.get(f"{self.place.root}status/{status.get('id')}/")).document
        if status.get("status") != "complete":
            raise Broken(f"a POST has the status {status.get('status')!r} after {_MOST_WAIT_S:.0f} s")
        return status

    async def status_of(self, *objects: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST objects and return their status when it is complete."""
        return await self.finish((await self.post_objects(*objects)).has_status(202).document)

    async def stored(self, *objects: Mapping[str, Any]) -> None:
        """POST objects for a rule about something else.

        Raises:
            Skipped: the server did not take them; a rule on posting says why.
        """
        try:
            status = await self.status_of(*objects)
        except Broken as broken:
            raise Skipped(f"its objects could not be posted: {broken}") from broken
        if status.get("success_count") != len(objects):
            raise Skipped(f"its objects were not taken: {status.get('failures')!r}")

    async def delete(self, stix_id: str, query: str = "") -> Reply:
        """DELETE one object, whatever it is answered with."""
        return await self.ask("DELETE", with_query(f"{self.deletable}objects/{stix_id}/", query))

    async def clean_up(self) -> int:
        """Take away what was posted.

        Returns:
            How many ids the server still has, or will not let us delete.
        """
        ids, lanes = list(self._posted), asyncio.Semaphore(_MOST_AT_ONCE)
        self._posted.clear()

        async def is_left(stix_id: str) -> bool:
            async with lanes:
                try:
                    # Some servers delete the latest version alone unless they are told, some do not know how to be told.
                    reply = await self.delete(stix_id, "match[version]=all")
                    if reply.status not in _GONE:
                        reply = await self.delete(stix_id)
                except (Broken, Skipped):
                    return True
                return reply.status not in _GONE

        return sum(await asyncio.gather(*(is_left(stix_id) for stix_id in ids)))
